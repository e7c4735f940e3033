package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
)

// A body of up to smallBody bytes stays with its session, in a buffer of its
// size: the next one is likely as small. Larger buffers go round among sessions,
// as ten thousand users that pause must not hold a large body each.
const smallBody = 16 << 10

// largeBodies are the buffers of larger ones.
var largeBodies sync.Pool

// dropBody takes back the body that the last Do handed out.
func (s *Session) dropBody() {
	s.largeBody = cap(s.body) > smallBody
	if s.largeBody {
		b := s.body[:0]
		s.body = nil
		largeBodies.Put(&b)
	}
	s.body = s.body[:0]
}

// takeBody returns where the body goes, nil if req does not want it.
func (s *Session) takeBody(req *Request) *[]byte {
	s.body = s.body[:0] // of a redirect
	if !req.KeepBody {
		return nil
	}
	if s.largeBody && s.body == nil {
		if b, ok := largeBodies.Get().(*[]byte); ok {
			s.body = *b
		}
	}
	return &s.body
}

// exchange1 sends req on c and reads the response, in HTTP/1.
func (s *Session) exchange1(c *conn, req *Request, resp *Response) error {
	c.link.start(s.deadline, s.stop)
	s.watch(c.link)
	out := s.withCookies(req, s.client.encode(req, c.form, c.proxyAuth))
	r := &s.reader
	r.reset(req.Method == "HEAD", s.takeBody(req), int(s.client.opts.BodyLimit))
	if len(req.Body) > bodyInline {
		b := c.sendBulk(out, req.Body)
		err := s.readResponse(c, resp)
		if !b.end() {
			r.close = true
		}
		return s.settle(c, resp, err)
	}
	if err := c.send(out, true); err != nil {
		return err
	}
	return s.settle(c, resp, s.readResponse(c, resp))
}

// readResponse reads a response from c into the session's reader.
func (s *Session) readResponse(c *conn, resp *Response) error {
	r := &s.reader
	for first := true; r.part != atEnd; first = false {
		p, err := c.read(first)
		at := now() - s.begin
		if !s.sent && c.link.sentAt != 0 {
			s.sent, resp.Times.Sent = true, c.link.sentAt-s.begin
		}
		if err != nil {
			if errors.Is(err, io.EOF) && r.ended() {
				resp.Times.Done = at
				break
			}
			return err
		}
		if r.fresh() {
			resp.Times.FirstByte = at
		}
		resp.Times.Done = at
		rest, err := r.feed(p)
		c.release()
		if err != nil {
			return err
		}
		if len(rest) > 0 {
			r.close = true // what nobody asked for cannot be trusted to be the next answer
		}
	}
	return nil
}

// settle hands out what was read, and keeps or closes the connection.
func (s *Session) settle(c *conn, resp *Response, err error) error {
	if err != nil {
		return err
	}
	r := &s.reader
	resp.Status, resp.Proto, resp.Header, resp.BodySize = r.status, r.proto, r.fields, r.size
	c.last = r.close || s.client.opts.NoKeepAlive
	return nil
}

// mayRepeat says whether req, which failed with err on a connection that had
// been idle, may be sent again: the server must have closed it, without a byte
// of response, and must not have acted on the request, or sending it twice must
// be as good as once (RFC 9110 9.2.2).
func (s *Session) mayRepeat(c *conn, req *Request, err error) bool {
	if errors.Is(err, errUnprocessed) {
		return true
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		return false
	}
	if !s.reader.fresh() || s.reader.interim > 0 {
		return false
	}
	switch method(req) {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return c.link.bytesOut == 0
}

// explain puts an error of an exchange into words.
func (s *Session) explain(ctx context.Context, c *conn, err error) error {
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	switch {
	case errors.Is(err, errCancelled):
		return cancelled(ctx)
	case errors.Is(err, errTimeout):
		return fail(Timeout, err, "no complete response in %v%s", s.limit, s.progress(" (", ")"))
	case errors.Is(err, io.EOF) && s.reader.part != inHead:
		return fail(Body, err, "%s closed the connection before the body was complete%s", c.addr, s.progress(" (", ")"))
	}
	got := "before it answered"
	if more := s.progress("", ""); more != "" {
		got = "in the middle of the response (" + more + ")"
	}
	return brokenError(c.addr, err, got)
}

// progress says how much of a response has come, "" for nothing.
func (s *Session) progress(before, after string) string {
	r := &s.reader
	switch {
	case r.part == inHead && len(r.buf) == 0:
		return ""
	case r.part == inHead:
		return fmt.Sprintf("%s%d bytes of header had come%s", before, len(r.buf), after)
	case r.part == inLength:
		return fmt.Sprintf("%s%d of %d bytes of body had come%s", before, r.size, r.length, after)
	}
	return fmt.Sprintf("%s%d bytes of body had come%s", before, r.size, after)
}
