package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A role is one of the target's own metrics with what was read of it: one line,
// or in a paired run one for each side, of one unit and one capacity.
type role []readLine

// A readLine is what one side of a role told.
type readLine struct {
	*result.Observed
	drawn []result.Reading // those that a chart of the load has room for
}

// roles gathers the sides of each role, in the order in which they come, for
// charts from the start of the load to end.
func roles(run *result.Run, end time.Duration) []role {
	var all []role
	for i := range run.Observed {
		o := &run.Observed[i]
		line := readLine{Observed: o}
		for _, r := range o.Readings {
			if r.At >= 0 && r.At < end && !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0) {
				line.drawn = append(line.drawn, r)
			}
		}
		at := slices.IndexFunc(all, func(r role) bool { return r[0].Role == o.Role && r[0].Unit == o.Unit && r[0].Limit == o.Limit })
		if at < 0 {
			all = append(all, role{line})
			continue
		}
		all[at] = append(all[at], line)
	}
	for _, r := range all { // what is drawn last lies above: the head
		slices.SortStableFunc(r, func(a, b readLine) int { return cmp.Compare(a.Arm, b.Arm) })
	}
	return all
}

// drawable is whether a role has a reading to draw.
func (r role) drawable() bool {
	return slices.ContainsFunc(r, func(l readLine) bool { return len(l.drawn) > 0 })
}

// written is a value that was read, where there is a capacity also as a share
// of it; NaN: none was read.
func (l readLine) written(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case l.Limit > 0:
		return unit.In(l.Unit, v) + " · " + unit.Percent(v/l.Limit)
	}
	return unit.In(l.Unit, v)
}

// span is the lowest and the highest reading that is drawn.
func (l readLine) span() (low, high float64) {
	reads := (&result.Observed{Readings: l.drawn}).Reads()
	return reads.Min, reads.Max
}

// patience is how long a reading stands for what comes after it: for one that was
// asked for in vain, and for a next one that is late.
func (l readLine) patience() time.Duration {
	return min(max(l.Every, time.Second), 24*time.Hour) * 5 / 2
}

// trace places the readings on a time axis that ends at end, each at its own
// moment. The line breaks where several in a row are missing. Of more readings
// than the eye can tell apart, the lowest and the highest of each stretch are
// kept, so that no spike is lost.
func (l readLine) trace(end time.Duration, most int) []xy {
	stretch := func(i int) int { return int(float64(l.drawn[i].At) / float64(end) * float64(most)) }
	dense := len(l.drawn) > 2*most
	far := max(l.patience(), end/time.Duration(most))
	var points []xy
	place := func(i int, v float64) {
		points = append(points, xy{int(float64(l.drawn[i].At) / float64(end) * full), v})
	}
	for i := 0; i < len(l.drawn); {
		from, low, high := i, i, i
		if i > 0 && l.drawn[i].At-l.drawn[i-1].At > far {
			place(i, math.NaN())
		}
		for i++; dense && i < len(l.drawn) && stretch(i) == stretch(from); i++ {
			if l.drawn[i].Value < l.drawn[low].Value {
				low = i
			}
			if l.drawn[i].Value > l.drawn[high].Value {
				high = i
			}
		}
		place(min(low, high), l.drawn[min(low, high)].Value)
		if low != high {
			place(max(low, high), l.drawn[max(low, high)].Value)
		}
	}
	return points
}

// along is what a pointer on each slot reads: the highest reading in it, else
// the last one before, while that is not too old for where the pointer stands.
// NaN: none.
func (l readLine) along(all []slot) []float64 {
	next := 0
	values := make([]float64, len(all))
	for i := range all {
		s := &all[i]
		values[i] = math.NaN()
		for ; next < len(l.drawn) && l.drawn[next].At < s.at+s.length; next++ {
			if l.drawn[next].At >= s.at {
				values[i] = worst(values[i], l.drawn[next].Value)
			}
		}
		if math.IsNaN(values[i]) && next > 0 && s.at+s.length/2-l.drawn[next-1].At <= l.patience() {
			values[i] = l.drawn[next-1].Value
		}
	}
	return values
}
