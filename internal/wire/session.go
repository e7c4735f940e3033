package wire

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"
)

// A Session is one user's connections and cookies. One goroutine at a time may
// use it; for requests side by side see Sibling.
type Session struct {
	client *Client
	conns  []*conn    // one for each origin; most users have one origin
	jar    *jar       // nil: no cookie was ever set
	reader reader1    // of the response at hand
	body   []byte     // what the last Do handed out
	family []*Session // siblings

	out, cookieBuf []byte // of requests with cookies

	// The request at hand. It lives here and not on the stack, as the stack of
	// each user would double for it.
	begin    time.Duration
	limit    time.Duration
	deadline time.Duration
	sent     bool // Times.Sent is known

	largeBody bool // the last body did not fit a session's own buffer

	done   <-chan struct{} // of the context that stop follows
	stop   *atomic.Bool    // set when that context is done
	forget func() bool     // no longer follow it
	active atomic.Pointer[link]
}

// NewSession makes a session. Nothing is opened before the first request.
func (c *Client) NewSession() *Session { return &Session{client: c} }

// Do sends req and fills in resp. See Doer. Strings and bytes in resp share
// memory with the session: clone what is to outlive the next Do.
func (s *Session) Do(ctx context.Context, req *Request, resp *Response) {
	s.begin = now()
	s.sent = false
	s.limit = req.Timeout
	if s.limit == 0 {
		s.limit = s.client.opts.Timeout
	}
	s.deadline = s.begin + s.limit
	*resp = Response{Times: Times{Start: epoch.Add(s.begin)}}
	s.dropBody()
	err := s.follow(ctx)
	if err == nil {
		err = s.chain(ctx, req, resp)
	}
	if err != nil {
		s.fail(resp, err)
	}
}

// fail turns what is known of a response into that of a failed request.
func (s *Session) fail(resp *Response, err error) {
	resp.Status, resp.Header, resp.Body = 0, nil, nil
	resp.Kind, resp.Err = kindOf(err), err
	resp.Times.Done = now() - s.begin
}

// roundTrip sends req once, or twice where the server had closed the idle
// connection and sending again is safe.
func (s *Session) roundTrip(ctx context.Context, req *Request, resp *Response) error {
	if err := check(req); err != nil {
		return err
	}
	for retried := false; ; retried = true {
		c, err := s.connFor(ctx, req, resp, retried)
		if err != nil {
			return err
		}
		resp.Reused = c.uses > 0
		if c.h2 != nil {
			err = s.exchange2(c, req, resp)
		} else {
			err = s.exchange1(c, req, resp)
		}
		resp.In += c.link.bytesIn
		resp.Out += c.link.bytesOut
		if err == nil {
			c.uses++
			c.idleSince = s.begin + resp.Times.Done
			s.keep(c)
			return nil
		}
		again := !retried && (c.uses > 0 || c.ahead != nil) && s.mayRepeat(c, req, err)
		s.drop(c)
		if !again {
			return s.explain(ctx, c, err)
		}
		resp.Retried = true
	}
}

// follow makes stop tell whether ctx is done. Mostly ctx is the same as last
// time, and nothing is to be done.
func (s *Session) follow(ctx context.Context) error {
	done := ctx.Done()
	if done == s.done && (s.stop == nil || !s.stop.Load()) {
		return nil
	}
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	if s.forget != nil {
		s.forget()
	}
	s.done, s.stop, s.forget = done, nil, nil
	if done == nil {
		return nil
	}
	stop := new(atomic.Bool)
	s.stop = stop
	s.forget = context.AfterFunc(ctx, func() {
		stop.Store(true)
		// Either this sees the link, or watch's caller sees stop.
		if l := s.active.Load(); l != nil {
			l.interrupt()
		}
	})
	return nil
}

// watch makes l the link that the end of the context interrupts.
func (s *Session) watch(l *link) {
	if s.active.Load() != l {
		s.active.Store(l)
	}
}

// connFor returns a connection that is ready for req. With fresh it is a new
// one.
func (s *Session) connFor(ctx context.Context, req *Request, resp *Response, fresh bool) (*conn, error) {
	if s.client.pool != nil {
		return s.sharedConn(ctx, req, resp, fresh)
	}
	for _, c := range s.conns {
		if c.host == req.Host && c.scheme == req.Scheme {
			if c.usable(s.begin) {
				if t := c.ahead; t != nil && c.uses == 0 {
					resp.Times.DNS, resp.Times.Connect, resp.Times.TLS = t.DNS, t.Connect, t.TLS
				}
				return c, nil
			}
			s.drop(c)
			break
		}
	}
	if err := s.client.allowed(req.Scheme, req.Host); err != nil {
		return nil, err
	}
	return s.dial(ctx, req.Scheme, req.Host, &resp.Times)
}

// sharedConn is connFor with the client's pool.
func (s *Session) sharedConn(ctx context.Context, req *Request, resp *Response, fresh bool) (*conn, error) {
	if err := s.client.allowed(req.Scheme, req.Host); err != nil {
		return nil, err
	}
	o := origin{req.Scheme, req.Host}
	c, err := s.client.pool.take(ctx, o, s.deadline)
	switch {
	case errors.Is(err, errCancelled):
		return nil, cancelled(ctx)
	case err != nil:
		return nil, fail(Timeout, err, "no connection to %s was free within %v: all %d are in use (http.max_connections)",
			req.Host, s.limit, s.client.opts.MaxConnections)
	case c != nil && !fresh && c.usable(now()):
		return c, nil
	case c != nil:
		c.close() // the new one takes its place
	}
	if c, err = s.dial(ctx, o.scheme, o.host, &resp.Times); err != nil {
		s.client.pool.leave(o)
	}
	return c, err
}

// keep keeps a connection for the next request, if it can take one.
func (s *Session) keep(c *conn) {
	switch {
	case c.last:
		s.drop(c)
	case s.client.pool != nil:
		s.active.Store(nil)
		s.client.pool.give(c)
	case c.uses == 1 && c.ahead == nil:
		if len(s.conns) == maxOrigins {
			s.drop(s.conns[0])
		}
		s.conns = append(s.conns, c)
	}
}

// maxOrigins is how many connections a session keeps: some more than the hosts
// that a browser would talk to for a page, but not one for each host that a
// template can name.
const maxOrigins = 16

// drop closes c and forgets it.
func (s *Session) drop(c *conn) {
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	c.close()
	if s.client.pool != nil {
		s.client.pool.leave(origin{c.scheme, c.host})
	}
}

// NewIteration starts a new iteration of the user: with Cookies "iteration" it
// forgets the cookies.
func (s *Session) NewIteration() {
	if s.client.opts.Cookies == "iteration" && s.jar != nil {
		s.jar.clear()
	}
}

// Renew makes a new user of the session: no cookies, no connections.
func (s *Session) Renew() {
	if s.jar != nil {
		s.jar.clear()
	}
	for _, m := range s.family {
		m.disconnect()
	}
	s.disconnect()
}

// Sibling returns a session that shares the cookies of s but has connections of
// its own, for requests side by side. It is renewed and closed with s.
func (s *Session) Sibling() *Session {
	if s.jar == nil {
		s.jar = new(jar)
	}
	m := &Session{client: s.client, jar: s.jar}
	s.family = append(s.family, m)
	return m
}

// Close closes the session's connections. It may be used again.
func (s *Session) Close() {
	for _, m := range s.family {
		m.Close()
	}
	s.disconnect()
	s.dropBody()
	if s.forget != nil {
		s.forget()
	}
	s.done, s.stop, s.forget = nil, nil, nil
}

func (s *Session) disconnect() {
	s.active.Store(nil)
	for _, c := range s.conns {
		c.close()
	}
	clear(s.conns)
	s.conns = s.conns[:0]
}
