package load

import (
	"context"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// drainTime is how long what is in flight at the end of a round may take before
// the other side has its turn.
const drainTime = 2 * time.Second

// An arm is one side of a paired run. Its users stay from round to round.
type arm struct {
	name string
	*engine
	shape   shape
	drivers []driver // by track
	manned  bool     // the drivers have users, or will have
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
	a.drivers, a.manned = nil, true
	for i, stage := 0, 0; i < len(a.plan.Tracks); i++ {
		// As in a single run, users are cut off only after what they then record
		// is known to be.
		t := newTrack(context.WithoutCancel(ctx), a.engine, i, stage)
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

// round drives the arm for one round, and waits until it is still. Whoever is at
// work after drainTime is cut off and replaced by new users: overran is true.
func (a *arm) round(ctx context.Context, begin time.Time, length time.Duration, arrivals [][]plan.Arrival) (overran bool) {
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
	if a.drain() {
		return false
	}
	a.cutOff()
	a.man(ctx)
	return true
}

// drain waits until nothing is at work; false when that takes too long, or the
// load is to end at once.
func (a *arm) drain() bool {
	grace := time.NewTimer(drainTime)
	defer grace.Stop()
	for _, d := range a.drivers {
		select {
		case <-d.quiet():
		case <-grace.C:
			return false
		case <-a.abort:
			return false
		}
	}
	return true
}

// cutOff ends what is running and all users.
func (a *arm) cutOff() {
	for _, d := range a.drivers {
		d.base().cut.Store(true)
		d.base().cancel()
		d.finish()
	}
	for _, d := range a.drivers {
		d.base().workers.Wait()
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
		d.base().cancel()
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
