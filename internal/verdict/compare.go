package verdict

import (
	"fmt"
	"math"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
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

// A shift is how far several rows moved together.
type shift struct {
	ln, limit float64
	known     bool
}

func (s shift) up() bool   { return s.known && s.ln > s.limit }
func (s shift) down() bool { return s.known && s.ln < -s.limit }
func (s shift) huge() bool { return s.up() && s.ln > math.Log1p(hugeCommon) }

func newComparison(gate Gate, heads, base []*result.Summary) *comparison {
	c := &comparison{gate: gate, heads: heads, table: newTable(heads, base), fields: map[result.Scope]*field{}, students: students{}}
	for _, r := range gate.Compare {
		c.apply(r)
	}
	c.throughput()
	c.judge()
	c.explainShifts()
	return c
}

// blameGenerator takes back calls that its own lateness explains. It was late
// enough to be told of, but not so late that the run as a whole is worth nothing.
func (c *comparison) blameGenerator(r *result.Run) {
	if !r.Open || r.Generator.LagP99 <= result.NotableLag {
		return
	}
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || cand.q == 0 || cand.Call != Slower {
			continue
		}
		late := r.Generator.LagAt(cand.q)
		if more := t.base * math.Expm1(t.change); more <= float64(late.Microseconds()) {
			cand.Call = NotSure
			cand.Why = fmt.Sprintf("%s more, but the generator itself sent as late as %s", unit.Micros(more), unit.Duration(late))
			cand.Remedy = "run it again on a machine that nothing else uses, or at a lower rate"
		}
	}
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
		c.rows = append(c.rows, &candidate{Finding: Finding{
			Metric: r.Rule.Selector.String(), Rule: r.Rule.Text, Call: NotJudged, Why: why, Warn: r.Warn, Line: r.Line,
		}})
		return
	}
	f := c.field(c.gate.per(r))
	var judged, measured []*moved
	selected := false
	for e, key := range f.keys {
		if !r.Rule.Selector.Matches(tagsOf(key)) {
			continue
		}
		selected = true
		if c.unused(key) {
			continue
		}
		row := c.table.rows[0][key]
		cand := &candidate{Finding: Finding{
			Scenario: key.Scenario, Step: key.Step, Metric: m.metric, Rule: r.Rule.Text, Warn: r.Warn, Line: row.Line,
			Call: Unchanged,
		}, q: m.q}
		c.rows = append(c.rows, cand)
		switch m.metric {
		case metricErrors:
			c.errors(cand, key, m, r.Rule)
		case metricThroughput:
			c.rate(cand, key, r.Rule.Tolerances)
		default:
			if t := c.latency(cand, f, e, m.q, r.Rule); t != nil && t != cand.measured {
				judged = append(judged, t)
			}
			if cand.measured != nil {
				measured = append(measured, cand.measured)
			}
		}
		switch {
		case cand.test == nil:
		case f.control[e] && m.q > 0:
			c.shown = append(c.shown, cand)
			c.asked++
		default:
			c.tests = append(c.tests, cand)
			c.asked++
		}
	}
	if !selected {
		c.rows = append(c.rows, &candidate{Finding: Finding{
			Metric: m.metric, Rule: r.Rule.Text, Call: NotJudged, Why: "the rule selects nothing that this run measured", Warn: r.Warn, Line: r.Line,
		}})
	}
	c.vanished(m, r)
	shrink(judged, prior(m.q, true))
	for _, t := range measured {
		// As measured, all rows share the shifts of the machine: they tell of one
		// spread, not of many.
		shrink([]*moved{t}, prior(m.q, false))
	}
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

// latency lays out the test of one row's quantile, nil when it cannot be judged.
// Spreads are filled in by shrink, once all rows are known.
func (c *comparison) latency(cand *candidate, f *field, e int, q float64, r *rule.Compare) *moved {
	row := c.table.rows[0][f.keys[e]]
	if why := judgeable(row, q, c.gate.minRequests()); why != "" {
		cand.Call, cand.Why = NotJudged, why
		if stored := c.plenty(f.keys[e], q); stored {
			cand.Call, cand.Remedy = NotSure, moreRequests
		}
		return nil
	}
	measured := f.lane(f.keys[e], q)
	lv := measured.level()
	k := len(c.table.head(f.keys[e]))
	if lv.n == 0 || math.IsNaN(measured.head) {
		cand.Call, cand.Why = NotJudged, "new: no stored run has it"
		return nil
	}
	raw := measured.head - lv.centre
	test := moved{
		allowance: allowance{sign: 1, base: math.Exp(lv.centre), tolerances: r.Tolerances},
		tail:      q > 0.97, head: math.Exp(measured.head), raw: raw, confidence: c.gate.confidence(), students: c.students,
	}
	plain := test
	plain.against(raw, lv, k)
	cand.measured = &plain
	cand.test = cand.measured
	if f.relative && !f.control[e] {
		beyond := f.beyond(e, measured.head, lv)
		blv := beyond.level()
		if blv.n == 0 || math.IsNaN(beyond.head) {
			cand.Call, cand.Why, cand.test = NotJudged, "the other steps cannot be compared with stored runs", nil
			return nil
		}
		test.against(beyond.head-blv.centre, blv, k)
		cand.test = &test
	}
	return cand.test.(*moved)
}

// against sets what is judged and the spread, not yet shrunk, of its level.
func (t *moved) against(change float64, lv level, heads int) {
	t.change = change
	t.series = lv.spread
	t.infl = inflation(heads, lv.n)
}

// plenty reports whether the stored runs could judge what the head cannot.
func (c *comparison) plenty(k result.RowKey, q float64) bool {
	for _, row := range c.table.stored(k) {
		if row != nil && judgeable(row, q, c.gate.minRequests()) == "" {
			return true
		}
	}
	return false
}

// unused reports whether no run at all has requests of a row, such as a step that
// only users who start in the warm-up take.
func (c *comparison) unused(k result.RowKey) bool {
	for _, rows := range c.table.rows {
		if row := rows[k]; row != nil && row.Requests > 0 {
			return false
		}
	}
	return true
}

// vanished reports rows that stored runs have and the head does not.
func (c *comparison) vanished(m measure, r Compare) {
	if len(c.table.base) == 0 {
		return
	}
	newest := c.table.base[0]
	for i := range newest.Rows {
		row := &newest.Rows[i]
		key := row.Key()
		if key.Scope != c.gate.per(r) || c.table.rows[0][key] != nil || !r.Rule.Selector.Matches(tagsOf(key)) {
			continue
		}
		c.rows = append(c.rows, &candidate{Finding: Finding{
			Scenario: key.Scenario, Step: key.Step, Metric: m.metric, Rule: r.Rule.Text, Warn: r.Warn,
			Call: NotJudged, Why: "gone: this run no longer has it",
		}})
	}
}

// shrink estimates the spread of each test from those of all.
func shrink(tests []*moved, sd float64) {
	all := make([]stat.Series, len(tests))
	for i, t := range tests {
		all[i] = t.series
	}
	for i, s := range stat.Shrink(all, sd) {
		tests[i].spread = s
	}
}

func (c *comparison) errors(cand *candidate, key result.RowKey, m measure, r *rule.Compare) {
	t := &failing{tolerances: r.Tolerances, confidence: c.gate.confidence()}
	var requests, bad float64
	for _, row := range c.table.stored(key) {
		if row == nil || row.Requests == 0 {
			continue
		}
		n := countErrors(row, m.failed)
		t.runs = append(t.runs, n)
		requests += float64(row.Requests)
		bad += n.share * float64(row.Requests)
		if row.Restart {
			break
		}
	}
	head := pool(c.table.head(key))
	switch {
	case head.Requests < c.gate.minRequests():
		cand.Call, cand.Why = NotJudged, fmt.Sprintf("too few requests: errors need %s, this run had %s",
			unit.Count(c.gate.minRequests()), unit.Count(head.Requests))
		if requests >= float64(c.gate.minRequests())*float64(len(t.runs)) && len(t.runs) > 0 {
			cand.Call, cand.Remedy = NotSure, moreRequests
		}
	case head.Rounds < leastBadRounds:
		cand.Call, cand.Why = NotJudged, fmt.Sprintf("too short: errors need requests in %d rounds, this run had them in %d", leastBadRounds, head.Rounds)
	case len(t.runs) == 0:
		cand.Call, cand.Why = NotJudged, "new: no stored run has it"
	default:
		t.base = bad / requests
		t.head = countErrors(&head, m.failed)
		cand.test = t
	}
}

// pool adds up the error counts of several runs of the same commit.
func pool(rows []*result.Row) result.Row {
	sum := *rows[0]
	for _, r := range rows[1:] {
		sum.Requests += r.Requests
		sum.Failed += r.Failed
		sum.Errored += r.Errored
		sum.Rounds += r.Rounds
		sum.BadRounds += r.BadRounds
	}
	if len(rows) > 1 {
		sum.ErrorShare.Y = float64(sum.Errored) / math.Max(float64(sum.Requests), 1)
	}
	return sum
}

// throughput judges, where arrivals are scheduled, whether as much was completed
// of them as before; no rule need ask for it, since it is no matter of speed.
func (c *comparison) throughput() {
	if !c.heads[0].Open || len(c.gate.Compare) == 0 {
		return
	}
	for _, r := range c.rows {
		if r.Metric == metricThroughput {
			return
		}
	}
	cand := &candidate{Finding: Finding{Metric: metricThroughput, Call: Unchanged}}
	c.rate(cand, result.RowKey{Scope: result.ScopeTotal}, nil)
	if cand.test != nil {
		c.rows = append(c.rows, cand)
		c.tests = append(c.tests, cand)
	}
}

// Priors and least effect of throughput: of scheduled arrivals nearly all are
// completed, on any machine; users who wait for answers are as fast as it is.
const (
	priorCompleted  = 0.01
	priorThroughput = 0.08
	leastCompleted  = 0.02
)

func (c *comparison) rate(cand *candidate, key result.RowKey, tolerances []rule.Tolerance) {
	l := c.table.lane(key, readRate)
	lv := l.level()
	if lv.n == 0 || math.IsNaN(l.head) {
		cand.Call, cand.Why = NotJudged, "no throughput is known of this run or of the stored ones"
		return
	}
	head := c.table.rows[0][key]
	perSecond := float64(head.Requests) / math.Max(c.heads[0].Measured.Seconds(), 1e-3)
	t := &moved{
		allowance: allowance{sign: -1, base: perSecond / math.Exp(l.head-lv.centre), tolerances: tolerances},
		tail:      true, raw: l.head - lv.centre, head: perSecond, confidence: c.gate.confidence(), students: c.students,
	}
	t.against(l.head-lv.centre, lv, len(c.table.head(key)))
	sd := priorThroughput
	if c.heads[0].Open {
		sd = priorCompleted
		if len(tolerances) == 0 {
			t.least = math.Log1p(leastCompleted)
		}
	}
	shrink([]*moved{t}, sd)
	cand.test = t
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

// explainShifts looks at what all rows share, and takes back what it explains.
func (c *comparison) explainShifts() {
	f := c.shiftField()
	if f == nil {
		return
	}
	heads := len(c.heads)
	c.common = measureShift(f.common(), heads)
	c.controls = measureShift(f.controls(), heads)
	c.poisoned(f)
	c.settle()
	switch {
	case c.common.huge() && f.relative:
		c.callHuge()
	case c.controls.up() || c.controls.down():
		c.environmentMoved()
	case f.hasControl() || !f.relative:
	case c.common.up():
		c.allSlower(len(f.keys))
	case c.common.down():
		c.warnings = append(c.warnings, Reason{
			Code:    "all-faster",
			Message: fmt.Sprintf("most rows are about %s together: a faster machine, or a change to something they share", unit.Change(math.Expm1(c.common.ln))),
		})
	}
	c.throughputFollows()
}

// settle looks at calls that rest on the other rows more than on the row itself.
// When the others moved as far as no machine does, the change did that, and the
// row is judged as measured; else nobody can tell which of the two it was.
func (c *comparison) settle() {
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || t == cand.measured || cand.measured == nil || cand.Call == Unchanged {
			continue
		}
		if t.raw*t.change > 0 && math.Abs(t.raw) >= math.Abs(t.change)/2 {
			continue
		}
		if math.Abs(t.change-t.raw) > math.Log1p(hugeCommon) {
			cand.asMeasured()
			continue
		}
		cand.Call, cand.Why = NotSure, "the other steps moved and this one did not: by the machine, or by the change"
		cand.Remedy = "run it again, or compare base and head in one run with loadline ab"
	}
}

// asMeasured judges a candidate without regard to the other rows.
func (cand *candidate) asMeasured() {
	cand.test = cand.measured
	switch {
	case cand.measured.beyond(true, cand.level):
		cand.Call = Slower
	case cand.measured.beyond(false, cand.level):
		cand.Call = Faster
	default:
		cand.Call = Unchanged
	}
	cand.test.describe(&cand.Finding, cand.level)
}

// shiftField is the field with the most rows: that of the steps, if any rule
// looks at them.
func (c *comparison) shiftField() *field {
	for _, scope := range []result.Scope{result.ScopeStep, result.ScopeScenario, result.ScopeTotal} {
		if f := c.fields[scope]; f != nil && len(f.keys) > 0 {
			return f
		}
	}
	return nil
}

func measureShift(l lane, heads int) shift {
	lv := l.level()
	if lv.n == 0 || math.IsNaN(l.head) {
		return shift{}
	}
	spread := stat.Shrink([]stat.Series{lv.spread}, prior(0.5, false))[0]
	noise := stat.T(spread.DF, 1-alphaCommon) * math.Sqrt(spread.Var*inflation(heads, lv.n))
	return shift{ln: l.head - lv.centre, limit: math.Max(noise, math.Log1p(minCommon)), known: true}
}

// callHuge blames the run as a whole: each row that moved as far as no machine
// explains, as measured.
func (c *comparison) callHuge() {
	for _, cand := range c.tests {
		t := cand.measured
		if t == nil {
			continue
		}
		cand.asMeasured()
		if t.raw > math.Max(c.common.limit, math.Log1p(hugeCommon)) && t.raw > t.tolerance(true) {
			cand.Call = Slower
			cand.NoisePercent = math.Min(cand.NoisePercent, percent(c.common.limit))
			cand.LimitPercent = math.Max(cand.NoisePercent, percent(t.tolerance(true)))
		}
	}
	c.reasons = append(c.reasons, Reason{
		Code: "all-slower",
		Message: fmt.Sprintf("everything takes %sx as long: machines of one kind do not differ by more than %s",
			unit.Number(math.Exp(c.common.ln)), unit.Change(hugeCommon)),
		Remedy: "look for what all steps share: start-up, middleware, configuration, database",
	})
}

// environmentMoved takes all calls back: requests that no change should move did.
func (c *comparison) environmentMoved() {
	for _, cand := range c.tests {
		if cand.Call == Slower || cand.Call == Faster {
			if _, ok := cand.test.(*moved); ok {
				cand.Call, cand.Why = NotSure, "the control steps moved too"
			}
		}
	}
	c.reasons = append(c.reasons, Reason{
		Code: "control-moved",
		Message: fmt.Sprintf("the control steps, which no change should move, moved by %s: the environment changed, not only the code",
			unit.Change(math.Expm1(c.controls.ln))),
		Remedy: "run it again, or compare base and head in one run with loadline ab",
	})
}

func (c *comparison) allSlower(rows int) {
	c.reasons = append(c.reasons, Reason{
		Code: "all-slower",
		Message: fmt.Sprintf("all %d rows are about %s together: that is what a slower machine looks like, and what a change to something they share looks like; stored runs cannot tell which",
			rows, unit.Change(math.Expm1(c.common.ln))),
		Remedy: "compare base and head in one run with loadline ab, or mark a step that no change should move with control = true",
	})
}

// throughputFollows: users who wait for their answers send less when all of them
// are slow, whatever the cause.
func (c *comparison) throughputFollows() {
	if c.heads[0].Open || !c.common.up() || c.common.huge() {
		return
	}
	for _, cand := range c.tests {
		if cand.Metric == metricThroughput && cand.Call == Slower {
			cand.Call, cand.Why = NotSure, "everything is slower together, and users wait for their answers"
		}
	}
}

// poisoned warns of stored runs that were left out.
func (c *comparison) poisoned(f *field) {
	for i, s := range c.table.base {
		n := f.poisoned[i]
		if n == 0 {
			continue
		}
		c.warnings = append(c.warnings, Reason{
			Code: "stored-run-off",
			Message: fmt.Sprintf("the stored run of %s%s lies far from the others and was left out where it does",
				s.Started.Format(time.RFC3339), ofCommit(s.Commit)),
			Remedy: "remove it if something went wrong that day: loadline baseline list names its file",
		})
	}
}

func ofCommit(commit string) string {
	if commit == "" {
		return ""
	}
	return " (" + commit[:min(len(commit), 7)] + ")"
}
