package plan

import (
	"math"
	"strings"
	"testing"
	"time"
)

func twoTracks() Plan {
	warm := hold(5, 10*time.Second)
	warm.Measure = false
	return Plan{Tracks: []Track{
		{Open: true, Stages: []Stage{warm, hold(5, 20*time.Second)}, Shares: []Share{{Weight: 1}}},
		{Start: 15 * time.Second, Open: true, Stages: []Stage{ramp(0, 10, 20*time.Second)}, Shares: []Share{{Weight: 1}}},
	}}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	p := twoTracks()
	if got := p.Duration(); got != 35*time.Second {
		t.Errorf("duration is %v, want 35s", got)
	}
	if got := p.Measured(); got != 25*time.Second {
		t.Errorf("measured is %v, want 25s", got)
	}
	if got := p.MeasuredUntil(12 * time.Second); got != 2*time.Second {
		t.Errorf("measured until 12s is %v, want 2s", got)
	}
	for at, want := range map[time.Duration]float64{
		-1: 0, 0: 5, 10 * time.Second: 5, 15 * time.Second: 5, 25 * time.Second: 10, 30 * time.Second: 7.5, 35 * time.Second: 0,
	} {
		if got := p.Rate(at); math.Abs(got-want) > 1e-9 {
			t.Errorf("rate at %v is %v, want %v", at, got, want)
		}
	}
	if until, measured := p.Stretch(0); until != 10*time.Second || measured {
		t.Errorf("the first stretch goes to %v, measured %v; want 10s, not measured", until, measured)
	}
	if until, measured := p.Stretch(10 * time.Second); until != 35*time.Second || !measured {
		t.Errorf("the second stretch goes to %v, measured %v; want 35s, measured", until, measured)
	}
	if got := p.NextEdge(35 * time.Second); got != math.MaxInt64 {
		t.Errorf("after the end the next edge is %v", got)
	}
}

func TestStageAt(t *testing.T) {
	t.Parallel()
	track := Track{Stages: []Stage{jump(0, 5), hold(5, time.Second), jump(5, 9), hold(9, time.Second)}}
	for at, want := range map[time.Duration]int{-1: -1, 0: 1, time.Second - 1: 1, time.Second: 3, 2 * time.Second: -1} {
		if got := track.StageAt(at); got != want {
			t.Errorf("at %v the stage is %d, want %d", at, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	with := func(change func(*Track)) Plan {
		p := open(hold(5, time.Second))
		change(&p.Tracks[0])
		return p
	}
	tests := []struct {
		name string
		plan Plan
		want string // in the message; "" for a good plan
	}{
		{"good", open(hold(5, time.Second)), ""},
		{"two tracks", twoTracks(), ""},
		{"no tracks", Plan{}, "no load"},
		{"no stages", open(), "no stages"},
		{"nan", open(hold(nan, time.Second)), "levels are 0 to"},
		{"infinite", open(ramp(0, inf, time.Second)), "levels are 0 to"},
		{"negative", open(hold(-1, time.Second)), "levels are 0 to"},
		{"too fast", open(hold(2e6, time.Second)), "levels are 0 to 1000000"},
		{"too many users", closed(0, hold(200_000, time.Second)), "levels are 0 to 100000"},
		{"never above 0", open(hold(0, time.Second)), "never rises"},
		{"only jumps", open(jump(0, 5)), "takes no time"},
		{"negative duration", open(hold(5, -time.Second)), "stage 1 takes -1s"},
		{"day and more", open(hold(5, 25*time.Hour)), "stages take 0s to 24h0m0s"},
		{"negative start", with(func(t *Track) { t.Start = -1 }), "start is"},
		{"negative grace", with(func(t *Track) { t.GracefulStop = -1 }), "graceful stop"},
		{"negative max users", with(func(t *Track) { t.MaxUsers = -1 }), "max users"},
		{"nan spawn rate", with(func(t *Track) { t.SpawnRate = nan }), "spawn rate"},
		{"negative iterations", with(func(t *Track) { t.Iterations = -1 }), "iterations"},
		{"no scenario", with(func(t *Track) { t.Shares = nil }), "no scenario"},
		{"all weights 0", with(func(t *Track) { t.Shares[0].Weight = 0 }), "no scenario"},
		{"nan weight", with(func(t *Track) { t.Shares[0].Weight = nan }), "weight NaN"},
		{"scenario below 0", with(func(t *Track) { t.Shares[0].Scenario = -1 }), "does not exist"},
		{"own users in an open load", with(func(t *Track) { t.Shares[0].Users = 1 }), "users of its own"},
		{"own users beyond the load", with(func(t *Track) { t.Open, t.Shares[0].Users = false, 6 }), "more than the load's 5"},
		{"own users leave some over", with(func(t *Track) { t.Open, t.Shares[0].Users = false, 4 }), "no scenario is left"},
		{"own users are all", with(func(t *Track) { t.Open, t.Shares[0].Users = false, 5 }), ""},
		{"shard beyond their number", open(hold(5, time.Second)).Shard(3, 3), "shard 3 of 3"},
		{"name in the message", with(func(t *Track) { t.Name, t.Start = "buy", -1 }), `load of scenario "buy"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.plan.Validate()
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	stages := make([]Stage, 400)
	for i := range stages {
		stages[i] = hold(1, MaxDuration)
	}
	if err := open(stages...).Validate(); err == nil {
		t.Error("400 days pass")
	}
}

// FuzzPlan makes a plan of any numbers at all. What Validate lets pass must
// keep every promise.
func FuzzPlan(f *testing.F) {
	f.Add(int64(1), 10.0, 20.0, int64(time.Second), 0.0, 5.0, int64(time.Second), 3.0, false, 3)
	f.Add(int64(1), 0.0, 0.001, int64(time.Second), 1000.0, 0.0, int64(1), 0.0, true, 1)
	f.Add(int64(-5), math.NaN(), math.Inf(1), int64(-1), -1.0, 1e300, int64(math.MaxInt64), math.NaN(), true, 0)
	f.Fuzz(func(t *testing.T, seed int64, from, to float64, d1 int64, from2, to2 float64, d2 int64, spawn float64, poisson bool, parts int) {
		stages := []Stage{ramp(from, to, time.Duration(d1)), jump(to, from2), ramp(from2, to2, time.Duration(d2))}
		for _, p := range []Plan{open(stages...), closed(spawn, stages...)} {
			p.Seed = seed
			p.Tracks[0].Poisson = poisson && p.Tracks[0].Open
			if p.Validate() != nil || integral(p.Tracks[0], p.Duration()) > 20000 || p.Tracks[0].Peak() > 20000 {
				continue
			}
			if p.Tracks[0].Open {
				checkArrivals(t, p)
				checkShards(t, p, 1+min(max(parts, 0), 5))
			} else {
				checkChanges(t, p)
			}
		}
	})
}
