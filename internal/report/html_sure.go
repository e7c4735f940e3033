package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
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
	Name string // of what the rows have in common
	Rows []forestRow
	Axis []tick
	Zero string
	More string // what is not shown
}

// maxForest bounds the comparisons of a page: beyond, the file grows past what
// opens at once.
const maxForest = 600

// forests lays findings out: what changed by a percentage, and shares of failed
// requests, which change by points, each on an axis of its own.
func (p *Page) forests(findings []verdict.Finding) []*forest {
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
	step := roundStep(half, 2)
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
		Base: value(f.Metric, f.Base), Head: value(f.Metric, f.Head), Change: change(f.Metric, f.ChangePercent),
		Range: spread(f), Noise: noise(f), Limit: allowed(f), Why: clean(f.Why, maxMessage), Sort: f.ChangePercent,
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

// A curve is one line of a plot of percentiles.
type curve struct {
	class, name string
	hist        *hdr.Histogram
}

// percentilePlot draws latency by percentile as HdrHistogram's own plots do: each
// further nine gets as much room as the one before. Nil when there is nothing.
func percentilePlot(id, title string, curves []curve) *plot {
	var most int64
	high := 0.0
	kept := curves[:0:0]
	for _, c := range curves {
		if c.hist != nil && c.hist.TotalCount() > 0 {
			kept = append(kept, c)
			most = max(most, c.hist.TotalCount())
			high = max(high, float64(c.hist.Max()))
		}
	}
	if len(kept) == 0 {
		return nil
	}
	// 99.99 % of a thousand requests is not a fact.
	shares := [...]string{"0%", "90%", "99%", "99.9%", "99.99%", "99.999%"}
	nines := min(max(math.Log10(float64(most)), 1), float64(len(shares)-1))
	pl := newPlot(id, title, high, func(v float64) string { return unit.Micros(v) })
	pl.Tall, pl.nines = true, nines
	for n := 0; float64(n) <= nines; n++ {
		pl.X = append(pl.X, tick{At: percent(float64(n) / nines), Label: shares[n], Last: float64(n) > 0.95*nines})
	}
	for _, c := range kept {
		var line []xy
		const samples = 160
		for i := range samples + 1 {
			n := nines * float64(i) / samples
			q := 100 * (1 - math.Pow(10, -n))
			if float64(c.hist.TotalCount())*math.Pow(10, -n) < 1 && i > 0 {
				break
			}
			line = append(line, xy{int(n / nines * full), float64(c.hist.ValueAtQuantile(q))})
		}
		pl.line(c.class, line)
		pl.Legend = append(pl.Legend, legend{c.class, c.name})
	}
	pl.Spoken = "Latency by percentile of " + kept[0].name + ": median " + unit.Micros(kept[0].hist.ValueAtQuantile(50)) +
		", 99% within " + unit.Micros(kept[0].hist.ValueAtQuantile(99)) + ", longest " + unit.Micros(kept[0].hist.Max()) + "."
	return pl
}

// armHistogram merges what the rounds of one arm hold of one step.
func armHistogram(run *result.Run, arm string, step int) *hdr.Histogram {
	var all *hdr.Histogram
	for i := range run.Rounds {
		if run.Rounds[i].Arm != arm {
			continue
		}
		if h := roundHistogram(&run.Rounds[i], step); h != nil {
			if all == nil {
				all = result.NewHistogram()
			}
			all.Merge(h)
		}
	}
	return all
}

// roundHistogram is what a round holds of a step; nil when that is nothing, or
// damaged.
func roundHistogram(r *result.Round, step int) *hdr.Histogram {
	for i := range r.Steps {
		if r.Steps[i].Step == step && len(r.Steps[i].Latency) > 0 {
			if h, err := result.DecodeHistogram(r.Steps[i].Latency); err == nil {
				return h
			}
		}
	}
	return nil
}

// quantile is the number in "p95".
func quantile(metric string) (float64, bool) {
	switch metric {
	case "p50", "p90", "p95", "p99":
		q, _ := strconv.ParseFloat(metric[1:], 64)
		return q, true
	default:
		return 0, false
	}
}

// roundsPlot draws what one step did in each round: the points that a verdict
// is made of.
func (p *Page) roundsPlot(s *stepRow, metric string) *plot {
	q, ok := quantile(metric)
	if !ok || p.Run == nil || s.index < 0 || len(p.Run.Rounds) < 2 {
		return nil
	}
	arms := map[string][]xy{}
	var left []xy
	last := p.Run.Rounds[len(p.Run.Rounds)-1]
	begin, end := p.Run.Rounds[0].Start, last.Start+last.Length
	for i := range p.Run.Rounds {
		r := &p.Run.Rounds[i]
		h := roundHistogram(r, s.index)
		if h == nil || end <= begin {
			continue
		}
		point := xy{int(float64(r.Start+r.Length/2-begin) / float64(end-begin) * full), float64(h.ValueAtQuantile(q))}
		if r.Excluded != "" {
			left = append(left, point)
		} else {
			arms[r.Arm] = append(arms[r.Arm], point)
		}
	}
	f := s.finding(metric)
	high := top(arms[""], arms["base"], arms["head"], left)
	if f != nil {
		high = max(high, f.Base, f.Head)
	}
	pl := newPlot("rounds", metric+" of each round", high, func(v float64) string { return unit.Micros(v) })
	for _, arm := range []struct{ arm, class, name string }{{"", "head", "this run"}, {"base", "base", "base"}, {"head", "head", "head"}} {
		if len(arms[arm.arm]) > 0 {
			pl.dots(arm.class, arms[arm.arm])
			pl.Legend = append(pl.Legend, legend{arm.class, arm.name})
		}
	}
	if len(left) > 0 {
		pl.dots("left", left)
		pl.Legend = append(pl.Legend, legend{"left", "left out"})
	}
	if f != nil && f.Base > 0 {
		pl.rule("base", f.Base)
		pl.rule("head", f.Head)
		if len(arms["base"]) == 0 {
			pl.Legend = append(pl.Legend, legend{"base", "level of the baseline"})
		}
	}
	pl.X = spanTicks(end - begin)
	pl.Spoken = fmt.Sprintf("%s of %s in each of %d rounds, between %s and %s.", metric, s.label, len(p.Run.Rounds),
		unit.Micros(bottom(arms[""], arms["base"], arms["head"])), unit.Micros(top(arms[""], arms["base"], arms["head"])))
	return pl
}

func bottom(series ...[]xy) float64 {
	low := math.Inf(1)
	for _, points := range series {
		for _, q := range points {
			low = min(low, q.v)
		}
	}
	return low
}

func spanTicks(span time.Duration) []tick {
	return []tick{{At: "0%", Label: "0"}, {At: "50%", Label: unit.Duration(span / 2)}, {At: "100%", Label: unit.Duration(span), Last: true}}
}

// healthPlots draw how the generator itself was.
func (p *Page) healthPlots() []*plot {
	if p.Run == nil || len(p.Run.Series) == 0 {
		return nil
	}
	all := slots(p.Run.Series, maxSlots)
	x := timeTicks(all)
	cpu := points(all, func(s *slot) float64 { return s.cpu })
	busy := newPlot("cpu", "Generator CPU", max(top(cpu), 1), func(v float64) string { return unit.Percent(v) })
	busy.area("cpu", cpu)
	busy.line("cpu", cpu)
	busy.rule("limit", 0.8)
	busy.X, busy.Legend = x, []legend{{"cpu", "share of its CPUs"}, {"limit", "80%: too busy to trust"}}
	busy.Spoken = "CPU of the generator over time: at most " + unit.Percent(round(top(cpu))) + "."
	lag := points(all, func(s *slot) float64 { return s.lag })
	late := newPlot("lag", "Late sends, p99", max(top(lag), 12_000), func(v float64) string { return unit.Micros(v) })
	late.line("lag", lag)
	late.rule("limit", 10_000)
	late.X, late.Legend = x, []legend{{"lag", "lateness of the generator"}, {"limit", "10 ms: late"}}
	late.Spoken = "Lateness of sends over time: at most " + unit.Micros(top(lag)) + "."
	return []*plot{busy, late}
}

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
