package load

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// drainTime is how long what is in flight at the end of a round may take before
// the other side has its turn: at least so long, and twice as long as the base
// took at the end of its warm-up.
const drainTime = 2 * time.Second

// ErrOverran is the cause of a done context in User.Iterate when the target, not
// the end of the load, is the reason: a round of a paired run had to end. Requests
// that are cut off for it are to be recorded, as timeouts.
var ErrOverran = errors.New("it was still running when its round had to end")

// An arm is one side of a paired run. Its users stay from round to round.
type arm struct {
	name string
	*engine
	shape   shape
	drivers []driver // by track
	cancels []context.CancelCauseFunc
	manned  bool // the drivers have users, or will have
}

// A driver drives one track for a round at a time.
type driver interface {
	// drive returns when the time of the round is over, or the load is stopped.
	drive(stint)
	// quiet is closed when nothing is at work any more.
	quiet() <-chan struct{}
	// finish sends home the users that rest.
	finish()
	base() *track
}

// A stint is a round of one track.
type stint struct {
	begin    time.Time
	length   time.Duration
	arrivals []plan.Arrival // counted from begin; open tracks
}

func newArm(name string, p plan.Plan, newUser NewUser, opt Options) (*arm, error) {
	e, s, err := newDriver(p, newUser, opt)
	if err != nil {
		return nil, err
	}
	return &arm{name: name, engine: e, shape: s}, nil
}

// man gives each track new users. Their numbers go on from those before.
func (a *arm) man(ctx context.Context) {
	before := a.drivers
	a.drivers, a.cancels, a.manned = nil, nil, true
	for i, stage := 0, 0; i < len(a.plan.Tracks); i++ {
		// As in a single run, that ctx is done does not reach the users by itself.
		own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
		t := newTrack(own, a.engine, i, stage)
		a.cancels = append(a.cancels, cancel)
		stage += len(t.Stages)
		var d driver
		if t.Open {
			d = &shift{newOpen(t)}
		} else {
			c := newCrew(t)
			if before != nil {
				old := before[i].(*crew)
				c.numbers.Store(old.numbers.Load())
				c.cards.Store(old.cards.Load())
			}
			d = c
		}
		if before != nil {
			t.ids.Store(before[i].base().ids.Load())
		}
		a.drivers = append(a.drivers, d)
	}
}

// round drives the arm for one round, and waits until it is still, which took so
// long. Whoever is at work after the grace is cut off and replaced by new users.
func (a *arm) round(ctx context.Context, begin time.Time, length, grace time.Duration, arrivals [][]plan.Arrival) (drained time.Duration) {
	if !a.manned {
		a.man(ctx)
	}
	var driving sync.WaitGroup
	for i, d := range a.drivers {
		t := d.base()
		t.stopping = make(chan struct{})
		t.over.Store(false)
		driving.Go(func() { d.drive(stint{begin, length, arrivals[i]}) })
	}
	driving.Wait()
	for _, d := range a.drivers {
		d.base().over.Store(true)
		close(d.base().stopping)
	}
	end := time.Now()
	if !a.drain(grace) {
		a.cutOff()
		a.man(ctx)
	}
	return time.Since(end)
}

// drain waits until nothing is at work; false when that takes too long, or the
// load is to end at once.
func (a *arm) drain(grace time.Duration) bool {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	for _, d := range a.drivers {
		select {
		case <-d.quiet():
		case <-timer.C:
			return false
		case <-a.abort:
			return false
		}
	}
	return true
}

// cutOff ends what is running and all users. At the end of the load what they
// then record is left out; else the requests took too long, and count.
func (a *arm) cutOff() {
	ending := false
	select {
	case <-a.quit:
		ending = true
	default:
	}
	for i, d := range a.drivers {
		d.base().cut.Store(ending)
		a.cancels[i](ErrOverran)
		d.finish()
	}
	for _, d := range a.drivers {
		d.base().workers.Wait()
		d.base().cut.Store(true)
	}
}

// leave lets all users end, with what the spec asks for then, within the graceful
// stop of their track.
func (a *arm) leave() {
	if !a.manned {
		return
	}
	a.manned = false
	for _, d := range a.drivers {
		d.finish()
	}
	for _, d := range a.drivers {
		d.base().settle()
	}
	for _, cancel := range a.cancels {
		cancel(nil)
	}
}

// A shift is an open track that is driven in rounds.
type shift struct{ *open }

func (s *shift) base() *track { return s.track }

func (s *shift) drive(st stint) {
	left := st.arrivals
	s.send(st.begin, func() (next plan.Arrival, ok bool) {
		if len(left) == 0 {
			return plan.Arrival{}, false
		}
		next, left = left[0], left[1:]
		return next, true
	}, st.length)
}

func (s *shift) quiet() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return stillness(s.taken, &s.still)
}

func (c *crew) base() *track { return c.track }

// stillness is a channel that is closed once so many at work are none; its owner
// closes what it finds in still. Called with the owner's lock held.
func stillness(atWork int, still *chan struct{}) <-chan struct{} {
	ch := make(chan struct{})
	if atWork == 0 {
		close(ch)
		return ch
	}
	*still = ch
	return ch
}
