package rule

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Template is compiled text with {{ }} in it, filled in for each use. It is
// read-only. What is filled in is never looked at for more templates.
type Template struct {
	text  string
	parts []part
}

// A part is text, or what stands in one {{ }}.
type part struct {
	text string
	expr *expr
}

// A Name is a name that a template needs a value for, and where in the
// template's text it stands (in bytes).
type Name struct {
	Name   string
	Offset int
}

// ParseTemplate compiles text. The error is an *Error.
func ParseTemplate(text string) (*Template, error) {
	t, err := parseTemplateIn(text, 0, text, false)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// parseTemplateIn compiles text that stands at offset at of the expression whole;
// the two differ where the text was taken out of quotes.
func parseTemplateIn(whole string, at int, text string, quoted bool) (*Template, *Error) {
	t := &Template{text: text}
	p := &parser{text: text}
	for p.pos < len(text) {
		n := strings.Index(p.rest(), "{{")
		if n < 0 {
			t.parts = append(t.parts, part{text: p.rest()})
			break
		}
		if n > 0 {
			t.parts = append(t.parts, part{text: text[p.pos : p.pos+n]})
			p.pos += n
		}
		e, err := p.fill()
		if err != nil {
			if whole != text {
				err.Text, err.Offset = whole, err.Offset+at
				if quoted {
					err.Offset++ // doubled quotes before it would move it on: close enough
				}
			}
			return nil, err
		}
		t.parts = append(t.parts, part{expr: e})
	}
	return t, nil
}

// Text is the template as it was written.
func (t *Template) Text() string { return t.text }

// Names are the names that the template needs, in order.
func (t *Template) Names() []Name {
	var out []Name
	for _, p := range t.parts {
		if p.expr != nil {
			out = p.expr.names(out)
		}
	}
	return out
}

// Literal is the text of a template that has nothing to fill in.
func (t *Template) Literal() (string, bool) {
	for _, p := range t.parts {
		if p.expr != nil {
			return "", false
		}
	}
	return t.text, true
}

// Pure says that the template makes the same text whenever its names have the
// same values: it calls no function.
func (t *Template) Pure() bool {
	for _, p := range t.parts {
		if p.expr != nil && p.expr.term.fn != noFunction {
			return false
		}
	}
	return true
}

// Append fills the template in behind dst. The error says which name has no
// value, or which call could not be worked out; dst is then as long as before.
func (t *Template) Append(dst []byte, env Env) ([]byte, error) {
	start := len(dst)
	for i := range t.parts {
		p := &t.parts[i]
		if p.expr == nil {
			dst = append(dst, p.text...)
			continue
		}
		var err error
		if dst, err = p.expr.append(dst, env); err != nil {
			return dst[:start], err
		}
	}
	return dst, nil
}

// Value fills the template in. One that is exactly one {{ }} keeps the type of
// its value; any other is a string.
func (t *Template) Value(env Env) (Value, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		v, err := t.parts[0].expr.eval(env)
		if err != nil {
			return nil, err
		}
		out, _ := v.value()
		return out, nil
	}
	text, err := t.Append(nil, env)
	return string(text), err
}

// An expr is what stands in one {{ }}: a value, and filters it goes through.
type expr struct {
	term    term
	filters []filter
}

// A term is a name, a literal or a call.
type term struct {
	name string // a variable; "" for the others
	at   int    // offset of name in the template
	fn   function
	args []term
	lit  val // fn is noFunction and name is ""
}

type filter struct {
	kind filterKind
	args []term
}

// fill reads one {{ }}, which comes next.
func (p *parser) fill() (*expr, *Error) {
	open := p.pos
	if fillEnd(p.text, open) == 0 {
		return nil, p.fail(open, "end it with }}", "{{ without an end")
	}
	p.pos += 2
	p.space()
	e := &expr{}
	var err *Error
	if strings.HasPrefix(p.rest(), "}}") {
		return nil, p.fail(open, `write a name, as in "{{ token }}"`, "nothing between {{ and }}")
	}
	if e.term, err = p.term(true); err != nil {
		return nil, err
	}
	for {
		p.space()
		if p.accept("}}") {
			return e, nil
		}
		if !p.accept("|") {
			return nil, p.fail(p.pos, `write one name or call, and filters behind |, as in "{{ name | upper }}"`, "unexpected %q in {{ }}", p.peekWord())
		}
		f, err := p.filter()
		if err != nil {
			return nil, err
		}
		e.filters = append(e.filters, f)
	}
}

// term reads a name, a quoted text, a number or, where calls is true, a call.
func (p *parser) term(calls bool) (term, *Error) {
	at := p.pos
	switch c := p.peekByte(); {
	case c == '\'' || c == '"':
		n := strings.IndexByte(p.text[p.pos+1:], c)
		if n < 0 {
			return term{}, p.fail(at, "end it with "+string(c), "text without a closing quote")
		}
		p.pos += n + 2
		return term{lit: textVal(p.text[at+1 : p.pos-1])}, nil
	case c == '-' || isDigit(c):
		return p.numberTerm()
	}
	name := p.variable()
	if name == "" {
		return term{}, p.fail(at, "write a name, a call such as uuid(), a number or 'text'", "unexpected %q in {{ }}", p.peekWord())
	}
	p.space()
	if p.peekByte() == '(' {
		if !calls {
			return term{}, p.fail(at, "write a name, a number or 'text'", "a call within a call")
		}
		return p.call(name, at)
	}
	switch name {
	case "true", "false":
		return term{lit: boolVal(name == "true")}, nil
	case "null":
		return term{lit: val{}}, nil
	}
	if _, ok := functions[name]; ok {
		return term{}, p.fail(at, `write "`+functions[name].usage+`"`, "%s is a function", name)
	}
	return term{name: name, at: at}, nil
}

// variable reads a name: letters, digits, '_', '-', and '.' for columns.
func (p *parser) variable() string {
	start := p.pos
	for p.pos < len(p.text) {
		if c := p.text[p.pos]; !isIdent(c) && c != '.' && c != '-' && c < 0x80 {
			break
		}
		p.pos++
	}
	return p.text[start:p.pos]
}

func (p *parser) numberTerm() (term, *Error) {
	start := p.pos
	for p.pos < len(p.text) && (isIdent(p.text[p.pos]) || strings.IndexByte("+-.", p.text[p.pos]) >= 0) {
		p.pos++
	}
	text := p.text[start:p.pos]
	v, ok := numberVal(text)
	if !ok {
		return term{}, p.fail(start, "names start with a letter; text goes in 'single quotes'", "%q is not a number", text)
	}
	return term{lit: v}, nil
}

// arguments reads (a, b, ...).
func (p *parser) arguments() ([]term, *Error) {
	open := p.pos
	p.pos++
	var out []term
	for p.space(); !p.accept(")"); p.space() {
		if len(out) > 0 && !p.accept(",") {
			return nil, p.fail(open, "separate arguments with commas and end them with )", "the arguments do not end")
		}
		p.space()
		t, err := p.term(false)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (t *term) names(out []Name) []Name {
	if t.name != "" {
		out = append(out, Name{t.name, t.at})
	}
	for i := range t.args {
		out = t.args[i].names(out)
	}
	return out
}

func (e *expr) names(out []Name) []Name {
	out = e.term.names(out)
	for _, f := range e.filters {
		for i := range f.args {
			out = f.args[i].names(out)
		}
	}
	return out
}

// String writes what stands between {{ and }}.
func (e *expr) String() string {
	pieces := []string{e.term.String()}
	for _, f := range e.filters {
		s := filterNames[f.kind]
		if len(f.args) > 0 {
			s += "(" + joinTerms(f.args) + ")"
		}
		pieces = append(pieces, s)
	}
	return strings.Join(pieces, " | ")
}

func (t *term) String() string {
	switch {
	case t.name != "":
		return t.name
	case t.fn != noFunction:
		return functionNames[t.fn] + "(" + joinTerms(t.args) + ")"
	case t.lit.kind != kindText:
		return string(t.lit.appendJSON(nil))
	case strings.Contains(t.lit.s, "'"):
		return `"` + t.lit.s + `"`
	default:
		return "'" + t.lit.s + "'"
	}
}

func joinTerms(ts []term) string {
	out := make([]string, len(ts))
	for i := range ts {
		out[i] = ts[i].String()
	}
	return strings.Join(out, ", ")
}

// errNoEnv is a bug of the caller: a template where there can be none.
var errNoEnv = errors.New("no values to fill templates from")

// eval works the expression out.
func (e *expr) eval(env Env) (val, error) {
	v, err := e.term.eval(env)
	for i := 0; i < len(e.filters) && err == nil; i++ {
		v, err = e.filters[i].apply(&v, env)
	}
	return v, err
}

// append writes the expression's value behind dst; calls that make text write it
// there directly.
func (e *expr) append(dst []byte, env Env) ([]byte, error) {
	if out, ok, err := e.appendCall(dst, env); ok {
		return out, err
	}
	v, err := e.eval(env)
	if err != nil {
		return dst, err
	}
	return v.append(dst), nil
}

// appendCall is term.appendCall for an expression that is a call and no more.
func (e *expr) appendCall(dst []byte, env Env) (out []byte, ok bool, err error) {
	if len(e.filters) > 0 || e.term.fn == noFunction {
		return dst, false, nil
	}
	return e.term.appendCall(dst, env)
}

func (t *term) eval(env Env) (val, error) {
	switch {
	case t.name != "":
		if env == nil {
			return val{}, errNoEnv
		}
		v, ok := env.Lookup(t.name)
		if !ok {
			return val{}, fmt.Errorf("%s has no value here", strconv.Quote(t.name))
		}
		return toVal(v), nil
	case t.fn != noFunction:
		return t.evalCall(env)
	default:
		return t.lit, nil
	}
}
