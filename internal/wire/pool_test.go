package wire

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestSharedConnections(t *testing.T) {
	t.Parallel()
	var open, most, made atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			made.Add(1)
			n := open.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
		case http.StateClosed:
			open.Add(-1)
		default:
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := NewClient(Options{Shared: true, MaxConnections: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			s := c.NewSession()
			defer s.Close()
			for range 50 {
				var resp Response
				if s.Do(t.Context(), to(srv.URL+"/"), &resp); resp.Err != nil {
					t.Error(resp.Err)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 || made.Load() > 3 {
		t.Errorf("%d connections at once, %d in all, want at most 3", most.Load(), made.Load())
	}
}

func TestSharedConnectionsAllBusy(t *testing.T) {
	t.Parallel()
	came := make(chan struct{})
	srv := serve(t, func(_ int, c *rawConn) {
		for c.request() != nil {
			select {
			case came <- struct{}{}:
			case <-c.stop:
				return
			}
			select {
			case came <- struct{}{}: // the test lets it answer
			case <-c.stop:
				return
			}
			c.say("HTTP/1.1 204 X\r\n\r\n")
		}
	})
	c, err := NewClient(Options{Shared: true, MaxConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	first := make(chan *Response)
	go func() { first <- do(t, c.NewSession(), to(srv.url+"/")) }()
	<-came

	var resp Response
	req := to(srv.url + "/")
	req.Timeout = 10 * time.Millisecond
	c.NewSession().Do(t.Context(), req, &resp)
	checkFailed(t, &resp, Timeout, "no connection to "+srv.addr+" was free within 10ms: all 1 are in use")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	c.NewSession().Do(ctx, to(srv.url+"/"), &resp)
	checkFailed(t, &resp, Timeout, "the request was cancelled")

	next := make(chan *Response)
	go func() { next <- do(t, c.NewSession(), to(srv.url+"/")) }()
	<-came
	<-first
	<-came
	<-came
	if resp := <-next; !resp.Reused {
		t.Error("the one who waited was not given the connection")
	}
}

// A connection that could not be made, or broke, makes room for the next.
func TestSharedConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	srv := once(t, "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n")
	c, err := NewClient(Options{Shared: true, MaxConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s := c.NewSession()
	for range 3 {
		do(t, s, to(srv.url+"/"))
	}
	bad := to(srv.url + "/")
	bad.Scheme = "https"
	for range 3 {
		doFails(t, s, bad, TLS, "")
	}
	cut := once(t, "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nabc")
	for range 3 {
		doFails(t, s, to(cut.url+"/"), Body, "")
	}
}

// One that went stale is replaced in its place.
func TestSharedConnectionsStale(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{}, 10)
	srv := serve(t, func(_ int, c *rawConn) {
		c.request()
		c.say("HTTP/1.1 204 X\r\n\r\n")
		_ = c.Close()
		closed <- struct{}{}
	})
	c, err := NewClient(Options{Shared: true, MaxConnections: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	s := c.NewSession()
	req := to(srv.url + "/")
	req.Method = "POST"
	for range 3 {
		if resp := do(t, s, req); resp.Reused || resp.Retried {
			t.Errorf("reused %v, retried %v", resp.Reused, resp.Retried)
		}
		<-closed
		idle := c.pool.at[origin{"http", srv.addr}].idle
		idle[0].idleSince -= time.Hour
	}
}
