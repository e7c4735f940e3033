package live_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

var twoStages = plan.Plan{Seed: 1, Tracks: []plan.Track{{
	Open: true,
	Stages: []plan.Stage{
		{Name: "warm-up", Duration: 10 * time.Second, To: 50},
		{Name: "hold", Duration: 20 * time.Second, From: 50, To: 50, Measure: true},
	},
}}}

var catalog = result.Catalog{
	Scenarios: []string{"shop"},
	Steps:     []result.Step{{Scenario: "shop", Name: "GET /a"}, {Scenario: "shop", Name: "GET /b"}},
}

// interval is a second in which /a was answered n times and /b failed once.
func interval(at time.Duration, stage int, n int64) *result.Interval {
	return &result.Interval{
		Second: result.Second{
			At: at, Stage: stage, Measured: stage == 1, Users: 7, InFlight: 3, Rate: 50, Completed: n + 1, Failed: 1,
			Status: map[int]int64{200: n}, Errors: map[string]int64{"timeout": 1},
			Health: result.Health{CPU: 0.85, Steal: -1, LagP99: 11 * time.Millisecond},
		},
		Recent: result.Recent{
			Length: 2 * time.Second, All: result.RecentFigures{P50: 5, P95: 6, P99: 7},
			Steps: []result.RecentFigures{{P50: 1, P95: 2, P99: 3}, {}},
		},
		Cells: []result.Cell{
			{Key: result.Key{Step: 0, Status: 200}, Count: n},
			{Key: result.Key{Step: 1, Error: "timeout", Failed: true}, Count: 1},
		},
		Flows:   []result.Flow{{Started: n}},
		Tallies: []result.Tally{{Passed: 1, Failed: 2}},
	}
}

func TestSecondSaysWhereTheRunIs(t *testing.T) {
	t.Parallel()
	f := live.NewFeed(twoStages, catalog, "", 0)
	first := interval(0, 0, 40)
	first.Observed = []result.Observed{
		{Role: "cpu", Limit: 4, Every: time.Second, Readings: []result.Reading{{At: -100 * time.Millisecond, Value: 1}, {At: 900 * time.Millisecond, Value: 2}}},
		{Role: "memory", Unit: unit.BaseBytes, Readings: []result.Reading{{Value: 1024}}},
		{Role: "queue", Missed: 1},
	}
	f.Second(first)
	second := interval(12*time.Second, 1, 60)
	second.Observed = []result.Observed{{Role: "memory", Unit: unit.BaseBytes, Every: 5 * time.Second, Readings: []result.Reading{{At: 12250 * time.Millisecond, Value: 2048}}}}
	got := f.Second(second)
	want := &live.Row{
		Phase: live.Load, TimeS: 12, ElapsedS: 13, PlannedS: 30, LeftS: 17, Measured: true, Open: true,
		Stage: live.Stage{Name: "hold", K: 2, N: 2, LeftS: 17},
		Asked: 50, Started: 60, Requests: 61, Failed: 1, Users: 7, InFlight: 3,
		Latency: live.Latency{P50: 5, P95: 6, P99: 7}, LatencyOfS: 2,
		Status: map[int]int64{200: 60}, Errors: map[string]int64{"timeout": 1},
		Total: live.Total{
			Requests: 102, Failed: 2, Started: 100, Checks: 4,
			Status: map[int]int64{200: 100}, Errors: map[string]int64{"timeout": 2},
		},
		Steps: []live.Step{
			{Scenario: "shop", Name: "GET /a", Requests: 60, Total: 100, Latency: live.Latency{P50: 1, P95: 2, P99: 3}},
			{Scenario: "shop", Name: "GET /b", Requests: 1, Failed: 1, Total: 2, Bad: 2},
		},
		Health: live.Health{CPUPercent: 85, LagP99us: 11000, Busy: true, Late: true},
		Target: []live.Told{
			{Role: "cpu", TimeS: 0.9, EveryS: 1, Value: 2, Limit: 4}, {Role: "memory", TimeS: 12.25, EveryS: 5, Value: 2048, Unit: unit.BaseBytes},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the row differs (-want +got):\n%s", d)
	}
}

// A row is kept by those who watch while the run goes on: it must not change.
func TestRowsDoNotChangeAfterwards(t *testing.T) {
	t.Parallel()
	f := live.NewFeed(twoStages, catalog, "", 0)
	iv := interval(0, 0, 40)
	row := f.Second(iv)
	before, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	iv.Second.Status[200], iv.Second.Errors["reset"] = 1, 9
	f.Second(interval(time.Second, 0, 7))
	after, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(before), string(after)); d != "" {
		t.Errorf("a row that was published changed:\n%s", d)
	}
}

func TestPairedRunsHaveNoStages(t *testing.T) {
	t.Parallel()
	f := live.NewFeed(twoStages, catalog, "head", time.Minute)
	row := f.Second(interval(50*time.Second, 1, 40))
	if row.Arm != "head" || row.LeftS != 9 || row.PlannedS != 60 || row.Stage != (live.Stage{}) {
		t.Errorf("got %s, %g s left of %g s, stage %+v", row.Arm, row.LeftS, row.PlannedS, row.Stage)
	}
}

func TestClosedTracksAskForUsers(t *testing.T) {
	t.Parallel()
	p := plan.Plan{Tracks: []plan.Track{{Stages: []plan.Stage{{Duration: 10 * time.Second, From: 0, To: 20}}}}}
	row := live.NewFeed(p, result.Catalog{}, "", 0).Second(&result.Interval{Second: result.Second{At: 4500 * time.Millisecond}})
	if row.UsersAsked != 10 || row.Open {
		t.Errorf("half way up to 20 users, %g are asked for (open: %v)", row.UsersAsked, row.Open)
	}
}
