package load_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// steadyOpen is a rate held for a while, as a spec gives it.
func steadyOpen(rate float64) plan.Plan {
	return plan.Plan{Seed: 7, Tracks: []plan.Track{{
		Open: true, GracefulStop: 5 * time.Second,
		Stages: []plan.Stage{{Name: "load", Duration: time.Minute, From: rate, To: rate, Measure: true}},
		Shares: []plan.Share{{Scenario: 0, Weight: 2}, {Scenario: 1, Weight: 1}},
	}}}
}

func steadyUsers(users float64) plan.Plan {
	p := steadyOpen(users)
	p.Tracks[0].Open = false
	return p
}

// paired drives blocks in a bubble and returns what came of them.
func paired(t *testing.T, p plan.Plan, base, head *loadtest.Users, opt load.PairedOptions, drive func(context.Context, *load.Paired)) *result.Run {
	t.Helper()
	var r *result.Run
	synctest.Test(t, func(t *testing.T) {
		steady, err := load.Steady(p)
		if err != nil {
			t.Fatal(err)
		}
		opt.Sleep = true
		if opt.Load == 0 {
			opt.Load = 3 * time.Minute
		}
		if opt.Catalog.Steps == nil {
			opt.Catalog = loadtest.Catalog("a", "b")
		}
		run, err := load.NewPaired(steady, base.New, head.New, opt)
		if err != nil {
			t.Fatal(err)
		}
		drive(t.Context(), run)
		run.Leave()
		if r, err = run.Result(); err != nil {
			t.Fatal(err)
		}
	})
	for name, u := range map[string]*loadtest.Users{"base": base, "head": head} {
		if made, closed := u.Made.Load(), u.Closed.Load(); made != closed {
			t.Errorf("%s: made %d users, closed %d", name, made, closed)
		}
	}
	return r
}

// An asked is one iteration that a target saw.
type asked struct {
	Scenario int
	Number   int64
	Block    int
	At       time.Duration // since the start of the round
}

// A witness is a target that notes what it was asked for.
type witness struct {
	took time.Duration
	mu   sync.Mutex
	seen map[time.Time]load.Iteration
}

func (w *witness) answer(sent time.Time, it load.Iteration) loadtest.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[time.Time]load.Iteration{}
	}
	w.seen[sent] = it
	return loadtest.Answer{Took: w.took, Status: 200}
}

// asked lines up what was seen with the rounds of the witness's side.
func (w *witness) asked(r *result.Run, arm string) []asked {
	var all []asked
	for _, round := range r.Rounds {
		begin := r.Started.Add(round.Start)
		for sent, it := range w.seen {
			if at := sent.Sub(begin); round.Arm == arm && at >= 0 && at < round.Length {
				all = append(all, asked{it.Scenario, it.Number, round.Block, at})
			}
		}
	}
	slices.SortFunc(all, func(a, b asked) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

func TestPairedSidesGetTheSame(t *testing.T) {
	t.Parallel()
	for _, poisson := range []bool{false, true} {
		base, head := &witness{took: 2 * time.Millisecond}, &witness{took: 5 * time.Millisecond}
		p := steadyOpen(100)
		p.Tracks[0].Poisson = poisson
		r := paired(t, p, &loadtest.Users{Target: base.answer}, &loadtest.Users{Target: head.answer},
			load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
				if driven := p.Drive(ctx, 20, 30); driven != 20 {
					t.Errorf("drove %d blocks, want 20", driven)
				}
			})
		asked := base.asked(r, "base")
		if len(asked) < 1800 {
			t.Errorf("poisson %v: %d iterations, want about 2000", poisson, len(asked))
		}
		if diff := gocmp.Diff(asked, head.asked(r, "head")); diff != "" {
			t.Errorf("poisson %v: base and head were asked for other things (-base +head):\n%s", poisson, diff)
		}
		pairs, err := result.Pair(r)
		if err != nil {
			t.Fatal(err)
		}
		if pairs.Blocks != 20 || pairs.All != 20 || pairs.Load != 40*time.Second {
			t.Errorf("%d of %d blocks, %v of load; want 20 of 20, 40s", pairs.Blocks, pairs.All, pairs.Load)
		}
		median, ok := pairs.Rows[0].Quantile(0.5)
		if !ok {
			t.Fatal("no median")
		}
		for i, d := range median.Differences {
			if math.Abs(d-math.Log(5.0/2)) > 0.01 {
				t.Errorf("chunk %d: ln(head/base) = %v, want ln 2.5", i, d)
			}
		}
	}
}

func TestPairedResultIsOfTheHead(t *testing.T) {
	t.Parallel()
	seconds := 0
	opt := load.PairedOptions{Options: load.Options{Each: func(iv *result.Interval) string {
		seconds++
		if iv.Second.Offered != 100 || !iv.Second.Measured {
			t.Errorf("second %d: offered %d, measured %v", seconds, iv.Second.Offered, iv.Second.Measured)
		}
		return ""
	}}}
	slow := func(time.Time, load.Iteration) loadtest.Answer {
		return loadtest.Answer{Took: 9 * time.Millisecond, Status: 200}
	}
	r := paired(t, steadyOpen(100), &loadtest.Users{}, &loadtest.Users{Target: slow}, opt, func(ctx context.Context, p *load.Paired) {
		p.Drive(ctx, 12, 12)
	})
	if r.Mode != "paired" || !r.Open || r.Measured != 12*time.Second || seconds != 12 || len(r.Series) != 12 {
		t.Errorf("mode %s, open %v, measured %v, %d seconds shown, %d rows", r.Mode, r.Open, r.Measured, seconds, len(r.Series))
	}
	all := r.LatencyOf(func(*result.Cell) bool { return true })
	if n, low := all.TotalCount(), all.Min(); n != 1200 || low < 8900 {
		t.Errorf("%d requests from %d µs on; want the head's 1200 from 9 ms on", n, low)
	}
	arms := map[string]int{}
	swaps := 0
	for i, round := range r.Rounds {
		arms[round.Arm]++
		if round.Index != i || round.Block != i/2 || round.Offered != 100 || round.Length != time.Second {
			t.Errorf("round %d: index %d, block %d, offered %d, length %v", i, round.Index, round.Block, round.Offered, round.Length)
		}
		if i%2 == 0 && i > 0 && round.Arm == r.Rounds[i-1].Arm {
			swaps++
		}
	}
	if arms["base"] != 12 || arms["head"] != 12 || swaps == 0 || swaps == 11 {
		t.Errorf("rounds by arm %v, the order changed %d times of 11: want it drawn anew for each block", arms, swaps)
	}
}

// Rounds longer than a second, at a rate that fills no second well, have a row
// for each second of the head all the same.
func TestPairedLongRounds(t *testing.T) {
	t.Parallel()
	r := paired(t, steadyOpen(8), &loadtest.Users{}, &loadtest.Users{}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
		p.Drive(ctx, 6, 6)
	})
	if len(r.Rounds) != 12 || r.Rounds[0].Length != 2500*time.Millisecond || r.Rounds[0].Offered != 20 {
		t.Errorf("%d rounds of %v with %d arrivals; want 12 of 2.5s with 20", len(r.Rounds), r.Rounds[0].Length, r.Rounds[0].Offered)
	}
	var offered int64
	for i, row := range r.Series {
		offered += row.Offered
		if row.Offered < 7 || row.Offered > 9 || row.Length != time.Second || i > 0 && row.At <= r.Series[i-1].At {
			t.Errorf("row %d at %v: %d offered in %v, want about 8 in a second", i, row.At, row.Offered, row.Length)
		}
	}
	if len(r.Series) != 15 || offered != 120 {
		t.Errorf("%d rows, %d offered; want 15 and 120", len(r.Series), offered)
	}
}

// The last row holds less than a second of the head, and says so: its rate is
// that of the others.
func TestPairedLastRowIsShort(t *testing.T) {
	t.Parallel()
	r := paired(t, steadyOpen(8), &loadtest.Users{}, &loadtest.Users{}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
		p.Drive(ctx, 5, 5)
	})
	if len(r.Series) != 13 {
		t.Fatalf("%d rows for 12.5 s of the head", len(r.Series))
	}
	if last := r.Series[12]; last.Length != 500*time.Millisecond || last.Offered < 3 || last.Offered > 5 {
		t.Errorf("the last row has %v with %d arrivals, want half a second with about 4", last.Length, last.Offered)
	}
}

func TestPairedUsersStay(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]plan.Plan{"open": steadyOpen(50), "closed": steadyUsers(4)} {
		base, head := &loadtest.Users{}, &loadtest.Users{}
		r := paired(t, p, base, head, load.PairedOptions{Load: 12 * time.Second}, func(ctx context.Context, p *load.Paired) {
			p.Drive(ctx, 10, 10)
			if p.Drive(ctx, 5, 5); p.Stopped() {
				t.Error("stopped")
			}
		})
		want := int64(1)
		if name == "closed" {
			want = 4
		}
		if made := base.Made.Load(); made != want || head.Made.Load() != want {
			t.Errorf("%s: %d and %d users, want %d on each side for all rounds", name, made, head.Made.Load(), want)
		}
		if n := len(r.Rounds); n != 30 {
			t.Errorf("%s: %d rounds, want 30", name, n)
		}
		for _, round := range r.Rounds {
			if round.Excluded != "" || round.Steps[0].Requests == 0 || round.Length != 250*time.Millisecond {
				t.Fatalf("%s: round %+v", name, round)
			}
		}
	}
}

func TestPairedSecondSeries(t *testing.T) {
	t.Parallel()
	base, head := &loadtest.Users{}, &loadtest.Users{}
	r := paired(t, steadyUsers(3), base, head, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
		p.Drive(ctx, 4, 4)
		p.Leave()
		p.Drive(ctx, 6, 6)
	})
	if base.Made.Load() != 6 {
		t.Errorf("%d users of the base, want 3 and 3 more after the restart", base.Made.Load())
	}
	for restarts, want := range []int{4, 6} {
		pairs, err := result.PairAfter(r, restarts)
		if err != nil {
			t.Fatal(err)
		}
		if pairs.Blocks != want {
			t.Errorf("after %d restarts: %d blocks, want %d", restarts, pairs.Blocks, want)
		}
	}
}

func TestPairedCutsOff(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]plan.Plan{"open": steadyOpen(50), "closed": steadyUsers(2)} {
		hung := map[string]int{"open": 400, "closed": 1000}[name] // well after the warm-up
		var calls atomic.Int64
		hang := func(time.Time, load.Iteration) loadtest.Answer {
			if calls.Add(1) == int64(hung) {
				return loadtest.Answer{Took: time.Hour, Status: 200}
			}
			return loadtest.Answer{Took: 10 * time.Millisecond, Status: 200}
		}
		r := paired(t, p, &loadtest.Users{}, &loadtest.Users{Target: hang}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
			if driven := p.Drive(ctx, 8, 20); driven != 8 {
				t.Errorf("%s: drove %d blocks, want 8", name, driven)
			}
		})
		var bad []string
		for _, round := range r.Rounds {
			if round.Excluded != "" {
				t.Errorf("%s: excluded: %s", name, round.Excluded)
			}
			for err, n := range round.Steps[0].Errors {
				bad = append(bad, fmt.Sprintf("%s: %d %s, %d errored", round.Arm, n, err, round.Steps[0].Errored))
			}
		}
		if diff := gocmp.Diff(bad, []string{"head: 1 timeout, 1 errored"}); diff != "" {
			t.Errorf("%s: a request that hangs (-got +want):\n%s", name, diff)
		}
	}
}

// An API whose requests always take long has the time that the base needs.
func TestPairedWaitsForSlowAnswers(t *testing.T) {
	t.Parallel()
	slow := func(time.Time, load.Iteration) loadtest.Answer {
		return loadtest.Answer{Took: 3 * time.Second, Status: 200}
	}
	r := paired(t, steadyOpen(20), &loadtest.Users{Target: slow}, &loadtest.Users{Target: slow}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
		p.Drive(ctx, 5, 5)
	})
	for _, round := range r.Rounds {
		if s := round.Steps[0]; s.Requests != 20 || s.Failed != 0 {
			t.Errorf("round %d of the %s: %d requests, %d failed; want 20 and 0", round.Index, round.Arm, s.Requests, s.Failed)
		}
	}
}

func TestPairedReplacesDisturbedBlocks(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	stall := func(time.Time, load.Iteration) loadtest.Answer {
		if calls.Add(1) == 400 {
			return loadtest.Answer{Took: 900 * time.Millisecond, Status: 200}
		}
		return loadtest.Answer{Took: time.Millisecond, Status: 200}
	}
	p := steadyOpen(50)
	p.Tracks[0].MaxUsers = 2 // so that one stall makes the other arrivals drop
	p.Tracks[0].Poisson = true
	busy := &loadtest.Users{Target: stall}
	r := paired(t, p, &loadtest.Users{}, busy, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
		driven := p.Drive(ctx, 8, 20)
		if driven <= 8 || driven > 12 {
			t.Errorf("drove %d blocks for 8 good ones, of which one stalled", driven)
		}
	})
	pairs, err := result.Pair(r)
	if err != nil {
		t.Fatal(err)
	}
	if pairs.Blocks != 8 || pairs.All <= 8 || pairs.HeadArrivals.Dropped == 0 {
		t.Errorf("%d of %d blocks count, the head dropped %d", pairs.Blocks, pairs.All, pairs.HeadArrivals.Dropped)
	}
}

func TestPairedEndsEarly(t *testing.T) {
	t.Parallel()
	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		r := paired(t, steadyOpen(50), &loadtest.Users{}, &loadtest.Users{}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
			ctx, cancel := context.WithTimeout(ctx, 11500*time.Millisecond) // 6 s of warm-up
			defer cancel()
			if driven := p.Drive(ctx, 20, 20); driven > 3 || !p.Stopped() {
				t.Errorf("drove %d blocks, stopped %v", driven, p.Stopped())
			}
			if driven := p.Drive(ctx, 5, 5); driven != 0 {
				t.Errorf("drove %d blocks after the end", driven)
			}
		})
		if !r.Interrupted || r.Stopped == "" {
			t.Errorf("interrupted %v, stopped %q", r.Interrupted, r.Stopped)
		}
		if last := r.Rounds[len(r.Rounds)-1]; last.Excluded == "" || last.Length >= time.Second {
			t.Errorf("the round that was cut short counts: %+v", last)
		}
	})
	t.Run("interrupted at work", func(t *testing.T) {
		t.Parallel()
		slow := func(time.Time, load.Iteration) loadtest.Answer {
			return loadtest.Answer{Took: 800 * time.Millisecond, Status: 200}
		}
		end := func(_ int, it load.Iteration) load.Next {
			select {
			case <-it.Stop: // as a user does that was cut off
				return load.EndUser
			default:
				return load.Continue
			}
		}
		base, head := &loadtest.Users{Target: slow, Next: end}, &loadtest.Users{Target: slow, Next: end}
		r := paired(t, steadyUsers(3), base, head, load.PairedOptions{Load: 20 * time.Second}, func(ctx context.Context, p *load.Paired) {
			ctx, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
			defer cancel()
			p.Drive(ctx, 20, 20)
		})
		if !r.Interrupted || len(r.Cells) != 0 {
			t.Errorf("interrupted %v, cells %+v", r.Interrupted, r.Cells)
		}
	})
	t.Run("by the watch", func(t *testing.T) {
		t.Parallel()
		opt := load.PairedOptions{Options: load.Options{Each: func(*result.Interval) string { return "enough" }}}
		r := paired(t, steadyUsers(2), &loadtest.Users{}, &loadtest.Users{}, opt, func(ctx context.Context, p *load.Paired) {
			p.Drive(ctx, 20, 20)
		})
		if r.Stopped != "enough" || r.Interrupted || len(r.Rounds) > 2 {
			t.Errorf("stopped %q, interrupted %v, %d rounds", r.Stopped, r.Interrupted, len(r.Rounds))
		}
	})
	t.Run("by a user", func(t *testing.T) {
		t.Parallel()
		stop := func(int, load.Iteration) load.Next { return load.StopRun }
		r := paired(t, steadyOpen(50), &loadtest.Users{Next: stop}, &loadtest.Users{}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
			p.Drive(ctx, 20, 20)
		})
		if r.Stopped == "" || len(r.Rounds) != 0 {
			t.Errorf("stopped %q after %d rounds; want an end in the warm-up", r.Stopped, len(r.Rounds))
		}
	})
	t.Run("as no user is left", func(t *testing.T) {
		t.Parallel()
		end := func(int, load.Iteration) load.Next { return load.EndUser }
		r := paired(t, steadyUsers(2), &loadtest.Users{}, &loadtest.Users{Next: end}, load.PairedOptions{}, func(ctx context.Context, p *load.Paired) {
			p.Drive(ctx, 20, 20)
		})
		if r.Stopped != "every user ended before the load did" {
			t.Errorf("stopped %q", r.Stopped)
		}
	})
}

func TestSteady(t *testing.T) {
	t.Parallel()
	held := func(level float64, measure bool) plan.Stage {
		return plan.Stage{Name: "held", Duration: time.Minute, From: level, To: level, Measure: measure}
	}
	ramp := plan.Stage{Name: "ramp", Duration: time.Minute, From: 10, To: 90, Measure: true}
	tests := []struct {
		name   string
		stages []plan.Stage
		change func(*plan.Plan)
		want   float64 // 0: refused
	}{
		{name: "one level", stages: []plan.Stage{held(20, true)}, want: 20},
		{name: "the highest that is held", stages: []plan.Stage{held(99, false), held(20, true), ramp, held(40, true)}, want: 40},
		{name: "ramps only", stages: []plan.Stage{ramp}},
		{name: "nothing measured", stages: []plan.Stage{held(20, false)}},
		{name: "iterations", stages: []plan.Stage{held(20, true)}, change: func(p *plan.Plan) { p.Tracks[0].Open, p.Tracks[0].Iterations = false, 9 }},
		{name: "iterations per user", stages: []plan.Stage{held(20, true)}, change: func(p *plan.Plan) { p.Tracks[0].Open, p.Tracks[0].IterationsPerUser = false, 9 }},
		{name: "a shard", stages: []plan.Stage{held(20, true)}, change: func(p *plan.Plan) { p.Parts = 2 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := steadyOpen(1)
			p.Tracks[0].Stages = tt.stages
			if tt.change != nil {
				tt.change(&p)
			}
			got, err := load.Steady(p)
			if (err != nil) != (tt.want == 0) {
				t.Fatalf("error %v", err)
			}
			if err == nil && got.Tracks[0].Peak() != tt.want {
				t.Errorf("level %v, want %v", got.Tracks[0].Peak(), tt.want)
			}
		})
	}
}
