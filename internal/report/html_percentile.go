package report

import (
	"math"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

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
	pl.Note = "Each further nine takes as much room as the one before."
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
