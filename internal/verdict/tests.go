package verdict

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// The metrics of a Finding that are no latency quantile.
const (
	metricErrors     = "errors"
	metricThroughput = "throughput"
)

// A measure is what a compare rule asks about each row.
type measure struct {
	metric string
	q      float64 // of latency; else 0
	failed bool    // errors: count failed requests only, not failed checks
}

// measureOf says what a rule asks, or why it cannot be told. keeper is what holds
// the numbers: "stored runs".
func measureOf(r *rule.Compare, open bool, keeper string) (m measure, why string) {
	s := &r.Selector
	for _, t := range s.Tags {
		if t.Name != "step" && t.Name != "scenario" {
			return m, fmt.Sprintf("%s are kept by step, not by %s", keeper, t.Name)
		}
	}
	switch s.Metric {
	case "latency", "response", "service":
		percent, ok := rule.Percentile(s.Stat)
		q := percent / 100
		switch {
		case s.Metric == "service" && open:
			return m, keeper + " keep latency counted from when a request was due, not from when it was sent"
		case !ok || !slices.ContainsFunc(result.SummaryQuantiles, func(have float64) bool { return math.Abs(have-q) < 1e-9 }):
			return m, keeper + " keep p50, p90, p95 and p99 of latency, not " + s.Stat
		}
		return measure{metric: s.Stat, q: q}, ""
	case "errors", "failed":
		if s.Stat == "share" {
			return measure{metric: metricErrors, failed: s.Metric == "failed"}, ""
		}
	case "requests", "iterations":
		if s.Stat == "rate" {
			return measure{metric: metricThroughput}, ""
		}
	}
	return m, keeper + " do not keep " + s.String()
}

// A test is one row and measure, judged at a level of doubt that all tests of a
// verdict share.
type test interface {
	// beyond reports whether the row is beyond its limit at level a: on the
	// worse side, or on the better one.
	beyond(worse bool, a float64) bool
	// suspicious reports whether another run should be asked.
	suspicious() bool
	// describe fills in the numbers, with the limit at level a.
	describe(f *Finding, a float64)
}

// A candidate is a finding that is being judged.
type candidate struct {
	Finding
	key       result.RowKey
	q         float64 // of latency, else 0
	test      test
	measured  *moved // latency: the row without regard to the others
	level     float64
	suspected bool
}

// A moved test judges a quantity on a logarithmic scale by its run-to-run spread.
type moved struct {
	allowance
	tail       bool // p99, or no latency at all
	head       float64
	raw        float64     // ln(head / base)
	change     float64     // what is judged: raw, or less the shift of the other rows
	series     stat.Series // of the stored runs
	spread     stat.Spread // the same, shrunk towards that of all rows
	infl       float64
	heads      int  // independent runs behind head
	chunks     int  // of the first of them
	stored     int  // runs behind the level
	beside     bool // the change is less what the other rows did
	confidence float64
	students   students
}

// An allowance is how far a rule lets a value move.
type allowance struct {
	sign       float64 // +1: more is worse; -1: less is
	base       float64 // level of the base, in the unit shown
	least      float64 // ln(1 + least effect) where the rule states none
	tolerances []rule.Tolerance
}

// students remembers quantiles of Student's t distribution: a run of a thousand
// steps asks for the same few thousands of times.
type students map[[2]float64]float64

func (s students) t(df, p float64) float64 {
	q, ok := s[[2]float64{df, p}]
	if !ok {
		q = stat.T(df, p)
		s[[2]float64{df, p}] = q
	}
	return q
}

func (t *moved) sd() float64 { return math.Sqrt(t.spread.Var * t.infl) }

// noise is the change that chance alone exceeds with probability a. Now and then
// one run of one step is far off for no reason, more often than a normal
// distribution knows; the mean of several runs less so.
func (t *moved) noise(a float64) float64 {
	return t.students.t(t.df(), 1-a) * t.sd()
}

// df is the degrees of freedom that noise counts with.
func (t *moved) df() float64 { return math.Min(t.spread.DF, stat.TailDF(oddRuns, t.heads)) }

// oddRuns is the excess kurtosis of run-to-run noise that the limits allow for:
// that of Student's t with 8 degrees of freedom. It is what keeps the false
// alarms of a single run below 1 % in the class of noise called heavy, at the
// price of power (docs/decisions/0053-tails.md).
const oddRuns = 1.5

// tolerance is how far the rule lets the value move, as a logarithm: worse only
// outside every tolerance. Upwards an amount is less of a change than downwards.
func (t *allowance) tolerance(up bool) float64 {
	most := t.least
	for _, tol := range t.tolerances {
		share := tol.Value
		if !tol.Relative {
			share = tol.Value / t.base
		}
		switch {
		case tol.Relative || up:
			most = math.Max(most, math.Log1p(share))
		case share < 1:
			most = math.Max(most, -math.Log1p(-share))
		default:
			most = math.Inf(1) // the value cannot fall by more than itself
		}
	}
	return most
}

func (t *moved) limit(worse bool, a float64) float64 {
	return math.Max(t.noise(a), t.tolerance(worse == (t.sign > 0)))
}

func (t *moved) beyond(worse bool, a float64) bool {
	change := t.change * t.sign
	if !worse {
		change = -change
	}
	return change > t.limit(worse, a)
}

func (t *moved) suspicious() bool {
	change := t.change * t.sign
	return change > t.students.t(t.spread.DF, 0.95)*t.sd() && change > t.tolerance(t.sign > 0)/2
}

func (t *moved) describe(f *Finding, a float64) {
	half := t.students.t(t.spread.DF, 1-(1-t.confidence)/2) * t.sd()
	f.Base, f.Head = t.base, t.head
	f.RawPercent = percent(t.raw)
	f.ChangePercent = percent(t.change)
	f.LowPercent, f.HighPercent = percent(t.change-half), percent(t.change+half)
	f.LimitPercent = math.Abs(percent(t.sign * t.limit(true, a)))
	f.NoisePercent = math.Abs(percent(t.sign * t.noise(a)))
	f.Evidence = t.evidence(a)
}

// percent turns a logarithm of a ratio into the change in percent, kept within
// what can be written.
func percent(ln float64) float64 {
	return math.Round(math.Expm1(math.Min(ln, 30))*1e4) / 100
}

// judgeable says why a row cannot be judged by a quantile; "" when it can. A
// percentile needs ten requests beyond it.
func judgeable(row *result.Row, q float64, least int64) string {
	var n int64
	for _, have := range row.Latency {
		n = max(n, have.N)
	}
	need := max(least, int64(math.Ceil(10/(1-q)-1e-9)))
	if _, ok := row.Quantile(q); ok && n >= need {
		return ""
	}
	if n == 0 && row.Requests > 0 {
		return fmt.Sprintf("no request succeeded (of %s)", unit.Count(row.Requests))
	}
	return fmt.Sprintf("too few requests: %s needs %s successful ones, this run had %s",
		"p"+strconv.FormatFloat(q*100, 'f', -1, 64), unit.Count(need), unit.Count(n))
}
