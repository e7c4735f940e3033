package rule

import (
	"regexp"
	"strconv"
	"strings"
)

// A Check is a compiled assertion about an answer: a subject, what is asked of
// it, and mostly a value. It is read-only.
type Check struct {
	subject subject
	op      op
	not     bool // not contains, not matches, not in, not exists
	want    []operand
	pattern *regexp.Regexp
	kinds   typeName
}

// An op is what a check asks of its subject.
type op uint8

const (
	opEqual op = iota
	opUnequal
	opLess
	opAtMost
	opMore
	opAtLeast
	opContains
	opMatches
	opIn
	opExists
	opIs
)

var opTexts = [...]string{"==", "!=", "<", "<=", ">", ">=", "contains", "matches", "in", "exists", "is"}

// An operand is a value that a subject is compared with, as far as it could be
// worked out beforehand.
type operand struct {
	literal literal
	num     float64 // as a number (durations in ns), when isNum
	isNum   bool
	whole   int64 // as a whole number, exact beyond 2^53 too, when isWhole
	isWhole bool
	class   int64 // 5 for 5xx
}

// ParseCheck compiles a check. The error is an *Error.
func ParseCheck(text string) (*Check, error) {
	p := &parser{text: text}
	c, err := p.check()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Text writes the check in its usual form: words apart, text in single quotes.
// ParseCheck reads it back alike.
func (c *Check) Text() string {
	words := []string{c.subject.String()}
	if c.not {
		words = append(words, "not")
	}
	words = append(words, opTexts[c.op])
	switch c.op {
	case opIn:
		items := make([]string, len(c.want))
		for i, w := range c.want {
			items[i] = w.literal.String()
		}
		words = append(words, "["+strings.Join(items, ", ")+"]")
	case opIs:
		words = append(words, string(c.kinds))
	case opMatches:
		words = append(words, quotePattern(c.pattern.String()))
	case opExists:
	default:
		words = append(words, c.want[0].literal.String())
	}
	return strings.Join(words, " ")
}

// NeedsBody says whether the check reads the body of the answer.
func (c *Check) NeedsBody() bool { return c.subject.needsBody() }

// Names are the names in the check's templates, in order.
func (c *Check) Names() []Name {
	var out []Name
	if c.subject.kind == subjectTemplate {
		out = c.subject.expr.names(out)
	}
	for _, w := range c.want {
		if w.literal.fill != nil {
			out = append(out, w.literal.fill.Names()...)
		}
	}
	return out
}

// Holds says whether the check holds for an answer. Where the subject is
// missing it does not, except for `not exists`. env may be nil when the check has
// no template in it.
func (c *Check) Holds(a *Answer, env Env) bool {
	if c.subject.kind == subjectPath {
		switch {
		case c.subject.path.many:
			return c.holdsMany(a, env)
		case c.op == opExists || c.op == opIs:
			return c.holdsAtFirstSight(a)
		}
	}
	v, ok := c.subject.get(a, env)
	if c.op == opExists {
		return ok != c.not
	}
	return ok && c.holds(&v, a, env)
}

// holdsAtFirstSight judges what the beginning of a value says. There is no need to
// look for the end of a large array only to know that it is there.
func (c *Check) holdsAtFirstSight(a *Answer) bool {
	d := a.json()
	i, ok := d.locate(c.subject.path)
	k := kindText
	if ok {
		k, ok = d.kindAt(i)
	}
	if c.op == opExists {
		return ok != c.not
	}
	return ok && c.kinds.has(k)
}

// holdsMany judges a path that may give several values: `contains` asks for one
// equal value among them; `exists` for any; all else must hold for each, and
// there must be one.
func (c *Check) holdsMany(a *Answer, env Env) bool {
	any, all, equal := false, true, false
	a.json().each(c.subject.path, func(raw []byte) bool {
		v, ok := rawVal(raw)
		if !ok {
			return true
		}
		any = true
		switch c.op {
		case opExists:
			return false
		case opContains:
			equal = c.want[0].equals(&v, a, env)
			return !equal
		default:
			all = c.holds(&v, a, env)
			return all
		}
	})
	switch c.op {
	case opExists:
		return any != c.not
	case opContains:
		return any && equal != c.not
	default:
		return any && all
	}
}

// holds judges one value that is there.
func (c *Check) holds(v *val, a *Answer, env Env) bool {
	switch c.op {
	case opEqual:
		return c.want[0].equals(v, a, env)
	case opUnequal:
		return !c.want[0].equals(v, a, env)
	case opContains:
		return c.want[0].in(v, a, env) != c.not
	case opMatches:
		return c.matches(v) != c.not
	case opIn:
		for i := range c.want {
			if c.want[i].equals(v, a, env) {
				return !c.not
			}
		}
		return c.not
	case opIs:
		return c.kinds.has(v.kind)
	case opExists:
		return true
	default:
		order, ok := c.want[0].compare(v, a, env)
		return ok && (c.op == opLess && order < 0 || c.op == opAtMost && order <= 0 ||
			c.op == opMore && order > 0 || c.op == opAtLeast && order >= 0)
	}
}

func (c *Check) matches(v *val) bool {
	switch {
	case v.kind != kindText:
		return c.pattern.Match(v.append(nil))
	case v.raw != nil:
		return c.pattern.Match(v.raw)
	default:
		return c.pattern.MatchString(v.s)
	}
}

// fill gives the operand with its template filled in; ok is false when that
// cannot be done, as a name in it has no value.
func (o *operand) fill(a *Answer, env Env) (*operand, bool) {
	if o.literal.fill == nil {
		return o, true
	}
	var err error
	if a.scratch, err = o.literal.fill.Append(a.scratch[:0], env); err != nil {
		return nil, false
	}
	filled := newOperand(literal{text: string(a.scratch), quoted: o.literal.quoted})
	return &filled, true
}

// newOperand works out what l can be: an unquoted number is one, and also the
// text it is written as.
func newOperand(l literal) operand {
	o := operand{literal: l}
	if !l.quoted {
		o.num, o.isNum = parseFloat(l.text)
		var err error
		o.whole, err = strconv.ParseInt(l.text, 10, 64)
		o.isWhole = err == nil
	}
	return o
}

// equals compares by the type of v: numbers as numbers, text as written. true,
// false and null are themselves unless quoted.
func (o *operand) equals(v *val, a *Answer, env Env) bool {
	f, ok := o.fill(a, env)
	if !ok {
		return false
	}
	switch v.kind {
	case kindText:
		return v.equalText(f.literal.text)
	case kindInt:
		if f.class > 0 {
			return v.n/100 == f.class
		}
		if f.isWhole {
			return v.n == f.whole
		}
		return f.isNum && float64(v.n) == f.num
	case kindFloat:
		return f.isNum && v.f == f.num
	case kindBool:
		return !f.literal.quoted && f.literal.text == strconv.FormatBool(v.n != 0)
	case kindNull:
		return !f.literal.quoted && f.literal.text == "null"
	default:
		return false // arrays and objects have no literal
	}
}

// compare orders v against the operand: as numbers when the operand is one, else
// as text.
func (o *operand) compare(v *val, a *Answer, env Env) (order int, ok bool) {
	f, ok := o.fill(a, env)
	if !ok {
		return 0, false
	}
	if !f.isNum {
		return v.compareText(f.literal.text), v.kind == kindText
	}
	n, ok := v.number()
	switch {
	case n < f.num:
		return -1, ok
	case n > f.num:
		return 1, ok
	default:
		return 0, ok
	}
}

// in says whether v contains the operand: text within text, a value among those
// of an array, a name among those of an object.
func (o *operand) in(v *val, a *Answer, env Env) bool {
	f, ok := o.fill(a, env)
	if !ok {
		return false
	}
	switch v.kind {
	case kindText:
		return v.containsText(f.literal.text)
	case kindArray, kindObject:
		if v.raw == nil {
			return f.inDecoded(v.any)
		}
		d := doc{b: v.raw}
		for it := d.open(0); it.next(); {
			if it.object && it.hasName(f.literal.text) {
				return true
			}
			if e, ok := rawVal(it.b[it.start:it.end]); ok && !it.object && f.equals(&e, a, env) {
				return true
			}
		}
		return false
	default:
		return false
	}
}

// inDecoded is in for a captured array or object. The operand is filled in.
func (o *operand) inDecoded(v Value) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if e := toVal(e); o.equals(&e, nil, nil) {
				return true
			}
		}
	case map[string]any:
		_, ok := v[o.literal.text]
		return ok
	}
	return false
}

// A typeName is what can stand behind `is`.
type typeName string

var typeNames = []string{"number", "string", "bool", "array", "object", "null"}

func (t typeName) has(k kind) bool {
	switch k {
	case kindInt, kindFloat:
		return t == "number"
	case kindText:
		return t == "string"
	case kindBool:
		return t == "bool"
	case kindArray:
		return t == "array"
	case kindObject:
		return t == "object"
	default:
		return t == "null"
	}
}
