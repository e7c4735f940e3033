package wire

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/wire/wiretest"
)

// The tests here need programs that nobody here wrote: Debian's nginx and
// nghttp2-server, go-httpbin of github.com/mccutchen/go-httpbin/v2, and
// toxiproxy-server of github.com/Shopify/toxiproxy/v2 (there cmd/server). They
// are skipped where those are not installed, but not in CI.

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNginx(t *testing.T) {
	t.Parallel()
	// nginx as root serves as another user, who may not look into t.TempDir.
	dir, err := os.MkdirTemp("", "wire-nginx") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	a := wiretest.NewAuthority(t)
	_, _, serverCert, serverKey := a.Issue(t, wiretest.Loopback())
	_, _, cert, key := a.Issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "tester"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	write(t, dir, "big.txt", big)
	plain, secure, strict := wiretest.Free(t), wiretest.Free(t), wiretest.Free(t)
	conf := write(t, dir, "nginx.conf", fmt.Appendf(nil, `
daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;
events {}
http {
  access_log off; client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  gzip on; gzip_types *; gzip_min_length 1; gzip_proxied any; client_max_body_size 10m;
  ssl_certificate %[2]s; ssl_certificate_key %[3]s; root %[1]s;
  server { listen %[4]s; location /old { return 301 /big.txt; } location /close { keepalive_timeout 0; return 200 bye; } }
  server { listen %[5]s ssl http2; large_client_header_buffers 4 64k; }
  server { listen %[6]s ssl; ssl_client_certificate %[7]s; ssl_verify_client on; location / { return 200 $ssl_client_s_dn; } }
}`, dir, write(t, dir, "c.pem", serverCert), write(t, dir, "k.pem", serverKey), plain, secure, strict, write(t, dir, "ca.pem", a.PEM)))
	wiretest.Program(t, strict, "nginx", "-c", conf, "-p", dir)

	o := Options{BodyLimit: 10 << 20, TLS: TLSOptions{CA: a.PEM, Cert: cert, Key: key}}
	for _, tt := range []struct{ url, version, proto string }{
		{"http://" + plain, "auto", "1.1"}, {"https://" + secure, "auto", "2"}, {"https://" + secure, "1.1", "1.1"},
	} {
		o.Version = tt.version
		s := newSession(t, o)
		req := to(tt.url + "/big.txt")
		for i := range 3 {
			resp := do(t, s, req)
			if !bytes.Equal(resp.Body, big) || resp.Proto != tt.proto || resp.Reused != (i > 0) {
				t.Errorf("%s: %d bytes over %s, reused %v", tt.url, len(resp.Body), resp.Proto, resp.Reused)
			}
			if resp.BodySize*2 > int64(len(big)) {
				t.Errorf("%s: %d bytes of body on the wire: not compressed", tt.url, resp.BodySize)
			}
		}
		post := to(tt.url + "/big.txt")
		post.Method, post.Body = "POST", big
		if resp := do(t, s, post); resp.Status != 405 {
			t.Errorf("%s: POST: got %d, want 405", tt.url, resp.Status)
		}
		post.Body = make([]byte, 11<<20)
		post.Changed()
		if resp := do(t, s, post); resp.Status != 413 {
			t.Errorf("%s: too large a POST: got %d, want 413", tt.url, resp.Status)
		}
		if resp := do(t, s, req); !bytes.Equal(resp.Body, big) {
			t.Errorf("%s: %d bytes after it", tt.url, len(resp.Body))
		}
	}
	s := newSession(t, o)
	req := to("http://" + plain + "/old")
	req.Redirects = 1
	if resp := do(t, s, req); !bytes.Equal(resp.Body, big) {
		t.Errorf("redirect: got %d, %d bytes", resp.Status, len(resp.Body))
	}
	for range 2 {
		do(t, s, to("http://"+plain+"/close"))
	}
	if resp := do(t, s, to("https://"+strict+"/")); string(resp.Body) != "CN=tester" {
		t.Errorf("client certificate: got %d %q", resp.Status, resp.Body)
	}
	// nginx takes the connection and answers 400 to it.
	if resp := do(t, newSession(t, Options{TLS: TLSOptions{CA: a.PEM}}), to("https://"+strict+"/")); resp.Status != 400 {
		t.Errorf("no client certificate: got %d, want 400", resp.Status)
	}
}

func TestNghttpd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := wiretest.NewAuthority(t)
	_, _, cert, key := a.Issue(t, wiretest.Loopback())
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	write(t, dir, "big.txt", big)
	c, k := write(t, dir, "c.pem", cert), write(t, dir, "k.pem", key)
	for _, plain := range []bool{true, false} {
		addr := wiretest.Free(t)
		_, port, _ := net.SplitHostPort(addr)
		scheme, args := "https", []string{"-a", "127.0.0.1", "-d", dir, "--echo-upload", port, k, c}
		if plain {
			scheme, args = "http", []string{"-a", "127.0.0.1", "-d", dir, "--no-tls", "--echo-upload", port}
		}
		wiretest.Program(t, addr, "nghttpd", args...)
		s := newSession(t, Options{Version: "2", BodyLimit: 10 << 20, TLS: TLSOptions{CA: a.PEM}})
		for i := range 3 {
			if resp := do(t, s, to(scheme+"://"+addr+"/big.txt")); !bytes.Equal(resp.Body, big) || resp.Reused != (i > 0) {
				t.Errorf("%s: %d bytes over %s, reused %v", scheme, len(resp.Body), resp.Proto, resp.Reused)
			}
		}
		post := to(scheme + "://" + addr + "/big.txt")
		post.Method, post.Body = "POST", big
		if resp := do(t, s, post); !bytes.Equal(resp.Body, big) || !resp.Reused {
			t.Errorf("%s: an echo has %d of %d bytes, reused %v", scheme, len(resp.Body), len(big), resp.Reused)
		}
		if resp := do(t, s, to(scheme+"://"+addr+"/none")); resp.Status != 404 {
			t.Errorf("%s: got %d, want 404", scheme, resp.Status)
		}
	}
}

func TestHTTPBin(t *testing.T) {
	t.Parallel()
	addr := wiretest.Free(t)
	host, port, _ := net.SplitHostPort(addr)
	wiretest.Program(t, addr, "go-httpbin", "-host", host, "-port", port)
	for _, tt := range []struct {
		path   string
		header []Field
		status int
		want   string // in the body
		size   int64  // of the body; 0: any
	}{
		{path: "/gzip", status: 200, want: `"gzipped": true`},
		{path: "/deflate", status: 200},
		{path: "/stream/3", status: 200, want: `"id":2`},
		{path: "/redirect/3", status: 200, want: "/get"},
		{path: "/absolute-redirect/2", status: 200, want: "/get"},
		{path: "/relative-redirect/2", status: 200, want: "/get"},
		{path: "/cookies/set?a=b", status: 200, want: `"a": "b"`},
		{path: "/cookies", status: 200, want: `"a": "b"`},
		{path: "/basic-auth/u/p", header: []Field{{"Authorization", "Basic dTpw"}}, status: 200, want: `"authorized": true`},
		{path: "/basic-auth/u/p", status: 401},
		{path: "/drip?duration=0.02s&numbytes=10&delay=0s", status: 200, want: "**********", size: 10},
		{path: "/delay/0.02", status: 200, want: `"url"`},
		{path: "/status/418", status: 418},
		{path: "/status/204", status: 204},
		{path: "/bytes/100000", status: 200, size: 100000},
		{path: "/stream-bytes/50000?chunk_size=777", status: 200, size: 50000},
		{path: "/range/2000", status: 200, want: "abcdef", size: 2000},
		{path: "/trailers?test=1", status: 200},
	} {
		s := newSession(t, Options{})
		if tt.path == "/cookies" {
			do(t, s, to("http://"+addr+"/cookies/set?a=b"))
		}
		req := to("http://" + addr + tt.path)
		req.Header, req.Redirects = tt.header, 5
		for range 2 {
			resp := do(t, s, req)
			if resp.Status != tt.status || !strings.Contains(string(resp.Body), tt.want) || tt.size > 0 && resp.BodySize != tt.size {
				t.Errorf("%s: got %d with %d bytes: %.200s", tt.path, resp.Status, resp.BodySize, resp.Body)
			}
		}
		if resp := do(t, s, to("http://"+addr+"/get")); !resp.Reused {
			t.Errorf("%s: the connection was not kept", tt.path)
		}
	}
}

func TestToxiproxy(t *testing.T) {
	t.Parallel()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 10000))
	}))
	t.Cleanup(up.Close)
	proxy := wiretest.StartToxiproxy(t)
	for _, tt := range []struct {
		toxic string
		attrs map[string]any
		kind  Kind
		want  string
	}{
		{"latency", map[string]any{"latency": 50}, None, ""},
		{"slow_close", map[string]any{"delay": 50}, None, ""},
		{"slicer", map[string]any{"average_size": 100, "size_variation": 50}, None, ""},
		{"bandwidth", map[string]any{"rate": 1}, Timeout, "no complete response in"},
		{"timeout", map[string]any{"timeout": 0}, Timeout, "no complete response in"},
		{"timeout", map[string]any{"timeout": 20}, Reset, "before it answered"},
		{"reset_peer", map[string]any{"timeout": 0}, Reset, ""},
		{"limit_data", map[string]any{"bytes": 5000}, Body, "before the body was complete"},
		{"limit_data", map[string]any{"bytes": 50}, Reset, "in the middle of the response (50 bytes of header had come)"},
	} {
		t.Run(tt.toxic+" "+tt.kind.String(), func(t *testing.T) {
			listen := proxy.Spoil(t, strings.ReplaceAll(t.Name(), "/", "-"), strings.TrimPrefix(up.URL, "http://"), tt.toxic, tt.attrs)
			req := to("http://" + listen + "/")
			req.Timeout = 300 * time.Millisecond
			s := newSession(t, Options{})
			if tt.kind != None {
				doFails(t, s, req, tt.kind, tt.want)
				return
			}
			req.Timeout = 10 * time.Second
			resp := do(t, s, req)
			if len(resp.Body) != 10000 {
				t.Errorf("got %d bytes", len(resp.Body))
			}
			if tt.toxic == "latency" && resp.Times.FirstByte-resp.Times.Sent < 50*time.Millisecond {
				t.Errorf("the first byte came %v after the request was sent", resp.Times.FirstByte-resp.Times.Sent)
			}
		})
	}
}
