package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// demoSpec drives loadline's own demo target, which a start command brings up.
const (
	demoSpecPath = "perf/demo.toml"
	demoSlowStep = "GET /orders"
	demoSpec     = `name = "demo"
[target]
url = "http://127.0.0.1:1"
[load]
users    = 4
duration = "10s"
[user]
think = "50ms"
[[scenario]]
name = "walk"
  [[scenario.step]]
  request = "GET /products"
  [[scenario.step]]
  request = "GET /orders"
[[observe]]
command = "touch $E2E_DIR/ran; echo 3"   # the workflow does not allow it
series  = { local = {} }
[gate]
compare = ["latency.p50 within 10% or 10ms", "latency.p95 within 20% or 20ms", "errors within 0.5pp"]
`
)

// pairedPulls are pull requests whose workflow names a base to compare with: as a
// second URL, then as commands that start both.
func (s *stage) pairedPulls(ctx context.Context, main string) error {
	base, err := s.r.startTarget(ctx)
	if err != nil {
		return err
	}
	if err := s.shop.checkout(ctx, "pair"); err != nil {
		return err
	}
	commit, err := s.shop.commit(ctx, "pair", "by turns")
	if err != nil {
		return err
	}
	pull := job{
		event: "pull_request", branch: "pair", commit: commit, before: main, pr: 9, token: writeToken, runID: 401, comment: "changes",
		vars: map[string]string{"COMPARE_URL": base.url, "COMPARE_DURATION": "6s"},
	}
	s.target.slower("", 0)
	err = s.scenario(ctx, "base and head in one run, the same: nobody is blamed", pull, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed, "the job is red: %s", o.outputs["verdict"])
		w.check(o.result.Run.Mode == "paired", "mode is %q", o.result.Run.Mode)
		w.check(len(o.result.slower()) == 0, "slower: %v", o.result.slower())
		o.told(w, "base", "head")
		w.check(remembered(rep), "what was learned of deployments is not on the branch:\n%s", strings.Join(rep.Repos["octo/shop"].Refs[dataRef].Files, "\n"))
	})
	if err != nil {
		return err
	}

	s.target.slower(slowPath, delay)
	pull.runID, pull.vars["COMPARE_DURATION"] = 402, "9s"
	err = s.scenario(ctx, "a slow route, base and head in one run: it alone is named", pull, func(o *outcome, rep *report, w *wrongs) {
		wantRegression(o, w)
		c := onlyComment(rep, 9, w)
		w.check(strings.Contains(c.Body, "Measured A/B in this job"), "the comment does not say how it was measured:\n%s", c.Body)
		w.check(strings.Contains(c.Body, "loadline ab "+specPath+" --base "+base.url), "the comment does not say how to repeat it:\n%s", c.Body)
		w.check(strings.Contains(c.Body, "stored runs, then this one"), "the comment does not draw what main has stored:\n%s", c.Body)
	})
	if err != nil {
		return err
	}
	return s.startedPulls(ctx, main)
}

// startedPulls have both sides started by the workflow.
func (s *stage) startedPulls(ctx context.Context, main string) error {
	if err := s.shop.checkout(ctx, "fork-pair"); err != nil {
		return err
	}
	commit, err := s.shop.commit(ctx, "fork-pair", "started")
	if err != nil {
		return err
	}
	var addr [2]string
	for i := range addr {
		port, err := freePort()
		if err != nil {
			return err
		}
		addr[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	serve := func(addr string) string {
		return fmt.Sprintf("env > %s/env-of-target; exec %s demo --serve %s", s.r.scratch, filepath.Join(s.r.scratch, "loadline"), addr)
	}
	fork := job{
		event: "pull_request", branch: "fork-pair", commit: commit, before: main, pr: 10, fork: true, token: readToken, runID: 403, comment: "changes",
		vars: map[string]string{
			"SPEC": demoSpecPath, "TARGET": "http://" + addr[1], "START": serve(addr[1]),
			"COMPARE_URL": "http://" + addr[0], "COMPARE_START": serve(addr[0]), "COMPARE_DURATION": "6s",
		},
	}
	err = s.scenario(ctx, "both sides started in the job, the same: nobody is blamed, and nothing is left running", fork, func(o *outcome, _ *report, w *wrongs) {
		w.check(!o.failed, "the job is red: %s", o.outputs["verdict"])
		w.check(len(o.result.slower()) == 0, "slower: %v", o.result.slower())
		env, err := os.ReadFile(filepath.Join(s.r.scratch, "env-of-target"))
		w.check(err == nil && len(env) > 0 && !strings.Contains(string(env), readToken), "the code under test was handed the token (%v)", err)
		stopped(addr, w)
		o.told(w)
	})
	if err != nil {
		return err
	}
	fork.runID, fork.vars["COMPARE_DURATION"] = 404, "9s"
	fork.vars["START"] = serve(addr[1]) + fmt.Sprintf(" --slow '%s=+%s'", demoSlowStep, delay)
	return s.scenario(ctx, "a slow route, both sides started and restarted, from a fork: it alone is named", fork, func(o *outcome, rep *report, w *wrongs) {
		w.check(o.failed && o.outputs["verdict"] == "regression", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		w.check(slices.Equal(o.result.slower(), []string{demoSlowStep}), "slower: %v", o.result.slower())
		w.check(strings.Contains(strings.Join(o.summaries, "\n"), "and again after both were restarted"), "the summary does not say that it was seen again")
		for _, c := range rep.Repos["octo/shop"].Comments {
			w.check(c.Issue != 10, "a comment was posted with a read-only token")
		}
		stopped(addr, w)
	})
}

// stopped looks whether nothing answers any more.
func stopped(addr [2]string, w *wrongs) {
	for _, a := range addr {
		conn, err := net.DialTimeout("tcp", a, time.Second)
		if !w.check(err != nil, "something still answers at %s", a) {
			_ = conn.Close()
		}
	}
}

// remembered says whether the branch holds earlier comparisons.
func remembered(rep *report) bool {
	return slices.ContainsFunc(rep.Repos["octo/shop"].Refs[dataRef].Files, func(f string) bool { return strings.HasPrefix(f, "v1-pairs/") })
}
