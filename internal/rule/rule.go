// Package rule is the small language of checks, limits, tolerances, capture
// sources and templates. Everything is compiled once, before the load, and is
// read-only after that: users share it.
package rule

import "time"

// A Value is a run-time value: nil, bool, int64, float64, string, []any or
// map[string]any, as from JSON (integers stay int64).
type Value = any

// An Error is a mistake in an expression; Offset counts bytes into Text.
type Error struct {
	Text   string
	Offset int
	Msg    string
	Hint   string
}

// Error returns the message without position.
func (e *Error) Error() string { return e.Msg }

// An Answer is what checks and captures may look at. scenario fills one in for
// each response and reuses it.
type Answer struct {
	Status       int
	Latency      time.Duration // service time
	TTFB         time.Duration
	Proto        string
	Size         int64
	Body         []byte
	ChecksFailed bool // for the subject `checks`
	Header       func(name string) (string, bool)
	Cookie       func(name string) (string, bool)

	doc doc
}

// An Env gives templates their values at run time.
type Env interface {
	Lookup(name string) (Value, bool) // var, secret, feed.column, capture, user.id, iteration
	Uint64() uint64                   // the user's seeded generator
	Next(seq string) int64            // seq(name): 1, 2, 3 over the whole run
}

type doc struct{}
