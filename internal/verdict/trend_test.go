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

// merges are n runs of the main branch, newest first, in which a step creeps by
// the given share with each of 15 merges after run 25.
func merges(src *sim.Source, n int, by float64) []*result.Summary {
	var all []*result.Summary
	for i := range n {
		crept := min(max(i-24, 0), 15)
		all = append(all, src.Run(sim.Change{Step: 1, By: float64(crept) * math.Log1p(by)}))
	}
	slices.Reverse(all)
	return all
}

// TestTrend: 1 % slower with each merge is seen before it comes to 15 %, where
// flat histories raise an alarm in at most 3 of 100.
func TestTrend(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared} {
		seen, alarms, n := 0, 0, some(100)
		for seed := range uint64(n) {
			src := sim.New(sim.Target{Class: class}, seed)
			if slices.ContainsFunc(verdict.Trend(merges(src, 44, 0.01)), func(c verdict.Creep) bool {
				return c.Step == sim.StepName(1) && c.Percent > 3 && c.Percent < 25 && strings.Contains(c.Message, "slower bit by bit")
			}) {
				seen++
			}
			if len(verdict.Trend(merges(src, 60, 0))) > 0 {
				alarms++
			}
		}
		t.Logf("%s: seen %d, false alarms %d of %d", class.Name, seen, alarms, n)
		claim(t, float64(seen) >= 0.9*float64(n), "%s: creep seen in %d of %d", class.Name, seen, n)
		claim(t, float64(alarms) <= 0.05*float64(n), "%s: %d of %d flat histories alarmed", class.Name, alarms, n)
	}
	src := sim.New(sim.Target{Class: calm}, 1)
	if got := verdict.Trend(merges(src, 20, 0.05)); len(got) > 0 {
		t.Errorf("twenty runs: %+v", got)
	}
	if got := verdict.Trend(nil); len(got) > 0 {
		t.Errorf("no run: %+v", got)
	}
	got := verdict.Trend(merges(src, 44, 0.02))
	if len(got) == 0 || got[0].From == "" || got[0].Seen == "" || got[0].From > got[0].Seen {
		t.Errorf("%+v", got)
	}
}

// TestCalibrate: the change that calibration states is called about 95 times in
// 100 when it is then made.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		called, n := 0, some(200)
		for seed := range uint64(n) {
			src := sim.New(sim.Target{Class: class}, seed)
			run := &result.Run{Mode: "paired", Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}}
			gate := verdict.Gate{Compare: rules(t, "latency.p50 within 5%", "latency.p95 within 5%")}
			past := src.Past(60)
			stated := verdict.Calibrate(run, src.Duel(120).First(120), gate, past)
			at := slices.IndexFunc(stated, func(v verdict.Visible) bool { return v.Step == sim.StepName(2) && v.Metric == "p50" })
			if at < 0 || stated[at].Percent <= 0 {
				t.Fatalf("stated %+v", stated)
			}
			got := verdict.Paired(verdict.PairedInput{
				Run: run, Pairs: src.Duel(120, slow(2, 1+stated[at].Percent/100)).First(120), Gate: gate, Calibrated: true, Past: past,
			})
			if slices.Contains(calls(got.Verdict), "GET /2 p50 slower") {
				called++
			}
		}
		share := float64(called) / float64(n)
		t.Logf("%s: called %.1f%%", class.Name, 100*share)
		claim(t, share >= 0.90 && share <= 0.99, "%s: the stated change was called in %.1f%%", class.Name, 100*share)
	}
	few := verdict.Calibrate(&result.Run{}, &result.Pairing{Rows: []result.PairRow{{RowKey: result.RowKey{Scope: result.ScopeStep, Step: "GET /"}, Base: result.ArmCounts{Requests: 3}}}},
		verdict.Gate{Compare: rules(t, "latency.p50 within 5%")}, map[string][]stat.Compared{})
	if len(few) != 1 || few[0].Why == "" || few[0].Percent != 0 {
		t.Errorf("three requests: %+v", few)
	}
}
