package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// chunkSize is how much one read takes at most: one for each goroutine that is
// between a read and the end of its parse, not one for each user.
const chunkSize = 64 << 10

// chunks are the read buffers that all links share.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// Why a link gave up, before the words for it are found.
var (
	errTimeout   = errors.New("timeout")
	errCancelled = errors.New("cancelled")
)

// A link is a TCP connection on which one side waits for the other: what is
// written is only kept, and sent when the answer is read.
//
// RawConn.Read readies the poller before it calls back. So the callback may
// send the request, return false to wait, and be called again when the answer
// is there: one send, one receive, one park for each request, and no wake-up
// can be lost between them. A net.Conn takes a second, wasted read for that.
//
// It is a net.Conn for crypto/tls to run on. Its deadline is its own: see arm.
// Only the goroutine that makes the request calls it, but for interrupt.
type link struct {
	nc   socket
	raw  syscall.RawConn       // nil: no raw socket, use nc
	turn func(fd uintptr) bool // l.onReady, bound once
	send func(fd uintptr) bool // l.onWritable, bound once

	out     []byte  // what is left to send: own, or lent by lend
	own     *[]byte // where Write keeps what crypto/tls hands it; nil when empty
	dst     []byte  // where the next read goes; nil: a chunk from the pool
	chunk   *[chunkSize]byte
	in      []byte // the unread part of chunk
	n       int    // what the last turn read
	ioErr   error  // how the last turn failed
	blocked bool   // the socket took only a part of out

	drained   bool // the last read emptied the socket
	answering bool // what comes next can only be an answer to out

	stop     *atomic.Bool  // set: give up with errCancelled; may be nil
	deadline time.Duration // when the request must be over
	armed    time.Duration // the deadline that the poller knows; 0: none

	sentAt   time.Duration // when out was first handed to the kernel; 0: not yet
	bytesIn  int64
	bytesOut int64
	closed   bool
	directly
}

// A socket is what a link runs on: a net.Conn, or an os.File around a socket.
type socket interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func newLink(nc socket) *link {
	l := &link{nc: nc}
	if sc, ok := nc.(syscall.Conn); ok && rawIO {
		if raw, err := sc.SyscallConn(); err == nil {
			l.raw, l.turn, l.send = raw, l.onReady, l.onWritable
		}
	}
	return l
}

// start readies the link for a request that must be over by deadline, or when
// stop is set.
func (l *link) start(deadline time.Duration, stop *atomic.Bool) {
	l.deadline, l.stop = deadline, stop
	l.sentAt, l.bytesIn, l.bytesOut = 0, 0, 0
}

// lend makes p what the next read sends first. p must not change until that
// read has returned. With answering the peer is trusted to say nothing unless
// it has read p, which spares a read that could only fail.
func (l *link) lend(p []byte, answering bool) {
	l.out, l.answering = p, answering && l.drained
}

// Write keeps p until the next Read (or flush).
func (l *link) Write(p []byte) (int, error) {
	if l.direct.Load() {
		n, err := l.nc.Write(p)
		l.directOut.Add(int64(n))
		return n, err
	}
	if l.own == nil {
		l.own = outs.Get().(*[]byte)
	}
	*l.own = append(*l.own, p...)
	l.out, l.answering = *l.own, false
	// Large bodies are not gathered: they go out as they come.
	if len(l.out) >= chunkSize {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// outs are the buffers that Write gathers in.
var outs = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// expect marks what was written as something the peer only answers.
func (l *link) expect() { l.answering = l.drained }

// Read sends what was written, then waits for bytes and copies them to p.
func (l *link) Read(p []byte) (int, error) {
	if len(l.in) > 0 {
		n := copy(p, l.in)
		l.in = l.in[n:]
		return n, nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	l.dst = p
	err := l.wait()
	l.dst = nil
	return l.n, err
}

// fill sends what was written and waits until bytes are in l.in. They are valid
// until release.
func (l *link) fill() error {
	if len(l.in) > 0 {
		return nil
	}
	err := l.wait()
	if err == nil {
		l.in = l.chunk[:l.n]
	}
	return err
}

// release gives the read buffer back, and forgets what was not read of it.
func (l *link) release() {
	l.in = nil
	if l.chunk != nil {
		chunks.Put(l.chunk)
		l.chunk = nil
	}
}

// wait sends out and reads once. At the end of the stream it returns io.EOF.
func (l *link) wait() error {
	l.n = 0
	if l.raw == nil {
		return l.waitPlain()
	}
	if l.armed == 0 || l.armed > l.deadline {
		l.arm(l.deadline)
	}
	for {
		if l.stop != nil && l.stop.Load() {
			return errCancelled
		}
		l.ioErr = nil
		if err := l.raw.Read(l.turn); err != nil {
			if err := l.expired(err); err != nil {
				return err
			}
			continue
		}
		switch {
		case l.ioErr != nil:
			return l.ioErr
		case l.blocked:
			err := l.flush()
			if errors.Is(err, errTimeout) || errors.Is(err, errCancelled) {
				return err
			}
			if err != nil {
				l.sent() // the server may have answered before it closed
			}
		case l.n == 0:
			return io.EOF
		default:
			return nil
		}
	}
}

// onReady is the callback of the poller: it sends what is to be sent and waits,
// then reads.
func (l *link) onReady(fd uintptr) bool {
	if len(l.out) > 0 {
		if !l.push(fd) {
			return true
		}
		if l.answering {
			l.answering = false
			return false
		}
	}
	dst := l.dst
	if dst == nil {
		if l.chunk == nil {
			l.chunk = chunks.Get().(*[chunkSize]byte)
		}
		dst = l.chunk[:]
	}
	n, err := sysRecv(fd, dst)
	if err == errAgain { //nolint:errorlint // the bare value of a system call
		if l.dst == nil {
			l.release() // no user keeps a buffer while it waits
		}
		return false
	}
	l.n, l.ioErr = n, err
	l.bytesIn += int64(n)
	l.drained = n < len(dst)
	return true
}

// push sends as much of out as the socket takes, and says whether that was all.
func (l *link) push(fd uintptr) bool {
	if l.sentAt == 0 {
		l.sentAt = now()
	}
	n, err := sysSend(fd, l.out)
	if err != nil && err != errAgain { //nolint:errorlint // the bare value of a system call
		l.ioErr = err
		return false
	}
	l.bytesOut += int64(n)
	if l.out = l.out[n:]; len(l.out) > 0 {
		l.blocked = true
		return false
	}
	l.sent()
	return true
}

// sent drops what was sent.
func (l *link) sent() {
	l.out = nil
	l.blocked = false
	if l.own != nil {
		*l.own = (*l.own)[:0]
		outs.Put(l.own)
		l.own = nil
	}
}

// flush sends what was written and waits for the socket to take it, not for an
// answer.
func (l *link) flush() error {
	l.answering = false
	if l.raw == nil {
		return l.flushPlain()
	}
	for len(l.out) > 0 {
		if l.stop != nil && l.stop.Load() {
			return errCancelled
		}
		l.ioErr = nil
		_ = l.nc.SetWriteDeadline(epoch.Add(l.deadline)) // fails on a closed socket only, as the write will
		if err := l.raw.Write(l.send); err != nil {
			if err := l.expired(err); err != nil {
				return err
			}
			continue
		}
		if l.ioErr != nil {
			return l.ioErr
		}
	}
	return nil
}

// onWritable is the callback of flush.
func (l *link) onWritable(fd uintptr) bool { return l.push(fd) || l.ioErr != nil }

// arm tells the poller the deadline. That costs as much as a twentieth of a
// request, so it is not done for each: a deadline that is too early is left to
// pass, and then moved to where it belongs (expired). A connection in steady
// use moves it once in the length of its timeout, and no request is ever late.
func (l *link) arm(deadline time.Duration) {
	l.armed = deadline
	_ = l.nc.SetReadDeadline(epoch.Add(deadline)) // fails on a closed socket only, as the read will
}

// expired returns nil when err only says that an old deadline has passed, and
// the wait may go on.
func (l *link) expired(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	if l.stop != nil && l.stop.Load() {
		return errCancelled
	}
	if now() >= l.deadline {
		return errTimeout
	}
	l.arm(l.deadline)
	return nil
}

// interrupt ends a wait from another goroutine, which has set stop before.
func (l *link) interrupt() { _ = l.nc.SetDeadline(epoch) }

// stale says whether the peer has closed the connection while it was idle, or
// said something unasked, which talks does not forbid. Where that cannot be
// seen the answer is no.
func (l *link) stale(talks bool) bool {
	if l.raw == nil {
		return false
	}
	if len(l.in) > 0 {
		return !talks
	}
	gone := false
	err := l.raw.Control(func(fd uintptr) {
		var one [1]byte
		n, err := sysPeek(fd, one[:])
		gone = err != errAgain && (n == 0 || !talks) //nolint:errorlint // the bare value of a system call
	})
	return gone || err != nil
}

// Close sends what is left, if the socket takes it at once, and closes.
func (l *link) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	if len(l.out) > 0 && l.raw != nil {
		_ = l.raw.Control(func(fd uintptr) { l.push(fd) }) // a farewell: not worth a failure
	}
	l.sent()
	l.release()
	return l.nc.Close()
}

// crypto/tls asks for no address; a net.Conn has to have them.
func (l *link) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (l *link) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// The deadline of a link is that of the request it was started with.
func (l *link) SetDeadline(time.Time) error      { return nil }
func (l *link) SetReadDeadline(time.Time) error  { return nil }
func (l *link) SetWriteDeadline(time.Time) error { return nil }

// waitPlain is wait on a connection without a raw socket.
func (l *link) waitPlain() error {
	if err := l.flushPlain(); err != nil {
		return err
	}
	dst := l.dst
	if dst == nil {
		if l.chunk == nil {
			l.chunk = chunks.Get().(*[chunkSize]byte)
		}
		dst = l.chunk[:]
	}
	for {
		if l.armed == 0 || l.armed > l.deadline {
			l.arm(l.deadline)
		}
		if l.stop != nil && l.stop.Load() {
			return errCancelled
		}
		n, err := l.nc.Read(dst)
		l.n, l.bytesIn = n, l.bytesIn+int64(n)
		if n > 0 {
			return nil
		}
		if err == nil {
			continue
		}
		if err := l.expired(err); err != nil {
			return err
		}
	}
}

// flushPlain is flush on a connection without a raw socket.
func (l *link) flushPlain() error {
	for len(l.out) > 0 {
		if l.stop != nil && l.stop.Load() {
			return errCancelled
		}
		if l.sentAt == 0 {
			l.sentAt = now()
		}
		_ = l.nc.SetWriteDeadline(epoch.Add(l.deadline)) // fails on a closed socket only, as the write will
		n, err := l.nc.Write(l.out)
		l.bytesOut += int64(n)
		l.out = l.out[n:]
		if err != nil {
			if err := l.expired(err); err != nil {
				return err
			}
		}
	}
	l.sent()
	return nil
}
