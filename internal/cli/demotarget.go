package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// A demoTarget is a small shop API on loopback whose routes take a known time.
type demoTarget struct {
	addr string
	stop func()
}

// demoRoutes are the routes of the demo's shop and how long each one takes.
var demoRoutes = []struct {
	pattern string
	takes   time.Duration
	status  int
	body    string
}{
	{"GET /healthz", 0, http.StatusOK, `{"status":"ok"}`},
	{"POST /login", 2 * time.Millisecond, http.StatusOK, `{"token":"demo-token"}`},
	{"GET /products", 3 * time.Millisecond, http.StatusOK, `{"products":[{"id":"p-1","price":12.5},{"id":"p-2","price":8}]}`},
	{"GET /products/{id}", 2 * time.Millisecond, http.StatusOK, `{"id":"p-1","price":12.5,"stock":7}`},
	{"GET /orders", 6 * time.Millisecond, http.StatusOK, `{"orders":[{"id":"o-1","total":20.5}]}`},
	{"POST /orders", 8 * time.Millisecond, http.StatusCreated, `{"id":"o-2","total":12.5}`},
}

// startDemoTarget serves the shop on addr; slow makes single routes slower by
// a given time. It stops with ctx or with stop.
func startDemoTarget(ctx context.Context, addr string, slow map[string]time.Duration) (*demoTarget, error) {
	mux := http.NewServeMux()
	for _, r := range demoRoutes {
		takes := r.takes + slow[r.pattern]
		mux.HandleFunc(r.pattern, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(takes)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(r.status)
			fmt.Fprintln(w, r.body)
		})
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting the demo's target: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	release := context.AfterFunc(ctx, func() { _ = server.Close() })
	return &demoTarget{
		addr: listener.Addr().String(),
		stop: func() {
			release()
			_ = server.Close()
			<-done
		},
	}, nil
}

// url is where the target listens.
func (t *demoTarget) url() string { return "http://" + t.addr }

// parseSlow reads "METHOD /path=+20ms" of `demo --serve --slow`.
func parseSlow(list []string) (map[string]time.Duration, error) {
	slow := map[string]time.Duration{}
	for _, s := range list {
		route, by, ok := strings.Cut(s, "=")
		d, err := time.ParseDuration(strings.TrimPrefix(by, "+"))
		if !ok || err != nil || d < 0 {
			return nil, usagef("--slow %q: write it like --slow \"GET /orders=+20ms\"", s)
		}
		if !hasRoute(route) {
			return nil, usageError{errors.New("--slow names " + route + ", which the demo's target does not have: " + strings.Join(routeNames(), ", "))}
		}
		slow[route] = d
	}
	return slow, nil
}

func hasRoute(pattern string) bool {
	for _, r := range demoRoutes {
		if r.pattern == pattern {
			return true
		}
	}
	return false
}

func routeNames() []string {
	var names []string
	for _, r := range demoRoutes {
		names = append(names, r.pattern)
	}
	return names
}
