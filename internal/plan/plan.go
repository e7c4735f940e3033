// Package plan says when each request is due. It is pure arithmetic and holds no
// clock: the same plan with the same seed gives the same arrivals every time.
package plan

import "time"

// A Plan is everything a run will do, and when. Tracks run side by side.
type Plan struct {
	Seed   int64
	Tracks []Track
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
	MaxUsers          int           // open: most iterations in flight
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
