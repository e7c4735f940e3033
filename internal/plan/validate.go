package plan

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Bounds of a plan: those of the keys of [load], so that nothing the arithmetic
// here does can overflow or lose precision that matters.
const (
	MaxRate     = 1e6     // arrivals per second
	MaxUsers    = 100_000 // of a track
	MaxDuration = 24 * time.Hour
	maxTotal    = 366 * 24 * time.Hour // of a track: stages of 24 h each add up
	maxWeight   = 1e6
)

// Validate reports what makes a plan impossible, or nil. What the other methods
// do with an invalid plan is undefined.
func (p Plan) Validate() error {
	if len(p.Tracks) == 0 {
		return errors.New("the plan has no load")
	}
	if p.Part < 0 || p.Part >= p.parts() {
		return fmt.Errorf("shard %d of %d: count shards from 0, below their number", p.Part, p.parts())
	}
	for _, t := range p.Tracks {
		if err := t.validate(); err != nil {
			name := "load"
			if t.Name != "" {
				name = fmt.Sprintf("load of scenario %q", t.Name)
			}
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (t Track) validate() error {
	if len(t.Stages) == 0 {
		return errors.New("no stages")
	}
	limit, unit := float64(MaxUsers), "users"
	if t.Open {
		limit, unit = MaxRate, "arrivals per second"
	}
	total := t.Start
	for i, s := range t.Stages {
		if !upTo(s.From, limit) || !upTo(s.To, limit) {
			return fmt.Errorf("stage %d goes from %v to %v %s; levels are 0 to %.0f", i+1, s.From, s.To, unit, limit)
		}
		if s.Duration < 0 || s.Duration > MaxDuration {
			return fmt.Errorf("stage %d takes %v; stages take 0s to %v", i+1, s.Duration, MaxDuration)
		}
		if total += s.Duration; total > maxTotal {
			return fmt.Errorf("the stages take longer than %v", maxTotal)
		}
	}
	switch {
	case total == t.Start:
		return errors.New("the load takes no time: give it a duration")
	case t.Peak() == 0:
		return fmt.Errorf("the load never rises above 0 %s", unit)
	case t.Start < 0 || t.Start > MaxDuration:
		return fmt.Errorf("start is %v; it may be 0s to %v", t.Start, MaxDuration)
	case t.GracefulStop < 0 || t.GracefulStop > MaxDuration:
		return fmt.Errorf("graceful stop is %v; it may be 0s to %v", t.GracefulStop, MaxDuration)
	case t.MaxUsers < 0 || t.MaxUsers > MaxUsers:
		return fmt.Errorf("max users is %d; it may be 0 to %d", t.MaxUsers, MaxUsers)
	case !upTo(t.SpawnRate, MaxRate):
		return fmt.Errorf("spawn rate is %v users per second; it may be 0 to %.0f", t.SpawnRate, MaxRate)
	case t.Iterations < 0 || t.IterationsPerUser < 0:
		return errors.New("iterations are below 0")
	}
	return t.validateShares()
}

func (t Track) validateShares() error {
	weighted, pinned := 0, 0
	for _, s := range t.Shares {
		switch {
		case s.Scenario < 0:
			return fmt.Errorf("scenario %d does not exist", s.Scenario)
		case s.Users < 0 || s.Users > MaxUsers:
			return fmt.Errorf("a scenario has %d users of its own; it may have 0 to %d", s.Users, MaxUsers)
		case !upTo(s.Weight, maxWeight):
			return fmt.Errorf("a scenario has weight %v; it may be 0 to %.0f", s.Weight, float64(maxWeight))
		case s.Users > 0 && t.Open:
			return errors.New("a scenario has users of its own, which an arrival rate does not know")
		case s.Users > 0:
			pinned += s.Users
		case s.Weight > 0:
			weighted++
		}
	}
	peak := int(math.Ceil(t.Peak()))
	switch {
	case weighted == 0 && pinned == 0:
		return errors.New("no scenario has a share of it")
	case pinned > peak && !t.Open:
		return fmt.Errorf("scenarios have %d users of their own, more than the load's %d", pinned, peak)
	case pinned < peak && !t.Open && weighted == 0:
		return fmt.Errorf("scenarios have %d of the load's %d users, and no scenario is left for the others", pinned, peak)
	}
	return nil
}

// upTo says whether v is from 0 to high; NaN is not.
func upTo(v, high float64) bool { return v >= 0 && v <= high }
