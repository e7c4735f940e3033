package wire

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A testProxy forwards CONNECT and absolute requests, and notes what it was
// asked for.
type testProxy struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func newProxy(t *testing.T, secure bool, answer int) *testProxy {
	p := &testProxy{}
	p.Server = httptest.NewUnstartedServer(p)
	p.Config.ErrorLog = quiet
	p.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.asked = append(p.asked, r.Method+" "+r.RequestURI+" "+r.Header.Get("Proxy-Authorization"))
		p.mu.Unlock()
		if answer != 0 {
			w.WriteHeader(answer)
			return
		}
		p.ServeHTTP(w, r)
	})
	if secure {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

func (p *testProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "CONNECT" {
		r.RequestURI = ""
		r.Header.Del("Proxy-Authorization")
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer func() { _ = resp.Body.Close() }()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
		return
	}
	up, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
	if err != nil {
		w.WriteHeader(502)
		return
	}
	defer func() { _ = up.Close() }()
	down, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = down.Close() }()
	_, _ = io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(up, down)
		_ = up.Close()
	}()
	_, _ = io.Copy(down, up)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	secure.Config.ErrorLog = quiet
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := func(url string) string { _, h, _ := strings.Cut(url, "://"); return h }

	for _, tt := range []struct {
		name          string
		secureProxy   bool
		target, proto string
		user, want    string
	}{
		{"plain", false, plain.URL, "1.1", "", "GET " + plain.URL + "/a "},
		{"plain with user", false, plain.URL, "1.1", "me:secret@", "GET " + plain.URL + "/a Basic bWU6c2VjcmV0"},
		{"tunnel", false, secure.URL, "2", "", "CONNECT " + host(secure.URL) + " "},
		{"tunnel with user", false, secure.URL, "2", "me:secret@", "CONNECT " + host(secure.URL) + " Basic bWU6c2VjcmV0"},
		{"plain over TLS", true, plain.URL, "1.1", "", "GET " + plain.URL + "/a "},
		{"tunnel over TLS", true, secure.URL, "2", "", "CONNECT " + host(secure.URL) + " "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, tt.secureProxy, 0)
			scheme, at, _ := strings.Cut(p.URL, "://")
			s := newSession(t, Options{Proxy: scheme + "://" + tt.user + at, TLS: TLSOptions{Insecure: true}})
			for i := range 2 {
				resp := do(t, s, to(tt.target+"/a"))
				if string(resp.Body) != "GET /a 0" || resp.Proto != tt.proto || resp.Reused != (i > 0) {
					t.Errorf("got %q over %s, reused %v", resp.Body, resp.Proto, resp.Reused)
				}
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if len(p.asked) == 0 || p.asked[0] != tt.want {
				t.Errorf("the proxy was asked for %q, want %q", p.asked, tt.want)
			}
		})
	}
}

func TestProxyFailures(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		407: "answered 407 when asked for staging.example:443: it wants a user and password",
		502: "answered 502 when asked for staging.example:443",
	} {
		p := newProxy(t, false, status)
		doFails(t, newSession(t, Options{Proxy: p.URL}), to("https://staging.example/"), Connect, want)
	}
	for answer, want := range map[string]string{
		"":                            "broke the connection when asked for staging.example:443",
		"HTTP/1.1 200 OK\r\n\r\nmore": "sent more than an answer",
		"220 mail\r\n":                "does not start like HTTP/1",
	} {
		p := once(t, answer)
		doFails(t, newSession(t, Options{Proxy: p.url}), to("https://staging.example/"), Connect, want)
	}
}

func TestProxyFromEnvironment(t *testing.T) {
	t.Parallel()
	p := newProxy(t, false, 418)
	env := map[string]string{"http_proxy": p.URL, "HTTPS_PROXY": "ftp://a", "NO_PROXY": "direct.example,10.0.0.0/8"}
	direct := answers(t, "HTTP/1.1 204 X\r\n\r\n")
	s := newSession(t, Options{
		Proxy: "env", Env: func(k string) string { return env[k] },
		Resolve: map[string]string{"direct.example:80": direct.addr},
	})
	if resp := do(t, s, to("http://staging.example/")); resp.Status != 418 {
		t.Errorf("got %d, want the proxy's 418", resp.Status)
	}
	if resp := do(t, s, to("http://direct.example/")); resp.Status != 204 {
		t.Errorf("NO_PROXY: got %d, want 204", resp.Status)
	}
	if resp := do(t, s, to(direct.url+"/")); resp.Status != 204 {
		t.Errorf("loopback: got %d, want 204", resp.Status)
	}
	doFails(t, s, to("https://staging.example/"), Connect, `proxy "ftp://a": want http://host:port`)
}
