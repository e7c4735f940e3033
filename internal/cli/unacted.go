package cli

import (
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// unacted tells whoever reads the verdict what the spec asks for and this version
// does not do, so that nobody takes a report without the target's numbers for one
// of a target that had nothing to tell.
func unacted(s *spec.Spec) []verdict.Reason {
	if len(s.Observe) == 0 {
		return nil
	}
	return []verdict.Reason{{
		Code: "not-observed", Line: s.Observe[0].Pos.Line,
		Message: "the target's own numbers, which the spec asks for in [[observe]], were not read: this version cannot",
	}}
}
