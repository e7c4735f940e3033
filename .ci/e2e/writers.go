package main

import (
	"context"
	"path/filepath"
	"strings"
)

// writerScenarios hold package github to the emulator: its own test runs
// against it when LOADLINE_GITHUB_EMULATOR names one.
func (r *runner) writerScenarios(ctx context.Context) error {
	s, err := newShop(ctx, filepath.Join(r.scratch, "writers"))
	if err != nil {
		return err
	}
	emu, err := r.startEmulator(ctx, "github-of-writers", s.root, []map[string]any{
		{"repo": "octo/shop", "number": 7, "title": "x", "author": "alice", "head": "x", "base": "main"},
	})
	if err != nil {
		return err
	}
	r.scenario("package github against the emulator: 20 writers, faults, comments", func() []string {
		var w wrongs
		env := append(cleanEnv(), "LOADLINE_GITHUB_EMULATOR="+emu.url, "LOADLINE_GITHUB_EMULATOR_TOKEN="+writeToken)
		out, err := command(ctx, r.repo, env, "go", "test", "-count=1", "-v", "-run", "^TestEmulator$", "./internal/github")
		if !w.check(err == nil, "%v", err) || !w.check(strings.Contains(out, "--- PASS: TestEmulator"), "the test did not run") {
			w = append(w, out)
		}
		rep, err := emu.report(ctx)
		if !w.check(err == nil, "%v", err) {
			return w
		}
		w.check(len(rep.RequestViolations) == 0, "calls that break GitHub's own description:\n%s", strings.Join(rep.RequestViolations, "\n"))
		return w
	})
	return r.storeScenarios(ctx, emu)
}
