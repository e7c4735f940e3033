package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// The specs of docs/coming-from.md say that they mean what k6, Locust and
// Artillery scripts mean. These tests take them off the page, run them against
// an API that keeps books, and look at its books and at the result.

// translated gives the specs of the page by their names.
func translated(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "coming-from.md"))
	if err != nil {
		t.Fatal(err)
	}
	specs := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```toml\n(name = \"([^\"]+)\".*?)```").FindAllStringSubmatch(string(page), -1) {
		specs[m[2]] = m[1]
	}
	if len(specs) != 5 {
		t.Fatalf("the page has %d specs, want 5", len(specs))
	}
	return specs
}

// Limits of time depend on the machine, which may have much else to do. They
// are judged all the same, with a limit that no machine breaks.
var latencyLimit = regexp.MustCompile(`(latency[^<"]*<) *\d+(ms|s)"`)

var written = regexp.MustCompile(`"(\d+)(s|m)"`)

// shorter divides the durations in a part of a spec.
func shorter(text string, by int) string {
	return written.ReplaceAllStringFunc(text, func(s string) string {
		m := written.FindStringSubmatch(s)
		n, _ := strconv.Atoi(m[1])
		d := time.Duration(n) * map[string]time.Duration{"s": time.Second, "m": time.Minute}[m[2]] / time.Duration(by)
		return `"` + strconv.FormatInt(d.Milliseconds(), 10) + `ms"`
	})
}

// shorterLoad divides the durations of [load].
func shorterLoad(text string, by int) string {
	before, rest, _ := strings.Cut(text, "[load]")
	load, after, _ := strings.Cut(rest, "\n\n")
	return before + "[load]" + shorter(load, by) + "\n\n" + after
}

// A books is an API that writes down what it is asked.
type books struct {
	*httptest.Server
	mu          sync.Mutex
	requests    map[string]int                          // by method and path
	connections map[string]bool                         // by remote address
	tokens      map[string]map[string]int               // requests by token and path
	arrivals    map[string][]time.Time                  // of a token
	answer      map[string]func(n int, w io.Writer) int // to the n-th request, by method and path
	bad         []string                                // what should not have been sent
}

func newBooks(t *testing.T) *books {
	t.Helper()
	b := &books{
		requests: map[string]int{}, connections: map[string]bool{}, tokens: map[string]map[string]int{}, arrivals: map[string][]time.Time{},
		answer: map[string]func(int, io.Writer) int{},
	}
	b.Server = httptest.NewUnstartedServer(b)
	b.Config.ConnState = func(c net.Conn, s http.ConnState) {
		if s == http.StateActive { // not those of a readiness probe, which sends nothing
			b.mu.Lock()
			defer b.mu.Unlock()
			b.connections[c.RemoteAddr().String()] = true
		}
	}
	b.Start()
	t.Cleanup(b.Close)
	return b
}

func (b *books) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	what := r.Method + " " + r.URL.Path
	b.requests[what]++
	if answer := b.answer[what]; answer != nil {
		var text bytes.Buffer
		status := answer(b.requests[what], &text)
		w.WriteHeader(status)
		_, _ = text.WriteTo(w)
		return
	}
	switch what {
	case "POST /auth/token":
		if !strings.Contains(string(body), `"password":"testpassword"`) {
			b.bad = append(b.bad, "login with "+string(body))
		}
		token := "t" + strconv.Itoa(len(b.tokens))
		b.tokens[token] = map[string]int{}
		_, _ = fmt.Fprintf(w, `{"access_token":%q}`, token)
	case "GET /api/users", "POST /api/orders":
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if b.tokens[token] == nil {
			b.bad = append(b.bad, what+" with the token "+token)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		b.tokens[token][what]++
		b.arrivals[token] = append(b.arrivals[token], now)
		_, _ = fmt.Fprint(w, `{"results":[]}`)
	case "GET /users":
		_, _ = fmt.Fprint(w, `{"results":[]}`)
	case "POST /orders":
		if string(body) != `{"item_id":1,"qty":2}` {
			b.bad = append(b.bad, "an order of "+string(body))
		}
		w.WriteHeader(http.StatusCreated)
	default:
		b.bad = append(b.bad, what)
		w.WriteHeader(http.StatusNotFound)
	}
}

// reset begins new books for another try.
func (b *books) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.requests)
	clear(b.connections)
	clear(b.tokens)
	clear(b.arrivals)
}

// run runs a spec with flags and gives its result. A run that the machine was
// too busy for is not counted: it is made again, as its user would.
func (b *books) run(t *testing.T, text string, want int, flags ...string) *result.Run {
	t.Helper()
	if text == "" {
		t.Fatal("the page has no spec of that name")
	}
	dir := t.TempDir()
	text = latencyLimit.ReplaceAllString(text, `$1 50s"`)
	if err := os.WriteFile(filepath.Join(dir, "spec.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out []byte
	code := -1
	for range 10 {
		b.reset()
		cmd := exec.CommandContext(t.Context(), "loadline", append([]string{"run", "spec.toml", "--json", "out.json"}, flags...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "BASE_URL="+b.URL, "NO_COLOR=1")
		var err error
		out, err = cmd.CombinedOutput()
		code = exitCode(err)
		if code != 3 || !strings.Contains(string(out), "generator") {
			break
		}
	}
	if code != want {
		t.Fatalf("exit status %d, want %d:\n%s", code, want, out)
	}
	saved, err := os.ReadFile(filepath.Join(dir, "out.json"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := result.Read(bytes.NewReader(saved))
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.bad {
		t.Errorf("the target was sent what it should not: %s", what)
	}
	return file.Run
}

// within checks a count that depends on when the load ended.
func within(t *testing.T, what string, got, least, most int) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s: %d, want %d to %d", what, got, least, most)
	}
}

// passed is how often each check held, and how often it did not.
func passed(run *result.Run) map[string][2]int64 {
	out := map[string][2]int64{}
	for _, tally := range run.Tallies {
		name := run.Catalog.Checks[tally.Check].Name
		sum := out[name]
		out[name] = [2]int64{sum[0] + tally.Passed, sum[1] + tally.Failed}
	}
	return out
}

// countCells sums the requests of the cells that match.
func countCells(run *result.Run, match func(result.Key) bool) int {
	n := int64(0)
	for _, c := range run.Cells {
		if match(c.Key) {
			n += c.Count
		}
	}
	return int(n)
}

// TestParityK6Basic: fifty users, each with a connection of its own, a second
// between two requests of one user, checks counted under their names.
func TestParityK6Basic(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	text := translated(t)["k6-basic"]
	run := b.run(t, text, 0, "--duration", "1500ms")
	n := b.requests["GET /users"]
	// The first requests are sent at 0 s; with a pause of 1 s and an end at 1.5 s
	// no user can send more than two.
	within(t, "requests", n, 50, 100)
	within(t, "connections", len(b.connections), 50, 50)
	checks := passed(run)
	for _, name := range []string{"status is 200", "response time < 200ms", "has results array"} {
		if sum := checks[name]; int(sum[0]+sum[1]) != n {
			t.Errorf("check %q was counted %v times, want %d", name, sum, n)
		}
	}
	if got := checks["has results array"]; got[1] != 0 {
		t.Errorf("has results array: %v, want all to hold", got)
	}
}

// TestParityK6Checks: checks that do not hold are counted and fail nothing;
// requests that fail do.
func TestParityK6Checks(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.answer["GET /users"] = func(_ int, w io.Writer) int {
		_, _ = fmt.Fprint(w, `{}`)
		return http.StatusOK
	}
	text := translated(t)["k6-basic"]
	run := b.run(t, text, 0, "--duration", "300ms")
	if got := passed(run)["has results array"]; got[0] != 0 || got[1] != 50 {
		t.Errorf("has results array: %v, want it to fail 50 times", got)
	}
	b.answer["GET /users"] = func(n int, _ io.Writer) int {
		if n%5 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	run = b.run(t, text, 1, "--duration", "300ms")
	within(t, "failed requests", countCells(run, func(k result.Key) bool { return k.Failed && k.Status == 503 }), 10, 10)
}

// TestParityK6Stages: users come and go as the stages say, and a limit may be
// about one of them.
func TestParityK6Stages(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	run := b.run(t, shorterLoad(translated(t)["k6-stages"], 120), 0)
	within(t, "users that ever came", len(b.connections), 50, 50)
	stages := run.Catalog.Stages
	if len(stages) != 4 || stages[2].Name != "hold" {
		t.Fatalf("stages %v", stages)
	}
	perStage := map[int]int{}
	for i := range stages {
		perStage[i] = countCells(run, func(k result.Key) bool { return k.Stage == i })
	}
	within(t, "requests while ten users came", perStage[0], 1, 10)
	if perStage[2] == 0 {
		t.Errorf("no request in the stage hold: %v", perStage)
	}
	if want := 2 * time.Second; run.Duration < want {
		t.Errorf("the load took %v, want its stages to take %v", run.Duration, want)
	}
}

// TestParityK6Rate: one iteration without [load], a rate of one's own, and
// limits on statuses.
func TestParityK6Rate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status, exit int
		errors       int64
	}{
		{http.StatusCreated, 0, 0},
		// The only request failed: the target is down, which is no verdict on it.
		{http.StatusTooManyRequests, 3, 1},
		{http.StatusInternalServerError, 3, 1},
	} {
		t.Run(strconv.Itoa(tt.status), func(t *testing.T) {
			t.Parallel()
			b := newBooks(t)
			if tt.status != http.StatusCreated {
				b.answer["POST /orders"] = func(int, io.Writer) int { return tt.status }
			}
			run := b.run(t, translated(t)["k6-status-checks"], tt.exit)
			within(t, "orders", b.requests["POST /orders"], 1, 1)
			if len(run.Values) != 1 || run.Values[0].Count != 1 || run.Values[0].True != tt.errors {
				t.Errorf("order_errors: %+v, want one sample, %d of them true", run.Values, tt.errors)
			}
			within(t, "requests with the status", countCells(run, func(k result.Key) bool { return k.Status == tt.status }), 1, 1)
		})
	}
}

// TestParityK6RateBroken: one answer of ten is a 429, which breaks two limits.
func TestParityK6RateBroken(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	b.answer["POST /orders"] = func(n int, _ io.Writer) int {
		if n%10 == 0 {
			return http.StatusTooManyRequests
		}
		return http.StatusCreated
	}
	text := translated(t)["k6-status-checks"] + "\n[profile.ten.load]\nusers = 1\niterations = 10\n"
	run := b.run(t, text, 1, "--profile", "ten")
	within(t, "orders", b.requests["POST /orders"], 10, 10)
	if v := run.Values[0]; v.Count != 10 || v.True != 1 {
		t.Errorf("order_errors: %+v, want one of ten", v)
	}
}

// TestParityLocust: one login per user, tasks 3 : 1 in every four, pauses of at
// least what is written, and status 1 when a single request failed.
func TestParityLocust(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	text := strings.Replace(translated(t)["locust-login"], `think = "1s..3s"`, `think = "50ms..150ms"`, 1)
	b.run(t, text, 0, "--users", "10", "--duration", "2s")
	within(t, "logins", b.requests["POST /auth/token"], 10, 10)
	within(t, "connections", len(b.connections), 10, 10)
	lists, orders := b.requests["GET /api/users"], b.requests["POST /api/orders"]
	// Ten users, ten a second, two seconds, at most one task each 50 ms.
	within(t, "tasks", lists+orders, 10, 10*40)
	within(t, "lists beyond three to each order", lists-3*orders, -3, 3) // the last four may not have been dealt out
	for token, times := range b.arrivals {
		for i := 1; i < len(times); i++ {
			if pause := times[i].Sub(times[i-1]); pause < 50*time.Millisecond {
				t.Errorf("the user with %s paused %v, want at least 50ms", token, pause)
			}
		}
	}

	b.answer["POST /api/orders"] = func(n int, w io.Writer) int {
		if n == 1 {
			return http.StatusInternalServerError
		}
		_, _ = fmt.Fprint(w, "{}")
		return http.StatusCreated
	}
	run := b.run(t, text, 1, "--users", "5", "--duration", "1s")
	within(t, "failed requests", countCells(run, func(k result.Key) bool { return k.Failed }), 1, 1)
}

// TestParityArtillery: so many arrivals as the phases ask for, each a new user
// with a connection and a token of its own, and a warm-up that is not measured.
func TestParityArtillery(t *testing.T) {
	t.Parallel()
	b := newBooks(t)
	run := b.run(t, shorterLoad(translated(t)["artillery-phases"], 120), 0)
	const warm, sustained = 10 / 2, 50 // 10/s for 0.5 s, 50/s for 1 s
	within(t, "logins", b.requests["POST /auth/token"], warm+sustained, warm+sustained)
	within(t, "lists", b.requests["GET /api/users"], warm+sustained, warm+sustained)
	within(t, "connections", len(b.connections), warm+sustained, warm+sustained)
	for token, used := range b.tokens {
		if used["GET /api/users"] != 1 {
			t.Errorf("the token %s was used %d times, want once: every arrival has its own", token, used["GET /api/users"])
		}
	}
	offered := map[string]int64{}
	for _, f := range run.Flows {
		offered[run.Catalog.Stages[f.Stage].Name] += f.Offered
	}
	if offered["Warm up"] != warm || offered["Sustained load"] != sustained {
		t.Errorf("arrivals by phase: %v, want %d and %d", offered, warm, sustained)
	}
	if got := passed(run)["$.results exists"]; got[0] == 0 || got[1] != 0 {
		t.Errorf("$.results exists: %v, want it to hold always", got)
	}
	for _, s := range run.Catalog.Stages {
		if s.Measure != (s.Name == "Sustained load") {
			t.Errorf("stage %q is measured: %v", s.Name, s.Measure)
		}
	}
}
