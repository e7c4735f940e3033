package plan

import (
	"math"
	"time"
)

// A segment is a stage, or the part of one that a Hold left over.
type segment struct {
	Stage
	index int // of the stage in Track.Stages
}

func segments(stages []Stage) []segment {
	all := make([]segment, len(stages))
	for i, s := range stages {
		all[i] = segment{s, i}
	}
	return all
}

// split cuts the stages at a moment of the track and lets the level stay from
// there to the end; stages keep their lengths, so what is measured stays so.
func split(all []segment, at time.Duration, level float64) []segment {
	var out []segment
	start := time.Duration(0)
	for _, s := range all {
		end := start + s.Duration
		switch {
		case end <= at:
			out = append(out, s)
		case start >= at:
			s.From, s.To = level, level
			out = append(out, s)
		default:
			before, after := s, s
			before.Duration, after.Duration = at-start, end-at
			before.To = s.From + (s.To-s.From)*(float64(at-start)/float64(s.Duration))
			after.From, after.To = level, level
			out = append(out, before, after)
		}
		start = end
	}
	return out
}

// Hold lets arrivals come at a steady rate (of the whole plan, per second) from a
// moment of the track until its end, in place of what the stages ask for. The
// walk is to stand where it was before the first arrival that is not handed out
// yet: keep a copy of it before each Next.
//
// The schedule stays absolute. Arrivals that were due before the moment stay due
// then, and what had passed of the wait for the next one counts: holding the
// same rate again and again neither adds nor loses an arrival.
func (a *Arrivals) Hold(at time.Duration, rate float64) {
	a.stages = split(a.stages, max(at, 0), rate)
	a.stage, a.start, a.sum, a.end = 0, 0, 0, 0
	if len(a.stages) > 0 {
		a.end = a.area(0)
	}
}

// Hold lets the number of users (of the whole plan) be the given one from a
// moment of the track until its end, in place of what the stages ask for; a rise
// still takes the time that the spawn rate says. As with Arrivals.Hold, the walk
// is to stand before the first change that has not come about yet.
func (c *Changes) Hold(at time.Duration, users int) {
	t := c.plan.Tracks[c.track]
	end, level := t.Duration(), float64(c.users)
	c.lines, c.began = nil, false
	if at >= end {
		return
	}
	if rise := float64(users) - level; rise > 0 && t.SpawnRate > 0 {
		up := time.Duration(math.Min(rise/t.SpawnRate*1e9, float64(end-at)))
		c.lines = append(c.lines, line{at, up, level, level + t.SpawnRate*up.Seconds()})
		at += up
	}
	if at < end {
		c.lines = append(c.lines, line{at, end - at, float64(users), float64(users)})
	}
}
