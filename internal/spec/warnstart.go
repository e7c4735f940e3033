package spec

import (
	"slices"

	"github.com/loadline-ci/loadline/internal/rule"
)

// unmeasuredStarts warns of limits and rules about steps of on_start alone, when
// every user is at work before anything is measured: each sends them once, as it
// begins, so nothing of them is ever judged.
func (b *builder) unmeasuredStarts() {
	look := func(at Pos, text string, s *rule.Selector) {
		if !b.startsOnly(s) {
			return
		}
		b.warnings = append(b.warnings, Problem{
			File: b.src.file, Pos: at, Source: b.src.line(at.Line), Width: 1,
			Message: quote(text) + " is never judged: every user sends its on_start during the warm-up, which is not measured",
			Hint:    "let users come while it is measured (stages, spawn_rate), leave the warm-up out, or move the request to a scenario",
		})
	}
	for _, l := range b.spec.Gate.Thresholds {
		look(l.Pos, l.Rule.Text, &l.Rule.Selector)
	}
	for _, c := range b.spec.Gate.Compare {
		if c.Pos.Line > 0 { // the usual rules are in no file
			look(c.Pos, c.Rule.Text, &c.Rule.Selector)
		}
	}
}

// startsOnly says whether all that a selector takes are steps of an on_start that
// nobody sends while it is measured.
func (b *builder) startsOnly(s *rule.Selector) bool {
	steps, byStep := s.Tag("step")
	if !byStep {
		return false
	}
	some, other := false, false
	b.eachStep(s, func(w *walk, step *Step) {
		switch {
		case !slices.Contains(steps, step.Name):
		case b.unmeasuredStart(w, step):
			some = true
		default:
			other = true
		}
	})
	return some && !other
}

// unmeasuredStart says whether a step is one of on_start, and each user that runs
// it begins in an unmeasured stage. Where the plan does not say when a user first
// comes to it, as in an open load or among several scenarios, it is not.
func (b *builder) unmeasuredStart(w *walk, step *Step) bool {
	if w == nil {
		return isOneOf(step, b.spec.User.OnStart) && !b.anyStartsMeasured(-1)
	}
	return isOneOf(step, w.scenario.OnStart) && !b.anyStartsMeasured(slices.Index(b.spec.Scenarios, w.scenario))
}

// isOneOf finds a step among steps and those that they send in parallel.
func isOneOf(step *Step, steps []*Step) bool {
	return slices.ContainsFunc(steps, func(s *Step) bool { return s == step || isOneOf(step, s.Parallel) })
}

// anyStartsMeasured says whether a user may begin while it is measured, in the
// tracks of a scenario (-1: of all).
func (b *builder) anyStartsMeasured(scenario int) bool {
	for i, t := range b.spec.Load.Tracks {
		mine := scenario < 0
		for _, share := range t.Shares {
			mine = mine || share.Scenario == scenario
		}
		if !mine {
			continue
		}
		if t.Open || scenario >= 0 && len(t.Shares) > 1 {
			return true
		}
		changes, before := b.spec.Load.Changes(i), 0
		for c, ok := changes.Next(); ok; c, ok = changes.Next() {
			if at := t.StageAt(c.At); c.Users > before && at >= 0 && t.Stages[at].Measure {
				return true
			}
			before = c.Users
		}
	}
	return false
}
