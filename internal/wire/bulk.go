package wire

import (
	"net"
	"sync/atomic"
)

// A bulk is a large request on its way out beside the reading of its response.
// A server may answer before it has read all, and may even wait for its answer
// to be read first: who only wrote would wait for ever.
type bulk struct {
	link *link
	done chan struct{}
	err  error // valid after done
}

// sendBulk starts to send head and body. Call end when the response is done.
func (c *conn) sendBulk(head, body []byte) *bulk {
	l := c.link
	b := &bulk{link: l, done: make(chan struct{})}
	l.sentAt = now()
	l.direct.Store(true)
	_ = l.nc.SetWriteDeadline(epoch.Add(l.deadline)) // fails on a closed socket only, as the write will
	go func() {
		defer close(b.done)
		if c.tls == nil {
			n, err := (&net.Buffers{head, body}).WriteTo(l.nc)
			l.directOut.Add(n)
			b.err = err
			return
		}
		if _, b.err = c.tls.Write(head); b.err == nil {
			_, b.err = c.tls.Write(body)
		}
	}()
	return b
}

// end stops what is still under way, and says whether all was sent.
func (b *bulk) end() bool {
	select {
	case <-b.done:
	default:
		_ = b.link.nc.SetWriteDeadline(epoch) // fails on a closed socket only
		<-b.done
	}
	b.link.direct.Store(false)
	b.link.bytesOut += b.link.directOut.Swap(0)
	return b.err == nil
}

// directly is what a link needs while a bulk is under way: two goroutines write
// through it, so nothing is stored.
type directly struct {
	direct    atomic.Bool
	directOut atomic.Int64
}
