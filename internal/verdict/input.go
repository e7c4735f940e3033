package verdict

import (
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// Input is all that a verdict rests on.
type Input struct {
	Run *result.Run // the run to judge
	// Head is the compact form of Run; made from Run when nil.
	Head *result.Summary
	// Again holds further runs of the same commit: earlier attempts, each of which
	// counts as measured on a fresh machine, and after each run (Run first) those
	// marked Again, which the same job made. These are no substitute for a fresh
	// machine: whatever is wrong with it for longer than a run is wrong with all of
	// them, so together with the run before them they count as one. What is not of
	// this commit, load and kind of machine is left out, and said.
	Again []*result.Summary
	// Base holds stored runs of the main branch, newest first. Runs that may not
	// be compared with Head are left out, and said.
	Base []*result.Summary
	// Weekday is the day of the week that all of Base began on, when they were
	// chosen by it: "Monday".
	Weekday string
	// NoBase says why Base is empty, when the caller knows.
	NoBase *Reason
	// Notes are warnings to pass on: stored files that could not be read.
	Notes []Reason
	Gate  Gate
	// Watch is what looked after the run while it went on; nil when nothing did.
	Watch *Watch
}

// A Gate is what a spec asks of a run.
type Gate struct {
	Limits      []Limit
	Compare     []Compare    // none: nothing is compared
	Per         result.Scope // of rules that name none; "" is step
	MinRequests int64        // rows with fewer are not judged; 0 is 100
	Confirm     int          // further runs that the job of the head may make
	Confidence  float64      // of the intervals that are shown; 0 is 0.95
}

// A Limit is one absolute limit.
type Limit struct {
	Rule   *rule.Limit
	Abort  bool          // stop the run when it is broken
	After  time.Duration // not judged before, while the run goes on
	Window time.Duration // every stretch of this length must hold; 0: the whole run
	Warn   bool
	Line   int // in the spec
	// Seen is where a shard saw the limit broken while it ran; nil: none did, or
	// the run is whole. See Watch.Breach.
	Seen *Breach
}

// A Compare is one rule against the baseline.
type Compare struct {
	Rule *rule.Compare
	Per  result.Scope // "": the gate's
	Warn bool
	Line int
}

// per is the scope of the rows that a rule is about: what it says, else what its
// tags can choose from, else the gate's.
func (g Gate) per(c Compare) result.Scope {
	switch {
	case c.Per != "":
		return c.Per
	case hasTag(&c.Rule.Selector, "step"):
		return result.ScopeStep
	case hasTag(&c.Rule.Selector, "scenario") && g.Per == result.ScopeTotal:
		return result.ScopeScenario
	case g.Per != "":
		return g.Per
	default:
		return result.ScopeStep
	}
}

func (g Gate) minRequests() int64 {
	if g.MinRequests <= 0 {
		return 100
	}
	return g.MinRequests
}

func (g Gate) confidence() float64 {
	if g.Confidence <= 0 || g.Confidence >= 1 {
		return 0.95
	}
	return g.Confidence
}
