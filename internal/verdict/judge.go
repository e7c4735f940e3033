package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// falseAlarms is the most, in percent, of pull requests without any change that
// the comparison blames, over all steps and metrics together. It is measured,
// not assumed: docs/verdict.md.
const falseAlarms = 1.0

// Judge decides what a run comes to. What stands higher in this list decides:
// an invalid run, a regression, a broken limit, an inconclusive comparison, a
// regression that Accept took, no baseline to compare with, a pass. Limits are
// judged whatever the baseline.
func Judge(in Input) Verdict {
	v := Verdict{Reasons: []Reason{}, Findings: []Finding{}, Warnings: slices.Clone(in.Notes)}
	head := in.Head
	if head == nil {
		made, err := result.Summarize(in.Run)
		if err != nil {
			return v.invalid(Reason{Code: "damaged", Message: "the result is damaged: " + err.Error(), Remedy: "measure again"})
		}
		head = made
	}
	own := *head
	own.Rows = slices.Clone(head.Rows)
	v.Head = &own

	limits, invalid := judgeLimits(in)
	v.Limits = limits
	invalid = append(validity(in), invalid...)
	if len(invalid) > 0 {
		return v.invalid(invalid...)
	}
	v.reportLimits()
	if in.aborted() {
		v.Head.Unfit = "it was stopped by a broken limit"
	}
	if in.aborted() && len(v.Reasons) == 0 {
		// What broke may hold over the whole of what there is; it ended the run.
		v.Reasons = append(v.Reasons, Reason{Code: "limit", Message: in.Run.Stopped})
	}
	v.reportLag(in.Run)
	v.compare(in)
	v.Outcome = v.outcome()
	return v
}

// invalid ends the verdict on a run that says nothing about the target, or not
// what was asked.
func (v *Verdict) invalid(reasons ...Reason) Verdict {
	v.Outcome = Invalid
	v.Reasons = append(v.Reasons, reasons...)
	if v.Head != nil {
		v.Head.Unfit = cmp.Or(v.Head.Unfit, reasons[0].Message)
	}
	return *v
}

// validity says why the run cannot be judged at all.
func validity(in Input) []Reason {
	var all []Reason
	for _, f := range in.Run.Faults() {
		all = append(all, Reason{Code: f.Code, Message: f.Message, Remedy: f.Remedy})
	}
	if f, bad := in.Run.DroppedFault(); bad && !limitsDropped(in.Gate.Limits) {
		all = append(all, Reason{Code: f.Code, Message: f.Message, Remedy: f.Remedy})
	}
	if len(all) == 0 {
		all = append(all, lateLimits(in)...)
	}
	if len(all) == 0 {
		all = stopped(in)
	}
	return all
}

// stopped is the reason of a run that ended before its time for no cause of its own.
func stopped(in Input) []Reason {
	if in.Run.Stopped == "" || in.ended() {
		return nil
	}
	return []Reason{{
		Code: "stopped", Message: "the run ended before its time: " + in.Run.Stopped,
		Remedy: "see that the run can reach its end, or make it shorter",
	}}
}

// reportLag tells of a generator that was late, though not too late.
func (v *Verdict) reportLag(r *result.Run) {
	if lag := r.Generator.LagP99; r.Open && lag > result.NotableLag {
		v.Warnings = append(v.Warnings, Reason{
			Code:    "generator-late",
			Message: fmt.Sprintf("the generator sent one request in a hundred %s or more too late, which counts as latency: p99 says little", unit.Duration(lag)),
			Remedy:  "lower the rate, or give the generator a machine that nothing else uses",
		})
	}
}

func limitsDropped(limits []Limit) bool {
	return slices.ContainsFunc(limits, func(l Limit) bool { return l.Rule.Selector.Metric == "dropped" })
}

// reportLimits makes a reason of each broken limit.
func (v *Verdict) reportLimits() {
	for _, l := range v.Limits {
		if l.OK {
			continue
		}
		r := Reason{Code: "limit", Message: fmt.Sprintf("%s: it was %s", l.Limit, l.Shown), Line: l.Line}
		if l.Warn {
			v.Warnings = append(v.Warnings, r)
		} else {
			v.Reasons = append(v.Reasons, r)
		}
	}
}

// compare judges the run against the stored ones.
func (v *Verdict) compare(in Input) {
	if v.changedByHand(in) || len(in.Gate.Compare) == 0 {
		return
	}
	if in.aborted() {
		v.Warnings = append(v.Warnings, Reason{
			Code: "aborted", Message: "the run was stopped by a broken limit, so it was not compared with anything",
		})
		return
	}
	base := v.comparable(in)
	if len(base) == 0 {
		v.Reasons = append(v.Reasons, *noBase(in))
		v.Outcome = NoBaseline
		return
	}
	heads := v.poolable(in.Again)
	c := newComparison(in.Gate, heads, base)
	c.blameGenerator(in.Run)
	c.blameHost()
	v.Reasons = append(v.Reasons, c.reasons...)
	v.Warnings = append(v.Warnings, c.warnings...)
	for _, cand := range c.rows {
		if cand.Evidence != nil {
			cand.Evidence.Rows = len(c.tests)
		}
		v.Findings = append(v.Findings, cand.Finding)
		if cand.suspected && !cand.Warn {
			v.Confirm = madeAgain(in.Again) < in.Gate.Confirm
		}
		v.restart(cand)
	}
	v.Base = c.base(base)
	v.Base.Weekday = in.Weekday
	v.History = histories(v.Findings, base)
	v.reportPool(in.Gate, c, base)
	v.reportFindings(c.asked)
	if noise := stat.Median(c.noise); noise > blunt {
		v.Warnings = append(v.Warnings, Reason{
			Code:    "blunt",
			Message: fmt.Sprintf("against %s, changes of a typical step are only seen above %s", stored(len(base)), unit.Change(noise/100)),
			Remedy:  "store more runs of the main branch, ten if possible, or compare base and head in one run with loadline ab",
		})
	}
}

// blunt is the change in percent that a comparison should at least be able to see.
const blunt = 40

// comparable leaves out stored runs that cannot be compared with the head, and
// says so.
func (v *Verdict) comparable(in Input) []*result.Summary {
	var kept []*result.Summary
	reasons := map[string]int{}
	for _, s := range in.Base {
		switch {
		case s == nil:
		case s.Unfit != "":
			reasons["is no fit baseline: "+s.Unfit]++
		case s.Fingerprint != v.Head.Fingerprint || s.Profile != v.Head.Profile:
			reasons["is of another load: its spec differs"]++
		case s.Environment.Key() != v.Head.Environment.Key():
			reasons["was measured on another kind of machine"]++
		default:
			kept = append(kept, s)
		}
	}
	for why, n := range reasons {
		v.Warnings = append(v.Warnings, Reason{
			Code:    "stored-run-left-out",
			Message: fmt.Sprintf("%s of %s left out: each %s", unit.Count(int64(n)), stored(len(in.Base)), why),
		})
	}
	slices.SortFunc(v.Warnings[len(in.Notes):], func(a, b Reason) int { return cmp.Compare(a.Message, b.Message) })
	return kept
}

func stored(n int) string {
	if n == 1 {
		return "1 stored run"
	}
	return unit.Count(int64(n)) + " stored runs"
}

func noBase(in Input) *Reason {
	switch {
	case len(in.Base) > 0:
		return &Reason{
			Code: "no-baseline", Message: "none of the " + stored(len(in.Base)) + " can be compared with this one",
			Remedy: "let a run of this spec on the main branch, on this kind of machine, store a baseline",
		}
	case in.NoBase != nil:
		return in.NoBase
	default:
		return &Reason{
			Code: "no-baseline", Message: "no run of this spec is stored yet, so nothing was compared",
			Remedy: "let a run on the main branch store one, or store a result yourself with loadline baseline set",
		}
	}
}

// restart marks the rows whose level this run changes, should it become the
// newest baseline: later runs are then compared with the new level.
func (v *Verdict) restart(cand *candidate) {
	if cand.Call != Slower && cand.Call != Faster {
		return
	}
	if row := v.row(&cand.Finding); row != nil {
		row.Restart = true
	}
}

// base sums up what the run was compared with and what it could see. The far tail
// is left out of the latter: it is judged, but nobody promises to see it move.
func (c *comparison) base(runs []*result.Summary) *Base {
	b := &Base{
		Runs: len(runs), Commit: runs[0].Commit, Started: runs[0].Started.UTC().Format(time.RFC3339),
		FalseAlarmPercent: falseAlarms,
	}
	if f := c.shiftField(); f != nil {
		b.Relative = f.relative
	}
	if c.common.known {
		b.Common = percent(c.common.ln)
	}
	n := float64(max(1, len(c.tests)))
	var seen vision
	for _, cand := range c.tests {
		t, ok := cand.test.(*moved)
		if !ok || t.tail {
			continue
		}
		seen.add(t.base, t.change+c.students.t(t.spread.DF, 1-0.05/n)*t.sd(), cand.LimitPercent)
		c.noise = append(c.noise, cand.NoisePercent)
	}
	seen.write(b)
	return b
}

// A vision gathers what the rows of a run could see.
type vision struct {
	above, aboveUs   float64
	limits, limitsUs []float64
}

// add takes in a row: its base in µs, the rise that it surely does not exceed (as a
// logarithm), and its limit in percent.
func (s *vision) add(base, upper, limit float64) {
	s.above = math.Max(s.above, percent(upper))
	s.aboveUs = math.Max(s.aboveUs, base*percent(upper)/100)
	s.limits = append(s.limits, limit)
	s.limitsUs = append(s.limitsUs, base*limit/100)
}

func (s *vision) write(b *Base) {
	if len(s.limits) == 0 {
		return
	}
	b.NothingAbovePercent, b.VisiblePercent = s.above, stat.Median(s.limits)
	b.NothingAboveUs, b.VisibleUs = math.Round(s.aboveUs), math.Round(stat.Median(s.limitsUs))
}

// reportFindings makes a reason of every finding that matters for the outcome.
// judged is how many rows of the spec's rules could be judged.
func (v *Verdict) reportFindings(judged int) {
	for i := range v.Findings {
		f := &v.Findings[i]
		switch f.Call {
		case Slower:
			r := Reason{Code: "slower", Message: f.sentence(), Line: f.Line}
			if f.Metric == metricErrors {
				r.Code = "more-errors"
			}
			v.add(r, f.Warn)
		case NotSure:
			v.add(Reason{Code: "not-sure", Message: f.subject() + ": " + f.Why, Remedy: f.Remedy, Line: f.Line}, f.Warn)
		case Faster, Unchanged, NotJudged:
		}
		if f.Metric == metricErrors && f.Call != NotJudged && f.ChangePercent > 2 {
			v.Warnings = append(v.Warnings, Reason{
				Code: "survivors", Message: f.where() + ": more requests failed, and latency counts only those that succeeded", Line: f.Line,
			})
		}
	}
	if judged > 0 {
		return
	}
	why := "this run has no step that a rule asks for"
	if len(v.Findings) > 0 {
		why = v.Findings[0].subject() + ": " + v.Findings[0].Why
	}
	v.Reasons = append(v.Reasons, Reason{
		Code: "too-few-requests", Message: "nothing could be judged: " + why, Remedy: "raise the rate or the duration",
	})
}

func (v *Verdict) add(r Reason, warn bool) {
	if warn {
		v.Warnings = append(v.Warnings, r)
	} else {
		v.Reasons = append(v.Reasons, r)
	}
}

func (f *Finding) where() string {
	switch {
	case f.Step != "":
		return f.Step
	case f.Scenario != "":
		return "scenario " + f.Scenario
	default:
		return "the whole run"
	}
}

func (f *Finding) subject() string { return f.where() + " " + f.Metric }

// sentence says what got worse, by how much and against which limit.
func (f *Finding) sentence() string {
	if f.Metric == metricErrors {
		return fmt.Sprintf("%s fails more often: %s of requests, %s before (%s; this may move by %s)", f.where(),
			unit.Percent(f.Head), unit.Percent(f.Base), unit.Points(f.ChangePercent/100), unit.Points(f.LimitPercent/100))
	}
	verb := "got slower"
	limit := f.LimitPercent
	if f.Metric == metricThroughput {
		verb, limit = "completes less", -f.LimitPercent
	}
	return fmt.Sprintf("%s %s: %s %s (between %s and %s; beyond %s is called, noise alone reaches %s)", f.where(), verb, f.Metric,
		unit.Change(f.ChangePercent/100), unit.Change(f.LowPercent/100), unit.Change(f.HighPercent/100),
		unit.Change(limit/100), unit.Change(math.Copysign(f.NoisePercent, limit)/100))
}

// outcome is what the reasons and findings come to, worst first.
func (v *Verdict) outcome() Outcome {
	var slower, accepted, unsure, broken bool
	for _, f := range v.Findings {
		slower = slower || f.Call == Slower && !f.Warn && f.Accepted == nil
		accepted = accepted || f.Accepted != nil
		unsure = unsure || f.Call == NotSure && !f.Warn
	}
	for _, l := range v.Limits {
		broken = broken || !l.OK && !l.Warn
	}
	has := func(codes ...string) bool {
		return slices.ContainsFunc(v.Reasons, func(r Reason) bool { return slices.Contains(codes, r.Code) })
	}
	switch {
	case slower, has("head-ended"):
		return Regression
	case broken || has("limit"):
		return Threshold
	case unsure, has("control-moved", "too-few-requests", "arm-disturbs", "base-fails", "head-drops"):
		return Inconclusive
	case accepted:
		return Accepted
	case has("all-slower"):
		return Inconclusive
	case v.Outcome == NoBaseline:
		return NoBaseline
	default:
		return Pass
	}
}
