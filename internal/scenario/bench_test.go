package scenario

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// answer2K is an answer of 2 KB as APIs give it: what checks ask for is at both
// ends of it.
func answer2K() []byte {
	type item struct {
		ID    int      `json:"id"`
		SKU   string   `json:"sku"`
		Name  string   `json:"name"`
		Price float64  `json:"price"`
		Tags  []string `json:"tags"`
	}
	doc := struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Items []item `json:"items"`
		Total int    `json:"total"`
	}{ID: "ord-4711", State: "open", Total: 18}
	for i := range 18 {
		doc.Items = append(doc.Items, item{i, fmt.Sprintf("SKU-%04d", i), "a thing with a name", 9.99 + float64(i), []string{"red", "sale"}})
	}
	out, _ := json.Marshal(doc)
	return out
}

// canned is a session that answers at once, without a copy.
type canned struct {
	fakeSession
	resp wire.Response
}

func (c *canned) Do(_ context.Context, _ *wire.Request, resp *wire.Response) { *resp = c.resp }

// none records nothing, and is not unrecorded.
type none struct{ unrecorded }

// typical is what specs mostly ask; late makes it look for a value at the end of
// the answer, behind all that it has to skip.
func typical(testing.TB) []key {
	return []key{check("a", "status == 200"), check("b", "latency < 10s"), check("c", "$.items exists"), capture("id", "$.id")}
}

func late(testing.TB) []key {
	return []key{check("a", "status == 200"), check("b", "$.state == 'open'"), check("c", "$.total > 0"), capture("id", "$.id")}
}

func cannedUser(t testing.TB, keys ...key) func() {
	body := answer2K()
	c := &canned{resp: wire.Response{Status: 200, Proto: "1.1", Body: body, BodySize: int64(len(body))}}
	c.target = &target{}
	set, err := Compile(newSpec(newStep(t, "GET /orders/1", keys...)), func() Session { return c }, Options{})
	if err != nil {
		t.Fatal(err)
	}
	u := set.newUser(0, none{})
	ctx := context.Background()
	return func() { u.Iterate(ctx, load.Iteration{Number: 1}) }
}

// TestAllocs: a request without templates costs its user no allocation; what is
// captured is two, the text and the value that holds it.
func TestAllocs(t *testing.T) {
	tests := []struct {
		name string
		keys []key
		want float64
	}{
		{"plain", nil, 0},
		{"three checks", late(t)[:3], 0},
		{"three checks and a capture", late(t), 2},
		{"a value in the path, encoded anew each time", []key{func(t testing.TB, s *spec.Step) { s.URL = tmpl(t, "/orders/{{ iteration }}/{{ random_int(1, 9) }}") }}, 3},
	}
	for _, tt := range tests {
		iterate := cannedUser(t, tt.keys...)
		iterate()
		if got := testing.AllocsPerRun(200, iterate); got > tt.want {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, got, tt.want)
		}
	}
}

// BenchmarkIterate is the cost of a walk without the wire.
func BenchmarkIterate(b *testing.B) {
	for name, keys := range variants(b) {
		iterate := cannedUser(b, keys...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				iterate()
			}
		})
	}
}

func variants(b *testing.B) map[string][]key {
	return map[string][]key{"plain": nil, "typical": typical(b), "late": late(b)}
}

// BenchmarkChecks is the CPU time of the generator for a request over 100
// connections, without checks and with three and a capture on a body of 2 KB, and
// the ratio to the first. The server is a process of its own.
//
//	go test ./internal/scenario -run '^$' -bench Checks -benchtime 1x
func BenchmarkChecks(b *testing.B) {
	url := serveApart(b)
	const requests, rounds = 25_000, 10
	for b.Loop() {
		best := map[string]time.Duration{}
		for range rounds { // in turn, and the best of each: what else runs here only adds
			for name, keys := range variants(b) {
				cost := cpuOf(b, func() { sendMany(b, url, requests, keys) }) / requests
				if old, ok := best[name]; !ok || cost < old {
					best[name] = cost
				}
			}
		}
		b.ReportMetric(float64(best["plain"].Nanoseconds()), "plain-cpu-ns/req")
		for _, name := range []string{"typical", "late"} {
			b.ReportMetric(float64(best[name])/float64(best["plain"]), name+"-ratio")
		}
	}
}

func sendMany(b *testing.B, url string, requests int64, keys []key) {
	s := newSpec(newStep(b, "GET /", keys...))
	s.Target.URL = url
	s.HTTP.KeepAlive = true
	s.Load = plan.Plan{Seed: 1}
	opts, err := WireOptions(s, func(string) string { return "" })
	if err != nil {
		b.Fatal(err)
	}
	client, err := wire.NewClient(opts)
	if err != nil {
		b.Fatal(err)
	}
	set, err := Compile(s, Sessions(client), Options{})
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			rec := &failures{}
			u := set.newUser(i, rec)
			for n := next.Add(1); n <= requests; n = next.Add(1) {
				u.Iterate(b.Context(), load.Iteration{Number: n})
			}
			u.Close(b.Context())
			if rec.n > 0 {
				b.Errorf("%d requests went wrong", rec.n)
			}
		})
	}
	wg.Wait()
}

// failures counts what went wrong.
type failures struct {
	none
	n int
}

func (f *failures) Request(s *load.Sample) {
	if s.Failed || s.ChecksFailed || s.CaptureError {
		f.n++
	}
}

// serveApart starts this test binary again, as a server of answer2K.
func serveApart(b *testing.B) (url string) {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServe$")
	cmd.Env = append(os.Environ(), "LOADLINE_TEST_SERVE=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestServe is the server of serveApart; it ends with its standard input.
func TestServe(t *testing.T) {
	if os.Getenv("LOADLINE_TEST_SERVE") == "" {
		t.Skip("this is the other side of BenchmarkChecks")
	}
	body := answer2K()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	go func() { _ = srv.Serve(l) }()
	_, _ = fmt.Fprintf(os.Stdout, "http://%s\n", l.Addr()) //nolint:forbidigo // what the parent reads
	_, _ = bufio.NewReader(os.Stdin).ReadString(0)         //nolint:forbidigo // until the parent closes it
	_ = srv.Close()
}
