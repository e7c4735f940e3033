package plan_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/plan"
)

// heldArrivals walks an open track and holds rates at moments, in order.
func heldArrivals(p plan.Plan, holds []plan.Change) []plan.Arrival {
	walk := p.Arrivals(0)
	var all []plan.Arrival
	for {
		before := *walk
		next, ok := walk.Next()
		if len(holds) > 0 && (!ok || next.At >= holds[0].At) {
			*walk = before
			walk.Hold(holds[0].At, float64(holds[0].Users))
			holds = holds[1:]
			continue
		}
		if !ok {
			return all
		}
		all = append(all, next)
	}
}

func openPlan(stages ...plan.Stage) plan.Plan {
	return plan.Plan{Seed: 3, Tracks: []plan.Track{{Open: true, Stages: stages, Shares: []plan.Share{{Weight: 1}}}}}
}

func level(from, to float64, d time.Duration) plan.Stage {
	return plan.Stage{From: from, To: to, Duration: d, Measure: true}
}

func TestArrivalsHold(t *testing.T) {
	t.Parallel()
	p := openPlan(level(100, 100, 10*time.Second), level(50, 50, 10*time.Second))
	for _, test := range []struct {
		name  string
		holds []plan.Change
		want  int
	}{
		{"the same rate", []plan.Change{{At: 4 * time.Second, Users: 100}}, 400 + 600 + 1000},
		{"faster", []plan.Change{{At: 5 * time.Second, Users: 300}}, 500 + 1500 + 3000},
		{"slower", []plan.Change{{At: 5 * time.Second, Users: 10}}, 500 + 50 + 100},
		{"a pause", []plan.Change{{At: 5 * time.Second, Users: 0}, {At: 15 * time.Second, Users: 20}}, 500 + 100},
		{"from the start", []plan.Change{{At: 0, Users: 1}}, 20},
		{"when it is over", []plan.Change{{At: 20 * time.Second, Users: 1000}}, 1500},
	} {
		got := heldArrivals(p, test.holds)
		if len(got) != test.want {
			t.Errorf("%s: %d arrivals, want %d", test.name, len(got), test.want)
		}
		for i := 1; i < len(got); i++ {
			if got[i].At < got[i-1].At || got[i].N != got[i-1].N+1 {
				t.Fatalf("%s: %+v after %+v", test.name, got[i], got[i-1])
			}
			if want := int(got[i].At / (10 * time.Second)); got[i].Stage != want {
				t.Fatalf("%s: %+v is in stage %d", test.name, got[i], want)
			}
		}
	}
}

// Holding the rate that is planned anyway changes nothing, however often: no
// arrival more, none less, none moved.
func TestArrivalsHoldKeepsPhase(t *testing.T) {
	t.Parallel()
	for _, poisson := range []bool{false, true} {
		p := openPlan(level(37, 37, 20*time.Second))
		p.Tracks[0].Poisson = poisson
		want := heldArrivals(p, nil)
		rng := rand.New(rand.NewPCG(1, 2))
		var holds []plan.Change
		for at := time.Duration(0); at < 20*time.Second; at += time.Duration(rng.Int64N(int64(300 * time.Millisecond))) {
			holds = append(holds, plan.Change{At: at, Users: 37})
		}
		got := heldArrivals(p, holds)
		near := cmp.Comparer(func(a, b time.Duration) bool { return (a - b).Abs() < time.Microsecond })
		if d := cmp.Diff(want, got, near); d != "" {
			t.Errorf("poisson %v, after %d holds (-want +got):\n%s", poisson, len(holds), d)
		}
	}
}

// A ramp that is cut has come as far as it had.
func TestArrivalsHoldInARamp(t *testing.T) {
	t.Parallel()
	p := openPlan(level(0, 100, 10*time.Second))
	got := heldArrivals(p, []plan.Change{{At: 5 * time.Second, Users: 200}})
	if want := 125 + 1000; len(got) != want { // half of the ramp is a quarter of its area
		t.Errorf("%d arrivals, want %d", len(got), want)
	}
}

func TestArrivalsHoldOfOneShard(t *testing.T) {
	t.Parallel()
	sum := 0
	for part := range 3 {
		p := openPlan(level(90, 90, 10*time.Second))
		p.Part, p.Parts = part, 3
		sum += len(heldArrivals(p, []plan.Change{{At: 5 * time.Second, Users: 300}}))
	}
	if sum != 450+1500 {
		t.Errorf("three shards have %d arrivals, want 1950", sum)
	}
}

func TestChangesHold(t *testing.T) {
	t.Parallel()
	closed := func(spawn float64) plan.Plan {
		return plan.Plan{Seed: 3, Tracks: []plan.Track{{
			Stages: []plan.Stage{level(10, 10, 10*time.Second), level(10, 30, 10*time.Second)}, SpawnRate: spawn,
			Shares: []plan.Share{{Weight: 1}},
		}}}
	}
	for _, test := range []struct {
		name  string
		spawn float64
		users int
		want  []plan.Change
	}{
		{"more", 0, 25, []plan.Change{{At: 0, Users: 10}, {At: 4 * time.Second, Users: 25}}},
		{"fewer", 0, 3, []plan.Change{{At: 0, Users: 10}, {At: 4 * time.Second, Users: 3}}},
		{"the same", 0, 10, []plan.Change{{At: 0, Users: 10}}},
		{"more, spawned one by one", 1e3, 12, []plan.Change{
			{At: 4 * time.Second, Users: 11},
			{At: 4*time.Second + time.Millisecond, Users: 12},
		}},
	} {
		walk := closed(test.spawn).Changes(0)
		var got []plan.Change
		held := false
		for {
			before := *walk
			next, ok := walk.Next()
			if !held && (!ok || next.At >= 4*time.Second) {
				held = true
				*walk = before
				walk.Hold(4*time.Second, test.users)
				continue
			}
			if !ok {
				break
			}
			if test.spawn == 0 || next.At >= 4*time.Second {
				got = append(got, next)
			}
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, d)
		}
	}
}
