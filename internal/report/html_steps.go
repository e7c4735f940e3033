package report

import (
	"math"
	"strconv"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/unit"
)

// A stepView is one row of the table of steps.
type stepView struct {
	Name, Scenario string
	Control        bool
	Cells          []cellView
	Mood           *moodView // of the worst finding; nil when nothing was judged
	CallSort       int

	// The range from p50 over p95 to p99 on an axis that all rows share.
	From, P95, Width string
	HasRange         bool
	Total            bool
}

// A cellView is a figure with the bare number to sort by.
type cellView struct {
	Key, Text, Sort string
	Bad             bool
}

// maxSteps bounds the rows of the table of steps.
const maxSteps = 1000

func (v *view) steps(p *Page) {
	var longest int64
	for i := range p.listed() {
		longest = max(longest, p.steps[i].Latency.P99)
	}
	rows := first(p.listed(), maxSteps)
	for i := range rows {
		v.Steps = append(v.Steps, newStepView(&rows[i], longest))
	}
	n := unit.Count(int64(len(p.listed())))
	v.StepsN = plural(len(p.listed()), n, "step")
	if len(p.listed()) > maxSteps {
		v.StepsN += ", " + unit.Count(maxSteps) + " shown"
	}
	if len(p.listed()) > 1 {
		all := stepRow{Figures: p.total, label: "all requests"}
		total := newStepView(&all, max(longest, p.total.Latency.P99))
		total.Total = true
		v.Steps = append(v.Steps, total)
	}
}

func newStepView(s *stepRow, longest int64) stepView {
	row := stepView{Name: s.label, Scenario: clean(s.scenario, maxName), Control: s.control, CallSort: severity(s.call)}
	if s.judged() {
		m := mood{}
		for i := range s.findings {
			if s.findings[i].Call == s.call {
				m = callMood(&s.findings[i])
				break
			}
		}
		view := newMood(m)
		row.Mood = &view
	}
	add := func(key, text string, sort float64, bad bool) {
		row.Cells = append(row.Cells, cellView{key, text, strconv.FormatFloat(sort, 'f', -1, 64), bad})
	}
	add("requests", unit.Count(s.Requests), float64(s.Requests), false)
	add("rate_per_s", unit.Rate(s.PerSecond), s.PerSecond, false)
	share := 0.0
	if s.Requests > 0 {
		share = float64(s.Failed) / float64(s.Requests)
	}
	add("failed", failedShare(s), share, s.Failed > 0)
	q := s.Latency
	for _, c := range []struct {
		key string
		us  int64
	}{{"p50", q.P50}, {"p90", q.P90}, {"p95", q.P95}, {"p99", q.P99}, {"max", q.Max}} {
		add(c.key, latency(c.us, s), float64(c.us), false)
	}
	if q.Count > 0 && longest > 0 {
		row.HasRange = true
		at := func(us int64) float64 { return float64(us) / float64(longest) }
		row.From, row.P95, row.Width = percent(at(q.P50)), percent(at(q.P95)), percent(at(q.P99)-at(q.P50))
	}
	return row
}

// A phaseRow is how long each phase of a step takes in the mean.
type phaseRow struct {
	Name  string
	Parts []phasePart
	Total string
}

type phasePart struct{ Class, Name, Text, Width string }

func (v *view) phases(p *Page) {
	longest := 0.0
	for i := range p.Run.Phases {
		longest = max(longest, sumParts(phaseMeans(p, i)))
	}
	if longest == 0 {
		return
	}
	step := roundStep(longest)
	end := step * math.Ceil(longest/step*0.999)
	v.PhaseAxis = []tick{{At: "0%", Label: "0"}}
	for at := step; at <= end*1.001; at += step {
		v.PhaseAxis = append(v.PhaseAxis, tick{At: percent(at / end), Label: unit.Micros(at), Last: at > end*0.95})
	}
	for i := range first(p.listed(), min(len(p.Run.Phases), 100)) {
		means := phaseMeans(p, i)
		total := sumParts(means)
		if total == 0 {
			continue
		}
		row := phaseRow{Name: p.steps[i].label, Total: unit.Micros(total)}
		for _, m := range means {
			if m.us > 0 {
				row.Parts = append(row.Parts, phasePart{m.class, m.name, unit.Micros(m.us), percent(m.us / end)})
			}
		}
		v.Phases = append(v.Phases, row)
	}
}

type phaseMean struct {
	class, name string
	us          float64
}

// phaseMeans spreads each phase over all requests of the step: a connection
// that one request in a hundred opens costs the others nothing, and the bars
// then add up to the mean request.
func phaseMeans(p *Page, i int) []phaseMean {
	if i >= len(p.Run.Phases) || i >= len(p.listed()) {
		return nil
	}
	ph, requests := p.Run.Phases[i], float64(p.steps[i].Requests)
	mean := func(h *hdr.Histogram) float64 {
		if h == nil || requests == 0 {
			return 0
		}
		return h.Mean() * min(float64(h.TotalCount())/requests, 1)
	}
	return []phaseMean{
		{"dns", "DNS", mean(ph.DNS)},
		{"connect", "connect", mean(ph.Connect)},
		{"tls", "TLS", mean(ph.TLS)},
		{"ttfb", "first byte", mean(ph.TTFB)},
		{"body", "body", mean(ph.Body)},
	}
}

func sumParts(parts []phaseMean) float64 {
	sum := 0.0
	for _, m := range parts {
		sum += m.us
	}
	return sum
}
