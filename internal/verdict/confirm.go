package verdict

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// confirm looks at the second series, in which both sides were restarted, for
// every step that was called: whatever the first two deployments happened to
// differ by is drawn anew. A call stands when some metric of its step is clearly
// worse again.
func (p *pairing) confirm() {
	stands := map[result.RowKey]bool{}
	again := map[*candidate]test{}
	for _, cand := range p.tests {
		t := p.second(cand)
		again[cand] = t
		if t == nil {
			continue
		}
		cand.Evidence.Paired.Second = secondEvidence(t)
		if t.suspicious() {
			stands[cand.key] = true
		}
	}
	for _, cand := range p.tests {
		if cand.Call == Slower && !stands[cand.key] {
			p.takeBack(cand, again[cand])
		}
	}
}

// second is the test of a candidate in the second series, nil where that has not
// enough data for it.
func (p *pairing) second(cand *candidate) test {
	maker := pairTest{
		pairs: p.in.Second, gate: p.in.Gate, students: p.students, tau: p.tau(cand.Metric), open: p.in.Run.Open,
		planned: math.Inf(1), // what is judged was settled by the first series
	}
	for i := range p.in.Second.Rows {
		row := &p.in.Second.Rows[i]
		if row.RowKey != cand.key {
			continue
		}
		var t test
		switch first := cand.test.(type) {
		case *apart:
			if cand.Metric == metricThroughput {
				t, _ = maker.throughput(row, first.allowance)
			} else {
				t, _ = maker.latency(row, quantileOf(cand.Metric), first.allowance)
			}
		case *flips:
			t, _ = maker.errors(row, measure{}, allowance{tolerances: first.tolerances})
		}
		return t
	}
	return nil
}

// takeBack ends a call that did not come again: nothing is left of it when both
// series together are calm, else nobody knows.
func (p *pairing) takeBack(cand *candidate, again test) {
	both := "the second series, after a restart, could not be judged"
	calm := false
	switch t := again.(type) {
	case *apart:
		first := cand.test.(*apart)
		mean := *t
		mean.at.Y = (first.at.Y + t.at.Y) / 2
		mean.at.SE = math.Hypot(first.at.SE, t.at.SE) / 2
		mean.tau = t.tau / math.Sqrt2 // two independent pairs of deployments
		calm = mean.upper() < mean.bound()
		both = fmt.Sprintf("not confirmed: %s at first, %s after both sides were restarted",
			unit.Change(math.Expm1(first.at.Y)), unit.Change(math.Expm1(t.at.Y)))
	case *flips:
		first := cand.test.(*flips)
		calm = t.head-t.base <= t.tolerance()/2
		both = fmt.Sprintf("not confirmed: %s at first, %s after both sides were restarted",
			unit.Points(first.head-first.base), unit.Points(t.head-t.base))
	}
	cand.Call, cand.Why = NotSure, both
	cand.Remedy = "run it again; two deployments of the same code differ as much here now and then"
	if calm {
		cand.Call = Unchanged
		p.warnings = append(p.warnings, Reason{Code: "not-confirmed", Message: cand.subject() + ": " + both, Line: cand.Line})
	}
}

func quantileOf(metric string) float64 {
	for _, q := range result.SummaryQuantiles {
		if metric == fmt.Sprintf("p%g", math.Round(q*1e4)/100) {
			return q
		}
	}
	return 0.5
}
