package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A JSON is a compiled document whose strings, and names of members, may be
// templates. It is read-only.
type JSON struct{ parts []jsonPart }

// A jsonPart is encoded text, or a template to fill in as one JSON value.
type jsonPart struct {
	text   []byte
	fill   *Template
	member bool // a member's name: a string whatever the type of its value
}

// NewJSON compiles a document as TOML or JSON decode it: nil, bool, numbers,
// strings, times, slices, and maps, whose members are written in order of their
// names. The error is an *Error when it is in a template.
func NewJSON(v any) (*JSON, error) {
	j := &JSON{}
	if err := j.add(v); err != nil {
		return nil, err
	}
	return j, nil
}

func (j *JSON) add(v any) error {
	switch v := v.(type) {
	case nil, bool, int, int64, json.Number:
		return j.encode(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("JSON has no number for inf and nan")
		}
		j.write(appendFloat(nil, v))
		return nil
	case string:
		return j.addString(v, false)
	case time.Time:
		return j.addString(v.Format(time.RFC3339Nano), false)
	case []any:
		return addSlice(j, v)
	case []map[string]any:
		return addSlice(j, v)
	case map[string]any:
		return j.addMap(v)
	default:
		return fmt.Errorf("a %T cannot be written as JSON", v)
	}
}

func (j *JSON) encode(v any) error {
	text, err := json.Marshal(v)
	j.write(text)
	return err
}

func (j *JSON) write(text []byte) {
	if n := len(j.parts); n > 0 && j.parts[n-1].fill == nil {
		j.parts[n-1].text = append(j.parts[n-1].text, text...)
		return
	}
	j.parts = append(j.parts, jsonPart{text: slices.Clone(text)})
}

func (j *JSON) addString(s string, member bool) error {
	t, err := ParseTemplate(s)
	if err != nil {
		return err
	}
	if text, ok := t.Literal(); ok {
		j.write(escapeJSON([]byte(text), 0))
		return nil
	}
	j.parts = append(j.parts, jsonPart{fill: t, member: member})
	return nil
}

func addSlice[T any](j *JSON, list []T) error {
	j.write([]byte("["))
	for i, e := range list {
		if i > 0 {
			j.write([]byte(","))
		}
		if err := j.add(e); err != nil {
			return err
		}
	}
	j.write([]byte("]"))
	return nil
}

func (j *JSON) addMap(m map[string]any) error {
	j.write([]byte("{"))
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			j.write([]byte(","))
		}
		if err := j.addString(name, true); err != nil {
			return err
		}
		j.write([]byte(":"))
		if err := j.add(m[name]); err != nil {
			return err
		}
	}
	j.write([]byte("}"))
	return nil
}

// Names are the names that the document's templates need; each Offset counts
// within its own string.
func (j *JSON) Names() []Name {
	var out []Name
	for _, p := range j.parts {
		if p.fill != nil {
			out = append(out, p.fill.Names()...)
		}
	}
	return out
}

// Pure says whether every template in the document is; see Template.Pure.
func (j *JSON) Pure() bool {
	for _, p := range j.parts {
		if p.fill != nil && !p.fill.Pure() {
			return false
		}
	}
	return true
}

// Literal is the text of a document that has nothing to fill in.
func (j *JSON) Literal() ([]byte, bool) {
	if len(j.parts) != 1 || j.parts[0].fill != nil {
		return nil, false
	}
	return j.parts[0].text, true
}

// Text is the document with its templates as they were written.
func (j *JSON) Text() string {
	var b strings.Builder
	for _, p := range j.parts {
		if p.fill == nil {
			b.Write(p.text)
		} else {
			b.Write(escapeJSON([]byte(p.fill.text), 0))
		}
	}
	return b.String()
}

// Append writes the filled-in document behind dst; see Template.Append for the
// error.
func (j *JSON) Append(dst []byte, env Env) ([]byte, error) {
	start := len(dst)
	for i := range j.parts {
		p := &j.parts[i]
		if p.fill == nil {
			dst = append(dst, p.text...)
			continue
		}
		var err error
		if dst, err = p.append(dst, env); err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// append fills in one value: of the template's own type when it is exactly one
// {{ }}, else a string.
func (p *jsonPart) append(dst []byte, env Env) ([]byte, error) {
	if parts := p.fill.parts; len(parts) == 1 && !p.member {
		return parts[0].expr.appendJSON(dst, env)
	}
	start := len(dst)
	dst, err := p.fill.Append(dst, env)
	if err != nil {
		return dst, err
	}
	return escapeJSON(dst, start), nil
}

// appendJSON writes the expression's value behind dst as JSON.
func (e *expr) appendJSON(dst []byte, env Env) ([]byte, error) {
	start := len(dst)
	if out, ok, err := e.appendCall(dst, env); err != nil {
		return dst, err
	} else if ok {
		return escapeJSON(out, start), nil
	}
	v, err := e.eval(env)
	if err != nil {
		return dst, err
	}
	return v.appendJSON(dst), nil
}

// escapeJSON makes a JSON string of the text dst[start:], in place. Bytes that
// are not UTF-8 become U+FFFD, as in encoding/json.
func escapeJSON(dst []byte, start int) []byte {
	if plainJSON(dst[start:]) {
		dst = append(dst, 0, 0)
		copy(dst[start+1:], dst[start:len(dst)-2])
		dst[start], dst[len(dst)-1] = '"', '"'
		return dst
	}
	text := string(dst[start:])
	dst = append(dst[:start], '"')
	for i, r := range text {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		case r == utf8.RuneError && text[i] != 0xef:
			dst = append(dst, "\ufffd"...)
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

// plainJSON says that text needs no escapes.
func plainJSON(text []byte) bool {
	ascii := true
	for _, c := range text {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < 0x80
	}
	return ascii || utf8.Valid(text)
}

// appendAny writes a captured array or object.
func appendAny(dst []byte, v Value) []byte {
	text, err := json.Marshal(v)
	if err != nil { // a Value is always JSON
		return append(dst, "null"...)
	}
	return append(dst, text...)
}
