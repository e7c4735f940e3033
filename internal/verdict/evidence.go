package verdict

import (
	"math"
	"strconv"

	"github.com/loadline-ci/loadline/internal/stat"
)

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
	// Against stored runs: what the row was asked at in the end, as its share of the
	// chance to blame an unchanged pull request; the degrees of freedom of the spread,
	// heavy tails allowed for; and how many times the spread noise is, on a logarithmic
	// scale.
	RowPercent float64 `json:"row_percent,omitempty"`
	DF         float64 `json:"df,omitempty"`
	NoiseTimes float64 `json:"noise_times,omitempty"`
	// Paired is the arithmetic of a paired run; nil: one target, and stored runs.
	Paired *PairedEvidence `json:"paired,omitempty"`
}

// PairedEvidence is the arithmetic behind a row of a paired run, so that anyone can
// do it again: noise is the root of (SpreadTimes x spread)² + (ApartTimes x apart)²,
// on a logarithmic scale.
type PairedEvidence struct {
	Look  int `json:"look"` // the planned look that decided, from 1
	Looks int `json:"looks"`
	// LookPercent is the chance of that look to call anything of an unchanged pull
	// request, shared by all rows; RowPercent what this row was asked at in the end.
	LookPercent float64 `json:"look_percent"`
	RowPercent  float64 `json:"row_percent"`
	Blocks      int     `json:"blocks"`       // pairs of rounds that the chunks were made of
	DF          float64 `json:"df,omitempty"` // degrees of freedom of the spread
	SpreadTimes float64 `json:"spread_times,omitempty"`
	// How far two deployments differ: as assumed, from how many earlier comparisons
	// of a step, and as the limit counts with it (more than learned where neither
	// side can be restarted).
	AssumedPercent float64 `json:"assumed_percent,omitempty"`
	Past           int     `json:"past,omitempty"`
	CountedPercent float64 `json:"counted_percent,omitempty"`
	ApartTimes     float64 `json:"apart_times,omitempty"`
	Restart        bool    `json:"restart"` // a call is confirmed by a second series

	// Of errors: by how many more requests failed on the head, at most two of a
	// round, and how many chance alone may bring.
	ErrorsMore   float64 `json:"errors_more,omitempty"`
	ErrorsChance float64 `json:"errors_chance,omitempty"`

	Second *SecondEvidence `json:"second,omitempty"` // after a restart; nil: nothing was called, or none was driven
}

// SecondEvidence is what a row came to after both sides were restarted. Percents of
// errors are percentage points.
type SecondEvidence struct {
	Chunks        int     `json:"chunks"`
	ChangePercent float64 `json:"change_percent"`
	LowPercent    float64 `json:"low_percent"`
	HighPercent   float64 `json:"high_percent"`
	SpreadPercent float64 `json:"spread_percent,omitempty"`
	DF            float64 `json:"df,omitempty"`
	NeededPercent float64 `json:"needed_percent"` // a change beyond this shows it again
	Again         bool    `json:"again"`          // it does
}

func (t *moved) evidence(a float64) *Evidence {
	e := &Evidence{
		RowPercent: digits(100 * a), DF: digits(t.df()),
		Chunks: t.chunks, Attempts: t.heads, Stored: t.stored, Beside: t.beside,
		SpreadPercent: percent(math.Sqrt(t.spread.Var)), TolerancePercent: allowedPercent(&t.allowance),
	}
	if t.spread.Var > 0 {
		e.NoiseTimes = digits(t.noise(a) / math.Sqrt(t.spread.Var))
	}
	if t.beside {
		e.OthersPercent = percent(t.raw - t.change)
	}
	return e
}

func (t *apart) evidence(a float64) *Evidence {
	counted, times := t.tau, stat.Z(1-a)
	if t.odd(a) > t.usual(a) {
		counted, times = t.alone, t.odd(a)/t.alone
	}
	e := &Evidence{
		Chunks: t.at.K, SpreadPercent: percent(t.at.SE), ApartPercent: percent(t.tau), TolerancePercent: allowedPercent(&t.allowance),
		Paired: &PairedEvidence{DF: t.at.DF, SpreadTimes: digits(t.students.t(t.at.DF, 1-a))},
	}
	if t.tau > 0 {
		e.Paired.CountedPercent, e.Paired.ApartTimes = percent(counted), digits(times)
	}
	return e
}

func (t *flips) evidence(a float64) *Evidence {
	return &Evidence{
		Chunks: t.blocks, TolerancePercent: points(t.tolerance()),
		Paired: &PairedEvidence{ErrorsMore: t.sum, ErrorsChance: digits(stat.Z(1-a) * math.Sqrt(t.squares))},
	}
}

// evidence adds what the look knows to what the test of a row does.
func (p *pairing) evidence(cand *candidate) {
	e := cand.Evidence.Paired
	e.Look, e.Looks, e.Restart = p.in.Look, Looks, p.in.Redeploy
	e.LookPercent, e.RowPercent = digits(100*p.level), digits(100*cand.level)
	e.Blocks = p.in.Pairs.Sound
	if quantile := cand.q > 0; quantile {
		e.Blocks = p.in.Pairs.Blocks
	}
	if t, ok := cand.test.(*apart); ok && t.tau > 0 {
		e.AssumedPercent, e.Past = percent(p.assumed(cand.Metric)), len(p.in.Past[cand.Metric])
	}
}

// secondEvidence is what the test of a row in the second series rests on.
func secondEvidence(again test) *SecondEvidence {
	var f Finding
	again.describe(&f, 0.05)
	e := &SecondEvidence{
		Chunks: f.Evidence.Chunks, ChangePercent: f.ChangePercent, LowPercent: f.LowPercent, HighPercent: f.HighPercent,
		SpreadPercent: f.Evidence.SpreadPercent, Again: again.suspicious(),
	}
	switch t := again.(type) {
	case *apart:
		e.DF, e.NeededPercent = t.at.DF, math.Abs(percent(t.sign*t.needed()))
	case *flips:
		e.NeededPercent = points(t.tolerance() / 2)
	}
	return e
}

// digits keeps four of them, which is more than anybody reads.
func digits(x float64) float64 {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	return short
}

// allowedPercent is what the rule lets a value move to the worse, without a sign.
func allowedPercent(a *allowance) float64 {
	return math.Abs(percent(a.sign * a.tolerance(a.sign > 0)))
}
