package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// The mall is a repository with several workflows and several specs, for the
// events beside push and pull_request. Its jobs take a binary that is built once.
const (
	mallSpec = `name = "NAME"
[target]
url = "http://127.0.0.1:1"   # the workflow says where it really is
[load]
users    = 4
duration = "2s"
[user]
think = "30ms"
[[scenario]]
name = "walk"
  [[scenario.step]]
  request = "GET /get"
  [[scenario.step]]
  request = "GET /json"
[gate]
thresholds = ["errors < 1%"]
compare = ["latency.p50 within 10% or 15ms"]
[profile.smoke.load]
users    = 1
duration = "1s"
[profile.soak.load]
users    = 4
duration = "2s"
`
	// The two jobs of docs/action.md: the first runs the code, the second may write.
	mallPerf = `name: perf
on: [push, pull_request, merge_group, schedule, deployment_status, workflow_dispatch]
jobs:
  perf:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: date +%s%N > "$E2E_DIR/began"
      - id: gate
        uses: loadline-ci/loadline@v1
        with:
          spec: ${{ vars.SPEC }}
          base-url: ${{ vars.TARGET }}
          binary-path: ${{ vars.BINARY }}
          working-directory: ${{ vars.FOLDER }}
          update-baseline: ${{ vars.UPDATE }}
          ready-timeout: ${{ vars.READY }}
          version-header: ${{ vars.VERSION_HEADER }}
          comment: always
      - if: ${{ !cancelled() }}
        uses: actions/upload-artifact@v7
        with:
          name: loadline-result
          path: ${{ vars.FOLDER }}/loadline-out
      - if: ${{ always() }}
        env:
          OUTPUTS: ${{ toJSON(steps.gate.outputs) }}
        run: printf '%s' "$OUTPUTS" > "$E2E_DIR/outputs.json"
  store:
    if: ${{ !cancelled() && (github.event_name == 'push' || github.event_name == 'schedule') }}
    needs: perf
    runs-on: ubuntu-latest
    steps:
      - uses: loadline-ci/loadline/store@v1
        with:
          binary-path: ${{ vars.BINARY }}
          working-directory: ${{ vars.FOLDER }}
          token: ${{ secrets.STORE_TOKEN }}
`
	mallReport = `name: report
on:
  workflow_run:
    workflows: [perf]
    types: [completed]
jobs:
  report:
    runs-on: ubuntu-latest
    steps:
      - id: gate
        uses: loadline-ci/loadline/report@v1
        with:
          comment: always
          binary-path: ${{ vars.BINARY }}
      - if: ${{ always() }}
        env:
          OUTPUTS: ${{ toJSON(steps.gate.outputs) }}
        run: printf '%s' "$OUTPUTS" > "$E2E_DIR/outputs.json"
`
	mallMatrix = `name: matrix
on: pull_request
jobs:
  leg:
    strategy:
      matrix:
        kind: [small, large]
      fail-fast: false
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: loadline-ci/loadline@v1
        with:
          spec: perf/api.toml
          base-url: ${{ vars.TARGET }}
          binary-path: ${{ vars.BINARY }}
          env-label: ${{ matrix.kind }}
          comment: never
      - if: ${{ !cancelled() }}
        uses: actions/upload-artifact@v7
        with:
          name: result-${{ matrix.kind }}
          path: loadline-out
  report:
    needs: leg
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    steps:
      - uses: loadline-ci/loadline/report@v1
        with:
          artifact: |
            result-small
            result-large
          comment: always
          binary-path: ${{ vars.BINARY }}
`
	// What stands in for actions/upload-artifact: the hub serves what it keeps.
	uploadAction = `name: upload
description: keeps a folder
inputs:
  name: { description: name, required: true }
  path: { description: folder, required: true }
runs:
  using: composite
  steps:
    - shell: bash
      env:
        NAME: ${{ inputs.name }}
        FROM: ${{ inputs.path }}
      run: |
        to="$E2E_UPLOADS/$GITHUB_RUN_ID/$NAME"
        mkdir -p "$to"
        if [ -d "$FROM" ]; then cp -r "$FROM/." "$to/"; fi
`
)

// A mall runs jobs.
type mall struct {
	r        *runner
	act      string
	hub      *hub
	shop     *shop
	target   *target
	binary   string
	action   string
	uploader string
	jobs     int
	first    atomic.Int64 // when the target was first asked since the last job began, in Unix nanoseconds
	quickest time.Duration
}

// A mallJob is one run of one workflow.
type mallJob struct {
	workflow string // file
	event    string
	payload  map[string]any
	commit   string // what is checked out
	ref      string
	runID    int
	token    string
	actor    string
	target   string // the input base-url; "-": none
	spec     string
	folder   string
	update   string
	runner   string
	version  string // the input version-header
	ready    string // the input ready-timeout
	more     int    // jobs in the run beside the first; each may call as often
	ghes     bool   // call the API where an Enterprise Server has it
}

// run runs a job to its end.
func (m *mall) run(ctx context.Context, j mallJob) (*outcome, error) {
	m.jobs++
	dir := filepath.Join(m.r.scratch, "mall-job-"+strconv.Itoa(m.jobs))
	home := filepath.Join(dir, "config", "act")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, err
	}
	j.payload["repository"] = map[string]any{"full_name": "octo/shop", "name": "shop", "default_branch": "main", "owner": map[string]any{"login": "octo"}}
	payload, err := json.Marshal(j.payload)
	if err != nil {
		return nil, err
	}
	event := filepath.Join(dir, "event.json")
	// Without an actrc act would ask which image it should pull.
	if err := errors.Join(os.WriteFile(filepath.Join(home, "actrc"), nil, 0o644), os.WriteFile(event, payload, 0o644)); err != nil {
		return nil, err
	}
	if _, err := m.shop.git(ctx, "-C", m.shop.work, "checkout", "--quiet", j.commit); err != nil {
		return nil, err
	}
	api, target := m.hub.api, or(j.target, m.target.url)
	if j.ghes {
		api += "/api/v3"
	}
	if target == "-" {
		target = ""
	}
	args := []string{
		j.event, "-C", m.shop.work, "-W", ".github/workflows/" + j.workflow, "-e", event, "--json", "--no-cache-server",
		"-P", "ubuntu-latest=-self-hosted", "--local-repository", "loadline-ci/loadline@v1=" + m.action,
		"--local-repository", "actions/upload-artifact@v7=" + m.uploader, "--action-offline-mode",
		"--action-cache-path", filepath.Join(dir, "cache"), "-a", or(j.actor, "alice"),
		"-s", "GITHUB_TOKEN=" + j.token, "-s", "STORE_TOKEN=" + writeToken,
	}
	for name, value := range map[string]string{
		"TARGET": target, "BINARY": m.binary, "SPEC": or(j.spec, "perf/api.toml"), "FOLDER": or(j.folder, "."), "UPDATE": or(j.update, "auto"),
		"READY": or(j.ready, "20s"), "VERSION_HEADER": j.version,
	} {
		args = append(args, "--var", name+"="+value)
	}
	for name, value := range map[string]string{
		"GITHUB_API_URL": api, "GITHUB_REPOSITORY": "octo/shop", "GITHUB_REPOSITORY_OWNER": "octo", "GITHUB_REF": j.ref, "GITHUB_SHA": j.commit,
		"GITHUB_RUN_ID": strconv.Itoa(j.runID), "GITHUB_RUN_ATTEMPT": "1", "RUNNER_NAME": or(j.runner, "runner-1"), "E2E_DIR": dir, "E2E_UPLOADS": m.hub.uploads,
	} {
		args = append(args, "--env", name+"="+value)
	}
	if j.ghes {
		args = append(args, "--env", "GITHUB_SERVER_URL=https://ghe.example.test")
	}
	m.target.requests.Store(0)
	m.first.Store(0)
	cmd := exec.CommandContext(ctx, m.act, args...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(cleanEnv(), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"))
	log, err := os.Create(filepath.Join(dir, "act.jsonl"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	err = cmd.Run()
	out := &outcome{attempt: 1}
	if closed := log.Close(); closed != nil {
		return nil, closed
	}
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return nil, errors.Join(err, ctx.Err())
	}
	out.failed = err != nil
	m.clock(dir)
	return out, out.read(dir)
}

// clock notes how long it took from the action's first step to the first request.
func (m *mall) clock(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "began"))
	began, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	first := m.first.Load()
	if err != nil || bad != nil || first < began {
		return // a job that sent nothing
	}
	if took := time.Duration(first - began); m.quickest == 0 || took < m.quickest {
		m.quickest = took
	}
}

// scenario runs one job and looks at what came of it.
func (m *mall) scenario(ctx context.Context, name string, j mallJob, look func(*outcome, *report, *wrongs)) error {
	var broken error
	m.r.scenario(name, func() []string {
		var w wrongs
		out, err := m.run(ctx, j)
		if err != nil {
			broken = err
			return []string{err.Error()}
		}
		rep, err := m.hub.report(ctx)
		if err != nil {
			broken = err
			return []string{err.Error()}
		}
		look(out, rep, &w)
		w.check(len(rep.RequestViolations) == 0, "calls that break GitHub's own description:\n%s", strings.Join(rep.RequestViolations, "\n"))
		most := 25 * int32(1+j.more)
		if calls := m.hub.calls.Load(); !w.check(calls <= most, "%d API calls in one run, more than %d", calls, most) {
			w = append(w, callList(rep))
		}
		if len(w) > 0 {
			w = append(w, "the log ends:\n"+out.tail())
		}
		return w
	})
	return errors.Join(broken, ctx.Err(), m.hub.mark(ctx))
}

// newMall makes the repository, with all its commits, then GitHub around it.
func (r *runner) newMall(ctx context.Context) (*mall, map[string]string, error) {
	m := &mall{r: r, action: filepath.Join(r.scratch, "mall-action"), uploader: filepath.Join(r.scratch, "upload"), binary: filepath.Join(r.scratch, "loadline-mall")}
	var err error
	if m.act, err = tool(ctx, actModule); err != nil {
		return nil, nil, err
	}
	// Only what a job with binary-path needs: act copies the folder for each.
	for _, dir := range []string{"action", "report", "store"} {
		if err := os.CopyFS(filepath.Join(m.action, dir), os.DirFS(filepath.Join(r.repo, dir))); err != nil {
			return nil, nil, err
		}
	}
	manifest, err := os.ReadFile(filepath.Join(r.repo, "action.yml"))
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(m.action, "action.yml"), manifest, 0o644); err != nil {
		return nil, nil, err
	}
	if err := build(ctx, r.repo, "./cmd/loadline", m.binary); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(m.uploader, 0o755); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(m.uploader, "action.yml"), []byte(uploadAction), 0o644); err != nil {
		return nil, nil, err
	}
	if m.target, err = r.startTarget(ctx); err != nil {
		return nil, nil, err
	}
	m.target.asked = func() { m.first.CompareAndSwap(0, time.Now().UnixNano()) }
	if m.shop, err = newShop(ctx, filepath.Join(r.scratch, "mall")); err != nil {
		return nil, nil, err
	}
	for name, text := range map[string]string{
		".github/workflows/perf.yml": mallPerf, ".github/workflows/report.yml": mallReport, ".github/workflows/matrix.yml": mallMatrix,
		"perf/api.toml": strings.Replace(mallSpec, "NAME", "api", 1), "perf/web.toml": strings.Replace(mallSpec, "NAME", "web", 1),
		"services/cart/perf/cart.toml": strings.Replace(mallSpec, "NAME", "cart", 1),
	} {
		file := filepath.Join(m.shop.work, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			return nil, nil, err
		}
	}
	at := map[string]string{}
	for i, branch := range []string{"main", "main", "faster", "patch", "bump"} {
		if err := m.shop.checkout(ctx, branch); err != nil {
			return nil, nil, err
		}
		commit, err := m.shop.commit(ctx, branch, fmt.Sprint("change ", i))
		if err != nil {
			return nil, nil, err
		}
		at[branch], at[branch+strconv.Itoa(i)] = commit, commit
		if branch != "main" {
			if err := m.shop.checkout(ctx, "main"); err != nil {
				return nil, nil, err
			}
		}
	}
	pull := func(number int, branch, repo string) map[string]any {
		return map[string]any{"repo": "octo/shop", "number": number, "title": branch, "author": "alice", "head": branch, "head_repo": repo, "head_sha": at[branch], "base": "main", "base_sha": at["main"]}
	}
	emu, err := r.startEmulator(ctx, "github-of-mall", m.shop.root, []map[string]any{
		pull(7, "faster", "octo/shop"), pull(8, "patch", "mallory/shop"), pull(9, "bump", "octo/shop"),
	})
	if err != nil {
		return nil, nil, err
	}
	m.hub = &hub{emulator: emu, uploads: filepath.Join(r.scratch, "uploads")}
	return m, at, m.hub.serve(r)
}
