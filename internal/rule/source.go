package rule

import (
	"regexp"
	"strings"
)

// A Source says where in an answer a value is taken from. It is read-only.
type Source struct {
	subject subject
	pattern *regexp.Regexp // not nil: regex RE over the body
}

// ParseSource compiles a capture source: a JSON path, header NAME, cookie NAME,
// regex RE, status or body. The error is an *Error.
func ParseSource(text string) (*Source, error) {
	p := &parser{text: text}
	s, err := p.source()
	if err != nil {
		return nil, err
	}
	return s, nil
}

const sourceHelp = "use $.json.path, header NAME, cookie NAME, regex RE, status or body"

var foreignSources = map[string]string{
	"json": "$.name", "jsonpath": "$.name", "headers": "header NAME", "cookies": "cookie NAME",
	"regexp": "regex RE", "re": "regex RE", "statusCode": "status", "status_code": "status", "text": "body", "content": "body",
}

func (p *parser) source() (*Source, *Error) {
	s := &Source{}
	if p.done() {
		return nil, p.fail(0, sourceHelp, "empty source")
	}
	at, word := p.pos, p.peekIdent()
	var err *Error
	switch {
	case p.peekByte() == '$', word == "header", word == "cookie", word == "status", word == "body":
		s.subject, err = p.subject()
	case word == "regex":
		p.pos += len(word)
		p.space()
		s.pattern, err = p.pattern()
	default:
		hint := sourceHelp
		if word == "" {
			word = p.peekWord()
		}
		if ours, ok := foreignSources[word]; ok {
			hint = `did you mean "` + ours + `"?`
		} else if near := Nearest(word, []string{"header", "cookie", "regex", "status", "body"}); near != "" {
			hint = `did you mean "` + near + `"?`
		}
		return nil, p.fail(at, hint, "unknown source %q", word)
	}
	if err != nil {
		return nil, err
	}
	if !p.done() {
		return nil, p.fail(p.pos, "a source is one place in the answer", "unexpected %q after the source", p.peekWord())
	}
	return s, nil
}

// Text writes the source in its usual form. ParseSource reads it back alike.
func (s *Source) Text() string {
	if s.pattern == nil {
		return s.subject.String()
	}
	re := s.pattern.String()
	if strings.TrimSpace(re) != re || strings.HasPrefix(re, "'") {
		re = quotePattern(re)
	}
	return "regex " + re
}

// NeedsBody says whether the source reads the body of the answer.
func (s *Source) NeedsBody() bool { return s.pattern != nil || s.subject.needsBody() }

// Value takes the value out of an answer; ok is false when there is none. A
// path that may give several values gives an array of all; regex gives its
// first group, or the whole match when it has none.
func (s *Source) Value(a *Answer) (v Value, ok bool) {
	switch {
	case s.pattern != nil:
		return s.match(a.Body)
	case s.subject.kind == subjectPath && s.subject.path.many:
		var all []any
		a.json().each(s.subject.path, func(raw []byte) bool {
			if v, ok := rawVal(raw); ok {
				if x, ok := v.value(); ok {
					all = append(all, x)
				}
			}
			return true
		})
		return all, len(all) > 0
	}
	x, ok := s.subject.get(a, nil)
	if !ok {
		return nil, false
	}
	if x.kind == kindText && x.raw == nil { // of a header: shares memory with the answer
		return strings.Clone(x.s), true
	}
	return x.value()
}

// Number takes a number out of an answer without allocating; text counts as one
// when it is written like one.
func (s *Source) Number(a *Answer) (float64, bool) {
	if s.pattern != nil {
		v, ok := s.match(a.Body)
		if !ok {
			return 0, false
		}
		x := toVal(v)
		return x.number()
	}
	v, ok := s.subject.get(a, nil)
	if !ok {
		return 0, false
	}
	return v.number()
}

func (s *Source) match(body []byte) (Value, bool) {
	m := s.pattern.FindSubmatchIndex(body)
	switch {
	case m == nil:
		return nil, false
	case len(m) < 4:
		return string(body[m[0]:m[1]]), true
	case m[2] < 0: // the group did not take part
		return nil, false
	default:
		return string(body[m[2]:m[3]]), true
	}
}
