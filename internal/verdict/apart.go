package verdict

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A pairTest makes the test of a row of a paired run.
type pairTest struct {
	pairs    *result.Pairing
	gate     Gate
	students students
	tau      float64
	alone    float64 // tau that the limits count with where neither side can be restarted; 0: they can
	planned  float64 // how much longer the planned run is than what there is
	open     bool
}

func (p pairTest) of(row *result.PairRow, m measure, a allowance) (test, string) {
	switch m.metric {
	case metricErrors:
		return p.errors(row, m, a)
	case metricThroughput:
		return p.throughput(row, a)
	default:
		return p.latency(row, m.q, a)
	}
}

// notYet is why a row that the planned run can judge is not judged at this look.
const notYet = "too few requests so far"

// latency is judged when the planned run has enough requests beyond the quantile
// on each side; that is settled before the first look and does not change.
func (p pairTest) latency(row *result.PairRow, q float64, a allowance) (test, string) {
	n := float64(min(row.Base.Successes, row.Head.Successes)) * p.planned
	need := math.Max(float64(p.gate.minRequests()), gatedTail/(1-q))
	// Two arms of one schedule have nearly the same number; a tenth of slack keeps
	// the set of judged rows the same at every look.
	if math.IsNaN(n) || n < 0.9*need {
		return nil, fmt.Sprintf("too few requests: p%g needs %s successful ones on each side, this run would have %s",
			100*q, unit.Count(int64(math.Round(need))), unit.Count(int64(math.Max(n, 0))))
	}
	found, ok := row.Quantile(q)
	if !ok || len(found.Differences) < fewestBlocks {
		return nil, notYet
	}
	at := stat.Locate(sensible(found.Differences))
	switch {
	case at.K == 0 || math.IsNaN(within(found.Base, mostLn)):
		return nil, noNumber
	case at.K < fewestBlocks:
		return nil, notYet
	}
	a.base = math.Exp(found.Base)
	t := &apart{allowance: a, at: at, tau: p.tau, alone: p.alone, tail: q > 0.5, students: p.students, confidence: p.gate.confidence()}
	t.head = a.base * math.Exp(t.at.Y)
	switch {
	case q <= 0.5:
		t.calm = calmBody
	case q <= 0.95:
		t.calm = calmTail
	}
	return t, ""
}

func (p pairTest) throughput(row *result.PairRow, a allowance) (test, string) {
	at := stat.Locate(sensible(row.Rate))
	if at.K < fewestBlocks {
		return nil, fmt.Sprintf("throughput needs %d blocks, this run has %d", fewestBlocks, at.K)
	}
	a.sign = -1
	a.base = float64(row.Base.Requests) / math.Max(p.pairs.Load.Seconds()/2, 1e-3)
	t := &apart{allowance: a, at: at, students: p.students, confidence: p.gate.confidence()}
	if !p.open {
		t.tau, t.alone = p.tau, p.alone // users who wait are as slow as the deployment
	}
	t.head = a.base * math.Exp(at.Y)
	return t, ""
}

func (p pairTest) errors(row *result.PairRow, m measure, a allowance) (test, string) {
	t := &flips{blocks: len(row.Errored), tolerances: a.tolerances, confidence: p.gate.confidence()}
	if least := p.gate.minRequests(); float64(min(row.Base.Requests, row.Head.Requests))*p.planned < float64(least) {
		return nil, fmt.Sprintf("too few requests: errors need %s on each side", unit.Count(least))
	}
	share := func(c result.ArmCounts) float64 {
		n := c.Errored
		if m.failed {
			n = c.Failed
		}
		return float64(n) / math.Max(float64(c.Requests), 1)
	}
	t.base, t.head = share(row.Base), share(row.Head)
	for _, b := range row.Errored {
		d := float64(min(b[1], mostErrors) - min(b[0], mostErrors))
		t.sum += d
		t.squares += d * d
	}
	return t, ""
}

// An apart test judges the difference of two deployments, measured in pairs.
type apart struct {
	allowance
	at         stat.Location // of ln(head / base)
	tau        float64       // lasting difference of two deployments of one program
	alone      float64       // the same for a limit that no restart backs; 0: one does, or there is none
	head       float64
	tail       bool    // a percentile beyond p50
	calm       float64 // for a pass, at most this much; 0: a pass does not ask
	students   students
	confidence float64
}

func (t *apart) sd() float64 { return math.Hypot(t.at.SE, t.tau) }

// noise is the change that chance alone exceeds with probability a.
func (t *apart) noise(a float64) float64 {
	return math.Hypot(t.wander(a), math.Max(t.usual(a), t.odd(a)))
}

// wander is what the error of the mean over chunks adds to noise.
func (t *apart) wander(a float64) float64 { return t.students.t(t.at.DF, 1-a) * t.at.SE }

// usual is what two deployments add that differ as they usually do.
func (t *apart) usual(a float64) float64 { return stat.Z(1-a) * t.tau }

// oddTails is how heavy the tails of p95 and p99 are taken to be between deployments
// that cannot be restarted: those of Student's t with so many degrees of freedom.
const oddTails = 20

// odd is what two deployments add of which one is far off for no reason, as happens
// now and then. Earlier comparisons tell of the middle, not of that. A restart draws
// the difference anew; where there is none, the limit must allow for it
// (docs/decisions/0056-calls-without-a-restart.md).
func (t *apart) odd(a float64) float64 {
	switch {
	case t.alone == 0:
		return 0
	case t.tail:
		return t.students.t(oddTails, 1-a) * t.alone
	default:
		return stat.Z(1-a) * t.alone
	}
}

// doubtful says that the change is worse than the rule and ordinary noise allow, yet
// no more than two odd deployments of the same code may differ by.
func (t *apart) doubtful(a float64) bool {
	return t.alone > 0 && !t.beyond(true, a) &&
		t.at.Y*t.sign > math.Max(math.Hypot(t.wander(a), t.usual(a)), t.tolerance(t.sign > 0))
}

func (t *apart) limit(worse bool, a float64) float64 {
	return math.Max(t.noise(a), t.tolerance(worse == (t.sign > 0)))
}

func (t *apart) beyond(worse bool, a float64) bool {
	change := t.at.Y * t.sign
	if !worse {
		change = -change
	}
	return change > t.limit(worse, a)
}

func (t *apart) suspicious() bool {
	change := t.at.Y * t.sign
	return change > t.needed()
}

// needed is the change that is worth a second look: beyond twice its own error, and
// half of what the rule allows.
func (t *apart) needed() float64 { return math.Max(2*t.sd(), t.tolerance(t.sign > 0)/2) }

// upper is the change that one can be 95 % sure not to exceed.
func (t *apart) upper() float64 { return t.at.Y*t.sign + t.students.t(t.at.DF, 0.95)*t.sd() }

// bound is the change that may pass: at least what the rule allows.
func (t *apart) bound() float64 {
	allowed := t.tolerance(t.sign > 0)
	return math.Max(math.Log1p(t.calm), allowed*calmTail/calmBody)
}

// blocksFor says how many times as many blocks would let an unchanged row pass 95
// times in 100; false when no number would.
func (t *apart) blocksFor() (float64, bool) {
	c := t.students.t(t.at.DF, 0.95)
	left := math.Pow(t.bound()/(c+1.645), 2) - t.tau*t.tau
	if left <= 0 {
		return 0, false
	}
	return math.Max(1.2, t.at.SE*t.at.SE/left), true
}

func (t *apart) describe(f *Finding, a float64) {
	half := t.students.t(t.at.DF, 1-(1-t.confidence)/2) * t.sd()
	f.Base, f.Head = t.base, t.head
	f.ChangePercent, f.RawPercent = percent(t.at.Y), percent(t.at.Y)
	f.LowPercent, f.HighPercent = percent(t.at.Y-half), percent(t.at.Y+half)
	f.LimitPercent = math.Abs(percent(t.sign * t.limit(true, a)))
	f.NoisePercent = math.Abs(percent(t.sign * t.noise(a)))
	f.Evidence = t.evidence(a)
}

// Of the errors of one side in one block at most this many count: they come in
// bursts.
const mostErrors = 2

// A flips test judges errors of two sides: were base and head the same, each
// block might as well have been the other way round.
type flips struct {
	blocks       int
	sum, squares float64 // over blocks, of head less base
	base, head   float64 // shares
	tolerances   []rule.Tolerance
	confidence   float64
}

func (t *flips) tolerance() float64 {
	return (&failing{base: t.base, tolerances: t.tolerances}).tolerance()
}

func (t *flips) beyond(worse bool, a float64) bool {
	sum, rise, tolerance := t.sum, t.head-t.base, t.tolerance()
	if !worse {
		sum, rise = -sum, -rise
		tolerance = (&failing{base: t.head, tolerances: t.tolerances}).tolerance()
	}
	return sum >= leastBadRounds && rise > tolerance && sum > stat.Z(1-a)*math.Sqrt(t.squares)
}

func (t *flips) suspicious() bool {
	return t.sum >= leastBadRounds/2 && t.head-t.base > t.tolerance()/2 && t.sum > 2*math.Sqrt(t.squares)
}

func (t *flips) describe(f *Finding, a float64) {
	change := t.head - t.base
	f.Base, f.Head = t.base, t.head
	f.ChangePercent, f.RawPercent = points(change), points(change)
	half := 0.0
	if t.sum != 0 {
		// What the blocks say of the error of the sum holds for the share alike.
		half = math.Abs(change/t.sum) * math.Sqrt(t.squares) * stat.Z(1-(1-t.confidence)/2)
	}
	f.LowPercent, f.HighPercent = points(math.Max(change-half, -t.base)), points(math.Min(change+half, 1-t.base))
	f.LimitPercent = points(t.tolerance())
	f.Evidence = t.evidence(a)
	if t.sum != 0 {
		f.NoisePercent = points(math.Min(1, math.Abs(change/t.sum)*math.Sqrt(t.squares)*stat.Z(1-a)))
	}
}
