package result

import (
	"cmp"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/unit"
)

// An Observed is one of the target's own metrics, as an [[observe]] of the spec
// reads it while the load runs.
type Observed struct {
	Role   string // cpu, memory, or a name of the spec's own: target.ROLE in a limit
	Arm    string // paired: "base" or "head", whose own it is; "" when there is one for all
	Source string // what was read, for people: no credentials, no query
	Unit   unit.Base
	Limit  float64 // capacity, in the unit of the readings; 0: none
	// Every is how often it was asked for; readings may be fewer.
	Every    time.Duration
	Readings []Reading // in order of time
	Missed   int       // times that it was asked for in vain
	Fault    string    // why, the last time; "" when it never was
}

// A Reading is what the target said of itself at one moment.
type Reading struct {
	At    time.Duration // since the start of the load; less than 0 before it
	Value float64       // in the unit of its Observed
}

// Level is what limits judge a value by: its share of the Limit where there is
// one, else the value itself.
func (o *Observed) Level(value float64) float64 {
	if o.Limit > 0 {
		return value / o.Limit
	}
	return value
}

// MeasuredAt says whether a moment lies in load that counts; in a paired run in
// that of either side.
func (r *Run) MeasuredAt(at time.Duration) bool {
	if r.Mode == "paired" {
		return slices.ContainsFunc(r.Rounds, func(o Round) bool { return at >= o.Start && at < o.Start+o.Length })
	}
	i, found := slices.BinarySearchFunc(r.Series, at, func(s Second, at time.Duration) int { return cmp.Compare(s.At, at) })
	if !found {
		i-- // the second that began before
	}
	return i >= 0 && i < len(r.Series) && r.Series[i].Measured && at < r.Series[i].At+cmp.Or(r.Series[i].Length, time.Second)
}

// MeasuredObserved are the target's own metrics with those readings alone that
// fell into load that counts, of the side that is judged: the head.
func (r *Run) MeasuredObserved() []Observed {
	var all []Observed
	for _, o := range r.Observed {
		if o.Arm == "base" {
			continue
		}
		o.Readings = r.MeasuredReadings(&o)
		all = append(all, o)
	}
	return all
}

// MeasuredReadings are those readings of one of the run's metrics that fell into
// load that counts. In a paired run either side's load counts, whichever side told
// it: a reading such as a rate is of the seconds before it, in which both had
// their turns, and one side's turns may always lie at the same place between two
// readings.
func (r *Run) MeasuredReadings(o *Observed) []Reading {
	var counted []Reading
	for _, reading := range o.Readings {
		if r.MeasuredAt(reading.At) {
			counted = append(counted, reading)
		}
	}
	return counted
}

// mergedObserved keeps of each metric what one shard read of it, the one that
// read most: all shards asked the same target.
func mergedObserved(runs []*Run) []Observed {
	var all []Observed
	for _, r := range runs {
		for _, o := range r.Observed {
			i := slices.IndexFunc(all, func(have Observed) bool { return have.Role == o.Role && have.Arm == o.Arm })
			switch {
			case i < 0:
				all = append(all, o)
			case len(o.Readings) > len(all[i].Readings):
				all[i] = o
			}
		}
	}
	return all
}
