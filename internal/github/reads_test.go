package github

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

// The pull request of a workflow_run is the one that stands at its repository,
// branch and commit; one that only claims to is somebody else's.
func TestPullFrom(t *testing.T) {
	t.Parallel()
	mallory := githubtest.Pull{Number: 8, HeadRepo: "mallory/shop", HeadRef: "patch", HeadSHA: headSHA, BaseRef: "main", BaseSHA: baseSHA}
	with := func(change func(*githubtest.Pull)) githubtest.Pull {
		p := mallory
		change(&p)
		return p
	}
	tests := []struct {
		name  string
		pulls []githubtest.Pull
		want  int
	}{
		{"none", nil, 0},
		{"the one", []githubtest.Pull{mallory}, 8},
		{"closed", []githubtest.Pull{with(func(p *githubtest.Pull) { p.State = "closed" })}, 0},
		{"moved on", []githubtest.Pull{with(func(p *githubtest.Pull) { p.HeadSHA = testSHA })}, 0},
		{"another branch at that commit", []githubtest.Pull{with(func(p *githubtest.Pull) { p.HeadRef = "other" })}, 0},
		{"another repository of that owner", []githubtest.Pull{with(func(p *githubtest.Pull) { p.HeadRepo = "mallory/shop2" })}, 0},
		{"a victim's at the same commit", []githubtest.Pull{with(func(p *githubtest.Pull) { p.Number, p.HeadRepo = 7, "alice/shop" }), mallory}, 8},
		{"a deleted fork", []githubtest.Pull{with(func(p *githubtest.Pull) { p.HeadRepo = "" })}, 0},
	}
	for _, tt := range tests {
		s := githubtest.New()
		s.Pulls = tt.pulls
		got, err := client(t, s).PullFrom(t.Context(), "mallory/shop", "patch", headSHA)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if n := got; (n == nil && tt.want != 0) || (n != nil && n.Number != tt.want) {
			t.Errorf("%s: got %+v, want #%d", tt.name, got, tt.want)
		}
	}
	s := githubtest.New()
	for _, from := range [][3]string{{"", "patch", headSHA}, {"mallory/shop", "", headSHA}, {"mallory/shop", "patch", ""}} {
		if p, err := client(t, s).PullFrom(t.Context(), from[0], from[1], from[2]); err == nil || p != nil || len(s.Calls()) > 0 {
			t.Errorf("%q: got %v, %v after %v", from, p, err, s.Calls())
		}
	}
}

func TestPullWith(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Pulls = []githubtest.Pull{
		{Number: 3, HeadRepo: "octo/shop", HeadRef: "a", HeadSHA: headSHA, BaseRef: "main", BaseSHA: baseSHA},
		{Number: 5, HeadRepo: "octo/shop", HeadRef: "b", HeadSHA: headSHA, BaseRef: "main", BaseSHA: baseSHA},
		{Number: 9, HeadRepo: "octo/shop", HeadRef: "c", HeadSHA: headSHA, State: "closed"},
		{Number: 11, HeadRepo: "octo/shop", HeadRef: "d", HeadSHA: testSHA, BaseSHA: headSHA},
	}
	got, err := client(t, s).PullWith(t.Context(), headSHA)
	want := &Pull{Number: 5, HeadSHA: headSHA, HeadRef: "b", HeadRepo: "octo/shop", BaseSHA: baseSHA, BaseRef: "main"}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := client(t, s).PullWith(t.Context(), baseSHA); err != nil || got != nil {
		t.Errorf("a commit that is no head: got %+v, %v", got, err)
	}
	if got, err := client(t, s).PullNumber(t.Context(), 3); err != nil || got.HeadSHA != headSHA {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestJobConclusion(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	s := githubtest.New()
	s.Jobs = []githubtest.Job{
		{Commit: headSHA, Name: "perf", Conclusion: "failure", Started: at},
		{Commit: headSHA, Name: "perf", Conclusion: "success", Started: at.Add(time.Minute)},
		{Commit: headSHA, Name: "perf", Conclusion: "failure", App: "mallory", Started: at.Add(time.Hour)},
		{Commit: headSHA, Name: "perf", Status: "in_progress", Started: at.Add(time.Hour)},
		{Commit: headSHA, Name: "lint", Conclusion: "failure", Started: at.Add(time.Hour)},
	}
	for _, tt := range []struct{ commit, name, want string }{{headSHA, "perf", "success"}, {headSHA, "other", ""}, {baseSHA, "perf", ""}} {
		if got, err := client(t, s).JobConclusion(t.Context(), tt.commit, tt.name); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestJobName(t *testing.T) {
	t.Parallel()
	var many []githubtest.RunJob
	for i := range 150 {
		many = append(many, githubtest.RunJob{Name: fmt.Sprintf("load (%d)", i), Runner: fmt.Sprintf("r%d", i)})
	}
	for _, tt := range []struct {
		name   string
		runner string
		jobs   []githubtest.RunJob
		want   string
		fails  bool
	}{
		{"by its runner", "r2", []githubtest.RunJob{{Name: "Load (eu)", Runner: "r1"}, {Name: "Load (us)", Runner: "r2"}}, "Load (us)", false},
		{"a runner that had another job before", "r1", []githubtest.RunJob{{Name: "build", Status: "completed", Runner: "r1"}, {Name: "Load test", Runner: "r1"}}, "Load test", false},
		{"the only one that goes on", "", []githubtest.RunJob{{Name: "build", Status: "completed"}, {Name: "Load test"}, {Name: "report", Status: "queued"}}, "Load test", false},
		{"on the second page", "r149", many, "load (149)", false},
		{"two runners of one name", "r1", []githubtest.RunJob{{Name: "a", Runner: "r1"}, {Name: "b", Runner: "r1"}}, "", false},
		{"several, and none on this runner", "r9", []githubtest.RunJob{{Name: "a", Runner: "r1"}, {Name: "b", Runner: "r2"}}, "", false},
		{"none", "r1", nil, "", false},
		{"may not be asked", "r1", []githubtest.RunJob{{}}, "", true},
	} {
		s := githubtest.New()
		s.RunJobs = tt.jobs
		got, err := client(t, s).JobName(t.Context(), 5, 0, tt.runner)
		if got != tt.want || (err != nil) != tt.fails || tt.fails && !strings.Contains(err.Error(), actionsRead) {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestFilesAt(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Texts = map[string]string{headSHA + ":perf/api.toml": "name = \"api\"\n", headSHA + ":big": strings.Repeat("x", MaxFile+1)}
	at := client(t, s).FilesAt(t.Context(), headSHA)
	for range 2 { // the second time nothing is asked
		if data, err := fs.ReadFile(at, "perf/api.toml"); err != nil || string(data) != "name = \"api\"\n" {
			t.Errorf("got %q, %v", data, err)
		}
	}
	if _, err := fs.ReadFile(at, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := fs.ReadFile(at, "big"); err == nil || !strings.Contains(err.Error(), "more than 16777216 bytes") {
		t.Errorf("got %v", err)
	}
	for _, name := range []string{"../other/repo", "/etc/passwd", ".", "a//b"} {
		if _, err := fs.ReadFile(at, name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(s.Calls()); n != 3 {
		t.Errorf("%d calls, want 3: %v", n, s.Calls())
	}
	for i := range 20 {
		_, _ = fs.ReadFile(at, strings.Repeat("x", i+1)) // only their number matters
	}
	if n := len(s.Calls()); n != maxFilesAt {
		t.Errorf("%d calls, want %d", n, maxFilesAt)
	}
}

func TestWaitDeployment(t *testing.T) {
	t.Parallel()
	const url = "https://pr-7.preview.test"
	for _, tt := range []struct {
		name    string
		after   time.Duration // when it is there
		states  []githubtest.Status
		want    string
		err     string
		waited  time.Duration // at least
		calls   int           // at most
		timeout time.Duration
	}{
		{"at once", 0, []githubtest.Status{{State: "success", URL: url}}, url, "", 0, 2, 5 * time.Minute},
		{"after a while", 90 * time.Second, []githubtest.Status{{State: "success", URL: url}}, url, "", 90 * time.Second, 10, 5 * time.Minute},
		{"never", time.Hour, nil, "", "no finished deployment of 8a1e38dc97: waited 5m0s, last seen: no deployment of this commit", 5 * time.Minute, 15, 5 * time.Minute},
		{"never in an hour", 2 * time.Hour, nil, "", "waited 1h0m0s", time.Hour, 20, time.Hour},
		{"stuck", 0, []githubtest.Status{{State: "in_progress"}, {State: "queued"}}, "", "last seen: in_progress", 5 * time.Minute, 15, 5 * time.Minute},
		{"failed", 0, []githubtest.Status{{State: "failure"}, {State: "success", URL: url}}, "", "last seen: failure", 5 * time.Minute, 25, 5 * time.Minute},
		{"no status", 0, []githubtest.Status{}, "", "a deployment without a status", 5 * time.Minute, 15, 5 * time.Minute},
		{"no address", 0, []githubtest.Status{{State: "success"}}, "", "no environment_url", 0, 2, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := githubtest.New()
			began := time.Now()
			other := githubtest.Deployment{ID: 1, SHA: baseSHA, Environment: "preview", Statuses: []githubtest.Status{{State: "success", URL: "https://old.test"}}}
			s.Deployments = []githubtest.Deployment{other}
			s.Before = func(*http.Request) *githubtest.Fault {
				if len(s.Deployments) == 1 && time.Since(began) >= tt.after {
					s.Deployments = append(s.Deployments, githubtest.Deployment{ID: 2, SHA: headSHA, Environment: "preview", Statuses: tt.states})
				}
				return nil
			}
			got, err := client(t, s).WaitDeployment(t.Context(), headSHA, "preview", tt.timeout)
			if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: got %q, %v", tt.name, got, err)
			}
			if took := time.Since(began); took < tt.waited || took > tt.timeout {
				t.Errorf("%s: waited %v", tt.name, took)
			}
			if n := len(s.Calls()); n > tt.calls {
				t.Errorf("%s: %d calls, want at most %d", tt.name, n, tt.calls)
			}
		})
	}
}
