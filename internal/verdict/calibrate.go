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
}

// Calibrate says what a paired run of base against itself can tell: the smallest
// change of each row that would be called with 95 % certainty, without a restart
// and at the last look. past are the comparisons that went before; those of this
// run are added to them. With several calibration runs, hand in the later ones
// with the earlier ones' Compared as past.
func Calibrate(run *result.Run, pairs *result.Pairing, gate Gate, past map[string][]stat.Compared) []Visible {
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
