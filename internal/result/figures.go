package result

import (
	"math"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Figures are the sums of a set of cells: what a row of a table says.
type Figures struct {
	Requests, Failed, Dropped int64
	PerSecond                 float64 // completed requests per second of measured time
	Latency                   Quantiles
	Status                    map[int]int64
	Errors                    map[string]int64
	In, Out                   int64 // bytes
}

// Quantiles are the usual percentiles of a histogram, in its own unit (µs).
// All are 0 when nothing was recorded.
type Quantiles struct {
	P50, P90, P95, P99, P999, Max int64
	Mean                          float64
	Count                         int64
}

// QuantilesOf reads the usual percentiles of h, which may be nil.
func QuantilesOf(h *hdr.Histogram) Quantiles {
	if h == nil || h.TotalCount() == 0 {
		return Quantiles{}
	}
	// The hundredth is the maximum: asking for it here saves another pass.
	q := h.ValueAtPercentiles([]float64{50, 90, 95, 99, 99.9, 100})
	return Quantiles{
		P50: q[50], P90: q[90], P95: q[95], P99: q[99], P999: q[99.9],
		Max: q[100], Mean: h.Mean(), Count: h.TotalCount(),
	}
}

// Total sums all measured requests of the run.
func (r *Run) Total() Figures {
	f := r.sum(anyCell)
	f.Dropped = r.dropped()
	return f
}

func anyCell(*Cell) bool { return true }

func ofStep(i int) func(*Cell) bool { return func(c *Cell) bool { return c.Key.Step == i } }

// dropped are the arrivals of the measured stages that no user was free for.
func (r *Run) dropped() (n int64) {
	for _, flow := range r.Flows {
		if r.StageMeasured(flow.Stage) {
			n += flow.Dropped
		}
	}
	return n
}

// StepFigures sums the measured requests of step i of the catalog.
func (r *Run) StepFigures(i int) Figures {
	return r.sum(ofStep(i))
}

// AllStepFigures is StepFigures of every step of the catalog, in one pass over
// the cells.
func (r *Run) AllStepFigures() []Figures {
	cells := make([][]Cell, len(r.Catalog.Steps))
	for _, c := range r.Cells {
		if c.Key.Step >= 0 && c.Key.Step < len(cells) {
			cells[c.Key.Step] = append(cells[c.Key.Step], c)
		}
	}
	all := make([]Figures, len(cells))
	for i := range all {
		one := Run{Catalog: r.Catalog, Measured: r.Measured, Cells: cells[i]}
		all[i] = one.StepFigures(i)
	}
	return all
}

// StageMeasured reports whether stage i counts for limits and comparisons. A
// stage that the catalog does not hold counts.
func (r *Run) StageMeasured(i int) bool {
	return i < 0 || i >= len(r.Catalog.Stages) || r.Catalog.Stages[i].Measure
}

// LatencyOf merges the latency (from due) of the measured cells that want
// accepts; nil when there are none. It is to be read only: where one cell holds
// it all, as for most steps, it is that cell's own.
func (r *Run) LatencyOf(want func(*Cell) bool) *hdr.Histogram {
	return r.merge(want, func(c *Cell) *hdr.Histogram { return c.Latency })
}

// serviceOf is LatencyOf for the service time, from when a request was sent.
func (r *Run) serviceOf(want func(*Cell) bool) *hdr.Histogram {
	return r.merge(want, func(c *Cell) *hdr.Histogram { return c.Service })
}

func (r *Run) merge(want func(*Cell) bool, of func(*Cell) *hdr.Histogram) *hdr.Histogram {
	var only, all *hdr.Histogram
	for i := range r.Cells {
		c := &r.Cells[i]
		h := of(c)
		switch {
		case h == nil || !r.StageMeasured(c.Key.Stage) || !want(c):
		case only == nil:
			only = h
		case all == nil:
			all = NewHistogram()
			all.Merge(only)
			all.Merge(h)
		default:
			all.Merge(h)
		}
	}
	if all == nil {
		return only
	}
	return all
}

func (r *Run) sum(want func(*Cell) bool) Figures {
	f := r.counts(want)
	f.Latency = QuantilesOf(r.LatencyOf(want))
	return f
}

// counts is sum without the latency, which costs most of it.
func (r *Run) counts(want func(*Cell) bool) Figures {
	f := Figures{Status: map[int]int64{}, Errors: map[string]int64{}}
	for i := range r.Cells {
		c := &r.Cells[i]
		if !r.StageMeasured(c.Key.Stage) || !want(c) {
			continue
		}
		f.Requests += c.Count
		f.In += c.In
		f.Out += c.Out
		if c.Key.Failed {
			f.Failed += c.Count
		}
		if c.Key.Status != 0 {
			f.Status[c.Key.Status] += c.Count
		}
		if c.Key.Error != "" {
			f.Errors[c.Key.Error] += c.Count
		}
	}
	if s := r.Measured.Seconds(); s > 0 {
		f.PerSecond = float64(f.Requests) / s
	}
	return f
}

// CheckTotals sums, by check of the catalog, how often it held and did not in
// the measured stages.
func (r *Run) CheckTotals() []Tally {
	all := make([]Tally, len(r.Catalog.Checks))
	for i := range all {
		all[i] = Tally{Check: i}
	}
	for _, t := range r.Tallies {
		if r.StageMeasured(t.Stage) && t.Check >= 0 && t.Check < len(all) {
			all[t.Check].Passed += t.Passed
			all[t.Check].Failed += t.Failed
		}
	}
	return all
}

// finite keeps what JSON cannot write out of the file: NaN and infinities
// become 0.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

func micros(d time.Duration) int64 { return d.Microseconds() }

func fromMicros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
