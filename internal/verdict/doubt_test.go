package verdict_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// TestWithoutARestart: what is beyond ordinary noise, but not beyond what an odd
// deployment may do, is called only where both sides can be restarted; else it is
// not sure, with what would settle it.
func TestWithoutARestart(t *testing.T) {
	t.Parallel()
	past := map[string][]stat.Compared{}
	for i := range 60 { // deployments that hardly differ, as far as is known
		past["p50"] = append(past["p50"], stat.Compared{Y: 0.002 * math.Sin(float64(i)), SE: 0.001})
	}
	for _, c := range []struct {
		name     string
		by       float64
		redeploy bool
		warn     bool
		look     int
		want     verdict.Outcome
		next     verdict.Next
	}{
		{"within ordinary noise", 0.005, false, false, 3, verdict.Pass, verdict.Done},
		{"between the limits", 0.035, false, false, 3, verdict.Inconclusive, verdict.Done},
		{"between the limits, early", 0.04, false, false, 1, "", verdict.Continue},
		{"between the limits, of a rule that warns", 0.035, false, true, 3, verdict.Pass, verdict.Done},
		{"beyond both", 0.08, false, false, 3, verdict.Regression, verdict.Done},
		{"between the limits, with a restart", 0.035, true, false, 3, "", verdict.Confirm},
		{"better, between the limits", -0.035, false, false, 3, verdict.Pass, verdict.Done},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pairs := sim.New(sim.Target{Class: calm}, 1).Duel(180).First(180)
			for i := range pairs.Rows {
				for j := range pairs.Rows[i].Latency {
					q := &pairs.Rows[i].Latency[j]
					for k := range q.Differences {
						q.Differences[k] = 0.001 * float64(k%3-1)
						if pairs.Rows[i].Step == sim.StepName(1) && q.Q == 0.5 {
							q.Differences[k] += c.by
						}
					}
				}
			}
			rules := rules(t, "latency.p50 within 1%")
			rules[0].Warn = c.warn
			out := verdict.Paired(verdict.PairedInput{
				Run:   &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
				Pairs: pairs, Look: c.look, Redeploy: c.redeploy, Calibrated: true, Past: past, Gate: verdict.Gate{Compare: rules},
			})
			if out.Next != c.next || c.want != "" && out.Outcome != c.want {
				t.Fatalf("%s, next %q, %v; want %s, %q", out.Outcome, out.Next, out.Reasons, c.want, c.next)
			}
			if c.want != verdict.Inconclusive {
				return
			}
			at := slices.IndexFunc(out.Findings, func(f verdict.Finding) bool { return f.Call == verdict.NotSure })
			if at < 0 || out.Findings[at].Step != sim.StepName(1) {
				t.Fatalf("%+v", out.Findings)
			}
			f := out.Findings[at]
			if !strings.Contains(f.Why, "+3.56% is more than the rule and ordinary noise allow") || !strings.Contains(f.Remedy, "restarted to confirm") {
				t.Errorf("%q; %q", f.Why, f.Remedy)
			}
			if f.ChangePercent >= f.LimitPercent || f.Evidence.Paired.CountedPercent <= f.Evidence.ApartPercent {
				t.Errorf("limit %g, evidence %+v", f.LimitPercent, f.Evidence)
			}
		})
	}
}
