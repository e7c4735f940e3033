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

// TrendFewest is how many stored runs a trend needs: some set the level, the others
// may have crept.
const TrendFewest = stat.CreepFewest

// Trend looks through stored runs of the main branch, newest first, for steps that
// became slower or faster bit by bit until the newest one, since the level of the row
// last changed. It needs TrendFewest runs; before that it is silent. Each step is
// followed beside the others, and all of them together.
func Trend(runs []*result.Summary) []Creep {
	if len(runs) < TrendFewest {
		return nil
	}
	f := newField(newTable(runs[:1], runs), result.ScopeStep)
	followCommon := f.relative && !f.hasControl()
	many := 2 * len(f.keys) // series that are looked through together
	if followCommon {
		many++
	}
	var found []Creep
	for _, q := range []float64{0.5, 0.95} {
		var lanes []trendLane
		var spreads []stat.Series
		for e, k := range f.keys {
			l := f.trendLane(e, k, q)
			lanes, spreads = append(lanes, l), append(spreads, stat.Jitter(l.ys))
		}
		spread := stat.Shrink(spreads, prior(q, f.relative))
		for e, k := range f.keys {
			if c, ok := lanes[e].creep(runs, spread[e], many); ok {
				c.Scenario, c.Step, c.Metric = k.Scenario, k.Step, fmt.Sprintf("p%g", 100*q)
				c.Line = f.table.rows[0][k].Line
				found = append(found, c.told())
			}
		}
	}
	if followCommon {
		common := f.common()
		lv := common.level()
		l := lv.trend()
		if c, ok := l.creep(runs, stat.Shrink([]stat.Series{stat.Jitter(l.ys)}, prior(0.5, false))[0], many); ok {
			c.Metric = "p50"
			found = append(found, c.told())
		}
	}
	return found
}

// A trendLane is one figure in the runs of the current segment, oldest first.
type trendLane struct {
	ys []float64
	at []int // the run behind each
}

func (lv *level) trend() trendLane {
	var l trendLane
	for i, y := range slices.Backward(lv.rest) {
		if lv.segment[i] == 0 && !math.IsNaN(y) {
			l.ys, l.at = append(l.ys, y), append(l.at, i)
		}
	}
	return l
}

// trendLane is a row's quantile in all runs, beside the others where there are any.
func (f *field) trendLane(e int, k result.RowKey, q float64) trendLane {
	l := f.lane(k, q)
	lv := l.level()
	if f.relative && !f.control[e] {
		beyond := f.beyond(e, l.head, lv)
		lv = beyond.level()
	}
	return lv.trend()
}

// leastTrendSD is the least by which a figure is taken to wander: below that a
// change is none that anybody would look for.
const leastTrendSD = 0.005

// creep looks for a slow change up to the newest run.
func (l *trendLane) creep(runs []*result.Summary, spread stat.Spread, many int) (Creep, bool) {
	c, ok := stat.FindCreep(l.ys, math.Max(math.Sqrt(spread.Var), leastTrendSD), many)
	if !ok {
		return Creep{}, false
	}
	newest := len(l.ys) - 1
	return Creep{
		Percent: percent(stat.Median(l.ys[newest-4:]) - stat.Median(l.ys[:c.Start])),
		From:    runs[l.at[c.Start]].Commit, Seen: runs[l.at[newest]].Commit,
	}, true
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
