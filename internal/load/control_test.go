package load_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// A step of a script: what somebody does to a run, and when.
type deed struct {
	at  time.Duration
	how func(*load.Control) error
}

// whileRunning runs a load in a bubble and does deeds at their times.
func whileRunning(t *testing.T, p plan.Plan, users *loadtest.Users, deeds ...deed) *result.Run {
	t.Helper()
	var r *result.Run
	synctest.Test(t, func(t *testing.T) {
		c := &load.Control{}
		done := make(chan struct{})
		go func() {
			defer close(done)
			start := time.Now()
			for _, d := range deeds {
				time.Sleep(time.Until(start.Add(d.at)))
				if err := d.how(c); err != nil {
					t.Errorf("at %v: %v", d.at, err)
				}
			}
		}()
		r = run(t.Context(), t, p, users, load.Options{Control: c})
		<-done
		if err := c.Hold(0, 1); err == nil {
			t.Error("a load that is over can still be changed")
		}
		if err := c.Stop("too late"); err == nil {
			t.Error("a load that is over can still be stopped")
		}
	})
	return r
}

func holdAt(at time.Duration, level float64) deed {
	return deed{at, func(c *load.Control) error { return c.Hold(0, level) }}
}

func TestControlOpen(t *testing.T) {
	t.Parallel()
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(100, 5*time.Second), ramp(100, 50, 5*time.Second)}})
	users := slow(20 * time.Millisecond)
	r := whileRunning(t, p, users,
		holdAt(2500*time.Millisecond, 400), holdAt(6*time.Second, 0), holdAt(7*time.Second, 20))
	const want = 250 + 3.5*400 + 0 + 60
	if got := flow(r).Offered; math.Abs(float64(got)-want) > 1 {
		t.Errorf("%d arrivals, want %v", got, want)
	}
	if r.Duration != 10*time.Second || r.Measured != 10*time.Second || r.Stopped != "" {
		t.Errorf("duration %v, measured %v, stopped %q", r.Duration, r.Measured, r.Stopped)
	}
	if got, want := r.Cells[0].Latency.Max(), int64(20_000); got > want+want/500 {
		t.Errorf("the longest took %d µs, want %d: a change made an arrival late", got, want)
	}
	var rates []float64
	for _, row := range r.Series {
		rates = append(rates, row.Rate)
	}
	if d := cmp.Diff([]float64{100, 100, 400, 400, 400, 400, 0, 20, 20, 20}, rates); d != "" {
		t.Errorf("rates asked for, by row (-want +got):\n%s", d)
	}
	for _, row := range r.Series {
		if row.At == 2*time.Second {
			continue // half of it was at another rate
		}
		if math.Abs(float64(row.Offered)-row.Rate) > 1 {
			t.Errorf("at %v %d arrivals came, %v were asked for", row.At, row.Offered, row.Rate)
		}
	}
	if d := cmp.Diff([]result.Change{
		{At: 2500 * time.Millisecond, Open: true, Level: 400},
		{At: 6 * time.Second, Open: true, Level: 0},
		{At: 7 * time.Second, Open: true, Level: 20},
	}, r.Changes); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	// The stages are those of the plan, whatever the level.
	for _, f := range r.Flows {
		if want := []int64{250 + 1000, 400 + 60}[f.Stage]; math.Abs(float64(f.Offered-want)) > 1 {
			t.Errorf("stage %d had %d arrivals, want %d", f.Stage, f.Offered, want)
		}
	}
}

// Changes that come faster than arrivals, as from a slider, lose and add none.
func TestControlOpenOften(t *testing.T) {
	t.Parallel()
	var deeds []deed
	for at := 50 * time.Millisecond; at < 9*time.Second; at += 7 * time.Millisecond {
		deeds = append(deeds, holdAt(at, 25))
	}
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(25, 10*time.Second)}})
	if got := flow(whileRunning(t, p, slow(time.Millisecond), deeds...)).Offered; got != 250 {
		t.Errorf("%d arrivals after %d changes to the same rate, want 250", got, len(deeds))
	}
}

func TestControlClosed(t *testing.T) {
	t.Parallel()
	p := one(plan.Track{Stages: []plan.Stage{hold(10, 4*time.Second), hold(2, 4*time.Second)}})
	// At the very end of a second, users may be counted before or after.
	r := whileRunning(t, p, slow(100*time.Millisecond), holdAt(2500*time.Millisecond, 30), holdAt(5500*time.Millisecond, 5))
	var users []int
	for _, row := range r.Series {
		users = append(users, row.Users)
	}
	if d := cmp.Diff([]int{10, 10, 30, 30, 30, 5, 5, 5}, users); d != "" {
		t.Errorf("users by row (-want +got):\n%s", d)
	}
	if len(r.Changes) != 2 || r.Duration != 8*time.Second {
		t.Errorf("%d changes in %v", len(r.Changes), r.Duration)
	}
}

func TestControlStops(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{true, false} {
		p := one(plan.Track{Open: open, Stages: []plan.Stage{hold(10, time.Minute)}})
		r := whileRunning(t, p, slow(30*time.Millisecond), deed{1500 * time.Millisecond, func(c *load.Control) error { return c.Stop("enough") }})
		if r.Stopped != "enough" || r.Interrupted || r.Duration > 1600*time.Millisecond {
			t.Errorf("open %v: stopped %q after %v", open, r.Stopped, r.Duration)
		}
	}
}

func TestControlRefuses(t *testing.T) {
	t.Parallel()
	wrong := func(track int, level float64) deed {
		return deed{time.Second, func(c *load.Control) error {
			if err := c.Hold(track, level); err == nil {
				t.Errorf("a level of %v on load %d is taken", level, track)
			}
			return nil
		}}
	}
	for _, open := range []bool{true, false} {
		p := one(plan.Track{Open: open, Stages: []plan.Stage{hold(10, 3*time.Second)}})
		deeds := []deed{wrong(0, -1), wrong(0, math.NaN()), wrong(0, math.Inf(1)), wrong(0, 1e7), wrong(1, 5), wrong(-1, 5)}
		if !open {
			deeds = append(deeds, wrong(0, 0), wrong(0, 2.5))
		}
		if r := whileRunning(t, p, slow(time.Millisecond), deeds...); r.Changes != nil {
			t.Errorf("open %v: %+v", open, r.Changes)
		}
	}
	if err := (&load.Control{}).Hold(0, 5); err == nil {
		t.Error("a load that has not begun can be changed")
	}
}

// A stop and changes from many goroutines at once leave a whole result.
func TestControlRaces(t *testing.T) {
	t.Parallel()
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(2000, 400*time.Millisecond)}})
	p.Tracks = append(p.Tracks, plan.Track{
		Name: "b", Stages: []plan.Stage{hold(5, 400*time.Millisecond)}, Shares: []plan.Share{{Weight: 1}}, GracefulStop: time.Second,
	})
	c, users := &load.Control{}, &loadtest.Users{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			_ = c.Hold(n%2, float64(1+n%50)) // refused before and after the load
			time.Sleep(time.Millisecond)
		}
	}()
	r, err := load.Run(ctx, p, users.New, load.Options{Catalog: loadtest.Catalog("s"), Control: c})
	cancel()
	<-done
	if err != nil || users.Made.Load() != users.Closed.Load() {
		t.Errorf("%v; %d users made, %d closed", err, users.Made.Load(), users.Closed.Load())
	}
	if f := flow(r); f.Offered != f.Started+f.Dropped || len(r.Changes) == 0 {
		t.Errorf("%+v, %d changes", f, len(r.Changes))
	}
}
