package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// all stands for all steps together.
const all = "all"

// A night is one run on the main branch.
type night struct {
	slower, faster, level, broken, creeping string // the step or limit of which this holds; level: as slow as it was called
	failing, failed                         string // a step with errors that are called, and one where they are usual by now
	noTrend                                 bool
	outcome                                 verdict.Outcome
	gone                                    bool // the steps are no longer in the spec
}

func (n night) measured() *measurement {
	m := &measurement{spec: &spec.Spec{Name: "api", File: "perf/api.toml"}, run: &result.Run{Spec: "api", Target: "http://127.0.0.1:1"}, trend: !n.noTrend}
	m.run.Environment.Label = "staging"
	m.verdict.Outcome, m.verdict.Head = n.outcome, &result.Summary{}
	if !n.gone {
		for _, step := range []string{"GET /a", "GET /b"} {
			m.verdict.Head.Rows = append(m.verdict.Head.Rows, result.Row{Scope: result.ScopeStep, Step: step})
		}
	}
	for _, r := range m.verdict.Head.Rows {
		f := verdict.Finding{Step: r.Step, Metric: "p50", Call: verdict.Unchanged, Base: 100, Head: 102, ChangePercent: 2}
		switch r.Step {
		case n.slower:
			f.Call, f.Head, f.ChangePercent = verdict.Slower, 130, 30
		case n.faster:
			f.Call, f.Base, f.Head, f.ChangePercent = verdict.Faster, 130, 118, -9
		case n.level:
			f.Base, f.Head, f.ChangePercent = 130, 126, -3
		}
		e := verdict.Finding{Step: r.Step, Metric: "errors", Call: verdict.Unchanged}
		switch r.Step {
		case n.failing:
			e.Call, e.Head, e.ChangePercent = verdict.Slower, 0.05, 5
		case n.failed:
			e.Base, e.Head = 0.05, 0.04
		}
		m.verdict.Findings = append(m.verdict.Findings, f, e)
	}
	if n.creeping != "" {
		m.verdict.Trend = []verdict.Creep{{Step: strings.TrimPrefix(n.creeping, all), Metric: "p50", Percent: 12, From: "0123456789abcdef"}, {Step: "GET /quick", Metric: "p50", Percent: -9}}
	}
	m.verdict.Limits = []verdict.LimitResult{{Limit: "latency.p95 < 200ms", OK: n.broken == "", Shown: "231 ms"}}
	return m
}

// TestTrackingIssue follows the issue through runs of the main branch. want is its
// state and how many rows it shows; "-" closes it by hand before the run.
func TestTrackingIssue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		nights []night
		byHand int // before which run somebody closes it, from 1; 0: nobody does
		want   []string
	}{
		{"nothing", []night{{}, {}}, 0, []string{"none", "none"}},
		{"a limit breaks and holds again", []night{{broken: "x"}, {broken: "x"}, {}}, 0, []string{"open 1", "open 1", "closed 0"}},
		{"slower stays, as the next run is compared with it", []night{{slower: "GET /a"}, {level: "GET /a"}, {level: "GET /a", faster: "GET /b"}, {faster: "GET /a"}}, 0, []string{"open 1", "open 1", "open 1", "closed 0"}},
		{"slower for one night", []night{{slower: "GET /a"}, {}}, 0, []string{"open 1", "closed 0"}},
		{"slower and gone from the spec", []night{{slower: "GET /a"}, {gone: true}}, 0, []string{"open 1", "closed 0"}},
		{"errors where there were none", []night{{failing: "GET /a"}, {failed: "GET /a"}, {}}, 0, []string{"open 1", "open 1", "closed 0"}},
		{"creep, and then no further", []night{{creeping: "GET /a"}, {noTrend: true}, {}, {faster: "GET /a"}}, 0, []string{"open 1", "open 1", "open 1", "closed 0"}},
		{"all steps creep", []night{{creeping: all}, {noTrend: true}, {}}, 0, []string{"open 1", "open 1", "closed 0"}},
		{"more", []night{{slower: "GET /a"}, {slower: "GET /b", level: "GET /a", broken: "x"}, {slower: "GET /a", level: "GET /b"}}, 0, []string{"open 1", "open 3", "open 2"}},
		{"an invalid run says nothing", []night{{broken: "x"}, {outcome: verdict.Invalid}}, 0, []string{"open 1", "open 1"}},
		{"closed by hand: known", []night{{creeping: "GET /a"}, {creeping: "GET /a"}, {creeping: "GET /a", slower: "GET /b"}}, 2, []string{"open 1", "closed 1", "open 1"}},
		{"closed by hand, over, and again", []night{{broken: "x"}, {}, {broken: "x"}}, 2, []string{"open 1", "closed 0", "open 1"}},
		{"closed by hand, slower still", []night{{slower: "GET /a"}, {slower: "GET /a"}}, 2, []string{"open 1", "open 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			hub := githubtest.New()
			var got []string
			for i, n := range tt.nights {
				if i+1 == tt.byHand {
					hub.SetIssue(hub.Issues()[0].Number, "closed")
				}
				trackNight(t, hub, int64(i+1), n.measured())
				state := "none"
				if issues := hub.Issues(); len(issues) > 0 {
					rows := strings.Count(issues[0].Body, "\n| ") - 1
					state = issues[0].State + " " + string(rune('0'+max(rows, 0)))
				}
				got = append(got, state)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s\n%+v", diff, hub.Issues())
			}
			if n := len(hub.Issues()); n > 1 {
				t.Errorf("%d issues", n)
			}
		})
	}
}

// trackNight does what a run on the main branch does with the issue.
func trackNight(t *testing.T, hub *githubtest.Server, run int64, m *measurement) string {
	t.Helper()
	client, err := github.New(github.Config{Owner: "octo", Repo: "shop", Token: "t", Transport: hub})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	in := &ciInputs{update: "auto", tracking: "auto"}
	c := &ciRun{env: &Env{Stderr: &said}, in: in, client: client, log: slog.New(slog.DiscardHandler)}
	c.event = github.Event{
		Name: github.EventSchedule, Owner: "octo", Repo: "shop", ServerURL: "https://github.com", DefaultBranch: "main",
		SHA: firstSHA, RunID: run, RunAttempt: 1,
	}
	c.store = &ciStore{in: in, event: &c.event}
	c.track(t.Context(), []*measurement{m}, func(s string) string { return s })
	return said.String()
}

// TestTrackingIssueRights: a job that may not write issues says so when there is
// something to tell, and is quiet when there is not.
func TestTrackingIssueRights(t *testing.T) {
	t.Parallel()
	hub := githubtest.New()
	hub.Read = true
	if said := trackNight(t, hub, 1, night{}.measured()); said != "" {
		t.Errorf("nothing to tell, and said %q", said)
	}
	if said := trackNight(t, hub, 2, night{broken: "x"}.measured()); !strings.Contains(said, "issues: write") {
		t.Errorf("said %q", said)
	}
}

// TestTrackingIssueNamesCommits: commits stand in it as GitHub links them, those of
// this run and those that came before.
func TestTrackingIssueNamesCommits(t *testing.T) {
	t.Parallel()
	hub := githubtest.New()
	trackNight(t, hub, 1, night{broken: "x", creeping: "GET /a"}.measured())
	trackNight(t, hub, 2, night{broken: "x"}.measured())
	body := hub.Issues()[0].Body
	for _, want := range []string{"| 0123456 |", "| " + firstSHA[:7] + " |", "Last looked at: " + firstSHA[:7] + " in "} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing in\n%s", want, body)
		}
	}
}

// TestTrackingIssueCountsRows: what a person has closed the issue on is neither shown
// nor counted among what is left out.
func TestTrackingIssueCountsRows(t *testing.T) {
	t.Parallel()
	hub := githubtest.New()
	many := func(n int) *measurement {
		m := night{}.measured()
		for i := range n {
			m.verdict.Findings = append(m.verdict.Findings, verdict.Finding{Step: strings.Repeat("x", i+1), Metric: "p50", Call: verdict.Slower, ChangePercent: 30, Base: 100, Head: 130})
			m.verdict.Head.Rows = append(m.verdict.Head.Rows, result.Row{Scope: result.ScopeStep, Step: strings.Repeat("x", i+1)})
		}
		return m
	}
	trackNight(t, hub, 1, many(15))
	hub.SetIssue(hub.Issues()[0].Number, "closed")
	later := many(25)
	for i := range later.verdict.Findings {
		if f := &later.verdict.Findings[i]; f.Call == verdict.Slower && len(f.Step) <= 15 {
			f.Call, f.Base = verdict.Unchanged, 130
		}
	}
	trackNight(t, hub, 2, later)
	body := hub.Issues()[0].Body
	if rows := strings.Count(body, "\n| ") - 1; rows != 10 || strings.Contains(body, "more row") {
		t.Errorf("%d rows:\n%s", rows, body)
	}
}

// TestAlarmsFit: what is hidden of the most alarms there can be fits in an issue.
func TestAlarmsFit(t *testing.T) {
	t.Parallel()
	m := night{}.measured()
	for i := range 500 {
		name := strings.Repeat("漢", 170) + time.Duration(i).String()
		m.verdict.Findings = append(m.verdict.Findings, verdict.Finding{
			Step: name, Metric: "p99.99", Call: verdict.Slower, ChangePercent: 123456, Base: 1.234567890123e-5, Head: 1.234567890123e+300,
		})
	}
	hub := githubtest.New()
	if said := trackNight(t, hub, 1, m); said != "" {
		t.Fatal(said)
	}
	body := hub.Issues()[0].Body
	if rows := strings.Count(body, "\n| ") - 1; rows != maxAlarms || !strings.Contains(body, "480 more rows") {
		t.Errorf("%d rows:\n%s", rows, body)
	}
}
