package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// A Limit is an absolute limit on one number of a run.
type Limit struct {
	Text     string // in its usual form: ParseLimit reads it back alike
	Selector Selector
	Op       string  // one of < <= > >= == !=
	Value    float64 // in Selector.Unit; per second of it for the statistic `rate`
}

// A Compare is a rule about how far a number may move from the baseline. It is
// worse only when it is outside every tolerance, on the worse side.
type Compare struct {
	Text       string // in its usual form: ParseCompare reads it back alike
	Selector   Selector
	Tolerances []Tolerance // one or two, of different kinds
	Falling    bool        // lower is worse
}

// A Tolerance is how far a number may move.
type Tolerance struct {
	Relative bool    // Value is a share of the baseline's number
	Value    float64 // else in Selector.Unit
}

// ParseLimit compiles a limit. The error is an *Error.
func ParseLimit(text string, own Own) (*Limit, error) {
	p := &parser{text: text}
	l, err := p.limit(own)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ParseCompare compiles a rule of comparison. The error is an *Error.
func ParseCompare(text string, own Own) (*Compare, error) {
	p := &parser{text: text}
	c, err := p.compare(own)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Holds says whether a value is within the limit.
func (l *Limit) Holds(value float64) bool {
	switch l.Op {
	case "<":
		return value < l.Value
	case "<=":
		return value <= l.Value
	case ">":
		return value > l.Value
	case ">=":
		return value >= l.Value
	case "==":
		return value == l.Value
	default:
		return value != l.Value
	}
}

func (p *parser) limit(own Own) (*Limit, *Error) {
	if err := p.foreignLimit(own); err != nil {
		return nil, err
	}
	s, m, err := p.selector(own)
	if err != nil {
		return nil, err
	}
	l := &Limit{Selector: s}
	p.space()
	if l.Op, err = p.limitOp(s); err != nil {
		return nil, err
	}
	p.space()
	at := p.pos
	word := p.amount()
	if word == "" {
		return nil, p.fail(at, "write the limit behind it, as in \""+s.String()+" "+l.Op+" "+example(s)+"\"", "%s %s what?", s.String(), l.Op)
	}
	l.shareOfArrivals(m, word)
	if l.Value, err = p.quantity(&l.Selector, word, at); err != nil {
		return nil, err
	}
	if !p.done() {
		return nil, p.fail(p.pos, "a limit is one comparison: write two limits", "unexpected %q after the limit", p.peekWord())
	}
	l.Text = l.Selector.String() + " " + l.Op + " " + word
	return l, nil
}

// shareOfArrivals turns a counter that also has a share into it when the limit
// is a percentage: dropped < 0.1%.
func (l *Limit) shareOfArrivals(m *Metric, word string) {
	if m.Kind == Counter && !l.Selector.stated && strings.HasSuffix(word, "%") && m.has("share") {
		l.Selector.Stat, l.Selector.Unit = "share", Ratio
	}
}

// bareStats are what k6 writes below the metric, for the metric they mostly stand
// below.
var bareStats = map[string]string{
	"avg": "latency.avg", "min": "latency.min", "max": "latency.max", "med": "latency.p50", "rate": "failed", "count": "requests.count",
}

// foreignLimit recognises k6's p(95)<500 and rate<0.01.
func (p *parser) foreignLimit(own Own) *Error {
	p.space()
	text, word := p.rest(), p.peekIdent()
	if ours, ok := bareStats[word]; ok && own.Metrics[word] == "" {
		return p.fail(p.pos, `did you mean "`+ours+`"?`, "a limit starts with a metric, not with %q", word)
	}
	if percent, rest, ok := strings.Cut(text, ")"); ok && strings.HasPrefix(percent, "p(") {
		if rest = strings.TrimLeft(rest, " <>="); rest != "" && isNumber(rest) {
			rest += "ms"
		}
		return p.fail(p.pos, `write "latency.p`+percent[2:]+" < "+rest+`"`, "a limit starts with a metric, not with %q", percent+")")
	}
	return nil
}

func (p *parser) limitOp(s Selector) (string, *Error) {
	at := p.pos
	for p.pos < len(p.text) && strings.IndexByte("<>=!~", p.text[p.pos]) >= 0 {
		p.pos++
	}
	op := p.text[at:p.pos]
	if slices.Contains(opTexts[:opContains], op) {
		return op, nil
	}
	switch ours, known := foreignOps[op]; {
	case known:
		return "", p.fail(at, `did you mean "`+ours+`"?`, "unknown comparison %q", op)
	case op != "":
		return "", p.fail(at, "use < <= > >= == or !=", "unknown comparison %q", op)
	case p.acceptWord("within"):
		return "", p.fail(at, "`within` belongs to gate.compare; a threshold is written \""+s.String()+" < "+example(s)+"\"", "a limit has no `within`")
	case p.done():
		return "", p.fail(at, "write \""+s.String()+" < "+example(s)+"\"", "%s without a limit", s.String())
	default:
		return "", p.fail(at, "use < <= > >= == or !=", "unexpected %q after %s", p.peekWord(), s.String())
	}
}

// amount is a word up to white space: a quantity.
func (p *parser) amount() string {
	start := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// example is a limit that would suit the selector.
func example(s Selector) string {
	switch {
	case s.Stat == "rate":
		return "100/s"
	case s.Unit == Micros:
		return "500ms"
	case s.Unit == Ratio:
		return "1%"
	case s.Unit == Bytes:
		return "10MB"
	default:
		return "100"
	}
}

// quantity reads word in the unit of the selector.
func (p *parser) quantity(s *Selector, word string, at int) (float64, *Error) {
	bare, isBare := parseFloat(word)
	switch {
	case s.Stat == "rate":
		return p.perSecond(s, word, at, bare, isBare)
	case s.Unit == Micros && isBare && bare != 0:
		return 0, p.fail(at, "write \""+word+"ms\" or \""+word+"s\"", "%s is a time, and %s has no unit", s.String(), word)
	case s.Unit == Micros:
		return p.micros(word, at)
	case s.Unit == Ratio:
		return p.ratio(s, word, at, bare, isBare)
	case isBare:
		return bare, nil
	case s.Unit == Bytes:
		n, err := unit.ParseSize(word)
		if err != nil {
			return 0, p.failUnit(at, err)
		}
		return float64(n), nil
	case strings.HasPrefix(s.Metric, TargetPrefix):
		return p.anyQuantity(word, at)
	default:
		return 0, p.fail(at, "write a number", "%s is a plain number, not %q", s.String(), word)
	}
}

func (p *parser) micros(word string, at int) (float64, *Error) {
	if word == "0" {
		return 0, nil
	}
	d, err := unit.ParseDuration(word)
	if err != nil {
		return 0, p.failUnit(at, err)
	}
	return float64(d.Nanoseconds()) / 1e3, nil
}

// ratio reads 1% or 0.01.
func (p *parser) ratio(s *Selector, word string, at int, bare float64, isBare bool) (float64, *Error) {
	if word == "1" { // one percent for some, all for others
		return 0, p.fail(at, `write "1%", or "100%"`, "%s is a share, and 1 could mean two things", s.String())
	}
	if isBare && (bare < 0 || bare > 1) {
		return 0, p.fail(at, "write \""+strings.TrimPrefix(word, "-")+"%\"", "%s is a share, from 0 to 1, or in percent", s.String())
	}
	if isBare {
		return bare, nil
	}
	share, err := unit.ParsePercent(word)
	if err != nil {
		return 0, p.fail(at, `write a percentage, "1%"`, "%s is a share, and %q is none", s.String(), word)
	}
	if share > 1 {
		return 0, p.fail(at, "write 100% or less", "%s is a share, which is never over 100%%", s.String())
	}
	return share, nil
}

// perSecond reads 50/s, 50, or for bytes 10MB/s.
func (p *parser) perSecond(s *Selector, word string, at int, bare float64, isBare bool) (float64, *Error) {
	if isBare {
		return bare, nil
	}
	if size, ok := strings.CutSuffix(word, "/s"); ok && s.Unit == Bytes {
		if n, err := unit.ParseSize(size); err == nil {
			return float64(n), nil
		}
	}
	r, err := unit.ParseRate(word)
	if err != nil {
		return 0, p.failUnit(at, err)
	}
	return r, nil
}

// anyQuantity reads what a metric of the target may be limited by: its unit is
// the target's own matter. Times are in seconds there, as in Prometheus.
func (p *parser) anyQuantity(word string, at int) (float64, *Error) {
	if share, err := unit.ParsePercent(word); err == nil {
		return share, nil
	}
	if n, err := unit.ParseSize(word); err == nil {
		return float64(n), nil
	}
	if d, err := unit.ParseDuration(word); err == nil {
		return d.Seconds(), nil
	}
	if r, err := unit.ParseRate(word); err == nil {
		return r, nil
	}
	return 0, p.fail(at, `write a number, "90%", "2GiB" or "500ms"`, "%q is not a quantity", word)
}

func (p *parser) compare(own Own) (*Compare, *Error) {
	s, m, err := p.selector(own)
	if err != nil {
		return nil, err
	}
	c := &Compare{Selector: s, Falling: m.Falling}
	p.space()
	if !p.acceptWord("within") {
		return nil, p.fail(p.pos, "write \""+s.String()+" within 10%\"; absolute limits go into gate.thresholds", "a comparison needs `within`")
	}
	words := []string{s.String(), "within"}
	for {
		p.space()
		at := p.pos
		word := p.amount()
		t, err := p.tolerance(c, word, at)
		if err != nil {
			return nil, err
		}
		c.Tolerances = append(c.Tolerances, t)
		words = append(words, word)
		if p.done() {
			break
		}
		if len(c.Tolerances) == 2 || !p.acceptWord("or") {
			return nil, p.fail(p.pos, `write "within 10% or 5ms"`, "unexpected %q after the tolerance", p.peekWord())
		}
		words = append(words, "or")
	}
	c.Text = strings.Join(words, " ")
	return c, nil
}

// tolerance reads 10% (of the baseline), 0.5pp (percentage points) or an amount
// in the selector's unit.
func (p *parser) tolerance(c *Compare, word string, at int) (Tolerance, *Error) {
	t, err := p.oneTolerance(c, word, at)
	if err != nil {
		return t, err
	}
	for _, other := range c.Tolerances {
		if other.Relative == t.Relative {
			return t, p.fail(at, `combine a relative one and an absolute one, as in "10% or 5ms"`, "two tolerances of one kind: the larger would always win")
		}
	}
	return t, nil
}

func (p *parser) oneTolerance(c *Compare, word string, at int) (Tolerance, *Error) {
	if word == "" {
		return Tolerance{}, p.fail(at, "write how far it may move, as in \"within 10%\"", "within what?")
	}
	if points, ok := strings.CutSuffix(word, "pp"); ok {
		n, number := parseFloat(points)
		switch {
		case c.Selector.Unit != Ratio:
			return Tolerance{}, p.fail(at, "write a percentage of the baseline, \""+points+"%\"", "percentage points are for shares, and %s is none", c.Selector.String())
		case !number || n < 0 || n > 100:
			return Tolerance{}, p.fail(at, `write "0.5pp"`, "%q is not a number of percentage points", word)
		}
		share, _ := strconv.ParseFloat(points+"e-2", 64)
		return Tolerance{Value: share}, nil
	}
	if strings.HasSuffix(word, "%") {
		share, err := unit.ParsePercent(word)
		if err != nil {
			return Tolerance{}, p.failUnit(at, err)
		}
		return Tolerance{Relative: true, Value: share}, nil
	}
	v, err := p.quantity(&c.Selector, word, at)
	if err == nil && v < 0 {
		return Tolerance{}, p.fail(at, "leave the sign out", "a tolerance is never negative")
	}
	return Tolerance{Value: v}, err
}
