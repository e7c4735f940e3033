package github

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	headSHA = "8a1e38dc97000000000000000000000000000001"
	baseSHA = "4c1d9e2000000000000000000000000000000002"
	testSHA = "aaaaaaaaaa000000000000000000000000000003"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	pull := func(action, headRepo string) string {
		repo := `{"full_name":"` + headRepo + `"}`
		if headRepo == "" {
			repo = "null"
		}
		return `{"action":"` + action + `","number":7,"label":{"name":"perf-accepted"},"repository":{"full_name":"octo/shop","default_branch":"main"},
			"pull_request":{"number":7,"head":{"sha":"` + headSHA + `","ref":"faster","repo":` + repo + `},"base":{"sha":"` + baseSHA + `","ref":"main","repo":{"full_name":"octo/shop"}}}}`
	}
	onPull := Event{
		Name: "pull_request", Action: "synchronize", Label: "perf-accepted", Ref: "refs/pull/7/merge", DefaultBranch: "main", SHA: testSHA,
		HeadSHA: headSHA, HeadRef: "faster", HeadRepo: "octo/shop", BaseSHA: baseSHA, BaseRef: "main", PR: 7,
	}
	fork := onPull
	fork.HeadRepo, fork.Fork = "mallory/shop", true
	gone := onPull
	gone.HeadRepo, gone.Fork = "", true
	target := fork
	target.Name, target.Ref, target.Action = "pull_request_target", "refs/heads/main", "labeled"

	tests := []struct {
		name    string
		ref     string
		payload string
		want    Event
	}{
		{"pull_request", "refs/pull/7/merge", pull("synchronize", "octo/shop"), onPull},
		{"pull_request", "refs/pull/7/merge", pull("synchronize", "mallory/shop"), fork},
		{"pull_request", "refs/pull/7/merge", pull("synchronize", ""), gone},
		{"pull_request_target", "refs/heads/main", pull("labeled", "mallory/shop"), target},
		{
			"push", "refs/heads/main",
			`{"ref":"refs/heads/main","before":"` + baseSHA + `","after":"` + headSHA + `","repository":{"full_name":"octo/shop","default_branch":"main"}}`,
			Event{Name: "push", Ref: "refs/heads/main", DefaultBranch: "main", SHA: testSHA, HeadSHA: headSHA, HeadRef: "main", HeadRepo: "octo/shop", BaseSHA: baseSHA, BaseRef: "main"},
		},
		{
			"push", "refs/heads/old",
			`{"ref":"refs/heads/old","before":"` + baseSHA + `","after":"` + strings.Repeat("0", 40) + `","deleted":true,"repository":{"default_branch":"main"}}`,
			Event{Name: "push", Ref: "refs/heads/old", DefaultBranch: "main", SHA: testSHA, HeadSHA: testSHA, HeadRef: "old", HeadRepo: "octo/shop", BaseSHA: baseSHA, BaseRef: "old", Deleted: true},
		},
		{
			"merge_group", "refs/heads/gh-readonly-queue/main/pr-104-" + baseSHA,
			`{"action":"checks_requested","repository":{"default_branch":"main"},"merge_group":{"head_sha":"` + headSHA + `","head_ref":"refs/heads/gh-readonly-queue/main/pr-104-` + baseSHA + `","base_sha":"` + baseSHA + `","base_ref":"refs/heads/main"}}`,
			Event{
				Name: "merge_group", Action: "checks_requested", Ref: "refs/heads/gh-readonly-queue/main/pr-104-" + baseSHA, DefaultBranch: "main", SHA: testSHA,
				HeadSHA: headSHA, HeadRef: "gh-readonly-queue/main/pr-104-" + baseSHA, HeadRepo: "octo/shop", BaseSHA: baseSHA, BaseRef: "main", PR: 104,
			},
		},
		{
			"schedule", "refs/heads/main", `{"schedule":"0 4 * * *","repository":{"default_branch":"main"}}`,
			Event{Name: "schedule", Ref: "refs/heads/main", DefaultBranch: "main", SHA: testSHA, HeadSHA: testSHA, HeadRef: "main", HeadRepo: "octo/shop"},
		},
		{
			"workflow_dispatch", "refs/tags/v1", `{"inputs":null,"repository":{"default_branch":"main"}}`,
			Event{Name: "workflow_dispatch", Ref: "refs/tags/v1", DefaultBranch: "main", SHA: testSHA, HeadSHA: testSHA, HeadRepo: "octo/shop"},
		},
		{
			"deployment_status", "", `{"deployment":{"sha":"` + headSHA + `","ref":"faster","environment":"preview"},"deployment_status":{"state":"success","environment_url":"","target_url":"https://p.example"},"repository":{"default_branch":"main"}}`,
			Event{
				Name: "deployment_status", DefaultBranch: "main", SHA: testSHA, HeadSHA: headSHA, HeadRef: "faster", HeadRepo: "octo/shop",
				Environment: "preview", EnvironmentURL: "https://p.example", State: "success",
			},
		},
		{
			"workflow_run", "refs/heads/main", `{"action":"completed","workflow_run":{"id":99,"run_attempt":3,"head_sha":"` + headSHA + `","head_branch":"faster","event":"pull_request","conclusion":"failure","head_repository":{"full_name":"mallory/shop"}},"repository":{"default_branch":"main"}}`,
			Event{
				Name: "workflow_run", Action: "completed", Ref: "refs/heads/main", DefaultBranch: "main", SHA: testSHA, HeadSHA: headSHA, HeadRef: "faster", HeadRepo: "mallory/shop", Fork: true,
				OtherRunID: 99, OtherRunAttempt: 3, OtherEvent: "pull_request",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{
				"GITHUB_EVENT_NAME": tt.name, "GITHUB_EVENT_PATH": "/event.json", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_REF": tt.ref,
				"GITHUB_SHA": strings.ToUpper(testSHA), "GITHUB_RUN_ID": "987", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_ACTOR": "alice",
				"GITHUB_SERVER_URL": "https://ghe.example/", "GITHUB_API_URL": "https://ghe.example/api/v3", "GITHUB_WORKFLOW": "perf", "GITHUB_JOB": "gate", "GITHUB_WORKSPACE": "/w",
			}
			got, err := Detect(func(k string) string { return env[k] }, func(string) ([]byte, error) { return []byte(tt.payload), nil })
			if err != nil {
				t.Fatal(err)
			}
			want := tt.want
			want.Owner, want.Repo, want.RunID, want.RunAttempt, want.Actor = "octo", "shop", 987, 2, "alice"
			want.ServerURL, want.APIURL, want.Workflow, want.Job, want.Workspace = "https://ghe.example", "https://ghe.example/api/v3", "perf", "gate", "/w"
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("got - want +\n%s", diff)
			}
			if got, want := got.RunURL(), "https://ghe.example/octo/shop/actions/runs/987/attempts/2"; got != want {
				t.Errorf("RunURL: got %s, want %s", got, want)
			}
		})
	}
}

func TestDetectRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Detect(func(string) string { return "" }, os.ReadFile); !errors.Is(err, ErrNoEvent) {
		t.Errorf("outside of Actions: got %v, want ErrNoEvent", err)
	}
	env := map[string]string{"GITHUB_EVENT_NAME": "pull_request"}
	read := func(text string) func(string) ([]byte, error) {
		return func(string) ([]byte, error) { return []byte(text), nil }
	}
	getenv := func(k string) string { return env[k] }
	if _, err := Detect(getenv, read("")); err == nil || !strings.Contains(err.Error(), "GITHUB_EVENT_PATH is not set") {
		t.Errorf("no file named: got %v", err)
	}
	env["GITHUB_EVENT_PATH"] = "/event.json"
	if _, err := Detect(getenv, func(string) ([]byte, error) { return nil, fs.ErrNotExist }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: got %v", err)
	}
	for text, want := range map[string]string{"{": "unexpected end", "{}": "no pull_request"} {
		if _, err := Detect(getenv, read(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("payload %s: got %v, want %q", text, err, want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		e    Event
		want bool
	}{
		{"own branch", Event{Name: "pull_request"}, false},
		{"fork", Event{Name: "pull_request", Fork: true}, true},
		{"dependabot", Event{Name: "pull_request", Actor: "dependabot[bot]"}, true},
		{"target of a fork", Event{Name: "pull_request_target", Fork: true}, false},
		{"push", Event{Name: "push"}, false},
	}
	for _, tt := range tests {
		if got := tt.e.ReadOnly(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestOnDefaultBranch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		e    Event
		want bool
	}{
		{"push to main", Event{Name: "push", HeadRef: "main", DefaultBranch: "main"}, true},
		{"push to another", Event{Name: "push", HeadRef: "x", DefaultBranch: "main"}, false},
		{"deleted", Event{Name: "push", HeadRef: "main", DefaultBranch: "main", Deleted: true}, false},
		{"default unknown", Event{Name: "push"}, false},
		{"schedule", Event{Name: "schedule", HeadRef: "main", DefaultBranch: "main"}, false},
	}
	for _, tt := range tests {
		if got := tt.e.OnDefaultBranch(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whatever a payload says, SHAs are whole or absent, and the repository stays
// the one that the environment names.
func FuzzEvent(f *testing.F) {
	for _, name := range []string{"pull_request", "push", "merge_group", "deployment_status", "workflow_run", "schedule"} {
		f.Add(name, []byte(`{"pull_request":{"number":7,"head":{"sha":"`+headSHA+`"}},"workflow_run":{"id":1},"merge_group":{"head_ref":"x/pr-1-`+baseSHA+`"},"deployment":{},"deployment_status":{}}`))
		f.Add(name, []byte(`{"number":-1,"pull_request":null}`))
	}
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		env := map[string]string{"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": "/e", "GITHUB_REPOSITORY": "octo/shop"}
		e, err := Detect(func(k string) string { return env[k] }, func(string) ([]byte, error) { return payload, nil })
		if err != nil {
			return
		}
		for _, s := range []string{e.SHA, e.HeadSHA, e.BaseSHA} {
			if s != "" && sha(s) != s {
				t.Errorf("not a SHA: %q", s)
			}
		}
		if e.PR < 0 {
			t.Errorf("PR %d", e.PR)
		}
		if e.Owner != "octo" || e.Repo != "shop" {
			t.Errorf("repository %s/%s", e.Owner, e.Repo)
		}
	})
}
