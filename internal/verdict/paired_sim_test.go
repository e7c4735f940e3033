package verdict_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// A duelStudy is a way to simulate paired runs: looks at 60, 120 and 180 s of
// load, and a second series of 60 s after a restart.
type duelStudy struct {
	target   sim.Target
	change   []sim.Change
	redeploy bool
	past     int // comparisons that went before
	rules    []verdict.Compare
}

type duelTally struct {
	tally
	passed  int
	seconds int // of load
}

func (s duelStudy) run(n int) duelTally {
	c := duelTally{tally: tally{n: n}}
	changed := map[string]bool{}
	for _, ch := range s.change {
		changed[sim.StepName(ch.Step)] = true
	}
	for seed := range uint64(n) {
		src := sim.New(s.target, seed)
		in := verdict.PairedInput{
			Run:  &result.Run{Mode: "paired", Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 10_000}}},
			Gate: verdict.Gate{Compare: s.rules}, Redeploy: s.redeploy, Calibrated: true, Past: src.Past(s.past),
		}
		duel := src.Duel(180, s.change...)
		var got verdict.PairedResult
		for in.Look = 1; in.Look <= verdict.Looks; in.Look++ {
			in.Pairs = duel.First(60 * in.Look)
			got = verdict.Paired(in)
			if got.Next != verdict.Continue {
				break
			}
		}
		c.seconds += 60 * min(in.Look, verdict.Looks)
		if got.Next == verdict.Confirm {
			in.Second = src.Duel(60, s.change...).First(60)
			got = verdict.Paired(in)
			c.seconds += 60
		}
		right, wrong := false, false
		for _, f := range got.Findings {
			if f.Call == verdict.Slower {
				right = right || changed[f.Step]
				wrong = wrong || !changed[f.Step]
			}
		}
		switch {
		case right || len(s.change) == 0 && wrong:
			c.called++
		case got.Outcome == verdict.Pass:
			c.passed++
		case got.Outcome == verdict.Inconclusive:
			c.unsure++
		}
		if wrong {
			c.wrong++
		}
	}
	return c
}

// TestPairedFalseAlarms: of pull requests that change nothing, at most one in a
// hundred is blamed. Without restarts that takes comparisons to learn from where
// deployments differ much; heavy tails take the restart.
func TestPairedFalseAlarms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class    sim.Class
		redeploy bool
	}{
		{sim.Quiet, true},
		{sim.Shared, true},
		{sim.Noisy, true},
		{sim.Heavy, true},
		{sim.Hog, true},
		{sim.Quiet, false},
		{sim.Shared, false},
		{sim.Noisy, false},
	} {
		t.Run(fmt.Sprintf("%s, redeployed: %v", c.class.Name, c.redeploy), func(t *testing.T) {
			t.Parallel()
			got := duelStudy{target: sim.Target{Class: c.class}, redeploy: c.redeploy, past: 60, rules: strictRules(t)}.run(some(*trials))
			t.Logf("%d of %d blamed: %.2f%%, at most %.2f%% (95%%); passed %.1f%%; %.0f s of load",
				got.called, got.n, 100*got.share(got.called), 100*got.upper(got.called), 100*got.share(got.passed), got.share(got.seconds))
			claim(t, got.share(got.called) <= 0.01, "%.2f%% blamed", 100*got.share(got.called))
		})
	}
}

func TestPairedPower(t *testing.T) {
	t.Parallel()
	tail := sim.Change{Step: 2, By: math.Log(1.2), Tail: true}
	for _, c := range []struct {
		name     string
		target   sim.Target
		change   sim.Change
		redeploy bool
		least    float64
	}{
		{"quiet, +10 %", sim.Target{Class: sim.Quiet}, slow(2, 1.1), true, 0.95},
		{"shared, +10 %", sim.Target{Class: sim.Shared}, slow(2, 1.1), true, 0.95},
		{"shared, +10 %, no restart", sim.Target{Class: sim.Shared}, slow(2, 1.1), false, 0.95},
		{"noisy, +20 %", sim.Target{Class: sim.Noisy}, slow(2, 1.2), true, 0.95},
		{"hog, +20 %", sim.Target{Class: sim.Hog}, slow(2, 1.2), true, 0.95},
		{"quiet, p95 +20 %", sim.Target{Class: sim.Quiet}, tail, true, 0.95},
		{"shared, p95 +20 %", sim.Target{Class: sim.Shared}, tail, true, 0.95},
		{"shared, 2 % errors", sim.Target{Class: sim.Shared}, sim.Change{Step: 2, Errors: 0.02}, true, 0.95},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := duelStudy{target: c.target, change: []sim.Change{c.change}, redeploy: c.redeploy, past: 60, rules: strictRules(t)}.run(some(300))
			t.Logf("called %.1f%%, wrong step named %.1f%%, %.0f s of load", 100*got.share(got.called), 100*got.share(got.wrong), got.share(got.seconds))
			claim(t, got.share(got.called) >= c.least, "called %.1f%%, want at least %.0f%%", 100*got.share(got.called), 100*c.least)
			claim(t, got.share(got.wrong) <= 0.02, "a step that did not change was named in %.1f%%", 100*got.share(got.wrong))
		})
	}
}
