package verdict

import (
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/stat"
)

// What a rise of the error rate takes besides leaving the tolerance. Errors come
// in bursts, so rounds are counted, not requests: a hundred failures in one bad
// second are one bad round.
const (
	leastErrorRise = 0.005 // half a point, where the rule states none
	leastBadRounds = 6     // more bad rounds than the worst stored run
	badOdds        = 2.0   // rise of the odds, where most rounds always had errors
)

// An errorCount is what one run says about errors of a row.
type errorCount struct {
	share       float64
	rounds, bad int
	y, se       float64 // trimmed share over rounds
}

func countErrors(r *result.Row, failedOnly bool) errorCount {
	n := r.Errored
	if failedOnly {
		n = r.Failed
	}
	c := errorCount{
		share: float64(n) / math.Max(float64(r.Requests), 1), rounds: r.Rounds, bad: r.BadRounds,
		y: within(r.ErrorShare.Y, 1), se: within(r.ErrorShare.SE, 1),
	}
	if math.IsNaN(c.y) || math.IsNaN(c.se) {
		c.y, c.se = c.share, 1
	}
	return c
}

// A failing test judges the share of requests with an error.
type failing struct {
	head       errorCount
	runs       []errorCount
	base       float64 // pooled share of the stored runs
	tolerances []rule.Tolerance
	confidence float64
}

// tolerance is how many points the share may rise.
func (t *failing) tolerance() float64 {
	most := leastErrorRise
	if len(t.tolerances) > 0 {
		most = 0
	}
	for _, tol := range t.tolerances {
		if tol.Relative {
			most = math.Max(most, tol.Value*t.base)
		} else {
			most = math.Max(most, tol.Value)
		}
	}
	return most
}

func (t *failing) beyond(worse bool, a float64) bool {
	if worse {
		return t.head.share-t.base > t.tolerance() && t.clearlyAbove(a)
	}
	return t.base-t.head.share > t.tolerance() && t.clearlyBelow(a)
}

// clearlyAbove asks for clearly more bad rounds than any stored run had; or,
// where most rounds always had some error, for a clearly higher share.
func (t *failing) clearlyAbove(a float64) bool {
	rounds, bad := t.pooled()
	worst := t.runs[0]
	for _, r := range t.runs {
		if r.badShare() > worst.badShare() {
			worst = r
		}
	}
	more := float64(t.head.bad) - worst.badShare()*float64(t.head.rounds)
	if more >= leastBadRounds && stat.AtLeast(t.head.bad, t.head.rounds, t.head.bad+bad, t.head.rounds+rounds) <= a {
		return true
	}
	for _, r := range t.runs {
		if !higher(t.head, r, a) || 2*r.bad < r.rounds {
			return false
		}
	}
	return true
}

func (t *failing) clearlyBelow(a float64) bool {
	rounds, bad := t.pooled()
	best := t.runs[0]
	for _, r := range t.runs {
		if r.badShare() < best.badShare() {
			best = r
		}
	}
	fewer := best.badShare()*float64(best.rounds) - t.head.badShare()*float64(best.rounds)
	if fewer >= leastBadRounds && stat.AtLeast(bad, rounds, t.head.bad+bad, t.head.rounds+rounds) <= a {
		return true
	}
	for _, r := range t.runs {
		if !higher(r, t.head, a) || 2*t.head.bad < t.head.rounds {
			return false
		}
	}
	return true
}

func (t *failing) pooled() (rounds, bad int) {
	for _, r := range t.runs {
		rounds += r.rounds
		bad += r.bad
	}
	return rounds, bad
}

func (c errorCount) badShare() float64 { return float64(c.bad) / math.Max(float64(c.rounds), 1) }

// higher reports whether x has at least twice the odds of y, beyond the error of
// both.
func higher(x, y errorCount, a float64) bool {
	odds := func(p float64) float64 { return p / math.Max(1-p, 1e-9) }
	margin := stat.T(float64(max(min(x.rounds, y.rounds)-1, 1)), 1-a) * math.Hypot(x.se, y.se)
	return odds(x.y) >= badOdds*odds(y.y) && x.y-y.y > margin
}

func (t *failing) suspicious() bool {
	worst := 0.0
	for _, r := range t.runs {
		worst = math.Max(worst, r.share)
	}
	return t.head.share-t.base > t.tolerance() && t.head.share > worst && t.head.bad > 1
}

func (t *failing) describe(f *Finding, _ float64) {
	worst := t.base
	var ses []float64
	for _, r := range t.runs {
		worst = math.Max(worst, r.share)
		ses = append(ses, r.se*r.se)
	}
	change := t.head.share - t.base
	half := stat.Z(1-(1-t.confidence)/2) * math.Sqrt(t.head.se*t.head.se+stat.Mean(ses)/float64(len(ses)))
	f.Base, f.Head = t.base, t.head.share
	f.ChangePercent, f.RawPercent = points(change), points(change)
	f.LowPercent = points(math.Max(change-half, -t.base))
	f.HighPercent = points(math.Min(change+half, 1-t.base))
	f.NoisePercent = points(worst - t.base)
	f.LimitPercent = points(math.Max(t.tolerance(), worst-t.base))
	f.Evidence = &Evidence{
		Chunks: t.head.rounds, Attempts: 1, Stored: len(t.runs), SpreadPercent: points(worst - t.base), TolerancePercent: points(t.tolerance()),
	}
}

func points(share float64) float64 { return math.Round(share*1e6) / 1e4 }
