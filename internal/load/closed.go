package load

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// closed is a track of the closed model: so many users, each iterating as fast
// as its target answers and its pauses allow.
type closed struct {
	*track
	seating plan.Seating
	bound   bool  // some seats are bound to a scenario
	limit   int64 // iterations of all users; -1: none

	stage   atomic.Int64 // index into result.Run.Stages
	numbers atomic.Int64 // iterations begun
	cards   atomic.Int64 // of the deck, dealt; counted where some seats are bound
	level   atomic.Int64 // users wanted
	spent   atomic.Bool  // the limit is reached
	empty   chan struct{}

	mu    sync.Mutex
	seats []seat
	live  int
}

// A seat is where a user sits: the one in seat j is wanted while the level is
// above j.
type seat uint8

const (
	free    seat = iota
	working      // or about to leave, as the level fell
	gone         // its user left by itself, and is not replaced
)

func newClosed(t *track) *closed {
	c := &closed{track: t, seating: t.plan.Seating(t.index), limit: -1, empty: make(chan struct{}, 1)}
	if n, ok := t.plan.Iterations(t.index); ok {
		c.limit = n
	}
	c.bound = slices.ContainsFunc(t.Shares, func(s plan.Share) bool { return s.Users > 0 })
	return c
}

// drive keeps the level and the stage until the end of the track, or until
// there is nothing left to do.
func (c *closed) drive() {
	begin := c.start.Add(c.Start)
	changes := c.plan.Changes(c.index)
	before := *changes
	next, more := changes.Next()
	at := time.Duration(0)
	for at < c.Duration() {
		c.stage.Store(int64(c.stage0 + c.StageAt(at)))
		for more && next.At <= at {
			c.setLevel(next.Users)
			before = *changes
			next, more = changes.Next()
		}
		at = c.nextEdge(at)
		if more {
			at = min(at, next.At)
		}
		switch c.await(begin.Add(at), func() bool { return more && rises(*changes, next, int(c.level.Load())) }) {
		case atEnd:
			return
		case atChange:
			*changes = before
			at = time.Since(begin)
			if h := c.newHold(); h != nil {
				changes.Hold(at, int(h.level))
			}
			next, more = changes.Next()
		case atMoment:
		}
	}
}

// nextEdge is the end of the stage at a moment of the track.
func (c *closed) nextEdge(at time.Duration) time.Duration {
	var edge time.Duration
	for _, s := range c.Stages {
		if edge += s.Duration; edge > at {
			return edge
		}
	}
	return c.Duration()
}

// An awaited is what ended a wait.
type awaited uint8

const (
	atMoment awaited = iota // its time was over
	atEnd                   // the run is stopped, or all users are gone and none will come
	atChange                // the level is to change
)

// await waits until a moment.
func (c *closed) await(until time.Time, coming func() bool) awaited {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		if c.done(coming) {
			return atEnd
		}
		select {
		case <-timer.C:
			return atMoment
		case <-c.quit:
			return atEnd
		case <-c.changed():
			return atChange
		case <-c.empty:
		}
	}
}

func (c *closed) done(coming func() bool) bool {
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	return live == 0 && (c.spent.Load() || !coming())
}

// rises says whether the level, now at users, will rise at next or later.
// changes is a copy, so that looking ahead uses up nothing.
func rises(changes plan.Changes, next plan.Change, users int) bool {
	for ok := true; ok; next, ok = changes.Next() {
		if next.Users > users {
			return true
		}
		users = next.Users
	}
	return false
}

// setLevel asks for so many users. Those above it leave after their iteration.
func (c *closed) setLevel(users int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := int(c.level.Swap(int64(users)))
	for len(c.seats) < users {
		c.seats = append(c.seats, free)
	}
	for j := old; j < users && !c.spent.Load(); j++ {
		if c.seats[j] == working {
			continue // it had not left yet
		}
		c.seats[j] = working
		c.live++
		c.users.Add(1)
		n := c.ids.Add(1) - 1
		c.workers.Go(func() { c.serve(j, n) })
	}
}

// serve is the life of user n of the track, in seat j.
func (c *closed) serve(j int, n int64) {
	u, rec := c.user(n)
	pinned, isPinned := c.seating.At(c.plan.Global(int64(j)))
	left := gone
	for done := int64(0); c.IterationsPerUser == 0 || done < c.IterationsPerUser; done++ {
		if c.over.Load() {
			break
		}
		if int64(j) >= c.level.Load() && c.leave(j) {
			left = free
			break
		}
		i := c.numbers.Add(1) - 1
		if c.limit >= 0 && i >= c.limit {
			c.spent.Store(true)
			break
		}
		it := Iteration{Scenario: pinned, Number: c.plan.Number(c.index, c.plan.Global(i)), Stage: int(c.stage.Load())}
		if !isPinned {
			it.Scenario = c.draw(i)
		}
		rec.beginClosed(it.Scenario, it.Stage)
		if c.iterate(u, rec, it) != Continue {
			break
		}
	}
	u.Close(c.ctx)
	c.depart(j, left)
}

// draw takes the card of iteration i. Where bound users make some of the
// iterations, it takes the next card that was not dealt, lest theirs be missing
// from the shares of the others.
func (c *closed) draw(i int64) int {
	if c.bound {
		i = c.cards.Add(1) - 1
	}
	return c.deck.At(c.plan.Global(i))
}

// leave gives up a seat above the level, unless the level rose meanwhile.
func (c *closed) leave(j int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(j) < c.level.Load() {
		return false
	}
	c.seats[j] = free
	return true
}

// depart counts a user out. A seat that was left by leave may be taken again
// already.
func (c *closed) depart(j int, left seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left == gone {
		c.seats[j] = gone
	}
	c.users.Add(-1)
	if c.live--; c.live == 0 {
		select {
		case c.empty <- struct{}{}:
		default:
		}
	}
}
