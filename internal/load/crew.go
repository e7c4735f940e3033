package load

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/loadline-ci/loadline/internal/plan"
)

// A crew is a closed track that is driven in rounds: its users stay between
// them, with their connections open, and wait.
type crew struct {
	*track
	seating plan.Seating
	bound   bool // some seats are bound to a scenario

	numbers, cards atomic.Int64

	mu     sync.Mutex
	seats  []chan struct{} // told of each round; nil: its user left by itself
	atWork int
	still  chan struct{} // when set: closed once atWork is 0
}

func newCrew(t *track) *crew {
	return &crew{
		track: t, seating: t.plan.Seating(t.index),
		bound: slices.ContainsFunc(t.Shares, func(s plan.Share) bool { return s.Users > 0 }),
	}
}

// drive lets the users work until the round is over.
func (c *crew) drive(s stint) {
	if c.wake() == 0 {
		c.stop("every user ended before the load did")
		return
	}
	c.sleep(s.begin.Add(s.length))
}

// wake sends every user to work, and returns how many there are.
func (c *crew) wake() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seats == nil {
		for j := range int(math.Ceil(c.Peak())) {
			work := make(chan struct{}, 1)
			c.seats = append(c.seats, work)
			c.users.Add(1)
			n := c.ids.Add(1) - 1
			c.workers.Go(func() { c.serve(j, n, work) })
		}
	}
	for _, work := range c.seats {
		if work != nil {
			c.atWork++
			work <- struct{}{} // holds one, and is empty
		}
	}
	return c.atWork
}

// serve is the life of user n of the track, in seat j.
func (c *crew) serve(j int, n int64, work <-chan struct{}) {
	defer c.users.Add(-1)
	u, rec := c.user(n)
	pinned, isPinned := c.seating.At(int64(j))
	next := Continue
	for range work {
		for next == Continue && !c.over.Load() {
			i := c.numbers.Add(1) - 1
			it := Iteration{Scenario: pinned, Number: c.plan.Number(c.index, i), Stage: c.stage0}
			if !isPinned {
				it.Scenario = c.draw(i)
			}
			rec.beginClosed(it.Scenario, it.Stage)
			next = c.iterate(u, rec, it)
		}
		if c.rest(j, next); next != Continue {
			break
		}
	}
	u.Close(c.ctx)
}

// draw takes the card of iteration i: see closed.draw.
func (c *crew) draw(i int64) int {
	if c.bound {
		i = c.cards.Add(1) - 1
	}
	return c.deck.At(i)
}

// rest counts a user out of the round, or for good.
func (c *crew) rest(j int, next Next) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next != Continue {
		c.seats[j] = nil
	}
	if c.atWork--; c.atWork == 0 && c.still != nil {
		close(c.still)
		c.still = nil
	}
}

func (c *crew) quiet() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return stillness(c.atWork, &c.still)
}

// finish sends the users home; those at work once they rest.
func (c *crew) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for j, work := range c.seats {
		if work != nil {
			close(work)
			c.seats[j] = nil
		}
	}
}
