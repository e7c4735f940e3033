package verdict_test

import (
	"math"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// TestComparedOfACall: a slowdown that was found is not taken for what two
// deployments of the same code differ by. It was: after one +75 % the next run
// could see nothing below +70 %.
func TestComparedOfACall(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 7)
	in := verdict.PairedInput{
		Run:  &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
		Gate: verdict.Gate{Compare: strictRules(t)}, Calibrated: true, Pairs: src.Duel(180, slow(2, 1.75)).First(60), Look: 1,
	}
	alone := verdict.Paired(in)
	in.Redeploy, in.Second = true, src.Duel(60, slow(2, 1.75)).First(60)
	confirmed := verdict.Paired(in)
	if alone.Outcome != verdict.Regression || confirmed.Outcome != verdict.Regression {
		t.Fatalf("+75%%: %s, and with a restart %s", alone.Outcome, confirmed.Outcome)
	}
	if a, c := len(alone.Compared["p50"]), len(confirmed.Compared["p50"]); a != 5 || c != 4 {
		t.Errorf("%d comparisons without a restart, %d with; want 5, and 4 without the step that is slower", a, c)
	}
	for _, c := range alone.Compared["p50"] {
		if c.Y > math.Log(1.2) {
			t.Errorf("a difference of %+.0f%% is remembered", 100*math.Expm1(c.Y))
		}
	}
	if tau := stat.Tau(alone.Compared["p50"], 0.015); tau > 0.03 {
		t.Errorf("after one call deployments are thought to differ by %.1f%%", 100*tau)
	}
}
