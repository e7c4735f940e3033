package report

import (
	"fmt"
)

// maxTrends is how many histories are drawn.
const maxTrends = 12

// trendPlots draw the stored runs, and this one as the last point.
func (p *Page) trendPlots() []*plot {
	var plots []*plot
	for i := range p.Trends {
		t := &p.Trends[i]
		if len(t.Points) < 2 || len(plots) == maxTrends {
			continue
		}
		if pl := p.trendPlot(t, len(plots)); pl != nil {
			plots = append(plots, pl)
		}
	}
	return plots
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
			values = append(values, f.Head)
			tone, name = toneClass(callMood(f).tone), p.labelOf(f)
		}
	}
	line := make([]xy, len(values))
	for i, v := range values {
		line[i] = xy{full * (2*i + 1) / (2 * len(values)), v}
	}
	pl := newPlot(fmt.Sprintf("trend%d", n), name+" "+metricName(t.Metric), top(line), func(v float64) string { return value(t.Metric, v) })
	pl.line("base", line)
	pl.dots("base", line[:len(points)])
	var accepted []xy
	for i := range points {
		if points[i].Accepted {
			accepted = append(accepted, line[i])
		}
	}
	pl.Legend = []legend{{"base", "stored runs"}}
	if len(accepted) > 0 {
		pl.dots("accepted", accepted)
		pl.Legend = append(pl.Legend, legend{"accepted", "slowdown accepted"})
	}
	if len(line) > len(points) {
		pl.dots("head "+tone, line[len(points):])
		pl.Legend = append(pl.Legend, legend{"head " + tone, "this run"})
	}
	pl.X = []tick{{At: "0%", Label: short(points[0].Commit)}, {At: "100%", Label: "this run", Last: true}}
	pl.Spoken = fmt.Sprintf("%s of %s over %d stored runs, from %s to %s.", metricName(t.Metric), name, len(points),
		value(t.Metric, values[0]), value(t.Metric, values[len(values)-1]))
	return pl
}
