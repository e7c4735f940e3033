package load_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// in runs a load in a bubble, whose clock is exact.
func in(t *testing.T, p plan.Plan, users *loadtest.Users, opt load.Options) *result.Run {
	t.Helper()
	var r *result.Run
	synctest.Test(t, func(t *testing.T) { r = run(t.Context(), t, p, users, opt) })
	return r
}

// run runs a load and checks what must hold of every run.
func run(ctx context.Context, t *testing.T, p plan.Plan, users *loadtest.Users, opt load.Options) *result.Run {
	t.Helper()
	opt.Sleep = true
	if opt.Catalog.Steps == nil {
		opt.Catalog = loadtest.Catalog("s")
	}
	r, err := load.Run(ctx, p, users.New, opt)
	if err != nil {
		t.Fatal(err)
	}
	if made, closed := users.Made.Load(), users.Closed.Load(); made != closed {
		t.Errorf("made %d users, closed %d", made, closed)
	}
	f := flow(r)
	if began := users.Began.Load(); f.Started != began {
		t.Errorf("users began %d iterations, the flows say %d", began, f.Started)
	}
	if f.Offered != f.Started+f.Dropped && r.Stopped == "" && f.Cut == 0 {
		t.Errorf("offered is not started and dropped: %+v", f)
	}
	var rows result.Second
	for _, row := range r.Series {
		rows.Offered += row.Offered
		rows.Dropped += row.Dropped
		rows.Completed += row.Completed
	}
	if rows.Offered != f.Offered || rows.Dropped != f.Dropped || rows.Completed != total(r) {
		t.Errorf("the series counts %d offered, %d dropped, %d completed; the run %d, %d, %d",
			rows.Offered, rows.Dropped, rows.Completed, f.Offered, f.Dropped, total(r))
	}
	return r
}

// one is a plan of one track with one scenario.
func one(t plan.Track) plan.Plan {
	t.Shares = []plan.Share{{Weight: 1}}
	if t.GracefulStop == 0 {
		t.GracefulStop = 30 * time.Second
	}
	return plan.Plan{Seed: 1, Tracks: []plan.Track{t}}
}

func hold(level float64, d time.Duration) plan.Stage {
	return plan.Stage{Name: "hold", From: level, To: level, Duration: d, Measure: true}
}

func ramp(from, to float64, d time.Duration) plan.Stage {
	return plan.Stage{Name: "ramp", From: from, To: to, Duration: d, Measure: true}
}

func slow(d time.Duration) *loadtest.Users {
	return &loadtest.Users{Target: func(time.Time, load.Iteration) loadtest.Answer {
		return loadtest.Answer{Took: d, Status: 200}
	}}
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

func wantFlow(t *testing.T, r *result.Run, want result.Flow) {
	t.Helper()
	if d := cmp.Diff(want, flow(r)); d != "" {
		t.Errorf("flow (-want +got):\n%s", d)
	}
}

func TestOpenHold(t *testing.T) {
	t.Parallel()
	r := in(t, one(plan.Track{Open: true, Stages: []plan.Stage{hold(1000, 10*time.Second)}}), &loadtest.Users{}, load.Options{})
	wantFlow(t, r, result.Flow{Offered: 10000, Started: 10000, Completed: 10000})
	if n := total(r); n != 10000 {
		t.Errorf("got %d requests, want 10000", n)
	}
	if r.Duration != 10*time.Second || r.Measured != 10*time.Second || !r.Open || r.Stopped != "" || r.Mode != "single" {
		t.Errorf("got duration %v, measured %v, open %v, stopped %q, mode %q", r.Duration, r.Measured, r.Open, r.Stopped, r.Mode)
	}
	if got := r.Cells[0].Latency.ValueAtPercentile(99); got != 1000 {
		t.Errorf("p99 is %d µs, want 1000", got)
	}
	if r.Generator.LagMax > time.Microsecond || r.Generator.Seconds != 10 {
		t.Errorf("got lag %v over %d seconds, want 1 µs (the least there is) over 10", r.Generator.LagMax, r.Generator.Seconds)
	}
}

func TestOpenRampIsInItsRows(t *testing.T) {
	t.Parallel()
	r := in(t, one(plan.Track{Open: true, Stages: []plan.Stage{ramp(0, 100, 10*time.Second)}}), &loadtest.Users{}, load.Options{})
	for i, row := range r.Series {
		// The integral of 10t from i to i+1.
		if want := 10*float64(i) + 5; math.Abs(float64(row.Offered)-want) > 1 || math.Abs(row.Rate-want) > 0.01 {
			t.Errorf("row %d: offered %d, rate %v, want %v", i, row.Offered, row.Rate, want)
		}
	}
}

func TestClosedHold(t *testing.T) {
	t.Parallel()
	users := slow(time.Millisecond)
	users.Think = 9 * time.Millisecond
	// Five milliseconds short, so that no iteration begins at the very end.
	r := in(t, one(plan.Track{Stages: []plan.Stage{hold(10, 9995*time.Millisecond)}}), users, load.Options{})
	wantFlow(t, r, result.Flow{Offered: 10000, Started: 10000, Completed: 10000})
	if n := users.Made.Load(); n != 10 {
		t.Errorf("made %d users, want 10", n)
	}
	if r.Open {
		t.Error("the run counts as open")
	}
	c := r.Cells[0]
	if c.Latency == c.Service || !c.Latency.Equals(c.Service) {
		t.Error("latency and service time should be alike, and not the same")
	}
	if users := r.Series[len(r.Series)-1].Users; users != 10 {
		t.Errorf("the last row has %d users, want 10", users)
	}
}

func TestClosedRamp(t *testing.T) {
	t.Parallel()
	stages := []plan.Stage{ramp(0, 10, 10*time.Second), ramp(10, 0, 10*time.Second)}
	var users []int
	opt := load.Options{Each: func(iv *result.Interval) string {
		users = append(users, iv.Second.Users)
		return ""
	}}
	p := one(plan.Track{Stages: stages})
	in(t, p, slow(10*time.Millisecond), opt)
	for i, got := range users {
		if want := p.Users(0, time.Duration(i+1)*time.Second); math.Abs(float64(got-want)) > 1 {
			t.Errorf("after %d s there are %d users, want %d", i+1, got, want)
		}
	}
	if len(users) < 20 {
		t.Errorf("got %d rows, want 20", len(users))
	}
}

func TestIterations(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		track plan.Track
		want  int64
		took  time.Duration
	}{
		{"shared", plan.Track{Iterations: 101, Stages: []plan.Stage{hold(10, time.Minute)}}, 101, 11 * time.Second},
		{"per user", plan.Track{IterationsPerUser: 3, Stages: []plan.Stage{hold(10, time.Minute)}}, 30, 3 * time.Second},
		{"fewer than users", plan.Track{Iterations: 3, Stages: []plan.Stage{hold(10, time.Minute)}}, 3, time.Second},
		{"spawned", plan.Track{IterationsPerUser: 2, SpawnRate: 1, Stages: []plan.Stage{hold(3, time.Minute)}}, 6, 4 * time.Second},
		{"users come again", plan.Track{IterationsPerUser: 1, Stages: []plan.Stage{
			hold(2, 10*time.Second), hold(0, 10*time.Second), hold(2, time.Minute),
		}}, 4, 21 * time.Second},
		{"capped by time", plan.Track{Iterations: 1000, Stages: []plan.Stage{hold(1, 9500*time.Millisecond)}}, 10, 9500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := in(t, one(tt.track), slow(time.Second), load.Options{})
			wantFlow(t, r, result.Flow{Offered: tt.want, Started: tt.want, Completed: tt.want})
			if r.Duration != tt.took {
				t.Errorf("took %v, want %v", r.Duration, tt.took)
			}
		})
	}
}

func TestThinkTimeIsCutShort(t *testing.T) {
	t.Parallel()
	users := &loadtest.Users{Think: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		run(t.Context(), t, one(plan.Track{Stages: []plan.Stage{hold(5, 10*time.Second)}}), users, load.Options{})
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("the run took %v, want 10s", took)
		}
	})
}

func TestGracefulStop(t *testing.T) {
	t.Parallel()
	// Of the requests sent each second and answered after 3 s, those sent at 7
	// to 9 s are still running at 10 s; with 1.5 s of grace one is cut off.
	p := one(plan.Track{Open: true, GracefulStop: 1500 * time.Millisecond, Stages: []plan.Stage{hold(1, 10*time.Second)}})
	r := in(t, p, slow(3*time.Second), load.Options{})
	wantFlow(t, r, result.Flow{Offered: 10, Started: 10, Completed: 9, Cut: 1})
	if n := total(r); n != 9 {
		t.Errorf("got %d requests, want 9", n)
	}
	if r.Duration != 10*time.Second {
		t.Errorf("duration is %v, want 10s: the grace is no part of it", r.Duration)
	}
	var counted int64
	for _, round := range r.Rounds {
		for _, s := range round.Steps {
			counted += s.Requests
		}
	}
	if counted != 9 {
		t.Errorf("rounds have %d requests, want 9: what ended late goes to the last", counted)
	}
}

// What comes after the load is told from it in the rows, or a chart would show a
// rate that falls; so is a row in which the load ended.
func TestRowsSayHowMuchLoadTheyHold(t *testing.T) {
	t.Parallel()
	type span struct {
		At, Length time.Duration
		Rest       bool
	}
	for name, tt := range map[string]struct {
		load, answer time.Duration
		last         []span
	}{
		"whole seconds":      {3 * time.Second, time.Millisecond, []span{{1e9, 1e9, false}, {2e9, 1e9, false}}},
		"answers after it":   {3 * time.Second, 1500 * time.Millisecond, []span{{2e9, 1e9, false}, {3e9, 1e9, true}, {4e9, 499e6, true}}},
		"a part of a second": {2400 * time.Millisecond, 10 * time.Millisecond, []span{{1e9, 1e9, false}, {2e9, 400e6, false}}},
		"both":               {2400 * time.Millisecond, 900 * time.Millisecond, []span{{2e9, 400e6, false}, {3e9, 299e6, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(1000, tt.load)}})
			r := in(t, p, slow(tt.answer), load.Options{})
			var got []span
			for _, row := range r.Series[len(r.Series)-len(tt.last):] {
				got = append(got, span{row.At, row.Length, row.Rest})
			}
			if d := cmp.Diff(tt.last, got); d != "" {
				t.Errorf("last rows (-want +got):\n%s", d)
			}
		})
	}
}

func TestMaxUsers(t *testing.T) {
	t.Parallel()
	// A request takes 1 s, so 100 a second need 100 users; there are 60.
	users := slow(time.Second)
	p := one(plan.Track{Open: true, MaxUsers: 60, Stages: []plan.Stage{hold(100, 9999*time.Millisecond)}})
	r := in(t, p, users, load.Options{})
	f := flow(r)
	if f.Offered != 1000 || f.Started+f.Dropped != 1000 || f.Started < 590 || f.Started > 600 {
		t.Errorf("got %+v, want 1000 offered, 590 to 600 of them started", f)
	}
	if n := users.Made.Load(); n != 60 {
		t.Errorf("made %d users, want 60", n)
	}
	if d := r.Cells[0].Latency.Max(); d > 1_001_000 {
		t.Errorf("a request took %d µs from due: it waited, and should have been dropped", d)
	}
}

// A server that stands still for a second in six, as in the measurements that
// design/ENGINE.md starts from: latency must be what the schedule says it is.
func TestFrozenTarget(t *testing.T) {
	t.Parallel()
	var start time.Time
	users := &loadtest.Users{Target: func(sent time.Time, _ load.Iteration) loadtest.Answer {
		took := 100 * time.Microsecond
		if in := sent.Sub(start); in >= 2*time.Second && in < 3*time.Second {
			took += 3*time.Second - in
		}
		return loadtest.Answer{Took: took, Status: 200}
	}}
	p := one(plan.Track{Open: true, MaxUsers: 2000, Stages: []plan.Stage{hold(1000, 6*time.Second)}})
	synctest.Test(t, func(t *testing.T) {
		start = time.Now()
		r := run(t.Context(), t, p, users, load.Options{})
		wantFlow(t, r, result.Flow{Offered: 6000, Started: 6000, Completed: 6000})
		h := r.Cells[0].Latency
		// 1,000 of 6,000 wait, evenly from 1 s down to nothing.
		for q, want := range map[float64]float64{50: 100, 90: 400_000, 99: 940_000, 99.9: 994_000} {
			if got := float64(h.ValueAtPercentile(q)); math.Abs(got-want) > 0.002*want+1 {
				t.Errorf("p%v is %v µs, want %v", q, got, want)
			}
		}
		if lag := r.Generator.LagMax; lag > time.Microsecond {
			t.Errorf("the generator blames itself for %v of lag", lag)
		}
	})
}

// The same with too few users: the target's fault shows as drops, which are
// counted, and what waited for a user has waited since it was due.
func TestFrozenTargetWithFewUsers(t *testing.T) {
	t.Parallel()
	users := &loadtest.Users{}
	var start time.Time
	users.Target = func(sent time.Time, _ load.Iteration) loadtest.Answer {
		if sent.Sub(start) < time.Second {
			return loadtest.Answer{Took: time.Second, Status: 200}
		}
		return loadtest.Answer{Took: 100 * time.Microsecond, Status: 200}
	}
	p := one(plan.Track{Open: true, MaxUsers: 100, Stages: []plan.Stage{hold(1000, 6*time.Second)}})
	synctest.Test(t, func(t *testing.T) {
		start = time.Now()
		r := run(t.Context(), t, p, users, load.Options{})
		if f := flow(r); f.Offered != 6000 || f.Dropped < 850 || f.Dropped > 1000 {
			t.Errorf("got %+v, want 6000 offered and 850 to 1000 of them dropped", f)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3500*time.Millisecond, func() { cancel(errors.New("signal")) })
		p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(100, 10*time.Second)}})
		r := run(ctx, t, p, slow(700*time.Millisecond), load.Options{})
		if !r.Interrupted || !strings.Contains(r.Stopped, "signal") || r.Duration != 3500*time.Millisecond {
			t.Errorf("got interrupted %v, stopped %q, duration %v", r.Interrupted, r.Stopped, r.Duration)
		}
		if took := time.Since(r.Started); took != r.Duration {
			t.Errorf("came back after %v, want at once", took)
		}
		f := flow(r)
		if f.Cut < 69 || f.Cut > 71 || total(r) != f.Completed {
			t.Errorf("got %+v and %d requests, want the last 70 cut off and not counted", f, total(r))
		}
		last := r.Rounds[len(r.Rounds)-1]
		if last.Start+last.Length != r.Duration {
			t.Errorf("the last round ends at %v, the run at %v", last.Start+last.Length, r.Duration)
		}
	})
}

func TestCancelBeforeTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p := one(plan.Track{Start: time.Minute, Stages: []plan.Stage{hold(1, time.Second)}})
		r := run(ctx, t, p, slow(time.Second), load.Options{})
		if !r.Interrupted || r.Duration != 0 || r.Measured != 0 {
			t.Errorf("got interrupted %v, duration %v, measured %v", r.Interrupted, r.Duration, r.Measured)
		}
	})
}

func TestEachStopsTheRun(t *testing.T) {
	t.Parallel()
	seconds := 0
	var requests int64
	opt := load.Options{Each: func(iv *result.Interval) string {
		seconds++
		for _, c := range iv.Cells {
			requests += c.Count
			if c.Latency.TotalCount() != c.Count {
				t.Errorf("%d requests, %d latencies", c.Count, c.Latency.TotalCount())
			}
		}
		if seconds == 3 {
			return "enough"
		}
		return ""
	}}
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(100, 10*time.Second)}})
	r := in(t, p, slow(1500*time.Millisecond), opt)
	if r.Stopped != "enough" || r.Interrupted || r.Duration != 3*time.Second {
		t.Errorf("got stopped %q, interrupted %v after %v", r.Stopped, r.Interrupted, r.Duration)
	}
	if f := flow(r); f.Completed != f.Started || f.Cut != 0 || f.Started < 300 || f.Started > 301 {
		t.Errorf("got %+v: what was running should have finished", f)
	}
	if requests != total(r) {
		t.Errorf("the intervals had %d requests, the run %d", requests, total(r))
	}
}

func TestStopRun(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]plan.Plan{
		"open":   one(plan.Track{Open: true, Stages: []plan.Stage{hold(10, 10*time.Second)}}),
		"closed": one(plan.Track{Stages: []plan.Stage{hold(10, 10*time.Second)}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users := slow(50 * time.Millisecond)
			users.Next = func(_ int, it load.Iteration) load.Next {
				if it.Number == 20 {
					return load.StopRun
				}
				return load.Continue
			}
			r := in(t, p, users, load.Options{})
			if !strings.Contains(r.Stopped, `scenario "s"`) || r.Duration > 3*time.Second {
				t.Errorf("got stopped %q after %v", r.Stopped, r.Duration)
			}
		})
	}
}

func TestEndUser(t *testing.T) {
	t.Parallel()
	always := func(int, load.Iteration) load.Next { return load.EndUser }
	t.Run("closed: not replaced, and the load ends with the last", func(t *testing.T) {
		t.Parallel()
		users := slow(time.Second)
		users.Next = always
		r := in(t, one(plan.Track{Stages: []plan.Stage{hold(10, time.Minute)}}), users, load.Options{})
		wantFlow(t, r, result.Flow{Offered: 10, Started: 10, Completed: 10})
		if r.Duration != time.Second {
			t.Errorf("took %v, want 1s", r.Duration)
		}
	})
	t.Run("open: every arrival gets a new user", func(t *testing.T) {
		t.Parallel()
		users := slow(time.Second)
		users.Next = always
		r := in(t, one(plan.Track{Open: true, Stages: []plan.Stage{hold(10, 10*time.Second)}}), users, load.Options{})
		wantFlow(t, r, result.Flow{Offered: 100, Started: 100, Completed: 100})
		if n := users.Made.Load(); n != 100 {
			t.Errorf("made %d users, want 100", n)
		}
	})
}

func TestTracksSideBySide(t *testing.T) {
	t.Parallel()
	warm := hold(10, 5*time.Second)
	warm.Name, warm.Measure = "warm-up", false
	p := plan.Plan{Seed: 1, Tracks: []plan.Track{
		{
			Open: true, GracefulStop: time.Second, Stages: []plan.Stage{warm, hold(10, 10*time.Second)},
			Shares: []plan.Share{{Scenario: 0, Weight: 3}, {Scenario: 1, Weight: 1}},
		},
		{
			Name: "report", Start: 8 * time.Second, GracefulStop: time.Second, Stages: []plan.Stage{hold(2, 2*time.Second)},
			Shares: []plan.Share{{Scenario: 2, Weight: 1}},
		},
	}}
	var mu sync.Mutex
	numbers := map[int64]bool{}
	users := slow(900 * time.Millisecond)
	users.Next = func(_ int, it load.Iteration) load.Next {
		mu.Lock()
		defer mu.Unlock()
		if numbers[it.Number] {
			t.Errorf("number %d is given twice", it.Number)
		}
		numbers[it.Number] = true
		return load.Continue
	}
	r := in(t, p, users, load.Options{Catalog: loadtest.Catalog("a", "b", "c")})
	want := []result.Flow{
		{Scenario: 0, Stage: 0, Offered: 37, Started: 37, Completed: 37},
		{Scenario: 0, Stage: 1, Offered: 75, Started: 75, Completed: 75},
		{Scenario: 1, Stage: 0, Offered: 13, Started: 13, Completed: 13},
		{Scenario: 1, Stage: 1, Offered: 25, Started: 25, Completed: 25},
		{Scenario: 2, Stage: 2, Offered: 6, Started: 6, Completed: 6},
	}
	// 50 arrivals are 12 rounds of the deck and half of one: 36 to 38 for a.
	if f := r.Flows[0]; f.Offered >= 36 && f.Offered <= 38 {
		d := f.Offered - 37
		for i, by := range []int64{d, -d, -d, d} {
			want[i].Offered += by
			want[i].Started += by
			want[i].Completed += by
		}
	}
	if d := cmp.Diff(want, r.Flows); d != "" {
		t.Errorf("flows (-want +got):\n%s", d)
	}
	stages := []result.Stage{{Name: "warm-up"}, {Name: "hold", Measure: true}, {Name: "hold", Track: "report", Measure: true}}
	if d := cmp.Diff(stages, r.Catalog.Stages); d != "" {
		t.Errorf("stages (-want +got):\n%s", d)
	}
	if r.Duration != 15*time.Second || r.Measured != 10*time.Second || r.Generator.Seconds != 10 {
		t.Errorf("got duration %v, measured %v, %d measured seconds", r.Duration, r.Measured, r.Generator.Seconds)
	}
	for _, round := range r.Rounds {
		if round.Start < 5*time.Second {
			t.Errorf("a round begins at %v, within the warm-up", round.Start)
		}
	}
}

func TestUsersOfTheirOwn(t *testing.T) {
	t.Parallel()
	p := one(plan.Track{Stages: []plan.Stage{hold(10, 9500*time.Millisecond)}})
	p.Tracks[0].Shares = []plan.Share{{Scenario: 0, Users: 3}, {Scenario: 1, Weight: 1}, {Scenario: 2, Weight: 1}}
	r := in(t, p, slow(time.Second), load.Options{Catalog: loadtest.Catalog("a", "b", "c")})
	if d := cmp.Diff([]result.Flow{
		{Scenario: 0, Offered: 30, Started: 30, Completed: 30},
		{Scenario: 1, Offered: 35, Started: 35, Completed: 35},
		{Scenario: 2, Offered: 35, Started: 35, Completed: 35},
	}, r.Flows); d != "" {
		t.Errorf("flows (-want +got):\n%s", d)
	}
}

// Whatever the plan, each arrival is started or dropped, in the stage it was
// due in, and shards do between them what the whole plan does.
func TestCountsAreThePlans(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 8 {
		var stages []plan.Stage
		level := 0.0
		for range 1 + rng.IntN(4) {
			next := float64(rng.IntN(200))
			stages = append(stages, ramp(level, next, time.Duration(rng.Int64N(int64(3*time.Second)))))
			level = float64(rng.IntN(200))
		}
		stages = append(stages, hold(level+1, time.Second))
		p := one(plan.Track{Open: true, Poisson: rng.IntN(2) == 0, Stages: stages})
		p.Seed = rng.Int64()
		want := make([]int64, len(stages))
		for a := p.Arrivals(0); ; {
			next, ok := a.Next()
			if !ok {
				break
			}
			want[next.Stage]++
		}
		got := make([]int64, len(stages))
		parts := 1 + rng.IntN(3)
		took := time.Duration(rng.Int64N(int64(2 * time.Second)))
		for i := range parts {
			for _, f := range in(t, p.Shard(i, parts), slow(took), load.Options{}).Flows {
				got[f.Stage] += f.Offered
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("%d shards of %+v, arrivals by stage (-plan +run):\n%s", parts, stages, d)
		}
	}
}

// Two shards give the same numbers the same scenarios as the whole run does,
// and no number twice.
func TestShardsPickAsTheWhole(t *testing.T) {
	t.Parallel()
	shares := []plan.Share{{Scenario: 0, Weight: 5}, {Scenario: 1, Weight: 2}, {Scenario: 2, Weight: 0.5}}
	open := one(plan.Track{Open: true, Stages: []plan.Stage{hold(50, 4*time.Second)}})
	closed := one(plan.Track{Iterations: 200, Stages: []plan.Stage{hold(7, time.Minute)}})
	for name, p := range map[string]plan.Plan{"open": open, "closed": closed} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p.Tracks[0].Shares = shares
			picks := func(parts int) map[int64]int {
				var mu sync.Mutex
				picked := map[int64]int{}
				users := slow(time.Millisecond)
				users.Next = func(_ int, it load.Iteration) load.Next {
					mu.Lock()
					defer mu.Unlock()
					if _, twice := picked[it.Number]; twice {
						t.Errorf("number %d is given twice", it.Number)
					}
					picked[it.Number] = it.Scenario
					return load.Continue
				}
				for i := range parts {
					users.Made.Store(0)
					users.Closed.Store(0)
					users.Began.Store(0)
					in(t, p.Shard(i, parts), users, load.Options{Catalog: loadtest.Catalog("a", "b", "c")})
				}
				return picked
			}
			whole := picks(1)
			counts := [3]int{}
			for _, scenario := range whole {
				counts[scenario]++
			}
			// 200 are 13 rounds of 15 cards, and five cards.
			if len(whole) != 200 || counts[0] < 130 || counts[0] > 135 || counts[2] < 13 || counts[2] > 14 {
				t.Errorf("%d picks, %v by scenario", len(whole), counts)
			}
			if d := cmp.Diff(whole, picks(2)); d != "" {
				t.Errorf("picks (-whole +shards):\n%s", d)
			}
		})
	}
}

// Arrivals wait for users that are slow to make, with their due time, and the
// lag is the generator's own. Whoever is free first takes the one due first.
func TestArrivalsWaitForNewUsers(t *testing.T) {
	t.Parallel()
	users := slow(time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		opt := load.Options{Catalog: loadtest.Catalog("s"), Sleep: true}
		p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(100, 2*time.Second)}})
		r, err := load.Run(t.Context(), p, func(id int, rec *load.Recorder) load.User {
			time.Sleep(55 * time.Millisecond)
			return users.New(id, rec)
		}, opt)
		if err != nil {
			t.Fatal(err)
		}
		wantFlow(t, r, result.Flow{Offered: 200, Started: 200, Completed: 200})
		if lag := r.Generator.LagMax; lag < 55*time.Millisecond || lag > 56*time.Millisecond {
			t.Errorf("the generator was up to %v late, want the 55ms that a user takes to make", lag)
		}
		if late := r.Cells[0].Latency.Max(); late < 56_000 || late > 56_100 {
			t.Errorf("latency is up to %d µs, want 56 ms from due", late)
		}
		if n := users.Made.Load(); n > 6 {
			t.Errorf("made %d users, and at most 6 arrivals waited at once", n)
		}
	})
}

// Not parallel, as the next: they look at the memory of the whole process.
func TestTenThousandUsers(t *testing.T) {
	users := slow(time.Millisecond)
	users.Think = 999 * time.Millisecond
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	opt := load.Options{Each: func(iv *result.Interval) string {
		if iv.Second.At == 2*time.Second {
			runtime.GC()
			runtime.ReadMemStats(&after)
		}
		return ""
	}}
	r := in(t, one(plan.Track{Stages: []plan.Stage{hold(10000, 4500*time.Millisecond)}}), users, opt)
	if n := total(r); n != 50_000 {
		t.Errorf("got %d requests, want 50000", n)
	}
	used := int64(after.HeapAlloc+after.StackInuse) - int64(before.HeapAlloc+before.StackInuse)
	t.Logf("%d bytes a user", used/10000)
	if per := used / 10000; per > 8<<10 {
		t.Errorf("an idle user takes %d bytes, its goroutine included; want at most 8 KiB", per)
	}
}

// Hours of load take no more memory than minutes.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("runs 18,000 intervals")
	}
	var early, late runtime.MemStats
	opt := load.Options{Each: func(iv *result.Interval) string {
		if iv.Second.At == 2*time.Hour {
			runtime.GC()
			runtime.ReadMemStats(&early)
		}
		if iv.Second.At == 5*time.Hour-time.Minute {
			runtime.GC()
			runtime.ReadMemStats(&late)
		}
		return ""
	}}
	users := slow(3 * time.Millisecond)
	users.Think = 5 * time.Second
	// The limit on iterations, never reached, keeps the rounds from being long
	// from the start.
	p := one(plan.Track{Iterations: 1e9, Stages: []plan.Stage{hold(10, 5*time.Hour)}})
	r := in(t, p, users, opt)
	if len(r.Series) > 7200 || len(r.Series) < 3600 || len(r.Rounds) > 360 || len(r.Rounds) < 180 {
		t.Errorf("got %d rows and %d rounds, want at most 7200 and 360 and no less than half", len(r.Series), len(r.Rounds))
	}
	if grew := int64(late.HeapAlloc) - int64(early.HeapAlloc); grew > 2<<20 {
		t.Errorf("memory grew by %d bytes in three hours", grew)
	}
	var requests, offered int64
	var at time.Duration
	for i, round := range r.Rounds {
		if round.Index != i || round.Start != at {
			t.Fatalf("round %d has index %d and begins at %v, want %v", i, round.Index, round.Start, at)
		}
		at += round.Length
		offered += round.Offered
		for _, s := range round.Steps {
			h, err := result.DecodeHistogram(s.Latency)
			if err != nil {
				t.Fatal(err)
			}
			requests += h.TotalCount()
		}
	}
	if requests != total(r) || offered != flow(r).Offered || at != 5*time.Hour {
		t.Errorf("rounds have %d of %d requests, %d of %d offered, %v", requests, total(r), offered, flow(r).Offered, at)
	}
}

// With the real clock, and so with the waiter that real runs have: counts are
// exact, however late this machine is.
func TestRealClock(t *testing.T) {
	t.Parallel()
	users := slow(time.Millisecond)
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(2000, 50*time.Millisecond)}})
	r, err := load.Run(t.Context(), p, users.New, load.Options{Catalog: loadtest.Catalog("s")})
	if err != nil {
		t.Fatal(err)
	}
	wantFlow(t, r, result.Flow{Offered: 100, Started: 100, Completed: 100})
	if n := total(r); n != 100 {
		t.Errorf("got %d requests, want 100", n)
	}
	if lowest := r.Cells[0].Latency.Min(); lowest < 1000 {
		t.Errorf("a request took %d µs from due, and slept for 1000", lowest)
	}
}

func TestCancelWithTheRealClock(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	users := slow(time.Microsecond)
	users.Next = func(_ int, it load.Iteration) load.Next {
		if it.Number == 1 {
			cancel() // the next arrival is due in an hour
		}
		return load.Continue
	}
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(2000, time.Millisecond), hold(1.0/3600, 2*time.Hour)}})
	r, err := load.Run(ctx, p, users.New, load.Options{Catalog: loadtest.Catalog("s")})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || flow(r).Offered != 2 && flow(r).Offered != 3 {
		t.Errorf("got interrupted %v, %+v", r.Interrupted, flow(r))
	}
}

func TestBadPlan(t *testing.T) {
	t.Parallel()
	users := &loadtest.Users{}
	if _, err := load.Run(t.Context(), plan.Plan{}, users.New, load.Options{}); err == nil {
		t.Error("a plan without a load runs")
	}
	p := one(plan.Track{Open: true, Stages: []plan.Stage{hold(1, time.Second)}})
	if _, err := load.Run(t.Context(), p, users.New, load.Options{Catalog: result.Catalog{Steps: make([]result.Step, 1<<16)}}); err == nil {
		t.Error("65536 steps do not fit into an entry, and run")
	}
}

// A readyUser says when it was made ready.
type readyUser struct {
	load.User
	ready *atomic.Int64
}

func (u readyUser) Prepare(context.Context) { u.ready.Add(1) }

// TestPrepare holds that a fast open track begins with users that are ready, that
// a slow one makes none ahead, and that nothing of it shows in the counts.
func TestPrepare(t *testing.T) {
	for name, tt := range map[string]struct {
		rate  float64
		ahead int64
	}{"fast": {1000, 20}, "slow": {100, 0}, "very fast": {100_000, 256}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ready atomic.Int64
				p := plan.Plan{Tracks: []plan.Track{{
					Open: true, Shares: []plan.Share{{Weight: 1}}, GracefulStop: time.Second,
					Stages: []plan.Stage{{Duration: 100 * time.Millisecond, From: tt.rate, To: tt.rate, Measure: true}},
				}}}
				fakes := &loadtest.Users{}
				run, err := load.Run(t.Context(), p, func(id int, rec *load.Recorder) load.User {
					return readyUser{fakes.New(id, rec), &ready}
				}, load.Options{Catalog: loadtest.Catalog("a"), Prepare: true, Sleep: true})
				if err != nil {
					t.Fatal(err)
				}
				if ready.Load() != tt.ahead {
					t.Errorf("%d users were made ready, want %d", ready.Load(), tt.ahead)
				}
				if want := int64(tt.rate / 10); run.Total().Requests != want {
					t.Errorf("%d requests, want %d", run.Total().Requests, want)
				}
			})
		})
	}
}
