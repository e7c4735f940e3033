package wire

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/wire/wiretest"
)

// canned answers whatever comes with the same bytes, one answer for one packet:
// the benchmarks are to measure the client.
func canned(b *testing.B, conf *tls.Config) string {
	response := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"hello\": 1}\n")
	srv := serve(b, func(_ int, c *rawConn) {
		rw := io.ReadWriter(c.Conn)
		if conf != nil {
			rw = tls.Server(c.Conn, conf)
		}
		buf := make([]byte, 4096)
		for {
			if _, err := rw.Read(buf); err != nil {
				return
			}
			if _, err := rw.Write(response); err != nil {
				return
			}
		}
	})
	if conf != nil {
		return "https" + strings.TrimPrefix(srv.url, "http")
	}
	return srv.url
}

// BenchmarkDo is one request after the other on one connection. Both ends run
// here, so half of the time, and with net/http's server most of it, is not the
// client's; what allocates is.
func BenchmarkDo(b *testing.B) {
	a := wiretest.NewAuthority(b)
	cert, key, _, _ := a.Issue(b, wiretest.Loopback())
	conf := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}}
	two := server2(b, true, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{\"hello\": 1}\n") })
	for _, bb := range []struct {
		name, url string
		opts      Options
		keep      bool
	}{
		{"plain", canned(b, nil), Options{}, false},
		{"body", canned(b, nil), Options{}, true},
		{"tls", canned(b, conf), Options{TLS: TLSOptions{CA: a.PEM}, Version: "1.1"}, false},
		{"h2c", two.URL, Options{Version: "h2c"}, false},
		{"connect", canned(b, nil), Options{NoKeepAlive: true}, false},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := newSession(b, bb.opts)
			req := to(bb.url + "/")
			req.KeepBody = bb.keep
			var resp Response
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if s.Do(ctx, req, &resp); resp.Err != nil {
					b.Fatal(resp.Err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	c, err := NewClient(Options{UserAgent: "loadline/1"})
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]form{"http1": formOrigin, "http2": form2} {
		b.Run(name, func(b *testing.B) {
			req := &Request{Method: "POST", Scheme: "https", Host: "staging.example", Path: "/users?page=3", Header: []Field{
				{"Authorization", "Bearer 0123456789abcdef"}, {"Content-Type", "application/json"},
			}, Body: []byte(`{"name":"x"}`)}
			b.ReportAllocs()
			for b.Loop() {
				req.Changed()
				c.encode(req, f, "")
			}
		})
	}
}
