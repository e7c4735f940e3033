package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// A track is one track of the plan under way.
type track struct {
	plan.Track
	*engine
	index  int
	stage0 int // index of its first stage in result.Run.Stages
	deck   *plan.Deck

	ctx      context.Context    // of all users of the track
	cancel   context.CancelFunc // ends ctx
	rec      Recorder           // for what the track itself records
	stopping chan struct{}      // closed when its load ends: Iteration.Stop
	over     atomic.Bool        // the same
	cut      atomic.Bool        // the graceful stop is over
	ids      atomic.Int64
	workers  sync.WaitGroup // its users
	open     *open          // of the open model, once it is prepared
	held     *Control       // who may change its level; nil: nobody
	control  *controlled    // its place there
}

func newTrack(ctx context.Context, e *engine, index, stage0 int) *track {
	t := &track{
		Track: e.plan.Tracks[index], engine: e, index: index, stage0: stage0,
		deck: e.plan.Deck(index), stopping: make(chan struct{}),
	}
	t.rec = Recorder{buffer: e.ledger.buffers[index], cut: &t.cut}
	t.ctx, t.cancel = context.WithCancel(ctx)
	return t
}

// run does the track and returns when its load ended, since the start of the
// run; by then all its users are gone.
func (t *track) run() (ended time.Duration) {
	defer t.cancel()
	if !t.sleep(t.start.Add(t.Start)) {
		return time.Since(t.start)
	}
	finish := t.drive()
	ended = time.Since(t.start)
	if planned := t.Start + t.Duration(); ended > planned {
		ended = planned // the clock went on while this goroutine woke up
	}
	t.lastUsers.Store(t.users.Load())
	t.lastInFlight.Store(t.inFlight.Load())
	t.over.Store(true)
	close(t.stopping)
	finish()
	t.settle()
	return ended
}

// drive does the load of the track until its end. What it returns lets the
// users know of it.
func (t *track) drive() (finish func()) {
	if o := t.open; o != nil {
		o.dispatch()
		return o.finish
	}
	c := newClosed(t)
	c.drive()
	return func() {}
}

// settle lets running iterations finish for the graceful stop, then cuts them
// off, and waits for all users to go.
func (t *track) settle() {
	gone := make(chan struct{})
	go func() {
		t.workers.Wait()
		close(gone)
	}()
	grace := time.NewTimer(t.GracefulStop)
	defer grace.Stop()
	select {
	case <-gone:
		return
	case <-grace.C:
	case <-t.abort:
	}
	t.cut.Store(true)
	t.cancel()
	<-gone
}

// sleep waits until a moment; it is false when the load ends before.
func (t *track) sleep(until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.quit:
		return false
	}
}

// user makes the user with a number (from 0) on this track and part.
func (t *track) user(n int64) (User, *Recorder) {
	id := t.plan.Number(t.index, t.plan.Global(n))
	buffers := t.ledger.buffers[len(t.plan.Tracks):]
	rec := &Recorder{buffer: buffers[id%int64(len(buffers))], cut: &t.cut}
	return t.newUser(int(id), rec), rec
}

// iterate has a user walk one iteration.
func (t *track) iterate(u User, rec *Recorder, it Iteration) Next {
	t.inFlight.Add(1)
	it.Stop = t.stopping
	next := u.Iterate(t.ctx, it)
	rec.end(it.Scenario, it.Stage)
	t.inFlight.Add(-1)
	if next == StopRun {
		t.stopRun(it.Scenario)
	}
	return next
}
