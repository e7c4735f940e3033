package scenario

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
)

// A recorder is what a user tells of its requests: a *load.Recorder under load.
type recorder interface {
	Request(s *load.Sample)
	Check(check, stage int, ok bool)
	Metric(metric int, value float64, isTrue bool)
	Iteration(scenario, stage int, took time.Duration, completed bool)
}

// unrecorded is the recorder of what is not measured.
type unrecorded struct{}

func (unrecorded) Request(*load.Sample)                    {}
func (unrecorded) Check(int, int, bool)                    {}
func (unrecorded) Metric(int, float64, bool)               {}
func (unrecorded) Iteration(int, int, time.Duration, bool) {}

// A user walks scenarios. One goroutine at a time uses it.
type user struct {
	set    *Set
	rec    recorder
	trace  *tracer // not nil: shows what happens
	aside  bool    // not measured: what fails is put into words
	id     int64   // from 1
	random rand.PCG
	rng    *rand.Rand // over random
	timer  *time.Timer

	// The iteration at hand.
	number int64 // -1 outside iterations
	stage  int
	due    time.Time // when the next request was due; zero: it was not
	stop   <-chan struct{}
	begun  time.Duration // when its steps did: see now

	lanes []*lane // the first is the user's own; more for requests side by side
	bad   bool    // a request or check failed since this was last cleared
	last  *lane   // whose answer `if` looks at; nil: none yet in this iteration

	slots   []slot         // captures
	rows    [][]rule.Value // of each feed, what the user has now
	started bool           // on_start of the user was run
	kept    [][]slot       // captures of on_start: of the user, then of each scenario that was begun
}

func (s *Set) newUser(id int, rec recorder) *user {
	u := &user{
		set: s, rec: rec, id: int64(id) + 1, number: -1,
		slots: make([]slot, s.slots), rows: make([][]rule.Value, len(s.feeds)),
		kept: make([][]slot, 1+len(s.scenarios)),
	}
	u.rng = rand.New(&u.random)
	u.seed(saltUser, u.id)
	_, u.aside = rec.(unrecorded)
	u.lanes = []*lane{newLane(s.newSession())}
	return u
}

// Prepare opens the connection to the target: see load.Preparer. A user that is
// new for each iteration opens its own.
func (u *user) Prepare(ctx context.Context) {
	if !u.set.spec.User.PerIteration {
		_ = u.lanes[0].session.Open(ctx, u.set.target.scheme, u.set.target.host)
	}
}

func (u *user) seed(salt uint64, n int64) {
	u.random.Seed(uint64(u.set.spec.Load.Seed), salt+uint64(n))
}

// An outcome is how a list of steps ended; the larger goes before the smaller.
type outcome uint8

const (
	goOn outcome = iota
	endIteration
	endUser
	stopRun
)

// Iterate walks one iteration: see load.User.
func (u *user) Iterate(ctx context.Context, it load.Iteration) load.Next {
	w := u.set.scenarios[it.Scenario]
	u.begun = now()
	u.number, u.stage, u.due, u.stop, u.last = it.Number, it.Stage, it.Due, it.Stop, nil
	end := u.begin(ctx, w, it)
	if end == goOn {
		end = u.walk(ctx, w.steps)
	}
	if ctx.Err() != nil {
		return load.EndUser
	}
	u.rec.Iteration(it.Scenario, it.Stage, now()-u.begun, end == goOn)
	switch end {
	case stopRun:
		return load.StopRun
	case endUser:
		return load.EndUser
	default:
	}
	if u.set.spec.User.PerIteration {
		u.end(ctx)
	}
	u.pause(ctx, u.draw(&w.think))
	if w.pace > 0 {
		u.pause(ctx, w.pace-(now()-u.begun))
	}
	return load.Continue
}

// epoch is what now counts from. The difference of two times since a fixed start
// costs half of what two calls of time.Now do, and an iteration takes it always.
var epoch = time.Now()

func now() time.Duration { return time.Since(epoch) }

// begin readies the user for an iteration: rows, on_start where it is due, and
// captures as they were after it.
//
// The generator starts anew for each iteration. Which user takes which one
// depends on how fast the target is; what is random in iteration 4711 does not.
func (u *user) begin(ctx context.Context, w *walk, it load.Iteration) outcome {
	if u.set.spec.User.PerIteration {
		u.id = it.Number + 1
		u.renew()
	}
	u.seed(saltIteration, it.Number)
	if !u.draws(w.feeds) {
		if it.Due.IsZero() {
			return endUser
		}
		return stopRun // each arrival would make a new user, and it too would end
	}
	u.lanes[0].session.NewIteration()
	if !u.started {
		u.started = true
		clear(u.slots)
		if end := u.start(ctx, u.set.userStart, 0); end != goOn {
			return end
		}
	}
	mine := 1 + it.Scenario
	if u.kept[mine] == nil {
		copy(u.slots, u.kept[0])
		if len(w.onStart) == 0 {
			u.kept[mine] = u.kept[0]
		} else if end := u.start(ctx, w.onStart, mine); end != goOn {
			return end
		}
	}
	copy(u.slots, u.kept[mine])
	return goOn
}

// start runs an on_start and keeps what it captured. One that fails ends the
// user.
func (u *user) start(ctx context.Context, steps []*step, keep int) outcome {
	if end := u.walkAll(ctx, steps); end != goOn {
		return end
	}
	u.kept[keep] = slices.Clone(u.slots)
	u.begun = now() // what comes after it is the iteration
	return goOn
}

// walkAll is walk where no step may fail.
func (u *user) walkAll(ctx context.Context, steps []*step) outcome {
	for _, st := range steps {
		u.bad = false
		end := u.step(ctx, st)
		if end > endIteration {
			return end
		}
		if u.bad || end == endIteration {
			return endUser
		}
	}
	return goOn
}

// draws takes the rows that an iteration needs; false when a feed is at its end.
func (u *user) draws(feeds []int) bool {
	for _, i := range feeds {
		f := u.set.feeds[i]
		if f.spec.Per != "iteration" && u.rows[i] != nil {
			continue
		}
		row, ok := f.row(u)
		if !ok {
			return false
		}
		u.rows[i] = row
	}
	return true
}

// renew makes a new user of this one, as lifetime = "iteration" asks.
func (u *user) renew() {
	u.started = false
	clear(u.rows)
	clear(u.kept)
	u.lanes[0].session.Renew()
}

// end runs on_stop, once for each on_start that went well.
func (u *user) end(ctx context.Context) {
	if !u.started || u.kept[0] == nil || ctx.Err() != nil {
		return
	}
	u.started = false
	u.due, u.last = time.Time{}, nil
	copy(u.slots, u.kept[0])
	u.walk(ctx, u.set.userStop)
}

// Close ends the user: see load.User.
func (u *user) Close(ctx context.Context) {
	u.end(ctx)
	u.lanes[0].session.Close()
}
