package verdict_test

import (
	"flag"
	"fmt"
	"math"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

var trials = flag.Int("trials", 1000, "simulated pull requests without a change, for each class of noise")

func TestExplore(t *testing.T) {
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy, sim.Heavy, sim.Hog} {
		for _, n := range []int{1, 2, 3, 10, 30} {
			line := fmt.Sprintf("%-7s N=%-2d", class.Name, n)
			for _, by := range []float64{1, 1.1, 1.2, 1.5} {
				tr := *trials
				if by > 1 {
					tr /= 5
				}
				calls, inc, steps := 0, 0, 0
				for seed := range tr {
					src := sim.New(sim.Target{Class: class}, uint64(seed))
					base := src.Runs(n)
					var ch []sim.Change
					if by > 1 {
						ch = []sim.Change{{Step: 2, By: math.Log(by)}}
					}
					v := judge(t, src, base, src.Run(ch...))
					switch v.Outcome {
					case verdict.Regression:
						calls++
						for _, f := range v.Findings {
							if f.Call == verdict.Slower && f.Step == "GET /2" {
								steps++
								break
							}
						}
					case verdict.Inconclusive:
						inc++
					}
				}
				pc := func(k int) float64 { return 100 * float64(k) / float64(tr) }
				line += fmt.Sprintf("  | x%.1f call %.1f right %.1f inc %.1f", by, pc(calls), pc(steps), pc(inc))
			}
			fmt.Println(line)
		}
	}
}

func strictRules(t testing.TB) []verdict.Compare {
	return rules(t, "latency.p50 within 5%", "latency.p95 within 5%", "latency.p99 within 10%", "errors within 0.5pp")
}

func rules(t testing.TB, texts ...string) []verdict.Compare {
	t.Helper()
	var all []verdict.Compare
	for _, text := range texts {
		c, err := rule.ParseCompare(text, rule.Own{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, verdict.Compare{Rule: c})
	}
	return all
}

func judge(t testing.TB, _ *sim.Source, base []*result.Summary, head *result.Summary, again ...*result.Summary) verdict.Verdict {
	t.Helper()
	return verdict.Judge(verdict.Input{
		Run: sim.Of(head), Head: head, Base: base, Again: again,
		Gate: verdict.Gate{Compare: strictRules(t)},
	})
}
