package rule

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/unit"
)

// A Sample is one series of a page of metrics, as it stood when the page was read.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
	// At is when it was measured, where the page says so; zero: when the page was read.
	At time.Time
}

// A Page is what a target said of itself at one moment. Rates are
// between two of them.
type Page struct {
	At      time.Time
	Samples []Sample
}

// at is when one of the page's samples was measured.
func (p *Page) at(s *Sample) time.Time {
	if s.At.IsZero() {
		return p.At
	}
	return s.At
}

// Earlier is what the rates of page are since, nil for the first: the page last,
// read before it. Where that has the very sample that page has, as what writes its
// moments may measure less often than it is read, it is the one that last
// itself was since.
func Earlier(page, last, before *Page) *Page {
	if last == nil || !slices.ContainsFunc(page.Samples, func(s Sample) bool { return !s.At.IsZero() }) {
		return last
	}
	now := map[string]time.Time{}
	for i := range page.Samples {
		now[page.Samples[i].id()] = page.Samples[i].At
	}
	same := func(s *Sample) bool { return !s.At.IsZero() && s.At.Equal(now[s.id()]) }
	earlier := &Page{At: last.At}
	held := map[string]bool{}
	for i := range last.Samples {
		if s := &last.Samples[i]; same(s) {
			held[s.id()] = true
		} else {
			earlier.Samples = append(earlier.Samples, *s)
		}
	}
	if before != nil {
		for i := range before.Samples {
			if s := before.Samples[i]; held[s.id()] {
				s.At = before.at(&s)
				earlier.Samples = append(earlier.Samples, s)
			}
		}
	}
	return earlier
}

// An Expr chooses one number from a page of metrics. It is written in a part of
// PromQL that needs no store of older values:
//
//	process_resident_memory_bytes
//	sum(http_server_open_connections{state="active"})
//	rate(process_cpu_seconds_total)
//	1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes
//
// rate is that between a page and the one read before it. Unlike in PromQL
// arithmetic is between single numbers: where a name stands for several series, say
// which is meant, with labels or with sum, avg, min, max or count.
type Expr struct {
	op     exprOp
	number float64
	series *seriesSelector
	args   []*Expr
}

// An exprOp is an operator, a function, or one of the leaves.
type exprOp string

const (
	numberOp exprOp = "number"
	seriesOp exprOp = "series"
	rateOp   exprOp = "rate"
)

// exprFolds make one number of several series.
var exprFolds = map[exprOp]func([]float64) float64{
	"sum":   func(v []float64) float64 { return total(v) },
	"avg":   func(v []float64) float64 { return total(v) / float64(len(v)) },
	"min":   func(v []float64) float64 { return slices.Min(v) },
	"max":   func(v []float64) float64 { return slices.Max(v) },
	"count": func(v []float64) float64 { return float64(len(v)) },
}

func total(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum
}

// A seriesSelector names series: all of a name whose labels match.
type seriesSelector struct {
	name     string
	matchers []labelMatcher
}

// A labelMatcher compares one label, which is "" where a series does not have it.
type labelMatcher struct {
	label, op, value string
	re               *regexp.Regexp // =~ and !~; of the whole value
}

func (m *labelMatcher) matches(value string) bool {
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

func (s *seriesSelector) matches(sample *Sample) bool {
	if sample.Name != s.name {
		return false
	}
	for i := range s.matchers {
		if !s.matchers[i].matches(sample.Labels[s.matchers[i].label]) {
			return false
		}
	}
	return true
}

func (s *seriesSelector) of(p *Page) []Sample {
	var all []Sample
	for i := range p.Samples {
		if s.matches(&p.Samples[i]) {
			all = append(all, p.Samples[i])
		}
	}
	return all
}

// ErrFirstPage is the error of a rate when there is no page before this one.
var ErrFirstPage = errors.New("a rate is between two readings, and this is the first")

// Eval reads the expression from a page; before is the page read before it, nil
// for the first. The error says what is not on the page, or which choice is left.
func (e *Expr) Eval(page, before *Page) (float64, error) {
	v, err := e.one(page, before)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return 0, fmt.Errorf("%s is no number just now", e)
	}
	return v, err
}

// one is the expression as a single number.
func (e *Expr) one(page, before *Page) (float64, error) {
	fold := exprFolds[e.op]
	switch {
	case e.op == numberOp:
		return e.number, nil
	case e.op == seriesOp || e.op == rateOp:
		all, err := e.several(page, before)
		if err != nil {
			return 0, err
		}
		if len(all) > 1 {
			return 0, fmt.Errorf("%s stands for %d series: choose one by its labels, or write sum(%s)", e, len(all), e)
		}
		return all[0], nil
	case fold != nil:
		all, err := e.args[0].several(page, before)
		if err != nil {
			return 0, err
		}
		return fold(all), nil
	}
	a, err := e.args[0].one(page, before)
	if err != nil {
		return 0, err
	}
	b, err := e.args[1].one(page, before)
	switch e.op {
	case "+":
		return a + b, err
	case "-":
		return a - b, err
	case "*":
		return a * b, err
	default:
		return a / b, err
	}
}

// several is the expression as the values of all series it stands for, of which
// there is one at least.
func (e *Expr) several(page, before *Page) ([]float64, error) {
	if e.op != seriesOp && e.op != rateOp {
		v, err := e.one(page, before)
		return []float64{v}, err
	}
	now := e.selector().of(page)
	if len(now) == 0 {
		return nil, e.selector().missing(page)
	}
	var values []float64
	if e.op == seriesOp {
		for _, s := range now {
			values = append(values, s.Value)
		}
		return values, nil
	}
	if before == nil {
		return nil, ErrFirstPage
	}
	earlier := map[string]Sample{}
	for _, s := range e.selector().of(before) {
		earlier[s.id()] = s
	}
	for _, s := range now {
		from, known := earlier[s.id()]
		if s.Value < from.Value {
			from.Value = 0 // a counter falls when its process is restarted, and counts from 0 again
		}
		if length := page.at(&s).Sub(before.at(&from)).Seconds(); known && length > 0 {
			values = append(values, (s.Value-from.Value)/length)
		}
	}
	if len(values) == 0 {
		return nil, ErrFirstPage
	}
	return values, nil
}

// Names are the names of all series that the expression reads.
func (e *Expr) Names() []string {
	if e.op == seriesOp {
		return []string{e.series.name}
	}
	var all []string
	for _, arg := range e.args {
		all = append(all, arg.Names()...)
	}
	return all
}

// selector is the series that the expression, or what it is the rate of, names.
func (e *Expr) selector() *seriesSelector {
	if e.op == rateOp {
		return e.args[0].series
	}
	return e.series
}

// missing says why a selector finds nothing.
func (s *seriesSelector) missing(page *Page) error {
	var names []string
	for i := range page.Samples {
		if page.Samples[i].Name == s.name {
			return fmt.Errorf("no series of %s has the labels of %s", s.name, s)
		}
		names = append(names, page.Samples[i].Name)
	}
	if near := Nearest(s.name, slices.Compact(names)); near != "" {
		return fmt.Errorf("no %s there; did you mean %s?", s.name, near)
	}
	return fmt.Errorf("no %s there", s.name)
}

// id tells series apart.
func (s *Sample) id() string {
	var b strings.Builder
	b.WriteString(s.Name + "\x00")
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		b.WriteString(name + "\x00" + s.Labels[name] + "\x00")
	}
	return b.String()
}

// Unit is what the expression's numbers are in, as far as its names say: the
// convention of Prometheus ends them in the unit
// (prometheus.io/docs/practices/naming).
func (e *Expr) Unit() unit.Base {
	switch e.op {
	case numberOp, "count":
		return ""
	case seriesOp:
		return unitOf(e.series.name)
	case rateOp:
		switch unitOf(e.selector().name) {
		case unit.BaseBytes:
			return unit.BaseByteRate
		case unit.BaseSeconds:
			return "" // seconds per second: how many are busy
		default:
			return unit.BaseRate
		}
	case "sum", "avg", "min", "max":
		return e.args[0].Unit()
	}
	a, b := e.args[0].Unit(), e.args[1].Unit()
	over, under := e.args[0].rated(), e.args[1].rated()
	switch {
	case e.op == "/" && over != nil && under != nil:
		// Per second over per second: seconds of all requests over their number is a mean.
		switch a, b := unitOf(over.name), unitOf(under.name); {
		case a == b:
			return unit.BaseShare
		case b == "":
			return a
		default:
			return ""
		}
	case e.op == "/" && a == b && a != "":
		return unit.BaseShare
	case (e.op == "+" || e.op == "-") && (a == b || b == "" || a == ""):
		return cmp.Or(a, b)
	default:
		return ""
	}
}

// rated is the series that e is the rate of, or the sum, say, of rates; else nil.
func (e *Expr) rated() *seriesSelector {
	switch {
	case e.op == rateOp:
		return e.selector()
	case len(e.args) == 1 && e.op != "count":
		return e.args[0].rated()
	default:
		return nil
	}
}

func unitOf(name string) unit.Base {
	name = strings.TrimSuffix(name, "_total")
	for suffix, base := range map[string]unit.Base{"_bytes": unit.BaseBytes, "_seconds": unit.BaseSeconds, "_ratio": unit.BaseShare} {
		if strings.HasSuffix(strings.TrimSuffix(name, "_sum"), suffix) {
			return base
		}
	}
	return ""
}

// precedence of the operators: the higher binds first.
var precedence = map[exprOp]int{"+": 1, "-": 1, "*": 2, "/": 2}

// String writes the expression so that it parses back alike.
func (e *Expr) String() string {
	switch {
	case e.op == numberOp:
		return strconv.FormatFloat(e.number, 'f', -1, 64)
	case e.op == seriesOp:
		return e.series.String()
	case len(e.args) == 1:
		return string(e.op) + "(" + e.args[0].String() + ")"
	}
	own := precedence[e.op]
	left, right := e.args[0].String(), e.args[1].String()
	if p := precedence[e.args[0].op]; p > 0 && p < own {
		left = "(" + left + ")"
	}
	if p := precedence[e.args[1].op]; p > 0 && p <= own {
		right = "(" + right + ")"
	}
	return left + " " + string(e.op) + " " + right
}

func (s *seriesSelector) String() string {
	if len(s.matchers) == 0 {
		return s.name
	}
	var all []string
	for _, m := range s.matchers {
		all = append(all, m.label+m.op+`"`+labelEscapes.Replace(m.value)+`"`)
	}
	return s.name + "{" + strings.Join(all, ", ") + "}"
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
