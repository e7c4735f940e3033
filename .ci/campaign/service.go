package main

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The routes of the small service, and the work that each of them does: rounds of
// hashing, items of a document, and a sleep.
var work = map[string]job{
	"/cpu":   {hashes: 8000},
	"/json":  {items: 2000},
	"/sleep": {sleep: 5 * time.Millisecond},
	"/mixed": {hashes: 3000, sleep: 2 * time.Millisecond},
}

// A job is what one request costs.
type job struct {
	hashes, items int
	sleep         time.Duration
}

// slower is the job with so many percent more of everything.
func (j job) slower(percent float64) job {
	more := 1 + percent/100
	return job{
		hashes: int(float64(j.hashes) * more),
		items:  int(float64(j.items) * more),
		sleep:  time.Duration(float64(j.sleep) * more),
	}
}

// do does it, and returns something that depends on all of it.
func (j job) do() []byte {
	sum := [32]byte{1}
	for range j.hashes {
		sum = sha256.Sum256(sum[:])
	}
	time.Sleep(j.sleep)
	if j.items == 0 {
		return fmt.Appendf(nil, "{\"sum\":\"%x\"}\n", sum)
	}
	type item struct {
		ID    int      `json:"id"`
		Name  string   `json:"name"`
		Price float64  `json:"price"`
		Tags  []string `json:"tags"`
	}
	all := make([]item, j.items)
	for i := range all {
		all[i] = item{i, "item " + strconv.Itoa(i), float64(i) * 1.25, []string{"a", "b"}}
	}
	data, err := json.Marshal(all)
	if err != nil {
		panic(err) // of a bug
	}
	// The answer stays small: what is measured is the work.
	return fmt.Appendf(nil, "{\"bytes\":%d}\n", len(data))
}

// own is how long a job takes on this machine when nothing else runs.
func (j job) own() time.Duration {
	best := time.Hour
	for range 100 {
		begun := time.Now()
		j.do()
		best = min(best, time.Since(begun))
	}
	return best
}

// serve is the small service, until it is killed.
func serve(args []string) error {
	fs := flag.NewFlagSet("serve", flag.ContinueOnError)
	addr := fs.String("addr", "127.0.0.1:8080", "address to listen at")
	slow := fs.String("slow", "", "`ROUTE=AMOUNT`: does so much more, as in /cpu=+10%")
	if err := fs.Parse(args); err != nil {
		return err
	}
	mux := http.NewServeMux()
	route, amount, _ := strings.Cut(*slow, "=")
	if _, ok := work[route]; *slow != "" && !ok {
		return fmt.Errorf("-slow %s: no such route", *slow)
	}
	for path, j := range work {
		if path == route {
			percent, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(amount, "+"), "%"), 64)
			if err != nil {
				return fmt.Errorf("-slow %s: %w", *slow, err)
			}
			j = j.slower(percent)
		}
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(j.do())
		})
	}
	server := &http.Server{Addr: *addr, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}
