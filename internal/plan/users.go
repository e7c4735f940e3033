package plan

import (
	"math"
	"time"
)

// A Change is a moment at which the number of users of a closed track changes.
type Change struct {
	At    time.Duration // since the start of the track
	Users int           // from now on
}

// Changes walks the changes of a closed track in order, in constant memory. The
// user in seat j (from 0) is at work while the level is above j; where the level
// is rising, from the moment at which it reaches j. A ramp from 0 thus has its
// first user at once. A spawn rate bounds how fast the level rises, not how fast
// it falls.
type Changes struct {
	plan  Plan
	track int
	lines []line
	users int  // of the whole plan, as last seen
	last  int  // of this part, as last returned
	began bool // the start of lines[0] was seen
}

// A line is a stretch in which the level moves evenly.
type line struct {
	at, dur  time.Duration
	from, to float64
}

// near absorbs rounding where a level is compared with a whole number of users.
const near = 1e-9

// Changes begins a walk over this part's changes of a closed track.
func (p Plan) Changes(track int) *Changes {
	return &Changes{plan: p, track: track, lines: p.Tracks[track].lines()}
}

// Next returns the next change; ok is false after the last, from when on the
// number of users stays as it is until the track ends.
func (c *Changes) Next() (next Change, ok bool) {
	for {
		at, users, ok := c.step()
		if !ok {
			return Change{}, false
		}
		if mine := int(c.plan.share(int64(users))); mine != c.last {
			c.last = mine
			return Change{At: at, Users: mine}, true
		}
	}
}

// step is Next for the whole plan, and may repeat a number.
func (c *Changes) step() (at time.Duration, users int, ok bool) {
	for len(c.lines) > 0 {
		l := c.lines[0]
		if !c.began {
			c.began = true
			c.users = l.users(0)
			return l.at, c.users, true
		}
		level, next := float64(c.users), c.users+1
		if l.to < l.from {
			level, next = level-1, c.users-1
		}
		if (l.to > l.from && level < l.to-near) || (l.to < l.from && level > l.to+near) {
			c.users = next
			share := min(max((level-l.from)/(l.to-l.from), 0), 1)
			return l.at + time.Duration(share*float64(l.dur)), next, true
		}
		c.lines, c.began = c.lines[1:], false
	}
	return 0, 0, false
}

// Users is how many users this part of a closed track should have at a moment
// of the track. Outside the track it is 0.
func (p Plan) Users(track int, at time.Duration) int {
	for _, l := range p.Tracks[track].lines() {
		if at >= l.at && at < l.at+l.dur {
			return int(p.share(int64(l.users(at - l.at))))
		}
	}
	return 0
}

// users is the number of users at a moment of the line, of the whole plan.
func (l line) users(in time.Duration) int {
	level := l.from + (l.to-l.from)*(float64(in)/float64(l.dur))
	if l.to > l.from {
		return min(int(math.Floor(level+near))+1, int(math.Ceil(l.to-near)))
	}
	return int(math.Ceil(level - near))
}

// lines are the stages of a track with its spawn rate applied.
func (t Track) lines() []line {
	rate := t.SpawnRate
	if rate <= 0 {
		rate = math.Inf(1)
	}
	var lines []line
	var at time.Duration
	level := 0.0 // reached so far
	for _, s := range t.Stages {
		level = min(level, s.From)
		if s.Duration == 0 {
			level = min(level, s.To)
			continue
		}
		secs := s.Duration.Seconds()
		slope := (s.To - s.From) / secs
		if math.IsInf(rate, 1) {
			level = s.From
		}
		first := time.Duration(0) // until the level is where the stage wants it
		if level < s.From || slope > rate {
			first = s.Duration
			if t := (s.From - level) / (rate - slope); slope < rate && t < secs {
				first = time.Duration(t * 1e9)
			}
		}
		if first > 0 {
			up := level + rate*first.Seconds()
			lines = append(lines, line{at, first, level, up})
			level = up
		}
		if rest := s.Duration - first; rest > 0 {
			// Below it still by what a nanosecond makes, at most.
			from := min(level, s.To-slope*rest.Seconds())
			lines = append(lines, line{at + first, rest, from, s.To})
			level = s.To
		}
		at += s.Duration
	}
	return lines
}
