package verdict_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

var ownNames = rule.Own{
	Metrics: map[string]rule.Kind{
		"hits": rule.Rate, "orders": rule.Counter, "cart": rule.Trend, "depth": rule.Gauge, "unused": rule.Trend,
	},
	Tags: []string{"team"},
}

func limit(t testing.TB, text string) verdict.Limit {
	t.Helper()
	l, err := rule.ParseLimit(text, ownNames)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return verdict.Limit{Rule: l, Line: 7}
}

func limits(t testing.TB, texts ...string) []verdict.Limit {
	t.Helper()
	var all []verdict.Limit
	for _, text := range texts {
		all = append(all, limit(t, text))
	}
	return all
}

// hist holds the given values, each as often as the count behind it.
func hist(t testing.TB, pairs ...int64) *hdr.Histogram {
	t.Helper()
	h := result.NewHistogram()
	for i := 0; i < len(pairs); i += 2 {
		if err := h.RecordValues(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// shop is a run of 20 s with a warm-up and two steps, in round numbers.
func shop(t testing.TB) *result.Run {
	t.Helper()
	key := func(step, stage, status int) result.Key {
		return result.Key{Step: step, Stage: stage, Status: status, Proto: "1.1"}
	}
	failed := func(k result.Key, kind string) result.Key {
		k.Failed, k.Error = true, kind
		return k
	}
	r := &result.Run{
		Spec: "shop", Fingerprint: "f", Mode: "single", Measured: 20 * time.Second, Open: true,
		Catalog: result.Catalog{
			Scenarios: []string{"browse", "buy"},
			Steps: []result.Step{
				{Scenario: "browse", Name: "GET /items", Method: "GET", Tags: map[string]string{"team": "red"}},
				{Scenario: "buy", Name: "POST /orders", Method: "POST"},
				{Scenario: "buy", Name: "GET /never", Method: "GET"},
			},
			Stages:  []result.Stage{{Name: "warmup"}, {Name: "peak", Measure: true}},
			Checks:  []result.Check{{Step: 0, Name: "has items"}, {Step: 1, Name: "has id"}},
			Metrics: []result.Metric{{Name: "hits", Kind: "rate"}, {Name: "orders", Kind: "counter"}, {Name: "cart", Kind: "trend"}, {Name: "depth", Kind: "gauge"}, {Name: "unused", Kind: "trend"}},
		},
		Cells: []result.Cell{
			{Key: key(0, 0, 200), Count: 1000, In: 10, Latency: hist(t, 900_000, 1000), Service: hist(t, 900_000, 1000)},
			{Key: key(0, 1, 200), Count: 900, In: 9_000_000, Out: 1000, Latency: hist(t, 10_000, 800, 50_000, 100), Service: hist(t, 8_000, 900)},
			{Key: failed(key(0, 1, 503), ""), Count: 50, In: 50, Latency: hist(t, 1_000, 50), Service: hist(t, 1_000, 50)},
			{Key: failed(key(0, 1, 0), "timeout"), Count: 10, Latency: hist(t, 30_000_000, 10), Service: hist(t, 30_000_000, 10)},
			{Key: result.Key{Step: 1, Stage: 1, Status: 201, Proto: "2", Checks: true}, Count: 40, In: 400, Latency: hist(t, 100_000, 40), Service: hist(t, 90_000, 40)},
		},
		Tallies: []result.Tally{
			{Check: 0, Stage: 0, Failed: 500},
			{Check: 0, Stage: 1, Passed: 890, Failed: 10},
			{Check: 1, Stage: 1, Passed: 0, Failed: 40},
		},
		Values: []result.Value{
			{Metric: 0, Count: 200, True: 150},
			{Metric: 1, Count: 40, Sum: 60, Min: 1, Max: 2, Last: 1},
			{Metric: 2, Count: 4, Sum: 10, Min: 1, Max: 4, Last: 4, Hist: cartHist(t)},
			{Metric: 3, Count: 3, Sum: 9, Min: 1, Max: 6, Last: 2},
		},
		Flows: []result.Flow{
			{Scenario: 0, Stage: 0, Offered: 1000, Completed: 1000, Dropped: 1000},
			{Scenario: 0, Stage: 1, Offered: 970, Completed: 960, Dropped: 10},
			{Scenario: 1, Stage: 1, Offered: 30, Completed: 20},
		},
		Phases: []result.Phases{{TTFB: hist(t, 7_000, 950), Queue: hist(t, 100, 950)}, {TTFB: hist(t, 70_000, 40)}, {}},
		Series: []result.Second{
			{Stage: 0, Users: 99, InFlight: 99},
			{Stage: 1, Measured: true, Users: 10, InFlight: 4, Completed: 500, Failed: 1},
			{Stage: 1, Measured: true, Users: 20, InFlight: 8, Completed: 500, Failed: 59},
		},
		Iteration: hist(t, 20_000, 980),
	}
	return r
}

// cartHist holds thousandths of 1 to 4, in the range of a custom trend.
func cartHist(t testing.TB) *hdr.Histogram {
	t.Helper()
	h := hdr.New(1, 60_000_000_000, 3)
	for v := range int64(4) {
		if err := h.RecordValue(1000 * (v + 1)); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestLimits(t *testing.T) {
	t.Parallel()
	run := shop(t)
	for _, c := range []struct {
		limit string
		value float64
		shown string
		ok    bool
	}{
		{"requests == 1000", 1000, "1,000", true},
		{"requests.rate >= 50/s", 50, "50/s", true},
		{"requests{stage=warmup} == 1000", 1000, "1,000", true},
		{"requests{stage=warmup}.rate == 1000/s", 1000, "1,000/s", true},
		{"requests{step='POST /orders'} > 40", 40, "40", false},
		{"requests{scenario=buy} == 40", 40, "40", true},
		{"requests{status=5xx} < 50", 50, "50", false},
		{"requests{status=0} < 50", 10, "10", true},
		{"requests{error=timeout} < 50", 10, "10", true},
		{"requests{proto=2} == 40", 40, "40", true},
		{"requests{team=red} == 960", 960, "960", true},
		{"requests{method=POST} == 40", 40, "40", true},
		{"requests{step='GET /never'} == 0", 0, "0", true}, // a count of nothing is 0
		{"requests{status=404}.count < 1", 0, "0", true},
		{"failed < 5%", 0.06, "6%", false},
		{"failed.count <= 60", 60, "60", true},
		{"errors == 0.1", 0.1, "10%", true},
		{"failed{step='POST /orders'} < 1%", 0, "0%", true},
		{"checks > 90%", 890.0 / 940, "94.7%", true},
		{"checks{check='has id'} > 90%", 0, "0%", false},
		{"checks{check='has items', stage=warmup} > 1%", 0, "0%", false},
		{"latency.p50 < 11ms", 10_000, "10 ms", true},
		{"latency < 40ms", 50_000, "50 ms", false},
		{"latency{status=200}.p50 <= 10.1ms", 10_000, "10 ms", true},
		{"latency{stage=warmup}.p50 < 1s", 900_000, "900 ms", true},
		{"latency.max < 1s", 30_000_000, "30 s", false},
		{"latency{status=503}.min == 1ms", 1_000, "1 ms", true},
		{"latency{step='POST /orders'}.avg < 1s", 100_000, "100 ms", true},
		{"latency.count == 1000", 1000, "1,000", true},
		{"service{status=200}.p99 < 9ms", 8_000, "8 ms", true},
		{"ttfb{scenario=buy}.p95 < 100ms", 70_000, "70 ms", true},
		{"queue.p99 < 1ms", 100, "100 µs", true},
		{"iteration.p50 < 1s", 20_000, "20 ms", true},
		{"iterations == 980", 980, "980", true},
		{"iterations{scenario=buy}.rate == 1/s", 1, "1/s", true},
		{"dropped < 2%", 0.01, "1%", true},
		{"dropped == 10", 10, "10", true},
		{"bytes_in < 10MB", 9_000_450, "9 MB", true},
		{"bytes_out.rate <= 50", 50, "50 B/s", true},
		{"users.max == 20", 20, "20", true},
		{"users.avg == 15", 15, "15", true},
		{"users == 20", 20, "20", true},
		{"in_flight.min == 4", 4, "4", true},
		{"hits > 70%", 0.75, "75%", true},
		{"hits.count == 150", 150, "150", true},
		{"orders == 60", 60, "60", true},
		{"orders.rate == 3", 3, "3/s", true},
		{"cart.p50 == 2", 2, "2", true},
		{"cart.avg == 2.5", 2.5, "2.5", true},
		{"cart.max == 4", 4, "4", true},
		{"cart.count == 4", 4, "4", true},
		{"depth == 2", 2, "2", true},
		{"depth.max == 6", 6, "6", true},
		{"depth.avg == 3", 3, "3", true},
		{"latency.p95 != 1ms", 50_000, "50 ms", true},
	} {
		t.Run(c.limit, func(t *testing.T) {
			t.Parallel()
			v := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: append(limits(t, c.limit), limits(t, "dropped < 99%")...)}})
			got := v.Limits[0]
			if math.Abs(got.Value-c.value) > 0.001*math.Max(c.value, 1e-9) || got.OK != c.ok || got.Shown != c.shown || got.Line != 7 {
				t.Errorf("got %+v, want %g (%s), %v", got, c.value, c.shown, c.ok)
			}
			want, reasons := verdict.Pass, 0
			if !c.ok {
				want, reasons = verdict.Threshold, 1
			}
			if v.Outcome != want || len(v.Reasons) != reasons {
				t.Errorf("outcome %s, %+v; want %s", v.Outcome, v.Reasons, want)
			}
		})
	}
}

// TestLimitsWithoutData: a limit that nothing answers is never a limit that held.
func TestLimitsWithoutData(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ limit, remedy string }{
		{"latency{step='GET /never'}.p95 < 1s", `"GET /items", "POST /orders", "GET /never"`},
		{"failed{scenario=sell} < 1%", `"browse", "buy"`},
		{"failed{stage=peek} < 1%", `"warmup", "peak"`},
		{"requests{status=404}.rate < 1/s", "correct its tags"},
		{"tls.p95 < 1s", "correct its tags"},
		{"unused.max < 3", "correct its tags"},
		{"target.cpu.max < 90%", "[[observe]]"},
		{"hits{team=red} > 1%", ""},
	} {
		if c.remedy == "" {
			if _, err := rule.ParseLimit(c.limit, ownNames); err == nil {
				t.Errorf("%s: own metrics carry no tags, but it parses", c.limit)
			}
			continue
		}
		v := verdict.Judge(verdict.Input{Run: shop(t), Gate: verdict.Gate{Limits: limits(t, "dropped < 99%", c.limit)}})
		if v.Outcome != verdict.Invalid || len(v.Reasons) != 1 || v.Reasons[0].Code != "no-data" ||
			!strings.Contains(v.Reasons[0].Message, c.limit) || !strings.Contains(v.Reasons[0].Remedy, c.remedy) {
			t.Errorf("%s: %s %+v", c.limit, v.Outcome, v.Reasons)
		}
		if v.Limits[1].OK {
			t.Errorf("%s held", c.limit)
		}
		if v.Head.Unfit == "" {
			t.Errorf("%s: the run may be stored", c.limit)
		}
	}
}

func TestWarnLimits(t *testing.T) {
	t.Parallel()
	warn := limits(t, "dropped < 99%", "failed < 1%", "latency{stage=peek} < 1s")
	warn[1].Warn, warn[2].Warn = true, true
	v := verdict.Judge(verdict.Input{Run: shop(t), Gate: verdict.Gate{Limits: warn}})
	if v.Outcome != verdict.Pass || len(v.Reasons) > 0 || len(v.Warnings) != 2 {
		t.Errorf("%s %+v %+v", v.Outcome, v.Reasons, v.Warnings)
	}
}

// second is one second of load with so many requests, of which some fail.
func second(t testing.TB, stage int, measured bool, n, failed int64) *result.Interval {
	t.Helper()
	iv := &result.Interval{Second: result.Second{Stage: stage, Measured: measured, Users: int(n)}}
	if n > failed {
		iv.Cells = append(iv.Cells, result.Cell{Key: result.Key{Stage: stage, Status: 200}, Count: n - failed, Latency: hist(t, 10_000, n-failed)})
	}
	if failed > 0 {
		iv.Cells = append(iv.Cells, result.Cell{Key: result.Key{Stage: stage, Status: 500, Failed: true}, Count: failed, Latency: hist(t, 1_000_000, failed)})
	}
	return iv
}

func watchNames() *result.Catalog {
	return &result.Catalog{
		Steps:  []result.Step{{Name: "GET /"}},
		Stages: []result.Stage{{Name: "warmup"}, {Name: "one", Measure: true}, {Name: "two", Measure: true}},
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	type load struct {
		stage     int
		n, failed int64
		times     int
	}
	with := func(l verdict.Limit, abort bool, after, window time.Duration) verdict.Limit {
		l.Abort, l.After, l.Window = abort, after, window
		return l
	}
	for _, c := range []struct {
		name   string
		limit  verdict.Limit
		stop   string // a condition of stop_when
		load   []load
		ends   int    // the second, from 1, whose answer stops the run; 0: never
		reason string // a part of the answer
		broken string // how the limit is shown at the end; "": it held
	}{
		{"abort at once", with(limit(t, "failed < 50%"), true, 0, 0), "", []load{{1, 10, 9, 5}}, 1, "failed < 50%", "90% after 1 s"},
		{"abort not before", with(limit(t, "failed < 50%"), true, 4*time.Second, 0), "", []load{{1, 10, 9, 9}}, 4, "failed < 50%", "90% after 4 s"},
		{"warm-up does not count", with(limit(t, "failed < 50%"), true, 0, 0), "", []load{{0, 10, 9, 5}, {1, 10, 0, 5}}, 0, "", ""},
		{"abort by a window", with(limit(t, "failed < 50%"), true, 0, 3*time.Second), "", []load{{1, 1000, 0, 10}, {1, 10, 10, 5}}, 13, "failed < 50%", "100% in the 3 s up to 13 s"},
		{"a window that does not abort", with(limit(t, "latency.p95 < 500ms"), false, 0, 2*time.Second), "", []load{{1, 10, 0, 5}, {1, 10, 9, 2}, {1, 10, 0, 50}}, 0, "", "1 s in the 2 s up to 6 s"},
		{"a bad second, the window holds", with(limit(t, "failed < 50%"), false, 0, 5*time.Second), "", []load{{1, 10, 0, 5}, {1, 10, 9, 1}, {1, 10, 0, 5}}, 0, "", ""},
		{"a run shorter than the window", with(limit(t, "failed < 50%"), false, 0, time.Minute), "", []load{{1, 10, 4, 5}}, 0, "", ""},
		{"stop_when", verdict.Limit{}, "failed > 5%", []load{{1, 100, 0, 20}, {1, 100, 30, 9}}, 22, "stop_when failed > 5% (6", ""},
		{"stop_when begins anew with each stage", verdict.Limit{}, "failed > 5%", []load{{1, 100, 50, 2}, {2, 100, 1, 20}}, 0, "", ""},
		{"stop_when looks at the last ten seconds", verdict.Limit{}, "latency.p99.9 > 900ms", []load{{1, 1000, 0, 100}, {1, 10, 10, 9}}, 101, "(1 s)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var all, stops []verdict.Limit
			if c.limit.Rule != nil {
				all = []verdict.Limit{c.limit}
			}
			if c.stop != "" {
				stops = limits(t, c.stop)
			}
			names := watchNames()
			w := verdict.NewWatch(all, stops, names)
			ends, reason, at := 0, "", 0
			// A first second that went well: the target was not wrong from the start.
			run := &result.Run{Catalog: *names, Mode: "single", Series: []result.Second{{Completed: 10}}}
			for _, l := range c.load {
				for range l.times {
					if ends > 0 {
						break
					}
					at++
					iv := second(t, l.stage, l.stage > 0, l.n, l.failed)
					run.Cells = append(run.Cells, iv.Cells...)
					if l.stage > 0 {
						run.Measured += time.Second
					}
					if answer := w.Each(iv); answer != "" {
						ends, reason = at, answer
					}
				}
			}
			if ends != c.ends || !strings.Contains(reason, c.reason) {
				t.Errorf("stopped after %d s: %q; want %d s: ...%s...", ends, reason, c.ends, c.reason)
			}
			run.Stopped = reason
			v := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: all}, Watch: w})
			switch {
			case c.broken == "" && v.Outcome != verdict.Pass:
				t.Errorf("outcome %s, %+v", v.Outcome, v.Reasons)
			case c.broken != "" && (v.Outcome != verdict.Threshold || v.Limits[0].Shown != c.broken):
				t.Errorf("outcome %s, shown %q; want %q", v.Outcome, v.Limits[0].Shown, c.broken)
			}
		})
	}
}

// TestWindowEqualsWholeRun: a window as long as the run says what the run says.
func TestWindowEqualsWholeRun(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"failed < 1%", "latency.p90 < 5ms", "requests.rate < 5/s", "users.avg < 1", "requests < 3"} {
		l := limit(t, text)
		l.Window = 6 * time.Second
		names := watchNames()
		w := verdict.NewWatch([]verdict.Limit{l}, nil, names)
		run := &result.Run{Catalog: *names, Mode: "single", Measured: 6 * time.Second}
		for i := range int64(6) {
			iv := second(t, 1, true, 10+i, i)
			w.Each(iv)
			run.Cells = append(run.Cells, iv.Cells...)
			run.Series = append(run.Series, iv.Second)
		}
		windowed := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: []verdict.Limit{l}}, Watch: w}).Limits[0]
		l.Window = 0
		whole := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: []verdict.Limit{l}}}).Limits[0]
		if windowed.OK || whole.OK || windowed.Value != whole.Value {
			t.Errorf("%s: window %+v, whole %+v", text, windowed, whole)
		}
	}
}

func TestAbortedRunsAreNotCompared(t *testing.T) {
	t.Parallel()
	names := watchNames()
	l := limit(t, "failed < 50%")
	l.Abort = true
	w := verdict.NewWatch([]verdict.Limit{l}, nil, names)
	iv := second(t, 1, true, 10, 9)
	run := &result.Run{
		Catalog: *names, Mode: "single", Measured: time.Second, Stopped: w.Each(iv), Cells: iv.Cells,
		// It began well, so the target was not wrong from the start.
		Series: []result.Second{{Completed: 100}},
	}
	v := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: []verdict.Limit{l}, Compare: strictRules(t)}, Watch: w})
	if v.Outcome != verdict.Threshold || len(v.Findings) > 0 || v.Head.Unfit == "" || len(v.Warnings) != 1 {
		t.Errorf("%s, unfit %q, %+v", v.Outcome, v.Head.Unfit, v.Warnings)
	}
	// The same run read from a file, where nobody watched.
	if v := verdict.Judge(verdict.Input{Run: run}); v.Outcome != verdict.Threshold || v.Head.Unfit == "" {
		t.Errorf("%s %+v", v.Outcome, v.Reasons)
	}
	run.Stopped = result.StopWhen + "failed > 5% (90%)"
	if v := verdict.Judge(verdict.Input{Run: run}); v.Outcome != verdict.Pass || v.Head.Unfit != "" {
		t.Errorf("ended by stop_when: %s %+v", v.Outcome, v.Reasons)
	}
	run.Stopped = "on_failure of GET /"
	if v := verdict.Judge(verdict.Input{Run: run}); v.Outcome != verdict.Invalid || v.Reasons[0].Code != "stopped" {
		t.Errorf("ended by a step: %s %+v", v.Outcome, v.Reasons)
	}
}

func ExampleNewWatch() {
	l, err := rule.ParseLimit("failed < 50%", rule.Own{})
	if err != nil {
		fmt.Println(err)
		return
	}
	names := &result.Catalog{Steps: []result.Step{{Name: "GET /"}}}
	w := verdict.NewWatch([]verdict.Limit{{Rule: l, Abort: true}}, nil, names)
	stop := w.Each(&result.Interval{
		Second: result.Second{Measured: true},
		Cells:  []result.Cell{{Key: result.Key{Status: 500, Failed: true}, Count: 10}},
	})
	fmt.Println(stop)
	// Output: the limit failed < 50% was broken
}
