package wire

import (
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// When the ports of 127.0.0.1 are used up, connections to a loopback target
// leave from the next address; those to other targets do not.
func TestLoopbackSource(t *testing.T) {
	t.Parallel()
	from := make(chan string, 1)
	srv := serve(t, func(_ int, c *rawConn) {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		from <- host
		c.request()
		c.say("HTTP/1.1 204 X\r\n\r\n")
	})
	s := newSession(t, Options{NoKeepAlive: true})
	for i, want := range []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"} {
		do(t, s, to(srv.url+"/"))
		if got := <-from; got != want {
			t.Errorf("came from %s, want %s", got, want)
		}
		for range 2 { // two users find it out
			if !s.client.source.next(netip.MustParseAddr("127.0.0.1"), uint32(i)) {
				t.Fatal("no more addresses")
			}
		}
	}
	source := &s.client.source
	if a, n := source.addr(netip.MustParseAddr("10.0.0.1")); a.IsValid() || source.next(netip.MustParseAddr("::1"), n) {
		t.Errorf("a target that is no IPv4 loopback address is reached from %v", a)
	}
	if source.next(netip.MustParseAddr("127.0.0.1"), lastSource-1) {
		t.Error("there is an address after the last")
	}
}

// A port that nobody listens on may be given to the client itself, which is then
// connected to itself.
func TestConnectedToItself(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort(l.Addr().String())
	_ = l.Close()
	fd, err := newSocket(to, netip.Addr{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(fd) }()
	if err := syscall.Bind(fd, sockaddr(to)); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(fd, sockaddr(to)); err != nil {
		t.Skipf("this kernel does not connect a socket to itself: %v", err)
	}
	if !toItself(fd, sockaddr(to)) {
		t.Error("not seen")
	}
	if toItself(fd, sockaddr(netip.MustParseAddrPort("127.0.0.1:1"))) {
		t.Error("seen where it is not")
	}
}

func TestConnectIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = c.Read(make([]byte, 1000))
		_, _ = c.Write([]byte("HTTP/1.1 204 X\r\n\r\n"))
	}()
	do(t, newSession(t, Options{IP: "6"}), to("http://"+l.Addr().String()+"/"))
}

// BenchmarkSetReadDeadline is what a request is spared by moving the deadline
// lazily.
func BenchmarkSetReadDeadline(b *testing.B) {
	srv := serve(b, func(_ int, c *rawConn) { c.untilGone() })
	nc, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", srv.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = nc.Close() }()
	l := newLink(nc)
	for b.Loop() {
		l.arm(now() + time.Minute)
	}
}
