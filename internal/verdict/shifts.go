package verdict

import (
	"fmt"
	"math"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A shift is how far several rows moved together.
type shift struct {
	ln, limit float64
	known     bool
}

func (s shift) up() bool   { return s.known && s.ln > s.limit }
func (s shift) down() bool { return s.known && s.ln < -s.limit }
func (s shift) huge() bool { return s.up() && s.ln > math.Log1p(hugeCommon) }

// explainShifts looks at what all rows share, and takes back what it explains.
func (c *comparison) explainShifts() {
	f := c.shiftField()
	if f == nil {
		return
	}
	heads := c.table.independent()
	c.common = measureShift(f.common(), heads)
	c.controls = measureShift(f.controls(), heads)
	c.poisoned(f)
	c.settle()
	switch {
	case c.common.up() && !c.intolerable():
		c.warnings = append(c.warnings, Reason{
			Code:    "all-slower-tolerated",
			Message: fmt.Sprintf("most rows are about %s together, and none by more than the rules allow", unit.Change(math.Expm1(c.common.ln))),
		})
	case c.common.huge() && f.relative:
		c.callHuge()
	case c.controls.up() || c.controls.down():
		c.environmentMoved()
	case f.hasControl() || !f.relative:
	case c.common.up():
		c.allSlower(len(f.keys))
	case c.common.down():
		c.warnings = append(c.warnings, Reason{
			Code:    "all-faster",
			Message: fmt.Sprintf("most rows are about %s together: a faster machine, or a change to something they share", unit.Change(math.Expm1(c.common.ln))),
		})
	}
	c.throughputFollows()
}

// intolerable reports whether some row, as measured, moved by more than its rule
// allows: a shift of all rows that no rule minds is no reason for anything. Steps
// of a fraction of a millisecond easily take half as long again together.
func (c *comparison) intolerable() bool {
	for _, cand := range c.tests {
		if t := cand.measured; t != nil && t.raw > t.tolerance(true) {
			return true
		}
	}
	return false
}

// settle looks at calls that rest on the other rows more than on the row itself.
// When the others moved as far as no machine does, the change did that, and the
// row is judged as measured; else nobody can tell which of the two it was.
func (c *comparison) settle() {
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || t == cand.measured || cand.measured == nil || cand.Call == Unchanged {
			continue
		}
		if t.raw*t.change > 0 && math.Abs(t.raw) >= math.Abs(t.change)/2 {
			continue
		}
		if math.Abs(t.change-t.raw) > math.Log1p(hugeCommon) {
			cand.asMeasured()
			continue
		}
		cand.Call, cand.Why = NotSure, "the other steps moved and this one did not: by the machine, or by the change"
		cand.Remedy = "run it again, or compare base and head in one run with loadline ab"
	}
}

// asMeasured judges a candidate without regard to the other rows.
func (cand *candidate) asMeasured() {
	cand.test = cand.measured
	switch {
	case cand.measured.beyond(true, cand.level):
		cand.Call = Slower
	case cand.measured.beyond(false, cand.level):
		cand.Call = Faster
	default:
		cand.Call = Unchanged
	}
	cand.test.describe(&cand.Finding, cand.level)
}

// shiftField is the field with the most rows: that of the steps, if any rule
// looks at them.
func (c *comparison) shiftField() *field {
	for _, scope := range []result.Scope{result.ScopeStep, result.ScopeScenario, result.ScopeTotal} {
		if f := c.fields[scope]; f != nil && len(f.keys) > 0 {
			return f
		}
	}
	return nil
}

func measureShift(l lane, heads int) shift {
	lv := l.level()
	if lv.n == 0 || math.IsNaN(l.head) {
		return shift{}
	}
	spread := stat.Shrink([]stat.Series{lv.spread}, prior(0.5, false))[0]
	noise := stat.T(spread.DF, 1-alphaCommon) * math.Sqrt(spread.Var*inflation(heads, lv.n))
	return shift{ln: l.head - lv.centre, limit: math.Max(noise, math.Log1p(minCommon)), known: true}
}

// callHuge blames the run as a whole: each row that moved as far as no machine
// explains, as measured.
func (c *comparison) callHuge() {
	for _, cand := range c.tests {
		t := cand.measured
		if t == nil {
			continue
		}
		cand.asMeasured()
		if t.raw > math.Max(c.common.limit, math.Log1p(hugeCommon)) && t.raw > t.tolerance(true) {
			cand.Call = Slower
			cand.NoisePercent = math.Min(cand.NoisePercent, percent(c.common.limit))
			cand.LimitPercent = math.Max(cand.NoisePercent, percent(t.tolerance(true)))
		}
	}
	c.reasons = append(c.reasons, Reason{
		Code: "all-slower",
		Message: fmt.Sprintf("everything takes %sx as long: machines of one kind do not differ by more than %s",
			unit.Number(math.Exp(c.common.ln)), unit.Change(hugeCommon)),
		Remedy: "look for what all steps share: start-up, middleware, configuration, database",
	})
}

// environmentMoved takes all calls back: requests that no change should move did.
func (c *comparison) environmentMoved() {
	for _, cand := range c.tests {
		if cand.Call == Slower || cand.Call == Faster {
			if _, ok := cand.test.(*moved); ok {
				cand.Call, cand.Why = NotSure, "the control steps moved too"
			}
		}
	}
	c.reasons = append(c.reasons, Reason{
		Code: "control-moved",
		Message: fmt.Sprintf("the control steps, which no change should move, moved by %s: the environment changed, not only the code",
			unit.Change(math.Expm1(c.controls.ln))),
		Remedy: "run it again, or compare base and head in one run with loadline ab",
	})
}

func (c *comparison) allSlower(rows int) {
	c.reasons = append(c.reasons, Reason{
		Code: "all-slower",
		Message: fmt.Sprintf("all %d rows are about %s together: that is what a slower machine looks like, and what a change to something they share looks like; stored runs cannot tell which",
			rows, unit.Change(math.Expm1(c.common.ln))),
		Remedy: "compare base and head in one run with loadline ab, or mark a step that no change should move with control = true",
	})
}

// throughputFollows: users who wait for their answers send less when all of them
// are slow, whatever the cause.
func (c *comparison) throughputFollows() {
	if c.heads[0].Open || !c.common.up() || c.common.huge() {
		return
	}
	for _, cand := range c.tests {
		if cand.Metric == metricThroughput && cand.Call == Slower {
			cand.Call, cand.Why = NotSure, "everything is slower together, and users wait for their answers"
		}
	}
}

// poisoned warns of stored runs that were left out.
func (c *comparison) poisoned(f *field) {
	for i, s := range c.table.base {
		n := f.poisoned[i]
		if n == 0 {
			continue
		}
		c.warnings = append(c.warnings, Reason{
			Code: "stored-run-off",
			Message: fmt.Sprintf("the stored run of %s%s lies far from the others and was left out where it does",
				s.Started.Format(time.RFC3339), ofCommit(s.Commit)),
			Remedy: "remove it if something went wrong that day: loadline baseline list names its file",
		})
	}
}

func ofCommit(commit string) string {
	if commit == "" {
		return ""
	}
	return " (" + commit[:min(len(commit), 7)] + ")"
}

// blameGenerator takes back calls that its own lateness explains. It was late
// enough to be told of, but not so late that the run as a whole is worth nothing.
func (c *comparison) blameGenerator(r *result.Run) {
	if !r.Open || r.Generator.LagP99 <= result.NotableLag {
		return
	}
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || cand.q == 0 || cand.Call != Slower {
			continue
		}
		late := r.Generator.LagAt(cand.q)
		if more := t.base * math.Expm1(t.change); more <= float64(late.Microseconds()) {
			cand.Call = NotSure
			cand.Why = fmt.Sprintf("%s more, but the generator itself sent as late as %s", unit.Micros(more), unit.Duration(late))
			cand.Remedy = "run it again on a machine that nothing else uses, or at a lower rate"
		}
	}
}
