package rule

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A path is a compiled JSON path: the part of RFC 9535 that names places
// (children, elements, wildcards, descendants) without filters and slices.
type path struct {
	segs []segment
	many bool // may give more than one value
}

// A segment is one step of a path: a child by name, an element by index, or
// all of them.
type segment struct {
	deep  bool // ".." : of this value and of all below it
	all   bool // [*]
	name  string
	named bool
	index int // from the end when negative
}

// maxIndex is the largest index RFC 9535 (section 2.1) lets a query name: what
// a double holds exactly.
const maxIndex = 1<<53 - 1

// maxDeep is how often ".." may stand in a path: each multiplies the work by the
// depth of the document.
const maxDeep = 2

// path reads a JSON path, which starts with '$'.
func (p *parser) path() (*path, *Error) {
	if !p.accept("$") {
		return nil, p.fail(p.pos, `a JSON path starts with $, as in "$.items[0].id"`, "no $")
	}
	out, deep := &path{}, 0
	for p.pos < len(p.text) {
		at := p.pos
		var seg segment
		var err *Error
		switch {
		case p.accept(".."):
			seg, err = p.afterDots(at)
			seg.deep = true
		case p.accept("."):
			seg, err = p.afterDots(at)
		case strings.HasPrefix(p.rest(), "["):
			seg, err = p.bracket()
		default:
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if seg.deep {
			if deep++; deep > maxDeep {
				return nil, p.fail(at, "name the way to the value instead", "more than two .. in a path would take too long")
			}
		}
		out.segs = append(out.segs, seg)
		out.many = out.many || seg.deep || seg.all
	}
	return out, nil
}

// afterDots reads what follows "." or "..": a name, * or (after "..") [...].
func (p *parser) afterDots(at int) (segment, *Error) {
	if p.accept("*") {
		return segment{all: true}, nil
	}
	if strings.HasPrefix(p.text[at:], "..") && strings.HasPrefix(p.rest(), "[") {
		return p.bracket()
	}
	start := p.pos
	for p.pos < len(p.text) && isNameByte(p.text[p.pos], p.pos == start) {
		p.pos++
	}
	name := p.text[start:p.pos]
	if name == "" {
		return segment{}, p.fail(at, `write .name, ['any name'], [0] or [*]`, "no name after the dot")
	}
	if strings.HasPrefix(p.rest(), "-") {
		return segment{}, p.fail(p.pos, "write ['"+name+p.nameTail()+"']", "a name with - needs brackets in a JSON path")
	}
	return segment{name: name, named: true}, nil
}

// nameTail is what the writer of an unbracketed name with a dash most likely
// took for the rest of it.
func (p *parser) nameTail() string {
	end := p.pos
	for end < len(p.text) && (p.text[end] == '-' || isNameByte(p.text[end], false)) {
		end++
	}
	return p.text[p.pos:end]
}

// isNameByte follows RFC 9535's member-name-shorthand: letters, '_', any
// character beyond ASCII, and digits but not first.
func isNameByte(c byte, first bool) bool {
	return c == '_' || c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || !first && isDigit(c)
}

// bracket reads [*], [n], ['name'] or ["name"].
func (p *parser) bracket() (segment, *Error) {
	open := p.pos
	p.pos++
	p.space()
	var seg segment
	switch c := p.peekByte(); {
	case c == '*':
		p.pos++
		seg.all = true
	case c == '\'' || c == '"':
		name, err := p.pathName(c)
		if err != nil {
			return seg, err
		}
		seg.name, seg.named = name, true
	case c == '-' || isDigit(c):
		start := p.pos
		for p.pos++; p.pos < len(p.text) && isDigit(p.text[p.pos]); {
			p.pos++
		}
		n, err := strconv.Atoi(p.text[start:p.pos])
		if err != nil || n > maxIndex || n < -maxIndex {
			return seg, p.fail(start, "count elements from 0", "%q is not an index", p.text[start:p.pos])
		}
		seg.index = n
	case c == '?' || c == ':':
		return seg, p.fail(open, "use [n], [*] or ['name'], and check the values in several steps", "filters and slices are not part of loadline's JSON paths")
	default:
		return seg, p.fail(open, "write [0], [*] or ['name']", "no index or name in the brackets")
	}
	p.space()
	if p.accept("]") {
		return seg, nil
	}
	if c := p.peekByte(); c == ':' || c == ',' {
		return seg, p.fail(p.pos, "use [n], [*] or ['name']", "slices and unions are not part of loadline's JSON paths")
	}
	return seg, p.fail(open, "end it with ]", "bracket without an end")
}

// peekByte is the next byte, or 0 at the end.
func (p *parser) peekByte() byte {
	if p.pos == len(p.text) {
		return 0
	}
	return p.text[p.pos]
}

// pathName reads a quoted member name, with JSON's escapes and \'.
func (p *parser) pathName(q byte) (string, *Error) {
	start := p.pos
	var b strings.Builder // the name as a JSON string
	b.WriteByte('"')
	for p.pos++; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == q:
			p.pos++
			b.WriteByte('"')
			var name string
			if err := json.Unmarshal([]byte(b.String()), &name); err != nil {
				return "", p.fail(start, `escapes are those of JSON: \" \\ \n \u00e9`, "a name with a broken escape")
			}
			return name, nil
		case c == '"':
			b.WriteString(`\"`)
		case c == '\\' && strings.HasPrefix(p.text[p.pos:], `\'`):
			b.WriteByte('\'')
			p.pos++
		case c == '\\' && p.pos+1 < len(p.text):
			b.WriteString(p.text[p.pos : p.pos+2])
			p.pos++
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail(start, "end it with "+string(q), "a name without a closing quote")
}

// String writes the path in its shortest form.
func (p *path) String() string {
	b := []byte("$")
	for _, s := range p.segs {
		dots := "."
		if s.deep {
			dots = ".."
		}
		switch {
		case s.named && isShorthand(s.name):
			b = append(append(b, dots...), s.name...)
			continue
		case s.deep:
			b = append(b, dots...)
		}
		switch {
		case s.all:
			b = append(b, "[*]"...)
		case s.named:
			b = appendPathName(b, s.name)
		default:
			b = strconv.AppendInt(append(b, '['), int64(s.index), 10)
			b = append(b, ']')
		}
	}
	return string(b)
}

// appendPathName writes ['name'].
func appendPathName(b []byte, name string) []byte {
	start := len(b)
	text := string(escapeJSON(append(b, name...), start)[start+1:])
	text = strings.ReplaceAll(text[:len(text)-1], `\"`, `"`)
	text = strings.ReplaceAll(text, "'", `\'`)
	return append(append(append(b[:start], "['"...), text...), "']"...)
}

func isShorthand(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i], i == 0) {
			return false
		}
	}
	return name != ""
}
