package wire

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/wire/wiretest"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		srv := a.Server(t, wiretest.Loopback(), &tls.Config{MinVersion: version, MaxVersion: version}, echo)
		s := newSession(t, Options{TLS: TLSOptions{CA: a.PEM}})
		req := to(srv.URL + "/a")
		for i := range 3 {
			resp := do(t, s, req)
			if string(resp.Body) != "GET /a 0" || resp.Reused != (i > 0) || resp.Proto != "1.1" {
				t.Errorf("%x: got %q over %s, reused %v", version, resp.Body, resp.Proto, resp.Reused)
			}
			if (resp.Times.TLS > 0) != (i == 0) || (resp.Times.Connect > 0) != (i == 0) {
				t.Errorf("%x, request %d: connect %v, TLS %v", version, i, resp.Times.Connect, resp.Times.TLS)
			}
		}
		req.Method, req.Body = "POST", make([]byte, 5<<20)
		req.Changed()
		if resp := do(t, s, req); string(resp.Body) != "POST /a 5242880" || !resp.Reused {
			t.Errorf("%x: got %q, reused %v", version, resp.Body, resp.Reused)
		}
	}
}

func TestTLSLargeResponse(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	big := strings.Repeat("0123456789", 300_000)
	srv := a.Server(t, wiretest.Loopback(), &tls.Config{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, big) })
	s := newSession(t, Options{TLS: TLSOptions{CA: a.PEM}, BodyLimit: 10 << 20})
	for range 2 {
		if resp := do(t, s, to(srv.URL+"/")); string(resp.Body) != big {
			t.Errorf("got %d bytes, want %d as they were sent", len(resp.Body), len(big))
		}
	}
}

func TestTLSFailures(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	good := a.Server(t, wiretest.Loopback(), &tls.Config{}, echo)
	other := a.Server(t, &x509.Certificate{DNSNames: []string{"other.example", "www.other.example"}}, &tls.Config{}, echo)
	old := a.Server(t, &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	}, &tls.Config{}, echo)
	twelve := a.Server(t, wiretest.Loopback(), &tls.Config{MaxVersion: tls.VersionTLS12}, echo)
	plain := httptest.NewServer(http.HandlerFunc(echo))
	plain.Config.ErrorLog = quiet
	t.Cleanup(plain.Close)
	closing := serve(t, func(_ int, c *rawConn) { _, _ = c.in.ReadByte() })

	trust := TLSOptions{CA: a.PEM}
	as := func(name string) TLSOptions { return TLSOptions{CA: a.PEM, ServerName: name} }
	for _, tt := range []struct {
		name, url string
		opts      TLSOptions
		want      string // "": it works
	}{
		{"trusted", good.URL, trust, ""},
		{"insecure", good.URL, TLSOptions{Insecure: true}, ""},
		{"server name", good.URL, as("staging.example"), ""},
		{"unknown authority", good.URL, TLSOptions{}, "TLS: the certificate of 127.0.0.1 is signed by an authority that is not trusted: name its certificate in http.tls.ca"},
		{"other server name", other.URL, as("staging.example"), "TLS: the certificate is for other.example, www.other.example, not staging.example"},
		{"address", other.URL, trust, "TLS: the certificate is for other.example, www.other.example, not 127.0.0.1"},
		{"expired", old.URL, trust, "TLS: the certificate of 127.0.0.1 is expired or not yet valid"},
		{"old version", twelve.URL, TLSOptions{CA: a.PEM, MinVersion: "1.3"}, "TLS: 127.0.0.1 refused the handshake: protocol version not supported"},
		{"no TLS", "https" + strings.TrimPrefix(plain.URL, "http"), trust, "TLS: 127.0.0.1 does not speak TLS on this port"},
		{"closes", "https" + strings.TrimPrefix(closing.url, "http"), trust, "TLS: 127.0.0.1 closed the connection during the handshake"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSession(t, Options{TLS: tt.opts})
			if tt.want == "" {
				do(t, s, to(tt.url+"/"))
				return
			}
			resp := doFails(t, s, to(tt.url+"/"), TLS, tt.want)
			if resp.Times.Sent != 0 {
				t.Errorf("something was sent at %v", resp.Times.Sent)
			}
		})
	}
}

func TestClientCertificate(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	_, _, cert, key := a.Issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "tester"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		srv := a.Server(t, wiretest.Loopback(), &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: version},
			func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
			})
		s := newSession(t, Options{TLS: TLSOptions{CA: a.PEM, Cert: cert, Key: key}})
		if resp := do(t, s, to(srv.URL+"/")); string(resp.Body) != "tester" {
			t.Errorf("%x: got %q, want tester", version, resp.Body)
		}
		doFails(t, newSession(t, Options{TLS: TLSOptions{CA: a.PEM}}), to(srv.URL+"/"), TLS, "TLS: 127.0.0.1")
	}
}

func TestHandshakeTimeout(t *testing.T) {
	t.Parallel()
	srv := serve(t, func(_ int, c *rawConn) { c.untilGone() })
	url := "https" + strings.TrimPrefix(srv.url, "http") + "/"
	for _, connect := range []bool{false, true} {
		runsOut(t, "not done within LIMIT", func(limit time.Duration) *Response {
			o, req := Options{}, to(url)
			if connect {
				o.ConnectTimeout = limit
			} else {
				req.Timeout = limit
			}
			resp := new(Response)
			newSession(t, o).Do(t.Context(), req, resp)
			return resp
		})
	}
}

// A TLS server says goodbye before it closes; that is no byte of an answer.
func TestTLSClosedWhileIdle(t *testing.T) {
	t.Parallel()
	a := wiretest.NewAuthority(t)
	cert, key, _, _ := a.Issue(t, wiretest.Loopback())
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	srv := serve(t, func(n int, c *rawConn) {
		c.Conn = tls.Server(c.Conn, conf)
		c.in.Reset(c.Conn)
		if c.request() == nil {
			return
		}
		c.say("HTTP/1.1 204 X\r\n\r\n")
		c.request()
		if n > 0 {
			c.say("HTTP/1.1 204 X\r\n\r\n")
		}
		_ = c.Close()
	})
	url := "https" + strings.TrimPrefix(srv.url, "http") + "/"
	s := newSession(t, Options{TLS: TLSOptions{CA: a.PEM}})
	do(t, s, to(url))
	if resp := do(t, s, to(url)); !resp.Retried {
		t.Error("not retried")
	}
}
