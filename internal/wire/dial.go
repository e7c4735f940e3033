package wire

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// dial makes a connection to an origin for the request that s is about to send,
// and adds how long each phase took to t.
func (s *Session) dial(ctx context.Context, scheme, host string, t *Times) (*conn, error) {
	c := s.client
	d := dialing{session: s, ctx: ctx, limit: c.opts.ConnectTimeout, t: t}
	d.deadline = now() + d.limit
	if d.deadline > s.deadline {
		// The request's time runs out first: its limit is what a user knows.
		d.deadline, d.limit = s.deadline, s.limit
	}
	proxy, err := c.proxyFor(scheme, host)
	if err != nil {
		return nil, err
	}
	hop := withPort(scheme, host)
	if proxy != nil {
		hop = withPort(proxy.Scheme, proxy.Host)
	} else if to, ok := c.opts.Resolve[hop]; ok {
		hop = to
	}
	l, addr, err := d.connect(hop)
	if err != nil {
		return nil, orCancelled(ctx, err)
	}
	cn := &conn{link: l, scheme: scheme, host: host, addr: addr, form: formOrigin}
	if scheme == "https" || proxy != nil {
		apart(func() { err = s.prepare(cn, proxy, t) })
	}
	if err == nil {
		err = c.chooseVersion(cn)
	}
	if err != nil {
		cn.close()
		if errors.Is(err, errTimeout) {
			err = fail(Timeout, err, "the handshake with %s was not done within %v", addr, d.limit)
		}
		return nil, orCancelled(ctx, err)
	}
	return cn, nil
}

// apart runs f on another goroutine and waits for it. Lookups and handshakes
// take a deep stack, and that of a user would stay twice as large for the rest
// of the run.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// prepare leads a fresh connection through the proxy and the handshake.
func (s *Session) prepare(cn *conn, proxy *url.URL, t *Times) error {
	begin := now()
	if proxy != nil {
		if err := s.client.throughProxy(cn, proxy); err != nil {
			return err
		}
		t.Connect += now() - begin
		begin = now()
	}
	if cn.scheme == "https" {
		if err := s.client.handshake(cn, hostOnly(cn.host), alpn(s.client.opts.Version)); err != nil {
			return err
		}
		t.TLS += now() - begin
	}
	return nil
}

// alpn is what to offer a TLS server (RFC 7301).
func alpn(version string) []string {
	switch {
	case version == "1.1":
		return []string{"http/1.1"}
	case isTwo(version):
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}

// isTwo says whether a version is HTTP/2 and nothing else. On plain connections
// that is by prior knowledge.
func isTwo(version string) bool { return version == "2" || version == "h2c" }

// handshake makes cn a TLS connection to host.
func (c *Client) handshake(cn *conn, host string, protocols []string) error {
	conf := c.tls.Clone()
	conf.ServerName, conf.NextProtos = host, protocols
	if c.opts.TLS.ServerName != "" && protocols != nil {
		conf.ServerName = c.opts.TLS.ServerName
	}
	var below net.Conn = cn.link
	if cn.tls != nil {
		below = cn.tls
	}
	cn.tls = tls.Client(below, conf)
	// The link ends the handshake in time: see link.start.
	if err := cn.tls.Handshake(); err != nil { //nolint:noctx // a context would cost a goroutine
		if errors.Is(err, errTimeout) || errors.Is(err, errCancelled) {
			return err
		}
		if alert(err) == "no application protocol" {
			return noTwo(host)
		}
		return tlsError(host, err)
	}
	return nil
}

func noTwo(host string) error {
	return fail(Protocol, nil, "%s does not speak HTTP/2, which http.version asks for", host)
}

// A dialing is a connection on its way.
type dialing struct {
	session  *Session
	ctx      context.Context // lives as long as one call
	limit    time.Duration   // for messages
	deadline time.Duration
	t        *Times
}

// connect looks hostport up and connects to the first address that answers.
func (d *dialing) connect(hostport string) (*link, string, error) {
	host, portText, err := net.SplitHostPort(hostport)
	port, portErr := strconv.ParseUint(portText, 10, 16)
	if err != nil || portErr != nil {
		return nil, hostport, fail(Connect, cmp.Or(err, portErr), "%s is no address: its port must be a number", hostport)
	}
	addrs, err := d.resolve(host)
	if err != nil {
		return nil, hostport, err
	}
	begin := now()
	defer func() { d.t.Connect += now() - begin }()
	var worst error
	for i, a := range addrs {
		addr := netip.AddrPortFrom(a, uint16(port))
		l, err := d.connectOne(addr, d.share(len(addrs)-i))
		if err == nil {
			return l, addr.String(), nil
		}
		if errors.Is(err, errCancelled) {
			return nil, hostport, err
		}
		// The first failure is what the user's resolver likes best; but that
		// someone refused says more than that a network is missing.
		err = connError(addr.String(), err, d.limit)
		if worst == nil || kindOf(err) == Refused && kindOf(worst) != Refused {
			worst = err
		}
		if now() >= d.deadline {
			break
		}
	}
	return nil, hostport, worst
}

// resolve returns the addresses of host.
func (d *dialing) resolve(host string) ([]netip.Addr, error) {
	c := d.session.client
	if a, err := netip.ParseAddr(host); err == nil {
		if c.family == "ip4" && !a.Unmap().Is4() || c.family == "ip6" && a.Unmap().Is4() {
			return nil, fail(Connect, nil, "%s is not an IPv%s address, which is all that http.ip allows", host, c.family[2:])
		}
		return []netip.Addr{a.Unmap()}, nil
	}
	begin := now()
	addrs := c.names.known(host)
	var err error
	if addrs == nil {
		apart(func() {
			ctx, cancel := context.WithDeadline(d.ctx, epoch.Add(d.deadline))
			defer cancel()
			addrs, err = c.names.lookup(ctx, c.family, host)
		})
	}
	d.t.DNS += now() - begin
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, dnsError(host, err, d.limit)
	}
	return addrs, nil
}

// share is when the next of left addresses must have answered: after an equal
// part of the time there is, but at least 2 s, as in net.Dialer.
func (d *dialing) share(left int) time.Duration {
	at := now()
	return min(d.deadline, at+max((d.deadline-at)/time.Duration(left), 2*time.Second))
}

// connectOne connects to one address.
func (d *dialing) connectOne(to netip.AddrPort, deadline time.Duration) (*link, error) {
	source := &d.session.client.source
	from, n := source.addr(to.Addr())
	l, err := d.open(to, from, deadline)
	for errors.Is(err, syscall.EADDRNOTAVAIL) && source.next(to.Addr(), n) {
		from, n = source.addr(to.Addr())
		l, err = d.open(to, from, deadline)
	}
	if err == nil {
		l.start(d.deadline, d.session.stop)
		d.session.watch(l)
	}
	return l, err
}

// openPortably is open by means of package net.
func (d *dialing) openPortably(to netip.AddrPort, from netip.Addr, deadline time.Duration) (l *link, err error) {
	apart(func() {
		ctx, cancel := context.WithDeadline(d.ctx, epoch.Add(deadline))
		defer cancel()
		// Keep-alive probes cost four system calls a connection, and a load has
		// no use for them: a connection is either in use or of no interest.
		dialer := net.Dialer{KeepAlive: -1}
		if from.IsValid() {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		}
		var nc net.Conn
		if nc, err = dialer.DialContext(ctx, "tcp", to.String()); err == nil {
			l = newLink(nc)
		}
	})
	return l, err
}

// loopbackSource is the last byte of the local address for connections to
// 127.0.0.0/8. One address has some 28,000 ports for a target; when they are
// used up on Linux the next address has as many. Elsewhere other addresses than
// 127.0.0.1 cannot be bound, and the first attempt says so.
type loopbackSource struct{ last atomic.Uint32 }

const lastSource = 32

// addr returns the local address for a target, invalid for any, and its number.
func (s *loopbackSource) addr(to netip.Addr) (netip.Addr, uint32) {
	n := s.last.Load()
	if n == 0 || !to.Is4() || !to.IsLoopback() {
		return netip.Addr{}, n
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + n)}), n
}

// next moves on from address n, which had no port left, if there is another.
// Many users may find that out at once.
func (s *loopbackSource) next(to netip.Addr, n uint32) bool {
	if !to.Is4() || !to.IsLoopback() || n+1 >= lastSource {
		return false
	}
	s.last.CompareAndSwap(n, n+1)
	return true
}

// chooseVersion sets what is spoken on cn.
func (c *Client) chooseVersion(cn *conn) error {
	version, agreed := c.opts.Version, ""
	if cn.scheme == "https" {
		agreed = cn.tls.ConnectionState().NegotiatedProtocol
		if isTwo(version) && agreed != "h2" {
			return noTwo(cn.host)
		}
	}
	if agreed == "h2" || cn.scheme == "http" && isTwo(version) {
		cn.form = form2
		cn.h2 = newConn2(cn)
	}
	return nil
}

// orCancelled is err, or that ctx was cancelled where that is the cause.
func orCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	return err
}
