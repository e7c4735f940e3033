package verdict_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// calls lists what was said of each row that moved: "GET /2 p95 slower".
func calls(v verdict.Verdict) []string {
	var all []string
	for _, f := range v.Findings {
		if f.Call != verdict.Unchanged && f.Call != verdict.NotJudged {
			all = append(all, f.Step+" "+f.Metric+" "+string(f.Call))
		}
	}
	return all
}

func codes(reasons []verdict.Reason) []string {
	var all []string
	for _, r := range reasons {
		all = append(all, r.Code)
	}
	return all
}

// calm is so little noise that a single comparison is sure to come out right.
var calm = sim.Class{Name: "calm", Run: 0.01, Step: 0.003, Tail: 0.003, Round: 0.01, Rho: 0.3}

func slow(step int, by float64) sim.Change { return sim.Change{Step: step, By: math.Log(by)} }

func TestInvalidRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code string
		change     func(*verdict.Input)
	}{
		{"not ready", "not-ready", func(in *verdict.Input) { in.Run.NotReady = "connection refused" }},
		{"interrupted", "interrupted", func(in *verdict.Input) { in.Run.Interrupted = true }},
		{"nothing measured", "no-requests", func(in *verdict.Input) { in.Run.Cells = nil }},
		{"no CPU left", "generator-busy", func(in *verdict.Input) { in.Run.Generator = result.Generator{Seconds: 60, BusySeconds: 30} }},
		{"late", "generator-late", func(in *verdict.Input) { in.Run.Generator.LagP50 = 20 * time.Millisecond }},
		{"no ports", "no-ports", func(in *verdict.Input) { in.Run.Generator.NoPorts = 1 }},
		{"dropped", "dropped", func(in *verdict.Input) { in.Run.Flows = []result.Flow{{Offered: 1000, Dropped: 2}} }},
		{"stopped", "stopped", func(in *verdict.Input) { in.Run.Stopped = `step "login" failed, and on_failure is stop-run` }},
		{"redirected", "wrong-from-start", func(in *verdict.Input) {
			in.Run.Cells = []result.Cell{{Key: result.Key{Status: 302, Failed: true}, Count: 1000}}
		}},
		{"damaged", "damaged", func(in *verdict.Input) {
			in.Head = nil
			in.Run.Rounds = []result.Round{{Steps: []result.RoundStep{{Requests: 1, Latency: []byte("?")}}}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			src := sim.New(sim.Target{Class: sim.Quiet}, 1)
			base := src.Runs(10)
			head := src.Run(slow(1, 10)) // it would be a regression
			in := verdict.Input{
				Run: sim.Of(head), Head: head, Base: base,
				Gate: verdict.Gate{Compare: strictRules(t), Limits: limits(t, "requests < 1")}, // and break a limit
			}
			c.change(&in)
			v := verdict.Judge(in)
			if v.Outcome != verdict.Invalid || len(v.Reasons) == 0 || v.Reasons[0].Code != c.code {
				t.Fatalf("%s %+v; want invalid, %s", v.Outcome, v.Reasons, c.code)
			}
			if r := v.Reasons[0]; r.Message == "" || r.Remedy == "" {
				t.Errorf("reason without cause or remedy: %+v", r)
			}
			if len(v.Findings) > 0 {
				t.Errorf("an invalid run was compared: %v", calls(v))
			}
			if v.Head != nil && v.Head.Unfit == "" {
				t.Error("an invalid run may be stored")
			}
		})
	}
}

// TestLateGenerator: what the generator's own delay explains is never blamed on
// the target; what it does not explain still is.
func TestLateGenerator(t *testing.T) {
	t.Parallel()
	late := func(head *result.Summary) *result.Run {
		run := sim.Of(head)
		run.Generator = result.Generator{LagP50: 8 * time.Millisecond, LagP99: 30 * time.Millisecond}
		return run
	}
	src := sim.New(sim.Target{Class: calm}, 1)
	base := src.Runs(10)
	for _, c := range []struct {
		by   float64
		want verdict.Outcome
	}{
		{1, verdict.Pass},
		{1.3, verdict.Inconclusive}, // 6 ms more where sends are 8 ms late
		{3, verdict.Regression},
	} {
		head := src.Run(slow(0, c.by))
		v := verdict.Judge(verdict.Input{Run: late(head), Head: head, Base: base, Gate: verdict.Gate{Compare: rules(t, "latency.p50 within 5%")}})
		if v.Outcome != c.want || !slices.Contains(codes(v.Warnings), "generator-late") {
			t.Errorf("x%g: %s %+v, warned %v", c.by, v.Outcome, v.Reasons, codes(v.Warnings))
		}
	}
	run := shop(t)
	run.Generator = result.Generator{LagP50: time.Millisecond, LagP99: 30 * time.Millisecond}
	for text, want := range map[string]verdict.Outcome{
		"latency{status=201}.p99 < 80ms": verdict.Invalid,   // it was 100 ms, of which 30 are the generator's
		"latency{status=201}.p99 < 60ms": verdict.Threshold, // and that would not be enough
		"service{status=201}.p99 < 80ms": verdict.Threshold, // counts from when it was sent
		"latency{status=201}.avg < 80ms": verdict.Threshold,
	} {
		if v := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: append(limits(t, text), limits(t, "dropped < 99%")...)}}); v.Outcome != want {
			t.Errorf("%s: %s %+v", text, v.Outcome, v.Reasons)
		}
	}
}

func TestDroppedMayBeAllowed(t *testing.T) {
	t.Parallel()
	head := sim.New(sim.Target{Class: sim.Quiet}, 1).Run()
	run := sim.Of(head)
	run.Flows = []result.Flow{{Offered: 1000, Dropped: 100}}
	gate := verdict.Gate{Limits: limits(t, "dropped < 20%")}
	if v := verdict.Judge(verdict.Input{Run: run, Head: head, Gate: gate}); v.Outcome != verdict.Pass {
		t.Errorf("10%% dropped, 20%% allowed: %s %+v", v.Outcome, v.Reasons)
	}
}

// TestOutcomeOrder: what is worse decides, and everything is said.
func TestOutcomeOrder(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 1)
	base := src.Runs(10)
	same, slower, all := src.Run(), src.Run(slow(1, 2)), src.Run(slow(-1, 1.4))
	for _, c := range []struct {
		name  string
		head  *result.Summary
		base  []*result.Summary
		limit string
		want  verdict.Outcome
		codes []string
	}{
		{"same", same, base, "requests > 1", verdict.Pass, nil},
		{"broken limit", same, base, "requests < 1", verdict.Threshold, []string{"limit"}},
		{"slower", slower, base, "requests > 1", verdict.Regression, []string{"slower", "slower", "slower"}},
		{"slower and broken limit", slower, base, "requests < 1", verdict.Regression, []string{"limit", "slower", "slower", "slower"}},
		{"all slower", all, base, "requests > 1", verdict.Inconclusive, []string{"all-slower"}},
		{"all slower and broken limit", all, base, "requests < 1", verdict.Threshold, []string{"limit", "all-slower"}},
		{"no baseline", same, nil, "requests > 1", verdict.NoBaseline, []string{"no-baseline"}},
		{"no baseline and broken limit", same, nil, "requests < 1", verdict.Threshold, []string{"limit", "no-baseline"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := verdict.Judge(verdict.Input{
				Run: sim.Of(c.head), Head: c.head, Base: c.base,
				Gate: verdict.Gate{Compare: strictRules(t), Limits: limits(t, c.limit)},
			})
			if v.Outcome != c.want {
				t.Errorf("outcome %s, want %s", v.Outcome, c.want)
			}
			if diff := cmp.Diff(c.codes, codes(v.Reasons)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingToCompareWith(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 1)
	for _, c := range []struct {
		name    string
		change  func(*result.Summary)
		warning string
	}{
		{"other spec", func(s *result.Summary) { s.Fingerprint = "other" }, "its spec differs"},
		{"other profile", func(s *result.Summary) { s.Profile = "other" }, "its spec differs"},
		{"other machine", func(s *result.Summary) { s.Environment.Cores = 99 }, "another kind of machine"},
		{"unfit", func(s *result.Summary) { s.Unfit = "it was interrupted" }, "it was interrupted"},
	} {
		base := src.Runs(3)
		for _, s := range base {
			c.change(s)
		}
		v := judge(strictRules(t), base, src.Run())
		if v.Outcome != verdict.NoBaseline || len(v.Warnings) != 1 || !strings.Contains(v.Warnings[0].Message, c.warning) || v.Reasons[0].Remedy == "" {
			t.Errorf("%s: %s %+v %+v", c.name, v.Outcome, v.Reasons, v.Warnings)
		}
		// One good run among them is enough, and the others are still named.
		good := src.Run()
		v = judge(strictRules(t), append(base, good, nil), src.Run())
		if v.Outcome != verdict.Pass || v.Base.Runs != 1 || !slices.Contains(codes(v.Warnings), "stored-run-left-out") {
			t.Errorf("%s and a good run: %s %+v", c.name, v.Outcome, v.Warnings)
		}
	}
	v := verdict.Judge(verdict.Input{
		Run: sim.Of(src.Run()), Head: src.Run(), Gate: verdict.Gate{Compare: strictRules(t)},
		NoBase: &verdict.Reason{Code: "spec-changed", Message: "the spec changed (load)"},
	})
	if v.Outcome != verdict.NoBaseline || v.Reasons[0].Code != "spec-changed" {
		t.Errorf("the caller's reason: %s %+v", v.Outcome, v.Reasons)
	}
	if v := judge(nil, nil, src.Run()); v.Outcome != verdict.Pass {
		t.Errorf("without compare rules: %s", v.Outcome)
	}
}

func TestCallsTheRightStep(t *testing.T) {
	t.Parallel()
	per := rules(t, "latency.p50 within 5%", "latency.p95 within 5%", "errors within 0.5pp")
	for seed := range uint64(some(20)) {
		src := sim.New(sim.Target{Class: calm}, seed)
		v := judge(per, src.Runs(10), src.Run(slow(3, 1.5)))
		want := []string{"GET /3 p50 slower", "GET /3 p95 slower"}
		if diff := cmp.Diff(want, calls(v)); diff != "" || v.Outcome != verdict.Regression {
			t.Errorf("seed %d: %s %s", seed, v.Outcome, diff)
		}
		for _, f := range v.Findings {
			if f.Call != verdict.Slower {
				continue
			}
			if f.ChangePercent < 35 || f.ChangePercent > 65 || f.LowPercent > f.ChangePercent || f.HighPercent < f.ChangePercent ||
				f.LimitPercent < f.NoisePercent || f.Base <= 0 || math.Abs(f.Head/f.Base-1-f.RawPercent/100) > 0.001 {
				t.Errorf("seed %d: %+v", seed, f)
			}
		}
		v = judge(per, src.Runs(10), src.Run(slow(3, 1/1.5)))
		want = []string{"GET /3 p50 faster", "GET /3 p95 faster"}
		if diff := cmp.Diff(want, calls(v)); diff != "" || v.Outcome != verdict.Pass {
			t.Errorf("seed %d: %s %s", seed, v.Outcome, diff)
		}
	}
}

// TestFasterStepsBlameNobody: steps that became much faster must not make the
// others look slow, however few others there are.
func TestFasterStepsBlameNobody(t *testing.T) {
	t.Parallel()
	for seed := range uint64(some(30)) {
		for _, faster := range [][]sim.Change{
			{slow(0, 0.1)},
			{slow(0, 0.5), slow(1, 0.5)},
			{slow(0, 0.1), slow(1, 0.1), slow(2, 0.2)},
		} {
			for steps := len(faster) + 1; steps <= 6; steps++ {
				src := sim.New(sim.Target{Class: calm, Steps: steps}, seed)
				v := judge(strictRules(t), src.Runs(10), src.Run(faster...))
				if v.Outcome == verdict.Regression {
					t.Errorf("seed %d: %d of %d steps faster: %v", seed, len(faster), steps, calls(v))
				}
			}
		}
	}
}

func TestTolerances(t *testing.T) {
	t.Parallel()
	// Step 0 has a median of 20 ms, step 4 one of 99 ms; both become 30 % slower.
	src := sim.New(sim.Target{Class: sim.Quiet}, 3)
	base, head := src.Runs(20), src.Run(slow(0, 1.3), slow(4, 1.3))
	for _, c := range []struct {
		rule string
		want []string
	}{
		{"latency.p50 within 5%", []string{"GET /0 p50 slower", "GET /4 p50 slower"}},
		{"latency.p50 within 50%", nil},
		{"latency.p50 within 5% or 20ms", []string{"GET /4 p50 slower"}},
		{"latency.p50 within 50% or 5ms", nil},
		{"latency.p50 within 20ms", []string{"GET /4 p50 slower"}},
		{"latency{step='GET /0'}.p50 within 5%", []string{"GET /0 p50 slower"}},
		{"service.p50 within 5%", nil},
	} {
		v := judge(rules(t, c.rule), base, head)
		if diff := cmp.Diff(c.want, calls(v)); diff != "" {
			t.Errorf("%s: %s", c.rule, diff)
		}
		for _, f := range v.Findings {
			if f.Rule != c.rule && f.Metric != "throughput" || f.Call == verdict.Slower && f.ChangePercent <= f.LimitPercent {
				t.Errorf("%s: %+v", c.rule, f)
			}
		}
	}
	warn := rules(t, "latency.p50 within 5%")
	warn[0].Warn = true
	if v := judge(warn, base, head); v.Outcome != verdict.Pass || len(v.Reasons) > 0 || !slices.Contains(codes(v.Warnings), "slower") {
		t.Errorf("a rule that only warns: %s %+v", v.Outcome, v.Warnings)
	}
}

func TestRulesThatStoredRunsCannotAnswer(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 3)
	base, head := src.Runs(3), src.Run()
	for _, text := range []string{
		"latency.p75 within 5%", "latency.avg within 5%", "ttfb.p95 within 5%", "service.p95 within 5%",
		"latency{status=200}.p95 within 5%", "failed.count within 5%", "requests within 5%", "bytes_in within 5%",
	} {
		v := judge(rules(t, text), base, head)
		if f := v.Findings[0]; f.Call != verdict.NotJudged || f.Why == "" {
			t.Errorf("%s: %+v", text, f)
		}
	}
}

// TestPer: rows are steps, scenarios or the whole run, as the rule, its tags or
// the gate say.
func TestPer(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: calm}, 2)
	base, head := src.Runs(10), src.Run(slow(1, 2))
	scenario := func(s *result.Summary) {
		for i := range s.Rows {
			r := &s.Rows[i]
			if r.Scope == result.ScopeTotal {
				r.Latency = s.Rows[2].Latency // as if all requests were of step 1
				continue
			}
			r.Scenario = "shop"
		}
		row := s.Rows[2]
		row.Scope, row.Step = result.ScopeScenario, ""
		s.Rows = slices.Insert(s.Rows, 1, row)
	}
	for _, s := range append(base, head) {
		scenario(s)
	}
	for _, c := range []struct {
		rule     string
		per, own result.Scope
		want     []string
	}{
		{"latency.p50 within 5%", "", "", []string{"shop/GET /1"}},
		{"latency.p50 within 5%", result.ScopeScenario, "", []string{"shop/"}},
		{"latency.p50 within 5%", result.ScopeTotal, "", []string{"/"}},
		{"latency.p50 within 5%", result.ScopeTotal, result.ScopeStep, []string{"shop/GET /1"}},
		{"latency{step='GET /1'}.p50 within 5%", result.ScopeTotal, "", []string{"shop/GET /1"}},
		{"latency{scenario=shop}.p50 within 5%", result.ScopeTotal, "", []string{"shop/"}},
		{"latency{scenario=else}.p50 within 5%", "", "", nil},
	} {
		per := rules(t, c.rule)
		per[0].Per = c.own
		v := verdict.Judge(verdict.Input{Run: sim.Of(head), Head: head, Base: base, Gate: verdict.Gate{Compare: per, Per: c.per}})
		var got []string
		for _, f := range v.Findings {
			if f.Call == verdict.Slower {
				got = append(got, f.Scenario+"/"+f.Step)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s per %q, own %q: %s", c.rule, c.per, c.own, diff)
		}
		if c.want == nil && v.Outcome != verdict.Inconclusive {
			t.Errorf("%s: %s %+v", c.rule, v.Outcome, v.Reasons)
		}
	}
}

func TestAllSlower(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		target  sim.Target
		changes []sim.Change
		n       int
		want    verdict.Outcome
		reason  string
	}{
		{"a slower machine blames nobody", sim.Target{Class: sim.Quiet}, []sim.Change{slow(-1, 1.4)}, 10, verdict.Inconclusive, "all-slower"},
		{"no machine is three times slower", sim.Target{Class: sim.Quiet}, []sim.Change{slow(-1, 3)}, 10, verdict.Regression, "all-slower"},
		{"ten times slower after one stored run", sim.Target{Class: sim.Quiet}, []sim.Change{slow(-1, 10)}, 1, verdict.Regression, "all-slower"},
		{"one step, ten times slower after one stored run", sim.Target{Class: sim.Quiet, Steps: 1}, []sim.Change{slow(0, 10)}, 1, verdict.Regression, "slower"},
		{"one of five, three times slower after one stored run", sim.Target{Class: sim.Quiet}, []sim.Change{slow(0, 3)}, 1, verdict.Regression, "slower"},
		{"a control step that stayed makes it the code", sim.Target{Class: sim.Quiet, Control: true}, []sim.Change{slow(-1, 1.4)}, 10, verdict.Regression, "slower"},
		{"a control step that moved makes it the machine", sim.Target{Class: sim.Quiet, Control: true}, []sim.Change{slow(-1, 1.4), {Step: 4, By: math.Log(1.4)}}, 10, verdict.Inconclusive, "control-moved"},
		{"slower machine and a slower step", sim.Target{Class: sim.Quiet}, []sim.Change{slow(-1, 1.3), slow(2, 1.4)}, 10, verdict.Regression, "all-slower"},
		{"all faster", sim.Target{Class: sim.Quiet}, []sim.Change{slow(-1, 0.5)}, 10, verdict.Pass, ""},
		{"two steps are judged as measured", sim.Target{Class: sim.Quiet, Steps: 2}, []sim.Change{slow(0, 1.6)}, 10, verdict.Regression, "slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(some(10)) {
				src := sim.New(c.target, seed)
				v := judge(strictRules(t), src.Runs(c.n), src.Run(c.changes...))
				if v.Outcome != c.want {
					t.Errorf("seed %d: %s %+v %v", seed, v.Outcome, v.Reasons, calls(v))
				}
				if got := codes(v.Reasons); c.reason != "" && !slices.Contains(got, c.reason) {
					t.Errorf("seed %d: reasons %v, want %s", seed, got, c.reason)
				}
				if c.want == verdict.Regression && !slices.ContainsFunc(v.Findings, func(f verdict.Finding) bool { return f.Call == verdict.Slower }) {
					t.Errorf("seed %d: a regression without a finding", seed)
				}
			}
		})
	}
}

// TestAllSlowerWithinTheRules: steps of a fraction of a millisecond took half as
// long again together, which a rule of "10% or 5ms" does not mind, and the run was
// called inconclusive for it.
func TestAllSlowerWithinTheRules(t *testing.T) {
	t.Parallel()
	for _, by := range []float64{1.4, 1.8, 3} {
		src := sim.New(sim.Target{Class: sim.Quiet}, 7)
		v := judge(rules(t, "latency.p50 within 10% or 1s"), src.Runs(10), src.Run(slow(-1, by)))
		if v.Outcome != verdict.Pass || !slices.Contains(codes(v.Warnings), "all-slower-tolerated") {
			t.Errorf("%gx slower: %s, reasons %+v, warnings %+v", by, v.Outcome, v.Reasons, v.Warnings)
		}
	}
}

// TestErrors: failures are called when they come in many rounds, not in one.
func TestErrors(t *testing.T) {
	t.Parallel()
	src := func(seed uint64) *sim.Source { return sim.New(sim.Target{Class: sim.Quiet}, seed) }
	fails := func(share float64) sim.Change { return sim.Change{Step: 1, Errors: share} }
	burst := func(s *result.Summary) *result.Summary {
		row := s.Row(result.RowKey{Scope: result.ScopeStep, Step: "GET /1"})
		row.Errored, row.Failed, row.BadRounds = 150, 150, 2 // all of them in ten seconds
		return s
	}
	for _, c := range []struct {
		name string
		n    int
		make func(*sim.Source) ([]*result.Summary, *result.Summary)
		want bool
	}{
		{"none before, none now", 10, nil, false},
		{"2 % now", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) { return s.Runs(10), s.Run(fails(0.02)) }, true},
		{"2 % now, one stored run", 1, func(s *sim.Source) ([]*result.Summary, *result.Summary) { return s.Runs(1), s.Run(fails(0.02)) }, true},
		{"0.2 % now is within half a point", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) { return s.Runs(10), s.Run(fails(0.002)) }, false},
		{"one burst of 6 %", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) { return s.Runs(10), burst(s.Run()) }, false},
		{"2 % before, 2 % now", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) {
			return repeat(s, 10, fails(0.02)), s.Run(fails(0.02))
		}, false},
		{"2 % before, 30 % now", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) {
			return repeat(s, 10, fails(0.02)), s.Run(fails(0.3))
		}, true},
		{"everything fails", 10, func(s *sim.Source) ([]*result.Summary, *result.Summary) { return s.Runs(10), s.Run(fails(1)) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(some(20)) {
				s := src(seed)
				base, head := s.Runs(10), s.Run()
				if c.make != nil {
					base, head = c.make(s)
				}
				v := judge(rules(t, "errors within 0.5pp"), base, head)
				got := slices.Contains(calls(v), "GET /1 errors slower")
				if got != c.want || (v.Outcome == verdict.Regression) != c.want {
					t.Errorf("seed %d: %s %v", seed, v.Outcome, calls(v))
				}
				if c.want && !slices.Contains(codes(v.Reasons), "more-errors") {
					t.Errorf("seed %d: %+v", seed, v.Reasons)
				}
			}
		})
	}
}

func repeat(s *sim.Source, n int, ch sim.Change) []*result.Summary {
	var all []*result.Summary
	for range n {
		all = append(all, s.Run(ch))
	}
	return all
}

func TestThroughput(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{true, false} {
		for _, c := range []struct {
			ln    float64
			rules []verdict.Compare
			want  verdict.Outcome
		}{
			{0, strictRules(t), verdict.Pass},
			{-0.3, strictRules(t), map[bool]verdict.Outcome{true: verdict.Regression, false: verdict.Pass}[open]},
			{-0.6, rules(t, "requests.rate within 10%"), verdict.Regression},
			{0.3, strictRules(t), verdict.Pass},
		} {
			src := sim.New(sim.Target{Class: sim.Quiet}, 5)
			base, head := src.Runs(10), src.Run()
			for _, s := range append(base, head) {
				s.Open = open
			}
			head.Rows[0].Rate.Y = c.ln
			per := c.rules
			if len(per) == 1 {
				per[0].Per = result.ScopeTotal
			}
			if v := judge(per, base, head); v.Outcome != c.want {
				t.Errorf("open %v, throughput x%.2f: %s %v", open, math.Exp(c.ln), v.Outcome, calls(v))
			}
		}
	}
}

func TestTooFewRequests(t *testing.T) {
	t.Parallel()
	few := sim.Target{Class: sim.Quiet, Rate: 5} // 60 requests of each step
	src := sim.New(few, 1)
	v := judge(strictRules(t), src.Runs(5), src.Run())
	if v.Outcome != verdict.Inconclusive || !slices.Contains(codes(v.Reasons), "too-few-requests") {
		t.Errorf("60 requests a step: %s %+v", v.Outcome, v.Reasons)
	}
	if f := v.Findings[0]; f.Call != verdict.NotJudged || !strings.Contains(f.Why, "needs 100") || !strings.Contains(f.Why, "had 60") {
		t.Errorf("%+v", f)
	}
	// The stored runs had plenty: this one is not like them, and cannot pass.
	many := sim.New(sim.Target{Class: sim.Quiet}, 1)
	v = judge(strictRules(t), many.Runs(5), src.Run())
	if v.Outcome != verdict.Inconclusive || v.Findings[0].Call != verdict.NotSure || v.Reasons[0].Remedy == "" {
		t.Errorf("fewer requests than before: %s %+v", v.Outcome, v.Reasons)
	}
}

func TestNewAndMissingSteps(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet, Steps: 6}, 1)
	base, head := src.Runs(10), src.Run(slow(1, 1.6))
	for _, s := range base {
		s.Rows = slices.Delete(s.Rows, 6, 7) // no stored run has GET /5
	}
	head.Rows = slices.Delete(head.Rows, 3, 4) // this one has no GET /2
	v := judge(strictRules(t), base, head)
	if v.Outcome != verdict.Regression || !slices.Equal(calls(v), []string{"GET /1 p50 slower", "GET /1 p95 slower", "GET /1 p99 slower"}) {
		t.Errorf("%s %v", v.Outcome, calls(v))
	}
	why := map[string]string{}
	for _, f := range v.Findings {
		if f.Call == verdict.NotJudged {
			why[f.Step] = f.Why
		}
	}
	if !strings.Contains(why["GET /5"], "new") || !strings.Contains(why["GET /2"], "gone") {
		t.Errorf("said of them: %v", why)
	}
}

// TestPoisonedRing: one stored run ten times slower neither hides a regression
// nor makes one, and it is named. Of two runs nobody knows which is wrong.
func TestPoisonedRing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(some(10)) {
		for _, where := range []int{0, 4, 9} {
			for _, what := range []sim.Change{slow(-1, 10), slow(2, 10), slow(2, 0.1)} {
				src := sim.New(sim.Target{Class: sim.Quiet}, seed)
				base := src.Runs(10)
				base[where] = src.Run(what)
				if v := judge(strictRules(t), base, src.Run()); v.Outcome != verdict.Pass || !slices.Contains(codes(v.Warnings), "stored-run-off") {
					t.Errorf("seed %d, run %d: %s %+v", seed, where, v.Outcome, v.Warnings)
				}
				if v := judge(strictRules(t), base, src.Run(slow(2, 1.3))); v.Outcome != verdict.Regression {
					t.Errorf("seed %d, run %d hides +30%%: %s", seed, where, v.Outcome)
				}
			}
		}
	}
	src := sim.New(sim.Target{Class: sim.Quiet}, 1)
	base := []*result.Summary{src.Run(slow(2, 10)), src.Run()}
	if v := judge(strictRules(t), base, src.Run()); v.Outcome == verdict.Regression || !slices.Contains(codes(v.Warnings), "blunt") {
		t.Errorf("two runs that disagree: %s %+v", v.Outcome, v.Warnings)
	}
}

// TestRestart: after a regression was merged, its run marks where the new level
// begins, and later runs are compared with that.
func TestRestart(t *testing.T) {
	t.Parallel()
	for seed := range uint64(some(10)) {
		src := sim.New(sim.Target{Class: sim.Quiet}, seed)
		base := src.Runs(10)
		v := judge(strictRules(t), base, src.Run(slow(2, 1.6)))
		key := result.RowKey{Scope: result.ScopeStep, Step: "GET /2"}
		if !v.Head.Row(key).Restart || v.Head.Row(result.RowKey{Scope: result.ScopeStep, Step: "GET /1"}).Restart {
			t.Fatalf("seed %d: restart of the wrong rows", seed)
		}
		base = append([]*result.Summary{v.Head}, base...)
		if v := judge(strictRules(t), base, src.Run(slow(2, 1.6))); v.Outcome != verdict.Pass {
			t.Errorf("seed %d: the accepted level is blamed: %v", seed, calls(v))
		}
		if v := judge(strictRules(t), base, src.Run(slow(2, 2.2))); v.Outcome != verdict.Regression {
			t.Errorf("seed %d: another rise of 37%% is not seen", seed)
		}
		if v := judge(strictRules(t), base, src.Run()); v.Outcome != verdict.Pass || !slices.Contains(calls(v), "GET /2 p50 faster") {
			t.Errorf("seed %d: back to normal: %s %v", seed, v.Outcome, calls(v))
		}
	}
}

// TestSwap: with one run on each side, swapping them turns every sign, and no
// call appears or vanishes.
func TestSwap(t *testing.T) {
	t.Parallel()
	opposite := map[verdict.Call]verdict.Call{verdict.Slower: verdict.Faster, verdict.Faster: verdict.Slower}
	for seed := range uint64(some(200)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		src := sim.New(sim.Target{Class: sim.Shared, Steps: 1 + rng.IntN(7)}, seed)
		a, b := src.Run(), src.Run(slow(rng.IntN(3), math.Exp(1.5*rng.NormFloat64())), sim.Change{Step: 0, Errors: 0.1 * rng.Float64() * float64(rng.IntN(2))})
		there, back := judge(strictRules(t), []*result.Summary{a}, b), judge(strictRules(t), []*result.Summary{b}, a)
		for i, f := range there.Findings {
			g := back.Findings[i]
			want, ok := opposite[f.Call]
			if !ok {
				want = f.Call
			}
			if there.Base.Common > 60 || back.Base.Common > 60 {
				continue // a common shift that no machine explains is called upwards only
			}
			if g.Call != want {
				t.Errorf("seed %d: %s %s is %s one way, %s the other", seed, f.Step, f.Metric, f.Call, g.Call)
			}
			if f.Metric != "errors" && math.Abs((1+f.ChangePercent/100)*(1+g.ChangePercent/100)-1) > 0.01 {
				t.Errorf("seed %d: %s %s moved by %g%% one way, %g%% the other", seed, f.Step, f.Metric, f.ChangePercent, g.ChangePercent)
			}
		}
	}
}

// TestSelf: a run compared with itself passes, alone or in a crowd.
func TestSelf(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Noisy, sim.Hog} {
		for steps := 1; steps <= 6; steps++ {
			head := sim.New(sim.Target{Class: class, Steps: steps}, 9).Run(sim.Change{Step: 0, Errors: 0.1})
			for _, n := range []int{1, 2, 5, 30} {
				base := make([]*result.Summary, n)
				for i := range base {
					base[i] = head
				}
				v := judge(strictRules(t), base, head)
				if v.Outcome != verdict.Pass || len(calls(v)) > 0 {
					t.Errorf("%s, %d steps, %d times itself: %s %v %+v", class.Name, steps, n, v.Outcome, calls(v), v.Reasons)
				}
				for _, f := range v.Findings {
					if f.ChangePercent != 0 {
						t.Errorf("%s moved by %g%% from itself", f.Step, f.ChangePercent)
					}
				}
			}
		}
	}
}

// TestPermutation: the order of the steps changes nothing but the order of the
// findings, and the order of older runs nothing at all.
func TestPermutation(t *testing.T) {
	t.Parallel()
	byName := cmpopts.SortSlices(func(a, b verdict.Finding) bool { return a.Step+a.Metric < b.Step+b.Metric })
	for seed := range uint64(some(50)) {
		rng := rand.New(rand.NewPCG(seed, 2))
		src := sim.New(sim.Target{Class: sim.Shared}, seed)
		base, head := src.Runs(8), src.Run(slow(1, 1.5))
		want := judge(strictRules(t), base, head)
		shuffled := slices.Clone(base)
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, s := range append(shuffled, head) {
			rng.Shuffle(len(s.Rows), func(i, j int) { s.Rows[i], s.Rows[j] = s.Rows[j], s.Rows[i] })
		}
		got := judge(strictRules(t), shuffled, head)
		if diff := cmp.Diff(want.Findings, got.Findings, byName, cmpopts.EquateApprox(0, 0.011)); diff != "" || got.Outcome != want.Outcome {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// TestManySteps: a thousand steps against thirty runs.
func TestManySteps(t *testing.T) {
	t.Parallel()
	steps := 1000
	if hurried() {
		steps = 100
	}
	src := sim.New(sim.Target{Class: sim.Quiet, Steps: steps, Rate: 100 * float64(steps)}, 1)
	base, head := src.Runs(30), src.Run(slow(steps/2, 1.5))
	start := time.Now()
	v := judge(strictRules(t), base, head)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("judging took %v", took) // a second on an idle machine; ten is another order
	}
	if got := calls(v); v.Outcome != verdict.Regression || len(got) < 2 || !strings.HasPrefix(got[0], sim.StepName(steps/2)+" ") {
		t.Errorf("%s %v", v.Outcome, got)
	}
}

// TestNonsense: no summary, however odd, makes a panic or a verdict that cannot
// be written down; and what is far from every stored run is never a silent pass.
func TestNonsense(t *testing.T) {
	t.Parallel()
	odd := []float64{0, math.NaN(), math.Inf(1), math.Inf(-1), -1e300, 1e300, 18.6, 1e-9}
	for seed := range uint64(some(2000)) {
		rng := rand.New(rand.NewPCG(seed, 3))
		src := sim.New(sim.Target{Class: sim.Noisy, Steps: 1 + rng.IntN(4), Control: rng.IntN(4) == 0}, seed)
		all := append(src.Runs(rng.IntN(6)), src.Run())
		for _, s := range all {
			for i := range s.Rows {
				r := &s.Rows[i]
				for j := range r.Latency {
					if rng.IntN(6) == 0 {
						r.Latency[j].Y = odd[rng.IntN(len(odd))]
						r.Latency[j].SE = odd[rng.IntN(len(odd))]
					}
				}
				switch rng.IntN(12) {
				case 0:
					r.Latency = nil
				case 1:
					r.Requests, r.Rounds = 0, 0
				case 2:
					r.Rate = result.Figure{}
				case 3:
					r.ErrorShare.SE = math.NaN()
				case 4:
					r.Errored, r.Failed, r.BadRounds = r.Requests, r.Requests, r.Rounds
				case 5:
					r.Restart = true
				}
			}
			if rng.IntN(8) == 0 {
				s.Rows = s.Rows[:rng.IntN(len(s.Rows)+1)]
			}
		}
		head := all[len(all)-1]
		run := sim.Of(&result.Summary{Fingerprint: head.Fingerprint, Rows: []result.Row{{Requests: 10}}})
		v := verdict.Judge(verdict.Input{Run: run, Head: head, Base: all[:len(all)-1], Gate: verdict.Gate{Compare: strictRules(t)}})
		if _, err := json.Marshal(v); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if v.Outcome == verdict.Pass && len(v.Findings) == 0 {
			t.Fatalf("seed %d: passed with nothing judged", seed)
		}
	}
}

// TestMessages: every sentence has its numbers and speaks of no statistics.
func TestMessages(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 4)
	v := judge(strictRules(t), src.Runs(10), src.Run(slow(2, 1.5), sim.Change{Step: 1, Errors: 0.05}))
	got := map[string]string{}
	for _, r := range v.Reasons {
		got[r.Code] += r.Message + "\n"
	}
	for code, parts := range map[string][]string{
		"slower":      {"GET /2 got slower: p50 +4", "(between +3", "beyond +", "noise alone reaches +"},
		"more-errors": {"GET /1 fails more often: ", "0% before", "this may move by +0.5pp"},
	} {
		for _, part := range parts {
			if !strings.Contains(got[code], part) {
				t.Errorf("%s: %q lacks %q", code, got[code], part)
			}
		}
	}
	for _, r := range append(v.Reasons, v.Warnings...) {
		for _, word := range []string{"p-value", "significan", "NaN", "%!", "Inf"} {
			if strings.Contains(r.Message+r.Remedy, word) {
				t.Errorf("%q says %q", r.Message, word)
			}
		}
	}
	if !slices.Contains(codes(v.Warnings), "survivors") {
		t.Errorf("no word on latency of survivors: %v", codes(v.Warnings))
	}
	b := v.Base
	if b.Runs != 10 || !b.Relative || b.VisiblePercent <= 0 || b.NothingAbovePercent <= 0 || b.FalseAlarmPercent != 1 || b.Commit == "" || b.Started == "" {
		t.Errorf("base %+v", b)
	}
}
