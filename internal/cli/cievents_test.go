package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

// The commit of a merge queue is not measured where its pull request was.
func TestMergeGroup(t *testing.T) {
	t.Parallel()
	head, base := strings.Repeat("a", 40), strings.Repeat("b", 40)
	queue := func(ref string) map[string]any {
		return map[string]any{
			"action": "checks_requested", "repository": map[string]any{"default_branch": "main", "full_name": githubtest.Repo},
			"merge_group": map[string]any{"head_sha": strings.Repeat("c", 40), "head_ref": ref, "base_sha": base, "base_ref": "refs/heads/main"},
		}
	}
	of7 := queue("refs/heads/gh-readonly-queue/main/pr-7-" + base)
	job := func(conclusion string) []githubtest.Job {
		return []githubtest.Job{{Commit: head, Name: "perf", Conclusion: conclusion}}
	}
	legs := []githubtest.RunJob{{Name: "Load (eu)", Runner: "r1"}, {Name: "Load (us)", Runner: "r2"}}
	ended := []githubtest.Job{{Commit: head, Name: "Load (eu)", Conclusion: "success"}, {Commit: head, Name: "Load (us)", Conclusion: "failure"}}
	tests := []struct {
		name    string
		payload any
		jobs    []githubtest.Job
		code    Exit
		want    string
		runner  string
		running []githubtest.RunJob
	}{
		{name: "a leg of a matrix", payload: of7, jobs: ended, runner: "r1", running: legs, code: ExitPass, want: "The job Load (eu) ended with success on the head of #7"},
		{name: "its other leg", payload: of7, jobs: ended, runner: "r2", running: legs, code: ExitRegression, want: "The job Load (us) ended with failure on the head of #7"},
		{name: "a token that may not list jobs", payload: of7, jobs: job("success"), running: []githubtest.RunJob{{}}, code: ExitPass, want: "The job perf ended with success on the head of #7"},
		{name: "green", payload: of7, jobs: job("success"), code: ExitPass, want: "The job perf ended with success on the head of #7 (aaaaaaa): that stands, and nothing is measured again."},
		{name: "red", payload: of7, jobs: job("failure"), code: ExitRegression, want: "The job perf ended with failure on the head of #7"},
		{name: "too slow", payload: of7, jobs: job("timed_out"), code: ExitRegression, want: "The job perf ended with timed_out"},
		// The target does not answer: that it is asked at all shows that a load was to be sent.
		{name: "cancelled", payload: of7, jobs: job("cancelled"), code: ExitInvalid, want: "limits are judged with a short load"},
		{name: "never run", payload: of7, code: ExitInvalid, want: "limits are judged with a short load"},
		{name: "another queue", payload: queue("refs/heads/somewhere"), jobs: job("success"), code: ExitInvalid, want: "limits are judged with a short load"},
	}
	for _, tt := range tests {
		g := newGround(t)
		g.writeSpec(strings.Replace(jobSpec, `url = "${BASE_URL}"`, `url = "http://127.0.0.1:1"`, 1) + "[profile.smoke.load]\nusers = 1\nduration = \"5s\"\n")
		g.hub.Pulls = []githubtest.Pull{{Number: 7, HeadRepo: githubtest.Repo, HeadRef: "x", HeadSHA: head, BaseRef: "main", BaseSHA: base}}
		g.hub.Jobs, g.hub.RunJobs = tt.jobs, tt.running
		code, log, summary := g.run("ci", "merge_group", tt.payload, "GITHUB_JOB", "perf", "RUNNER_NAME", tt.runner, "INPUT_READY_TIMEOUT", "1ms")
		if code != tt.code || !strings.Contains(log, tt.want) || !strings.Contains(summary, tt.want[:10]) {
			t.Errorf("%s: status %d, want %d with %q:\n%s\nsummary: %s", tt.name, code, tt.code, tt.want, log, summary)
		}
		if tt.code == ExitInvalid && !strings.Contains(summary, "smoke") {
			t.Errorf("%s: not with the profile smoke:\n%s", tt.name, summary)
		}
	}
}

func (g *ground) writeSpec(text string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, "loadline.toml"), []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// Events in whose jobs nothing may be sent, or nothing is to be.
func TestEventsThatMeasureNothing(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("a", 40)
	repo := map[string]any{"default_branch": "main", "full_name": githubtest.Repo}
	tests := []struct {
		name, event string
		payload     any
		code        Exit
		want        string
	}{
		{"pull_request_target", "pull_request_target", pullEvent(8, "mallory/shop", head, head), ExitUsage, "refused: use pull_request (LL40)"},
		{"after a pull request's run", "workflow_run", workflowRun(200, "pull_request", "mallory/shop", head), ExitUsage, "rights that its code must not have"},
		{"a branch that was deleted", "push", map[string]any{"ref": "refs/heads/x", "deleted": true, "after": strings.Repeat("0", 40), "repository": repo}, ExitPass, "nothing to measure"},
		{"a deployment that goes on", "deployment_status", map[string]any{
			"deployment": map[string]any{"sha": head, "ref": "x", "environment": "preview"}, "deployment_status": map[string]any{"state": "pending\n::error::x"}, "repository": repo,
		}, ExitPass, "nothing to measure yet"},
	}
	for _, tt := range tests {
		g := newGround(t)
		g.writeSpec(jobSpec)
		code, log, _ := g.run("ci", tt.event, tt.payload, "INPUT_BASE_URL", "http://127.0.0.1:1")
		if code != tt.code || !strings.Contains(log, tt.want) || strings.Contains(log, "\n::error") {
			t.Errorf("%s: status %d, want %d with %q:\n%s", tt.name, code, tt.code, tt.want, log)
		}
		if len(g.hub.Calls()) != 0 {
			t.Errorf("%s: called %v", tt.name, g.hub.Calls())
		}
	}
}

// base-url: deployment:X waits, and says what it waited for.
func TestBaseURLOfADeployment(t *testing.T) {
	t.Parallel()
	head := strings.Repeat("a", 40)
	tests := []struct {
		name, url string
		have      []githubtest.Deployment
		code      Exit
		want      string
	}{
		{"none", "deployment:preview", nil, ExitInvalid, "the environment preview has no finished deployment of aaaaaaaaaa"},
		{"of another commit", "deployment:preview", []githubtest.Deployment{{ID: 1, SHA: strings.Repeat("b", 40), Environment: "preview", Statuses: []githubtest.Status{{State: "success", URL: "http://x.test"}}}}, ExitInvalid, "no deployment of this commit;"},
		{"no http", "deployment:preview", []githubtest.Deployment{{ID: 1, SHA: head, Environment: "preview", Statuses: []githubtest.Status{{State: "success", URL: "file:///etc/passwd"}}}}, ExitInvalid, `"file:///etc/passwd" is not a URL`},
		{"nothing listens", "deployment:preview", []githubtest.Deployment{{ID: 1, SHA: head, Environment: "preview", Statuses: []githubtest.Status{{State: "success", URL: "http://127.0.0.1:1/"}}}}, ExitInvalid, "127.0.0.1:1 cannot be reached"},
		{"no name", "deployment:", nil, ExitUsage, "name the environment, as in deployment:preview"},
	}
	for _, tt := range tests {
		g := newGround(t)
		g.writeSpec(jobSpec)
		g.hub.Deployments = tt.have
		code, log, _ := g.run("ci", "push", push(head), "INPUT_BASE_URL", tt.url, "INPUT_READY_TIMEOUT", "1ms", "BASE_URL", "http://127.0.0.1:2")
		if code != tt.code || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", tt.name, code, tt.code, tt.want, log)
		}
	}
}

// A spec's author cannot choose whom our runners call, nor how hard.
func TestWhatASpecMayNotDo(t *testing.T) {
	t.Parallel()
	head, base := strings.Repeat("a", 40), strings.Repeat("b", 40)
	pushed, forked := push(head), pullEvent(8, "mallory/shop", head, base)
	elsewhere := strings.Replace(jobSpec, `url = "${BASE_URL}"`, `url = "http://192.0.2.1"`, 1)
	through := func(setting string) string {
		return strings.Replace(jobSpec, "[load]", "[http]\n"+setting+"\n[load]", 1)
	}
	fast := strings.Replace(elsewhere, "users = 2", `rate = "2001/s"`, 1)
	tests := []struct {
		name, spec, event string
		payload           any
		inputs            []string
		want              string
	}{
		{"a fork's spec names a host", elsewhere, "pull_request", forked, nil, "host 192.0.2.1 is not in allowed-hosts, which the workflow sets, not the spec; nothing was sent"},
		{"a spec adds a host to the workflow's", strings.Replace(jobSpec, "[load]", "allow_hosts = [\"192.0.2.1\"]\n[load]", 1), "push", pushed, []string{"INPUT_BASE_URL", "http://127.0.0.1:1"}, "host 192.0.2.1 is not in allowed-hosts"},
		{"a fork's spec leads the runner's own address elsewhere", through(`resolve = { "127.0.0.1:2" = "169.254.169.254:80" }`), "pull_request", forked, nil, "host 169.254.169.254:80 is not in allowed-hosts"},
		{"a spec leads the workflow's host elsewhere", through(`resolve = { "staging.test:443" = "192.0.2.1:443" }`), "push", pushed, []string{"INPUT_BASE_URL", "https://staging.test"}, "host 192.0.2.1:443 is not in allowed-hosts"},
		{"a spec goes through a proxy of its own", through(`proxy = "http://192.0.2.1:8080"`), "push", pushed, []string{"INPUT_BASE_URL", "https://staging.test"}, "host 192.0.2.1:8080 is not in allowed-hosts"},
		{"too much, by a detour from the runner's own address", strings.Replace(through(`resolve = { "127.0.0.1:2" = "192.0.2.1:80" }`), "users = 2", `rate = "2001/s"`, 1), "push", pushed, nil, "asks for 2,001 arrivals per second"},
		{"a fork's spec reads metrics elsewhere", jobSpec + "[[observe]]\nscrape = \"http://169.254.169.254/metrics\"\nseries = { x = { expr = \"x\" } }\n", "pull_request", forked, nil, "host 169.254.169.254 is not in allowed-hosts"},
		{"a spec asks a Prometheus that the workflow does not know", jobSpec + "[[observe]]\nprometheus = \"http://192.0.2.1:9090\"\nseries = { x = { expr = \"x\" } }\n", "push", pushed, []string{"INPUT_BASE_URL", "http://127.0.0.1:1"}, "host 192.0.2.1:9090 is not in allowed-hosts"},
		{"a spec runs what holds the token", jobSpec + "[[observe]]\ncommand = \"echo ${INPUT_TOKEN}\"\nseries = { x = {} }\n", "push", pushed, []string{"INPUT_ALLOW_EXEC", "true"}, "INPUT_TOKEN"},
		{"a spec names the token", strings.Replace(jobSpec, "[load]", "[http.headers]\nX-Take = \"${INPUT_TOKEN}\"\n[load]", 1), "push", pushed, nil, "INPUT_TOKEN"},
		{"too much", fast, "push", pushed, nil, "asks for 2,001 arrivals per second, and 2,000 are the most in CI; nothing was sent"},
		{"too much, from a profile", elsewhere + "[profile.smoke.load]\nrate = \"5000/s\"\nduration = \"5s\"\n", "push", pushed, []string{"INPUT_PROFILE", "smoke"}, "asks for 5,000 arrivals per second"},
	}
	for _, tt := range tests {
		g := newGround(t)
		g.writeSpec(tt.spec)
		code, log, _ := g.run("ci", tt.event, tt.payload, append(tt.inputs, "INPUT_READY_TIMEOUT", "1ms", "BASE_URL", "http://127.0.0.1:2")...)
		if code != ExitUsage || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", tt.name, code, ExitUsage, tt.want, log)
		}
	}
}
