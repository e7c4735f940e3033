package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// Codes of the reasons that acceptances bring.
const (
	codeAccepted = "accepted"             // a row is worse, on purpose
	codeExceeded = "acceptance-exceeded"  // it is worse than what was accepted
	codeSpent    = "acceptance-spent"     // the baseline has reached the level that was accepted
	codeNoEffect = "acceptance-no-effect" // something that was said does not count
)

// Accept decides again with what was accepted: a row that is worse counts no more
// while its measured change is within the bound of an acceptance of that row. It
// may be called again, on a verdict read from a file too: what it decided before is
// taken back first. Limits cannot be accepted; they are changed in the spec. Notes
// say what was meant to accept something and does not count.
func (v *Verdict) Accept(list []rule.Acceptance, notes ...string) {
	if !slices.Contains([]Outcome{Regression, Accepted, Threshold, Inconclusive}, v.Outcome) {
		return
	}
	v.forgetAcceptances()
	worse := v.Worse()
	if len(worse) == 0 {
		return
	}
	for _, f := range worse {
		v.acceptRow(f, list)
	}
	for _, n := range notes {
		v.Warnings = append(v.Warnings, Reason{Code: codeNoEffect, Message: n})
	}
	v.Outcome = v.outcome()
}

// Worse lists the findings that turn a verdict red unless they are accepted.
func (v *Verdict) Worse() []*Finding {
	var all []*Finding
	for i := range v.Findings {
		if f := &v.Findings[i]; f.Call == Slower && !f.Warn {
			all = append(all, f)
		}
	}
	return all
}

// Acceptance is what would accept a finding as it was measured: its bound is the
// upper end of the measured range, in whole percents or tenths of a point, rounded
// away from nothing. Who, why and how are the caller's to add.
func (v *Verdict) Acceptance(f *Finding) rule.Acceptance {
	a := rule.Acceptance{Route: v.Route(f), Metric: f.Metric, Base: f.Base, Head: f.Head}
	switch f.Metric {
	case metricErrors:
		a.Bound = math.Ceil(10*max(f.HighPercent, f.ChangePercent)) / 10
	case metricThroughput:
		a.Bound = math.Floor(min(f.LowPercent, f.ChangePercent))
	default:
		a.Bound = math.Ceil(max(f.HighPercent, f.ChangePercent))
	}
	return a
}

// Route is the name by which a finding is accepted: its step, after its scenario
// where the step alone could be another one's too.
func (v *Verdict) Route(f *Finding) string {
	switch {
	case f.Step == "" && f.Scenario == "":
		return "all requests"
	case f.Step == "":
		return "scenario " + f.Scenario
	case f.Scenario != "" && v.twice(f):
		return f.Scenario + " · " + f.Step
	default:
		return f.Step
	}
}

// twice reports whether another scenario has a step of the same name.
func (v *Verdict) twice(f *Finding) bool {
	return slices.ContainsFunc(v.Findings, func(g Finding) bool { return g.Step == f.Step && g.Scenario != f.Scenario })
}

// Named reports whether route means the row of f. The long form is understood
// where the short one would do.
func (v *Verdict) Named(f *Finding, route string) bool {
	return route == v.Route(f) || f.Step != "" && f.Scenario != "" && route == f.Scenario+" · "+f.Step
}

func (v *Verdict) acceptRow(f *Finding, list []rule.Acceptance) {
	var exceeded, spent *rule.Acceptance
	for _, a := range list {
		switch {
		case a.Metric != f.Metric || !v.Named(f, a.Route):
		case isSpent(&a, f):
			spent = &a
		case !keeps(f, a.Bound):
			exceeded = wider(exceeded, &a)
		default:
			f.Accepted = wider(f.Accepted, &a)
		}
	}
	switch {
	case f.Accepted != nil:
		v.Reasons = append(v.Reasons, Reason{Code: codeAccepted, Message: acceptedSentence(f), Line: f.Line})
		if row := v.row(f); row != nil {
			row.Restart, row.Accepted = true, why(f.Accepted)
		}
	case exceeded != nil:
		v.Reasons = append(v.Reasons, Reason{
			Code: codeExceeded, Line: f.Line,
			Message: fmt.Sprintf("%s was accepted up to %s%s, and this is beyond it", f.subject(), exceeded.BoundText(), by(exceeded)),
			Remedy:  "make it faster again, or accept the new figure",
		})
	case spent != nil:
		v.Reasons = append(v.Reasons, Reason{
			Code: codeSpent, Line: f.Line,
			Message: fmt.Sprintf("the acceptance of %s up to %s is spent: the baseline has reached the level that was accepted", f.subject(), spent.BoundText()),
			Remedy:  "remove it, or accept the new figure",
		})
	}
}

// keeps reports whether what was measured stays within a bound. The middle of the
// range is held against it, not its upper end: see docs/decisions/0080.
func keeps(f *Finding, bound float64) bool {
	if f.Metric == metricThroughput {
		return f.ChangePercent >= bound
	}
	return f.ChangePercent <= bound
}

// wider is the acceptance with the wider bound.
func wider(a, b *rule.Acceptance) *rule.Acceptance {
	if a == nil || math.Abs(b.Bound) > math.Abs(a.Bound) {
		return b
	}
	return a
}

// isSpent reports whether the baseline is by now nearer to the level that was
// accepted than to the one that it was accepted against. An acceptance that stays,
// as one in a file does, would allow the same slowdown once more on top.
func isSpent(a *rule.Acceptance, f *Finding) bool {
	if a.Base == a.Head {
		return false // not written down
	}
	if f.Metric == metricErrors {
		return math.Abs(f.Base-a.Head) < math.Abs(f.Base-a.Base)
	}
	if a.Base <= 0 || a.Head <= 0 || f.Base <= 0 {
		return false
	}
	return math.Abs(math.Log(f.Base/a.Head)) < math.Abs(math.Log(f.Base/a.Base))
}

func acceptedSentence(f *Finding) string {
	a := f.Accepted
	s := fmt.Sprintf("%s was accepted up to %s%s", f.subject(), a.BoundText(), by(a))
	if a.Reason != "" {
		s += ": " + a.Reason
	}
	return s
}

// by says who accepted and how, as far as it is known: " by alice (label)".
func by(a *rule.Acceptance) string {
	s := ""
	if a.By != "" {
		s = " by " + a.By
	}
	if a.Via != "" {
		s += " (" + string(a.Via) + ")"
	}
	return s
}

// why is the reason as a stored run keeps it, which must not be empty.
func why(a *rule.Acceptance) string {
	if a.Reason == "" {
		return "accepted up to " + a.BoundText() + by(a)
	}
	return a.Reason
}

// forgetAcceptances takes back what an earlier Accept decided.
func (v *Verdict) forgetAcceptances() {
	for i := range v.Findings {
		f := &v.Findings[i]
		if row := v.row(f); row != nil && f.Accepted != nil {
			row.Accepted = ""
		}
		f.Accepted = nil
	}
	ours := func(r Reason) bool {
		return slices.Contains([]string{codeAccepted, codeExceeded, codeSpent, codeNoEffect}, r.Code)
	}
	v.Reasons, v.Warnings = slices.DeleteFunc(v.Reasons, ours), slices.DeleteFunc(v.Warnings, ours)
}

// row is the row of the head that a finding is about; nil when the verdict has none.
func (v *Verdict) row(f *Finding) *result.Row {
	if v.Head == nil {
		return nil
	}
	scope := result.ScopeStep
	if f.Step == "" {
		scope = result.ScopeScenario
		if f.Scenario == "" {
			scope = result.ScopeTotal
		}
	}
	return v.Head.Row(result.RowKey{Scope: scope, Scenario: f.Scenario, Step: f.Step})
}
