package report

import (
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

func whyPage() *Page {
	v := &verdict.Verdict{
		Outcome: verdict.Regression,
		Base:    &verdict.Base{Runs: 10, FalseAlarmPercent: 1},
		Findings: []verdict.Finding{
			{
				Step: "GET /orders", Metric: "p95", Base: 212_000, Head: 289_000, ChangePercent: 34.1, RawPercent: 36.3, LowPercent: 28, HighPercent: 45,
				LimitPercent: 18, NoisePercent: 18, Rule: "latency.p95 within 10% or 5ms", Call: verdict.Slower,
				Evidence: &verdict.Evidence{
					Chunks: 12, Attempts: 1, Stored: 10, Beside: true, OthersPercent: 1.6, SpreadPercent: 4, TolerancePercent: 10, Rows: 15,
				},
			},
			{Step: "GET /me", Metric: "p95", Call: verdict.NotJudged, Why: "too few requests: p95 needs 200 successful ones, this run had 90"},
			{
				Step: "GET /me", Metric: "p50", Base: 1000, Head: 1010, ChangePercent: 1, RawPercent: 1, LowPercent: -8, HighPercent: 9,
				LimitPercent: 500, NoisePercent: 30, Call: verdict.Unchanged, Rule: "latency.p50 within 5ms",
				Evidence: &verdict.Evidence{Chunks: 90, SpreadPercent: 2, ApartPercent: 1.5, TolerancePercent: 500, Rows: 15},
			},
			{
				Step: "GET /me", Metric: "errors", Base: 0, Head: 0.02, ChangePercent: 2, RawPercent: 2, LimitPercent: 0.5, Call: verdict.Slower,
				Rule: "errors within 0.5pp", Evidence: &verdict.Evidence{Chunks: 12, Attempts: 1, Stored: 10, TolerancePercent: 0.5, Rows: 15},
			},
			{
				Metric: "throughput", Base: 100, Head: 99, ChangePercent: -1, RawPercent: -1, LimitPercent: 2, NoisePercent: 1, Call: verdict.Unchanged,
				Evidence: &verdict.Evidence{Chunks: 12, Attempts: 1, Stored: 3, SpreadPercent: 1, TolerancePercent: 2, Rows: 15},
			},
		},
	}
	return New(v, nil, Context{}, nil)
}

func TestWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		about string
		want  []string // in this order
	}{
		{"", []string{"GET /me errors", "1. Measured", "GET /orders p95", "Decided"}},
		{"get /orders P95", []string{
			"1. Measured: p95 289 ms in this run, 212 ms in 10 stored runs: +36.3%", "2. The other steps of the same run moved by +1.6%",
			"3. Noise: when nothing changes", "±4%", "15 rows", "1 unchanged pull request in 100", "4. Allowed: the rule says", "+10% here", "limit: +18%",
			"between +28% and +45%", "Decided: +34.1% is beyond the limit: slower",
		}},
		{"/me p50", []string{"1 ms on base", "90 pairs of stretches", "two deployments of the same code differ by about ±1.5%", "within the limit"}},
		{"/me p95", []string{"Not judged: too few requests"}},
		{"/me errors", []string{"Errors come in bursts", "no stored run had more errors", "+0.5pp here", "Decided: +2pp is beyond"}},
		{"throughput", []string{"no rule of the spec speaks of it", "−2%"}},
	} {
		var b strings.Builder
		if err := whyPage().Why(&b, Terminal{Width: 300, Unicode: true}, tt.about); err != nil {
			t.Errorf("%q: %v", tt.about, err)
			continue
		}
		rest := b.String()
		for _, want := range tt.want {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%q: no %q in what follows:\n%s", tt.about, want, rest)
				break
			}
			rest = after
		}
		for _, no := range []string{"p-value", "significan", "standard deviation", "NaN"} {
			if strings.Contains(b.String(), no) {
				t.Errorf("%q says %q:\n%s", tt.about, no, b.String())
			}
		}
	}
	err := whyPage().Why(&strings.Builder{}, Terminal{}, "GET /nothing")
	if err == nil || !strings.Contains(err.Error(), `"GET /orders p95"`) {
		t.Errorf("error %v; want the names there are", err)
	}
	if err := New(&verdict.Verdict{}, nil, Context{}, nil).Why(&strings.Builder{}, Terminal{}, ""); err == nil {
		t.Error("nothing was compared, and nothing said")
	}
}
