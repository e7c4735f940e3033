package verdict_test

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
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

// manySteps has a thousand steps, each with three latency metrics to judge.
var manySteps = sim.Target{Class: sim.Shared, Steps: 1000, Rate: 100_000}

// BenchmarkJudgeThousandSteps judges a thousand steps, three metrics each, against
// 30 stored runs.
func BenchmarkJudgeThousandSteps(b *testing.B) {
	src := sim.New(manySteps, 1)
	base, head := src.Runs(30), src.Run()
	rules := rules(b, "latency.p50 within 5%", "latency.p95 within 5%", "latency.p99 within 10%")
	for b.Loop() {
		if v := judge(rules, base, head); len(v.Findings) < 3000 {
			b.Fatal(v.Outcome, len(v.Findings))
		}
	}
}

// BenchmarkPairedThousandSteps is the same for base and head in one run of 180 s.
func BenchmarkPairedThousandSteps(b *testing.B) {
	src := sim.New(manySteps, 1)
	in := verdict.PairedInput{
		Run:   &result.Run{Mode: "paired", Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
		Pairs: src.Duel(180).First(180), Past: src.Past(60), Calibrated: true,
		Gate: verdict.Gate{Compare: rules(b, "latency.p50 within 5%", "latency.p95 within 5%", "latency.p99 within 10%")},
	}
	for b.Loop() {
		if v := verdict.Paired(in); len(v.Findings) < 3000 {
			b.Fatal(v.Outcome, len(v.Findings))
		}
	}
}
