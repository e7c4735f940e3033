package report

import (
	"fmt"
	"math"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/unit"
)

// distributionBins is how finely a distribution is drawn: a bin must hold enough
// requests for its height not to be chance.
const distributionBins = 60

// A logAxis runs from low to high µs, each factor as wide as the next.
type logAxis struct{ low, high float64 }

// axisOf spans all but the last in a thousand of what the curves hold: a single
// timeout must not press the rest into a corner.
func axisOf(curves []curve, marks []float64) logAxis {
	a := logAxis{low: math.Inf(1)}
	for _, c := range curves {
		a.low = min(a.low, float64(c.hist.ValueAtQuantile(0.1)))
		a.high = max(a.high, float64(c.hist.ValueAtQuantile(99.9)))
	}
	for _, v := range marks {
		a.low, a.high = min(a.low, v*0.95), max(a.high, v*1.05)
	}
	a.low = max(a.low, 1)
	if a.high < 2*a.low { // all alike: a spike in the middle
		middle := math.Sqrt(a.low * max(a.high, a.low))
		a.low, a.high = middle/2, middle*2
	}
	return a
}

func (a logAxis) share(v float64) float64 {
	return min(max(math.Log(v/a.low)/math.Log(a.high/a.low), 0), 1)
}

// ticks are at 1, 2 and 5 times the powers of ten, or fewer where there is no
// room for them.
func (a logAxis) ticks() []tick {
	steps := []float64{1, 2, 5}
	if a.high > 60*a.low {
		steps = []float64{1}
	}
	var all []tick
	for power := math.Pow(10, math.Floor(math.Log10(a.low))); power <= a.high; power *= 10 {
		for _, m := range steps {
			if v := m * power; v >= a.low && v <= a.high {
				all = append(all, tick{At: percent(a.share(v)), Label: unit.Micros(v), Last: a.share(v) > 0.95})
			}
		}
	}
	return all
}

// shares are how much of a histogram lies in each bin of the axis. What lies
// beyond the axis counts to its ends, so that all shares add up to 1.
func (a logAxis) shares(h *hdr.Histogram) []float64 {
	bins := make([]float64, distributionBins)
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			i := int(a.share(float64(bar.From+bar.To)/2) * distributionBins)
			bins[min(i, distributionBins-1)] += float64(bar.Count) / float64(h.TotalCount())
		}
	}
	return bins
}

// distributionPlot draws how requests spread over latencies; marks are latencies
// of the base. Nil when there is nothing.
func distributionPlot(id, title string, curves []curve, marks ...float64) *plot {
	var kept []curve
	for _, c := range curves {
		if c.hist != nil && c.hist.TotalCount() > 0 {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	axis := axisOf(kept, marks)
	lines := make([][]xy, len(kept))
	for i, c := range kept {
		for j, share := range axis.shares(c.hist) {
			lines[i] = append(lines[i], xy{(2*j + 1) * full / (2 * distributionBins), share})
		}
	}
	pl := newPlot(id, title, top(lines...), func(v float64) string { return unit.Percent(v) })
	pl.Tall, pl.X = true, axis.ticks()
	pl.Note = "Share of requests by latency; each factor is as wide as the next."
	for i, c := range kept {
		pl.area(c.class, lines[i])
		pl.line(c.class, lines[i])
		pl.Legend = append(pl.Legend, legend{c.class, c.name})
		pl.Spoken += fmt.Sprintf("%s: half of the requests took %s to %s. ", upperFirst(c.name),
			unit.Micros(c.hist.ValueAtQuantile(25)), unit.Micros(c.hist.ValueAtQuantile(75)))
	}
	for _, v := range marks {
		pl.upright("base", int(axis.share(v)*full))
	}
	if len(marks) > 0 {
		pl.Legend = append(pl.Legend, legend{"base", "base: p50, p95, p99, as far as stored"})
	}
	return pl
}

// known are the latencies (µs) that are known of a step's base where its
// histogram is not.
func (s *stepRow) known() []float64 {
	var all []float64
	for _, q := range []string{"p50", "p95", "p99"} {
		if f := s.finding(q); f != nil && f.Base > 0 {
			all = append(all, f.Base)
		}
	}
	return all
}
