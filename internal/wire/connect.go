package wire

import "context"

// Connect opens a connection to host as a first request would, lookup, proxy and
// handshake included, and closes it again: it says whether a target can be
// reached without sending it a request.
func (s *Session) Connect(ctx context.Context, scheme, host string) error {
	s.begin = now()
	s.limit = s.client.opts.Timeout
	s.deadline = s.begin + s.limit
	if err := s.client.allowed(scheme, host); err != nil {
		return err
	}
	if err := s.follow(ctx); err != nil {
		return err
	}
	var t Times
	c, err := s.dial(ctx, scheme, host, &t)
	if err != nil {
		return err
	}
	s.active.Store(nil)
	c.close()
	return nil
}
