package result

import (
	"cmp"
	"maps"
	"slices"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// sumHistograms adds up one histogram of each run; nil when none has it.
func sumHistograms(runs []*Run, of func(*Run) *hdr.Histogram) *hdr.Histogram {
	var sum *hdr.Histogram
	for _, r := range runs {
		sum = addHistogram(sum, of(r))
	}
	return sum
}

// addHistogram adds h to sum, which is a histogram of the merged run's own; both
// may be nil.
func addHistogram(sum, h *hdr.Histogram) *hdr.Histogram {
	switch {
	case h == nil:
		return sum
	case sum == nil:
		return h.Clone()
	default:
		sum.Merge(h) // nothing is dropped: both have the limits of this format
		return sum
	}
}

// mergedCells keeps the order in which load writes cells.
func mergedCells(runs []*Run) []Cell {
	at := map[Key]int{}
	var all []Cell
	for _, r := range runs {
		for i := range r.Cells {
			c := &r.Cells[i]
			j, ok := at[c.Key]
			if !ok {
				j = len(all)
				at[c.Key] = j
				all = append(all, Cell{Key: c.Key})
			}
			into := &all[j]
			into.Count += c.Count
			into.In += c.In
			into.Out += c.Out
			into.Latency, into.Service = addHistogram(into.Latency, c.Latency), addHistogram(into.Service, c.Service)
		}
	}
	slices.SortStableFunc(all, func(x, y Cell) int { return x.Key.Compare(y.Key) })
	return all
}

func mergedPhases(runs []*Run) []Phases {
	var all []Phases
	for _, r := range runs {
		for i := range r.Phases {
			if i == len(all) {
				all = append(all, Phases{})
			}
			into, p := &all[i], &r.Phases[i]
			into.DNS, into.Connect, into.TLS = addHistogram(into.DNS, p.DNS), addHistogram(into.Connect, p.Connect), addHistogram(into.TLS, p.TLS)
			into.TTFB, into.Body, into.Queue = addHistogram(into.TTFB, p.TTFB), addHistogram(into.Body, p.Body), addHistogram(into.Queue, p.Queue)
		}
	}
	return all
}

func mergedTallies(runs []*Run) []Tally {
	type key struct{ check, stage int }
	sums := map[key]Tally{}
	for _, r := range runs {
		for _, t := range r.Tallies {
			k := key{t.Check, t.Stage}
			sum := sums[k]
			sums[k] = Tally{Check: t.Check, Stage: t.Stage, Passed: sum.Passed + t.Passed, Failed: sum.Failed + t.Failed}
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Tally) int { return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Stage, b.Stage)) })
}

func mergedFlows(runs []*Run) []Flow {
	type key struct{ scenario, stage int }
	sums := map[key]Flow{}
	for _, r := range runs {
		for _, f := range r.Flows {
			k := key{f.Scenario, f.Stage}
			sum := sums[k]
			sums[k] = Flow{
				Scenario: f.Scenario, Stage: f.Stage,
				Offered: sum.Offered + f.Offered, Started: sum.Started + f.Started, Completed: sum.Completed + f.Completed,
				Cut: sum.Cut + f.Cut, Dropped: sum.Dropped + f.Dropped,
			}
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Scenario, b.Scenario), cmp.Compare(a.Stage, b.Stage))
	})
}

// mergedValues adds up custom metrics. The last value of a gauge is that of the
// last shard that has one: nobody knows which was the latest.
func mergedValues(runs []*Run) []Value {
	sums := map[int]Value{}
	for _, r := range runs {
		for _, v := range r.Values {
			sum, ok := sums[v.Metric]
			if !ok {
				sum = Value{Metric: v.Metric, Min: v.Min, Max: v.Max}
			}
			sum.Count += v.Count
			sum.True += v.True
			sum.Sum += v.Sum
			sum.Min, sum.Max, sum.Last = min(sum.Min, v.Min), max(sum.Max, v.Max), v.Last
			sum.Hist = addHistogram(sum.Hist, v.Hist)
			sums[v.Metric] = sum
		}
	}
	return slices.SortedFunc(maps.Values(sums), func(a, b Value) int { return cmp.Compare(a.Metric, b.Metric) })
}
