package verdict

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// poolable lists the runs to judge: the head, and of the further runs those that
// measured the same thing. A run that is left out takes with it those that its job
// made again.
func (v *Verdict) poolable(again []*result.Summary) []*result.Summary {
	heads := []*result.Summary{v.Head}
	kept := true // what comes before
	for _, s := range again {
		if s == nil {
			continue
		}
		why := v.notPoolable(s)
		if s.Again && !kept && why == "" {
			why = "was made again by a job whose first run is left out"
		}
		if !s.Again {
			kept = why == ""
		}
		if why == "" {
			heads = append(heads, s)
			continue
		}
		v.Warnings = append(v.Warnings, Reason{
			Code: "attempt-left-out", Message: "a further run of this pull request was left out: it " + why,
		})
	}
	return heads
}

// madeAgain is how many of the further runs the job of the head itself made.
func madeAgain(again []*result.Summary) int {
	n := 0
	for n < len(again) && again[n] != nil && again[n].Again {
		n++
	}
	return n
}

func (v *Verdict) notPoolable(s *result.Summary) string {
	switch {
	case s.Unfit != "":
		return "cannot be used: " + s.Unfit
	case s.Commit != v.Head.Commit:
		return "is of another commit, " + short(s.Commit)
	case s.Spec != v.Head.Spec || s.Fingerprint != v.Head.Fingerprint || s.Profile != v.Head.Profile:
		return "is of another load: its spec differs"
	case s.Environment.Key() != v.Head.Environment.Key():
		return "was measured on another kind of machine"
	}
	return ""
}

// reportPool says that several runs decided, and which calls of the first alone
// did not come again.
func (v *Verdict) reportPool(gate Gate, c *comparison, base []*result.Summary) {
	if len(c.heads) == 1 {
		return
	}
	t := &Together{Runs: len(c.heads), Attempts: c.table.independent()}
	for _, s := range c.heads {
		if row := s.Row(result.RowKey{Scope: result.ScopeTotal}); row != nil {
			t.Rounds += row.Rounds
		}
	}
	v.Together = t
	message := fmt.Sprintf("%d runs of this job, %s rounds together, decide", t.Runs, unit.Count(int64(t.Rounds)))
	if t.Attempts > 1 {
		message = fmt.Sprintf("%d attempts at this commit, %s rounds together, decide: running it again until it passes changes nothing",
			t.Attempts, unit.Count(int64(t.Rounds)))
	}
	v.Warnings = append(v.Warnings, Reason{Code: "pooled", Message: message})

	alone := newComparison(gate, c.heads[:1], base)
	for i, first := range alone.rows {
		if first.Call != Slower || first.Warn || i >= len(c.rows) || c.rows[i].Call == Slower {
			continue
		}
		t, ok := first.test.(*moved)
		now, both := c.rows[i].test.(*moved)
		if !ok || !both {
			continue
		}
		v.Warnings = append(v.Warnings, Reason{
			Code: "not-confirmed", Line: first.Line,
			Message: fmt.Sprintf("%s: %s in the first run, %s over all of them: not confirmed", first.subject(),
				unit.Change(math.Expm1(t.change)), unit.Change(math.Expm1(now.change))),
		})
	}
}
