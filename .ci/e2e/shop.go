package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// spec is octo/shop's load spec. slowStep is the step that a pull request makes
// slower.
const (
	specPath = "perf/api.toml"
	slowStep = "GET /json"
	slowPath = "/json"
	spec     = `name = "api"

[target]
url = "http://127.0.0.1:1"   # the workflow says where it really is

# The closed model: a fixed number of users, so that a busy CI machine delays
# requests, but spoils no run by sending late.
[load]
users    = 4
duration = "10s"
warmup   = "1s"

[user]
think = "50ms"

[[scenario]]
name = "walk"

  [[scenario.step]]
  request = "GET /get"

  [[scenario.step]]
  request = "GET /uuid"

  [[scenario.step]]
  request = "GET /json"
  checks  = ["$.slideshow.slides is array"]

  [[scenario.step]]
  request = "POST /anything"
  json    = { order = 1 }

[[observe]]
scrape = "/metrics"
every  = "1s"
series = { throughput = { expr = "rate(requests_total)" } }

[gate]
thresholds = ["errors < 1%", "target.throughput.max > 1/s"]
# Routes of a millisecond on a machine that others use: a team states what it minds.
compare = ["latency.p50 within 10% or 10ms", "latency.p95 within 20% or 20ms", "errors within 0.5pp"]
`
	// workflow is written as a user would, but for the last step, which hands
	// outputs and the result to the harness.
	workflow = `name: perf
on: [push, pull_request, issue_comment]
jobs:
  perf:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: gate
        uses: loadline-ci/loadline@v1
        with:
          spec: ${{ vars.SPEC || 'perf/api.toml' }}
          base-url: ${{ vars.TARGET }}
          start: ${{ vars.START }}
          compare-url: ${{ vars.COMPARE_URL }}
          compare-start: ${{ vars.COMPARE_START }}
          compare-duration: ${{ vars.COMPARE_DURATION }}
          comment: ${{ vars.COMMENT }}
          accept: ${{ vars.ACCEPT }}
          check-run: ${{ vars.CHECK_RUN }}
      - if: ${{ always() }}
        env:
          OUTPUTS: ${{ toJSON(steps.gate.outputs) }}
          OUTCOME: ${{ steps.gate.outcome }}
          REPORT_DIR: ${{ steps.gate.outputs.report-dir }}
        run: |
          printf '%s' "$OUTPUTS" > "$E2E_DIR/outputs.json"
          printf '%s' "$OUTCOME" > "$E2E_DIR/outcome"
          if [ -n "$REPORT_DIR" ]; then cp -r "$REPORT_DIR/." "$E2E_DIR/"; fi
`
)

// A shop is the repository octo/shop: bare for the emulator, and a checkout for
// act.
type shop struct {
	root, bare, work string
}

func newShop(ctx context.Context, dir string) (*shop, error) {
	s := &shop{root: filepath.Join(dir, "git"), work: filepath.Join(dir, "shop")}
	s.bare = filepath.Join(s.root, "octo", "shop.git")
	for _, d := range []string{s.bare, filepath.Join(s.work, ".github", "workflows"), filepath.Join(s.work, "perf")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	for name, text := range map[string]string{specPath: spec, demoSpecPath: demoSpec, ".github/workflows/perf.yml": workflow, "README.md": "shop\n"} {
		if err := os.WriteFile(filepath.Join(s.work, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", s.bare},
		{"init", "--quiet", "--initial-branch=main", s.work},
		{"-C", s.work, "remote", "add", "origin", s.bare},
	} {
		if _, err := s.git(ctx, args...); err != nil {
			return nil, err
		}
	}
	_, err := s.commit(ctx, "main", "shop")
	return s, err
}

func (s *shop) git(ctx context.Context, args ...string) (string, error) {
	env := append(cleanEnv(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Alice", "GIT_AUTHOR_EMAIL=alice@example.test", "GIT_COMMITTER_NAME=Alice", "GIT_COMMITTER_EMAIL=alice@example.test")
	out, err := command(ctx, "", env, "git", args...)
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out), nil
}

// checkout moves the checkout to a branch, which begins where it is now when it
// is new.
func (s *shop) checkout(ctx context.Context, branch string) error {
	if _, err := s.git(ctx, "-C", s.work, "checkout", "--quiet", branch); err == nil {
		return nil
	}
	_, err := s.git(ctx, "-C", s.work, "checkout", "--quiet", "-b", branch)
	return err
}

// commit adds a commit to a branch, pushes it and returns it.
func (s *shop) commit(ctx context.Context, branch, message string) (string, error) {
	notes := filepath.Join(s.work, "NOTES")
	old, err := os.ReadFile(notes)
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	if err := os.WriteFile(notes, append(old, []byte(message+"\n")...), 0o644); err != nil {
		return "", err
	}
	for _, args := range [][]string{{"add", "--all"}, {"commit", "--quiet", "--message", message}, {"push", "--quiet", "origin", "HEAD:refs/heads/" + branch}} {
		if _, err := s.git(ctx, append([]string{"-C", s.work}, args...)...); err != nil {
			return "", err
		}
	}
	return s.git(ctx, "-C", s.work, "rev-parse", "HEAD")
}
