package rule

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// check reads a whole check.
func (p *parser) check() (*Check, *Error) {
	c := &Check{}
	if p.done() {
		return nil, p.fail(0, `write a subject and what it must be, as in "status == 200"`, "empty check")
	}
	var err *Error
	if c.subject, err = p.subject(); err != nil {
		return nil, err
	}
	p.space()
	at := p.pos
	if err = p.op(c); err != nil {
		return nil, err
	}
	if err = p.allowed(c, at); err != nil {
		return nil, err
	}
	p.space()
	if err = p.wanted(c); err != nil {
		return nil, err
	}
	if at := p.pos; !p.done() {
		if n := len(c.want); n > 0 && c.want[n-1].literal.quoted && p.pos == at {
			return nil, p.fail(p.pos, "write a quote twice within quoted text", "unexpected %q behind the closing quote", p.peekWord())
		}
		return nil, p.fail(p.pos, "a check is one comparison: write two checks, or put text with spaces in 'single quotes'", "unexpected %q after the check", p.peekWord())
	}
	return c, nil
}

func (p *parser) subject() (subject, *Error) {
	at := p.pos
	var s subject
	var err *Error
	switch {
	case p.peekByte() == '$':
		s.kind = subjectPath
		s.path, err = p.path()
		return s, err
	case strings.HasPrefix(p.rest(), "{{"):
		s.kind = subjectTemplate
		s.expr, err = p.fill()
		return s, err
	}
	word := p.peekIdent()
	for k, w := range subjectWords {
		if w != word {
			continue
		}
		p.pos += len(word)
		s.kind = subjectKind(k)
		switch s.kind {
		case subjectHeader, subjectCookie:
			s.name, err = p.token(word)
		case subjectCount:
			s.path, err = p.countPath()
		default:
		}
		return s, err
	}
	if word == "" {
		word = p.peekWord()
	}
	all := append(subjectWords[:9:9], "count($.path)", "$.path", "{{ name }}")
	hint := didYouMean(word, foreignSubjects, all)
	if strings.HasPrefix(hint, "use") && isShorthand(word) {
		hint = "for a value in a JSON answer write \"$." + word + "\", for a variable \"{{ " + word + " }}\"; else use " + list(all[:9])
	}
	return s, p.fail(at, hint, "unknown subject %q", word)
}

// token reads the name of a header or cookie (RFC 9110 section 5.6.2).
func (p *parser) token(what string) (string, *Error) {
	p.space()
	start := p.pos
	for p.pos < len(p.text) && (isIdent(p.text[p.pos]) || strings.IndexByte("!#$%&*+-.^`|~", p.text[p.pos]) >= 0) {
		p.pos++
	}
	if p.pos == start {
		return "", p.fail(start, "write "+what+" and its name, as in \""+what+" "+map[string]string{"header": "Location", "cookie": "sid"}[what]+"\"", "%s without a name", what)
	}
	return p.text[start:p.pos], nil
}

func (p *parser) countPath() (*path, *Error) {
	at := p.pos
	p.space()
	if !p.accept("(") {
		return nil, p.fail(at, `write "count($.items)"`, "count without brackets")
	}
	p.space()
	out, err := p.path()
	if err != nil {
		return nil, err
	}
	p.space()
	if !p.accept(")") {
		return nil, p.fail(p.pos, "end it with )", "count without a closing bracket")
	}
	return out, nil
}

// foreignOps are comparisons that people write and the grammar does not have.
var foreignOps = map[string]string{
	"=": "==", "===": "==", "!==": "!=", "<>": "!=", "=>": ">=", "=<": "<=", "~": "matches", "=~": "matches", "!~": "not matches",
	"equals": "==", "equal": "==", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "lte": "<=", "gte": ">=", "isnt": "!=",
	"has": "contains", "includes": "contains", "include": "contains", "like": "matches", "match": "matches", "exist": "exists", "present": "exists", "missing": "not exists",
}

var opHelp = "write one of == != < <= > >= contains matches in exists is"

func (p *parser) op(c *Check) *Error {
	at := p.pos
	symbol := p.rest()
	symbol = symbol[:len(symbol)-len(strings.TrimLeft(symbol, "=!<>~"))]
	if symbol != "" {
		for o := opEqual; o <= opAtLeast; o++ {
			if opTexts[o] == symbol {
				p.pos += len(symbol)
				c.op = o
				return nil
			}
		}
		hint := opHelp
		if ours, ok := foreignOps[symbol]; ok {
			hint = `did you mean "` + ours + `"?`
		}
		return p.fail(at, hint, "unknown comparison %q", symbol)
	}
	if c.not = p.acceptWord("not"); c.not {
		p.space()
	}
	word := p.peekIdent()
	for o := opContains; o <= opIs; o++ {
		if opTexts[o] == word && (!c.not || o != opIs) {
			p.pos += len(word)
			c.op = o
			return nil
		}
	}
	return p.unknownOp(c, at, word)
}

func (p *parser) unknownOp(c *Check, at int, word string) *Error {
	switch {
	case c.not && word == "is":
		return p.fail(at, "list the types it may have instead, one check each", "`not is` is not a comparison")
	case p.done():
		return p.fail(at, opHelp, "%s is not compared with anything", c.subject.String())
	case word == "":
		word = p.peekWord()
	}
	if ours, ok := foreignOps[word]; ok {
		return p.fail(at, `did you mean "`+ours+`"?`, "unknown comparison %q", word)
	}
	if near := Nearest(word, opTexts[opContains:]); near != "" {
		return p.fail(at, `did you mean "`+near+`"?`, "unknown comparison %q", word)
	}
	return p.fail(at, opHelp, "unknown comparison %q", word)
}

// allowed refuses what can never hold, or always would.
func (p *parser) allowed(c *Check, at int) *Error {
	ordered := c.op <= opAtLeast
	var may bool
	var hint string
	switch c.subject.kind {
	case subjectStatus:
		may, hint = ordered || c.op == opIn, `as in "status == 200", "status == 2xx" or "status in [200, 404]"`
	case subjectLatency, subjectTTFB, subjectSize:
		may, hint = ordered, "it is compared with == != < <= > >="
	case subjectCount:
		may, hint = ordered || c.op == opIn, "it is compared with == != < <= > >="
	case subjectProto:
		may, hint = c.op <= opUnequal || c.op == opIn, `as in "proto == 2"`
	case subjectChecks:
		may, hint = c.op <= opUnequal, `write "checks == failed" or "checks == passed"`
	case subjectBody, subjectHeader, subjectCookie:
		may, hint = c.op != opIs, "it is always text"
	default:
		return nil
	}
	if may {
		return nil
	}
	return p.fail(at, hint, "%s cannot be asked `%s`", c.subject.String(), opTexts[c.op])
}

// wanted reads what comes behind the comparison.
func (p *parser) wanted(c *Check) *Error {
	switch c.op {
	case opExists:
		return nil
	case opIs:
		at, word := p.pos, p.peekIdent()
		for _, t := range typeNames {
			if t == word {
				c.kinds = typeName(t)
				p.pos += len(word)
				return nil
			}
		}
		if word == "" {
			return p.fail(at, "write one of "+list(typeNames), "is what?")
		}
		foreign := map[string]string{"int": "number", "integer": "number", "float": "number", "text": "string", "boolean": "bool", "list": "array", "map": "object", "nil": "null", "none": "null"}
		return p.fail(at, didYouMean(word, foreign, typeNames), "unknown type %q", p.peekWord())
	case opMatches:
		var err *Error
		c.pattern, err = p.pattern()
		return err
	case opIn:
		return p.list(c)
	default:
		if p.done() {
			return p.fail(p.pos, "write the value behind it", "%s %s what?", c.subject.String(), opTexts[c.op])
		}
		return p.operand(c, "")
	}
}

func (p *parser) list(c *Check) *Error {
	at := p.pos
	if !p.accept("[") {
		return p.fail(at, `write a list, as in "in [200, 201]"`, "in what?")
	}
	for {
		p.space()
		if err := p.operand(c, ",]"); err != nil {
			return err
		}
		p.space()
		if p.accept("]") {
			return nil
		}
		if !p.accept(",") {
			return p.fail(p.pos, `separate values with commas and end the list with ]`, "the list does not end")
		}
	}
}

// operand reads one value and brings it into the unit of the subject.
func (p *parser) operand(c *Check, stop string) *Error {
	l, err := p.value(stop)
	if err != nil {
		return err
	}
	if l.text == "" && !l.quoted {
		return p.fail(l.at, "write the value, '' for empty text", "no value")
	}
	o := newOperand(l)
	kind := c.subject.kind
	if l.fill != nil && kind <= subjectSize || l.fill != nil && (kind == subjectProto || kind == subjectChecks) {
		return p.fail(l.at, "write the value itself, or use ${NAME}, which is filled in when the file is loaded", "%s is not compared with templates", c.subject.String())
	}
	if err := p.measure(c, &o); err != nil {
		return err
	}
	c.want = append(c.want, o)
	return nil
}

// measure checks a value against its subject and works out its number.
func (p *parser) measure(c *Check, o *operand) *Error {
	l := o.literal
	switch c.subject.kind {
	case subjectStatus:
		return p.status(c, o)
	case subjectLatency, subjectTTFB:
		if isNumber(l.text) {
			return p.fail(l.at, "write \""+l.text+"ms\" or \""+l.text+"s\"", "%s is a time, and %s has no unit", c.subject.String(), l.text)
		}
		d, err := unit.ParseDuration(l.text)
		if err != nil {
			return p.failUnit(l.at, err)
		}
		o.num, o.isNum = float64(d.Nanoseconds()), true
	case subjectSize:
		if n, err := strconv.ParseUint(l.text, 10, 63); err == nil {
			o.num, o.isNum = float64(n), true
			return nil
		}
		n, err := unit.ParseSize(l.text)
		if err != nil {
			return p.failUnit(l.at, err)
		}
		o.num, o.isNum = float64(n), true
	case subjectCount:
		if l.fill == nil && !o.isNum {
			return p.fail(l.at, `as in "count($.items) > 0"`, "count is compared with %q, which is not a number", l.text)
		}
	case subjectProto:
		if l.text != "1.0" && l.text != "1.1" && l.text != "2" {
			return p.fail(l.at, "write 1.0, 1.1 or 2", "unknown protocol %q", l.text)
		}
	case subjectChecks:
		if l.text != "passed" && l.text != "failed" {
			return p.fail(l.at, `write "checks == failed" or "checks == passed"`, "checks are never %q", l.text)
		}
	default:
	}
	return nil
}

// status reads 200 or a class, 2xx.
func (p *parser) status(c *Check, o *operand) *Error {
	text := o.literal.text
	if class, ok := statusClass(text); ok {
		if c.op > opUnequal && c.op != opIn {
			return p.fail(o.literal.at, "compare with a number, or use ==", "a class of statuses has no order")
		}
		o.class, o.isNum = class, false
		return nil
	}
	if n, err := strconv.Atoi(text); err != nil || n < 100 || n > 599 {
		return p.fail(o.literal.at, "write a code from 100 to 599, or a class such as 2xx", "%q is not a status", text)
	}
	return nil
}

// statusClass reads 1xx to 5xx.
func statusClass(text string) (class int64, ok bool) {
	if len(text) == 3 && text[0] >= '1' && text[0] <= '5' && text[1:] == "xx" {
		return int64(text[0] - '0'), true
	}
	return 0, false
}

// pattern reads a regular expression: all that is left, without its quotes. It
// is RE2, which takes time in proportion to the text whatever the expression.
func (p *parser) pattern() (*regexp.Regexp, *Error) {
	at := p.pos
	text := strings.TrimRight(p.rest(), " \t\r\n")
	p.pos = len(p.text)
	if text == "" {
		return nil, p.fail(at, `write it behind, as in "matches ^[0-9]+$"`, "no regular expression")
	}
	inner, shift := text, 0
	if n := len(text); n >= 2 && text[0] == '\'' && text[n-1] == '\'' {
		inner, shift = strings.ReplaceAll(text[1:n-1], "''", "'"), 1
	}
	if inner == "" {
		return nil, p.fail(at, `use "exists" where anything will do`, "empty regular expression")
	}
	if strings.Contains(inner, "{{") {
		return nil, p.fail(at+shift+strings.Index(inner, "{{"), "use `contains`, or write [{] for a brace", "a regular expression is compiled before the load and has no templates in it")
	}
	re, err := regexp.Compile(inner)
	if err != nil {
		return nil, p.fail(at, "the syntax is RE2 (no look-around, no back-references)", "%s", strings.Replace(err.Error(), "error parsing regexp: ", "broken regular expression: ", 1))
	}
	return re, nil
}

func quotePattern(re string) string { return "'" + strings.ReplaceAll(re, "'", "''") + "'" }
