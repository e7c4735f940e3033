package wire

import (
	"crypto/tls"
	"io"
	"time"
)

// A conn is a connection to an origin, or to a proxy in front of it.
type conn struct {
	link  *link
	tls   *tls.Conn // nil: plain
	plain *[chunkSize]byte

	scheme, host string // the origin, as requests name it
	addr         string // what it is connected to, for messages
	form         form   // how requests are encoded
	proxyAuth    string // for formAbsolute
	h2           *conn2 // nil: HTTP/1

	last      bool          // it takes no more requests
	uses      int           // requests that were answered
	idleSince time.Duration // when the last one was
	ahead     *Times        // opened before its first request: what that took
}

// idleCheck is how long a connection may be idle before it is looked at for a
// close by the server: that costs a system call, which a busy connection is
// spared.
const idleCheck = 50 * time.Millisecond

// usable says whether an idle connection can take a request.
func (c *conn) usable(at time.Duration) bool {
	return at-c.idleSince < idleCheck || !c.link.stale(c.h2 != nil)
}

// send makes p what goes out before the next read. p must not change until
// then. With answering the peer is trusted to say nothing before it has read p.
func (c *conn) send(p []byte, answering bool) error {
	if c.tls == nil {
		c.link.lend(p, answering)
		return nil
	}
	if _, err := c.tls.Write(p); err != nil {
		return err
	}
	if answering {
		c.link.expect()
	}
	return nil
}

// read sends what there is to send and returns what comes next, which is valid
// until release. first says that nothing of an answer was read yet.
func (c *conn) read(first bool) ([]byte, error) {
	if c.tls == nil {
		if err := c.link.fill(); err != nil {
			return nil, err
		}
		p := c.link.in
		c.link.in = nil
		return p, nil
	}
	// Park without a buffer for the text, while there is nothing to decrypt.
	// Later crypto/tls may hold bytes that the link does not know of.
	if first {
		if err := c.link.fill(); err != nil {
			return nil, err
		}
	}
	if c.plain == nil {
		c.plain = chunks.Get().(*[chunkSize]byte)
	}
	n, err := c.tls.Read(c.plain[:])
	if n > 0 {
		return c.plain[:n], nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return nil, err
}

// release gives read buffers back.
func (c *conn) release() {
	if c.plain != nil {
		chunks.Put(c.plain)
		c.plain = nil
	}
	if len(c.link.in) == 0 {
		c.link.release()
	}
}

// close says goodbye, without waiting, and closes.
func (c *conn) close() {
	if c.plain != nil {
		chunks.Put(c.plain)
		c.plain = nil
	}
	if c.tls != nil {
		_ = c.tls.Close() // the answer is not waited for
	}
	_ = c.link.Close()
}
