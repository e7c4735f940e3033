package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// whole is a run of the Action but for the load: what it would have measured is
// given. It returns the measurement, and the calls to GitHub's API.
func (g *ground) whole(event string, payload any, run *result.Run, inputs map[string]string) (*measurement, []string) {
	g.t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		g.t.Fatal(err)
	}
	step := g.t.TempDir()
	vars := map[string]string{
		"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": filepath.Join(step, "event.json"), "GITHUB_REPOSITORY": githubtest.Repo, "GITHUB_SHA": run.Commit,
		"GITHUB_API_URL": g.api, "GITHUB_WORKSPACE": g.dir, "GITHUB_RUN_ID": "500", "INPUT_TOKEN": "x", "INPUT_SPEC": run.File,
		"GITHUB_OUTPUT": filepath.Join(step, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(step, "summary"), "BASE_URL": run.Target,
	}
	maps.Copy(vars, inputs)
	spec := filepath.Join(g.dir, filepath.FromSlash(run.File))
	if err := os.MkdirAll(filepath.Dir(spec), 0o700); err != nil {
		g.t.Fatal(err)
	}
	for name, text := range map[string]string{vars["GITHUB_EVENT_PATH"]: string(data), vars["GITHUB_OUTPUT"]: "", vars["GITHUB_STEP_SUMMARY"]: "", spec: jobSpec} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	var out bytes.Buffer
	env := &Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Dir: g.dir, Environ: func() []string { return nil },
		Getenv: func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
	}
	before := len(g.hub.Calls())
	ctx := g.t.Context()
	c := &ciRun{env: env, actions: github.NewActions(env.Stdout, env.get), out: outDir}
	if err := c.prepare(); err != nil {
		g.t.Fatal(err)
	}
	if _, done, err := c.settle(ctx); done || err != nil {
		g.t.Fatal(done, err)
	}
	if err := c.readAll(); err != nil {
		g.t.Fatal(err)
	}
	if err := c.readPull(ctx); err != nil {
		g.t.Fatal(err)
	}
	c.openChecks(ctx)
	j := c.job(run.File)
	m := &measurement{spec: c.specs[0], run: run, mask: newMask(nil)}
	in := verdict.Input{Run: run, Notes: c.govern(ctx, m.spec), Gate: gate(m.spec)}
	in.Gate.Confirm = 0 // no load, and it calls nobody
	if err := m.compareWith(ctx, j, &in); err != nil {
		g.t.Fatal(err)
	}
	m.judge(ctx, env, j, in)
	all := []*measurement{m}
	c.accept(ctx, all)
	c.publish(ctx, all)
	var calls []string
	for _, call := range g.hub.Calls()[before:] {
		if !strings.HasPrefix(call, "GET /zip/") { // the store of artifacts is not the API
			calls = append(calls, call)
		}
	}
	if c.client.Calls() != len(calls) {
		g.t.Errorf("the client counts %d calls, and %d came", c.client.Calls(), len(calls))
	}
	return m, calls
}

// unpacked makes the data branch one that an earlier version wrote.
func (g *ground) unpacked() {
	files := g.hub.Files("loadline-data")
	maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasSuffix(name, "/.pack") })
	g.hub.SetRef("loadline-data", "") // as if it had never been
	g.hub.Commit("loadline-data", "without packs", files)
}

// talkative is a pull request on which much was said and accepted, and its run
// was tried twice before.
func (g *ground) talkative(head, base string) {
	g.hub.Pulls = []githubtest.Pull{{
		Number: 7, HeadRepo: githubtest.Repo, HeadRef: "patch", HeadSHA: head, BaseRef: "main", BaseSHA: base, Author: "carol", Merged: true,
		Labels: []string{"perf-accepted"}, Body: "Loadline-Accept: GET /b p99 +1% because it signs\n",
	}}
	now := time.Now()
	g.hub.People = githubtest.People{
		Levels:    map[string]string{"alice": "write", "mallory": "read"},
		Labelings: []githubtest.Labeling{{Issue: 7, Label: "perf-accepted", By: "alice", At: now.Add(-10 * time.Minute)}},
		Runs:      map[int64]time.Time{500: now.Add(-20 * time.Minute)},
	}
	for i := range 120 {
		g.hub.People.Commits = append(g.hub.People.Commits, githubtest.PullCommit{Pull: 7, SHA: fmt.Sprintf("%040x", i), Message: "work", Author: "carol"})
	}
	g.hub.AddComments(7, 1, bot, fmt.Sprintf("<!-- loadline v1 key=api/default run=400.1 sha=%s -->\nas it was", head))
	g.hub.AddComments(7, 250, "bob", "chatter %d")
	g.hub.AddComments(7, 1, "mallory", "/loadline accept GET /b "+head)
	for range 2 {
		g.upload(500, "loadline-result", "result.json", string(measured(g.t, head, 2, nil)))
	}
}

// The worst that one run of the Action meets in practice: a slowdown with all ways
// to accept it in use, three pages of comments, two of commits, earlier attempts,
// and a check run. GitHub is called 25 times at most.
func TestCallsOfAWholeRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		event    string
		packed   bool
		base     int // stored runs compared with
		attempts int // judged together with this one
		want     verdict.Outcome
	}{
		{"a pull request", "pull_request", true, 16, 2, verdict.Accepted},
		{"a pull request, before stored runs were packed", "pull_request", false, leastSingles, 1, ""},
		{"a push", "push", true, 16, 2, ""},
		{"a push, before stored runs were packed", "push", false, leastSingles, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGround(t)
			base := g.stored(16)
			g.hub.SetRef("patch", base)
			head := g.hub.Commit("patch", "signs", map[string]string{"n": "signed"})
			if !tt.packed {
				g.unpacked()
			}
			g.talkative(head, base)
			file, err := result.Read(bytes.NewReader(measured(t, head, 2, nil)))
			if err != nil {
				t.Fatal(err)
			}
			payload := any(pullEvent(7, githubtest.Repo, head, base))
			if tt.event == "push" {
				payload = push(head)
			}
			m, calls := g.whole(tt.event, payload, file.Run, map[string]string{
				"GITHUB_RUN_ATTEMPT": "3", "INPUT_ACCEPT": "label,trailer,comment", "INPUT_CHECK_RUN": "true", "INPUT_COMMENT": "always",
			})
			if len(calls) > mostCalls {
				t.Errorf("%d calls, more than %d:\n%s", len(calls), mostCalls, strings.Join(calls, "\n"))
			}
			if len(m.base) != tt.base || len(m.further) != tt.attempts {
				t.Errorf("compared with %d stored runs and %d attempts, want %d and %d", len(m.base), len(m.further), tt.base, tt.attempts)
			}
			for _, w := range m.verdict.Warnings {
				if w.Code == "baseline-skipped" {
					t.Errorf("what was left out to spare calls is called damaged: %s", w.Message)
				}
			}
			if tt.want != "" && m.verdict.Outcome != tt.want {
				t.Errorf("outcome %s, want %s: %+v", m.verdict.Outcome, tt.want, m.verdict.Reasons)
			}
			if checks := g.hub.Checks(); len(checks) != 1 || checks[0].Status != "completed" {
				t.Errorf("check runs %+v", checks)
			}
		})
	}
}
