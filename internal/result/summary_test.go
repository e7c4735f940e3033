package result

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
)

// measured makes a run of steps with log-normal latency: rounds of a second with
// per requests of each step.
func measured(t testing.TB, steps, rounds, per int) *Run {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	r := &Run{
		Tool: "v1", Spec: "api", File: "load.toml", Profile: "ci", Fingerprint: "abc",
		Parts: map[string]string{"load": "1", "scenario": "2"}, Commit: "0123456789", Mode: "single",
		Started:  time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
		Measured: time.Duration(rounds) * time.Second,
		Environment: Environment{
			OS: "linux", Arch: "amd64", CPU: "Xeon", Cores: 2, Label: "staging",
		},
		Catalog: Catalog{Scenarios: []string{"shop"}, Stages: []Stage{{Name: "stage-1", Measure: true}}},
	}
	for s := range steps {
		r.Catalog.Steps = append(r.Catalog.Steps, Step{Scenario: "shop", Name: fmt.Sprintf("GET /%d", s), Line: 10 + s})
		r.Cells = append(r.Cells, Cell{Key: Key{Step: s, Status: 200}, Count: int64(rounds * per)})
	}
	for i := range rounds {
		round := Round{Index: i, Length: time.Second, Offered: int64(per)}
		for s := range steps {
			h := NewHistogram()
			for range per {
				record(t, h, 10_000*float64(s+1)*math.Exp(0.5*rng.NormFloat64()))
			}
			round.Steps = append(round.Steps, roundStep(t, s, h))
		}
		r.Rounds = append(r.Rounds, round)
	}
	return r
}

func record(t testing.TB, h *hdr.Histogram, micros float64) {
	t.Helper()
	if err := h.RecordValue(int64(micros)); err != nil {
		t.Fatal(err)
	}
}

func roundStep(t testing.TB, step int, h *hdr.Histogram) RoundStep {
	t.Helper()
	b, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		t.Fatal(err)
	}
	n := h.TotalCount()
	return RoundStep{Step: step, Requests: n, Status: map[int]int64{200: n}, Latency: b}
}

func summarize(t testing.TB, r *Run) *Summary {
	t.Helper()
	s, err := Summarize(r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSummarize(t *testing.T) {
	t.Parallel()
	s := summarize(t, measured(t, 2, 20, 200))
	if s.Unfit != "" {
		t.Errorf("unfit: %s", s.Unfit)
	}
	var keys []string
	for i := range s.Rows {
		k := s.Rows[i].Key()
		keys = append(keys, fmt.Sprintf("%s/%s/%s", k.Scope, k.Scenario, k.Step))
	}
	want := []string{"total//", "scenario/shop/", "step/shop/GET /0", "step/shop/GET /1"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Fatal(diff)
	}
	row := s.Rows[3]
	for _, c := range []struct{ q, z float64 }{{0.5, 0}, {0.9, 1.2816}, {0.95, 1.6449}, {0.99, 2.3263}} {
		got, ok := row.Quantile(c.q)
		truth := math.Log(20_000) + 0.5*c.z
		if !ok || got.K != 20 || math.Abs(got.Y-truth) > 4*got.SE+0.002 || got.SE <= 0 || got.SE > 0.06 {
			t.Errorf("p%g = %+v, true ln is %.4f", 100*c.q, got, truth)
		}
		if math.Abs(math.Log(float64(got.Micros))-truth) > 0.08 {
			t.Errorf("p%g of the whole run is %d µs, truth is %.0f", 100*c.q, got.Micros, math.Exp(truth))
		}
	}
	if got := math.Exp(row.Rate.Y); math.Abs(got-200) > 0.5 {
		t.Errorf("rate = %g requests/s, want 200", got)
	}
	if total := s.Rows[0]; total.Requests != 8000 || total.Rounds != 20 || total.Status[200] != 8000 {
		t.Errorf("total = %+v", total)
	}
}

// TestSummarizeShort: a run of ten seconds has twelve rounds of 0.8 s. It is
// read as far as its requests go.
func TestSummarizeShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounds, per int
		want        map[float64]int // chunks by quantile; 0: not readable
	}{
		{12, 200, map[float64]int{0.5: 12, 0.95: 12, 0.99: 12}},
		{12, 20, map[float64]int{0.5: 12, 0.95: 6, 0.99: 2}}, // 240 requests
		{12, 4, map[float64]int{0.5: 12, 0.95: 2, 0.99: 0}},  // 48 requests
		{1, 30, map[float64]int{0.5: 1, 0.95: 0, 0.99: 0}},
		{3, 1, map[float64]int{0.5: 0, 0.95: 0, 0.99: 0}},
		{0, 0, map[float64]int{0.5: 0, 0.95: 0, 0.99: 0}},
	} {
		s := summarize(t, measured(t, 1, c.rounds, c.per))
		for q, k := range c.want {
			got, ok := s.Rows[1].Quantile(q)
			if ok != (k > 0) || got.K != k {
				t.Errorf("%d rounds of %d, p%g: %+v, %v; want %d chunks", c.rounds, c.per, 100*q, got, ok, k)
			}
			if ok && (!(got.SE > 0) || got.SE > 1) {
				t.Errorf("%d rounds of %d, p%g: standard error %g", c.rounds, c.per, 100*q, got.SE)
			}
		}
	}
}

// TestSummarizeSmallChunksAreUnbiased: the same latency read from small and from
// large rounds gives the same location.
func TestSummarizeSmallChunksAreUnbiased(t *testing.T) {
	t.Parallel()
	large, small := summarize(t, measured(t, 1, 12, 1000)), summarize(t, measured(t, 1, 300, 40))
	for _, q := range []float64{0.5, 0.95} {
		a, _ := large.Rows[1].Quantile(q)
		b, _ := small.Rows[1].Quantile(q)
		if d := math.Abs(a.Y - b.Y); d > 4*math.Hypot(a.SE, b.SE)+0.005 {
			t.Errorf("p%g: %.4f in rounds of 1000, %.4f in rounds of 40", 100*q, a.Y, b.Y)
		}
	}
}

func TestSummarizeEdges(t *testing.T) {
	t.Parallel()
	if _, err := Summarize(nil); err == nil {
		t.Error("no run, no error")
	}

	r := measured(t, 1, 12, 100)
	r.Rounds[3].Excluded = "the generator was late"
	r.Rounds[4].Steps = nil // a round without a request
	r.Rounds[5].Steps[0] = RoundStep{Requests: 10, Failed: 10, Status: map[int]int64{500: 10}}
	s := summarize(t, r)
	if row := s.Rows[1]; row.Requests != 910+100-100 || row.Rounds != 10 || row.BadRounds != 1 || row.Failed != 10 || row.Status[500] != 10 {
		t.Errorf("row = %+v", row)
	}

	r.Rounds[6].Steps[0].Latency = []byte("HISTFAAA")
	if _, err := Summarize(r); err == nil || !strings.Contains(err.Error(), "round 6") {
		t.Errorf("a damaged histogram: %v", err)
	}

	all := measured(t, 1, 12, 50)
	for i := range all.Rounds {
		h := NewHistogram()
		for range 50 {
			record(t, h, MaxMicros)
		}
		all.Rounds[i].Steps[0] = roundStep(t, 0, h)
	}
	got, ok := summarize(t, all).Rows[1].Quantile(0.95)
	if !ok || got.SE != 0 || math.Abs(got.Y-math.Log(MaxMicros)) > 0.001 {
		t.Errorf("every request at the ceiling: %+v, %v", got, ok)
	}
}

func TestSummarizeArms(t *testing.T) {
	t.Parallel()
	r := measured(t, 1, 24, 100)
	r.Mode = "paired"
	for i := range r.Rounds {
		r.Rounds[i].Arm = []string{"base", "head"}[i%2]
	}
	r.Rounds[0].Steps[0].Requests += 7
	base, err := SummarizeArm(r, "base")
	if err != nil {
		t.Fatal(err)
	}
	if head := summarize(t, r); base.Rows[1].Requests != 1207 || head.Rows[1].Requests != 1200 {
		t.Errorf("base %d, head %d requests", base.Rows[1].Requests, head.Rows[1].Requests)
	}
}

func TestSummaryFile(t *testing.T) {
	t.Parallel()
	s := summarize(t, measured(t, 3, 12, 100))
	s.Attempt = "8412.1"
	s.Rows[2].Restart, s.Rows[3].Control, s.Rows[2].Accepted = true, true, "every order is signed"
	var b bytes.Buffer
	if err := s.Encode(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSummary("x.json", bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
}

func TestSummaryFileIsSmall(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := summarize(t, measured(t, 100, 12, 100)).Encode(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 50_000 {
		t.Errorf("100 steps take %d bytes, want at most 50,000", b.Len())
	}
}

func TestReadSummaryRefuses(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := summarize(t, measured(t, 2, 12, 100)).Encode(&b); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "empty"},
		{"truncated", good[:len(good)/2], "cut off"},
		{"not JSON", "<html>", "not JSON"},
		{"a result", `{"schema":"loadline/result/1"}`, "not a file of this kind"},
		{"newer", strings.Replace(good, "loadline/baseline/1", "loadline/baseline/7", 1), "newer loadline"},
		{"wrong type", strings.Replace(good, `"requests":`, `"requests":"x","was":`, 1), "damaged"},
		{"no fingerprint", strings.Replace(good, `"abc"`, `""`, 1), "fingerprint"},
		{"more failed than there were", strings.Replace(good, `"failed":0`, `"failed":5`, 1), "cannot be"},
		{"more rounds than any run has", strings.Replace(good, `"rounds":12`, `"rounds":1073741824`, 1), "cannot be"},
		{"a wild location", strings.Replace(good, `{"y":9.`, `{"y":9e9,"was":9.`, 1), "out of range"},
		{"an unknown scope", strings.Replace(good, `"scope":"total"`, `"scope":"world"`, 1), "scope"},
		{"the same row twice", strings.Replace(good, `"GET /1"`, `"GET /0"`, 1), "second row"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadSummary("v1/a/b.json", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "v1/a/b.json") {
				t.Errorf("got %v; want the file's name and %q", err, c.want)
			}
		})
	}
	if _, err := ReadSummary("x", failing{}); !errors.Is(err, errBroken) {
		t.Errorf("a reader that fails: %v", err)
	}
}

var errBroken = errors.New("broken pipe")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

// FuzzReadSummary: whatever a file holds, reading it never panics, and what it
// reads it can write and read again.
func FuzzReadSummary(f *testing.F) {
	var b bytes.Buffer
	if err := summarize(f, measured(f, 1, 12, 50)).Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schema":"loadline/baseline/1","fingerprint":"f","started":"2026-01-01T00:00:00Z","rows":[{"scope":"step"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ReadSummary("f", bytes.NewReader(data))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := s.Encode(&out); err != nil {
			t.Fatalf("read, but cannot be written: %v", err)
		}
		again, err := ReadSummary("f", &out)
		if err != nil {
			t.Fatalf("written, but cannot be read: %v", err)
		}
		if len(again.Rows) != len(s.Rows) {
			t.Fatalf("%d rows became %d", len(s.Rows), len(again.Rows))
		}
	})
}
