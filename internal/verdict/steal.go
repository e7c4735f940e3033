package verdict

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// What a host that gives this virtual machine less than its CPUs explains
// (docs/decisions/0054-stolen-cpu.md).
const (
	// notableSteal is how much more of the CPU than in the stored runs has to be
	// gone before anything is put down to it.
	notableSteal = 0.03
	// stolenSlice is how long at most a request stands still when the host runs
	// somebody else: schedulers hand out slices of 3 to 10 ms, and two may follow.
	stolenSlice = 20_000.0 // µs
	// stolenShare is how many times the stolen share of the requests may meet a
	// stolen slice: each of a few hops waits for a CPU.
	stolenShare = 3.0
)

// stolen is the share of the CPU that the host took from the runs to judge, beyond
// what it took from the typical stored run. A store that does not know counts as
// one from which nothing was taken.
func (c *comparison) stolen() (now, before float64) {
	typical := func(runs []*result.Summary) float64 {
		var known []float64
		for _, s := range runs {
			if s.Steal >= 0 {
				known = append(known, s.Steal)
			}
		}
		if len(known) == 0 {
			return 0
		}
		return stat.Median(known)
	}
	return typical(c.heads), typical(c.table.base)
}

// blameHost takes back calls that stolen CPU explains: anything that is no more
// than what machines of one kind differ by, and of the tail that the stolen share
// of requests can reach, what lies within a few time slices of the host. The
// stored runs do not know such noise, so their spread says nothing about it.
func (c *comparison) blameHost() {
	now, before := c.stolen()
	more := now - before
	if more < notableSteal {
		return
	}
	message := fmt.Sprintf("the host took %s of this machine's CPU while it was measured, %s in stored runs", unit.Percent(now), unit.Percent(before))
	const remedy = "run it again when the host is calm, or compare base and head in one run with loadline ab"
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || cand.Call != Slower || !t.stealExplains(cand.q, more) {
			continue
		}
		cand.Call, cand.Why, cand.Remedy = NotSure, message, remedy
	}
	c.warnings = append(c.warnings, Reason{Code: "cpu-stolen", Message: message, Remedy: remedy})
}

// stealExplains reports whether the change of a latency at quantile q, or of a
// throughput (q 0), may come of a share of the CPU being stolen.
func (t *moved) stealExplains(q, share float64) bool {
	if math.Abs(t.raw) <= math.Log1p(hugeCommon) {
		return true
	}
	return q > 0 && 1-q <= stolenShare*share && t.base*math.Expm1(t.raw) <= stolenSlice
}
