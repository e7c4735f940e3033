package scenario

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/wire"
)

// A branch is one of the requests that are sent side by side.
type branch struct {
	step *step
	lane *lane
	req  *wire.Request // nil: it could not be filled in
	err  error
}

// together sends the requests of a parallel step side by side: each child as
// often as its repeat and for_each say. They are filled in before the first is
// sent and judged after the last has come, so that one goroutine uses the user's
// values, and what is random does not depend on who answers first.
func (u *user) together(ctx context.Context, st *step) outcome {
	branches, end := u.branches(st)
	var wg sync.WaitGroup
	for i := range branches {
		b := &branches[i]
		if b.req == nil {
			continue
		}
		b.lane.sample.Due = u.due
		wg.Go(func() { b.lane.session.Do(ctx, b.req, &b.lane.resp) })
	}
	wg.Wait()
	u.due = time.Time{}
	var latest time.Time // when the last branch is over, its think included
	for _, b := range branches {
		if b.req == nil {
			end = max(end, u.unfilled(b.step, b.err))
			continue
		}
		end = max(end, u.judge(ctx, b.step, b.lane, b.req))
		t := &b.lane.resp.Times
		if over := t.Start.Add(t.Done + u.draw(&b.step.spec.Think)); over.After(latest) {
			latest = over
		}
	}
	if end == goOn {
		u.pause(ctx, time.Until(latest))
	}
	return end
}

// branches fills in the requests of a parallel step, each on a lane of its own.
func (u *user) branches(st *step) (out []branch, end outcome) {
	add := func(p *step) {
		if !u.wanted(p) {
			return
		}
		for range max(1, p.spec.Repeat) {
			if len(out) == len(u.lanes) {
				u.lanes = append(u.lanes, newLane(u.lanes[0].session.Sibling()))
			}
			b := branch{step: p, lane: u.lanes[len(out)]}
			req, err := b.lane.fill(u, p.message)
			if b.err = err; err == nil {
				b.req = req
			}
			out = append(out, b)
		}
	}
	for _, p := range st.parallel {
		if p.spec.ForEach == nil {
			add(p)
			continue
		}
		list, err := u.list(p.spec.ForEach.List)
		if err != nil {
			end = max(end, u.unfilled(p, err))
		}
		for _, element := range list {
			u.capture(p.spec.ForEach.Var, element)
			add(p)
		}
	}
	return out, end
}

// list is the array that a for_each goes over.
func (u *user) list(name string) ([]any, error) {
	v, ok := u.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("%q has no value here", name)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%q is not a list", name)
	}
	return list, nil
}
