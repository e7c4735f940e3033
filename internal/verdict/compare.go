package verdict

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
)

// A comparison judges a run against stored runs.
type comparison struct {
	gate   Gate
	heads  []*result.Summary
	table  *table
	fields map[result.Scope]*field
	tests  []*candidate // judged
	shown  []*candidate // control steps: measured, never blamed
	asked  int          // of both, by a rule of the spec
	rows   []*candidate // all, in the order they are reported

	students students
	common   shift
	controls shift
	noise    []float64 // percent, of the p50 to p95 that were judged
	reasons  []Reason
	warnings []Reason
}

func newComparison(gate Gate, heads, base []*result.Summary) *comparison {
	c := &comparison{gate: gate, heads: heads, table: newTable(heads, base), fields: map[result.Scope]*field{}, students: students{}}
	for _, r := range gate.Compare {
		c.apply(r)
	}
	c.throughput()
	c.judge()
	c.explainShifts()
	for _, cand := range c.tests {
		cand.doubtCeiling()
	}
	return c
}

func (c *comparison) field(scope result.Scope) *field {
	f := c.fields[scope]
	if f == nil {
		f = newField(c.table, scope)
		c.fields[scope] = f
	}
	return f
}

// apply makes a candidate of each row that a rule is about.
func (c *comparison) apply(r Compare) {
	m, why := measureOf(r.Rule, c.heads[0].Open, "stored runs")
	if why != "" {
		c.note(r, r.Rule.Selector.String(), why)
		return
	}
	f := c.field(c.gate.per(r))
	var made []*candidate
	selected := false
	for e, key := range f.keys {
		if !r.Rule.Selector.Matches(tagsOf(key)) {
			continue
		}
		selected = true
		if c.unused(key) {
			continue
		}
		cand := &candidate{q: m.q, Finding: Finding{
			Scenario: key.Scenario, Step: key.Step, Metric: m.metric, Rule: r.Rule.Text, Warn: r.Warn,
			Line: c.table.rows[0][key].Line, Call: Unchanged,
		}}
		c.layOut(cand, f, e, m, r.Rule)
		made = append(made, cand)
	}
	c.rows = append(c.rows, made...)
	if !selected {
		c.note(r, m.metric, "the rule selects nothing that this run measured")
	}
	c.vanished(m, r)
	shrinkAll(made, m.q)
}

// note lists a rule that could not be applied.
func (c *comparison) note(r Compare, metric, why string) {
	c.rows = append(c.rows, &candidate{Finding: Finding{
		Metric: metric, Rule: r.Rule.Text, Call: NotJudged, Why: why, Warn: r.Warn, Line: r.Line,
	}})
}

// layOut makes the test of a candidate, or says why there is none.
func (c *comparison) layOut(cand *candidate, f *field, e int, m measure, r *rule.Compare) {
	switch m.metric {
	case metricErrors:
		c.errors(cand, f.keys[e], m, r)
	case metricThroughput:
		c.rate(cand, f.keys[e], r.Tolerances)
	default:
		c.latency(cand, f, e, r)
	}
	switch {
	case cand.test == nil:
		return
	case f.control[e] && m.q > 0:
		c.shown = append(c.shown, cand)
	default:
		c.tests = append(c.tests, cand)
	}
	c.asked++
}

// shrinkAll estimates the spread of each latency test from those of all rows.
// As measured, all rows share the shifts of the machine: they tell of one spread,
// not of many.
func shrinkAll(made []*candidate, q float64) {
	var beside []*moved
	for _, cand := range made {
		if cand.measured == nil {
			continue
		}
		shrink([]*moved{cand.measured}, prior(q, false))
		if t, ok := cand.test.(*moved); ok && t != cand.measured {
			beside = append(beside, t)
		}
	}
	shrink(beside, prior(q, true))
}

const moreRequests = "stored runs had enough: see why this one sends fewer, or raise the rate or the duration"

func tagsOf(k result.RowKey) func(string) (string, bool) {
	return func(tag string) (string, bool) {
		switch tag {
		case "scenario":
			return k.Scenario, k.Scope != result.ScopeTotal
		case "step":
			return k.Step, k.Scope == result.ScopeStep
		default:
			return "", false
		}
	}
}

// judge calls all tests together, so that the chance to blame an unchanged pull
// request for anything stays what it is however many rows there are.
func (c *comparison) judge() {
	for _, worse := range []bool{false, true} {
		called, levels := stat.StepDown(len(c.tests), alphaSteps, func(i int, a float64) bool {
			return c.tests[i].test.beyond(worse, a)
		})
		for i, cand := range c.tests {
			cand.level = levels[i]
			switch {
			case called[i] && worse:
				cand.Call = Slower
			case called[i]:
				cand.Call = Faster
			}
		}
	}
	for _, cand := range c.tests {
		cand.suspected = cand.test.suspicious()
		cand.test.describe(&cand.Finding, cand.level)
	}
	for _, cand := range c.shown {
		cand.test.describe(&cand.Finding, alphaSteps/float64(len(c.tests)+1))
	}
}
