package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// A target is go-httpbin, as a process of its own, behind a reverse proxy that
// makes one route slower by a set time. The proxy is there in every run, so that
// only the delay differs.
type target struct {
	url      string // of the proxy
	slow     atomic.Pointer[slowness]
	requests atomic.Int64
	asked    func()                                     // before each request; may be nil
	reports  atomic.Pointer[func(*http.Request) string] // what versionHeader of an answer says; nil: it has none
	failing  atomic.Bool
}

// failEach is which of a failing target's requests fail: too few for a target that
// is down.
const failEach = 5

type slowness struct {
	path string
	by   time.Duration
}

// slower makes a route slower from now on; "" none.
func (t *target) slower(path string, by time.Duration) { t.slow.Store(&slowness{path, by}) }

func (r *runner) startTarget(ctx context.Context) (*target, error) {
	bin, err := tool(ctx, httpbinModule)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if err := r.start("go-httpbin", cleanEnv(), bin, "-host", "127.0.0.1", "-port", strconv.Itoa(port), "-log-level", "ERROR"); err != nil {
		return nil, err
	}
	behind := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	err = waitFor(ctx, 30*time.Second, "go-httpbin", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, behind.String()+"/status/200", nil)
		if err != nil {
			return false
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if err != nil {
		return nil, err
	}
	t := &target{}
	t.slower("", 0)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/metrics" { // what it says of itself
			_, _ = fmt.Fprintf(w, "requests_total %d\n", t.requests.Load())
			return
		}
		n := t.requests.Add(1)
		if t.asked != nil {
			t.asked()
		}
		if s := t.slow.Load(); s.by > 0 && req.URL.Path == s.path {
			time.Sleep(s.by)
		}
		if version := t.reports.Load(); version != nil {
			w.Header().Set(versionHeader, (*version)(req))
		}
		if t.failing.Load() && n%failEach == 0 {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		proxy.ServeHTTP(w, req)
	})}
	go func() { _ = server.Serve(listener) }() // until Close
	r.stops = append(r.stops, func() { _ = server.Close() })
	t.url = "http://" + listener.Addr().String()
	return t, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
