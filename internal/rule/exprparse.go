package rule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// maxExprDepth bounds brackets within brackets.
const maxExprDepth = 32

// ParseExpr reads what a series of [[observe]] is to show. The error is an
// *Error.
func ParseExpr(text string) (*Expr, error) {
	p := &parser{text: text}
	e, err := p.expr(1, 0)
	if err != nil {
		return nil, err
	}
	if p.done() {
		return e, nil
	}
	if word := p.peekIdent(); word == "by" || word == "without" {
		return nil, p.fail(p.pos, "leave it out: a series of [[observe]] is one number", "%q makes several numbers", word)
	}
	return nil, p.fail(p.pos, "arithmetic is + - * / and brackets", "unexpected %q", p.peekWord())
}

// expr reads operators that bind at least so much, from left to right.
func (p *parser) expr(least, depth int) (*Expr, *Error) {
	if depth > maxExprDepth {
		return nil, p.fail(p.pos, "write it simpler", "too many brackets within brackets")
	}
	left, err := p.exprTerm(depth)
	if err != nil {
		return nil, err
	}
	for {
		p.space()
		if p.pos == len(p.text) {
			return left, nil
		}
		op := exprOp(p.text[p.pos])
		binds := precedence[op]
		if binds < least {
			return left, nil // also at what is no operator, which binds 0
		}
		p.pos++
		right, err := p.expr(binds+1, depth+1)
		if err != nil {
			return nil, err
		}
		left = &Expr{op: op, args: []*Expr{left, right}}
	}
}

// exprTerm reads a number, an expression in brackets, a function or series.
func (p *parser) exprTerm(depth int) (*Expr, *Error) {
	p.space()
	at := p.pos
	if p.accept("(") {
		e, err := p.expr(1, depth+1)
		if err != nil {
			return nil, err
		}
		return e, p.close(at)
	}
	word := p.metricWord()
	if word == "" {
		return nil, p.fail(at, `write a metric's name, as in "process_resident_memory_bytes"`, "no metric here")
	}
	if word[0] >= '0' && word[0] <= '9' || word[0] == '.' {
		v, ok := parseFloat(word)
		if !ok {
			return nil, p.fail(at, `write digits, as in "0.5"`, "%q is not a number", word)
		}
		return &Expr{op: numberOp, number: v}, nil
	}
	if p.space(); p.pos < len(p.text) && p.text[p.pos] == '(' {
		return p.exprFunction(word, at, depth)
	}
	return p.exprSeries(word)
}

func (p *parser) close(open int) *Error {
	p.space()
	if !p.accept(")") {
		return p.fail(open, "end it with )", "the bracket does not end")
	}
	return nil
}

// metricWord is the run of characters of a metric's name, or of a number, that
// comes next.
func (p *parser) metricWord() string {
	start := p.pos
	for p.pos < len(p.text) && (isIdent(p.text[p.pos]) || p.text[p.pos] == ':' || p.text[p.pos] == '.') {
		p.pos++
	}
	return p.text[start:p.pos]
}

// exprFunctions are the names of all functions.
func exprFunctions() []string {
	names := []string{string(rateOp)}
	for op := range exprFolds {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}

// foreignExprs are those of PromQL that have one of ours for them.
var foreignExprs = map[string]string{"irate": "rate", "increase": "rate", "delta": "rate", "deriv": "rate", "mean": "avg"}

func (p *parser) exprFunction(word string, at, depth int) (*Expr, *Error) {
	op := exprOp(word)
	if exprFolds[op] == nil && op != rateOp {
		return nil, p.fail(at, didYouMean(word, foreignExprs, exprFunctions()), "a page of metrics knows no function %q", word)
	}
	open := p.pos
	p.pos++
	arg, err := p.expr(1, depth+1)
	if err != nil {
		return nil, err
	}
	if err := p.close(open); err != nil {
		return nil, err
	}
	switch {
	case op == rateOp && arg.op != seriesOp:
		return nil, p.fail(at, "write sum(rate(metric)), say: rates are of what was counted", "rate needs the name of a metric, and %s is none", arg)
	case exprFolds[op] != nil && arg.op != seriesOp && arg.op != rateOp:
		return nil, p.fail(at, "leave "+word+" out", "%s is one number already", arg)
	}
	return &Expr{op: op, args: []*Expr{arg}}, nil
}

// exprSeries reads the labels of series, where there are any.
func (p *parser) exprSeries(name string) (*Expr, *Error) {
	s := &seriesSelector{name: name}
	if open := p.pos; p.accept("{") {
		if err := p.matchers(s, open); err != nil {
			return nil, err
		}
	}
	if p.space(); p.pos < len(p.text) && p.text[p.pos] == '[' {
		return nil, p.fail(p.pos, "leave the [...] out", "a page of metrics has no past: a rate is that since the reading before")
	}
	return &Expr{op: seriesOp, series: s}, nil
}

func (p *parser) matchers(s *seriesSelector, open int) *Error {
	for {
		if p.space(); p.accept("}") { // also after a comma, as in PromQL
			return nil
		}
		m, err := p.matcher()
		if err != nil {
			return err
		}
		s.matchers = append(s.matchers, m)
		if p.space(); !p.accept(",") && !strings.HasPrefix(p.rest(), "}") {
			return p.fail(open, "end the labels with }, and separate them with commas", "the labels do not end")
		}
	}
}

func (p *parser) matcher() (m labelMatcher, err *Error) {
	at := p.pos
	m.label = p.peekIdent()
	if p.pos += len(m.label); m.label == "" {
		return m, p.fail(at, `write state="active", say`, "no label here")
	}
	p.space()
	for _, op := range []string{"=~", "!~", "!=", "="} {
		if p.accept(op) {
			m.op = op
			break
		}
	}
	if m.op == "" {
		return m, p.fail(p.pos, "write = != =~ or !~", "no comparison after the label %s", m.label)
	}
	p.space()
	at = p.pos
	if m.value, err = p.labelText(); err != nil {
		return m, err
	}
	if strings.HasSuffix(m.op, "~") {
		re, bad := regexp.Compile("^(?s:" + m.value + ")$")
		if bad != nil {
			return m, p.fail(at, "the syntax is RE2, https://github.com/google/re2/wiki/Syntax", "%s is no regular expression", strconv.Quote(m.value))
		}
		m.re = re
	}
	return m, nil
}

// labelText reads text in quotes of either kind, with \ before what would end it.
func (p *parser) labelText() (string, *Error) {
	at := p.pos
	if at == len(p.text) || p.text[at] != '"' && p.text[at] != '\'' {
		return "", p.fail(at, "put it in quotes", "the value of a label is text")
	}
	var b strings.Builder
	for i := at + 1; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == p.text[at]:
			p.pos = i + 1
			return b.String(), nil
		case c == '\\' && i+1 < len(p.text) && strings.IndexByte(`\n"'`, p.text[i+1]) >= 0:
			if i++; p.text[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(p.text[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail(at, "end it with "+p.text[at:at+1], "the text does not end")
}
