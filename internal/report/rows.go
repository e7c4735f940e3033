package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A stepRow is one step with what it did and what was said of it.
type stepRow struct {
	result.Figures
	index    int // in the catalog; -1: only the verdict knows it
	scenario string
	step     string
	label    string // name to show, clean; with its scenario where the name alone is ambiguous
	control  bool
	role     result.Role
	line     int
	call     verdict.Call // the worst of its findings
	findings []verdict.Finding
}

// listed are the steps that the run has: the others are only judged.
func (p *Page) listed() []stepRow { return p.steps[:p.own] }

// judged reports whether any metric of the step was compared.
func (s *stepRow) judged() bool {
	return slices.ContainsFunc(s.findings, func(f verdict.Finding) bool { return f.Call != verdict.NotJudged })
}

// judged are the steps of which something was compared. What was said of a whole
// scenario or run is no step more, unless there is nothing else.
func (p *Page) judged() []stepRow {
	var steps, wider []stepRow
	for _, s := range p.steps {
		switch {
		case !s.judged():
		case s.step == "":
			wider = append(wider, s)
		default:
			steps = append(steps, s)
		}
	}
	if steps == nil {
		return wider
	}
	return steps
}

// finding is what was said of one metric of the step; nil if nothing.
func (s *stepRow) finding(metric string) *verdict.Finding {
	for i := range s.findings {
		if s.findings[i].Metric == metric {
			return &s.findings[i]
		}
	}
	return nil
}

type stepKey struct{ scenario, step string }

// stepRows lists the steps in the order of the catalog, then those that only
// the findings name: a step can be gone from the head and still be judged.
func stepRows(run *result.Run, findings []verdict.Finding) (rows []stepRow, at map[stepKey]int) {
	at = map[stepKey]int{}
	names := map[string]int{}
	add := func(row stepRow) {
		at[stepKey{row.scenario, row.step}] = len(rows)
		names[row.step]++
		row.call = verdict.NotJudged
		rows = append(rows, row)
	}
	if run != nil {
		figures := run.AllStepFigures()
		for i, s := range run.Catalog.Steps {
			add(stepRow{
				Figures: figures[i], index: i, scenario: s.Scenario, step: s.Name,
				control: s.Control, role: s.Role, line: s.Line,
			})
		}
	}
	for _, f := range findings {
		key := stepKey{f.Scenario, f.Step}
		if _, ok := at[key]; !ok {
			add(stepRow{index: -1, scenario: f.Scenario, step: f.Step, line: f.Line})
		}
		row := &rows[at[key]]
		row.findings = append(row.findings, f)
		if severity(f.Call) > severity(row.call) {
			row.call = f.Call
		}
	}
	for i := range rows {
		rows[i].label = label(rows[i].scenario, rows[i].step, names[rows[i].step] > 1)
	}
	return rows, at
}

// label is the name of a step as the page shows it. A rule may be about a whole
// scenario, which is the step "", or about the whole run, which is neither.
func label(scenario, step string, ambiguous bool) string {
	switch {
	case step == "" && scenario == "":
		return "all requests"
	case step == "":
		return clean("scenario "+scenario, maxName)
	}
	if scenario != "" && ambiguous {
		return clean(scenario+" · "+step, maxName)
	}
	return clean(step, maxName)
}

// labelOf is the label of the step that f is about.
func (p *Page) labelOf(f *verdict.Finding) string {
	if f.Step == "" && f.Scenario == "" && metricName(f.Metric) == "" {
		return clean(f.Metric, maxName)
	}
	if i, ok := p.at[stepKey{f.Scenario, f.Step}]; ok {
		return p.steps[i].label
	}
	return label(f.Scenario, f.Step, false)
}

func severity(c verdict.Call) int {
	switch c {
	case verdict.Slower:
		return 4
	case verdict.NotSure:
		return 3
	case verdict.Faster:
		return 2
	case verdict.Unchanged:
		return 1
	default:
		return 0
	}
}

// changedRows lists the findings that moved or may have, worst first: slower ones
// before those in doubt before faster ones, failures before delays, then by the
// size of the change.
func changedRows(findings []verdict.Finding) []verdict.Finding {
	var rows []verdict.Finding
	for _, f := range findings {
		if severity(f.Call) >= severity(verdict.Faster) {
			rows = append(rows, f)
		}
	}
	slices.SortStableFunc(rows, func(a, b verdict.Finding) int {
		return cmp.Or(
			cmp.Compare(severity(b.Call), severity(a.Call)),
			cmp.Compare(yes(a.Accepted != nil), yes(b.Accepted != nil)),
			cmp.Compare(yes(a.Warn), yes(b.Warn)),
			cmp.Compare(yes(b.Metric == metricErrors), yes(a.Metric == metricErrors)),
			cmp.Compare(math.Abs(b.ChangePercent), math.Abs(a.ChangePercent)),
		)
	})
	return rows
}

// slower lists the findings that were called and count, worst first.
func (p *Page) slower() []verdict.Finding {
	return p.called(func(f *verdict.Finding) bool { return f.Accepted == nil })
}

// accepted lists those that were called and do not count, as somebody took them.
func (p *Page) accepted() []verdict.Finding {
	return p.called(func(f *verdict.Finding) bool { return f.Accepted != nil })
}

func (p *Page) called(which func(*verdict.Finding) bool) []verdict.Finding {
	var rows []verdict.Finding
	for i := range p.changed {
		if f := &p.changed[i]; f.Call == verdict.Slower && !f.Warn && which(f) {
			rows = append(rows, *f)
		}
	}
	return rows
}

// acceptedSteps counts the steps of which all that is slower was accepted.
func (p *Page) acceptedSteps() int {
	open, taken := map[stepKey]bool{}, map[stepKey]bool{}
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		if key := (stepKey{f.Scenario, f.Step}); f.Call == verdict.Slower {
			open[key], taken[key] = open[key] || f.Accepted == nil, taken[key] || f.Accepted != nil
		}
	}
	n := 0
	for key := range taken {
		if taken[key] && !open[key] {
			n++
		}
	}
	return n
}

// The metrics of a Finding that are no latency percentile.
const (
	metricErrors     = "errors"
	metricThroughput = "throughput"
)

// value writes what a metric came to.
func value(metric string, x float64) string {
	switch metric {
	case metricErrors:
		return unit.Percent(x)
	case metricThroughput:
		return unit.Rate(x)
	default:
		return unit.Micros(x)
	}
}

// known reports whether x, the base or the head of a row, was measured: no request
// takes no time, and a row that is not judged may lack either.
func known(f *verdict.Finding, x float64) bool {
	return x != 0 || f.Call != verdict.NotJudged && (f.Metric == metricErrors || f.Metric == metricThroughput)
}

// figure writes the base or the head of a row, if it was measured.
func figure(f *verdict.Finding, x float64) string {
	if !known(f, x) {
		return "–"
	}
	return value(f.Metric, x)
}

// change writes how far a metric moved. Shares of failed requests differ in
// percentage points: twice nothing is nothing.
func change(metric string, percent float64) string {
	if metric == metricErrors {
		return unit.Points(percent / 100)
	}
	return unit.Change(percent / 100)
}

// Change writes how far a row moved, as every page does: "+12 %".
func Change(f *verdict.Finding) string { return change(f.Metric, f.ChangePercent) }

// spread writes the interval that the true change lies in.
func spread(f *verdict.Finding) string {
	if f.LowPercent == 0 && f.HighPercent == 0 {
		return ""
	}
	return change(f.Metric, f.LowPercent) + " to " + change(f.Metric, f.HighPercent)
}

// allowed writes the change that a finding may have: limits are stored without
// a sign, and throughput gets worse downwards.
func allowed(f *verdict.Finding) string {
	switch {
	case f.LimitPercent == 0:
		return ""
	case f.Metric == metricThroughput:
		return change(f.Metric, -math.Abs(f.LimitPercent))
	default:
		return change(f.Metric, f.LimitPercent)
	}
}

// noise writes the part of the limit that the run's own noise asked for.
func noise(f *verdict.Finding) string {
	if f.NoisePercent == 0 {
		return ""
	}
	if f.Metric == metricErrors {
		return plusMinus(unit.Points(math.Abs(f.NoisePercent) / 100))
	}
	return plusMinus(unit.Change(math.Abs(f.NoisePercent) / 100))
}

func plusMinus(signed string) string {
	if len(signed) > 0 && signed[0] == '+' {
		return "±" + signed[1:]
	}
	return signed
}

// A checkRow is one named check and how often it held.
type checkRow struct {
	step, name     string // clean
	passed, failed int64
}

func checkRows(run *result.Run) []checkRow {
	if run == nil {
		return nil
	}
	rows := make([]checkRow, 0, len(run.Catalog.Checks))
	for i, t := range run.CheckTotals() {
		c := run.Catalog.Checks[i]
		row := checkRow{name: clean(c.Name, maxName), passed: t.Passed, failed: t.Failed}
		if c.Step >= 0 && c.Step < len(run.Catalog.Steps) {
			row.step = clean(run.Catalog.Steps[c.Step].Name, maxName)
		}
		rows = append(rows, row)
	}
	return rows
}

// A count is one name and how often it occurred.
type count struct {
	name string
	n    int64
}

// statuses lists what the target answered, most frequent first.
func statuses(f *result.Figures) []count {
	var all []count
	for status, n := range f.Status {
		all = append(all, count{strconv.Itoa(status), n})
	}
	return mostFirst(all)
}

// failures lists what went wrong without a complete answer, most frequent first.
func failures(f *result.Figures) []count {
	var all []count
	for kind, n := range f.Errors {
		all = append(all, count{clean(kind, maxName), n})
	}
	return mostFirst(all)
}

func mostFirst(all []count) []count {
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	return all
}
