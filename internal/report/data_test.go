package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

func csvOf(t *testing.T, run *result.Run) [][]string {
	t.Helper()
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll() // holds every row to the header's length
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What the rows add up to must be what the series holds.
func TestCSVHoldsTheSeries(t *testing.T) {
	t.Parallel()
	run := samplePage("regression").Run
	rows := csvOf(t, run)
	if len(rows) != len(run.Series)+1 {
		t.Fatalf("%d rows of %d seconds", len(rows)-1, len(run.Series))
	}
	sums := map[string]int64{}
	for _, row := range rows[1:] {
		for i, name := range rows[0] {
			if n, err := strconv.ParseInt(row[i], 10, 64); err == nil {
				sums[name] += n
			}
		}
	}
	want := map[string]int64{}
	for _, s := range run.Series {
		want["completed"] += s.Completed
		want["failed"] += s.Failed
		want["p99_us"] += s.P99
		for status, n := range s.Status {
			want["status_"+strconv.Itoa(status)] += n
		}
	}
	for name, n := range want {
		if sums[name] != n {
			t.Errorf("column %s adds up to %d, the series to %d", name, sums[name], n)
		}
	}
}

func TestCSVGolden(t *testing.T) {
	t.Parallel()
	run := &result.Run{
		Catalog: result.Catalog{Stages: []result.Stage{{Name: "warm-up"}, {Name: "=cmd|' /C calc'!A1", Track: "a, \"b\"\n", Measure: true}}},
		Series: []result.Second{
			{Users: 3, Rate: 12.5, Offered: 12, Completed: 12, P50: 1200, P95: 2400, P99: 3600, Status: map[int]int64{200: 12}, Health: result.Health{CPU: 0.123456, Steal: 0.01, FDs: 14}},
			{At: time.Second, Stage: 1, Measured: true, Completed: 3, Failed: 3, Errors: map[string]int64{"timeout": 2, "-evil": 1}, Health: result.Health{Steal: -1, FDs: -1, LagP99: 1500 * time.Microsecond}},
			{At: 2 * time.Second, Stage: 9},
		},
		Observed: []result.Observed{
			{Role: "cpu", Arm: "base", Unit: unit.BaseShare, Readings: []result.Reading{{At: -1, Value: 0.1}, {At: 0, Value: 0.25}, {At: time.Second - 1, Value: 0.5}, {At: 2 * time.Second, Value: 1e-300}}},
			{Role: "memory", Unit: unit.BaseBytes, Readings: []result.Reading{{At: time.Second, Value: 1073741824}, {At: 3 * time.Second, Value: 7}}},
			{Role: "a,\n\"=1+1", Unit: unit.BaseSeconds, Readings: []result.Reading{{At: 1500 * time.Millisecond, Value: -math.MaxFloat64}}},
			{Role: "never", Missed: 3},
		},
	}
	var b bytes.Buffer
	if err := CSV(&b, run); err != nil {
		t.Fatal(err)
	}
	golden(t, "data/series.csv", b.Bytes())
}

func TestCSVOfAnHour(t *testing.T) {
	t.Parallel()
	run := &result.Run{}
	for i := range 3600 {
		run.Series = append(run.Series, result.Second{At: time.Duration(i) * time.Second, Completed: 5000, Status: map[int]int64{200: 5000}})
	}
	if rows := csvOf(t, run); len(rows) != 3601 || rows[3600][0] != "3599" {
		t.Errorf("%d rows, the last of second %s", len(rows), rows[len(rows)-1][0])
	}
}

func openMetrics(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.OpenMetrics(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A row has the last reading until the next begins, also where the other side of a
// paired run had the load between them.
func TestCSVOfLongRows(t *testing.T) {
	t.Parallel()
	run := &result.Run{
		Series: []result.Second{{At: 0, Length: 10 * time.Second}, {At: 10 * time.Second, Length: 10 * time.Second}, {At: 40 * time.Second, Length: 10 * time.Second}},
		Observed: []result.Observed{{Role: "cpu", Readings: []result.Reading{
			{At: 4 * time.Second, Value: 0.125}, {At: 9 * time.Second, Value: 0.0000125}, {At: 25 * time.Second, Value: 3}, {At: 50 * time.Second, Value: 4},
		}}},
	}
	var got []string
	for _, row := range csvOf(t, run) {
		got = append(got, row[len(row)-1])
	}
	if diff := cmp.Diff([]string{"target_cpu", "0.0000125", "3", ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Prometheus' own parser must take all that is written, whatever the names are.
func TestOpenMetricsIsParsedByPrometheus(t *testing.T) {
	t.Parallel()
	pages := map[string]*Page{"hostile": hostilePage()}
	for _, name := range outcomes {
		pages[name] = samplePage(name)
	}
	for told := range observed {
		pages["target "+told] = observedPage("pass", told)
	}
	for name, p := range pages {
		text := openMetrics(t, p)
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		if got := families["loadline_verdict"]; len(got.GetMetric()) != len(outcomesInOrder) {
			t.Errorf("%s: %d outcomes", name, len(got.GetMetric()))
		}
		if p.Run == nil || p.total.Latency.Count == 0 {
			continue
		}
		summary := families["loadline_latency_seconds"].GetMetric()[0].GetSummary()
		if int64(summary.GetSampleCount()) != p.total.Latency.Count {
			t.Errorf("%s: %d samples, want %d", name, summary.GetSampleCount(), p.total.Latency.Count)
		}
		for _, q := range summary.GetQuantile() {
			if q.GetQuantile() == 0.95 && q.GetValue() != float64(p.total.Latency.P95)/1e6 {
				t.Errorf("%s: p95 is %g s, want %d µs", name, q.GetValue(), p.total.Latency.P95)
			}
		}
	}
}

// What the OpenMetrics specification asks beyond what Prometheus' text parser
// minds: families in one piece, each sample once, units as suffixes, counters that
// end in _total, and an end.
func TestOpenMetricsKeepsTheRules(t *testing.T) {
	t.Parallel()
	for _, p := range []*Page{samplePage("regression"), samplePage("threshold"), hostilePage(), observedPage("pass", "many"), observedPage("pass", "hostile"), pairedObserved()} {
		text := openMetrics(t, p)
		if !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "\n# EOF\n") != 1 {
			t.Error("the end is missing, or not at the end")
		}
		kind, family := map[string]string{}, ""
		samples := map[string]bool{}
		for line := range strings.Lines(strings.TrimSuffix(text, "# EOF\n")) {
			fields := strings.Fields(line)
			if fields[0] == "#" {
				switch fields[1] {
				case "TYPE":
					if family = fields[2]; kind[family] != "" {
						t.Errorf("family %s comes twice", family)
					}
					kind[family] = fields[3]
				case "UNIT":
					if !strings.HasSuffix(fields[2], "_"+fields[3]) {
						t.Errorf("unit %s is no suffix of %s", fields[3], fields[2])
					}
				}
				continue
			}
			name, _, _ := strings.Cut(fields[0], "{")
			suffixes := map[string][]string{"counter": {"_total"}, "summary": {"", "_count", "_sum"}, "gauge": {""}}
			fits := false
			for _, s := range suffixes[kind[family]] {
				fits = fits || name == family+s
			}
			if !fits {
				t.Errorf("sample %s within the %s %s", name, kind[family], family)
			}
			key := line[:strings.LastIndex(line, " ")]
			if samples[key] {
				t.Errorf("sample %s comes twice", key)
			}
			samples[key] = true
		}
	}
}

// A share that was written in percent and read back came out with another last bit:
// then the file of a run and the one of its saved result differed.
func TestOpenMetricsOfASavedShare(t *testing.T) {
	t.Parallel()
	p := *samplePage("regression")
	run := *p.Run
	write := func(share float64) string {
		run.Generator.CPU, run.Generator.Steal = share, share
		return openMetrics(t, New(p.Verdict, &run, p.Context, nil))
	}
	const share = 0.0028092380325518626
	if write(share) != write(math.Nextafter(share, 1)) {
		t.Error("the last bit of a share shows")
	}
}

func TestOpenMetricsGolden(t *testing.T) {
	t.Parallel()
	golden(t, "data/regression.prom", []byte(openMetrics(t, samplePage("regression"))))
}

func TestOpenMetricsOfTheTarget(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, p := range []*Page{observedPage("pass", "few"), observedPage("pass", "silent"), pairedObserved()} {
		for line := range strings.Lines(openMetrics(t, p)) {
			if strings.Contains(line, "loadline_target") {
				got.WriteString(line)
			}
		}
		got.WriteByte('\n')
	}
	golden(t, "data/target.prom", []byte(got.String()))
}

// hostilePage has names that are made to break out.
func hostilePage() *Page {
	p := *samplePage("regression")
	run := *p.Run
	run.Spec = "a\"} 1\nloadline_evil 1\n# EOF\n"
	run.Catalog.Steps = append([]result.Step(nil), run.Catalog.Steps...)
	for i := range run.Catalog.Steps {
		run.Catalog.Steps[i].Name = strings.Repeat("x", 500)
		run.Catalog.Steps[i].Scenario = "s\\\"\n,{}\xff"
	}
	run.Observed = append(slices.Clone(observed["hostile"]), observed["hostile"]...) // each name twice
	return New(p.Verdict, &run, p.Context, nil)
}

func TestHLogIsReadByHdrHistogram(t *testing.T) {
	t.Parallel()
	run := roundsRun()
	var b bytes.Buffer
	if err := HLog(&b, run); err != nil {
		t.Fatal(err)
	}
	reader := hdr.NewHistogramLogReader(&b)
	got := map[string]int64{}
	var lines int
	for {
		h, err := reader.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		lines++
		got[h.Tag()] += h.TotalCount()
		if begin := run.Started.UnixMilli(); h.StartTimeMs() < begin || h.EndTimeMs()-h.StartTimeMs() != 5000 {
			t.Errorf("an interval goes from %d to %d ms; the run began at %d and has rounds of 5 s", h.StartTimeMs(), h.EndTimeMs(), begin)
		}
	}
	want := map[string]int64{"base:GET_/a": 100, "head:GET_/a": 100, "base:other/GET__/b": 200, "head:other/GET__/b": 200, "base:shop/GET__/b": 300, "head:shop/GET__/b": 300}
	if lines != 6 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d lines with counts %v, want %v", lines, got, want)
	}
}

// roundsRun has two rounds of three steps, two of which share a name with a comma.
func roundsRun() *result.Run {
	run := &result.Run{Started: time.UnixMilli(1_700_000_000_500).UTC(), Catalog: result.Catalog{Steps: []result.Step{
		{Scenario: "shop", Name: "GET /a"}, {Scenario: "other", Name: "GET, /b"}, {Scenario: "shop", Name: "GET, /b"},
	}}}
	for i, arm := range []string{"base", "head"} {
		round := result.Round{Arm: arm, Start: time.Duration(i) * 5 * time.Second, Length: 5 * time.Second}
		for step := range 3 {
			h := result.NewHistogram()
			must(h.RecordValues(int64(1000*(step+1)), int64(100*(step+1))))
			payload, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
			must(err)
			round.Steps = append(round.Steps, result.RoundStep{Step: step, Latency: payload})
		}
		round.Steps = append(round.Steps, result.RoundStep{Step: 0, Requests: 3, Failed: 3}) // no answer, no line
		run.Rounds = append(run.Rounds, round)
	}
	return run
}
