package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// shop is an API of orders, as testdata/shop.toml uses it. It counts the requests
// that are as they should be, by method and path, and keeps what is wrong with the
// others.
type shop struct {
	mu    sync.Mutex
	count map[string]int
	wrong []string
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	problem := s.answer(w, r, string(body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[r.Method+" "+r.URL.Path]++
	if problem != "" {
		s.wrong = append(s.wrong, r.Method+" "+r.URL.String()+": "+problem)
	}
}

func (s *shop) seen() (count map[string]int, wrong []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.count), slices.Clone(s.wrong)
}

func (s *shop) answer(w http.ResponseWriter, r *http.Request, body string) (problem string) {
	w.Header().Set("Content-Type", "application/json")
	authorized := r.Header.Get("Authorization") == "Bearer t-ann"
	var sent map[string]any
	_ = json.Unmarshal([]byte(body), &sent)
	switch r.Method + " " + r.URL.Path {
	case "GET /v1/healthz":
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	case "POST /v1/fixtures":
		if body != `{"fixture":1}` {
			problem = body
		}
		_, _ = io.WriteString(w, `{"id":"fx"}`)
	case "DELETE /v1/fixtures/fx", "DELETE /v1/session":
		w.WriteHeader(http.StatusNoContent)
	case "POST /v1/login":
		if body != "user=ann&password=p%26w" {
			problem = body
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s-1"})
		_, _ = io.WriteString(w, `{"access_token":"t-ann"}`)
	case "GET /v1/orders":
		if q := r.URL.Query(); !authorized || q.Get("limit") != "20" || q.Get("region") != "eu" || r.Header.Get("X-Fixture") != "fx" || r.Header.Get("X-Region") != "eu" {
			problem = fmt.Sprint(r.Header)
		}
		if c, err := r.Cookie("sid"); err != nil || c.Value != "s-1" {
			problem = "no cookie"
		}
		_, _ = io.WriteString(w, `{"orders":[{"id":7,"sku":"A-1"},{"id":8,"sku":"B-2"}]}`)
	case "GET /v1/orders/7", "GET /v1/skus/A-1", "GET /v1/skus/B-2":
		_, _ = io.WriteString(w, `{"total":12.5}`)
	case "GET /v1/prices", "GET /v1/stock":
	case "POST /v1/orders":
		if qty, ok := sent["qty"].(float64); !ok || qty < 1 || qty > 3 || sent["plan"] != "free" && sent["plan"] != "pro" || len(r.Header.Get("Idempotency-Key")) != 36 {
			problem = body
		}
		w.Header().Set("Location", "/v1/orders/9")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":9,"total":3}`)
	case "PUT /v1/orders/9/note":
		if !strings.HasPrefix(body, "note ") || r.Header.Get("Content-Type") != "text/markdown" {
			problem = body
		}
	case "POST /v1/graphql":
		if fmt.Sprint(sent["variables"]) != "map[id:9]" || !strings.HasPrefix(fmt.Sprint(sent["query"]), "query") {
			problem = body
		}
		_, _ = io.WriteString(w, `{"data":{}}`)
	case "POST /v1/photos":
		if err := r.ParseForm(); err != nil || !strings.Contains(body, "JPEG") || !strings.Contains(body, "cat") {
			problem = body
		}
	default:
		w.WriteHeader(http.StatusNotFound)
		problem = "not expected at all"
	}
	return problem
}

// TestShop runs a spec from its TOML to its result, over the wire.
func TestShop(t *testing.T) {
	t.Parallel()
	api := &shop{count: map[string]int{}}
	srv := httptest.NewServer(api)
	defer srv.Close()
	text, err := os.ReadFile("testdata/shop.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, problems := spec.Parse(spec.Input{
		File: "shop.toml", Text: text, FS: fstest.MapFS{"fixtures.json": {Data: []byte(`{"fixture":1}`)}, "cat.jpg": {Data: []byte("JPEG")}},
		Overrides: spec.Overrides{Target: srv.URL + "/v1"},
	})
	for _, p := range problems {
		t.Error(p)
	}
	if s == nil {
		return
	}
	run := drive(t, s)
	count, wrong := api.seen()
	for _, w := range wrong {
		t.Error(w)
	}
	// 40 iterations by 4 users; browse weighs 3, order 1.
	want := map[string]int{
		"GET /v1/healthz": 2, "POST /v1/fixtures": 1, "DELETE /v1/fixtures/fx": 1, "POST /v1/login": 4, "DELETE /v1/session": 4,
		"GET /v1/orders": 30, "GET /v1/orders/7": 30, "GET /v1/skus/A-1": 30, "GET /v1/skus/B-2": 30, "GET /v1/prices": 60, "GET /v1/stock": 30,
		"POST /v1/orders": 10, "PUT /v1/orders/9/note": 10, "POST /v1/graphql": 10, "POST /v1/photos": 10,
	}
	if diff := cmp.Diff(count, want); diff != "" {
		t.Errorf("requests (-got +want):\n%s", diff)
	}
	total, bad := int64(0), int64(0)
	for _, c := range run.Cells {
		total += c.Count
		if c.Key.Failed || c.Key.Checks || c.Key.Error != "" {
			bad += c.Count
			t.Errorf("%d requests of %q went wrong: %+v", c.Count, run.Catalog.Steps[c.Key.Step].Name, c.Key)
		}
	}
	if total != 258 || bad != 0 {
		t.Errorf("%d requests in the result, %d of them bad; want 258 and none", total, bad)
	}
	for _, tally := range run.Tallies {
		if tally.Failed != 0 || tally.Passed != map[string]int64{"has orders": 30, "count($.orders) <= 20": 30, "header Location exists": 10}[run.Catalog.Checks[tally.Check].Name] {
			t.Errorf("check %q: %+v", run.Catalog.Checks[tally.Check].Name, tally)
		}
	}
	got := map[string]string{}
	for _, v := range run.Values {
		got[run.Catalog.Metrics[v.Metric].Name] = fmt.Sprintf("%d samples, %d true, sum %v", v.Count, v.True, v.Sum)
	}
	if diff := cmp.Diff(got, map[string]string{"basket": "10 samples, 0 true, sum 30", "created": "10 samples, 0 true, sum 10"}); diff != "" {
		t.Errorf("metrics (-got +want):\n%s", diff)
	}
}

// drive is the way of a run.
func drive(t *testing.T, s *spec.Spec) *result.Run {
	t.Helper()
	opts, err := WireOptions(s, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	client, err := wire.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	set, err := Compile(s, Sessions(client), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := set.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := set.Setup(t.Context()); err != nil {
		t.Fatal(err)
	}
	run, err := load.Run(t.Context(), s.Load, set.NewUser, load.Options{Catalog: s.Catalog()})
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Teardown(t.Context()); err != nil {
		t.Error(err)
	}
	return run
}
