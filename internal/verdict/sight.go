package verdict

import "github.com/loadline-ci/loadline/internal/result"

// Sight says what a comparison with these stored runs, newest first, could see:
// the newest is judged against the others, and only the limit and the noise of
// each finding mean something. Fewer than two runs tell nothing.
func Sight(runs []*result.Summary, gate Gate) []Finding {
	if len(runs) < 2 {
		return nil
	}
	c := newComparison(gate, runs[:1], runs[1:])
	var all []Finding
	for _, row := range c.tests {
		if row.LimitPercent > 0 {
			all = append(all, row.Finding)
		}
	}
	return all
}
