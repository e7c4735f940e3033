package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// maxTrends is how many histories are drawn.
const maxTrends = 12

// trendPlots draw the stored runs, and this one as the last point.
func (p *Page) trendPlots() []*plot {
	var plots []*plot
	for _, t := range first(p.shownTrends(), maxTrends) {
		plots = append(plots, p.trendPlot(t, len(plots)))
	}
	return plots
}

// shownTrends are those worth a look: what moved, worst first, then what crept over
// many merges or where a slowdown was accepted, then p95 of the other steps.
func (p *Page) shownTrends() []*Trend {
	rank := func(t *Trend) int {
		for i := range p.changed {
			if f := &p.changed[i]; f.Scenario == t.Scenario && f.Step == t.Step && f.Metric == t.Metric {
				return i
			}
		}
		switch {
		case p.creepOf(t) != nil, slices.ContainsFunc(t.Points, func(q Point) bool { return q.Accepted }):
			return len(p.changed)
		case t.Metric == "p95":
			return len(p.changed) + 1
		}
		return -1
	}
	var all []*Trend
	for i := range p.Trends {
		if t := &p.Trends[i]; len(t.Points) >= 2 && rank(t) >= 0 {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b *Trend) int { return rank(a) - rank(b) })
	return all
}

// creepOf is the slow change of the main branch that was found in a history; nil:
// none was.
func (p *Page) creepOf(t *Trend) *verdict.Creep {
	for i := range p.Verdict.Trend {
		if c := &p.Verdict.Trend[i]; c.Scenario == t.Scenario && c.Step == t.Step && c.Metric == t.Metric {
			return c
		}
	}
	return nil
}

func (p *Page) trendPlot(t *Trend, n int) *plot {
	points := t.Points[max(0, len(t.Points)-200):]
	values := make([]float64, 0, len(points)+1)
	for _, q := range points {
		values = append(values, q.Value)
	}
	tone, name := "", label(t.Scenario, t.Step, false)
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		if f.Scenario == t.Scenario && f.Step == t.Step && f.Metric == t.Metric {
			if known(f, f.Head) {
				values = append(values, f.Head)
			}
			tone, name = toneClass(callMood(f).tone), p.labelOf(f)
		}
	}
	line := make([]xy, len(values))
	for i, v := range values {
		line[i] = xy{full * (2*i + 1) / (2 * len(values)), v}
	}
	pl := newPlot(fmt.Sprintf("trend%d", n), name+" "+metricName(t.Metric), top(line), func(v float64) string { return value(t.Metric, v) })
	pl.X = []tick{{At: "0%", Label: short(points[0].Commit)}, {At: "100%", Label: short(points[len(points)-1].Commit), Last: true}}
	pl.line("base", line)
	pl.dots("base", line[:len(points)])
	var accepted []xy
	why := ""
	for i := range points {
		if points[i].Accepted {
			accepted = append(accepted, line[i])
			why = "Accepted at " + short(points[i].Commit) // the latest one tells of today's level
			if reason := clean(points[i].Reason, maxMessage); reason != "" {
				why += ": " + reason
			}
		}
	}
	pl.Legend = []legend{{"base", "stored runs"}}
	if len(accepted) > 0 {
		pl.dots("accepted", accepted)
		pl.Legend = append(pl.Legend, legend{"accepted", "slowdown accepted"})
		pl.Note = why
	}
	if c := p.creepOf(t); c != nil {
		pl.Note = strings.TrimPrefix(pl.Note+". "+upperFirst(clean(c.Message, maxMessage)), ". ")
	}
	if len(line) > len(points) {
		pl.dots("head "+tone, line[len(points):])
		pl.Legend = append(pl.Legend, legend{"head " + tone, "this run"})
		pl.X[1].Label = "this run"
	}
	pl.Spoken = fmt.Sprintf("%s of %s over %d stored runs, from %s to %s.", metricName(t.Metric), name, len(points),
		value(t.Metric, values[0]), value(t.Metric, values[len(values)-1]))
	if len(accepted) > 0 {
		pl.Spoken += " " + plural(len(accepted), unit.Count(int64(len(accepted))), "slowdown") + " accepted on the way."
	}
	return pl
}
