package verdict_test

import (
	"math"
	"slices"
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

// A creepTally counts what came of histories in which a step creeps, and of flat
// ones of a hundred merges.
type creepTally struct {
	n, seen, inTime, alarms int
	merges                  []float64 // that had crept when it was seen
}

// trendWindow is how many runs of the main branch a trend is read from.
const trendWindow = 60

// creepStudy simulates n histories of each kind, and looks at them after each merge,
// or after each every-th where nothing creeps. In time is before the step is 15 %
// slower.
func creepStudy(class sim.Class, n, every int) creepTally {
	c := creepTally{n: n}
	newest := func(all []*result.Summary, without int) []*result.Summary {
		all = all[without:]
		return all[:min(trendWindow, len(all))]
	}
	crept := func(found verdict.Creep) bool {
		return found.Step == sim.StepName(1) && found.Percent > 3 && found.Percent < 25
	}
	for seed := range uint64(n) {
		all := merges(sim.New(sim.Target{Class: class}, seed), trendWindow, 0.01)
		for have := 26; have <= len(all); have++ {
			if slices.ContainsFunc(verdict.Trend(newest(all, len(all)-have)), crept) {
				c.seen++
				c.merges = append(c.merges, float64(have-25))
				if math.Pow(1.01, float64(have-25)) < 1.15 {
					c.inTime++
				}
				break
			}
		}
		all = merges(sim.New(sim.Target{Class: class}, seed+1e6), trendWindow+100, 0)
		for without := 0; without <= 100; without += every {
			if len(verdict.Trend(newest(all, without))) > 0 {
				c.alarms++
				break
			}
		}
	}
	return c
}

func (c creepTally) share(k int) float64 { return float64(k) / float64(c.n) }

// TestTrend: 1 % slower with each merge is seen before it comes to 15 %, where of
// flat histories of a hundred merges few raise an alarm.
func TestTrend(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared} {
		c := creepStudy(class, some(100), 5)
		t.Logf("%s: seen %d, in time %d, after %.0f merges, false alarms %d of %d", class.Name, c.seen, c.inTime, stat.Median(c.merges), c.alarms, c.n)
		claim(t, c.share(c.inTime) >= 0.95, "%s: creep seen in time in %d of %d", class.Name, c.inTime, c.n)
		claim(t, c.share(c.alarms) <= 0.03, "%s: %d of %d flat histories alarmed", class.Name, c.alarms, c.n)
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

// calibrateStudy is how often the change that calibration states is called, when
// it is then made, in n tries.
func calibrateStudy(t *testing.T, class sim.Class, n int) float64 {
	t.Helper()
	called := 0
	for seed := range uint64(n) {
		src := sim.New(sim.Target{Class: class}, seed)
		run := &result.Run{Mode: "paired", Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}}
		gate := verdict.Gate{Compare: rules(t, "latency.p50 within 5%", "latency.p95 within 5%")}
		past := src.Past(60)
		stated := verdict.Calibrate(run, src.Duel(120).First(120), gate, past, 0.05)
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
	return float64(called) / float64(n)
}

// TestCalibrate: the change that calibration states is called about 95 times in
// 100 when it is then made.
func TestCalibrate(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		share := calibrateStudy(t, class, some(200))
		t.Logf("%s: called %.1f%%", class.Name, 100*share)
		claim(t, share >= 0.90 && share <= 0.99, "%s: the stated change was called in %.1f%%", class.Name, 100*share)
	}
	few := verdict.Calibrate(&result.Run{}, &result.Pairing{Rows: []result.PairRow{{RowKey: result.RowKey{Scope: result.ScopeStep, Step: "GET /"}, Base: result.ArmCounts{Requests: 3}}}},
		verdict.Gate{Compare: rules(t, "latency.p50 within 5%")}, map[string][]stat.Compared{}, 0.05)
	if len(few) != 1 || few[0].Why == "" || few[0].Percent != 0 {
		t.Errorf("three requests: %+v", few)
	}
}
