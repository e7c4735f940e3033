package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// linkTo returns a link to a server that first says hello.
func linkTo(t *testing.T, hello string, after func(c *rawConn)) *link {
	t.Helper()
	said := make(chan struct{})
	srv := serve(t, func(_ int, c *rawConn) {
		c.say(hello)
		close(said)
		after(c)
	})
	nc, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.addr)
	if err != nil {
		t.Fatal(err)
	}
	<-said // on loopback it is then in the client's socket
	l := newLink(nc)
	l.start(now()+10*time.Second, nil)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// The poller tells of new bytes once. What a read left behind, or what came
// before a write, must be found without being told again: that is how it goes in
// a TLS handshake.
func TestLinkFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	one := make([]byte, 1)
	for name, write := range map[string]func(l *link){
		"write": func(l *link) { _, _ = l.Write([]byte("x")) },
		"lend":  func(l *link) { l.lend([]byte("x"), true) },
	} {
		l := linkTo(t, "ab", (*rawConn).untilGone)
		if _, err := io.ReadFull(l, one); err != nil || one[0] != 'a' {
			t.Fatalf("%s: got %q, %v", name, one, err)
		}
		write(l)
		if _, err := io.ReadFull(l, one); err != nil || one[0] != 'b' {
			t.Errorf("%s: got %q, %v; want the b that was there", name, one, err)
		}
	}
	// A short read has emptied the socket, but then more came.
	more := make(chan struct{})
	l := linkTo(t, "a", func(c *rawConn) {
		<-more
		c.say("b")
		close(more)
		c.untilGone()
	})
	two := make([]byte, 2)
	if n, err := l.Read(two); n != 1 || err != nil {
		t.Fatalf("got %q, %v", two[:n], err)
	}
	more <- struct{}{}
	<-more
	_, _ = l.Write([]byte("x"))
	if n, err := l.Read(two); err != nil || string(two[:n]) != "b" {
		t.Errorf("got %q, %v; want the b that came before the write", two[:n], err)
	}
}

// The socket takes only a part of the request, as the server does not read; then
// it answers and closes.
func TestLinkReadsTheAnswerAfterItCouldNotWrite(t *testing.T) {
	t.Parallel()
	l := linkTo(t, "", func(c *rawConn) {
		c.small()
		if _, err := c.in.ReadByte(); err == nil {
			c.say("no")
		}
	})
	if err := l.nc.(*net.TCPConn).SetWriteBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	l.lend(make([]byte, 8<<20), true)
	if err := l.fill(); err != nil || string(l.in) != "no" {
		t.Errorf("got %q, %v; want no", l.in, err)
	}
}

func TestLinkWritesInPieces(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 1)
	l := linkTo(t, "", func(c *rawConn) {
		c.small()
		b := make([]byte, 3*chunkSize)
		_, _ = io.ReadFull(c.in, b)
		got <- b
		c.say("ok")
		c.untilGone()
	})
	var want []byte
	for i := range 3 * 64 {
		piece := bytes.Repeat([]byte{byte(i)}, chunkSize/64)
		want = append(want, piece...)
		if _, err := l.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.fill(); err != nil || string(l.in) != "ok" {
		t.Errorf("got %q, %v", l.in, err)
	}
	if !bytes.Equal(<-got, want) {
		t.Error("what arrived is not what was written")
	}
	if l.bytesOut != int64(len(want)) || l.bytesIn != 2 {
		t.Errorf("counted %d out, %d in", l.bytesOut, l.bytesIn)
	}
}

func TestPoolHandsOnWhatCameTooLate(t *testing.T) {
	t.Parallel()
	p := newPool(1)
	o := origin{"http", "a"}
	c := &conn{scheme: o.scheme, host: o.host}
	waits := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.at[o].waiting) == 1
	}
	for range 200 {
		if _, err := p.take(t.Context(), o, now()+time.Hour); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if got, err := p.take(ctx, o, now()+time.Hour); err == nil {
				p.give(got)
			} else if !errors.Is(err, errCancelled) {
				t.Error(err)
			}
		}()
		for !waits() {
			runtime.Gosched()
		}
		cancel()
		p.give(c) // mostly before the other has seen that it was cancelled
		<-done
		if s := p.at[o]; s.open != 1 || len(s.idle) != 1 || len(s.waiting) != 0 {
			t.Fatalf("%d open, %d idle, %d waiting; want 1, 1, 0", s.open, len(s.idle), len(s.waiting))
		}
	}
}

func TestNamesAreBoundedAndTakenInTurn(t *testing.T) {
	t.Parallel()
	var n names
	for i := range maxNames {
		if n.hosts == nil {
			n.hosts = make(map[string]*addresses)
		}
		n.hosts[string(rune(i+1000))] = nil
	}
	if _, err := n.lookup(t.Context(), "ip4", "localhost"); err != nil {
		t.Fatal(err)
	}
	if len(n.hosts) > maxNames || n.known("localhost") == nil {
		t.Errorf("%d names are kept; localhost: %v", len(n.hosts), n.known("localhost"))
	}
	n.hosts["localhost"].expiry = now()
	if got := n.known("localhost"); got != nil {
		t.Errorf("%v is known beyond its time", got)
	}

	four, other, six := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("::1")
	a := addresses{all: []netip.Addr{four, other, six}}
	for _, want := range [][]string{{"10.0.0.1", "10.0.0.2", "::1"}, {"10.0.0.2", "10.0.0.1", "::1"}, {"10.0.0.1", "10.0.0.2", "::1"}} {
		for i, got := range a.next() {
			if got.String() != want[i] {
				t.Errorf("address %d is %v, want %s", i, got, want[i])
			}
		}
	}
}

func TestSessionKeepsFewConnections(t *testing.T) {
	t.Parallel()
	srv := answers(t, "HTTP/1.1 204 X\r\n\r\n")
	o := Options{Resolve: make(map[string]string)}
	host := func(i int) string { return "host" + strconv.Itoa(i) + ".example" }
	for i := range 2 * maxOrigins {
		o.Resolve[host(i)+":80"] = srv.addr
	}
	s := newSession(t, o)
	for i := range 2 * maxOrigins {
		do(t, s, to("http://"+host(i)+"/"))
	}
	if len(s.conns) != maxOrigins {
		t.Errorf("%d connections are kept, want %d", len(s.conns), maxOrigins)
	}
	if resp := do(t, s, to("http://"+host(2*maxOrigins-1)+"/")); !resp.Reused {
		t.Error("the last one was not kept")
	}
}
