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
					RowPercent: 0.03, DF: 8, NoiseTimes: 4.22,
				},
			},
			{Step: "GET /me", Metric: "p95", Call: verdict.NotJudged, Why: "too few requests: p95 needs 200 successful ones, this run had 90"},
			{
				Step: "GET /me", Metric: "p50", Base: 1000, Head: 1010, ChangePercent: 1, RawPercent: 1, LowPercent: -8, HighPercent: 9,
				LimitPercent: 500, NoisePercent: 30, Call: verdict.Unchanged, Rule: "latency.p50 within 5ms",
				Evidence: &verdict.Evidence{
					Chunks: 90, SpreadPercent: 2, ApartPercent: 1.5, TolerancePercent: 500, Rows: 15,
					Paired: &verdict.PairedEvidence{
						Look: 3, Looks: 3, LookPercent: 0.6, RowPercent: 0.04, Blocks: 90, DF: 53, SpreadTimes: 3.572,
						AssumedPercent: 1.5, CountedPercent: 1.5, ApartTimes: 3.995,
					},
				},
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
			"3. Noise: when nothing changes", "±4%", "15 rows", "1 time in 3,330", "counts 4.22 times (8 degrees of freedom)", "1 unchanged pull request in 100", "4. Allowed: the rule says", "+10% here", "limit: +18%",
			"between +28% and +45%", "Decided: +34.1% is beyond the limit: slower",
		}},
		{"/me p50", []string{"1 ms on base", "90 pairs of rounds. Each", "±1.5% (tau), which is assumed", "cannot be restarted", "look 3 of 3", "within the limit"}},
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

// pairedPage has a row of each kind as a paired run with a restart finds them.
func pairedPage() *Page {
	paired := func(change func(*verdict.PairedEvidence)) *verdict.PairedEvidence {
		q := &verdict.PairedEvidence{
			Look: 2, Looks: 3, LookPercent: 1.5, RowPercent: 0.09375, Blocks: 60, DF: 11, SpreadTimes: 3.888,
			AssumedPercent: 1.95, Past: 60, CountedPercent: 1.43, ApartTimes: 3.108, Restart: true,
		}
		change(q)
		return q
	}
	return New(&verdict.Verdict{
		Outcome: verdict.Regression,
		Base:    &verdict.Base{Runs: 1, FalseAlarmPercent: 1},
		Findings: []verdict.Finding{
			{
				Step: "GET /orders", Metric: "p95", Base: 212_000, Head: 252_000, ChangePercent: 18.87, RawPercent: 18.87, LowPercent: 14.1, HighPercent: 23.8,
				LimitPercent: 10, NoisePercent: 8.6, Rule: "latency.p95 within 10% or 5ms", Call: verdict.Slower,
				Evidence: &verdict.Evidence{
					Chunks: 20, SpreadPercent: 1.8, ApartPercent: 1.43, TolerancePercent: 10, Rows: 16,
					Paired: paired(func(q *verdict.PairedEvidence) {
						q.Second = &verdict.SecondEvidence{
							Chunks: 10, ChangePercent: 17.2, LowPercent: 10.6, HighPercent: 24.1, SpreadPercent: 2.4, DF: 5, NeededPercent: 5.74, Again: true,
						}
					}),
				},
			},
			{
				Step: "GET /orders", Metric: "errors", Base: 0, Head: 0.012, ChangePercent: 1.2, RawPercent: 1.2, LowPercent: 0.7, HighPercent: 1.7,
				LimitPercent: 0.5, NoisePercent: 0.9, Rule: "errors within 0.5pp", Call: verdict.Slower,
				Evidence: &verdict.Evidence{
					Chunks: 60, TolerancePercent: 0.5, Rows: 16,
					Paired: paired(func(q *verdict.PairedEvidence) {
						*q = verdict.PairedEvidence{Look: 2, Looks: 3, LookPercent: 1.5, RowPercent: 0.1, Blocks: 60, Restart: true, ErrorsMore: 29, ErrorsChance: 19.4}
						q.Second = &verdict.SecondEvidence{Chunks: 30, ChangePercent: 0.1, LowPercent: 0, HighPercent: 0.4, NeededPercent: 0.25}
					}),
				},
			},
			{
				Metric: "throughput", Base: 100, Head: 99.9, ChangePercent: -0.1, RawPercent: -0.1, LowPercent: -0.3, HighPercent: 0.1, LimitPercent: 2, NoisePercent: 0.4,
				Call: verdict.Unchanged,
				Evidence: &verdict.Evidence{
					Chunks: 60, SpreadPercent: 0.1, TolerancePercent: 2, Rows: 16,
					Paired: paired(func(q *verdict.PairedEvidence) {
						q.DF, q.SpreadTimes, q.AssumedPercent, q.Past, q.CountedPercent, q.ApartTimes = 35, 3.4, 0, 0, 0, 0
					}),
				},
			},
		},
	}, nil, Context{}, nil)
}

func TestWhyPaired(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, about := range []string{"GET /orders p95", "GET /orders errors", "throughput"} {
		if err := pairedPage().Why(&b, Terminal{Width: 100, Unicode: true}, about); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "text/why-paired.txt", []byte(b.String()))
}
