package observe

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/wire"
)

// served starts a real server, and options that read from it.
func served(t *testing.T, h http.HandlerFunc) (url string, opt Options) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client, err := wire.NewClient(wire.Options{BodyLimit: MaxBody + 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return srv.URL, Options{Session: func(int) Session { return client.NewSession() }}
}

func expr(t *testing.T, text string) *rule.Expr {
	t.Helper()
	e, err := rule.ParseExpr(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const metrics = `# HELP process_cpu_seconds_total Total user and system CPU time.
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total %d
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.1"} 8
http_request_duration_seconds_bucket{le="+Inf"} 10
http_request_duration_seconds_sum 1.5
http_request_duration_seconds_count 10
# TYPE rpc summary
rpc{quantile="0.99"} NaN
rpc_sum 3
rpc_count 2
go_goroutines 12
odd{path="C:\\dir\n\"x\""} 1
`

func TestPageIsRead(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	cpu, auth := 0, ""
	url, opt := served(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		cpu += 10
		auth = r.Header.Get("Authorization") + " " + r.Header.Get("Accept")
		_, _ = fmt.Fprintf(w, metrics, cpu)
	})
	s := &Source{Page: url + "/metrics?x=1", Header: []wire.Field{{Name: "Authorization", Value: "Bearer t"}}}
	exprs := []string{
		"process_cpu_seconds_total", "rate(go_goroutines)", "http_request_duration_seconds_sum / http_request_duration_seconds_count",
		`http_request_duration_seconds_bucket{le="0.1"}`, "rpc", "rpc_count", `odd{path="C:\\dir\n\"x\""}`, "go_gorutines",
	}
	for _, e := range exprs {
		s.Series = append(s.Series, Series{Role: "x", Expr: expr(t, e)})
	}
	r := newReader(0, s, opt)
	defer r.close()
	first, err := r.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, o := range again {
		got = append(got, fmt.Sprintf("%s: %v, then %v %v", exprs[i], first[i].value, o.value, o.err))
	}
	want := []string{
		"process_cpu_seconds_total: 10, then 20 <nil>",
		"rate(go_goroutines): 0, then 0 <nil>",
		"http_request_duration_seconds_sum / http_request_duration_seconds_count: 0.15, then 0.15 <nil>",
		`http_request_duration_seconds_bucket{le="0.1"}: 8, then 8 <nil>`,
		"rpc: 0, then 0 rpc is no number just now",
		"rpc_count: 2, then 2 <nil>",
		`odd{path="C:\\dir\n\"x\""}: 1, then 1 <nil>`,
		"go_gorutines: 0, then 0 no go_gorutines there; did you mean go_goroutines?",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("read (-got +want):\n%s", diff)
	}
	if first[1].err == nil {
		t.Error("the first page has a rate")
	}
	mu.Lock()
	defer mu.Unlock()
	if auth != "Bearer t "+acceptPage {
		t.Errorf("sent %q", auth)
	}
}

// Lines may say when they were measured, in milliseconds.
func TestPageSaysWhen(t *testing.T) {
	t.Parallel()
	got, err := parsePage([]byte("a 1 1700000000500\nb 2\n"), []string{"a", "b"}, time.Unix(5, 0))
	if err != nil {
		t.Fatal(err)
	}
	want := &rule.Page{At: time.Unix(5, 0), Samples: []rule.Sample{
		{Name: "a", Labels: map[string]string{}, Value: 1, At: time.UnixMilli(1700000000500)}, {Name: "b", Labels: map[string]string{}, Value: 2},
	}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("page (-got +want):\n%s", diff)
	}
}

func TestPageFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, "it answered with status 403"},
		"HTML":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in</html>")) }, "what it answered is not a page of metrics ("},
		"twice":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a 1\na{b=\"c\"} x\n")) }, "what it answered is not a page of metrics ("},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("# x\n", MaxBody/4+1)))
		}, "the answer has more than 8 MiB"},
		"endless redirects": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }, "it answered with status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, opt := served(t, tt.serve)
			r := newReader(0, &Source{Page: url, Series: []Series{{Role: "x", Expr: expr(t, "a")}}}, opt)
			defer r.close()
			if _, err := r.read(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestPrometheusIsAsked(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	url, opt := served(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path+" "+r.URL.Query().Get("query"))
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1700000000.5,"42.5"]}]}}`)
	})
	r := newReader(0, &Source{Prometheus: url + "/prom/", Series: []Series{{Query: `sum(rate(x{a="b c"}[1m])) + 1`}, {Query: "up"}}}, opt)
	defer r.close()
	got, err := r.read(t.Context())
	if err != nil || len(got) != 2 || got[0].value != 42.5 || got[1].err != nil {
		t.Fatalf("%v, %v", got, err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{`/prom/api/v1/query sum(rate(x{a="b c"}[1m])) + 1`, "/prom/api/v1/query up"}
	if diff := cmp.Diff(asked, want); diff != "" {
		t.Errorf("asked (-got +want):\n%s", diff)
	}
}

// The address may have a query of its own, and one query without an answer in time
// took the numbers of the others with it.
func TestPrometheusAnswersSomeQueries(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	url, opt := served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prom/api/v1/query" || r.URL.Query().Get("tenant") != "a" {
			t.Errorf("asked %s", r.URL)
		}
		if r.URL.Query().Get("query") == "slow" {
			cancel()
			<-r.Context().Done()
			return
		}
		_, _ = fmt.Fprint(w, `{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}`)
	})
	r := newReader(0, &Source{Prometheus: url + "/prom?tenant=a", Series: []Series{{Query: "up"}, {Query: "slow"}}}, opt)
	defer r.close()
	got, err := r.read(ctx)
	if err != nil || got[0].value != 7 || got[0].err != nil || got[1].err == nil || got[1].err.Error() != "no answer in time" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestQueried(t *testing.T) {
	t.Parallel()
	const strange = "what it answered is not of the query API of Prometheus"
	for _, tt := range []struct {
		body   string
		status int
		value  float64
		want   string
	}{
		{`{"status":"success","data":{"resultType":"scalar","result":[1700000000,"1e3"]}}`, 200, 1000, ""},
		{`{"status":"success","data":{"resultType":"vector","result":[]}}`, 200, 0, "the query gives nothing"},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"2"]}]}}`, 200, 0, "the query gives 2 series: choose one by its labels, or write sum(...)"},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`, 200, 0, "the query gives no number just now"},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"+Inf"]}]}}`, 200, 0, "the query gives no number just now"},
		{`{"status":"success","data":{"resultType":"matrix","result":[]}}`, 200, 0, "the query gives a matrix: ask for numbers of one moment"},
		{`{"status":"error","errorType":"bad_data","error":"1:1: parse error"}`, 400, 0, "the query failed: 1:1: parse error"},
		{`{"status":"success","data":{"resultType":"vector","result":{}}}`, 200, 0, strange},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}}`, 200, 0, strange},
		{`{"status":"success","data":{"resultType":"vector","result":[{"value":"x"}]}}`, 200, 0, strange},
		{`<html>`, 502, 0, "it answered with status 502"},
		{`<html>`, 200, 0, strange},
		{`{}`, 200, 0, strange},
	} {
		got, err := queried([]byte(tt.body), tt.status)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if got != tt.value || said != tt.want {
			t.Errorf("%s: %v, %q; want %v, %q", tt.body, got, said, tt.value, tt.want)
		}
	}
}

// What is read of a page does not depend on what else is asked of it.
func FuzzParsePage(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(metrics, 1)), "go_goroutines")
	f.Add([]byte("a{b=\"c\"} 1 1700000000\na 2\n\"a\" 3\n# EOF\n"), "a")
	f.Add([]byte("{\"a.b\",c=\"d\"} 1\na.b 2"), "a.b")
	f.Fuzz(func(t *testing.T, text []byte, name string) {
		of := func(p *rule.Page) (all []rule.Sample) {
			for _, s := range p.Samples {
				if s.Name == name {
					all = append(all, s)
				}
			}
			return all
		}
		every, err := parsePage(text, []string{name, "?"}, time.Unix(1, 0)) // no series is called that, so all are read
		if err != nil {
			return
		}
		some, err := parsePage(text, []string{name}, time.Unix(1, 0))
		if err != nil {
			t.Fatalf("the whole page can be read, %q of it cannot: %v", name, err)
		}
		if diff := cmp.Diff(of(some), of(every), cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%q alone (-alone +whole):\n%s", name, diff)
		}
	})
}

func FuzzQueried(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}`), 200)
	f.Add([]byte(`{"status":"error","error":"x"}`), 422)
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if v, err := queried(body, status); err != nil && v != 0 {
			t.Fatalf("%v with %v", v, err)
		}
	})
}
