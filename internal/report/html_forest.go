package report

import (
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A forestRow is one compared figure with its range drawn.
type forestRow struct {
	Step, Metric string
	Mood         moodView
	Call         string
	Base, Head   string
	Change       string
	Range        string
	Noise, Limit string
	Why          string
	Sort         float64 // the change, for sorting

	// Positions on the common axis, in percent; "" where there is nothing.
	Low, Width, Dot          string
	NoiseLeft, NoiseWidth    string
	LimitAt                  string
	CutLow, CutHigh, HasDraw bool
}

// A forest is the compared figures on one axis of change.
type forest struct {
	Name  string // of what the rows have in common
	Label string // of the region it scrolls in: no two on a page are alike
	Rows  []forestRow
	Axis  []tick
	Zero  string
	More  string // what is not shown
}

// maxForest bounds the comparisons of a page: beyond, the file grows past what
// opens at once.
const maxForest = 600

// forests lays findings out: what changed by a percentage, and shares of failed
// requests, which change by points, each on an axis of its own.
func (p *Page) forests(label string, findings []verdict.Finding) []*forest {
	var all []*forest
	var relative, points []verdict.Finding
	for _, f := range findings {
		if f.Metric == metricErrors {
			points = append(points, f)
		} else {
			relative = append(relative, f)
		}
	}
	if f := p.forestOf("Latency and throughput", relative, unit.Change); f != nil {
		all = append(all, f)
	}
	if f := p.forestOf("Failed requests", points, unit.Points); f != nil {
		all = append(all, f)
	}
	for _, f := range all {
		f.Label = label + ": " + f.Name
	}
	return all
}

// forestOf lays findings out on one axis. The axis is no wider than the bulk of
// them needs: one step that became ten times slower must not flatten the rest,
// its range is cut off at the edge instead.
func (p *Page) forestOf(name string, findings []verdict.Finding, written func(float64) string) *forest {
	if len(findings) == 0 {
		return nil
	}
	f := &forest{Name: name}
	if more := len(findings) - maxForest; more > 0 {
		f.More = plural(more, unit.Count(int64(more)), "comparison") + " not shown; the result file holds them."
		findings = findings[:maxForest]
	}
	half := axisHalf(findings)
	step := roundStep(half)
	half = step * math.Ceil(half/step)
	at := func(v float64) float64 { return (min(max(v, -half), half) + half) / (2 * half) }
	f.Zero = percent(0.5)
	for _, v := range []float64{-half, 0, half} {
		f.Axis = append(f.Axis, tick{At: percent(at(v)), Label: written(v / 100), Last: v == half})
	}
	for i := range findings {
		f.Rows = append(f.Rows, p.forestRow(&findings[i], half, at))
	}
	return f
}

// axisHalf is how far the axis must reach on either side, in percent.
func axisHalf(findings []verdict.Finding) float64 {
	const least = 0.5 // percent, or points
	var reach []float64
	limit := 0.0
	for i := range findings {
		f := &findings[i]
		reach = append(reach, math.Abs(f.LowPercent), math.Abs(f.HighPercent), math.Abs(f.ChangePercent))
		limit = max(limit, math.Abs(f.LimitPercent))
	}
	slices.Sort(reach)
	half := reach[len(reach)-1]
	if wide := 4 * max(limit, reach[len(reach)/2], least); half > wide {
		half = wide
	}
	return max(half, 1.2*limit, least)
}

func (p *Page) forestRow(f *verdict.Finding, half float64, at func(float64) float64) forestRow {
	row := forestRow{
		Step: p.labelOf(f), Metric: metricName(f.Metric), Mood: newMood(callMood(f)), Call: string(severityName(f.Call)),
		Base: figure(f, f.Base), Head: figure(f, f.Head), Change: change(f.Metric, f.ChangePercent),
		Range: spread(f), Noise: noise(f), Limit: allowed(f), Why: clean(f.Why, maxMessage), Sort: f.ChangePercent,
	}
	if !known(f, f.Base) || !known(f, f.Head) {
		row.Change = "–"
		return row
	}
	if f.Call == verdict.NotJudged && f.LowPercent == 0 && f.HighPercent == 0 {
		return row
	}
	row.HasDraw = true
	row.Dot = percent(at(f.ChangePercent))
	row.Low, row.Width = percent(at(f.LowPercent)), percent(at(f.HighPercent)-at(f.LowPercent))
	row.CutLow, row.CutHigh = f.LowPercent < -half, f.HighPercent > half
	if n := math.Abs(f.NoisePercent); n > 0 {
		row.NoiseLeft, row.NoiseWidth = percent(at(-n)), percent(at(n)-at(-n))
	}
	if l := math.Abs(f.LimitPercent); l > 0 {
		if f.Metric == metricThroughput {
			l = -l
		}
		row.LimitAt = percent(at(l))
	}
	return row
}

// severityName is a call as a CSS class and filter value: only ours.
func severityName(c verdict.Call) verdict.Call {
	if severity(c) == 0 {
		return verdict.NotJudged
	}
	return c
}
