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
)

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
func (p *Page) healthPlots(most int) []*plot {
	if p.Run == nil || len(p.Run.Series) == 0 {
		return nil
	}
	all := slots(p.Run.Series, most)
	x := timeTicks(all)
	cpu := points(all, func(s *slot) float64 { return s.cpu })
	busy := newPlot("cpu", "Generator CPU", max(top(cpu), 1), func(v float64) string { return unit.Percent(v) })
	busy.area("cpu", cpu)
	busy.line("cpu", cpu)
	busy.rule("limit", 0.8)
	busy.X, busy.Legend = x, []legend{{"cpu", "share of its CPUs"}, {"limit", "80%: too busy to trust"}}
	busy.Spoken = "CPU of the generator over time: at most " + unit.Percent(round(top(cpu))) + "."
	if stolen := points(all, func(s *slot) float64 { return s.steal }); slices.ContainsFunc(stolen, func(q xy) bool { return !math.IsNaN(q.v) }) {
		busy.line("steal", stolen)
		busy.Legend = append(busy.Legend, legend{"steal", "taken by the hypervisor"})
		busy.Spoken += " The hypervisor took at most " + unit.Percent(round(top(stolen))) + "."
	}
	lag := points(all, func(s *slot) float64 { return s.lag })
	late := newPlot("lag", "Late sends, p99", max(top(lag), 12_000), func(v float64) string { return unit.Micros(v) })
	late.line("lag", lag)
	late.rule("limit", 10_000)
	late.X, late.Legend = x, []legend{{"lag", "lateness of the generator"}, {"limit", "10 ms: late"}}
	late.Spoken = "Lateness of sends over time: at most " + unit.Micros(top(lag)) + "."
	return []*plot{busy, late}
}
