// Package plan says when each request is due. It is pure arithmetic and holds no
// clock: the same plan with the same seed gives the same arrivals every time.
package plan

import (
	"math"
	"time"
)

// A Plan is everything a run will do, and when. Tracks run side by side.
type Plan struct {
	Seed   int64
	Tracks []Track

	// Part of Parts is the share of the plan that one of several processes
	// does, as Shard cuts it; Parts 0 or 1 is all of it.
	Part, Parts int
}

// A Share says how much of a track a scenario gets.
type Share struct {
	Scenario int     // index into the spec's scenarios
	Weight   float64 // share of iterations by a seeded, shuffled deck: exact
	Users    int     // when > 0: exactly this many users run only this scenario
}

// A Track is one load: the common one, or that of a scenario of its own.
type Track struct {
	Name   string        // "" for the common load, else the scenario's name
	Start  time.Duration // after the start of the run
	Open   bool          // arrival rate (open model) or users (closed model)
	Stages []Stage       // at least one; a warm-up is an unmeasured first stage
	Shares []Share

	SpawnRate         float64       // closed: users started per second; 0: at once
	Iterations        int64         // closed: shared by all users; 0: no limit
	IterationsPerUser int64         // closed; 0: no limit
	MaxUsers          int           // open: most iterations in flight; 0: as Plan.MaxUsers says
	Poisson           bool          // open: exponential gaps instead of even ones
	GracefulStop      time.Duration // running iterations may finish this long
}

// A Stage is a stretch of a track in which the level is held or moves in a
// straight line. Levels are users (closed) or arrivals per second (open).
type Stage struct {
	Name     string
	Duration time.Duration // 0: a jump
	From, To float64
	Measure  bool
}

// Duration is the length of the track's load, without its start offset and
// without the graceful stop. A track with iterations may end before it.
func (t Track) Duration() time.Duration {
	var d time.Duration
	for _, s := range t.Stages {
		d += s.Duration
	}
	return d
}

// Peak is the highest level of the track, in users or arrivals per second.
func (t Track) Peak() float64 {
	peak := 0.0
	for _, s := range t.Stages {
		peak = max(peak, s.From, s.To)
	}
	return peak
}

// StageAt is the index of the stage that holds the moment at, counted from the
// start of the track; stages include their start and not their end, so jumps
// hold no moment. It is -1 before the track and after it.
func (t Track) StageAt(at time.Duration) int {
	if at < 0 {
		return -1
	}
	for i, s := range t.Stages {
		if at < s.Duration {
			return i
		}
		at -= s.Duration
	}
	return -1
}

// LevelAt is the level the stages ask for at a moment of the track: users,
// without regard to the spawn rate, or arrivals per second. Outside the track it
// is 0.
func (t Track) LevelAt(at time.Duration) float64 {
	i := t.StageAt(at)
	if i < 0 {
		return 0
	}
	for _, s := range t.Stages[:i] {
		at -= s.Duration
	}
	s := t.Stages[i]
	return s.From + (s.To-s.From)*(float64(at)/float64(s.Duration))
}

// Duration is the time from the start of the first track to the planned end of
// the last.
func (p Plan) Duration() time.Duration {
	var d time.Duration
	for _, t := range p.Tracks {
		d = max(d, t.Start+t.Duration())
	}
	return d
}

// Counted says whether some track ends with its iterations, so that Duration is
// a cap and not what to expect.
func (p Plan) Counted() bool {
	for _, t := range p.Tracks {
		if t.Iterations > 0 || t.IterationsPerUser > 0 {
			return true
		}
	}
	return false
}

// Rate is how many arrivals per second all open tracks of this part ask for at
// a moment of the run.
func (p Plan) Rate(at time.Duration) float64 {
	rate := 0.0
	for _, t := range p.Tracks {
		if t.Open {
			rate += t.LevelAt(at - t.Start)
		}
	}
	return rate / float64(p.parts())
}

// The default of max_users, by the specification of [load]: ten times the peak
// rate per second, within these bounds.
const (
	minMaxUsers = 100
	maxMaxUsers = 20000
)

// MaxUsers is the most iterations of an open track that this part may have in
// flight at once: the track's own limit or, without one, ten times its peak rate
// per second, 100 to 20,000; at least 1.
func (p Plan) MaxUsers(track int) int {
	t := p.Tracks[track]
	limit := t.MaxUsers
	if limit == 0 {
		limit = int(min(max(10*t.Peak(), minMaxUsers), maxMaxUsers))
	}
	return max(1, int(p.share(int64(limit))))
}

// Measured is the time that lies in a measured stage of some track.
func (p Plan) Measured() time.Duration { return p.MeasuredUntil(p.Duration()) }

// MeasuredUntil is Measured for a run that ended at a moment before its time.
func (p Plan) MeasuredUntil(end time.Duration) time.Duration {
	var sum, at time.Duration
	for at < end {
		next := min(p.NextEdge(at), end)
		if p.MeasuredAt(at) {
			sum += next - at
		}
		at = next
	}
	return sum
}

// MeasuredAt says whether some track is in a measured stage at a moment of the
// run.
func (p Plan) MeasuredAt(at time.Duration) bool {
	for _, t := range p.Tracks {
		if i := t.StageAt(at - t.Start); i >= 0 && t.Stages[i].Measure {
			return true
		}
	}
	return false
}

// Stretch says whether a moment of the run is measured, as MeasuredAt does, and
// until when that stays so.
func (p Plan) Stretch(at time.Duration) (until time.Duration, measured bool) {
	measured = p.MeasuredAt(at)
	until = p.NextEdge(at)
	for until < p.Duration() && p.MeasuredAt(until) == measured {
		until = p.NextEdge(until)
	}
	return until, measured
}

// NextEdge is the first moment after at where a stage of some track begins or
// ends. Beyond the last it is the greatest Duration.
func (p Plan) NextEdge(at time.Duration) time.Duration {
	next := time.Duration(math.MaxInt64)
	for _, t := range p.Tracks {
		edge := t.Start
		for i := 0; edge <= at && i < len(t.Stages); i++ {
			edge += t.Stages[i].Duration
		}
		if edge > at {
			next = min(next, edge)
		}
	}
	return next
}
