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

// stretches is how many parts of a small chart can be told apart.
const stretches = 120

// A trace is a line over time, and the band that it runs in: empty where the line
// goes through every reading.
type trace struct{ line, low, high []xy }

// trace places the readings on a time axis that ends at end, each at its own
// moment, and breaks where several in a row are missing. Of many the line is the
// mean of each stretch, in a band from the lowest to the highest: no spike is lost.
func (l readLine) trace(end time.Duration) trace {
	var t trace
	along := func(i int) float64 { return float64(l.drawn[i].At) / float64(end) }
	many := len(l.drawn) > 2*stretches
	far := max(l.patience(), end/stretches)
	for i := 0; i < len(l.drawn); {
		from := i
		for i++; many && i < len(l.drawn) && int(along(i)*stretches) == int(along(from)*stretches); {
			i++
		}
		if from > 0 && l.drawn[from].At-l.drawn[from-1].At > far {
			t.add(int(along(from)*full), result.Reads{Min: math.NaN(), Mean: math.NaN(), Max: math.NaN()}, many)
		}
		t.add(int(along((from+i-1)/2)*full), (&result.Observed{Readings: l.drawn[from:i]}).Reads(), many)
	}
	return t
}

// add puts a stretch at the end of the line, and of the band where there is one.
func (t *trace) add(x int, reads result.Reads, band bool) {
	t.line = append(t.line, xy{x, reads.Mean})
	if band {
		t.low, t.high = append(t.low, xy{x, reads.Min}), append(t.high, xy{x, reads.Max})
	}
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
