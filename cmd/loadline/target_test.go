package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A target is the API that scripts drive: each route misbehaves in its own way,
// and single routes can be made slower while it runs.
type target struct {
	*httptest.Server
	requests atomic.Int64
	arrived  chan struct{} // told of a request, if somebody waits

	mu   sync.Mutex
	slow map[string]time.Duration
	left map[string]int // requests that are still slow
}

func newTarget() *target {
	t := &target{slow: map[string]time.Duration{}, left: map[string]int{}, arrived: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	t.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.requests.Add(1)
		select {
		case t.arrived <- struct{}{}:
		default:
		}
		t.mu.Lock()
		var by time.Duration
		if t.left[r.URL.Path] > 0 {
			t.left[r.URL.Path]--
			by = t.slow[r.URL.Path]
		}
		t.mu.Unlock()
		time.Sleep(by)
		mux.ServeHTTP(w, r)
	}))
	json := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintln(w, body)
		}
	}
	mux.HandleFunc("GET /healthz", json(`{"status":"ok","commit":"8a1e38d"}`))
	mux.HandleFunc("GET /a", json(`{"items":[{"id":1},{"id":2}]}`))
	mux.HandleFunc("GET /b", json(`{"n":1}`))
	mux.HandleFunc("GET /c", json(`{"n":2}`))
	mux.HandleFunc("GET /d", json(`{"n":3}`))
	mux.HandleFunc("GET /token", json(`{"token":"7/7 +t0k"}`))
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "no JSON", http.StatusUnsupportedMediaType)
			return
		}
		fmt.Fprintln(w, `{"token":"t-42"}`)
	})
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t-42" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		fmt.Fprintln(w, `{"name":"ada"}`)
	})
	// What it says of itself, as Prometheus reads it, and as a Prometheus server that
	// has read it answers.
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# TYPE requests_total counter\nrequests_total %d\n# TYPE heap_bytes gauge\nheap_bytes 1048576\nqueue{name=\"a\"} 3\nqueue{name=\"b\"} 4\n", t.requests.Load())
	})
	mux.HandleFunc("GET /api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("query") != "sum(queue)" || r.Header.Get("Authorization") != "Bearer s3cret-token" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintln(w, `{"status":"error","errorType":"unauthorized","error":"s3cret-token is not yours"}`)
			return
		}
		fmt.Fprintln(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.1,"7"]}]}}`)
	})
	mux.HandleFunc("GET /500", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	mux.HandleFunc("GET /302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) })
	mux.HandleFunc("GET /hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("GET /huge", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("mb"))
		chunk := bytes.Repeat([]byte("x"), 1<<20)
		for range n {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("GET /empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /malformed", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "SMTP/9 lost\r\n\r\n")
	})
	return t
}

// waitFor waits until the target has had n requests.
func (t *target) waitFor(n int64, most time.Duration) bool {
	deadline := time.After(most)
	for t.requests.Load() < n {
		select {
		case <-t.arrived:
		case <-deadline:
			return false
		}
	}
	return true
}

// setSlow makes the next n requests of path slower by d.
func (t *target) setSlow(path string, d time.Duration, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slow[path], t.left[path] = d, n
}

// closedPort is an address on loopback where nothing listens.
func closedPort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return strings.Replace(l.Addr().String(), "[::1]", "127.0.0.1", 1)
}
