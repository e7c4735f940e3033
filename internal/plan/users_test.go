package plan

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func changes(p Plan) []Change {
	var out []Change
	for c := p.Changes(0); ; {
		next, ok := c.Next()
		if !ok {
			return out
		}
		out = append(out, next)
	}
}

// closed is a plan of one closed track.
func closed(spawn float64, stages ...Stage) Plan {
	return Plan{Seed: 1, Tracks: []Track{{SpawnRate: spawn, Stages: stages, Shares: []Share{{Weight: 1}}}}}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	sec := time.Second
	tests := []struct {
		name string
		plan Plan
		want []Change
	}{
		{"hold", closed(0, hold(5, sec)), []Change{{0, 5}}},
		{"ramp up", closed(0, ramp(0, 3, 3*sec), hold(3, sec)), []Change{{0, 1}, {sec, 2}, {2 * sec, 3}}},
		{"ramp down", closed(0, hold(3, sec), ramp(3, 0, 3*sec)), []Change{{0, 3}, {2 * sec, 2}, {3 * sec, 1}}},
		{"jumps", closed(0, hold(2, sec), jump(2, 5), hold(5, sec), jump(5, 0), hold(0, sec)), []Change{{0, 2}, {sec, 5}, {2 * sec, 0}}},
		{"spawn rate", closed(2, hold(3, 10*sec)), []Change{{0, 1}, {sec / 2, 2}, {sec, 3}}},
		{"spawn rate never catches up", closed(1, hold(100, 3*sec)), []Change{{0, 1}, {sec, 2}, {2 * sec, 3}}},
		{
			"spawn rate does not hold back a fall",
			closed(1, hold(3, 3*sec), hold(1, 3*sec)),
			[]Change{{0, 1}, {sec, 2}, {2 * sec, 3}, {3 * sec, 1}},
		},
		{
			"spawn rate catches up with a slower ramp",
			closed(2, hold(0, sec), ramp(2, 4, 2*sec)),
			[]Change{{sec, 1}, {1500 * time.Millisecond, 2}, {2 * sec, 3}, {2500 * time.Millisecond, 4}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(tt.want, changes(tt.plan)); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}

func TestChangesAgreeWithUsers(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		p := closed(0, randomStages(rng, 50)...)
		if rng.IntN(2) == 0 {
			p.Tracks[0].SpawnRate = 1 + rng.Float64()*40
		}
		checkChanges(t, p)
	}
}

func checkChanges(t *testing.T, p Plan) {
	t.Helper()
	track := p.Tracks[0]
	all := changes(p)
	for i, c := range all {
		if i > 0 && (c.At < all[i-1].At || c.Users == all[i-1].Users) {
			t.Fatalf("%+v: change %+v follows %+v", track, c, all[i-1])
		}
		end := track.Duration()
		if i+1 < len(all) {
			end = all[i+1].At
		}
		// Away from the changes, where rounding to nanoseconds is no matter; at
		// two moments, as the level may touch a whole number at one.
		if end-c.At < 10 {
			continue
		}
		at := c.At + (end-c.At)*3/8
		got := p.Users(0, at)
		if got != c.Users && p.Users(0, c.At+(end-c.At)*5/8) != c.Users {
			t.Fatalf("%+v: from %v there are %d users, at %v %d", track, c.At, c.Users, at, got)
		}
		if track.SpawnRate == 0 {
			if level := track.LevelAt(at); math.Abs(float64(c.Users)-level) > 1+near {
				t.Fatalf("%+v: at %v there are %d users, the level is %v", track, at, c.Users, level)
			}
		}
	}
	checkSpawnRate(t, track, all)
}

// checkSpawnRate counts, at each rise, the users that came in the second up to
// and with it.
func checkSpawnRate(t *testing.T, track Track, all []Change) {
	t.Helper()
	if track.SpawnRate == 0 {
		return
	}
	came := 0
	first := 0
	users := func(i int) int {
		if i < 0 {
			return 0
		}
		return all[i].Users
	}
	for i, c := range all {
		came += max(c.Users-users(i-1), 0)
		for ; all[first].At <= c.At-time.Second; first++ {
			came -= max(users(first)-users(first-1), 0)
		}
		if float64(came) > track.SpawnRate+2 {
			t.Fatalf("%+v: %d users came in the second to %v", track, came, c.At)
		}
	}
}

func TestUsersOutsideTheTrack(t *testing.T) {
	t.Parallel()
	p := closed(0, hold(5, time.Second))
	for _, at := range []time.Duration{-1, time.Second, time.Hour} {
		if n := p.Users(0, at); n != 0 {
			t.Errorf("at %v there are %d users, want 0", at, n)
		}
	}
}
