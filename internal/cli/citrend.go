package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// trendRuns is how many stored runs the trend of the main branch is read from:
// twenty at least set the level, the rest may have crept. A branch of GitHub hands
// out so many in one call.
const trendRuns = 60

// watchTrend looks, after a run on the main branch, for what has crept up over many
// merges of which none was slow enough to be called. It warns and fails nothing:
// whoever merged last did not do it.
func (c *ciRun) watchTrend(ctx context.Context, all []*measurement) {
	if c.store.store == nil || !c.store.mayUpdate() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	for _, m := range all {
		head := m.verdict.Head
		if head == nil || head.Unfit != "" || len(m.base) == 0 {
			continue
		}
		runs, err := c.store.history(ctx, baseline.QueryFor(head))
		if err != nil {
			c.note("%s: the trend could not be read: %v", m.spec.Name, err)
			continue
		}
		m.trend = true
		m.verdict.Trend = verdict.Trend(append([]*result.Summary{head}, runs...))
		m.verdict.Warnings = append(m.verdict.Warnings, crept(m.verdict.Trend)...)
	}
}

// crept makes a warning of each slow change for the worse; what has become faster
// is told without one.
func crept(found []verdict.Creep) []verdict.Reason {
	var all []verdict.Reason
	for _, f := range found {
		r := verdict.Reason{Code: "creep", Message: f.Message, Line: f.Line}
		if f.Percent > 0 {
			r.Remedy = fmt.Sprintf("look at the commits since %s; the change is in several of them", dash(shortSHA(f.From)))
		} else {
			r.Code, r.Line = "creep-faster", 0
		}
		all = append(all, r)
	}
	return all
}

// history reads more stored runs than a comparison takes.
func (s *ciStore) history(ctx context.Context, q baseline.Query) ([]*result.Summary, error) {
	files, err := s.store.Open(ctx)
	if err != nil {
		return nil, err
	}
	q.Max = trendRuns
	found, err := baseline.Find(files, q)
	if err != nil {
		return nil, err
	}
	return found.Summaries(), nil
}

// alike are the stored runs of the same load on the same kind of machine as one of
// them, newest first.
func alike(entries []baseline.Entry, as *result.Summary) []*result.Summary {
	var all []*result.Summary
	for i := range entries {
		e := &entries[i]
		if e.Err == nil && e.Unfit == "" && loadKey(e.Summary) == loadKey(as) {
			all = append(all, e.Summary)
		}
	}
	slices.SortStableFunc(all, func(a, b *result.Summary) int { return b.Started.Compare(a.Started) })
	return all[:min(len(all), trendRuns)]
}

// loadKey tells runs of one load on one kind of machine from all others.
func loadKey(s *result.Summary) string {
	return strings.Join([]string{s.Spec, s.Profile, s.Fingerprint, s.Environment.Key()}, "\x00")
}
