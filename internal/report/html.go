package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's template, style sheet and script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

var (
	//go:embed page/report.html
	pageHTML string
	//go:embed page/report.css
	pageCSS string
	//go:embed page/report.js
	pageJS string

	pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{"prose": htmlProse}).Parse(pageHTML))

	// pagePolicy lets the page run its own script and nothing else, and load
	// nothing at all: what a hostile name may smuggle in has no effect.
	pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; script-src '" + scriptHash(pageJS) + "'"
)

// scriptHash names a script in a Content-Security-Policy (CSP level 3, 2.3.1).
func scriptHash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// HTML writes the page as one file that needs nothing else: no network, no
// other file, and no script to be read; sorting, filtering and reading charts
// with the pointer are what the script adds.
func (p *Page) HTML(w io.Writer) error {
	var b bytes.Buffer // a template that fails must not leave half a page
	if err := pageTemplate.Execute(&b, p.view()); err != nil {
		return fmt.Errorf("writing the HTML report: %w", err)
	}
	_, err := b.WriteTo(w)
	return err
}

// A view is what the template shows. Strings in it are foreign or not: the
// template escapes them all.
type view struct {
	CSS    template.CSS
	JS     template.JS
	Policy string

	Name, Where          string
	Outcome              string
	Mood                 moodView
	Title                string
	Lead                 prose
	Remarks              []prose
	Next                 []prose
	Reproduce            string
	Accept               []prose
	RunURL, HelpURL      string
	Started, Tool, Spoke string

	Tiles      []tile
	Tally      string
	Changed    []*forest
	Beyond     string
	Compared   []*forest
	ComparedN  string
	Time       *overTime
	Steps      []stepView
	StepsN     string
	Percentile []*plot
	Phases     []phaseRow
	PhaseAxis  []tick
	Limits     []limitView
	Checks     checkTable
	BadChecks  checkTable
	ChecksN    string
	Metrics    []metricView
	Statuses   []countView
	Failures   []countView
	Sure       []prose
	Rounds     *plot
	RoundsOf   string
	Health     []*plot
	Trouble    []string
	Trends     []*plot
	Facts      []fact
}

// A moodView is a mood for the template: Class is its colour.
type moodView struct{ Icon, Word, Class string }

func toneClass(t tone) string {
	switch t {
	case toneGood:
		return "good"
	case toneBad:
		return "bad"
	case toneDoubt:
		return "doubt"
	default:
		return "neutral"
	}
}

func newMood(m mood) moodView { return moodView{m.mark, m.word, toneClass(m.tone)} }

type (
	tile      struct{ Name, Value, Note, Class string }
	fact      struct{ Name, Value string }
	limitView struct {
		Limit, Shown string
		Mood         moodView
	}
	checkView struct {
		Step, Name, Passed, Failed, Share string
		Bad                               bool
	}
	countView  struct{ Name, Count, Share string }
	checkTable struct {
		Label string // of the region it scrolls in: no two on a page are alike
		Rows  []checkView
	}
)

func (p *Page) view() *view {
	v := &view{
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Policy: pagePolicy, //nolint:gosec // ours, embedded
		Outcome: string(p.Verdict.Outcome), Mood: newMood(outcomeMood(p.Verdict.Outcome)), Title: upperFirst(p.title()), Lead: p.lead(true),
		Reproduce: clean(p.Context.Reproduce, maxMessage), RunURL: safeURL(p.Context.RunURL), HelpURL: safeURL(p.Context.HelpURL),
		Tool: clean(p.Context.Version, 40), Tally: p.tally(), Changed: p.forests("What changed", p.changed), Compared: p.forests("All that was compared", p.Verdict.Findings),
		Sure: p.sure(), Trouble: p.trouble(), Trends: p.trendPlots(), Time: p.overTime(maxSlots), Health: p.healthPlots(maxSlots),
	}
	v.Time.numbers(p)
	v.Time.figures(p.Run)
	v.ComparedN = plural(len(p.Verdict.Findings), unit.Count(int64(len(p.Verdict.Findings))), "comparison")
	if len(p.Verdict.Findings) > 1 {
		v.ComparedN = "All " + v.ComparedN
	}
	if slices.ContainsFunc(p.changed, func(f verdict.Finding) bool { return beyondOthers(&f) }) {
		v.Beyond = changeNote
	}
	for _, r := range p.extraReasons() {
		v.Remarks = append(v.Remarks, prose{}.sentence(upperFirst(r.Message)))
	}
	for _, s := range p.next() {
		v.Next = append(v.Next, prose{}.sentence(s))
	}
	if p.Verdict.Outcome == verdict.Regression || p.Verdict.Outcome == verdict.Threshold {
		for _, s := range p.Context.Accept {
			v.Accept = append(v.Accept, prose{}.sentence(s))
		}
	}
	for _, l := range p.Verdict.Limits {
		v.Limits = append(v.Limits, limitView{clean(l.Limit, 300), clean(l.Shown, maxName), newMood(p.limitMood(l))})
	}
	v.heading(p)
	if p.Run != nil {
		v.measured(p)
	}
	return v
}

// heading names the page.
func (v *view) heading(p *Page) {
	v.Name = "loadline"
	if p.Run != nil {
		v.Name = clean(p.Run.Spec, maxName)
		v.Started = p.Run.Started.UTC().Format("2 January 2006, 15:04 UTC")
	}
	if v.Name == "" {
		v.Name = "loadline"
	}
	s := &screen{Page: p}
	v.Where = s.where()
}

// measured fills in what needs a run.
func (v *view) measured(p *Page) {
	v.tiles(p)
	v.steps(p)
	v.phases(p)
	v.percentiles(p)
	v.metrics(p)
	for _, c := range p.checks {
		row := checkView{c.step, c.name, unit.Count(c.passed), unit.Count(c.failed), "–", c.failed > 0}
		if n := c.passed + c.failed; n > 0 {
			row.Share = unit.Share(c.failed, n)
		}
		v.Checks.Rows = append(v.Checks.Rows, row)
		if row.Bad {
			v.BadChecks.Rows = append(v.BadChecks.Rows, row)
		}
	}
	v.Checks.Label, v.BadChecks.Label = "All checks", "Checks that did not always hold"
	v.ChecksN = plural(len(v.Checks.Rows), unit.Count(int64(len(v.Checks.Rows))), "check")
	if len(v.BadChecks.Rows) == 0 {
		v.ChecksN += ", always held"
	}
	for _, c := range statuses(&p.total) {
		v.Statuses = append(v.Statuses, countView{c.name, unit.Count(c.n), unit.Share(c.n, p.total.Requests)})
	}
	for _, c := range failures(&p.total) {
		v.Failures = append(v.Failures, countView{c.name, unit.Count(c.n), unit.Share(c.n, p.total.Requests)})
	}
	v.facts(p)
}

func (v *view) tiles(p *Page) {
	t := &p.total
	latency := func(us int64) string {
		if t.Latency.Count == 0 {
			return "–"
		}
		return unit.Micros(us)
	}
	failed := tile{Name: "failed", Value: "–", Note: unit.Count(t.Failed) + " requests"}
	if t.Requests > 0 {
		failed.Value = unit.Share(t.Failed, t.Requests)
	}
	if t.Failed > 0 {
		failed.Class = "bad"
	}
	v.Tiles = []tile{
		{Name: "requests", Value: unit.Count(t.Requests), Note: "in " + unit.Duration(p.Run.Measured)},
		{Name: "rate", Value: unit.Rate(t.PerSecond), Note: "requests answered"},
		failed,
		{Name: "p50", Value: latency(t.Latency.P50), Note: "half were faster"},
		{Name: "p95", Value: latency(t.Latency.P95), Note: "95 of 100 were faster"},
		{Name: "p99", Value: latency(t.Latency.P99), Note: "longest: " + latency(t.Latency.Max)},
	}
}

// percentiles draws the run as a whole and, where a step moved, that step
// against its base.
func (v *view) percentiles(p *Page) {
	add := func(pl *plot) {
		if pl != nil {
			v.Percentile = append(v.Percentile, pl)
		}
	}
	all := p.Run.LatencyOf(func(*result.Cell) bool { return true })
	whole := []curve{{"head", "all requests", all}}
	add(percentilePlot("percentiles", "All requests", whole))
	add(distributionPlot("distribution", "All requests", whole))
	rows := p.changed
	if len(rows) == 0 {
		return
	}
	f := &rows[0]
	i, ok := p.at[stepKey{f.Scenario, f.Step}]
	if !ok || p.steps[i].index < 0 {
		return
	}
	s := &p.steps[i]
	head := p.Run.LatencyOf(func(c *result.Cell) bool { return c.Key.Step == s.index })
	var base *hdr.Histogram
	if p.Run.Mode == "paired" {
		base, head = armHistogram(p.Run, "base", s.index), armHistogram(p.Run, "head", s.index)
	}
	both := []curve{{"base", "base", base}, {"head", "head", head}}
	var marks []float64
	if base == nil {
		marks = s.known()
	}
	curves, spread := percentilePlot("moved", s.label, both), distributionPlot("moveddistribution", s.label, both, marks...)
	if curves != nil && base == nil {
		curves.levels(s)
	}
	add(curves)
	add(spread)
	v.Rounds, v.RoundsOf = p.roundsPlot(s, f.Metric), s.label
}

// levels marks the percentiles that are known of a base whose histogram is not.
func (p *plot) levels(s *stepRow) {
	var known []xy
	for _, q := range []struct {
		metric string
		nines  float64
	}{{"p50", 0.30103}, {"p95", 1.30103}, {"p99", 2}} {
		if f := s.finding(q.metric); f != nil && f.Base > 0 && q.nines <= p.nines {
			known = append(known, xy{int(q.nines / p.nines * full), f.Base})
		}
	}
	if len(known) > 0 {
		p.dots("base", known)
		p.Legend = append(p.Legend, legend{"base", "base, as far as it is stored"})
	}
}

func (v *view) facts(p *Page) {
	r := p.Run
	add := func(name, value string) {
		if value = clean(value, 300); value != "" {
			v.Facts = append(v.Facts, fact{name, value})
		}
	}
	add("spec", p.Context.SpecPath)
	add("profile", r.Profile)
	add("target", r.Target)
	add("commit", r.Commit)
	add("compared with", p.baseSHA())
	add("started", r.Started.UTC().Format(time.RFC3339))
	add("load", unit.Duration(r.Duration)+", of which "+unit.Duration(r.Measured)+" measured")
	add("stopped early", r.Stopped)
	for _, c := range r.Changes {
		add("changed by hand", changed(c)+" from "+unit.Duration(c.At))
	}
	add("seed", strconv.FormatInt(r.Seed, 10))
	add("machine", r.Environment.OS+"/"+r.Environment.Arch+", "+r.Environment.CPU+", "+plural(r.Environment.Cores, unit.Count(int64(r.Environment.Cores)), "core"))
	add("environment", r.Environment.Label)
	add("image", r.Environment.Image)
	add("kernel", r.Environment.Kernel)
	add("loadline", r.Tool)
}

// safeURL is an address of the web, else "".
func safeURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(address) > 2000 {
		return ""
	}
	return u.String()
}

// htmlProse dresses prose for HTML.
func htmlProse(p prose) template.HTML {
	var b bytes.Buffer
	element := func(name, text string) {
		b.WriteString("<" + name + ">" + template.HTMLEscapeString(text) + "</" + name + ">")
	}
	for _, s := range p {
		switch s.kind {
		case strong:
			element("strong", s.text)
		case code:
			element("code", isolate(s.text))
		case foreign:
			for i, part := range quoted(s.text) {
				if i%2 == 1 {
					element("code", isolate(part))
				} else {
					element("bdi", part)
				}
			}
		default:
			b.WriteString(template.HTMLEscapeString(s.text))
		}
	}
	return template.HTML(b.String()) //nolint:gosec // every piece is escaped above
}
