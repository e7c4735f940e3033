package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// trendText says what crept over stored runs that are alike, newest first: a
// sentence each, or one that nothing did.
func trendText(runs []*result.Summary) string {
	if len(runs) < verdict.TrendFewest {
		return fmt.Sprintf("Trend: needs %d stored runs of one load and machine; there %s %d.", verdict.TrendFewest, isAre(len(runs)), len(runs))
	}
	found := verdict.Trend(runs)
	if len(found) == 0 {
		return fmt.Sprintf("Trend: nothing crept over the newest %d stored runs.", len(runs))
	}
	var all []string
	for _, c := range found {
		all = append(all, fmt.Sprintf("Trend over the stored runs: %s; noticed at %s.", c.Message, dash(shortSHA(c.Seen))))
	}
	return strings.Join(all, "\n")
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// listTrends says what crept, for each load and kind of machine in a list of runs
// that has enough of them.
func listTrends(w io.Writer, entries []baseline.Entry) {
	seen := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		if e.Err != nil || e.Unfit != "" {
			continue
		}
		of := loadKey(e.Summary)
		if seen[of] {
			continue
		}
		seen[of] = true
		runs := alike(entries, e.Summary)
		if len(runs) < verdict.TrendFewest {
			continue
		}
		name := e.Spec
		if e.Profile != "" {
			name += " (" + e.Profile + ")"
		}
		fmt.Fprintf(w, "\n%s on %s, %s CPUs\n%s\n", name, e.Environment.Label, unit.Count(int64(e.Environment.Cores)), trendText(runs))
	}
}
