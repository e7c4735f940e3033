package load

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// A Control changes a run while it goes on. Its methods may be called from any
// goroutine. The zero value is ready; it serves one run, that of the Options it
// is handed to.
type Control struct {
	mu     sync.Mutex
	engine *engine // while the load runs
	tracks []*controlled
	log    []result.Change
}

// controlled is a track whose level may be held.
type controlled struct {
	*track
	signal chan struct{} // holds one: the level is to change
	wanted *levelHold    // the newest that the track has not taken up
	past   []levelHold   // all there were, in order
}

// A levelHold keeps a track at a level from a moment of the track on.
type levelHold struct {
	at    time.Duration
	level float64
}

// errNotRunning is what a change meets before the load begins and after its end.
var errNotRunning = errors.New("no load is running")

// begin ties the control to a run whose tracks are about to start.
func (c *Control) begin(e *engine, all []*track) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine = e
	for _, t := range all {
		t.control = &controlled{track: t, signal: make(chan struct{}, 1)}
		t.held = c
		c.tracks = append(c.tracks, t.control)
	}
}

// end closes the control and returns what was changed.
func (c *Control) end() []result.Change {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engine = nil
	return c.log
}

// Stop ends the load, with a reason that the result keeps; iterations may finish.
func (c *Control) Stop(reason string) error {
	c.mu.Lock()
	e := c.engine
	c.mu.Unlock()
	if e == nil {
		return errNotRunning
	}
	e.stop(reason)
	return nil
}

// Hold lets a track, counted from 0, stay at a level from now until its end:
// arrivals per second (open model, 0 to plan.MaxRate), or users (closed model, a
// whole number from 1 to plan.MaxUsers), of the whole plan. The result names the
// change, and is then never compared with runs that went as planned.
func (c *Control) Hold(track int, level float64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.engine == nil {
		return errNotRunning
	}
	if track < 0 || track >= len(c.tracks) {
		return fmt.Errorf("there is no load %d: there are %d, from 0", track, len(c.tracks))
	}
	t := c.tracks[track]
	at := time.Since(t.start) - t.Start
	switch {
	case t.Open && !(level >= 0 && level <= plan.MaxRate):
		return fmt.Errorf("a rate of %v: use 0 to %.0f per second", level, plan.MaxRate)
	case !t.Open && (!(level >= 1 && level <= plan.MaxUsers) || level != math.Trunc(level)):
		return fmt.Errorf("%v users: use a whole number from 1 to %d", level, plan.MaxUsers)
	case at < 0 || at >= t.Duration():
		return errNotRunning
	}
	t.wanted = &levelHold{at, level}
	t.past = append(t.past, *t.wanted)
	c.log = append(c.log, result.Change{At: t.Start + at, Track: t.Name, Open: t.Open, Level: level})
	select {
	case t.signal <- struct{}{}:
	default: // it is told already, and will find the newest
	}
	return nil
}

// take hands a track the level it is to hold; nil when there is no new one.
func (c *Control) take(t *controlled) *levelHold {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := t.wanted
	t.wanted = nil
	return h
}

// rate is plan.Plan.Rate with what was changed.
func (c *Control) rate(p plan.Plan, at time.Duration) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	rate := p.Rate(at)
	for _, t := range c.tracks {
		in := at - t.Start
		if level, held := t.heldAt(in); t.Open && held {
			rate += (level - t.LevelAt(in)) / float64(max(1, p.Parts))
		}
	}
	return max(rate, 0)
}

// heldAt is the level that was held at a moment of the track. There may be newer
// ones: the row of a second is written at its end.
func (t *controlled) heldAt(at time.Duration) (level float64, held bool) {
	if at >= t.Duration() {
		return 0, false
	}
	for _, h := range slices.Backward(t.past) {
		if at >= h.at {
			return h.level, true
		}
	}
	return 0, false
}

// changed is told when the level of the track is to change; never without a
// Control.
func (t *track) changed() <-chan struct{} {
	if t.control == nil {
		return nil
	}
	return t.control.signal
}

// newHold is the level the track is to hold from now on; nil when nothing new
// was asked for.
func (t *track) newHold() *levelHold {
	if t.control == nil {
		return nil
	}
	return t.held.take(t.control)
}
