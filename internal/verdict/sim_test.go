package verdict_test

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// strictRules ask for no more tolerance than the design's least effect.
func strictRules(t testing.TB) []verdict.Compare {
	t.Helper()
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
		all = append(all, verdict.Compare{Rule: c, Line: 9})
	}
	return all
}

// judge compares a simulated head with simulated stored runs.
func judge(rules []verdict.Compare, base []*result.Summary, head *result.Summary, again ...*result.Summary) verdict.Verdict {
	return verdict.Judge(verdict.Input{
		Run: sim.Of(head), Head: head, Base: base, Again: again,
		Gate: verdict.Gate{Compare: rules, Confirm: 2},
	})
}
