package verdict_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// TestRingWithAHole: a stored run that lacks a step, one that is not there at all,
// and clocks that step between runs change nothing of what the others say.
func TestRingWithAHole(t *testing.T) {
	t.Parallel()
	for _, by := range []float64{1, 2} {
		src := sim.New(sim.Target{Class: calm}, 11)
		base, head := src.Runs(8), src.Run(slow(2, by))
		base[1].Rows = slices.DeleteFunc(base[1].Rows, func(r result.Row) bool { return r.Step == sim.StepName(2) })
		base[3] = nil
		base[5].Started = base[0].Started.Add(24 * time.Hour) // a clock that was ahead
		base[6].Started = base[6].Started.Add(-24 * time.Hour)
		v := judge(strictRules(t), base, head)
		want := verdict.Pass
		if by > 1 {
			want = verdict.Regression
		}
		if v.Outcome != want {
			t.Errorf("x%g: %s, %v", by, v.Outcome, v.Reasons)
		}
		for _, f := range v.Findings {
			if f.Call == verdict.Slower && f.Step != sim.StepName(2) {
				t.Errorf("x%g: %s %s was called", by, f.Step, f.Metric)
			}
		}
	}
}
