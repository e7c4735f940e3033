package report

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A savedRun is what another program reads in a result file: by the names of
// docs/result.md, not by our own types.
type savedRun struct {
	Total struct {
		Requests int64
		Status   map[string]int64
		Errors   map[string]int64
	}
	Steps []struct {
		Name     string
		Requests int64
		Checks   []struct {
			Name           string
			Passed, Failed int64
		}
		Phases map[string]float64 `json:"phases_us"`
	}
	Metrics map[string]struct {
		Kind                string
		Count, True         int64
		Sum, Min, Max, Last float64
		HDR                 string `json:"hdr"`
	}
	Series []struct {
		T         float64 `json:"t_s"`
		Users     int
		InFlight  int     `json:"in_flight"`
		Rate      float64 `json:"rate_asked"`
		Offered   int64
		Dropped   int64
		Completed int64
		Failed    int64
		Status    map[string]int64
		Errors    map[string]int64
		Latency   map[string]int64 `json:"latency_us"`
		Measured  bool
	}
	Rounds []struct {
		Arm    string
		Start  float64 `json:"start_s"`
		Length float64 `json:"length_s"`
	}
	Run      struct{ Mode string }
	Observed []savedMetric
}

// A savedMetric is what the file says of one of the target's own metrics.
type savedMetric struct {
	Role, Arm, Source, Unit, Fault string
	Limit                          float64
	Every                          float64 `json:"every_s"`
	Readings                       []struct {
		T     float64 `json:"t_s"`
		Value float64
	}
	Missed int
}

func saved(t *testing.T, run *result.Run) savedRun {
	t.Helper()
	var file bytes.Buffer
	if err := result.Write(&file, &result.File{Run: run}); err != nil {
		t.Fatal(err)
	}
	var doc savedRun
	if err := json.Unmarshal(file.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// table reads the body of a table as text, by row.
const tableText = `[...document.querySelectorAll(%q)].map(r => [...r.cells].map(c => c.textContent.trim()))`

func browserOtherFigures(t *testing.T, b *browser) {
	p := samplePage("errors")
	b.open(p, 1280, "light")
	doc := saved(t, p.Run)

	var rows [][]string
	b.eval(fmt.Sprintf(tableText, "#limits .columns > div:last-child tbody tr"), &rows)
	shown := map[string]string{}
	for _, r := range rows {
		shown[r[0]] = r[1] + " " + r[2]
	}
	want := map[string]string{}
	for status, n := range doc.Total.Status {
		want[status] = unit.Count(n) + " " + unit.Share(n, doc.Total.Requests)
	}
	for kind, n := range doc.Total.Errors {
		want[kind] = unit.Count(n) + " " + unit.Share(n, doc.Total.Requests)
	}
	if d := cmp.Diff(want, shown); d != "" {
		t.Errorf("answers (-file +page):\n%s", d)
	}

	b.eval(fmt.Sprintf(tableText, "#limits details tbody tr"), &rows)
	checks := 0
	for _, s := range doc.Steps {
		for _, c := range s.Checks {
			want := []string{s.Name, c.Name, unit.Count(c.Passed), unit.Count(c.Failed), unit.Share(c.Failed, c.Passed+c.Failed)}
			if checks < len(rows) {
				if d := cmp.Diff(want, rows[checks]); d != "" {
					t.Errorf("check %d (-file +page):\n%s", checks, d)
				}
			}
			checks++
		}
	}
	if checks != len(rows) || checks == 0 {
		t.Errorf("%d checks are shown, the file has %d", len(rows), checks)
	}
	figuresOfSeries(t, b, doc)
	figuresOfPhases(t, b, doc)
	figuresOfMetrics(t, b, doc)
	b.quiet("other figures")
}

// figuresOfSeries holds what the pointer reads on the charts, which is a second
// a point here, against the series.
func figuresOfSeries(t *testing.T, b *browser, doc savedRun) {
	t.Helper()
	var data struct {
		At     []string
		Charts map[string][]struct {
			N string
			V []string
		}
	}
	b.eval(`JSON.parse(document.getElementById("timedata").textContent)`, &data)
	if len(data.At) != len(doc.Series) {
		t.Fatalf("%d points for %d seconds", len(data.At), len(doc.Series))
	}
	read := func(chart, name string, i int) string {
		for _, r := range data.Charts[chart] {
			if r.N == name {
				return r.V[i]
			}
		}
		return "0/s"
	}
	for i, s := range doc.Series {
		want := map[[2]string]string{
			{"latency", "p50"}: unit.Micros(s.Latency["p50"]), {"latency", "p95"}: unit.Micros(s.Latency["p95"]), {"latency", "p99"}: unit.Micros(s.Latency["p99"]),
			{"rate", "answered"}: unit.Rate(float64(s.Completed)), {"arrivals", "asked for"}: unit.Rate(s.Rate),
			{"arrivals", "begun"}: unit.Rate(float64(s.Offered - s.Dropped)),
			{"users", "users"}:    unit.Number(float64(s.Users)), {"users", "in flight"}: unit.Number(float64(s.InFlight)),
			{"errors", "503"}: unit.Rate(float64(s.Status["503"])), {"errors", "timeout"}: unit.Rate(float64(s.Errors["timeout"])),
		}
		for at, text := range want {
			if got := read(at[0], at[1], i); got != text {
				t.Errorf("at %v s chart %s reads %s %q, the file says %q", s.T, at[0], at[1], got, text)
			}
		}
		at := unit.Duration(time.Duration(s.T * 1e9))
		if s.T == 0 {
			at = "0 s"
		}
		if data.At[i] != at {
			t.Errorf("point %d is at %s, the file says %s", i, data.At[i], at)
		}
	}
	var rows [][]string
	b.eval(fmt.Sprintf(tableText, "#time details tbody tr"), &rows)
	if per := (len(doc.Series) + len(rows) - 1) / max(len(rows), 1); len(rows) == 0 || per > 2 {
		t.Errorf("the table has %d rows for %d seconds", len(rows), len(doc.Series))
	}
}

// figuresOfPhases holds the bars against the phases that every request had.
func figuresOfPhases(t *testing.T, b *browser, doc savedRun) {
	t.Helper()
	var bars []struct {
		Name  string
		Parts map[string]string
	}
	b.eval(`[...document.querySelectorAll("table.phases tbody tr")].map(r => ({Name: r.cells[0].textContent,
		Parts: Object.fromEntries([...r.querySelectorAll(".stack i")].map(i => [i.className, i.title.split(" ").slice(-2).join(" ")]))}))`, &bars)
	if len(bars) != len(doc.Steps) {
		t.Fatalf("%d bars for %d steps", len(bars), len(doc.Steps))
	}
	for i, s := range doc.Steps[1:] { // of the first, some requests had no complete answer
		for _, phase := range []string{"ttfb", "body"} {
			if got, want := bars[i+1].Parts[phase], unit.Micros(s.Phases[phase]); got != want {
				t.Errorf("%s: %s is drawn as %q, the file says %q", s.Name, phase, got, want)
			}
		}
	}
}

func figuresOfMetrics(t *testing.T, b *browser, doc savedRun) {
	t.Helper()
	var shown map[string]map[string]string
	b.eval(`Object.fromEntries([...document.querySelectorAll("#metrics tbody tr")].map(r => [r.dataset.metric,
		Object.fromEntries([...r.querySelectorAll("[data-key]")].map(c => [c.dataset.key, c.textContent]))]))`, &shown)
	if len(shown) != len(doc.Metrics) || len(shown) < 5 {
		t.Fatalf("%d metrics are shown, the file has %d", len(shown), len(doc.Metrics))
	}
	for name, m := range doc.Metrics {
		want := map[string]string{"samples": unit.Count(m.Count), "value": "–", "min": "–", "p95": "–", "p99": "–", "max": "–"}
		if m.Count > 0 && (m.Kind == "gauge" || m.Kind == "trend") {
			want["min"], want["max"] = unit.Number(m.Min), unit.Number(m.Max)
		}
		switch {
		case m.Count == 0:
		case m.Kind == "rate":
			want["value"] = unit.Share(m.True, m.Count)
		case m.Kind == "counter":
			want["value"] = unit.Number(m.Sum)
		case m.Kind == "gauge":
			want["value"] = unit.Number(m.Last)
		case m.Kind == "trend":
			h := decoded(t, m.HDR)
			for key, q := range map[string]float64{"value": 50, "p95": 95, "p99": 99} {
				want[key] = unit.Number(float64(h.ValueAtQuantile(q)) / 1000)
			}
		}
		if d := cmp.Diff(want, shown[name]); d != "" {
			t.Errorf("metric %s (-file +page):\n%s", name, d)
		}
	}
}

// decoded reads a payload as other tools would.
func decoded(t *testing.T, payload string) *hdr.Histogram {
	t.Helper()
	if _, err := base64.StdEncoding.DecodeString(payload); err != nil {
		t.Fatal(err)
	}
	h, err := hdr.Decode([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	if math.IsNaN(h.Mean()) {
		t.Fatal("an empty histogram")
	}
	return h
}
