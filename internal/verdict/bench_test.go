package verdict_test

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// BenchmarkJudgeWithFiles finds and reads 30 stored runs of 100 steps and judges
// a run against them. To it belongs BenchmarkSummarize of package result.
func BenchmarkJudgeWithFiles(b *testing.B) {
	src := sim.New(sim.Target{Class: sim.Shared, Steps: 100, Rate: 10_000}, 1)
	store := baseline.Dir(b.TempDir())
	for _, s := range src.Runs(30) {
		if _, err := store.Put(s); err != nil {
			b.Fatal(err)
		}
	}
	head := src.Run()
	rules := strictRules(b)
	for b.Loop() {
		found, err := store.Find(baseline.QueryFor(head))
		if err != nil || len(found.Records) != 30 {
			b.Fatal(err, len(found.Records))
		}
		if v := judge(rules, found.Summaries(), head); v.Outcome != verdict.Pass {
			b.Fatal(v.Outcome, v.Reasons)
		}
	}
}
