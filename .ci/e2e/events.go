package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// eventScenarios run a job for each event that GATE names beside push and
// pull_request.
func (r *runner) eventScenarios(ctx context.Context) error {
	m, at, err := r.newMall(ctx)
	if err != nil {
		return err
	}
	for _, part := range []func(context.Context, map[string]string) error{m.pushes, m.forks, m.queue, m.deployed, m.versions, m.clocks, m.several} {
		if err := part(ctx, at); err != nil {
			return err
		}
	}
	r.scenario(fmt.Sprintf("the quickest job sent its first request after %d ms", m.quickest.Milliseconds()), func() []string {
		var w wrongs
		w.check(m.quickest > 0 && m.quickest <= 2*time.Second, "with a warm binary at most 2 s are allowed, by the quickest of %d jobs", m.jobs)
		return w
	})
	return nil
}

// keys are the folders of the data branch, one for each kind of baseline, with how
// many runs each has.
func keys(rep *report) map[string]int {
	out := map[string]int{}
	for _, f := range rep.Repos["octo/shop"].Refs[dataRef].Files {
		name, _, _ := strings.Cut(f, " ")
		if parts := strings.Split(name, "/"); len(parts) == 3 && parts[0] == "v1" && strings.HasSuffix(name, ".json") {
			out[parts[1]]++
		}
	}
	return out
}

func stored(rep *report) (n int) {
	for _, k := range keys(rep) {
		n += k
	}
	return n
}

func push(commit string) map[string]any {
	return map[string]any{"ref": "refs/heads/main", "before": strings.Repeat("0", 40), "after": commit, "deleted": false}
}

// pushes: the job that measures may only read; the job store keeps its result.
func (m *mall) pushes(ctx context.Context, at map[string]string) error {
	for i, key := range []string{"main0", "main1"} {
		j := mallJob{workflow: "perf.yml", event: "push", payload: push(at[key]), commit: at[key], ref: "refs/heads/main", runID: 700 + i, token: readToken, update: "never"}
		err := m.scenario(ctx, fmt.Sprintf("push %d: perf measures with a token that may read, store keeps its result", i+1), j, func(o *outcome, rep *report, w *wrongs) {
			w.check(!o.failed, "red: %v", o.outputs)
			w.check(stored(rep) == i+1, "%d runs are stored, want %d", stored(rep), i+1)
			w.check(!strings.Contains(o.log, "LL30"), "something was refused")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func pullPayload(number int, repo, branch, head, base string) map[string]any {
	return map[string]any{"action": "synchronize", "number": number, "pull_request": map[string]any{
		"number": number, "head": map[string]any{"sha": head, "ref": branch, "repo": map[string]any{"full_name": repo}},
		"base": map[string]any{"sha": base, "ref": "main", "repo": map[string]any{"full_name": "octo/shop"}},
	}}
}

func runPayload(run int, repo, branch, head string) map[string]any {
	return map[string]any{"action": "completed", "workflow_run": map[string]any{
		"id": run, "run_attempt": 1, "event": "pull_request", "head_sha": head, "head_branch": branch, "conclusion": "failure",
		"head_repository": map[string]any{"full_name": repo},
	}}
}

// forks: a run that may not comment is reported by one that may, and that sends no
// load; so it is for Dependabot.
func (m *mall) forks(ctx context.Context, at map[string]string) error {
	for i, of := range []struct {
		who, branch, repo, actor string
		number                   int
	}{{"a fork", "patch", "mallory/shop", "mallory", 8}, {"Dependabot", "bump", "octo/shop", "dependabot[bot]", 9}} {
		run := 710 + i
		m.target.slower(slowPath, delay)
		j := mallJob{
			workflow: "perf.yml", event: "pull_request", payload: pullPayload(of.number, of.repo, of.branch, at[of.branch], at["main"]),
			commit: at[of.branch], ref: fmt.Sprintf("refs/pull/%d/merge", of.number), runID: run, token: readToken, actor: of.actor,
		}
		err := m.scenario(ctx, of.who+"'s run: red or green by itself, with no comment", j, func(o *outcome, rep *report, w *wrongs) {
			w.check(o.outputs["verdict"] != "" && o.outputs["verdict"] != "pass", "verdict %q, though one route takes %v longer", o.outputs["verdict"], delay)
			w.check(strings.Contains(o.log, "LL30") && len(o.summaries) > 0, "the log does not say why there is no comment, or there is no summary")
			w.check(commentsOn(rep, of.number) == 0, "there is a comment")
		})
		m.target.slower("", 0)
		if err != nil {
			return err
		}
		said := ""
		j = mallJob{workflow: "report.yml", event: "workflow_run", payload: runPayload(run, of.repo, of.branch, at[of.branch]), commit: at["main"], ref: "refs/heads/main", runID: run + 50, token: writeToken}
		err = m.scenario(ctx, "workflow_run: the report on "+of.who+"'s run comments, with no load", j, func(o *outcome, rep *report, w *wrongs) {
			w.check(!o.failed && m.target.requests.Load() == 0, "red %v, %d requests were sent", o.failed, m.target.requests.Load())
			c := onlyComment(rep, of.number, w)
			w.check(c.User == botLogin && strings.Contains(c.Body, fmt.Sprintf("run=%d.1 sha=%s", run, at[of.branch])) && strings.Contains(c.Body, slowStep), "the comment reads\n%s", c.Body)
			w.check(o.outputs["verdict"] != "" && o.outputs["verdict"] != "pass", "verdict %q", o.outputs["verdict"])
			w.check(!strings.Contains(o.log, "SIGNED"), "the log shows the signed address")
			said = c.Body
		})
		if err != nil {
			return err
		}
		if i > 0 {
			continue // the same once more
		}
		j.payload, j.runID = runPayload(run, of.repo, of.branch, at["faster"]), run+60
		err = m.scenario(ctx, "workflow_run: a run of another commit changes nothing", j, func(o *outcome, rep *report, w *wrongs) {
			w.check(!o.failed && o.outputs["verdict"] == "skipped", "red %v, verdict %q", o.failed, o.outputs["verdict"])
			w.check(onlyComment(rep, of.number, w).Body == said, "the comment has changed")
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func commentsOn(rep *report, number int) (n int) {
	for _, c := range rep.Repos["octo/shop"].Comments {
		if c.Issue == number {
			n++
		}
	}
	return n
}

// queue: the commit of a merge queue is measured only where its pull request was
// not.
func (m *mall) queue(ctx context.Context, at map[string]string) error {
	ref := fmt.Sprintf("refs/heads/gh-readonly-queue/main/pr-7-%s", at["main"])
	j := mallJob{
		workflow: "perf.yml", event: "merge_group", commit: at["faster"], ref: ref, runID: 730, token: writeToken,
		payload: map[string]any{"action": "checks_requested", "merge_group": map[string]any{"head_sha": at["faster"], "head_ref": ref, "base_sha": at["main"], "base_ref": "refs/heads/main"}},
	}
	before := 0
	err := m.scenario(ctx, "merge_group: no job is known on its pull request, so a short load judges the limits", j, func(o *outcome, rep *report, w *wrongs) {
		before = stored(rep)
		w.check(!o.failed && m.target.requests.Load() > 0, "red %v, %d requests", o.failed, m.target.requests.Load())
		w.check(o.outputs["verdict"] == "no-baseline" && strings.Contains(strings.Join(o.summaries, "\n"), "smoke"), "verdict %q, summaries %q", o.outputs["verdict"], o.summaries)
	})
	if err != nil {
		return err
	}
	if err := m.hub.checkRun(ctx, "perf", at["faster"], "success"); err != nil {
		return err
	}
	j.runID++
	err = m.scenario(ctx, "merge_group: this job was green on its pull request, so nothing is sent", j, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && m.target.requests.Load() == 0 && o.outputs["verdict"] == "skipped", "red %v, %d requests, verdict %q", o.failed, m.target.requests.Load(), o.outputs["verdict"])
		w.check(strings.Contains(strings.Join(o.summaries, "\n"), "ended with success on the head of"), "summaries %q", o.summaries)
		w.check(stored(rep) == before, "a baseline was stored")
	})
	if err != nil {
		return err
	}
	// The leg on runner-2 has a name of its own; that of runner-1 ended otherwise.
	m.hub.jobs = []runJob{{"Load (eu)", "in_progress", "runner-1"}, {"Load (us)", "in_progress", "runner-2"}, {"build", "completed", "runner-2"}}
	defer func() { m.hub.jobs = nil }()
	if err := m.hub.checkRun(ctx, "Load (eu)", at["faster"], "success"); err != nil {
		return err
	}
	if err := m.hub.checkRun(ctx, "Load (us)", at["faster"], "failure"); err != nil {
		return err
	}
	j.runID, j.runner = j.runID+1, "runner-2"
	return m.scenario(ctx, "merge_group: a leg of a matrix with a name of its own finds itself, and is red as it was", j, func(o *outcome, _ *report, w *wrongs) {
		w.check(o.failed && m.target.requests.Load() == 0 && o.outputs["exit-code"] == "1", "red %v, %d requests, exit-code %q", o.failed, m.target.requests.Load(), o.outputs["exit-code"])
		w.check(strings.Contains(strings.Join(o.summaries, "\n"), "Load (us)"), "summaries %q", o.summaries)
	})
}

// checkRun makes a job that ended, as GitHub would.
func (h *hub) checkRun(ctx context.Context, name, commit, conclusion string) error {
	body, err := json.Marshal(map[string]any{"name": name, "head_sha": commit, "status": "completed", "conclusion": conclusion, "started_at": "2026-01-01T00:00:00Z"})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+"/repos/octo/shop/check-runs", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+writeToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("making a check run: %s", resp.Status)
	}
	return h.mark(ctx)
}

// deployed: the address of a deployment is the target.
func (m *mall) deployed(ctx context.Context, at map[string]string) error {
	j := mallJob{
		workflow: "perf.yml", event: "deployment_status", commit: at["faster"], ref: "refs/heads/faster", runID: 740, token: writeToken, target: "-",
		payload: map[string]any{
			"deployment":        map[string]any{"sha": at["faster"], "ref": "faster", "environment": "preview"},
			"deployment_status": map[string]any{"state": "success", "environment_url": m.target.url},
		},
	}
	err := m.scenario(ctx, "deployment_status: its address is measured, and its commit's pull request gets the comment", j, func(o *outcome, rep *report, w *wrongs) {
		w.check(m.target.requests.Load() > 0, "nothing was sent")
		c := onlyComment(rep, 7, w)
		w.check(strings.Contains(c.Body, "run=740.1"), "the comment reads\n%s", c.Body)
	})
	if err != nil {
		return err
	}
	m.hub.deployments = append(m.hub.deployments, deployed{at["faster"], "preview", m.target.url + "/"})
	j = mallJob{
		workflow: "perf.yml", event: "pull_request", payload: pullPayload(7, "octo/shop", "faster", at["faster"], at["main"]), commit: at["faster"],
		ref: "refs/pull/7/merge", runID: 741, token: writeToken, target: "deployment:preview",
	}
	return m.scenario(ctx, "base-url: deployment:preview waits for this commit's deployment, and measures it", j, func(o *outcome, rep *report, w *wrongs) {
		w.check(m.target.requests.Load() > 0, "nothing was sent")
		w.check(strings.Contains(onlyComment(rep, 7, w).Body, "run=741.1"), "the comment is not this run's")
	})
}

// clocks: a schedule keeps its own history; a run by hand keeps none, unless the
// workflow says so.
func (m *mall) clocks(ctx context.Context, at map[string]string) error {
	before := 0
	hand := mallJob{workflow: "perf.yml", event: "workflow_dispatch", payload: map[string]any{"inputs": nil}, commit: at["main"], ref: "refs/heads/main", runID: 750, token: writeToken}
	err := m.scenario(ctx, "workflow_dispatch: judged, and not stored", hand, func(o *outcome, rep *report, w *wrongs) {
		before = stored(rep)
		w.check(!o.failed && before == 2, "red %v, %d runs are stored, want 2", o.failed, before)
	})
	if err != nil {
		return err
	}
	hand.runID, hand.update = 751, "always"
	err = m.scenario(ctx, "workflow_dispatch with update-baseline: always: stored", hand, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && stored(rep) == before+1, "red %v, %d runs are stored, want %d", o.failed, stored(rep), before+1)
	})
	if err != nil {
		return err
	}
	night := mallJob{workflow: "perf.yml", event: "schedule", payload: map[string]any{"schedule": "0 4 * * *"}, commit: at["main"], ref: "refs/heads/main", runID: 752, token: readToken, update: "never"}
	err = m.scenario(ctx, "schedule: the profile soak, stored under a key of its own", night, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && o.outputs["verdict"] == "no-baseline", "red %v, verdict %q: nothing of its kind is stored yet", o.failed, o.outputs["verdict"])
		k := keys(rep)
		w.check(len(k) == 2 && stored(rep) == before+2, "the data branch has %v", k)
		w.check(len(m.hub.issues.now()) == 0, "an issue was opened: %v", m.hub.issues.now())
	})
	if err != nil {
		return err
	}
	night.runID = 753
	m.target.failing.Store(true)
	err = m.scenario(ctx, "schedule: what breaks at night opens one issue", night, func(o *outcome, _ *report, w *wrongs) {
		all := m.hub.issues.now()
		w.check(o.failed, "the run is green")
		if w.check(len(all) == 1, "%d issues", len(all)) {
			w.check(all[0].State == "open" && strings.Contains(all[0].Body, "`errors < 1%`") && strings.Contains(all[0].Body, "| "+at["main"][:7]+" |"), "the issue reads\n%s", all[0].Body)
		}
	})
	m.target.failing.Store(false)
	if err != nil {
		return err
	}
	night.runID = 754
	return m.scenario(ctx, "schedule: the next night all is well, and the issue is closed", night, func(_ *outcome, _ *report, w *wrongs) {
		all := m.hub.issues.now()
		w.check(len(all) == 1 && all[0].State == "closed" && strings.Contains(all[0].Body, "run=754.1"), "issues %+v", all)
	})
}

// several: many results, one comment.
func (m *mall) several(ctx context.Context, at map[string]string) error {
	pull := mallJob{
		workflow: "perf.yml", event: "pull_request", payload: pullPayload(9, "octo/shop", "bump", at["bump"], at["main"]), commit: at["bump"],
		ref: "refs/pull/9/merge", runID: 760, token: writeToken,
	}
	had := 0
	two := pull
	two.spec, two.ghes = "perf/api.toml\nperf/web.toml", true
	err := m.scenario(ctx, "two specs, on an Enterprise Server: one comment with two sections", two, func(o *outcome, rep *report, w *wrongs) {
		had = commentsOn(rep, 9)
		c := commentOf(rep, 9, "api%2Bweb")
		w.check(c.ID != 0 && strings.Contains(c.Body, "`api`") && strings.Contains(c.Body, "`web`"), "the comment reads\n%s", c.Body)
		w.check(strings.Contains(c.Body, "https://ghe.example.test/octo/shop/actions/runs/760"), "no link to the server's own run:\n%s", c.Body)
	})
	if err != nil {
		return err
	}
	legs := pull
	legs.workflow, legs.runID, legs.more = "matrix.yml", 761, 2
	err = m.scenario(ctx, "a matrix: two legs, and one comment by the job after them", legs, func(o *outcome, rep *report, w *wrongs) {
		w.check(commentsOn(rep, 9) == had+1, "%d comments, want %d", commentsOn(rep, 9), had+1)
		c := commentOf(rep, 9, "large%2Bsmall", "small%2Blarge")
		w.check(strings.Contains(c.Body, "small") && strings.Contains(c.Body, "large"), "the comment reads\n%s", c.Body)
	})
	if err != nil {
		return err
	}
	cart := pull
	cart.folder, cart.spec, cart.runID = "services/cart", "perf/cart.toml", 762
	m.target.slower(slowPath, 3*time.Second) // no answer in time: the limit on errors breaks, on a line of the spec
	defer m.target.slower("", 0)
	return m.scenario(ctx, "a service of a monorepo: paths from its folder, remarks from the root", cart, func(o *outcome, rep *report, w *wrongs) {
		c := commentOf(rep, 9, "cart")
		w.check(c.ID != 0 && strings.Contains(c.Body, "cart"), "no comment of its own")
		for _, a := range o.commands {
			if f := a.Pairs["file"]; f != "" {
				w.check(f == "services/cart/perf/cart.toml", "a remark on %q", f)
			}
		}
	})
}

// commentOf is the comment on a pull request whose key has one of these parts.
func commentOf(rep *report, number int, parts ...string) emuComment {
	for _, c := range rep.Repos["octo/shop"].Comments {
		first, _, _ := strings.Cut(c.Body, "\n")
		if c.Issue == number && slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(first, p) }) {
			return c
		}
	}
	return emuComment{}
}
