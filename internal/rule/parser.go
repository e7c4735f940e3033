package rule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// A parser reads one expression from left to right. Its methods are shared by
// checks, limits, sources and paths.
type parser struct {
	text string
	pos  int
}

// fail makes the error for a mistake at offset at.
func (p *parser) fail(at int, hint, format string, args ...any) *Error {
	return &Error{Text: p.text, Offset: at, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// failUnit places the mistake of a quantity at offset at.
func (p *parser) failUnit(at int, err error) *Error {
	if u, ok := errors.AsType[*unit.Error](err); ok {
		return p.fail(at, u.Hint, "%s", u.Msg)
	}
	return p.fail(at, "", "%s", err)
}

func (p *parser) rest() string { return p.text[p.pos:] }

func (p *parser) space() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

// done skips white space and says whether nothing is left.
func (p *parser) done() bool {
	p.space()
	return p.pos == len(p.text)
}

// accept moves past s when it comes next.
func (p *parser) accept(s string) bool {
	if !strings.HasPrefix(p.rest(), s) {
		return false
	}
	p.pos += len(s)
	return true
}

// acceptWord moves past the word s when it comes next and ends there.
func (p *parser) acceptWord(s string) bool {
	if p.peekIdent() != s {
		return false
	}
	p.pos += len(s)
	return true
}

// peekIdent is the run of letters, digits and '_' that comes next.
func (p *parser) peekIdent() string {
	i := p.pos
	for i < len(p.text) && isIdent(p.text[i]) {
		i++
	}
	return p.text[p.pos:i]
}

// peekWord is what comes next up to white space, for showing it in an error.
func (p *parser) peekWord() string {
	word := p.rest()
	if i := strings.IndexAny(word, " \t\r\n"); i > 0 {
		word = word[:i]
	}
	return word
}

// A literal is a value as written: a word, or text in quotes.
type literal struct {
	text   string
	quoted bool
	at     int       // offset in the expression
	fill   *Template // not nil: text has {{ }} in it
}

// String writes the literal so that it parses back alike.
func (l literal) String() string {
	if l.quoted {
		return quote(l.text)
	}
	return l.text
}

// quote puts s in single quotes; a quote in it is doubled, outside {{ }} only,
// as the reader treats {{ }} as one piece.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); {
		if end := fillEnd(s, i); end > 0 {
			b.WriteString(s[i:end])
			i = end
			continue
		}
		if s[i] == '\'' {
			b.WriteByte('\'')
		}
		b.WriteByte(s[i])
		i++
	}
	b.WriteByte('\'')
	return b.String()
}

// value reads a word or quoted text. A word ends at white space or at one of
// the bytes in stop; {{ }} belongs to the word whatever is in it.
func (p *parser) value(stop string) (literal, *Error) {
	l := literal{at: p.pos}
	var err *Error
	if q := p.peekByte(); q == '\'' || q == '"' {
		l.quoted = true
		if l.text, err = p.quoted(q); err != nil {
			return l, err
		}
	} else {
		l.text = p.word(stop)
	}
	if strings.Contains(l.text, "{{") {
		l.fill, err = parseTemplateIn(p.text, l.at, l.text, l.quoted)
	}
	return l, err
}

func (p *parser) word(stop string) string {
	start := p.pos
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if isSpace(c) || strings.IndexByte(stop, c) >= 0 {
			break
		}
		if end := fillEnd(p.text, p.pos); end > 0 {
			p.pos = end
			continue
		}
		p.pos++
	}
	return p.text[start:p.pos]
}

// quoted reads text in quotes; the quote itself is written twice within.
func (p *parser) quoted(q byte) (string, *Error) {
	start := p.pos
	var b strings.Builder
	for p.pos++; p.pos < len(p.text); {
		if end := fillEnd(p.text, p.pos); end > 0 {
			b.WriteString(p.text[p.pos:end])
			p.pos = end
			continue
		}
		c := p.text[p.pos]
		p.pos++
		if c != q {
			b.WriteByte(c)
			continue
		}
		if p.pos == len(p.text) || p.text[p.pos] != q {
			return b.String(), nil
		}
		b.WriteByte(q)
		p.pos++
	}
	return "", p.fail(start, "end it with "+string(q), "text without a closing quote")
}

// fillEnd is the offset behind the {{ }} that starts at i, or 0 when none does.
// Quoted text within may hold }}.
func fillEnd(text string, i int) int {
	if !strings.HasPrefix(text[i:], "{{") {
		return 0
	}
	for j := i + 2; j < len(text); j++ {
		switch c := text[j]; c {
		case '\'', '"':
			n := strings.IndexByte(text[j+1:], c)
			if n < 0 {
				return 0
			}
			j += n + 1
		case '}':
			if strings.HasPrefix(text[j:], "}}") {
				return j + 2
			}
		}
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdent(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
