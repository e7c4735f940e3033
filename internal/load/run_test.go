package load_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// in runs a load in a bubble, whose clock is exact.
func in(t *testing.T, p plan.Plan, users *loadtest.Users, opt load.Options, check func(*result.Run)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opt.Sleep = true
		if opt.Catalog.Steps == nil {
			opt.Catalog = loadtest.Catalog("s")
		}
		r, err := load.Run(t.Context(), p, users.New, opt)
		if err != nil {
			t.Fatal(err)
		}
		if made, closed := users.Made.Load(), users.Closed.Load(); made != closed {
			t.Errorf("made %d users, closed %d", made, closed)
		}
		check(r)
	})
}

func one(t plan.Track) plan.Plan {
	t.Shares = []plan.Share{{Weight: 1}}
	t.GracefulStop = 30 * time.Second
	return plan.Plan{Seed: 1, Tracks: []plan.Track{t}}
}

func hold(level float64, d time.Duration) plan.Stage {
	return plan.Stage{Name: "hold", From: level, To: level, Duration: d, Measure: true}
}

func total(r *result.Run) (n int64) {
	for _, c := range r.Cells {
		n += c.Count
	}
	return n
}

func flow(r *result.Run) (sum result.Flow) {
	for _, f := range r.Flows {
		sum.Offered += f.Offered
		sum.Started += f.Started
		sum.Completed += f.Completed
		sum.Cut += f.Cut
		sum.Dropped += f.Dropped
	}
	return sum
}

func TestOpen(t *testing.T) {
	users := &loadtest.Users{}
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(1000, 10*time.Second)}})
	in(t, p, users, load.Options{}, func(r *result.Run) {
		if n := total(r); n != 10000 {
			t.Errorf("got %d requests, want 10000", n)
		}
		want := result.Flow{Offered: 10000, Started: 10000, Completed: 10000}
		if got := flow(r); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if r.Duration != 10*time.Second || r.Measured != 10*time.Second || !r.Open {
			t.Errorf("got duration %v, measured %v, open %v", r.Duration, r.Measured, r.Open)
		}
		if len(r.Rounds) != 12 || len(r.Series) != 10 {
			t.Errorf("got %d rounds and %d rows, want 12 and 10", len(r.Rounds), len(r.Series))
		}
	})
}

func TestClosed(t *testing.T) {
	users := &loadtest.Users{Think: 9 * time.Millisecond}
	// Five milliseconds short, so that no iteration is due at the very end.
	p := one(plan.Track{Stages: []plan.Stage{hold(10, 9995*time.Millisecond)}})
	in(t, p, users, load.Options{}, func(r *result.Run) {
		if n := total(r); n != 10000 {
			t.Errorf("got %d requests, want 10000", n)
		}
		if n := users.Made.Load(); n != 10 {
			t.Errorf("made %d users, want 10", n)
		}
		if len(r.Rounds) != 12 {
			t.Errorf("got %d rounds", len(r.Rounds))
		}
	})
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3500*time.Millisecond, cancel)
		users := &loadtest.Users{}
		p := one(plan.Track{Open: true, GracefulStop: time.Minute, Stages: []plan.Stage{hold(100, 10*time.Second)}})
		r, err := load.Run(ctx, p, users.New, load.Options{Catalog: loadtest.Catalog("s"), Sleep: true})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Stopped == "" || r.Duration != 3500*time.Millisecond {
			t.Errorf("got interrupted %v, stopped %q, duration %v", r.Interrupted, r.Stopped, r.Duration)
		}
		if n := total(r); n < 349 || n > 351 {
			t.Errorf("got %d requests, want about 350", n)
		}
	})
}
