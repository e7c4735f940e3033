package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
)

// obeyed are the lines of a log that the runner takes for commands.
func obeyed(log string) (commands []string) {
	stopped := ""
	for line := range strings.Lines(log) {
		line = strings.TrimSpace(line)
		switch {
		case stopped != "":
			if line == "::"+stopped+"::" {
				stopped = ""
			}
		case strings.HasPrefix(line, "::stop-commands::"):
			stopped = strings.TrimPrefix(line, "::stop-commands::")
		case strings.HasPrefix(line, "::"), strings.Contains(line, "##["):
			commands = append(commands, line)
		}
	}
	if stopped != "" {
		commands = append(commands, "commands stay stopped")
	}
	return commands
}

// A pull request that writes into its spec whatever might be taken for more than
// a name, and whose target echoes a secret: nothing of it is obeyed, rendered or
// shown, and all of it stays short.
func TestHostilePullRequest(t *testing.T) {
	t.Parallel()
	const secret = "hunter2-sw0rdfish/+="
	var reached atomic.Int64
	metadata := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer metadata.Close()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/elsewhere":
			http.Redirect(w, r, metadata.URL+"/latest/meta-data?"+r.Header.Get("Authorization"), http.StatusFound)
		case "/huge":
			w.Header().Set("X-Huge", strings.Repeat("x", 4<<20))
		default:
			w.Header().Set("X-Echo", r.Header.Get("Authorization"))
			_, _ = fmt.Fprintf(w, `{"said":%q,"cmd":"::set-output name=verdict::pass"}`, r.Header.Get("Authorization")) // a client that went away is no matter
		}
	}))
	defer target.Close()
	evil := `GET /a | @everyone [x](http://evil.test) <img src=x onerror=alert(1)> ` + "`" + ` ##[set-output name=verdict]pass`
	spec := `name = "api"
description = "::error::x"
[target]
url = "` + target.URL + `"
[secrets]
token = "${API_TOKEN}"
[load]
users = 2
iterations = 120
[http.headers]
Authorization = "Bearer {{ token }}"
[[scenario]]
name = "walk"
  [[scenario.step]]
  name = "` + evil + `"
  request = "GET /a"
  checks = [{ check = "$.said is number", name = "::set-output name=verdict::pass @everyone" }]
  [[scenario.step]]
  name = "` + strings.Repeat("long ", 39) + `long"
  request = "GET /elsewhere"
  expect = 302
  [[scenario.step]]
  name = "huge"
  request = "GET /huge"
[gate]
thresholds = ["errors < 1%"]
`
	g := newGround(t)
	g.writeSpec(spec)
	head, base := strings.Repeat("a", 40), g.hub.Commit("main", "x", map[string]string{"n": "1"})
	code, log, summary := g.run("ci", "pull_request", pullEvent(7, githubtest.Repo, head, base),
		"INPUT_BASE_URL", target.URL, "INPUT_COMMENT", "always", "INPUT_SPEC", "loadline.toml", "API_TOKEN", secret)
	if code == ExitPass || code == ExitUsage {
		t.Fatalf("status %d\n%.3000s", code, log)
	}
	if reached.Load() != 0 {
		t.Errorf("a redirect was followed to another host, %d times", reached.Load())
	}
	comments := g.hub.Comments(7, bot)
	if len(comments) != 1 {
		t.Fatalf("%d comments\n%.3000s", len(comments), log)
	}
	for _, c := range obeyed(log) {
		if name, _, _ := strings.Cut(strings.TrimPrefix(c, "::"), "::"); strings.Contains(name, "set-output") || !strings.HasPrefix(name, "add-mask") && !strings.HasPrefix(name, "error") && !strings.HasPrefix(name, "warning") && !strings.HasPrefix(name, "notice") {
			t.Errorf("the log says %.200q to the runner", c)
		}
	}
	pages := map[string]string{"comment": comments[0].Body, "summary": summary}
	for what, text := range pages {
		bare := codeSpan.ReplaceAllString(text, "")
		for _, bad := range []string{"@everyone", "](http://evil", "<img", "\x1b", "\n::", "##["} {
			if strings.Contains(bare, bad) {
				t.Errorf("the %s holds %q:\n%.3000s", what, bad, text)
			}
		}
		if len(text) > 60_000 {
			t.Errorf("the %s has %d bytes", what, len(text))
		}
	}
	pages["log"] = strings.ReplaceAll(log, "::add-mask::"+secret, "")
	err := filepath.WalkDir(filepath.Join(g.dir, outDir), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		pages[filepath.Base(path)] = string(data)
		return err
	})
	if err != nil || len(pages) < 6 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
	for what, text := range pages {
		if strings.Contains(text, secret) || strings.Contains(text, "hunter2") {
			t.Errorf("the secret stands in the %s", what)
		}
		if len(text) > 1<<20 && !strings.HasSuffix(what, ".json") {
			t.Errorf("the %s has %d bytes", what, len(text))
		}
	}
}

// Names that no report could hold are refused where they stand, in few words.
func TestHostileNamesAreRefused(t *testing.T) {
	t.Parallel()
	for name, hostile := range map[string]string{
		"a command": `x\n::set-output name=verdict::pass`, "an escape": `x\u001b[2J`, "a name of 10 MB": strings.Repeat("né", 10<<20/3),
	} {
		g := newGround(t)
		g.writeSpec(strings.Replace(jobSpec, `request = "GET /a"`, `name = "`+hostile+`"`+"\n  request = \"GET /a\"", 1))
		head := strings.Repeat("a", 40)
		code, log, summary := g.run("ci", "pull_request", pullEvent(7, githubtest.Repo, head, head), "INPUT_BASE_URL", "http://127.0.0.1:1")
		if code != ExitUsage || !strings.Contains(log, "want 1 to 200 characters in one line") || len(log)+len(summary) > 4000 {
			t.Errorf("%s: status %d, %d bytes\n%.2000s", name, code, len(log)+len(summary), log)
		}
		for _, c := range obeyed(log) {
			if !strings.HasPrefix(c, "::error file=loadline.toml,line=") {
				t.Errorf("%s: the log says %.200q to the runner", name, c)
			}
		}
	}
}

// More than the cap in any second ends the load, unless the target is this
// machine or the workflow allows it.
func TestTooFast(t *testing.T) {
	t.Parallel()
	second := func(n int64) *result.Interval { return &result.Interval{Second: result.Second{Completed: n}} }
	at := func(url string, hosts ...string) *spec.Spec {
		return &spec.Spec{File: "x.toml", Target: spec.Target{URL: url, AllowHosts: hosts}, Load: plan.Plan{Tracks: []plan.Track{{Open: true, Stages: []plan.Stage{{To: 3000}}}}}}
	}
	for _, tt := range []struct {
		name string
		s    *spec.Spec
		most float64
		n    int64
		want bool
	}{
		{"elsewhere, too fast", at("https://staging.test"), maxRate, 2401, true},
		{"elsewhere, within", at("https://staging.test"), maxRate, 2400, false},
		{"allowed by the workflow", at("https://staging.test"), 0, 1 << 40, false},
		{"this machine", at("http://127.0.0.1:8080"), maxRate, 100_000, false},
		{"this machine by name", at("http://localhost:8080"), maxRate, 100_000, false},
		{"this machine and another", at("http://127.0.0.1:8080", "staging.test"), maxRate, 100_000, true},
		{"a name that begins like it", at("http://localhost.evil.test"), maxRate, 100_000, true},
		{"this machine by an address of its own", at("http://127.8.9.1"), maxRate, 100_000, false},
	} {
		why := tooFast(second(tt.n), tt.s, tt.most)
		if (why != "") != tt.want || tt.want && !strings.Contains(why, "LL05") {
			t.Errorf("%s: got %q", tt.name, why)
		}
		if err := checkRate(tt.s, tt.most); (err != nil) != (tt.most > 0 && capped(tt.s, tt.most)) {
			t.Errorf("%s: checkRate: %v", tt.name, err)
		}
	}
}
