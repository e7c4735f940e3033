package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func histogram(values ...int64) *hdr.Histogram {
	h := NewHistogram()
	for _, v := range values {
		if err := h.RecordValue(v); err != nil {
			panic(err)
		}
	}
	return h
}

func phase(values ...int64) *hdr.Histogram {
	h := hdr.New(MinMicros, MaxMicros, PhaseDigits)
	for _, v := range values {
		if err := h.RecordValue(v); err != nil {
			panic(err)
		}
	}
	return h
}

func roundPayload(t testing.TB, values ...int64) []byte {
	t.Helper()
	p, err := pack(histogram(values...))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(p)
}

// fullRun has every field set, so that a field forgotten in the file form shows
// as a difference.
func fullRun(t testing.TB) *Run {
	return &Run{
		Tool: "1.2.3", Spec: "orders", File: "perf/api.toml", Profile: "smoke", Fingerprint: "abc",
		Parts: map[string]string{"load": "1"}, Commit: "8a1e38d", Target: "http://127.0.0.1:8080/v1", Seed: 7,
		Started:  time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Duration: 25 * time.Second, Measured: 20 * time.Second, Mode: "single", Open: true,
		Environment: Environment{OS: "linux", Arch: "amd64", CPU: "Example 3000", Cores: 2, Label: "staging", Image: "i", Kernel: "6"},
		Generator: Generator{
			CPU: 0.25, CPUMax: 0.5, LagP50: 20 * time.Microsecond, LagP99: 90 * time.Microsecond, LagMax: time.Millisecond,
			Steal: -1, GCPauseMax: 80 * time.Microsecond, NoPorts: 1, BusySeconds: 2, LateSeconds: 3, Seconds: 20,
		},
		Stopped: "a limit was broken", Interrupted: true, NotReady: "no",
		Shard: Shard{Index: 2, Of: 3, Limits: []ShardLimit{{
			Limit: "errors < 1% over 30s", Warn: true, Line: 9, After: time.Second, Window: 30 * time.Second,
			Broken: true, At: 40 * time.Second, Value: 0.5,
		}}},
		Changes: []Change{{At: 1500 * time.Millisecond, Open: true, Level: 12.5}, {At: 2 * time.Second, Track: "browse", Level: 30}},
		Catalog: Catalog{
			Scenarios: []string{"browse"},
			Steps: []Step{
				{Scenario: "browse", Name: "GET /orders", Method: "GET", Line: 12, Tags: map[string]string{"team": "a"}},
				{Name: "POST /login", Method: "POST", Role: RoleOnStart, Control: true, Line: 9},
			},
			Stages:  []Stage{{Name: "warmup"}, {Name: "hold", Track: "browse", Measure: true}},
			Checks:  []Check{{Step: 0, Name: "is small"}},
			Metrics: []Metric{{Name: "basket", Kind: "trend"}},
		},
		Cells: []Cell{
			{Key: Key{Step: 0, Stage: 0, Status: 200, Proto: "1.1"}, Count: 5, In: 50, Out: 10, Latency: histogram(9, 9, 9, 9, 9), Service: histogram(8, 8, 8, 8, 8)},
			{Key: Key{Step: 0, Stage: 1, Status: 200, Proto: "1.1"}, Count: 3, In: 30, Out: 6, Latency: histogram(100, 200, 300), Service: histogram(90, 190, 290)},
			{Key: Key{Step: 0, Stage: 1, Status: 503, Proto: "2", Failed: true, Checks: true}, Count: 1, In: 9, Out: 2, Latency: histogram(50), Service: histogram(50)},
			{Key: Key{Step: 1, Stage: 1, Error: "refused", Failed: true}, Count: 2},
		},
		Phases:    []Phases{{DNS: phase(5), Connect: phase(50), TLS: phase(500), TTFB: phase(80, 90), Body: phase(3), Queue: phase(2)}, {}},
		Tallies:   []Tally{{Check: 0, Stage: 0, Passed: 5}, {Check: 0, Stage: 1, Passed: 3, Failed: 1}},
		Values:    []Value{{Metric: 0, Count: 2, True: 1, Sum: 3, Min: 1, Max: 2, Last: 2, Hist: histogram(1000, 2000)}},
		Flows:     []Flow{{Scenario: 0, Stage: 1, Offered: 8, Started: 6, Completed: 5, Cut: 1, Dropped: 2}},
		Iteration: histogram(400),
		Series: []Second{{
			At: time.Second, Length: 700 * time.Millisecond, Rest: true, Stage: 1, Measured: true, Users: 3, InFlight: 1, Rate: 10, Offered: 10, Dropped: 1,
			Completed: 9, Failed: 1, Status: map[int]int64{200: 8}, Errors: map[string]int64{"refused": 1}, P50: 100, P95: 200, P99: 300,
			Health: Health{CPU: 0.5, LagP50: time.Microsecond, LagP99: time.Millisecond, Steal: 0.25, GCPause: time.Microsecond, FDs: 9, NoPorts: 1},
		}},
		Rounds: []Round{{
			Index: 1, Arm: "head", Block: 2, Start: time.Second, Length: 5 * time.Second, Offered: 4, Dropped: 1,
			Health: Health{Steal: -1}, Excluded: "late",
			Steps: []RoundStep{{Step: 0, Requests: 4, Failed: 1, Errored: 2, Status: map[int]int64{200: 3, 503: 1}, Errors: map[string]int64{}, Latency: roundPayload(t, 100, 200, 300)}, {Step: 1, Requests: 1, Status: map[int]int64{200: 1}}},
		}},
		Observed: []Observed{{
			Role: "cpu", Arm: "head", Source: "scrape http://127.0.0.1:9100/metrics: rate(process_cpu_seconds_total)", Unit: unit.BaseSeconds, Limit: 4, Every: 5 * time.Second,
			Readings: []Reading{{At: -100 * time.Millisecond, Value: 0.5}, {At: 5 * time.Second, Value: 3.25}}, Missed: 2, Fault: "status 503",
		}},
	}
}

var same = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.Comparer(func(a, b *hdr.Histogram) bool {
		if a == nil || b == nil {
			return a == b
		}
		return a.Equals(b)
	}),
}

func write(t testing.TB, r *Run) []byte {
	t.Helper()
	var buf bytes.Buffer
	f := &File{Run: r, Verdict: json.RawMessage(`{"outcome":"pass"}`), Thresholds: json.RawMessage(`[{"limit":"failed < 1%"}]`)}
	if err := Write(&buf, f); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestFileKeepsEverything(t *testing.T) {
	t.Parallel()
	want := fullRun(t)
	f, err := Read(bytes.NewReader(write(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Run, want, same); diff != "" {
		t.Errorf("run read back differs (-got +want):\n%s", diff)
	}
	var verdict map[string]string
	if err := json.Unmarshal(f.Verdict, &verdict); err != nil || verdict["outcome"] != "pass" {
		t.Errorf("verdict = %s, %v", f.Verdict, err)
	}
}

// TestFileShape holds the names that CONTRACT promises to scripts.
func TestFileShape(t *testing.T) {
	t.Parallel()
	var doc map[string]any
	if err := json.Unmarshal(write(t, fullRun(t)), &doc); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"schema", "verdict.outcome", "thresholds",
		"run.spec", "run.fingerprint", "run.seed", "run.started", "run.duration_s", "run.mode", "run.environment",
		"run.generator.cpu_percent", "run.generator.lag_us.p50", "run.generator.lag_us.p99", "run.generator.dropped",
		"total.requests", "total.failed", "total.dropped", "total.rate_per_s", "total.status.200", "total.bytes_in", "total.bytes_out",
		"total.latency_us.p50", "total.latency_us.p90", "total.latency_us.p95", "total.latency_us.p99", "total.latency_us.p999",
		"total.latency_us.max", "total.latency_us.mean", "total.service_us.p50",
		"steps.0.scenario", "steps.0.name", "steps.0.requests", "steps.0.latency_us.p50", "steps.0.phases_us.dns",
		"steps.0.phases_us.connect", "steps.0.phases_us.tls", "steps.0.phases_us.ttfb", "steps.0.phases_us.body",
		"steps.0.checks.0.name", "steps.0.checks.0.passed", "steps.0.checks.0.failed", "metrics.basket",
		"series.0.t_s", "series.0.users", "series.0.offered", "series.0.completed", "series.0.failed", "series.0.status",
		"series.0.latency_us.p50", "series.0.latency_us.p95", "series.0.latency_us.p99", "series.0.lag",
		"rounds.0.arm", "rounds.0.steps.0.requests", "rounds.0.steps.0.latency_hdr",
	} {
		if at(doc, strings.Split(path, ".")) == nil {
			t.Errorf("the file has no %s", path)
		}
	}
}

// TestFileFitsTheSchema holds docs/result.schema.json, which allows no field
// that it does not describe.
func TestFileFitsTheSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	empty := &Run{Mode: "single", Started: time.Unix(0, 0)}
	for name, r := range map[string]*Run{"full": fullRun(t), "empty": empty} {
		var buf bytes.Buffer
		if err := Write(&buf, &File{Run: r}); err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"schema":"loadline/result/1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if schema.Validate(bad) == nil {
		t.Error("the schema accepts a file with nothing in it")
	}
}

func at(v any, path []string) any {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			if p != "0" || len(x) == 0 {
				return nil
			}
			v = x[0]
		default:
			return nil
		}
	}
	return v
}

func TestTotalLeavesOutUnmeasuredStages(t *testing.T) {
	t.Parallel()
	got := fullRun(t).Total()
	if got.Requests != 6 || got.Failed != 3 || got.Dropped != 2 || got.Latency.Max != 300 || got.Latency.Count != 4 {
		t.Errorf("total = %+v", got)
	}
	if got.PerSecond != 0.3 {
		t.Errorf("rate = %v a second, want 6 requests in 20 s", got.PerSecond)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	whole := string(write(t, fullRun(t)))
	tests := []struct{ name, text, want string }{
		{"empty", " \n", "empty: the run that wrote it was cut off"},
		{"truncated", whole[:len(whole)/2], "cut off after"},
		{"not JSON", "<html>", "not JSON (byte 1"},
		{"a list", "[]", "not a loadline/result/N file"},
		{"newer", strings.Replace(whole, Schema, "loadline/result/2", 1), "update loadline"},
		{"other kind", strings.Replace(whole, Schema, "loadline/baseline/1", 1), `schema is "loadline/baseline/1"`},
		{"wrong type", strings.Replace(whole, `"seed": 7`, `"seed": "x"`, 1), "damaged"},
		{"cell out of range", strings.Replace(whole, "\"cells\": [\n  {\n   \"step\": 0", "\"cells\": [\n  {\n   \"step\": 9", 1), "cells[0]: step 9"},
		{"bad histogram", strings.Replace(whole, `"latency_hdr": "HIST`, `"latency_hdr": "XXXX`, 1), "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %q", err, tt.want)
			}
		})
	}
	_, err := Read(strings.NewReader(strings.Replace(whole, Schema, "loadline/result/9", 1)))
	if !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file gives %v, want ErrNewer", err)
	}
}

func TestWriteHidesNonFiniteNumbers(t *testing.T) {
	t.Parallel()
	r := fullRun(t)
	r.Values[0].Sum, r.Series[0].Rate, r.Generator.CPU = math.NaN(), math.Inf(1), math.NaN()
	if _, err := Read(bytes.NewReader(write(t, r))); err != nil {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, fullRun(f)))
	f.Add([]byte(`{"schema":"loadline/result/1"}`))
	f.Add([]byte(`{"schema":"loadline/result/1","cells":[{"latency_hdr":"HISTFAAAACJ42pNpmSzMwMDAxQABTBDKT4GBgdnNYMcCBvsPEBEWAFHsAhM="}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		// What was read can be written and read again, alike.
		var buf bytes.Buffer
		if err := Write(&buf, file); err != nil {
			t.Fatalf("writing what was read: %v", err)
		}
		again, err := Read(&buf)
		if err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
		if again.Run.Total().Requests != file.Run.Total().Requests {
			t.Errorf("requests changed from %d to %d", file.Run.Total().Requests, again.Run.Total().Requests)
		}
	})
}
