package wire

import "context"

// Connect opens a connection to host as a first request would, lookup, proxy and
// handshake included, and closes it again: it says whether a target can be
// reached without sending it a request.
func (s *Session) Connect(ctx context.Context, scheme, host string) error {
	c, _, err := s.open(ctx, scheme, host)
	if err == nil {
		c.close()
	}
	return err
}

// Open opens the connection that the session's next request to host will take,
// so that a load begins without a burst of handshakes. What its phases took is
// told with that request. Where connections are shared, or not kept, it does
// nothing.
func (s *Session) Open(ctx context.Context, scheme, host string) error {
	if s.client.pool != nil || s.client.opts.NoKeepAlive {
		return nil
	}
	c, t, err := s.open(ctx, scheme, host)
	if err != nil {
		return err
	}
	c.ahead, c.idleSince = &t, now()
	s.conns = append(s.conns, c)
	return nil
}

func (s *Session) open(ctx context.Context, scheme, host string) (c *conn, t Times, err error) {
	s.begin = now()
	s.limit = s.client.opts.Timeout
	s.deadline = s.begin + s.limit
	if err := s.client.allowed(scheme, host); err != nil {
		return nil, t, err
	}
	if err := s.follow(ctx); err != nil {
		return nil, t, err
	}
	c, err = s.dial(ctx, scheme, host, &t)
	s.active.Store(nil)
	return c, t, err
}
