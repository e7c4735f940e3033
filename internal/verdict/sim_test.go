package verdict_test

import (
	"flag"
	"math"
	"slices"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

var trials = flag.Int("trials", 1000, "simulated pull requests without any change, for each class of noise")

// strictRules ask for no more tolerance than the design's least effect.
func strictRules(t testing.TB) []verdict.Compare {
	t.Helper()
	return rules(t, "latency.p50 within 5%", "latency.p95 within 5%", "latency.p99 within 10%", "errors within 0.5pp")
}

func rules(t testing.TB, texts ...string) []verdict.Compare {
	t.Helper()
	var all []verdict.Compare
	for _, text := range texts {
		c, err := rule.ParseCompare(text, rule.Own{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, verdict.Compare{Rule: c, Line: 9})
	}
	return all
}

// judge compares a simulated head, and what was measured again of its commit,
// with simulated stored runs.
func judge(rules []verdict.Compare, base []*result.Summary, head *result.Summary, again ...*result.Summary) verdict.Verdict {
	for _, s := range again {
		s.Commit = head.Commit
	}
	return verdict.Judge(verdict.Input{
		Run: sim.Of(head), Head: head, Base: base, Again: again,
		Gate: verdict.Gate{Compare: rules, Confirm: 2},
	})
}

// A tally counts what simulated pull requests came to.
type tally struct {
	n, called, wrong, unsure int
	runs                     int // of the head, confirming ones included
}

func (c tally) share(k int) float64 { return float64(k) / float64(c.n) }

// upper is the upper end of the 95 % interval of a share (Wilson 1927).
func (c tally) upper(k int) float64 {
	const z = 1.96
	n, p := float64(c.n), c.share(k)
	return (p + z*z/(2*n) + z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))) / (1 + z*z/n)
}

// A study is a way to simulate pull requests.
type study struct {
	target  sim.Target
	stored  int
	change  []sim.Change
	confirm bool
	rules   []verdict.Compare
}

// hurried: only the code is tried, on a twentieth of the pull requests, which is
// too few to check a claim.
func hurried() bool { return underRace || testing.Short() }

func some(n int) int {
	if hurried() {
		return max(n/20, 1)
	}
	return n
}

// claim fails the test when a measured share is not what is promised.
func claim(t *testing.T, holds bool, format string, args ...any) {
	t.Helper()
	if !holds && !hurried() {
		t.Errorf(format, args...)
	}
}

// run simulates n pull requests. A call counts as wrong when it names a step
// that did not change.
func (s study) run(n int) tally {
	c := tally{n: n}
	changed := map[string]bool{}
	for _, ch := range s.change {
		changed[sim.StepName(ch.Step)] = true
	}
	for seed := range uint64(n) {
		src := sim.New(s.target, seed)
		base := src.Runs(s.stored)
		head := src.Run(s.change...)
		v := judge(s.rules, base, head)
		c.runs++
		if s.confirm && v.Confirm {
			v = judge(s.rules, base, head, src.Run(s.change...), src.Run(s.change...))
			c.runs += 2
		}
		right, wrong := false, false
		for _, f := range v.Findings {
			if f.Call == verdict.Slower {
				right = right || changed[f.Step]
				wrong = wrong || !changed[f.Step]
			}
		}
		if right || len(s.change) == 0 && v.Outcome == verdict.Regression {
			c.called++
		}
		if wrong {
			c.wrong++
		}
		if v.Outcome == verdict.Inconclusive {
			c.unsure++
		}
	}
	return c
}

// TestFalseAlarms: of pull requests that change nothing, at most one in a
// hundred is blamed for anything, in every class of noise, also where the shifts of
// single steps have heavy tails.
func TestFalseAlarms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class   sim.Class
		confirm bool
		most    float64
	}{
		{sim.Quiet, false, 0.01},
		{sim.Shared, false, 0.01},
		{sim.Noisy, false, 0.01},
		{sim.Hog, false, 0.01},
		{sim.Heavy, false, 0.01},
		{sim.Heavy, true, 0.01},
	} {
		name := c.class.Name
		if c.confirm {
			name += ", confirmed"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := study{target: sim.Target{Class: c.class}, stored: 10, confirm: c.confirm, rules: strictRules(t)}.run(some(*trials))
			t.Logf("%d of %d blamed: %.2f%%, at most %.2f%% (95%%)", got.called, got.n, 100*got.share(got.called), 100*got.upper(got.called))
			claim(t, got.share(got.called) <= c.most && got.share(got.unsure) <= 0.01,
				"%.2f%% blamed, %.2f%% inconclusive; want at most %g%% and 1%%", 100*got.share(got.called), 100*got.share(got.unsure), 100*c.most)
		})
	}
}

// TestPower: what the stored-baseline mode promises to see, it sees.
func TestPower(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		target  sim.Target
		stored  int
		change  sim.Change
		confirm bool
		least   float64
	}{
		{"quiet, +20 %, ten runs", sim.Target{Class: sim.Quiet}, 10, slow(2, 1.2), false, 0.95},
		{"shared, +20 %, ten runs, confirmed", sim.Target{Class: sim.Shared}, 10, slow(2, 1.2), true, 0.95},
		{"shared, +50 %, ten runs", sim.Target{Class: sim.Shared}, 10, slow(2, 1.5), false, 0.95},
		{"shared, +20 %, tail only, ten runs, confirmed", sim.Target{Class: sim.Shared}, 10, sim.Change{Step: 2, By: math.Log(1.35), Tail: true}, true, 0.95},
		{"noisy, +50 %, ten runs, confirmed", sim.Target{Class: sim.Noisy}, 10, slow(2, 1.5), true, 0.95},
		{"noisy, x10, one run", sim.Target{Class: sim.Noisy}, 1, slow(2, 10), false, 0.99},
		{"shared, x3, one run", sim.Target{Class: sim.Shared}, 1, slow(2, 3), false, 0.95},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := study{target: c.target, stored: c.stored, change: []sim.Change{c.change}, confirm: c.confirm, rules: strictRules(t)}.run(some(200))
			t.Logf("called %.1f%%, wrong step named %.1f%%, %.2f runs", 100*got.share(got.called), 100*got.share(got.wrong), got.share(got.runs))
			claim(t, got.share(got.called) >= c.least, "called %.1f%%, want at least %.0f%%", 100*got.share(got.called), 100*c.least)
			claim(t, got.share(got.wrong) <= 0.02, "a step that did not change was named in %.1f%%", 100*got.share(got.wrong))
		})
	}
}

// TestFewRuns: one or two stored runs know little, and blame nobody for it.
func TestFewRuns(t *testing.T) {
	t.Parallel()
	for _, stored := range []int{1, 2, 3} {
		for _, target := range []sim.Target{
			{Class: sim.Shared},
			{Class: sim.Noisy},
			{Class: sim.Shared, Steps: 1},
			{Class: sim.Shared, Steps: 3},
		} {
			c := study{target: target, stored: stored, rules: strictRules(t)}.run(some(*trials / 5))
			claim(t, c.share(c.called) <= 0.015, "%s, %d steps, %d runs: %.2f%% blamed", target.Class.Name, target.Steps, stored, 100*c.share(c.called))
		}
	}
}

// TestShortRuns: ten seconds are twelve short rounds with few requests each.
// They see less, and are no less honest.
func TestShortRuns(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		for _, rate := range []float64{100, 400} {
			target := sim.Target{Class: class, Rate: rate, Rounds: 12, Round: 833 * 1e6}
			for _, stored := range []int{1, 3, 10} {
				c := study{target: target, stored: stored, rules: strictRules(t)}.run(some(*trials / 5))
				claim(t, c.share(c.called) <= 0.015, "%s, %g/s, %d runs: %.2f%% blamed", class.Name, rate, stored, 100*c.share(c.called))
			}
			c := study{target: target, stored: 10, rules: strictRules(t), change: []sim.Change{slow(1, 2)}}.run(max(some(50), 10))
			claim(t, c.share(c.called) >= 0.95, "%s, %g/s: x2 called in %.0f%%", class.Name, rate, 100*c.share(c.called))
		}
	}
}

// TestInterval: the interval that is shown holds the true change about as often
// as it says.
func TestInterval(t *testing.T) {
	t.Parallel()
	held, n := 0, 0
	for seed := range uint64(some(300)) {
		src := sim.New(sim.Target{Class: sim.Shared}, seed)
		v := judge(strictRules(t), src.Runs(10), src.Run(slow(2, 1.2)))
		for _, f := range v.Findings {
			if f.Step == sim.StepName(2) && slices.Contains([]string{"p50", "p95", "p99"}, f.Metric) {
				n++
				if f.LowPercent <= 20 && 20 <= f.HighPercent {
					held++
				}
			}
		}
	}
	share := float64(held) / float64(n)
	claim(t, share >= 0.93 && share <= 0.995, "the 95%% interval held the truth in %.1f%% of %d", 100*share, n)
}
