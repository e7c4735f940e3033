package wire

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// dial makes a connection to an origin for the request that s is about to send,
// and adds how long each phase took to t. It is done on another goroutine:
// lookup, connect and handshake take a deep stack, and that of a user would stay
// twice as large for the rest of the run.
func (s *Session) dial(ctx context.Context, scheme, host string, t *Times) (c *conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err = s.dialHere(ctx, scheme, host, t)
	}()
	<-done
	return c, err
}

func (s *Session) dialHere(ctx context.Context, scheme, host string, t *Times) (*conn, error) {
	c := s.client
	limit := c.opts.ConnectTimeout
	deadline := now() + limit
	if deadline > s.deadline {
		// The request's time runs out first: its limit is what a user knows.
		deadline, limit = s.deadline, s.limit
	}
	limited, cancel := context.WithDeadline(ctx, epoch.Add(deadline))
	defer cancel()

	proxy, err := c.proxy(&url.URL{Scheme: scheme, Host: host})
	if err != nil {
		return nil, fail(Connect, err, "proxy for %s: %v", host, err)
	}
	hop := withPort(scheme, host)
	if proxy != nil {
		if err := checkProxy(proxy); err != nil {
			return nil, fail(Connect, err, "%v", err)
		}
		hop = withPort(proxy.Scheme, proxy.Host)
	} else if to, ok := c.opts.Resolve[hop]; ok {
		hop = to
	}
	nc, addr, err := c.connect(limited, hop, limit, t)
	if err != nil {
		return nil, orCancelled(ctx, err)
	}
	cn := &conn{link: newLink(nc), scheme: scheme, host: host, addr: addr, form: formOrigin}
	cn.link.start(deadline, s.stop)
	s.watch(cn.link)
	if err := s.prepare(cn, proxy, t); err != nil {
		cn.close()
		if errors.Is(err, errTimeout) {
			err = fail(Timeout, err, "the handshake with %s was not done within %v", addr, limit)
		}
		return nil, orCancelled(ctx, err)
	}
	return cn, nil
}

// prepare leads a fresh connection through the proxy and the handshake.
func (s *Session) prepare(cn *conn, proxy *url.URL, t *Times) error {
	begin := now()
	if proxy != nil {
		if proxy.Scheme == "https" {
			if err := s.client.handshake(cn, hostOnly(proxy.Host), nil); err != nil {
				return err
			}
		}
		auth := proxyAuth(proxy)
		if cn.scheme == "http" && !isTwo(s.client.opts.Version) {
			cn.form, cn.proxyAuth = formAbsolute, auth
		} else if err := tunnel(cn, withPort(cn.scheme, cn.host), auth); err != nil {
			return err
		}
		t.Connect += now() - begin
		begin = now()
	}
	version := s.client.opts.Version
	if cn.scheme == "https" {
		if err := s.client.handshake(cn, hostOnly(cn.host), alpn(version)); err != nil {
			return err
		}
		t.TLS += now() - begin
	}
	return s.client.chooseVersion(cn, version)
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

// tunnel asks the proxy behind cn for a connection to target.
func tunnel(cn *conn, target, auth string) error {
	req := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if auth != "" {
		req += "Proxy-Authorization: " + auth + "\r\n"
	}
	if err := cn.send([]byte(req+"\r\n"), false); err != nil {
		return err
	}
	var r reader1
	r.reset(true, nil, 0)
	for first := true; r.part != atEnd; first = false {
		p, err := cn.read(first)
		if errors.Is(err, errTimeout) || errors.Is(err, errCancelled) {
			return err
		}
		if err != nil {
			return fail(Connect, err, "the proxy %s broke the connection when asked for %s: %v", cn.addr, target, bare(err))
		}
		rest, err := r.feed(p)
		if err != nil {
			return fail(Connect, err, "the proxy %s: %v", cn.addr, err)
		}
		if len(rest) > 0 {
			return fail(Connect, nil, "the proxy %s sent more than an answer when asked for %s", cn.addr, target)
		}
		cn.release()
	}
	if r.status/100 != 2 {
		hint := ""
		if r.status == 407 {
			hint = ": it wants a user and password in the proxy's URL"
		}
		return fail(Connect, nil, "the proxy %s answered %d when asked for %s%s", cn.addr, r.status, target, hint)
	}
	return nil
}

// proxyAuth is the value of Proxy-Authorization for the user in a proxy's URL.
func proxyAuth(proxy *url.URL) string {
	if proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}

// connect looks hostport up and connects to the first address that answers.
func (c *Client) connect(ctx context.Context, hostport string, limit time.Duration, t *Times) (net.Conn, string, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, hostport, fail(Connect, err, "the address %s: %v", hostport, err)
	}
	addrs, err := c.resolve(ctx, host, limit, t)
	if err != nil {
		return nil, hostport, err
	}
	begin := now()
	defer func() { t.Connect += now() - begin }()
	var worst error
	for i, a := range addrs {
		addr := net.JoinHostPort(a.String(), port)
		nc, err := c.connectOne(ctx, addr, a, share(ctx, len(addrs)-i))
		if err == nil {
			return nc, addr, nil
		}
		// The first failure is what the user's resolver likes best; but that
		// someone refused says more than that a network is missing.
		err = connError(addr, err, limit)
		if worst == nil || kindOf(err) == Refused && kindOf(worst) != Refused {
			worst = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, hostport, worst
}

// resolve returns the addresses of host.
func (c *Client) resolve(ctx context.Context, host string, limit time.Duration, t *Times) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if c.family == "ip4" && !a.Unmap().Is4() || c.family == "ip6" && a.Unmap().Is4() {
			return nil, fail(Connect, nil, "%s is not an IPv%s address, which is all that http.ip allows", host, c.family[2:])
		}
		return []netip.Addr{a}, nil
	}
	begin := now()
	addrs, err := c.names.lookup(ctx, c.family, host)
	t.DNS += now() - begin
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, dnsError(host, err, limit)
	}
	return addrs, nil
}

// share is the time for the next of left addresses: an equal part of what there
// is, but at least 2 s, as in net.Dialer.
func share(ctx context.Context, left int) time.Duration {
	end, _ := ctx.Deadline()
	return max(time.Until(end)/time.Duration(left), 2*time.Second)
}

// connectOne connects to one address.
func (c *Client) connectOne(ctx context.Context, addr string, ip netip.Addr, limit time.Duration) (net.Conn, error) {
	// Keep-alive probes cost four system calls a connection, and a load has no
	// use for them: a connection is either in use or of no interest.
	d := net.Dialer{Timeout: limit, KeepAlive: -1, LocalAddr: c.source.addr(ip)}
	nc, err := d.DialContext(ctx, "tcp", addr)
	for errors.Is(err, syscall.EADDRNOTAVAIL) && c.source.next(ip) {
		d.LocalAddr = c.source.addr(ip)
		nc, err = d.DialContext(ctx, "tcp", addr)
	}
	return nc, err
}

// loopbackSource is the last byte of the local address for connections to
// 127.0.0.0/8. One address has some 28,000 ports for a target; when they are
// used up on Linux the next address has as many. Elsewhere other addresses than
// 127.0.0.1 cannot be bound, and the first attempt says so.
type loopbackSource struct{ last atomic.Uint32 }

const lastSource = 32

func (s *loopbackSource) addr(to netip.Addr) net.Addr {
	n := s.last.Load()
	if n == 0 || !to.Is4() || !to.IsLoopback() {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(1+n))}
}

// next moves on to the next address, if there is one.
func (s *loopbackSource) next(to netip.Addr) bool {
	return to.Is4() && to.IsLoopback() && s.last.Add(1) < lastSource
}

// chooseVersion sets what is spoken on cn.
func (c *Client) chooseVersion(cn *conn, version string) error {
	agreed := ""
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
