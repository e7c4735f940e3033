package verdict_test

import (
	"math"
	"slices"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

func TestPoolLeavesOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*result.Summary)
		used   bool
	}{
		{"an attempt", func(*result.Summary) {}, true},
		{"another commit", func(s *result.Summary) { s.Commit = "other" }, false},
		{"another load", func(s *result.Summary) { s.Fingerprint = "other" }, false},
		{"another spec", func(s *result.Summary) { s.Spec = "other" }, false},
		{"another machine", func(s *result.Summary) { s.Environment.CPU = "other" }, false},
		{"unfit", func(s *result.Summary) { s.Unfit = "it was interrupted" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := sim.New(sim.Target{Class: calm}, 7)
			base, head, other, repeat := src.Runs(5), src.Run(), src.Run(), src.Run()
			other.Commit, repeat.Commit = head.Commit, head.Commit
			repeat.Again = true // by the job of other
			c.change(other)
			v := verdict.Judge(verdict.Input{
				Run: sim.Of(head), Head: head, Base: base, Again: []*result.Summary{other, repeat},
				Gate: verdict.Gate{Compare: strictRules(t)},
			})
			left := 0
			for _, w := range v.Warnings {
				if w.Code == "attempt-left-out" {
					left++
				}
			}
			if used := v.Together != nil; used != c.used || left != map[bool]int{true: 0, false: 2}[c.used] {
				t.Errorf("together %+v, %d left out: %v", v.Together, left, v.Warnings)
			}
			if c.used && (v.Together.Runs != 3 || v.Together.Attempts != 2 || v.Together.Rounds != 36) {
				t.Errorf("together %+v; want 3 runs of 2 attempts, 36 rounds", v.Together)
			}
		})
	}
}

func TestNotConfirmed(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: calm}, 4)
	base, head := src.Runs(5), src.Run(slow(2, 1.5))
	v := judge(strictRules(t), base, head, src.Runs(5)...)
	if !slices.Contains(codes(v.Warnings), "not-confirmed") || !slices.Contains(codes(v.Warnings), "pooled") {
		t.Errorf("warnings %v", v.Warnings)
	}
}

// untilGreen runs the job again, five times at most, until it passes, and reports
// whether it ever did. pooled: the attempts are judged together.
func untilGreen(t *testing.T, class sim.Class, seed uint64, pooled bool, ch ...sim.Change) (first, ever bool) {
	t.Helper()
	src := sim.New(sim.Target{Class: class}, seed)
	base := src.Runs(10)
	var before []*result.Summary
	for attempt := range 5 {
		head := src.Run(ch...)
		pool := before
		if !pooled {
			pool = nil
		}
		ever = judge(strictRules(t), base, head, pool...).Outcome != verdict.Regression
		if attempt == 0 {
			first = ever
		}
		if ever {
			return first, ever
		}
		before = append(before, head)
	}
	return first, ever
}

// greenStudy is the share of n pull requests that pass at the first attempt, and
// that pass at any of up to five.
func greenStudy(t *testing.T, class sim.Class, n int, pooled bool, ch ...sim.Change) (first, ever float64) {
	t.Helper()
	for seed := range uint64(n) {
		f, e := untilGreen(t, class, seed, pooled, ch...)
		if f {
			first++
		}
		if e {
			ever++
		}
	}
	return first / float64(n), ever / float64(n)
}

// TestRunningAgainUntilGreen: where attempts pool, re-running does not raise the
// chance that a slowdown passes; where they do not, it does.
func TestRunningAgainUntilGreen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class sim.Class
		by    float64
	}{{sim.Shared, 1.2}, {sim.Shared, 1.3}, {sim.Quiet, 1.15}} {
		n := some(400)
		first, ever := greenStudy(t, c.class, n, true, slow(2, c.by))
		_, alone := greenStudy(t, c.class, n, false, slow(2, c.by))
		t.Logf("%s %+.0f %%: passes at the first attempt %.1f%%, within five %.1f%%; if attempts did not pool %.1f%%",
			c.class.Name, 100*(c.by-1), 100*first, 100*ever, 100*alone)
		claim(t, ever-first <= 0.02, "%s x%g: %.1f%% pass at once, %.1f%% within five attempts", c.class.Name, c.by, 100*first, 100*ever)
		claim(t, alone >= ever, "%s x%g: pooling lets more pass", c.class.Name, c.by)
	}
	for _, class := range []sim.Class{sim.Shared, sim.Heavy} {
		n := some(*trials)
		first, ever := greenStudy(t, class, n, true)
		t.Logf("%s, clean: blamed at the first attempt %.2f%%, still after five %.2f%%", class.Name, 100*(1-first), 100*(1-ever))
		claim(t, ever >= first && 1-ever <= math.Max(0.01, 1-first), "%s: more clean pull requests stay blamed after five attempts", class.Name)
	}
}
