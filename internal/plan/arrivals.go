package plan

import (
	"math"
	"time"
)

// An Arrival is one iteration that an open track asks for.
type Arrival struct {
	N     int64         // number within the track, over all parts
	At    time.Duration // since the start of the track
	Stage int           // index into Track.Stages
}

// Arrivals walks the arrivals of an open track in order, in constant memory.
//
// Even arrivals: with I(t) the integral of the rate from the start to t, arrival
// n (from 0) is due at the moment at which I is about to exceed n, to the
// nanosecond. A stage over which I grows by a whole number has exactly that many
// arrivals, ramps too, and a stretch at rate 0 has none. A track has as many as
// the whole numbers below I at its end.
//
// Poisson arrivals are spaced by independent exponential gaps of mean 1 in I, so
// that their rate follows the stages; how many there are is a matter of the seed.
type Arrivals struct {
	stages  []segment
	poisson bool
	step    int64
	part    int64
	rng     mix

	n     int64   // number of the next arrival looked at
	x     float64 // I at arrival n
	stage int
	start time.Duration // of the stage
	sum   float64       // I at the start of the stage
	end   float64       // I at its end
	last  time.Duration
}

// Arrivals begins a walk over this part's arrivals of an open track.
func (p Plan) Arrivals(track int) *Arrivals {
	t := p.Tracks[track]
	a := &Arrivals{
		stages:  segments(t.Stages),
		poisson: t.Poisson,
		step:    int64(p.parts()),
		part:    int64(p.Part),
		rng:     newMix(p.Seed, uint64(track), saltArrivals),
	}
	if a.poisson {
		a.x = a.rng.exp()
	} else {
		a.n, a.x = a.part, float64(a.part)
	}
	if len(a.stages) > 0 {
		a.end = a.area(0)
	}
	return a
}

// Next returns the next arrival; ok is false after the last.
func (a *Arrivals) Next() (next Arrival, ok bool) {
	for {
		for a.stage < len(a.stages) && a.x >= a.end {
			a.advance()
		}
		if a.stage >= len(a.stages) {
			return Arrival{}, false
		}
		next = Arrival{N: a.n, At: a.at(), Stage: a.stages[a.stage].index}
		if !a.poisson {
			a.n += a.step
			a.x = float64(a.n)
			return next, true
		}
		a.n++
		a.x += a.rng.exp()
		if next.N%a.step == a.part {
			return next, true
		}
	}
}

func (a *Arrivals) advance() {
	a.start += a.stages[a.stage].Duration
	a.sum = a.end
	a.stage++
	if a.stage < len(a.stages) {
		a.end = a.area(a.stage)
	}
}

// area is I at the end of stage i. Rates such as 100/3s are not exact in binary,
// so a sum this close to a whole number is meant to be one: otherwise rounding
// would add or lose an arrival.
func (a *Arrivals) area(i int) float64 {
	s := a.stages[i]
	v := a.sum + (s.From+s.To)/2*s.Duration.Seconds()
	if r := math.Round(v); math.Abs(v-r) < 1e-6+1e-12*r {
		return r
	}
	return v
}

// at solves I(t) = x within the current stage. For a ramp with slope k from rate
// r it is the root of r*t + k/2*t² = x, in the form that does not cancel.
func (a *Arrivals) at() time.Duration {
	s := a.stages[a.stage]
	x := a.x - a.sum
	var t float64
	if slope := (s.To - s.From) / s.Duration.Seconds(); slope == 0 {
		t = x / s.From
	} else if den := s.From + math.Sqrt(max(s.From*s.From+2*slope*x, 0)); den > 0 {
		t = 2 * x / den
	}
	in := time.Duration(math.Round(t * 1e9))
	in = min(max(in, 0), s.Duration-1)
	a.last = max(a.last, a.start+in)
	return a.last
}
