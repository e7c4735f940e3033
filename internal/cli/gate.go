package cli

import (
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// catalog is the spec's names, with the stages of its load.
func catalog(s *spec.Spec) *result.Catalog {
	c := s.Catalog()
	c.Stages = load.Stages(s.Load)
	return &c
}

// gate is what the spec asks of a run, as verdict takes it.
func gate(s *spec.Spec) verdict.Gate {
	g := verdict.Gate{
		Limits: limits(s.Gate.Thresholds), Per: result.Scope(s.Gate.Per),
		MinRequests: s.Gate.MinRequests, Confirm: max(s.Gate.Rounds-1, 0) + s.Gate.Confirm, Confidence: s.Gate.Confidence,
	}
	for _, c := range s.Gate.Compare {
		g.Compare = append(g.Compare, verdict.Compare{Rule: c.Rule, Per: result.Scope(c.Per), Warn: c.Warn, Line: c.Pos.Line})
	}
	return g
}

func limits(all []spec.Limit) []verdict.Limit {
	var out []verdict.Limit
	for _, l := range all {
		out = append(out, verdict.Limit{
			Rule: l.Rule, Abort: l.Abort, After: l.After, Window: l.Window, Warn: l.Warn, Line: l.Pos.Line,
		})
	}
	return out
}
