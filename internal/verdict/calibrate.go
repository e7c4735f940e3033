package verdict

import (
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// A Visible is the smallest change of one row and metric that a set-up shows.
type Visible struct {
	Scenario string  `json:"scenario,omitempty"`
	Step     string  `json:"step"`
	Metric   string  `json:"metric"`
	Base     float64 `json:"base_us"`
	// Percent is the change that is called 95 times in 100, after as much load as
	// was measured.
	Percent float64 `json:"percent"`
	// Apart is by how much the two deployments of the same code differed, and
	// whether that is more than chance: then no longer run helps.
	Apart   float64 `json:"apart_percent"`
	Differs bool    `json:"differs,omitempty"`
	Why     string  `json:"why,omitempty"` // when the row cannot be judged; Percent is 0
	// LoadS is how many seconds of load on both sides together would show the
	// change that was asked for; 0: no length does, for the cause that Never names.
	LoadS float64 `json:"load_s,omitempty"`
	Never Never   `json:"never,omitempty"`
}

// Never is why no length of run shows a change.
type Never string

// The causes.
const (
	NeverAllowed Never = "the rule allows it" // it is called only beyond the tolerance
	NeverApart   Never = "two deployments of the same code differ as much"
	NeverSoon    Never = "it would take hours"
)

// Calibrate says what a paired run of base against itself can tell: the smallest
// change of each row that would be called with 95 % certainty, without a restart
// and at the last look; and for how long one would have to measure to see a change
// of see (0.05 is 5 %). past are the comparisons that went before; those of this
// run are added to them. With several calibration runs, hand in the later ones
// with the earlier ones' Compared as past.
func Calibrate(run *result.Run, pairs *result.Pairing, gate Gate, past map[string][]stat.Compared, see float64) []Visible {
	p := newPairing(PairedInput{Run: run, Pairs: pairs, Gate: gate, Look: Looks, Calibrated: true, Past: past})
	for _, r := range gate.Compare {
		p.apply(r)
	}
	p.throughput()
	alpha := p.level / float64(max(1, len(p.tests)))
	var all []Visible
	for _, cand := range p.rows {
		v := Visible{Scenario: cand.Scenario, Step: cand.Step, Metric: cand.Metric, Why: cand.Why}
		if t, ok := cand.test.(*apart); ok && cand.Metric != metricThroughput {
			v.Base, v.Apart = t.base, percent(t.at.Y)
			v.Differs = math.Abs(t.at.Y) > 2*t.sd()
			v.Percent = percent(t.visible(alpha))
			var times float64
			if times, v.Never = t.timesFor(math.Log1p(see), alpha); v.Never == "" {
				v.LoadS = times * p.in.Pairs.Load.Seconds()
				if v.LoadS > longestLoad {
					v.LoadS, v.Never = 0, NeverSoon
				}
			}
		}
		if v.Percent > 0 || v.Why != "" {
			all = append(all, v)
		}
	}
	return all
}

// visible is the change that is called with 95 % certainty at level a: what lies
// so far beyond the limit that chance rarely brings it back below.
func (t *apart) visible(a float64) float64 {
	return math.Max(t.noise(a), t.tolerance(true)) + 1.645*t.sd()
}

// longestLoad is how many seconds of load are still worth advising.
const longestLoad = 2 * 3600

// timesFor is how many times the load there was would make a change of ln(1+D)
// visible: the error shrinks with the root of the load, tau does not. Where the
// set-up sees it already, less than 1.
func (t *apart) timesFor(change, a float64) (times float64, never Never) {
	at := func(times float64) float64 {
		longer := *t
		longer.at.SE /= math.Sqrt(times)
		longer.at.DF *= times
		return longer.visible(a)
	}
	const least, most = 1. / 64, 1 << 20
	switch {
	case t.tolerance(true) >= change:
		return 0, NeverAllowed
	case at(most) > change:
		return 0, NeverApart
	}
	low, high := math.Log(least), math.Log(most)
	for range 40 {
		if mid := (low + high) / 2; at(math.Exp(mid)) > change {
			low = mid
		} else {
			high = mid
		}
	}
	return math.Exp(high), ""
}
