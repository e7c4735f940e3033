package verdict

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// changedByHand keeps a run whose load somebody changed while it went on from
// being compared: what it shows is what they did. Its limits stand.
func (v *Verdict) changedByHand(in Input) bool {
	if len(in.Run.Changes) == 0 {
		return false
	}
	r := Reason{
		Code:    "changed-by-hand",
		Message: "the load was changed by hand (" + sentenceOfChange(in.Run.Changes) + "), so the run is compared with nothing and can be no baseline",
		Remedy:  "run it again without a change to compare it",
	}
	if len(in.Gate.Compare) == 0 {
		v.Warnings = append(v.Warnings, r)
	} else {
		v.Reasons = append(v.Reasons, r)
		v.Outcome = NoBaseline
	}
	return true
}

// sentenceOfChange says the first change, and how many came after it.
func sentenceOfChange(all []result.Change) string {
	first := all[0]
	level := unit.Count(int64(first.Level)) + " users"
	switch {
	case first.Open:
		level = unit.Rate(first.Level)
	case first.Level == 1:
		level = "1 user"
	}
	text := level + " from " + unit.Duration(first.At)
	if more := len(all) - 1; more > 0 {
		text += ", and " + unit.Count(int64(more)) + " more"
	}
	return text
}
