package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An object is a JSON object in the order in which it was written.
type object []member

type member struct {
	name  string
	value any // nil, bool, string, json.Number, []any, object
}

// get is the value of a member; nil when there is none.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// maxDepth is how deep values may be nested: what a spec allows is little more.
const maxDepth = 64

var errDepth = errors.New("it is nested too deep")

// parseJSON reads one JSON document and keeps the order of its members.
func parseJSON(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	v, err := jsonValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more behind the document")
	}
	return v, nil
}

func jsonValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		out := []any{}
		for dec.More() {
			v, err := jsonValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		_, err = dec.Token()
		return out, err
	case json.Delim('{'):
		out := object{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := jsonValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, member{name.(string), v}) //nolint:forcetypeassert // the decoder gives names as strings
		}
		_, err = dec.Token()
		return out, err
	}
	return t, nil
}

// compact writes a value as JSON on one line, for comments and for bodies that
// TOML cannot hold.
func compact(v any) string {
	var b bytes.Buffer
	appendJSON(&b, v)
	return b.String()
}

func appendJSON(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			appendJSON(b, m.name)
			b.WriteString(": ")
			appendJSON(b, m.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			appendJSON(b, v[i])
		}
		b.WriteByte(']')
	default:
		enc := json.NewEncoder(b)
		enc.SetEscapeHTML(false)
		if enc.Encode(v) == nil {
			b.Truncate(b.Len() - 1) // the line break
		}
	}
}

// tomlValue writes a value as TOML on one line. ok is false when TOML has no
// such value: null, whole numbers beyond 64 bits, two members of one name.
func tomlValue(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return quote(v), true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return tomlNumber(string(v))
	case []any:
		items := make([]string, len(v))
		for i := range v {
			if items[i], ok = tomlValue(v[i]); !ok {
				return "", false
			}
		}
		return "[" + strings.Join(items, ", ") + "]", true
	case object:
		items := make([]string, len(v))
		seen := map[string]bool{}
		for i, m := range v {
			value, ok := tomlValue(m.value)
			if !ok || seen[m.name] {
				return "", false
			}
			seen[m.name] = true
			items[i] = key(m.name) + " = " + value
		}
		if len(items) == 0 {
			return "{}", true
		}
		return "{ " + strings.Join(items, ", ") + " }", true
	default:
		return "", false
	}
}

func tomlNumber(text string) (string, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return strconv.FormatInt(n, 10), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || !strings.ContainsAny(text, ".eE") {
		return "", false
	}
	out := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(out, ".e") {
		out += ".0"
	}
	return out, true
}

// quote writes a basic string of TOML (https://toml.io/en/v1.0.0#string).
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u00` + string("0123456789abcdef"[r>>4]) + string("0123456789abcdef"[r&15]))
		case r == utf8.RuneError:
			b.WriteString("\ufffd")
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// key writes a key, in quotes only where it needs them.
func key(name string) string {
	bare := name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
	if bare {
		return name
	}
	return quote(name)
}
