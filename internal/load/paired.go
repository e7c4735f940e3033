package load

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// PairedOptions is what a paired run needs beside its plan.
type PairedOptions struct {
	Options               // Round 0: as PairedRound says; Each is told of the head only
	Load    time.Duration // planned for both sides together, at most
	// Show is told of both sides, a second of their own time each. The Interval
	// is valid during the call only.
	Show func(arm string, iv *result.Interval)
}

// A Paired run drives base and head by turns, in rounds of about a second, so
// that what slows the machine slows both. Two rounds, one of each side, make a
// block: they have the same arrivals, picks and seeded values, and which comes
// first is drawn anew for each block from the plan's seed. Before the side
// changes, what is in flight may finish; what takes too long is cut off and counts
// as timed out.
//
// Rounds hold both sides. Everything else of the result, such as cells and
// series, is of the head alone and of its measured rounds: limits are about the
// head. A user's on_stop is not measured.
type Paired struct {
	plan      plan.Plan
	opt       PairedOptions
	length    time.Duration
	arms      [2]*arm // base, head
	newUser   [2]NewUser
	schedules []*schedule // by track; nil for closed ones
	coin      *rand.Rand
	log       *pairedLog

	grace    time.Duration // to finish at the end of a round
	started  bool          // this series is warm
	restarts int
	block    int
}

// saltOrder keeps the order of the sides apart from all else that is drawn.
const saltOrder = 0x70616972

// NewPaired prepares a paired run of a plan that Steady made.
func NewPaired(p plan.Plan, base, head NewUser, opt PairedOptions) (*Paired, error) {
	r := &Paired{
		plan: p, opt: opt, newUser: [2]NewUser{base, head},
		coin: rand.New(rand.NewPCG(uint64(p.Seed), saltOrder)),
	}
	r.length = opt.Round
	if r.length <= 0 {
		r.length = pairedLength(p, opt.Load)
	}
	for i, t := range p.Tracks {
		var s *schedule
		if t.Open {
			s = newSchedule(p, i)
		}
		r.schedules = append(r.schedules, s)
	}
	for i, name := range []string{"base", "head"} {
		a, err := newArm(name, p, r.newUser[i], opt.Options)
		if err != nil {
			return nil, err
		}
		r.arms[i] = a
	}
	r.log = newPairedLog(r.arms, opt)
	return r, nil
}

// Blocks is how many blocks a time of load on both sides together holds.
func (r *Paired) Blocks(load time.Duration) int { return int(load / (2 * r.length)) }

// Drive drives until so many further blocks are undisturbed, or until most were
// driven, and returns how many were. A block in which the generator was in the
// way is kept and replaced by another. Before the first block of a series each
// side is warmed up.
//
// When ctx is done, Each wants an end, or a user stops the run, Drive ends after
// what it has; see Stopped.
func (r *Paired) Drive(ctx context.Context, good, most int) (driven int) {
	if r.Stopped() {
		return 0
	}
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-ctx.Done():
			for _, a := range r.arms {
				a.interrupt(ctx)
			}
		case <-ended:
		}
	})
	defer watching.Wait()
	defer close(ended)
	if !r.started {
		r.started = true
		r.log.begin()
		r.warmUp(ctx)
	}
	for good > 0 && driven < most && !r.Stopped() {
		if r.oneBlock(ctx) {
			good--
		}
		driven++
	}
	return driven
}

// Stopped says whether the run has ended before its time.
func (r *Paired) Stopped() bool {
	for _, a := range r.arms {
		select {
		case <-a.quit:
			return true
		default:
		}
	}
	return false
}

// Leave ends the users of both sides. A later Drive begins a new series, with new
// users and a warm-up: it is for after both sides were restarted.
func (r *Paired) Leave() {
	for _, a := range r.arms {
		a.leave()
	}
	if r.started {
		r.started = false
		r.restarts++
	}
}

// Result is what was measured so far. Rounds of the n-th series after the first
// have Restarts n.
func (r *Paired) Result() (*result.Run, error) {
	out := &result.Run{Mode: "paired", Seed: r.plan.Seed, Environment: Environment(), Catalog: r.arms[1].catalog}
	r.log.export(out)
	for _, t := range r.plan.Tracks {
		out.Open = out.Open || t.Open
	}
	for _, a := range r.arms {
		a.mu.Lock()
		if out.Stopped == "" {
			out.Stopped = a.stopped
		}
		out.Interrupted = out.Interrupted || a.interrupted
		a.mu.Unlock()
	}
	return out, r.log.err
}

// warmUp drives each side once, and forgets what came of it.
func (r *Paired) warmUp(ctx context.Context) {
	length := min(pairedWarmUp, max(r.opt.Load/20, minRound))
	arrivals := r.take(length)
	stop := drainTime
	for _, t := range r.plan.Tracks {
		stop = max(stop, t.GracefulStop)
	}
	for _, a := range r.order() {
		if r.Stopped() {
			return
		}
		drained := r.arms[a].round(ctx, time.Now(), length, stop, arrivals)
		r.arms[a].ledger.read()
		if a == 0 {
			r.grace = max(drainTime, 2*drained)
		}
	}
}

// oneBlock drives a round of each side, and reports whether it is undisturbed.
func (r *Paired) oneBlock(ctx context.Context) (good bool) {
	arrivals := r.take(r.length)
	good = true
	for _, a := range r.order() {
		if r.Stopped() {
			return false
		}
		round := r.log.round(a, r.length, func(begin time.Time) {
			r.arms[a].round(ctx, begin, r.length, r.grace, arrivals)
		})
		if round == nil {
			return false // stopped before it began
		}
		round.Block, round.Restarts = r.block, r.restarts
		good = good && !round.Disturbed()
	}
	r.block++
	return good
}

// order is that of the sides in the next block, 0 for the base.
func (r *Paired) order() [2]int {
	first := int(r.coin.Uint64() & 1)
	return [2]int{first, 1 - first}
}

// take returns the next stretch of each track's schedule.
func (r *Paired) take(length time.Duration) [][]plan.Arrival {
	all := make([][]plan.Arrival, len(r.schedules))
	for i, s := range r.schedules {
		if s != nil {
			all[i] = s.take(length, nil)
		}
	}
	return all
}
