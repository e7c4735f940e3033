package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/wire/wiretest"
)

// The whole engine, as a user runs it, against a server and through a proxy that
// nobody here wrote. What single answers come to is tested in internal/wire.

// A measured result, as far as these tests look at it.
type measured struct {
	Total struct {
		Requests, Failed int64
		Status           map[string]int64
		Errors           map[string]int64
	}
	Steps []struct {
		Name   string
		Failed int64
		Checks []struct {
			Name           string
			Passed, Failed int64
		}
		Latency struct{ P50 int64 } `json:"latency_us"`
	}
}

// measure runs a spec and reads its result, whatever the verdict is.
func measure(t *testing.T, spec string) measured {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spec.toml"), []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "loadline", "run", "spec.toml", "--json", "out.json", "--fail-on", "none")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "out.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m measured
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

const httpbinSpec = `
[target]
url = "http://%s"
[http]
redirects = 5
timeout = "30s"
auth = { basic = { user = "u", password = "p" } }
[load]
users = 4
iterations = 20
duration = "60s"
[gate]
compare = []
[[scenario]]
name = "all"
  [[scenario.step]]
  request = "GET /gzip"
  checks = ["$.gzipped == true", "header Content-Type contains json"]
  [[scenario.step]]
  request = "GET /stream/5"
  checks = ["body contains '\"id\":4'"]
  [[scenario.step]]
  request = "GET /redirect/3"
  checks = ["status == 200", "$.url contains /get"]
  [[scenario.step]]
  request = "GET /cookies/set?user={{ iteration }}"
  checks = ["$.cookies.user == {{ iteration }}"]
  [[scenario.step]]
  request = "GET /cookies"
  checks = ["$.cookies.user == {{ iteration }}"]
  [[scenario.step]]
  request = "GET /basic-auth/u/p"
  checks = ["$.authorized == true"]
  capture = { who = "$.user" }
  [[scenario.step]]
  request = "POST /post"
  json = { who = "{{ who }}" }
  checks = ["$.json.who == u"]
  [[scenario.step]]
  request = "GET /drip?duration=0.02s&numbytes=10&delay=0s"
  checks = ["size == 10"]
  [[scenario.step]]
  request = "GET /delay/0.05"
  checks = ["latency >= 50ms"]
  [[scenario.step]]
  request = "GET /status/418"
  expect = 418
  [[scenario.step]]
  request = "GET /bytes/50000"
  checks = ["size == 50000"]
  [[scenario.step]]
  request = "GET /stream-bytes/20000?chunk_size=777"
  checks = ["size == 20000"]
`

func TestRunAgainstHTTPBin(t *testing.T) {
	t.Parallel()
	addr := wiretest.Free(t)
	host, port, _ := net.SplitHostPort(addr)
	wiretest.Program(t, addr, "go-httpbin", "-host", host, "-port", port)
	m := measure(t, fmt.Sprintf(httpbinSpec, addr))
	if len(m.Steps) != 12 || m.Total.Requests != 20*12 || m.Total.Failed != 0 {
		t.Errorf("%d steps, %d requests, %d failed; want 12, 240, 0: %v %v", len(m.Steps), m.Total.Requests, m.Total.Failed, m.Total.Status, m.Total.Errors)
	}
	if m.Total.Status["200"] != 220 || m.Total.Status["418"] != 20 {
		t.Errorf("status %v, want 220 of 200 and 20 of 418", m.Total.Status)
	}
	checks := 0
	for _, s := range m.Steps {
		for _, c := range s.Checks {
			checks++
			if c.Failed != 0 || c.Passed != 20 {
				t.Errorf("%s: %s: %d passed, %d failed; want 20 and 0", s.Name, c.Name, c.Passed, c.Failed)
			}
		}
		if s.Name == "GET /delay/0.05" && s.Latency.P50 < 50_000 {
			t.Errorf("%s: p50 is %d µs", s.Name, s.Latency.P50)
		}
	}
	if checks != 13 {
		t.Errorf("%d checks, want 13", checks)
	}
}

// TestRunThroughToxiproxy: every fault of the way is counted as what it is, and
// no run hangs.
func TestRunThroughToxiproxy(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10000)) }))
	t.Cleanup(target.Close)
	proxy := wiretest.StartToxiproxy(t)
	for toxic, tt := range map[string]struct {
		attributes map[string]any
		errors     string // kind of all failures; "": none fails
	}{
		"latency":    {map[string]any{"latency": 60}, ""},
		"slow_close": {map[string]any{"delay": 50}, ""},
		"reset_peer": {map[string]any{"timeout": 0}, "reset"},
		"limit_data": {map[string]any{"bytes": 5000}, "body"},
		"timeout":    {map[string]any{"timeout": 0}, "timeout"},
	} {
		t.Run(toxic, func(t *testing.T) {
			t.Parallel()
			listen := proxy.Spoil(t, toxic, strings.TrimPrefix(target.URL, "http://"), toxic, tt.attributes)
			limit := "30s"
			if tt.errors == "timeout" {
				limit = "100ms"
			}
			m := measure(t, fmt.Sprintf("[target]\nurl = \"http://%s\"\n[http]\ntimeout = %q\n[load]\nusers = 5\niterations = 30\nduration = \"60s\"\n"+
				"[gate]\ncompare = []\n[[scenario]]\nname = \"a\"\n[[scenario.step]]\nrequest = \"GET /\"\n", listen, limit))
			want := int64(0)
			if tt.errors != "" {
				want = 30
			}
			if m.Total.Requests != 30 || m.Total.Failed != want || m.Total.Errors[tt.errors] != want {
				t.Errorf("%d requests, %d failed, errors %v; want 30, and %d %q", m.Total.Requests, m.Total.Failed, m.Total.Errors, want, tt.errors)
			}
			if toxic == "latency" && m.Steps[0].Latency.P50 < 60_000 {
				t.Errorf("p50 is %d µs, want at least 60 ms", m.Steps[0].Latency.P50)
			}
		})
	}
}
