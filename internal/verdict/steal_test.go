package verdict_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// quick moves every latency of a run to routes that answer in about a
// millisecond.
func quick(runs ...*result.Summary) {
	for _, s := range runs {
		for i := range s.Rows {
			for j := range s.Rows[i].Latency {
				s.Rows[i].Latency[j].Y -= math.Log(20)
			}
		}
	}
}

// TestStolenCPU: an unchanged pull request was once called a regression while the
// host took 9 % of the CPU: of routes that take a millisecond the tails doubled,
// each in its own way, and three calm stored runs knew nothing of the kind.
func TestStolenCPU(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		before, now  float64
		change       sim.Change
		slow         bool // routes of 20 ms and more, not of 1 ms
		want, reason string
	}{
		{"tail of a fast route", 0, 0.09, sim.Change{Step: 2, By: math.Log(4), Tail: true}, false, "not-sure", "not-sure"},
		{"the same, nothing stolen", 0, 0, sim.Change{Step: 2, By: math.Log(4), Tail: true}, false, "slower", "slower"},
		{"the same, always stolen", 0.09, 0.09, sim.Change{Step: 2, By: math.Log(4), Tail: true}, false, "slower", "slower"},
		{"the same, hardly more than usual", 0.01, 0.03, sim.Change{Step: 2, By: math.Log(4), Tail: true}, false, "slower", "slower"},
		{"half as long again", 0, 0.09, slow(2, 1.5), false, "not-sure", "not-sure"},
		{"a middle that tripled", 0, 0.09, slow(2, 3), false, "slower", "slower"},
		{"a tail of 100 ms more", 0, 0.09, sim.Change{Step: 2, By: math.Log(4), Tail: true}, true, "slower", "slower"},
		{"nothing known", -1, -1, sim.Change{Step: 2, By: math.Log(4), Tail: true}, false, "slower", "slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := sim.New(sim.Target{Class: calm}, 4)
			base, head := src.Runs(3), src.Run(c.change)
			if !c.slow {
				quick(append(base, head)...)
			}
			for _, s := range base {
				s.Steal = c.before
			}
			head.Steal = c.now
			v := judge(rules(t, "latency.p50 within 5%", "latency.p95 within 5%"), base, head)
			said := false
			for _, call := range calls(v) {
				said = said || strings.HasSuffix(call, c.want)
				if c.want == "not-sure" && strings.HasSuffix(call, "slower") {
					t.Errorf("said %q", call)
				}
			}
			if !said || !slices.Contains(codes(v.Reasons), c.reason) {
				t.Errorf("calls %q, reasons %v", calls(v), v.Reasons)
			}
			stolen := slices.Contains(codes(v.Warnings), "cpu-stolen")
			if want := c.now-c.before >= 0.03; stolen != want {
				t.Errorf("warnings %v; want the stolen CPU named: %v", v.Warnings, want)
			}
			if wantOutcome := map[string]verdict.Outcome{"not-sure": verdict.Inconclusive, "slower": verdict.Regression}[c.want]; v.Outcome != wantOutcome {
				t.Errorf("outcome %s", v.Outcome)
			}
		})
	}
}

// TestAgain: runs that the same job makes again take a call back when the
// disturbance has gone, and are never taken for runs on fresh machines.
func TestAgain(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: calm}, 4)
	base, disturbed := src.Runs(5), src.Run(slow(2, 2))
	again := src.Runs(2)
	for _, s := range again {
		s.Again = true
	}
	if v := judge(strictRules(t), base, disturbed); v.Outcome != verdict.Regression || !v.Confirm {
		t.Fatalf("%s, confirm %v; want a regression that asks to be confirmed", v.Outcome, v.Confirm)
	}
	if v := judge(strictRules(t), base, disturbed, again...); v.Outcome != verdict.Pass || v.Confirm {
		t.Errorf("disturbed once of three: %s, %v", v.Outcome, v.Reasons)
	}
	slower := []*result.Summary{src.Run(slow(2, 2)), src.Run(slow(2, 2))}
	for _, s := range slower {
		s.Again = true
	}
	one := judge(strictRules(t), base, disturbed)
	same := judge(strictRules(t), base, disturbed, slower...)
	fresh := judge(strictRules(t), base, disturbed, src.Run(slow(2, 2)), src.Run(slow(2, 2)))
	noise := func(v verdict.Verdict) float64 {
		for _, f := range v.Findings {
			if f.Step == sim.StepName(2) && f.Metric == "p50" {
				return f.NoisePercent
			}
		}
		t.Fatal("no finding")
		return 0
	}
	if noise(one) != noise(same) || noise(fresh) >= noise(one) {
		t.Errorf("noise limit: one run %g%%, three of one job %g%%, three jobs %g%%; want the first two alike and the last lower",
			noise(one), noise(same), noise(fresh))
	}
	if same.Outcome != verdict.Regression {
		t.Errorf("slow three times: %s", same.Outcome)
	}
}
