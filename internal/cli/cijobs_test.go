package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
)

// jobSpec is the spec of the repository in these tests.
const jobSpec = `name = "api"
[target]
url = "${BASE_URL}"
[load]
users = 2
duration = "60s"
[[scenario]]
name = "walk"
  [[scenario.step]]
  request = "GET /a"
  [[scenario.step]]
  request = "GET /b"
[gate]
thresholds = ["latency.p99 < 1s"]
`

// A ground is a repository on GitHub and the folder of a job without a checkout.
type ground struct {
	t   *testing.T
	hub *githubtest.Server
	api string
	dir string
}

func newGround(t *testing.T) *ground {
	t.Helper()
	g := &ground{t: t, hub: githubtest.New(), dir: t.TempDir()}
	server := httptest.NewServer(g.hub)
	t.Cleanup(server.Close)
	g.api = server.URL
	return g
}

// run runs a command as a step of a job whose event has this payload.
func (g *ground) run(command, event string, payload any, inputs ...string) (code Exit, log, summary string) {
	g.t.Helper()
	step := g.t.TempDir()
	data, err := json.Marshal(payload)
	if err != nil {
		g.t.Fatal(err)
	}
	for name, text := range map[string]string{"event.json": string(data), "output": "", "summary": ""} {
		if err := os.WriteFile(filepath.Join(step, name), []byte(text), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	vars := map[string]string{
		"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": filepath.Join(step, "event.json"), "GITHUB_REPOSITORY": githubtest.Repo,
		"GITHUB_API_URL": g.api, "GITHUB_WORKSPACE": g.dir, "GITHUB_RUN_ID": "500", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_OUTPUT": filepath.Join(step, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(step, "summary"), "INPUT_TOKEN": "s3cret-token",
	}
	for i := 0; i < len(inputs); i += 2 {
		vars[inputs[i]] = inputs[i+1]
	}
	var out bytes.Buffer
	env := &Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Dir: g.dir, Environ: func() []string { return nil },
		Getenv: func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
	}
	code = Run(g.t.Context(), env, strings.Fields(command))
	text, err := os.ReadFile(filepath.Join(step, "summary"))
	if err != nil {
		g.t.Fatal(err)
	}
	return code, out.String(), string(text)
}

// measured is the result file of a run in which GET /b took factor times as long.
func measured(t *testing.T, commit string, factor float64, change func(*result.Run)) []byte {
	t.Helper()
	run := &result.Run{
		Tool: "test", Spec: "api", File: "perf/api.toml", Fingerprint: "f", Commit: commit, Target: "http://127.0.0.1:8080",
		Started: time.Now().Add(-time.Minute), Duration: time.Minute, Measured: time.Minute, Mode: "single",
		Environment: result.Environment{OS: "linux", Arch: "amd64", CPU: "Example", Cores: 4, Label: "default"},
		Catalog: result.Catalog{
			Scenarios: []string{"walk"},
			Steps:     []result.Step{{Scenario: "walk", Name: "GET /a", Method: "GET", Line: 10}, {Scenario: "walk", Name: "GET /b", Method: "GET", Line: 12}},
			Stages:    []result.Stage{{Measure: true}},
		},
		Phases: make([]result.Phases, 2),
	}
	whole := [2]*hdr.Histogram{result.NewHistogram(), result.NewHistogram()}
	for i := range 12 {
		round := result.Round{Index: i, Start: time.Duration(i) * 5 * time.Second, Length: 5 * time.Second}
		for step := range 2 {
			h := result.NewHistogram()
			for k := range 400 {
				us := 20_000 + 20*int64(k) + int64((i*7+k*13)%11)
				if step == 1 {
					us = int64(float64(us) * factor)
				}
				for _, to := range []*hdr.Histogram{h, whole[step]} {
					if err := to.RecordValue(us); err != nil {
						t.Fatal(err)
					}
				}
			}
			payload, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
			if err != nil {
				t.Fatal(err)
			}
			round.Steps = append(round.Steps, result.RoundStep{Step: step, Requests: 400, Status: map[int]int64{200: 400}, Latency: payload})
		}
		run.Rounds = append(run.Rounds, round)
	}
	for step, h := range whole {
		run.Cells = append(run.Cells, result.Cell{Key: result.Key{Step: step, Status: 200, Proto: "1.1"}, Count: h.TotalCount(), Latency: h, Service: h})
	}
	if change != nil {
		change(run)
	}
	var b bytes.Buffer
	if err := result.Write(&b, &result.File{Run: run, Verdict: json.RawMessage(`{"outcome":"pass"}`)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (g *ground) upload(run int64, name string, files ...string) {
	g.hub.AddArtifact(githubtest.Artifact{Run: run, Name: name, Zip: githubtest.Zip(files...)})
}

func push(commit string) map[string]any {
	return map[string]any{"ref": "refs/heads/main", "after": commit, "repository": map[string]any{"default_branch": "main", "full_name": githubtest.Repo}}
}

// storedMain pushes main four times; the job store keeps what each measured.
func (g *ground) storedMain() (commit string) { return g.stored(4) }

// stored does so n times.
func (g *ground) stored(n int) (commit string) {
	g.t.Helper()
	for i := range n {
		commit = g.hub.Commit("main", fmt.Sprint("push ", i), map[string]string{"perf/api.toml": jobSpec, "n": fmt.Sprint(i)})
		run := int64(100 + i)
		g.upload(run, "loadline-result", "result.json", string(measured(g.t, commit, 1, func(r *result.Run) {
			r.Started = r.Started.Add(time.Duration(i-n) * time.Hour)
		})), "report.md", "# hello")
		code, log, _ := g.run("ci store", "push", push(commit), "GITHUB_RUN_ID", fmt.Sprint(run), "GITHUB_SHA", commit)
		if code != ExitPass {
			g.t.Fatalf("storing run %d: status %d\n%s", run, code, log)
		}
	}
	return commit
}

// The two jobs of docs/action.md: what perf measured and uploaded, store keeps.
func TestStoreJob(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	commit := g.storedMain()
	files := g.hub.Files("loadline-data")
	stored := 0
	for name, text := range files {
		if strings.Contains(text, `"api"`) && strings.HasPrefix(name, "v1/") && strings.HasSuffix(name, ".json") {
			stored++
		}
	}
	if stored != 4 {
		t.Errorf("%d runs are stored, want 4: %v", stored, files)
	}

	tests := []struct {
		name, event string
		payload     any
		upload      []string
		inputs      []string
		code        Exit
		want        string
	}{
		{"a pull request", "pull_request", pullEvent(8, "mallory/shop", commit, commit), nil, nil, ExitPass, "A pull_request event stores no baseline here."},
		{"a push elsewhere", "push", map[string]any{"ref": "refs/heads/other", "after": commit, "repository": map[string]any{"default_branch": "main"}}, nil, nil, ExitPass, "stores no baseline"},
		{"switched off", "push", push(commit), nil, []string{"INPUT_UPDATE_BASELINE", "never"}, ExitPass, "stores no baseline"},
		{"nothing was uploaded", "push", push(commit), nil, nil, ExitPass, "Run 900 has no artifact named loadline-result."},
		{"a run that says nothing", "push", push(commit), []string{"result.json", string(measured(t, commit, 1, func(r *result.Run) { r.Interrupted = true }))}, nil, ExitPass, "The baseline stays as it was."},
		{"another commit's", "push", push(commit), []string{"result.json", string(measured(t, strings.Repeat("a", 40), 1, nil))}, nil, ExitInvalid, `it is of commit "aaaaaaa"`},
		{"no result", "push", push(commit), []string{"report.md", "# hello"}, nil, ExitInvalid, "no file result.json"},
		{"a folder is no branch", "push", push(commit), nil, []string{"INPUT_BASELINE", "dir"}, ExitUsage, "writes to `branch` and to nothing else"},
	}
	for i, tt := range tests {
		run := int64(900 + i)
		if tt.upload != nil {
			g.upload(run, "loadline-result", tt.upload...)
		}
		code, log, _ := g.run("ci store", tt.event, tt.payload, append(tt.inputs, "GITHUB_RUN_ID", strings.Replace(fmt.Sprint(run), fmt.Sprint(903), "900", 1), "GITHUB_SHA", commit)...)
		if code != tt.code || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", tt.name, code, tt.code, tt.want, log)
		}
	}
	if n := len(g.hub.Files("loadline-data")); n != len(files) {
		t.Errorf("%d files on the branch after nothing was to be stored, want %d", n, len(files))
	}
}

func pullEvent(number int, repo, head, base string) map[string]any {
	return map[string]any{
		"action": "synchronize", "number": number, "repository": map[string]any{"default_branch": "main", "full_name": githubtest.Repo},
		"pull_request": map[string]any{
			"number": number,
			"head":   map[string]any{"sha": head, "ref": "patch", "repo": map[string]any{"full_name": repo}},
			"base":   map[string]any{"sha": base, "ref": "main", "repo": map[string]any{"full_name": githubtest.Repo}},
		},
	}
}

func workflowRun(run int64, event, repo, head string) map[string]any {
	return map[string]any{
		"action": "completed", "repository": map[string]any{"default_branch": "main", "full_name": githubtest.Repo},
		"workflow_run": map[string]any{
			"id": run, "run_attempt": 2, "event": event, "head_sha": head, "head_branch": "patch", "conclusion": "failure",
			"head_repository": map[string]any{"full_name": repo},
		},
	}
}
