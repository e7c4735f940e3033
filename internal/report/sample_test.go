package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// routes are the steps of the sample run, with the median of each in ms.
var routes = []struct {
	name   string
	median float64
}{
	{"GET /orders", 62},
	{"POST /cart", 48},
	{"GET /search", 75},
	{"GET /products", 31},
	{"GET /products/{{ id }}", 22},
	{"POST /auth/token", 90},
	{"GET /me", 12},
	{"PUT /me/address", 35},
	{"GET /cart", 18},
	{"DELETE /cart/{{ item }}", 24},
	{"POST /checkout", 140},
	{"GET /checkout/{{ id }}/status", 26},
	{"GET /recommendations", 110},
	{"GET /health", 2},
}

// A shape says what the sample run is like.
type shape struct {
	steps   int
	seconds int
	open    bool
	failing float64 // share of requests of the first step that answer 503
	paired  bool
}

// sampleRun is a run as load would measure it, the same each time.
func sampleRun(s shape) *result.Run {
	rng := rand.New(rand.NewPCG(7, 7))
	run := &result.Run{
		Tool: "1.4.0", Spec: "api", File: "perf/api.toml", Commit: "8a1e38dc97aa0f64ee79d6f1dcbd1e04a1b0a5d2",
		Target: "http://localhost:8081", Seed: 42, Started: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC),
		Duration: time.Duration(s.seconds+15) * time.Second, Measured: time.Duration(s.seconds) * time.Second,
		Mode: "single", Open: s.open,
		Environment: result.Environment{OS: "linux", Arch: "amd64", CPU: "AMD EPYC 7763", Cores: 4, Label: "staging"},
		Generator: result.Generator{
			CPU: 0.23, CPUMax: 0.41, LagP50: 60 * time.Microsecond, LagP99: 900 * time.Microsecond,
			LagMax: 4 * time.Millisecond, Steal: 0.004, Seconds: s.seconds,
		},
	}
	run.Catalog.Scenarios = []string{"shop"}
	run.Catalog.Stages = []result.Stage{{Name: "warmup"}, {Name: "steady", Measure: true}}
	for i := range s.steps {
		r := routes[i%len(routes)]
		name := r.name
		if i >= len(routes) {
			name = fmt.Sprintf("%s v%d", r.name, i/len(routes)+1)
		}
		run.Catalog.Steps = append(run.Catalog.Steps, result.Step{
			Scenario: "shop", Name: name, Method: "GET", Line: 31 + 9*i, Control: r.name == "GET /health",
		})
		run.Catalog.Checks = append(run.Catalog.Checks, result.Check{Step: i, Name: "status is 200"})
		if i < len(routes) {
			addStep(run, s, i, r.median, rng)
			continue
		}
		// A histogram takes 280 kB: steps beyond the first share them.
		for _, c := range run.Cells {
			if c.Key.Step == i%len(routes) {
				c.Key.Step = i
				run.Cells = append(run.Cells, c)
			}
		}
		run.Tallies = append(run.Tallies, result.Tally{Check: i, Stage: 1, Passed: perStep})
		run.Phases = append(run.Phases, run.Phases[i%len(routes)])
	}
	addSeries(run, s, rng)
	addMetrics(run)
	return run
}

// addMetrics adds one custom metric of each kind.
func addMetrics(run *result.Run) {
	run.Catalog.Metrics = []result.Metric{{Name: "basket_total", Kind: "trend"}, {Name: "paid", Kind: "rate"}, {Name: "rows", Kind: "counter"}, {Name: "queue", Kind: "gauge"}, {Name: "unused", Kind: "trend"}}
	baskets := result.NewHistogram()
	for i := range int64(1000) {
		must(baskets.RecordValue(12_500 + 40*i)) // times 1000
	}
	run.Values = []result.Value{
		{Metric: 0, Count: 1000, Sum: 32_480, Min: 12.5, Max: 52.46, Last: 20, Hist: baskets},
		{Metric: 1, Count: 800, True: 796},
		{Metric: 2, Count: 90, Sum: 1_234_567},
		{Metric: 3, Count: 12, Sum: 50, Min: 2, Max: 9, Last: 4},
	}
}

// draw is one latency in µs around a median in ms, with a long tail.
func draw(rng *rand.Rand, median float64) int64 {
	return max(1, int64(median*1000*math.Exp(rng.NormFloat64()*0.35)))
}

const perStep = 2400 // requests

func addStep(run *result.Run, s shape, i int, median float64, rng *rand.Rand) {
	cell := func(status int, failed bool, n int) {
		if n == 0 {
			return
		}
		h, service := result.NewHistogram(), result.NewHistogram()
		for range n {
			us := draw(rng, median)
			must(h.RecordValue(us))
			must(service.RecordValue(max(1, us-us/50)))
		}
		run.Cells = append(run.Cells, result.Cell{
			Key:   result.Key{Step: i, Stage: 1, Status: status, Proto: "1.1", Failed: failed},
			Count: int64(n), In: int64(n) * 1800, Out: int64(n) * 240, Latency: h, Service: service,
		})
	}
	bad := 0
	if i == 0 {
		bad = int(s.failing * perStep)
	}
	cell(200, false, perStep-bad)
	cell(503, true, bad)
	if i == 0 && bad > 0 {
		run.Cells = append(run.Cells, result.Cell{Key: result.Key{Step: i, Stage: 1, Error: "timeout", Failed: true}, Count: 7})
	}
	run.Tallies = append(run.Tallies, result.Tally{Check: i, Stage: 1, Passed: int64(perStep - bad), Failed: int64(bad)})
	ph := result.Phases{Connect: phase(800, 40), TTFB: phase(int64(median*850), perStep), Body: phase(int64(median*120), perStep)}
	if i == 0 {
		ph.DNS, ph.TLS = phase(9000, perStep), phase(21000, perStep)
	}
	run.Phases = append(run.Phases, ph)
}

func phase(us int64, n int64) *hdr.Histogram {
	h := hdr.New(result.MinMicros, result.MaxMicros, result.PhaseDigits)
	for i := range n {
		must(h.RecordValue(max(1, us-us/10+us*i/(5*n))))
	}
	return h
}

// addSeries fills in 15 seconds of warm-up, the measured seconds, and rounds of
// five seconds.
func addSeries(run *result.Run, s shape, rng *rand.Rand) {
	const warmup = 15
	for t := range s.seconds + warmup {
		rate := 300.0
		if t < warmup {
			rate = 20 * float64(t+1)
		}
		n := int64(rate * (0.99 + 0.02*rng.Float64()))
		wave := 1 + 0.12*math.Sin(float64(t)/7) + 0.05*rng.NormFloat64()
		sec := result.Second{
			At: time.Duration(t) * time.Second, Stage: 1, Measured: t >= warmup, Users: 40, InFlight: int(18 * wave),
			Offered: int64(rate), Completed: n, Status: map[int]int64{200: n},
			P50: int64(46_000 * wave), P95: int64(131_000 * wave), P99: int64(205_000 * wave * (1 + 0.2*rng.Float64())),
			Health: result.Health{CPU: 0.2 + 0.1*rng.Float64(), LagP50: 60 * time.Microsecond, LagP99: 900 * time.Microsecond, FDs: 60, Steal: 0.01 * rng.Float64()},
		}
		if !sec.Measured {
			sec.Stage = 0
		}
		if s.open {
			sec.Rate = rate
		}
		if bad := int64(s.failing * float64(n) * (0.5 + rng.Float64())); bad > 0 && t > warmup+s.seconds/2 {
			sec.Failed, sec.Status, sec.Errors = bad, map[int]int64{200: n - bad, 503: bad}, map[string]int64{"timeout": bad / 3}
		}
		run.Series = append(run.Series, sec)
	}
	for k := range min(s.seconds/5, 24) {
		arm := ""
		if s.paired {
			arm = []string{"base", "head"}[k%2]
		}
		round := result.Round{
			Index: k, Arm: arm, Block: k / 2, Start: time.Duration(warmup+5*k) * time.Second, Length: 5 * time.Second, Offered: 1500,
		}
		for i := range run.Catalog.Steps[:min(s.steps, 14)] {
			h := result.NewHistogram()
			median := routes[i%len(routes)].median
			if i == 0 && arm == "base" {
				median *= 0.74
			}
			for range 100 {
				must(h.RecordValue(draw(rng, median)))
			}
			payload, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
			must(err)
			round.Steps = append(round.Steps, result.RoundStep{Step: i, Requests: 100, Latency: payload, Status: map[int]int64{200: 100}})
		}
		run.Rounds = append(run.Rounds, round)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// unchanged is what verdict says of a step that did not move.
func unchanged(step string, line int) verdict.Finding {
	return verdict.Finding{
		Scenario: "shop", Step: step, Metric: "p95", Base: 100_000, Head: 100_600, ChangePercent: 0.6, LowPercent: -2.1, HighPercent: 3.4,
		LimitPercent: 10, NoisePercent: 4, Call: verdict.Unchanged, Line: line, Rule: "latency.p95 within 10% or 5ms",
	}
}

var samples sync.Map // name: func() *Page

// samplePage is a page of each outcome, as loadline ci would make it. Pages are
// read-only, so each is made once.
func samplePage(name string) *Page {
	once, _ := samples.LoadOrStore(name, sync.OnceValue(func() *Page { return makeSample(name) }))
	return once.(func() *Page)()
}

func makeSample(name string) *Page {
	s := shape{steps: 14, seconds: 60, open: true}
	v := &verdict.Verdict{
		Outcome: verdict.Pass,
		Base: &verdict.Base{
			Runs: 10, Commit: "4c1d9e2bb1efcd9a91f2a0a3ab2f9b2c9a3c41d0", Started: "2026-11-19T17:02:11Z", Relative: true,
			Common: 0.6, NothingAbovePercent: 7, VisiblePercent: 9, FalseAlarmPercent: 1,
		},
		Limits: []verdict.LimitResult{
			{Limit: "latency.p95 < 300ms", Value: 188_000, OK: true, Line: 12, Shown: "188 ms"},
			{Limit: "failed < 1%", Value: 0, OK: true, Line: 13, Shown: "0%"},
			{Limit: "requests.rate > 250/s", Value: 300, OK: true, Line: 14, Shown: "300/s"},
		},
	}
	c := Context{
		Repo: "acme/shop", PullRequest: 482, BaseSHA: v.Base.Commit, HeadSHA: "8a1e38dc97aa0f64ee79d6f1dcbd1e04a1b0a5d2",
		RunURL: "https://github.com/acme/shop/actions/runs/9871234567", SpecPath: "perf/api.toml", Environment: "staging", Version: "1.4.0",
		Reproduce: "loadline run perf/api.toml --target http://localhost:8081", HelpURL: "https://loadline.dev/why",
	}
	switch name {
	case "one-step":
		s.steps = 1
	case "many-steps", "many-red":
		s.steps = 500
	}
	run := sampleRun(s)
	for _, st := range run.Catalog.Steps {
		v.Findings = append(v.Findings, unchanged(st.Name, st.Line))
	}
	var trends []Trend
	switch name {
	case "pass", "one-step", "many-steps":
	case "regression":
		regress(v)
		trends = orderTrend()
		c.Accept = []string{"A maintainer adds the label `perf-accepted`: it covers this row up to +45%, in this pull request only"}
	case "accepted":
		regress(v)
		trends = orderTrend()
		v.Accept([]rule.Acceptance{{
			Route: "GET /orders", Metric: "p99", Bound: 45, By: "alice", Via: rule.ViaTrailer,
			Reason: "every order is **signed** now, see #481; @everyone agreed <b>so</b>", Commit: c.HeadSHA,
		}})
		v.Findings[1].Call = verdict.Unchanged // else it would be in doubt
		v.Accept([]rule.Acceptance{*v.Findings[0].Accepted})
	case "exceeded":
		regress(v)
		v.Findings[2] = verdict.Finding{
			Scenario: "shop", Step: "GET /search", Metric: "p95", Base: 140_000, Head: 180_000, ChangePercent: 28.6, LowPercent: 22, HighPercent: 34,
			LimitPercent: 15, NoisePercent: 3, Call: verdict.Slower, Line: 49,
		}
		v.Accept([]rule.Acceptance{
			{Route: "GET /orders", Metric: "p99", Bound: 30, By: "alice", Via: rule.ViaLabel},
			{Route: "GET /search", Metric: "p95", Bound: 35, By: "bob", Via: rule.ViaComment, Reason: "the new index"},
		}, "the label `perf-accepted` does not count: mallory put it on, and may not write to this repository")
		c.Accept = []string{"somebody who may write puts the label `perf-accepted` on: that accepts what is slower above, up to what was measured, in this pull request only"}
		c.AcceptURL = "https://loadline.dev/accepting"
	case "many-red":
		v.Outcome = verdict.Regression
		for i := range v.Findings {
			f := &v.Findings[i]
			f.Call, f.Head = verdict.Slower, 140_000+float64(i)*10
			f.ChangePercent, f.LowPercent, f.HighPercent = 40+float64(i)/100, 31, 49
		}
	case "errors":
		run = sampleRun(shape{steps: 14, seconds: 60, open: true, failing: 0.04})
		v.Outcome = verdict.Regression
		v.Findings[0] = verdict.Finding{
			Scenario: "shop", Step: "GET /orders", Metric: "errors", Base: 0.0001, Head: 0.04, ChangePercent: 4, LowPercent: 3.1, HighPercent: 4.9,
			LimitPercent: 0.5, NoisePercent: 0.3, Call: verdict.Slower, Line: 31,
		}
		v.Limits[1] = verdict.LimitResult{Limit: "failed < 1%", Value: 0.028, Line: 13, Shown: "2.8%"}
	case "threshold":
		v.Outcome = verdict.Threshold
		v.Limits[0] = verdict.LimitResult{Limit: "latency{step='POST /checkout'}.p95 < 200ms", Value: 412_000, Line: 12, Shown: "412 ms"}
		v.Limits = append(v.Limits, verdict.LimitResult{Limit: "latency.max < 2s", Value: 2_100_000, Warn: true, Line: 15, Shown: "2.1 s"})
	case "inconclusive":
		v.Outcome = verdict.Inconclusive
		v.Reasons = []verdict.Reason{{
			Code: "noise", Message: "This run could only see changes above +19%, you asked for +10%: its rounds were noisy",
			Remedy: "Measure for 240 s instead of 120 s, or compare base and head in one run with `loadline ab`",
		}}
		for i := range v.Findings[:4] {
			f := &v.Findings[i]
			f.Call, f.Why, f.Head = verdict.NotSure, "noise", 110_000
			f.ChangePercent, f.LowPercent, f.HighPercent, f.LimitPercent, f.NoisePercent = 10, -3, 24, 19, 19
		}
	case "everything":
		v.Outcome = verdict.Regression
		v.Base.Common = 980
		v.Reasons = []verdict.Reason{{
			Code: "all-slower", Message: "everything takes 10.8x as long: machines of one kind do not differ by more than +60%",
			Remedy: "look for what all steps share: start-up, middleware, configuration, database",
		}}
		for i := range v.Findings {
			f := &v.Findings[i]
			f.Call, f.Head, f.ChangePercent, f.RawPercent, f.LowPercent, f.HighPercent = verdict.Slower, 1_080_000, 980, 980, 900, 1060
			v.Reasons = append(v.Reasons, verdict.Reason{Code: "slower", Message: f.Step + " got slower", Line: f.Line})
		}
	case "whole-run":
		v.Outcome, v.Base.Relative = verdict.Regression, false
		v.Findings = []verdict.Finding{{
			Metric: "p95", Base: 100_000, Head: 150_000, ChangePercent: 50, RawPercent: 50, LowPercent: 40, HighPercent: 60, LimitPercent: 10,
			NoisePercent: 9, Call: verdict.Slower,
		}}
	case "together":
		v.Outcome = verdict.Inconclusive
		v.Base.Common = 12
		v.Reasons = []verdict.Reason{{
			Code: "common-shift", Message: "All 14 steps are 11–14% slower together: that is what a slower machine looks like",
			Remedy: "compare base and head in one run to find out: `loadline ab`",
		}}
	case "invalid":
		v.Outcome, v.Findings = verdict.Invalid, nil
		run.Generator.CPU, run.Generator.CPUMax, run.Generator.BusySeconds, run.Generator.LateSeconds = 0.97, 1, 52, 31
		run.Generator.LagP99 = 61 * time.Millisecond
		v.Reasons = []verdict.Reason{{
			Code: "generator-busy", Message: "The generator, not the target, was the limit: CPU 97%, 19% of sends late",
			Remedy: "Lower the rate or use a bigger runner",
		}}
	case "no-baseline":
		v.Outcome, v.Findings, v.Base = verdict.NoBaseline, nil, nil
		v.Reasons = []verdict.Reason{{
			Code: "no-baseline", Message: "no run of main is stored for this spec, profile and kind of machine",
			Remedy: "Merge this: the run on main stores the first baseline",
		}}
	case "not-ready":
		v.Outcome, v.Findings, v.Base, v.Limits = verdict.Invalid, nil, nil, nil
		v.Reasons = []verdict.Reason{{
			Code: "not-ready", Message: "Target not ready in 5m: last reply 503 from /health. No load was sent",
			Remedy: "Look at the deployment's own log",
		}}
		run = nil
	default:
		panic("no sample " + name)
	}
	return New(v, run, c, trends)
}

// orderTrend is what main did before, with one step that was accepted.
func orderTrend() []Trend {
	return []Trend{{Scenario: "shop", Step: "GET /orders", Metric: "p99", Points: []Point{
		{Value: 178_000, Commit: "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"},
		{Value: 181_000, Commit: "b2"},
		{Value: 209_000, Commit: "c3d4e5f60718293a4b5c6d7e8f9012345678a1b2", Accepted: true, Reason: "totals with | taxes, by `law`"},
		{Value: 214_000, Commit: "a4"},
		{Value: 210_000, Commit: "a5"},
		{Value: 212_000, Commit: "a6"},
	}}}
}

// regress makes the verdict of the page in design/GATE.md section 4.
func regress(v *verdict.Verdict) {
	v.Outcome = verdict.Regression
	v.Findings[0] = verdict.Finding{
		Scenario: "shop", Step: "GET /orders", Metric: "p99", Base: 212_000, Head: 289_000, ChangePercent: 34.1, RawPercent: 36.3, LowPercent: 26, HighPercent: 43,
		LimitPercent: 15, NoisePercent: 4, Call: verdict.Slower, Line: 31, Rule: "latency.p99 within 15%",
	}
	v.Findings[1] = verdict.Finding{
		Scenario: "shop", Step: "POST /cart", Metric: "p95", Base: 88_000, Head: 97_000, ChangePercent: 10.2, RawPercent: 10.2, LowPercent: -3, HighPercent: 24,
		LimitPercent: 15, NoisePercent: 14, Call: verdict.NotSure, Why: "noise", Line: 40,
	}
	v.Findings[2] = verdict.Finding{
		Scenario: "shop", Step: "GET /search", Metric: "p95", Base: 140_000, Head: 119_000, ChangePercent: -15, LowPercent: -18, HighPercent: -12,
		LimitPercent: 15, NoisePercent: 3, Call: verdict.Faster, Line: 49,
	}
	v.Reasons = []verdict.Reason{
		{Code: "slower", Message: "GET /orders got slower: p99 +34.1%", Line: 31},
		{Code: "not-sure", Message: "POST /cart p95: noise", Remedy: "measure for longer", Line: 40},
	}
	v.Warnings = []verdict.Reason{{Code: "limits-changed", Message: "This pull request changes a limit: `latency.p99 within 15%` was `within 10%`"}}
}

// outcomes are the samples that each rendering has a golden file for.
var outcomes = []string{
	"pass", "regression", "accepted", "exceeded", "errors", "threshold", "inconclusive", "together", "invalid", "not-ready", "no-baseline", "one-step", "everything", "whole-run",
	"many-steps", "many-red",
}

func TestSamplesAreComplete(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		if p := samplePage(name); p.Verdict.Outcome == "" {
			t.Errorf("%s: no outcome", name)
		}
	}
}
