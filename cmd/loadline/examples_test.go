package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

// playedAPI answers whatever the example specs ask for.
func playedAPI() http.Handler {
	mux := http.NewServeMux()
	reply := func(status int, header, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if name, value, ok := strings.Cut(header, ": "); ok {
				w.Header().Set(name, value)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintln(w, body)
		}
	}
	token := reply(200, "", `{"access_token":"tok-1","token_type":"bearer","expires_in":3600,"id":"f-1"}`)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /healthz":           reply(200, "", `{"status":"ok","commit":"8a1e38d"}`),
		"POST /token":            token,
		"POST /auth/token":       token,
		"DELETE /auth/token":     reply(204, "", ""),
		"POST /fixtures":         token,
		"DELETE /fixtures/{id}":  reply(204, "", ""),
		"GET /users":             reply(200, "", `{"results":[]}`),
		"GET /api/users":         reply(200, "", `{"results":[1]}`),
		"POST /api/orders":       reply(201, "", `{"id":1}`),
		"GET /orders":            reply(200, "", `{"orders":[{"id":"o-1"}]}`),
		"GET /orders/{id}":       reply(200, "", `{"id":"o-1"}`),
		"POST /orders":           reply(201, "Location: /orders/o-2", `{"id":"o-2"}`),
		"GET /carts/new":         reply(200, "Location: /carts/7", `{}`),
		"POST /carts/{id}/items": reply(200, `ETag: "e"`, `{"id":"i-1","total":12.5,"stock":3,"items":[{"sku":"A-1"},{"sku":"B-2"}],"x":"csrf=\"tok\""}`),
		"GET /skus/{id}":         reply(200, "", `{}`),
		"GET /prices":            reply(200, "", `{}`),
		"GET /stock":             reply(200, "", `{}`),
		"POST /photos":           reply(201, "", `{}`),
		"POST /graphql":          reply(200, "", `{"data":{}}`),
		"PUT /notes/1":           reply(200, "", `{}`),
		"GET /reports/daily":     reply(200, "", `{}`),
	} {
		mux.HandleFunc(pattern, h)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s-1"})
		mux.ServeHTTP(w, r)
	})
}

// TestExamplesRun runs every example of the spec language against a target that
// plays its API: whole, but for where the target is and how long the load takes.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(playedAPI())
	t.Cleanup(srv.Close)
	tests := []struct {
		file     string
		args     []string
		requests int64 // at least
	}{
		{"bottleneck.toml", []string{"--rate", "50/s", "--duration", "1s"}, 50},
		{"ci-gate.toml", []string{"--rate", "50/s", "--duration", "1s"}, 50},
		{"full-reference.toml", []string{"--profile", "smoke"}, 10},
		{"profiles.toml", []string{"--profile", "smoke"}, 20},
		{"seed-artillery.toml", []string{"--rate", "50/s", "--duration", "1s"}, 100},
		{"seed-k6-basic.toml", []string{"--users", "5", "--duration", "2s"}, 5},
		{"seed-k6-stages.toml", nil, 20},
		{"seed-k6-status-checks.toml", nil, 1},
		{"seed-locust.toml", []string{"--users", "5", "--duration", "3s"}, 5},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			dir := exampleDir(t, tt.file, srv.URL)
			for range 10 {
				run, out := runExample(t, dir, tt.file, srv.URL, tt.args)
				if run.Generator.LagP99 > 0 && strings.Contains(out, "too late") {
					continue // the machine is busy with other tests
				}
				total := run.Total()
				if total.Requests < tt.requests || total.Failed > 0 {
					t.Errorf("%d requests, %d failed, want at least %d and none failed\n%s", total.Requests, total.Failed, tt.requests, out)
				}
				return
			}
			t.Error("the machine was too busy, ten times")
		})
	}
}

// exampleDir lays out an example with the files it names, at our target.
func exampleDir(t *testing.T, file, target string) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "spec", "testdata", "examples", file))
	if err != nil {
		t.Fatal(err)
	}
	// What only exists elsewhere: the hosts, their certificates and addresses, and
	// limits of time that a busy machine may break.
	spec := strings.NewReplacer(
		"https://staging.example.com/v1", target, "https://staging.example.com", target, "https://api.example.com", target,
		"https://login.example.com", target, "${BASE_URL}", target, "${METRICS_URL}", target, "${PROMETHEUS_URL}", target,
		`resolve         = { "staging.example.com:443" = "10.0.0.7:443" }`, "",
		"start = \"30s\"", "start = \"100ms\"", "every       = \"2s\"", "every = \"20ms\"", "duration = \"3m\"", "duration = \"1s\"",
		"warmup   = \"15s\"", "warmup = \"200ms\"", `mean = "2s", sd = "500ms"`, `mean = "20ms", sd = "5ms"`,
	).Replace(string(text))
	if file == "seed-k6-stages.toml" { // no flag shortens stages
		spec = shorter(spec, 60)
	}
	var lines []string
	for line := range strings.Lines(spec) {
		if !strings.Contains(line, "certs/") {
			lines = append(lines, latencyLimit.ReplaceAllString(line, `${1} 60s"`))
		}
	}
	files := map[string]string{
		file: strings.Join(lines, ""), "customers.csv": "id,name\nc-1,Ada\nc-2,Bob\n",
		"fixtures.json": `{"seed":1}`, "cat.jpg": "not really a cat",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runExample(t *testing.T, dir, file, target string, args []string) (*result.Run, string) {
	t.Helper()
	// testscript.Main has put the program on PATH.
	cmd := exec.CommandContext(t.Context(), "loadline", append([]string{"run", file, "--json", "out.json", "--fail-on", "none"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "STAGING_CLIENT_SECRET=client-secret", "GITHUB_SHA=8a1e38d", "BASE_URL="+target)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.Open(filepath.Join(dir, "out.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	f, err := result.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Outcome string
		Reasons []struct{ Message string }
	}
	if err := json.Unmarshal(f.Verdict, &v); err != nil {
		t.Fatal(err)
	}
	return f.Run, v.Outcome + fmt.Sprint(v.Reasons) + "\n" + string(out)
}
