// Package report writes what a run came to, for people and for the programs
// that collect it: text for a terminal, Markdown for a pull request, HTML,
// JUnit and annotations.
//
// It does no arithmetic beyond layout and decides nothing: figures come from
// result, calls and limits from verdict, numbers are written by unit. Every
// string that a spec, a target or another file supplied is foreign: it reaches
// the page only through the escaping of that page.
package report

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A Context is what surrounds a run: where it happened and how to do it again.
// All of it is optional; what is empty is left out of the page.
type Context struct {
	Repo        string // "owner/name"
	PullRequest int    // 0: not a pull request
	BaseSHA     string // commit compared with; shown short
	HeadSHA     string // commit under test; shown short
	RunURL      string // the CI run
	ReportURL   string // the full HTML report
	HelpURL     string // explains the outcome: "why did this fire"
	SpecPath    string // path of the spec in the repository
	Environment string // label: staging, preview, runner class
	Profile     string
	Version     string // loadline's own

	// Reproduce is the command that measures this again.
	Reproduce string
	// Accept says how a maintainer takes a slowdown on purpose, one way a line.
	// Empty: the page does not mention accepting.
	Accept []string
	// AcceptURL explains the ways; "" for no link.
	AcceptURL string
	// Next adds to what to do next, after what the verdict itself advises.
	Next []string
}

// A Trend is what one step and metric came to in stored runs, oldest first.
// The run on the page is not among them.
type Trend struct {
	Scenario, Step string
	Metric         string // "p50", "p95", "p99", "errors", "throughput"
	Points         []Point
}

// A Point is one stored run in a Trend.
type Point struct {
	Value    float64 // µs for latency, share for errors, per second for throughput
	Commit   string
	Accepted bool   // a slowdown was accepted here: a new level begins
	Reason   string // why it was accepted; foreign
}

// A Page is all that the renderings share. Make one with New; it is read-only
// after that, so several renderings may use it at once.
type Page struct {
	Verdict *verdict.Verdict
	Run     *result.Run // nil: nothing was measured
	Context Context
	Trends  []Trend

	total  result.Figures
	steps  []stepRow
	own    int             // how many of steps the run itself has; they come first
	at     map[stepKey]int // places in steps
	checks []checkRow
	// changed are the findings that moved or may have, worst first.
	changed []verdict.Finding
	counts  map[verdict.Call]int // steps by their worst call
}

// New gathers a page. run may be nil when nothing was measured. Without trends the
// page shows what history the verdict has kept.
func New(v *verdict.Verdict, run *result.Run, c Context, trends []Trend) *Page {
	if trends == nil {
		trends = kept(v.History)
	}
	p := &Page{Verdict: v, Run: run, Context: c, Trends: trends}
	if run != nil {
		p.total = run.Total()
	}
	p.steps, p.at = stepRows(run, v.Findings)
	for p.own < len(p.steps) && p.steps[p.own].index >= 0 {
		p.own++
	}
	p.checks = checkRows(run)
	p.changed = changedRows(v.Findings)
	p.counts = map[verdict.Call]int{}
	for _, s := range p.judged() {
		p.counts[s.call]++
	}
	return p
}

// kept are the trends that a verdict keeps of the rows that it called.
func kept(history []verdict.History) []Trend {
	var all []Trend
	for _, h := range history {
		t := Trend{Scenario: h.Scenario, Step: h.Step, Metric: h.Metric}
		for _, x := range h.Points {
			t.Points = append(t.Points, Point{Value: x.Value, Commit: x.Commit, Accepted: x.Accepted != "", Reason: x.Accepted})
		}
		all = append(all, t)
	}
	return all
}
