package wire

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// to returns a GET of url.
func to(url string) *Request {
	scheme, rest, _ := strings.Cut(url, "://")
	host, path, _ := strings.Cut(rest, "/")
	return &Request{Method: "GET", Scheme: scheme, Host: host, Path: "/" + path}
}

func newSession(t testing.TB, o Options) *Session {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	s := c.NewSession()
	t.Cleanup(func() { s.Close(); c.Close() })
	return s
}

func TestGet(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL, len(b))
	}))
	defer srv.Close()
	s := newSession(t, Options{})
	var resp Response
	req := to(srv.URL + "/a?b=c")
	req.KeepBody = true
	for i := range 3 {
		s.Do(t.Context(), req, &resp)
		if resp.Err != nil || string(resp.Body) != "GET /a?b=c 0" || resp.Reused != (i > 0) {
			t.Fatalf("%+v %q", resp, resp.Body)
		}
	}
	req.Method, req.Body = "POST", make([]byte, 10<<20)
	req.Changed()
	s.Do(t.Context(), req, &resp)
	t.Logf("%+v %s", resp, resp.Body)
}

func TestAllocs(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("hello"))
	}))
	defer srv.Close()
	s := newSession(t, Options{})
	var resp Response
	req := to(srv.URL + "/")
	ctx := t.Context()
	s.Do(ctx, req, &resp)
	_ = testing.AllocsPerRun(100, func() { s.Do(ctx, req, &resp) })
}
