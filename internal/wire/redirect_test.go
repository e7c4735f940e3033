package wire

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRedirects(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "other: auth %q, cookie %q, X %q", r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("X"))
	}))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var status int
		var to string
		if _, err := fmt.Sscanf(r.URL.Path, "/to/%d", &status); err == nil {
			to = strings.ReplaceAll(r.URL.Query().Get("to"), "OTHER", other.URL)
			w.Header().Set("Set-Cookie", "seen=1; Path=/")
			if to != "" {
				w.Header().Set("Location", to)
			}
			w.WriteHeader(status)
			return
		}
		b := make([]byte, 10)
		n, _ := r.Body.Read(b)
		_, _ = fmt.Fprintf(w, "%s %s %q auth %q type %q cookie %q", r.Method, r.URL, b[:n], r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.Header.Get("Cookie"))
	}))
	t.Cleanup(srv.Close)

	for _, tt := range []struct {
		name, method, path, body string
		follow                   int
		want                     string
		status                   int
	}{
		{"not followed", "GET", "/to/302?to=/end", "", 0, "", 302},
		{"followed", "GET", "/to/302?to=/end?a=b%23frag", "", 1, `GET /end?a=b "" auth "a" type "t" cookie "own=1; seen=1"`, 200},
		{"relative", "GET", "/to/301?to=../x/y", "", 1, `GET /x/y "" auth "a" type "t" cookie "own=1; seen=1"`, 200},
		{"303 to GET", "POST", "/to/303?to=/end", "hi", 1, `GET /end "" auth "a" type "" cookie "own=1; seen=1"`, 200},
		{"302 to GET", "PUT", "/to/302?to=/end", "hi", 1, `GET /end "" auth "a" type "" cookie "own=1; seen=1"`, 200},
		{"307 repeats", "POST", "/to/307?to=/end", "hi", 1, `POST /end "hi" auth "a" type "t" cookie "own=1; seen=1"`, 200},
		{"308 repeats", "PUT", "/to/308?to=/end", "hi", 1, `PUT /end "hi" auth "a" type "t" cookie "own=1; seen=1"`, 200},
		{"HEAD stays", "HEAD", "/to/303?to=/end", "", 1, "", 200},
		{"other host", "GET", "/to/302?to=OTHER/", "", 1, `other: auth "", cookie "seen=1", X "y"`, 200},
		{"two", "GET", "/to/302?to=/to/302%3fto=/end", "", 2, `GET /end "" auth "a" type "t" cookie "own=1; seen=1"`, 200},
		{"no more than asked", "GET", "/to/302?to=/to/301%3fto=/end", "", 1, "", 301},
		{"no Location", "GET", "/to/302", "", 5, "", 302},
		{"300 is none", "GET", "/to/300?to=/end", "", 5, "", 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req := to(srv.URL + tt.path)
			req.Method, req.Redirects, req.Body = tt.method, tt.follow, []byte(tt.body)
			req.Header = []Field{{"Authorization", "a"}, {"Content-Type", "t"}, {"Cookie", "own=1"}, {"X", "y"}}
			resp := do(t, newSession(t, Options{}), req)
			if string(resp.Body) != tt.want || resp.Status != tt.status {
				t.Errorf("got %d %s\nwant %d %s", resp.Status, resp.Body, tt.status, tt.want)
			}
			if tt.status == 200 && resp.Times.FirstByte <= resp.Times.Sent {
				t.Errorf("sent %v, first byte %v", resp.Times.Sent, resp.Times.FirstByte)
			}
		})
	}
}

func TestRedirectStaysOnTheHosts(t *testing.T) {
	t.Parallel()
	hits := 0
	evil := serve(t, func(_ int, c *rawConn) { hits++ })
	srv := answers(t, "HTTP/1.1 302 X\r\nLocation: "+evil.url+"/\r\nContent-Length: 0\r\n\r\n")
	req := to(srv.url + "/")
	req.Redirects = 3
	doFails(t, newSession(t, Options{Hosts: []string{srv.addr}}), req, Blocked,
		"redirect goes to "+evil.addr+", which is not the target: add it to target.allow_hosts")
	if hits > 0 {
		t.Error("the other host was reached")
	}
	for location, want := range map[string]string{
		"ftp://a/b": "no http or https address", "http://": "no http or https address", "http://a b/": "not a URL", "http://[::1/": "not a URL",
	} {
		srv := answers(t, "HTTP/1.1 302 X\r\nLocation: "+location+"\r\nContent-Length: 0\r\n\r\n")
		req := to(srv.url + "/")
		req.Redirects = 1
		doFails(t, newSession(t, Options{}), req, Protocol, want)
	}
}

func TestSameHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to string
		same     bool
	}{
		{"http://a/x", "http://a/y", true},
		{"http://a/x", "http://A:80/y", true},
		{"http://a/x", "https://a/y", true},
		{"http://a:8080/x", "https://a/y", false},
		{"https://a/x", "http://a/y", false},
		{"https://a/x", "https://a:8443/y", false},
		{"https://a/x", "https://b.a/y", false},
		{"https://a/x", "https://b/y", false},
	} {
		next, err := redirect(&Request{
			Scheme: tt.from[:strings.Index(tt.from, ":")], Host: hostOf(tt.from), Path: "/x",
			Header: []Field{{"authorization", "a"}},
		}, 302, tt.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(next.Header) == 1; got != tt.same {
			t.Errorf("%s to %s: credentials kept %v, want %v", tt.from, tt.to, got, tt.same)
		}
	}
}

func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// The time limit is that of the whole chain.
func TestRedirectLoopEnds(t *testing.T) {
	t.Parallel()
	response := "HTTP/1.1 302 X\r\nLocation: /again\r\nContent-Length: 3\r\n\r\nabc"
	srv := answers(t, response)
	req := to(srv.url + "/")
	req.Redirects = 20
	resp := do(t, newSession(t, Options{}), req)
	if resp.Status != 302 || resp.BodySize != 3 || string(resp.Body) != "abc" {
		t.Errorf("got %d with %d bytes", resp.Status, resp.BodySize)
	}
	if want := int64(21 * len(response)); resp.In != want {
		t.Errorf("%d bytes came in, want the %d of 21 responses", resp.In, want)
	}
}
