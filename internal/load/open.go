package load

import (
	"context"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// open is a track of the open model: arrivals come when the plan says so,
// whatever becomes of those before.
type open struct {
	*track
	max int // arrivals at work or waiting

	mu       sync.Mutex
	idle     []chan arrival // users without work; the last one worked last
	waiting  queue          // arrivals that no user has taken
	starting int            // users that have not asked for work yet
	taken    int            // arrivals at work or waiting
	ended    bool           // no more arrivals will come
	still    chan struct{}  // when set: closed once taken is 0
}

// An arrival is an iteration that is due.
type arrival struct {
	scenario, stage int
	number          int64
	due             time.Time
}

func newOpen(t *track) *open {
	return &open{track: t, max: t.plan.MaxUsers(t.index)}
}

// dispatch hands out the arrivals until the end of the track.
func (o *open) dispatch() {
	begin := o.start.Add(o.Start)
	walk := o.plan.Arrivals(o.index)
	before := *walk
	next := func() (plan.Arrival, bool) {
		before = *walk
		return walk.Next()
	}
	for o.send(begin, next, o.Duration()) {
		// The arrival that was waited for comes at another time now.
		*walk = before
		if h := o.newHold(); h != nil {
			walk.Hold(h.at, h.level)
		}
	}
}

// send hands out arrivals, which count from begin, and returns after length. It
// is true when the level is to change before: the last arrival it took was then
// not handed out.
func (o *open) send(begin time.Time, arrivals func() (plan.Arrival, bool), length time.Duration) (changed bool) {
	w := newWaiter(o.Peak(), o.opt.Sleep)
	defer w.close()
	watched, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-o.quit:
			w.stop()
		case <-o.changed():
			changed = true
			w.stop()
		case <-left:
		}
	}()
	defer func() { close(left); <-watched }()
	for {
		next, ok := arrivals()
		if !ok {
			break
		}
		a := arrival{
			scenario: o.deck.At(next.N),
			stage:    o.stage0 + next.Stage,
			number:   o.plan.Number(o.index, next.N),
			due:      begin.Add(next.At),
		}
		if !w.wait(a.due) {
			return
		}
		o.hand(a)
	}
	w.wait(begin.Add(length))
	return // once the watcher is gone, which may set it
}

// hand gives an arrival to a user. It never waits: a new user is made on its
// own goroutine, and the arrival is in the queue meanwhile.
func (o *open) hand(a arrival) {
	o.mu.Lock()
	room := o.taken < o.max
	var user chan arrival
	start := false
	if room {
		o.taken++
		if last := len(o.idle) - 1; last >= 0 {
			user = o.idle[last]
			o.idle = o.idle[:last]
		} else {
			o.waiting.push(a)
			// Each arrival that waits has a user starting, so none is left
			// behind when others leave; and users at work and starting are no
			// more than arrivals taken, so no more than max.
			if start = o.starting < o.waiting.len(); start {
				o.starting++
			}
		}
	}
	o.mu.Unlock()
	if user != nil {
		user <- a // holds one, and is empty
	}
	if start {
		o.launch()
	}
	o.rec.buffer.mark(mark{kind: markOffered, index: uint32(a.scenario), stage: uint16(a.stage), ok: room})
}

func (o *open) launch() {
	o.users.Add(1)
	n := o.ids.Add(1) - 1
	o.workers.Go(func() {
		u, rec := o.user(n)
		o.serve(u, rec)
	})
}

// Users are made ahead for what a fast track brings in the first moments, which
// is long enough for a close target to answer; a slow load needs none.
const (
	aheadFor  = 20 * time.Millisecond
	aheadRate = 500 // arrivals a second
	aheadMost = 256
)

// prepare makes the users that the beginning of the track will want, and returns
// when they are ready, or when ctx is done.
func (o *open) prepare(ctx context.Context) {
	first := o.Stages[0]
	rate := max(first.From, first.To)
	if rate < aheadRate || o.Start > 0 {
		return
	}
	var ready sync.WaitGroup
	for range min(int(rate*aheadFor.Seconds()), aheadMost, o.max) {
		ready.Add(1)
		o.users.Add(1)
		o.mu.Lock()
		o.starting++
		o.mu.Unlock()
		n := o.ids.Add(1) - 1
		o.workers.Go(func() {
			u, rec := o.user(n)
			if p, ok := u.(Preparer); ok {
				p.Prepare(o.ctx)
			}
			ready.Done()
			o.serve(u, rec)
		})
	}
	all := make(chan struct{})
	go func() {
		ready.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-ctx.Done(): // the run will cut them off
	}
}

// serve is the life of a user of the track.
func (o *open) serve(u User, rec *Recorder) {
	defer o.users.Add(-1)
	work := make(chan arrival, 1)
	o.mu.Lock()
	o.starting--
	o.mu.Unlock()
	next := Continue
	for next == Continue {
		a, ok := o.take(work)
		if !ok {
			break
		}
		rec.begin(a.scenario, a.stage, time.Since(a.due))
		next = o.iterate(u, rec, Iteration{Scenario: a.scenario, Number: a.number, Stage: a.stage, Due: a.due})
		o.mu.Lock()
		if o.taken--; o.taken == 0 && o.still != nil {
			close(o.still)
			o.still = nil
		}
		o.mu.Unlock()
	}
	u.Close(o.ctx)
}

// take returns the next arrival for a user, at once or when there is one; ok is
// false when none will come.
func (o *open) take(work chan arrival) (a arrival, ok bool) {
	o.mu.Lock()
	if o.cut.Load() {
		o.mu.Unlock()
		return arrival{}, false
	}
	if o.waiting.len() > 0 {
		a = o.waiting.pop()
		o.mu.Unlock()
		return a, true
	}
	if o.ended {
		o.mu.Unlock()
		return arrival{}, false
	}
	o.idle = append(o.idle, work)
	o.mu.Unlock()
	a, ok = <-work
	return a, ok
}

// finish sends idle users home. Arrivals that still wait were due, and are
// served within the graceful stop.
func (o *open) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	for _, work := range o.idle {
		close(work)
	}
	o.idle = nil
}

// A queue of arrivals, first in, first out.
type queue struct {
	items []arrival
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(a arrival) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		q.items = q.items[:copy(q.items, q.items[q.head:])]
		q.head = 0
	}
	q.items = append(q.items, a)
}

func (q *queue) pop() arrival {
	a := q.items[q.head]
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return a
}
