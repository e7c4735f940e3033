package wire

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestConnect(t *testing.T) {
	var requests, conns atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	c, err := NewClient(Options{Hosts: []string{host, "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	s := c.NewSession()
	defer s.Close()
	if err := s.Connect(t.Context(), "http", host); err != nil {
		t.Errorf("Connect to a server: %v", err)
	}
	var resp Response
	s.Do(t.Context(), &Request{Method: "GET", Scheme: "http", Host: host, Path: "/"}, &resp)
	if resp.Err != nil || resp.Reused {
		t.Errorf("the request after Connect: %v, reused %v", resp.Err, resp.Reused)
	}
	if requests.Load() != 1 || conns.Load() != 2 {
		t.Errorf("%d requests on %d connections, want 1 on 2", requests.Load(), conns.Load())
	}
	if err := s.Connect(t.Context(), "http", "127.0.0.1:1"); kindOf(err) != Refused {
		t.Errorf("Connect to a closed port: %v (%v), want refused", err, kindOf(err))
	}
	if err := s.Connect(t.Context(), "http", "other.example:80"); kindOf(err) != Blocked {
		t.Errorf("Connect to a host that is not allowed: %v, want blocked", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Connect(ctx, "http", host); err == nil {
		t.Error("Connect with a context that is done: no error")
	}
}

// TestOpen holds that a connection opened ahead is taken by the next requests,
// and that what it took to open is told with the first of them only.
func TestOpen(t *testing.T) {
	var conns atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	for name, opts := range map[string]Options{
		"kept":     {},
		"not kept": {NoKeepAlive: true},
		"shared":   {Shared: true},
	} {
		conns.Store(0)
		c, err := NewClient(opts)
		if err != nil {
			t.Fatal(err)
		}
		s := c.NewSession()
		if err := s.Open(t.Context(), "http", host); err != nil {
			t.Fatalf("%s: Open: %v", name, err)
		}
		req := &Request{Method: "GET", Scheme: "http", Host: host, Path: "/"}
		var first, second Response
		s.Do(t.Context(), req, &first)
		firstConnect, firstReused := first.Times.Connect, first.Reused
		s.Do(t.Context(), req, &second)
		if first.Err != nil || second.Err != nil {
			t.Fatalf("%s: %v, %v", name, first.Err, second.Err)
		}
		want := int64(1)
		if opts.NoKeepAlive {
			want = 2
		}
		if conns.Load() != want {
			t.Errorf("%s: %d connections, want %d", name, conns.Load(), want)
		}
		if firstConnect <= 0 || firstReused {
			t.Errorf("%s: first request: connect took %v, reused %v", name, firstConnect, firstReused)
		}
		if !opts.NoKeepAlive && (second.Times.Connect != 0 || !second.Reused) {
			t.Errorf("%s: second request: connect took %v, reused %v", name, second.Times.Connect, second.Reused)
		}
		s.Close()
		c.Close()
	}
}
