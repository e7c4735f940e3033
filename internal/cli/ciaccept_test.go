package cli

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

const (
	firstSHA  = "1111111111111111111111111111111111111111"
	secondSHA = "2222222222222222222222222222222222222222"
	mergedSHA = "3333333333333333333333333333333333333333"
	acceptTag = "perf-accepted"
)

// noon is when the first commit was measured; the label comes an hour later.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A pullDesk is one pull request on one GitHub, over several runs of the Action.
type pullDesk struct {
	t    *testing.T
	hub  *githubtest.Server
	ways string
	runs int64
	fork bool
}

func newPullDesk(t *testing.T, ways string) *pullDesk {
	t.Helper()
	d := &pullDesk{t: t, hub: githubtest.New(), ways: ways}
	d.hub.Pulls = []githubtest.Pull{{Number: 7, HeadRepo: githubtest.Repo, HeadRef: "signed", HeadSHA: firstSHA, BaseRef: "main", BaseSHA: mergedSHA, Author: "carol"}}
	d.hub.People = githubtest.People{
		Levels: map[string]string{"alice": "admin", "bob": "write", "mallory": "read", "trent": "none"},
		Runs:   map[int64]time.Time{},
	}
	return d
}

// label puts a label on at a time, by somebody.
func (d *pullDesk) label(name, by string, at time.Time) {
	d.hub.Pulls[0].Labels = []string{name}
	d.hub.People.Labelings = append(d.hub.People.Labelings, githubtest.Labeling{Issue: 7, Label: name, By: by, At: at})
}

// red is a measurement with two rows that are worse.
func red(commit string, started time.Time, orders, cart float64) *measurement {
	row := func(step string, change float64) verdict.Finding {
		return verdict.Finding{
			Scenario: "shop", Step: step, Metric: "p99", Base: 200, Head: 200 + 2*change, ChangePercent: change, LowPercent: change - 8, HighPercent: change + 8.5, Call: verdict.Slower,
		}
	}
	m := &measurement{spec: &spec.Spec{Name: "api", File: "perf/api.toml"}, run: &result.Run{Spec: "api", Commit: commit, Started: started}}
	m.run.Environment.Label = "staging"
	m.verdict = verdict.Verdict{Outcome: verdict.Regression, Findings: []verdict.Finding{row("GET /orders", orders), row("GET /cart", cart)}}
	for i := range m.verdict.Findings {
		if m.verdict.Findings[i].ChangePercent < 10 {
			m.verdict.Findings[i].Call = verdict.Unchanged
		}
	}
	return m
}

// decide runs the part of the Action that follows a measurement.
func (d *pullDesk) decide(e github.Event, m *measurement) *measurement {
	d.t.Helper()
	ways, err := parseAccept(d.ways)
	if err != nil {
		d.t.Fatal(err)
	}
	client, err := github.New(github.Config{Owner: "octo", Repo: "shop", Token: "t", Transport: d.hub})
	if err != nil {
		d.t.Fatal(err)
	}
	d.runs++
	e.Owner, e.Repo, e.RunID, e.RunAttempt = "octo", "shop", d.runs, 1
	if e.Name == "" {
		e.Name = github.EventPullRequest
	}
	if e.Name == github.EventPullRequest {
		e.PR, e.HeadSHA = 7, m.run.Commit
		d.hub.Pulls[0].HeadSHA = m.run.Commit
	}
	env := &Env{Stdout: io.Discard, Stderr: io.Discard, Dir: d.t.TempDir(), Getenv: func(string) (string, bool) { return "", false }}
	c := &ciRun{
		env: env, client: client, event: e, github: true, log: slog.New(slog.DiscardHandler),
		in:      &ciInputs{accept: ways, acceptLabel: acceptTag, envLabel: "staging", comment: "always", dir: "baselines"},
		actions: github.NewActions(io.Discard, env.get),
	}
	c.store = &ciStore{event: &c.event}
	all := []*measurement{m}
	c.accept(d.t.Context(), all)
	if !d.fork {
		page := report.New(&m.verdict, nil, report.Context{}, nil)
		c.comment(d.t.Context(), all, []*report.Page{page}, func(s string) string { return s })
	}
	return m
}

// told are the messages of the verdict that speak of acceptances.
func told(m *measurement) string {
	var all []string
	for _, r := range append(m.verdict.Reasons, m.verdict.Warnings...) {
		all = append(all, r.Message)
	}
	return strings.Join(all, "\n")
}

func (d *pullDesk) want(m *measurement, want verdict.Outcome, says string) {
	d.t.Helper()
	if m.verdict.Outcome != want || !strings.Contains(told(m), says) {
		d.t.Fatalf("got %s, want %s, saying %q:\n%s", m.verdict.Outcome, want, says, told(m))
	}
}

func TestLabelOfAWriter(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "label")
	push := github.Event{Action: "synchronize"}
	d.want(d.decide(push, red(firstSHA, noon, 36, 20)), verdict.Regression, "")
	d.label(acceptTag, "bob", noon.Add(time.Hour))
	labelled := github.Event{Action: "labeled", Label: acceptTag}
	m := d.decide(labelled, red(firstSHA, noon, 36, 20))
	d.want(m, verdict.Accepted, "GET /orders p99 was accepted up to +45% by bob (label)")
	if body := d.hub.Comments(7, "github-actions[bot]")[0].Body; !strings.Contains(body, "\n<!-- loadline-data v1 ") {
		t.Errorf("the comment remembers nothing:\n%s", body)
	}

	// A later commit, measured after the label.
	d.want(d.decide(push, red(secondSHA, noon.Add(2*time.Hour), 40, 1)), verdict.Accepted, "up to +45%")
	d.want(d.decide(push, red(secondSHA, noon.Add(2*time.Hour), 1, 1)), verdict.Regression, "") // nothing worse: Accept leaves what Judge said
	d.want(d.decide(push, red(secondSHA, noon.Add(2*time.Hour), 40, 20)), verdict.Accepted, "up to +29%")
	d.want(d.decide(push, red(secondSHA, noon.Add(2*time.Hour), 50, 20)), verdict.Regression, "GET /orders p99 was accepted up to +45% by bob (label), and this is beyond it")

	d.hub.Pulls[0].Labels = nil
	d.want(d.decide(github.Event{Action: "unlabeled", Label: acceptTag}, red(secondSHA, noon.Add(2*time.Hour), 40, 20)), verdict.Regression, "")
	// Put on again before a third commit: what the first label took is gone for good.
	d.label(acceptTag, "alice", noon.Add(3*time.Hour))
	d.want(d.decide(push, red(mergedSHA, noon.Add(4*time.Hour), 40, 1)), verdict.Regression, "was put on before this commit was there")
}

func TestLabelsThatDoNotCount(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, ways, label, by string
		at                    time.Time
		event                 github.Event
		want                  verdict.Outcome
		says                  string
	}{
		{"a reader's", "label", acceptTag, "mallory", noon.Add(time.Hour), github.Event{Action: "labeled", Label: acceptTag}, verdict.Regression, "mallory put it on, and may not write"},
		{"of somebody with no rights", "label", acceptTag, "trent", noon.Add(time.Hour), github.Event{}, verdict.Regression, "may not write"},
		{"of an app that nobody knows", "label", acceptTag, "helper[bot]", noon.Add(time.Hour), github.Event{}, verdict.Regression, "may not write"},
		{"another label", "label", "perf-acceptedd", "alice", noon.Add(time.Hour), github.Event{}, verdict.Regression, ""},
		{"another way", "trailer", acceptTag, "alice", noon.Add(time.Hour), github.Event{}, verdict.Regression, ""},
		{"no way", "none", acceptTag, "alice", noon.Add(time.Hour), github.Event{}, verdict.Regression, ""},
		{"before the commit was there", "label", acceptTag, "alice", noon.Add(-time.Hour), github.Event{Action: "synchronize"}, verdict.Regression, "before this commit was there"},
		{"another label's event", "label", acceptTag, "alice", noon.Add(-time.Hour), github.Event{Action: "labeled", Label: "docs"}, verdict.Regression, "before this commit was there"},
		{"its own event, measured after it", "label", acceptTag, "alice", noon.Add(-time.Minute), github.Event{Action: "labeled", Label: acceptTag}, verdict.Accepted, "by alice (label)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d := newPullDesk(t, tc.ways)
			d.label(tc.label, tc.by, tc.at)
			d.hub.People.Runs[1] = noon.Add(-30 * time.Minute)
			d.want(d.decide(tc.event, red(firstSHA, noon, 36, 20)), tc.want, tc.says)
		})
	}
}

// A re-run measures after the label, but its commit was there before it.
func TestReRunAfterTheLabel(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "label")
	d.fork = true // nothing is remembered
	d.hub.Read = true
	d.hub.People.Runs[1] = noon
	d.label(acceptTag, "alice", noon.Add(time.Hour))
	d.want(d.decide(github.Event{Action: "synchronize", Fork: true}, red(firstSHA, noon.Add(2*time.Hour), 36, 20)), verdict.Accepted, "by alice (label)")
	// The next commit of the fork is another matter.
	d.hub.People.Runs[2] = noon.Add(3 * time.Hour)
	d.want(d.decide(github.Event{Action: "synchronize", Fork: true}, red(secondSHA, noon.Add(3*time.Hour), 36, 20)), verdict.Regression, "before this commit was there")
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "trailer")
	d.hub.Pulls[0].Body = "Signs orders.\n\nLoadline-Accept: GET /orders p99 +40% because every order is signed now\n"
	d.hub.People.Commits = []githubtest.PullCommit{
		{Pull: 7, SHA: firstSHA, Author: "carol", Message: "Sign\n\nLoadline-Accept: GET /cart p99 +25% because the cart too\nLoadline-Accept: all of it"},
	}
	m := d.decide(github.Event{}, red(firstSHA, noon, 36, 20))
	d.want(m, verdict.Accepted, "GET /orders p99 was accepted up to +40% by carol (trailer): every order is signed now")
	if !strings.Contains(told(m), `commit 1111111: "all of it" is no acceptance`) {
		t.Errorf("the mistake is not told:\n%s", told(m))
	}
	if a := m.verdict.Findings[1].Accepted; a == nil || a.Commit != firstSHA || a.Reason != "the cart too" {
		t.Errorf("got %+v", a)
	}
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 41, 20)), verdict.Regression, "and this is beyond it")
}

func TestComments(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "label,comment")
	d.decide(github.Event{}, red(firstSHA, noon, 36, 1))
	d.hub.AddComments(7, 1, "mallory", "/loadline accept GET /orders "+firstSHA)
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Regression, "mallory wrote it, and may not write")
	d.hub.AddComments(7, 1, "bob", "/loadline accept GET /orders 1111111")
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Regression, "with all 40 digits")
	d.hub.AddComments(7, 1, "bob", "/loadline accept GET /order "+firstSHA)
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Regression, "no row of that name")
	d.hub.AddComments(7, 1, "bob", "/loadline accept GET /orders "+firstSHA+" because we sign now")
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Accepted, "up to +45% by bob (comment): we sign now")
	// Later commits are covered by what was remembered, up to its bound.
	d.want(d.decide(github.Event{}, red(secondSHA, noon.Add(time.Hour), 44, 1)), verdict.Accepted, "we sign now")
	d.want(d.decide(github.Event{}, red(secondSHA, noon.Add(time.Hour), 46, 1)), verdict.Regression, "beyond it")
	d.want(d.decide(github.Event{}, red(secondSHA, noon.Add(time.Hour), 44, 20)), verdict.Regression, "we sign now")
}

// A command for a commit that was never measured under it accepts nothing, however
// it is worded.
func TestCommandForAnotherCommit(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "comment")
	d.hub.AddComments(7, 1, "alice", "/loadline accept GET /orders "+secondSHA)
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Regression, "")
}

// Main's own run of what was merged is accepted by what the pull request was
// accepted by, and keeps the reason.
func TestAcceptedOnMain(t *testing.T) {
	t.Parallel()
	d := newPullDesk(t, "label,comment")
	d.hub.AddComments(7, 1, "bob", "/loadline accept GET /orders "+firstSHA+" because we sign now")
	d.want(d.decide(github.Event{}, red(firstSHA, noon, 36, 1)), verdict.Accepted, "")
	d.hub.Pulls[0].State, d.hub.Pulls[0].Merged = "closed", true
	m := red(mergedSHA, noon.Add(time.Hour), 38, 1)
	m.verdict.Head = &result.Summary{Rows: []result.Row{{Scope: result.ScopeStep, Scenario: "shop", Step: "GET /orders"}}}
	d.decide(github.Event{Name: github.EventPush, DefaultBranch: "main", HeadRef: "main", HeadSHA: mergedSHA}, m)
	d.want(m, verdict.Accepted, "we sign now")
	if got := m.verdict.Head.Rows[0].Accepted; got != "we sign now" {
		t.Errorf("the stored run says %q", got)
	}
}

func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	a := &acceptor{ciRun: &ciRun{env: &Env{Stderr: io.Discard}}}
	for i := range 500 {
		a.record = append(a.record, remembered{Acceptance: rule.Acceptance{Route: strings.Repeat("x", 100) + string(rune('a'+i%26)) + string(rune('a'+i/26)), Metric: "p99", Bound: 5, Via: rule.ViaLabel}})
	}
	data := a.encode()
	if len(data) > github.MaxHidden || len(decodeRecord(data)) == 0 || len(a.told) != 1 {
		t.Errorf("%d bytes, %d read back, told %v", len(data), len(decodeRecord(data)), a.told)
	}
	if diff := cmp.Diff(decodeRecord(data)[0], a.record[0]); diff != "" {
		t.Error(diff)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"route":"GET /x","metric":"p99","bound_percent":45,"via":"label","label":"2026-11-20T12:00:00Z"}` + "\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, x := range decodeRecord(data) {
			if x.Route == "" || x.Via != rule.ViaLabel && x.Via != rule.ViaComment {
				t.Errorf("took %+v", x)
			}
		}
	})
}
