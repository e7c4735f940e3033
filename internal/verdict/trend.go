package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A Creep is a slow change on the main branch that no single pull request showed.
type Creep struct {
	Scenario string  `json:"scenario,omitempty"`
	Step     string  `json:"step"`   // "" for all steps together
	Metric   string  `json:"metric"` // "p50", "p95"
	Percent  float64 `json:"percent"`
	// From is the likely first commit, Seen the one at which it was noticed.
	From    string `json:"from"`
	Line    int    `json:"line,omitempty"` // in the spec
	Seen    string `json:"seen"`
	Message string `json:"message"`
}

// Trend looks through stored runs of the main branch, newest first, for steps that
// became slower or faster bit by bit since the level of the row last changed. It
// needs more than 20 runs; before that it is silent. Each step is followed beside
// the others, and all of them together.
func Trend(runs []*result.Summary) []Creep {
	if len(runs) == 0 {
		return nil
	}
	f := newField(newTable(runs[:1], runs), result.ScopeStep)
	var found []Creep
	for _, q := range []float64{0.5, 0.95} {
		var lanes []level
		var series []stat.Series
		for e, k := range f.keys {
			lv := f.trendLane(e, k, q)
			lanes = append(lanes, lv)
			series = append(series, lv.spread)
		}
		sd := stat.Shrink(series, prior(q, f.relative))
		for e, k := range f.keys {
			if c, ok := creep(runs, &lanes[e], math.Sqrt(sd[e].Var)); ok {
				c.Scenario, c.Step, c.Metric = k.Scenario, k.Step, fmt.Sprintf("p%g", 100*q)
				c.Line = f.table.rows[0][k].Line
				found = append(found, c.told())
			}
		}
	}
	if f.relative && !f.hasControl() {
		common := f.common()
		lv := common.level()
		sd := stat.Shrink([]stat.Series{lv.spread}, prior(0.5, false))[0]
		if c, ok := creep(runs, &lv, math.Sqrt(sd.Var)); ok {
			c.Metric = "p50"
			found = append(found, c.told())
		}
	}
	return found
}

// trendLane is a row's quantile in all runs, beside the others where there are any.
func (f *field) trendLane(e int, k result.RowKey, q float64) level {
	l := f.lane(k, q)
	lv := l.level()
	if f.relative && !f.control[e] {
		beyond := f.beyond(e, l.head, lv)
		lv = beyond.level()
	}
	return lv
}

// creep looks for a slow change in the current segment.
func creep(runs []*result.Summary, lv *level, sd float64) (Creep, bool) {
	var ys []float64
	var at []int // the run behind each value
	for i, y := range slices.Backward(lv.rest) {
		if lv.segment[i] == 0 && !math.IsNaN(y) {
			ys, at = append(ys, y), append(at, i)
		}
	}
	// The spread of a series that creeps holds the creep: differences of
	// neighbouring runs do not.
	if calm := neighbours(ys); calm > 0 {
		sd = math.Min(sd, calm)
	}
	c, ok := stat.FindCreep(ys, sd)
	if !ok {
		return Creep{}, false
	}
	recent := ys[c.At-min(4, c.At) : c.At+1]
	return Creep{
		Percent: percent(stat.Median(recent) - stat.Median(ys[:20])),
		From:    runs[at[min(c.Start, c.At)]].Commit, Seen: runs[at[c.At]].Commit,
	}, true
}

// neighbours is the standard deviation of single values that follows from the
// differences of neighbouring ones.
func neighbours(ys []float64) float64 {
	if len(ys) < 20 {
		return 0
	}
	var d []float64
	for i := 1; i < len(ys); i++ {
		d = append(d, ys[i]-ys[i-1])
	}
	return math.Max(stat.MAD(d)/math.Sqrt2, 0.005)
}

func (c Creep) told() Creep {
	what, verb := c.Step+" "+c.Metric, "slower"
	if c.Step == "" {
		what = "the middle of all steps"
	}
	if c.Percent < 0 {
		verb = "faster"
	}
	c.Message = fmt.Sprintf("%s has become %s bit by bit: %s since about %s", what, verb, unit.Change(c.Percent/100), short(c.From))
	return c
}

func short(commit string) string {
	if commit == "" {
		return "an unknown commit"
	}
	return commit[:min(len(commit), 7)]
}
