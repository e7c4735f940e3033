package verdict

import "math"

// Evidence is what a call rests on, in the order in which one would ask for it.
// Percents of errors are percentage points.
type Evidence struct {
	Chunks   int `json:"chunks"`                // stretches of the run behind its own figure; in a paired run, pairs of them
	Attempts int `json:"attempts,omitempty"`    // independent runs of the commit; 0: a paired run
	Stored   int `json:"stored_runs,omitempty"` // behind the level that it is compared with; 0: a paired run
	// Beside is true when the row is judged by what it did beyond the other steps
	// of its run, which moved by OthersPercent.
	Beside        bool    `json:"beside,omitempty"`
	OthersPercent float64 `json:"others_percent,omitempty"`
	// SpreadPercent is by how much the row wanders when nothing changed: from run to
	// run, or in a paired run from chunk to chunk, as the error of their mean.
	SpreadPercent float64 `json:"spread_percent"`
	// ApartPercent is by how much two deployments of one program differ. Paired runs.
	ApartPercent     float64 `json:"apart_percent,omitempty"`
	TolerancePercent float64 `json:"tolerance_percent"` // what the rule allows, here
	Rows             int     `json:"rows"`              // judged together: the more there are, the higher each limit
}

func (t *moved) evidence() *Evidence {
	e := &Evidence{
		Chunks: t.chunks, Attempts: t.heads, Stored: t.stored, Beside: t.beside,
		SpreadPercent: percent(math.Sqrt(t.spread.Var)), TolerancePercent: allowedPercent(&t.allowance),
	}
	if t.beside {
		e.OthersPercent = percent(t.raw - t.change)
	}
	return e
}

func (t *apart) evidence() *Evidence {
	return &Evidence{
		Chunks: t.at.K, SpreadPercent: percent(t.at.SE), ApartPercent: percent(t.tau), TolerancePercent: allowedPercent(&t.allowance),
	}
}

// allowedPercent is what the rule lets a value move to the worse, without a sign.
func allowedPercent(a *allowance) float64 {
	return math.Abs(percent(a.sign * a.tolerance(a.sign > 0)))
}
