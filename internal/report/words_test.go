package report

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// What is compared of the whole run is no step more: a run of two steps, of
// which one got slower, said "1 of 3 steps".
func TestTheWholeRunIsNoStep(t *testing.T) {
	t.Parallel()
	slower := verdict.Finding{Scenario: "s", Step: "GET /a", Metric: "p95", Call: verdict.Slower}
	same := verdict.Finding{Scenario: "s", Step: "GET /b", Metric: "p95", Call: verdict.Unchanged}
	whole := verdict.Finding{Metric: "throughput", Call: verdict.Unchanged}
	wholeSlower := verdict.Finding{Metric: "p95", Call: verdict.Slower}
	for _, c := range []struct {
		name     string
		findings []verdict.Finding
		want     string
	}{
		{"a step", []verdict.Finding{slower, same, whole}, "1 of 2 steps got slower than allowed"},
		{"a step and the run", []verdict.Finding{wholeSlower, slower, same}, "1 of 2 steps got slower than allowed"},
		{"the run alone", []verdict.Finding{wholeSlower, same}, "slower than allowed"},
	} {
		p := New(&verdict.Verdict{Outcome: verdict.Regression, Findings: c.findings}, nil, Context{}, nil)
		if got := p.title(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
