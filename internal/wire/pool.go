package wire

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A pool is the connections that all sessions of a client share. The one that
// was used last is taken first, so that those too many go stale.
type pool struct {
	most int // for each origin; 0: no limit
	mu   sync.Mutex
	at   map[origin]*shared
}

type origin struct{ scheme, host string }

// shared is the connections to one origin.
type shared struct {
	idle    []*conn
	open    int          // idle, in use and being made
	waiting []chan *conn // first come, first served
}

func newPool(most int) *pool { return &pool{most: most, at: make(map[origin]*shared)} }

// take returns an idle connection, or nil when the caller may make one; it then
// owes a give or a leave. While all are in use it waits.
func (p *pool) take(ctx context.Context, o origin, deadline time.Duration) (*conn, error) {
	p.mu.Lock()
	s := p.at[o]
	if s == nil {
		s = new(shared)
		p.at[o] = s
	}
	if n := len(s.idle); n > 0 {
		c := s.idle[n-1]
		s.idle[n-1] = nil
		s.idle = s.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	if p.most == 0 || s.open < p.most {
		s.open++
		p.mu.Unlock()
		return nil, nil //nolint:nilnil // the leave to make one
	}
	turn := make(chan *conn, 1)
	s.waiting = append(s.waiting, turn)
	p.mu.Unlock()

	timer := time.NewTimer(deadline - now())
	defer timer.Stop()
	var err error
	select {
	case c := <-turn:
		return c, nil
	case <-ctx.Done():
		err = errCancelled
	case <-timer.C:
		err = errTimeout
	}
	p.mu.Lock()
	i := slices.Index(s.waiting, turn)
	if i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	p.mu.Unlock()
	if i < 0 { // it came at the same moment: it is for the next
		if c := <-turn; c != nil {
			p.give(c)
		} else {
			p.leave(o)
		}
	}
	return nil, err
}

// give hands c, which is ready for a request, to who waits, or keeps it.
func (p *pool) give(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.at[origin{c.scheme, c.host}]
	if len(s.waiting) > 0 {
		s.waiting[0] <- c
		s.waiting = slices.Delete(s.waiting, 0, 1)
		return
	}
	s.idle = append(s.idle, c)
}

// leave says that a connection is gone, or was not made: the next may make one.
func (p *pool) leave(o origin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.at[o]
	if len(s.waiting) > 0 {
		s.waiting[0] <- nil
		s.waiting = slices.Delete(s.waiting, 0, 1)
		return
	}
	s.open--
}

// close closes what is idle.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.at {
		for _, c := range s.idle {
			c.close()
		}
		s.open -= len(s.idle)
		s.idle = nil
	}
}
