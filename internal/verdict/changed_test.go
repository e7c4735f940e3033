package verdict_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// A run whose load somebody changed is compared with nothing, though it would be
// a regression; its limits are judged.
func TestChangedByHand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		changes []result.Change
		limit   string
		want    verdict.Outcome
		says    string
	}{
		{"rate", []result.Change{{At: 12 * time.Second, Open: true, Level: 200}}, "requests > 1", verdict.NoBaseline, "200/s from 12 s"},
		{"users, twice", []result.Change{{At: time.Second, Level: 1}, {At: 2 * time.Second, Level: 9}}, "requests > 1", verdict.NoBaseline, "1 user from 1 s, and 1 more"},
		{"a limit broken", []result.Change{{At: time.Second, Level: 5}}, "requests < 1", verdict.Threshold, "5 users from 1 s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := sim.New(sim.Target{Class: sim.Quiet}, 1)
			base := src.Runs(10)
			head := src.Run(slow(1, 10))
			in := verdict.Input{Run: sim.Of(head), Head: head, Base: base, Gate: verdict.Gate{Compare: strictRules(t), Limits: limits(t, c.limit)}}
			if v := verdict.Judge(in); v.Outcome == verdict.NoBaseline {
				t.Fatal("as planned, the run is to be compared")
			}
			in.Run.Changes = c.changes
			v := verdict.Judge(in)
			if v.Outcome != c.want || len(v.Findings) > 0 || v.Base != nil {
				t.Errorf("%s, %d findings; want %s and none", v.Outcome, len(v.Findings), c.want)
			}
			if !slices.ContainsFunc(v.Reasons, func(r verdict.Reason) bool {
				return r.Code == "changed-by-hand" && strings.Contains(r.Message, c.says) && r.Remedy != ""
			}) {
				t.Errorf("reasons %+v do not say %q", v.Reasons, c.says)
			}
		})
	}
}

func TestChangedByHandIsNoBaseline(t *testing.T) {
	t.Parallel()
	run := &result.Run{Spec: "a", Changes: []result.Change{{At: time.Second, Level: 5}}}
	run.Measured, run.Cells = time.Second, []result.Cell{{Key: result.Key{Status: 200}, Count: 1000}}
	s, err := result.Summarize(run)
	if err != nil || !strings.Contains(s.Unfit, "by hand") {
		t.Errorf("unfit %q, %v", s.Unfit, err)
	}
}
