package verdict

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// latency lays out the test of one row's quantile, as measured and, where there
// are peers, beside them. Spreads are filled in by shrinkAll, once all rows are known.
func (c *comparison) latency(cand *candidate, f *field, e int, r *rule.Compare) {
	key, q := f.keys[e], cand.q
	if why := judgeable(c.table.rows[0][key], q, c.gate.minRequests()); why != "" {
		cand.Call, cand.Why = NotJudged, why
		if c.plenty(key, q) {
			cand.Call, cand.Remedy = NotSure, moreRequests
		}
		return
	}
	measured := f.lane(key, q)
	lv := measured.level()
	switch {
	case math.IsNaN(measured.head):
		cand.Call, cand.Why, cand.Remedy = NotSure, noNumber, measureAgain
		return
	case lv.n == 0:
		cand.Call, cand.Why = NotJudged, "new: no stored run has it"
		return
	}
	raw := measured.head - lv.centre
	test := moved{
		allowance: allowance{sign: 1, base: math.Exp(lv.centre), tolerances: r.Tolerances},
		tail:      q > 0.97, head: math.Exp(measured.head), raw: raw, confidence: c.gate.confidence(), students: c.students,
	}
	if found, ok := c.table.rows[0][key].Quantile(q); ok {
		test.chunks = found.K
	}
	plain := test
	plain.against(raw, lv, measured.jobs)
	if !f.relative || f.control[e] {
		cand.measured, cand.test = &plain, &plain
		return
	}
	beyond := f.beyond(e, measured.head, lv)
	blv := beyond.level()
	if blv.n == 0 || math.IsNaN(beyond.head) {
		cand.Call, cand.Why = NotJudged, "the other steps cannot be compared with stored runs"
		return
	}
	test.beside = true
	test.against(beyond.head-blv.centre, blv, measured.jobs)
	cand.measured, cand.test = &plain, &test
}

// against sets what is judged and the spread, not yet shrunk, of its level.
func (t *moved) against(change float64, lv level, heads int) {
	t.change = change
	t.series = lv.spread
	t.infl, t.heads, t.stored = inflation(heads, lv.n), heads, lv.n
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
	t.chunks = head.Rate.K
	t.against(l.head-lv.centre, lv, l.jobs)
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
