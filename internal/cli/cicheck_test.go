package cli

import (
	"io"
	"log/slog"
	"testing"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// checking is a run of the Action with one spec, as far as its check run goes.
func checking(t *testing.T, input string, hub *githubtest.Server) *ciRun {
	t.Helper()
	client, err := github.New(github.Config{Owner: "octo", Repo: "shop", Token: "t", Transport: hub})
	if err != nil {
		t.Fatal(err)
	}
	fail, err := parseFailOn("")
	if err != nil {
		t.Fatal(err)
	}
	env := &Env{Stdout: io.Discard, Stderr: io.Discard, Dir: t.TempDir(), Getenv: func(string) (string, bool) { return "", false }}
	return &ciRun{
		env: env, client: client, github: true, log: slog.New(slog.DiscardHandler), actions: github.NewActions(io.Discard, env.get),
		event: github.Event{Name: github.EventPullRequest, PR: 7, HeadSHA: firstSHA}, specs: []*spec.Spec{{Name: "api"}},
		in: &ciInputs{checkRun: input, envLabel: "staging", failOn: fail, annotations: true},
	}
}

func TestCheckRun(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		outcome     verdict.Outcome
		interrupted bool
		want        string
	}{
		{verdict.Pass, false, "success"},
		{verdict.Accepted, false, "success"},
		{verdict.Regression, false, "failure"},
		{verdict.Threshold, false, "failure"},
		{verdict.Invalid, false, "failure"},
		{verdict.Inconclusive, false, "neutral"},
		{verdict.NoBaseline, false, "neutral"},
		{verdict.Invalid, true, "cancelled"},
	} {
		hub := githubtest.New()
		c := checking(t, "true", hub)
		c.openChecks(t.Context())
		if all := hub.Checks(); len(all) != 1 || all[0].Name != "loadline / api (staging)" || all[0].Status != "in_progress" {
			t.Fatalf("before the load: %+v", all)
		}
		m := red(firstSHA, noon, 36, 20)
		m.verdict.Outcome, m.run.Interrupted = tc.outcome, tc.interrupted
		c.completeChecks(t.Context(), []*measurement{m}, []*report.Page{report.New(&m.verdict, nil, report.Context{}, nil)}, func(s string) string { return s })
		c.closeChecks(t.Context(), github.Failure, "no verdict", "x") // has nothing left to do
		if got := hub.Checks()[0]; got.Status != "completed" || got.Conclusion != tc.want || got.Updates != 1 {
			t.Errorf("%s: got %+v, want %s after one update", tc.outcome, got, tc.want)
		}
	}
}

// Whatever ends the run, no check stays open.
func TestCheckRunIsClosed(t *testing.T) {
	t.Parallel()
	hub := githubtest.New()
	c := checking(t, "true", hub)
	func() {
		defer func() { _ = recover() }() // as the process would end
		c.openChecks(t.Context())
		defer c.closeChecks(t.Context(), github.Failure, "no verdict", "x")
		panic("a bug")
	}()
	if got := hub.Checks(); len(got) != 1 || got[0].Status != "completed" || got[0].Conclusion != "failure" {
		t.Errorf("got %+v", got)
	}
}

func TestCheckRunOnlyWhereWanted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		input, event string
		want         int
	}{
		{"auto", github.EventPullRequest, 0},
		{"auto", github.EventIssueComment, 1},
		{"false", github.EventIssueComment, 0},
		{"true", github.EventPullRequest, 1},
	} {
		hub := githubtest.New()
		c := checking(t, tc.input, hub)
		c.event.Name = tc.event
		c.openChecks(t.Context())
		if got := len(hub.Checks()); got != tc.want {
			t.Errorf("%s on %s: %d check runs, want %d", tc.input, tc.event, got, tc.want)
		}
	}
	hub := githubtest.New()
	hub.Read = true
	c := checking(t, "true", hub)
	c.openChecks(t.Context())
	if len(c.checks) != 0 || len(c.notes) != 1 {
		t.Errorf("without the right: %d check runs, notes %v", len(c.checks), c.notes)
	}
}
