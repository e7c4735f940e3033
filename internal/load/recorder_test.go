package load

import (
	"sync/atomic"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// testShape has two steps, checks and metrics and two stages, of which the
// second is measured.
func testShape() shape {
	return shape{
		scenarios: 1, steps: 2, checks: 2, metrics: 2,
		trend: []bool{false, true}, measured: []bool{false, true},
	}
}

func testRecorder() (*Recorder, *ledger) {
	l := newLedger(testShape(), 1)
	return &Recorder{buffer: l.buffers[0], cut: new(atomic.Bool)}, l
}

// kept is what the books of a ledger come to.
func kept(l *ledger) result.Run {
	var r result.Run
	l.read().export(&r)
	return r
}

func TestRequest(t *testing.T) {
	t.Parallel()
	start := time.Now()
	times := wire.Times{
		Start: start, DNS: time.Millisecond, Connect: 2 * time.Millisecond, TLS: 3 * time.Millisecond,
		Sent: 6 * time.Millisecond, FirstByte: 10 * time.Millisecond, Done: 11 * time.Millisecond,
	}
	due := start.Add(-20 * time.Millisecond)
	tests := []struct {
		name             string
		sample           Sample
		key              result.Key
		latency, service int64 // µs; -1: none
	}{
		{
			"closed model",
			Sample{Step: 1, Stage: 1, Status: 200, Proto: "2", Times: times},
			result.Key{Step: 1, Stage: 1, Status: 200, Proto: "2"},
			5000, 5000,
		},
		{
			"open model",
			Sample{Status: 200, Proto: "1.1", Due: due, Times: times},
			result.Key{Status: 200, Proto: "1.1"},
			31000, 5000,
		},
		{
			"unexpected status, failed check",
			Sample{Status: 500, Failed: true, ChecksFailed: true, Proto: "1.0", Times: times},
			result.Key{Status: 500, Failed: true, Checks: true, Proto: "1.0"},
			5000, 5000,
		},
		{
			"a timeout counts with its time",
			Sample{Kind: wire.Timeout, Failed: true, Due: due, Times: wire.Times{Start: start, Done: time.Second}},
			result.Key{Error: "timeout", Failed: true},
			1_020_000, 1_000_000,
		},
		{
			"a refused connection has no latency",
			Sample{Kind: wire.Refused, Failed: true, Times: wire.Times{Start: start, Done: time.Millisecond}},
			result.Key{Error: "refused", Failed: true},
			-1, -1,
		},
		{
			"a capture that found nothing",
			Sample{Status: 200, CaptureError: true, Proto: "1.1", Times: times},
			result.Key{Status: 200, Error: "capture", Proto: "1.1"},
			5000, 5000,
		},
		{
			"longer than a histogram holds",
			Sample{Status: 200, Times: wire.Times{Start: start, Done: time.Hour}},
			result.Key{Status: 200},
			result.MaxMicros, result.MaxMicros,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rec, l := testRecorder()
			tt.sample.In, tt.sample.Out = 7, 3
			rec.Request(&tt.sample)
			r := kept(l)
			if len(r.Cells) != 1 {
				t.Fatalf("got %d cells, want 1", len(r.Cells))
			}
			c := r.Cells[0]
			if d := cmp.Diff(tt.key, c.Key); d != "" {
				t.Errorf("key (-want +got):\n%s", d)
			}
			if c.Count != 1 || c.In != 7 || c.Out != 3 {
				t.Errorf("got count %d, in %d, out %d", c.Count, c.In, c.Out)
			}
			got := [2]int64{-1, -1}
			if c.Latency != nil {
				got = [2]int64{c.Latency.ValueAtPercentile(50), c.Service.ValueAtPercentile(50)}
			}
			for i, want := range [2]int64{tt.latency, tt.service} {
				if got[i] < want || float64(got[i]) > 1.001*float64(max(want, 0)) {
					t.Errorf("latency and service time are %v µs, want %d and %d", got, tt.latency, tt.service)
				}
			}
		})
	}
}

// A cell whose first requests came without a due time, as those of on_start do,
// keeps their service time when others bring one.
func TestServiceTimeIsSplitOffLate(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	start := time.Now()
	s := Sample{Status: 200, Times: wire.Times{Start: start, Done: time.Millisecond}}
	total := newBooks(testShape())
	rec.Request(&s)
	total.merge(l.read())
	s.Due = start.Add(-time.Second)
	rec.Request(&s)
	total.merge(l.read())
	s.Due = time.Time{}
	rec.Request(&s)
	total.merge(l.read())
	var r result.Run
	total.export(&r)
	c := r.Cells[0]
	if c.Latency.TotalCount() != 3 || c.Service.TotalCount() != 3 || c.Service.Max() > 1001 || c.Latency.Max() < 1_000_000 {
		t.Errorf("got %d latencies up to %d µs, %d service times up to %d µs",
			c.Latency.TotalCount(), c.Latency.Max(), c.Service.TotalCount(), c.Service.Max())
	}
}

func TestPhasesOfMeasuredStages(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	start := time.Now()
	fresh := wire.Times{Start: start, Connect: time.Millisecond, Sent: time.Millisecond, FirstByte: 3 * time.Millisecond, Done: 7 * time.Millisecond}
	reused := wire.Times{Start: start, FirstByte: 2 * time.Millisecond, Done: 6 * time.Millisecond}
	for stage := range 2 {
		for _, times := range []wire.Times{fresh, reused} {
			rec.Request(&Sample{Stage: stage, Due: start, Status: 200, Times: times})
		}
		rec.Request(&Sample{Stage: stage, Kind: wire.Reset, Times: wire.Times{Start: start, TLS: time.Millisecond, Done: time.Second}})
	}
	p := kept(l).Phases[0]
	if p.DNS != nil {
		t.Error("there is a lookup, and none happened")
	}
	for name, h := range map[string]struct {
		count, micros int64
		got           interface {
			TotalCount() int64
			ValueAtPercentile(float64) int64
		}
	}{
		"connect": {1, 1000, p.Connect},
		"tls":     {1, 1000, p.TLS}, // of the request that was reset later
		"ttfb":    {2, 2000, p.TTFB},
		"body":    {2, 4000, p.Body},
		"queue":   {2, 1, p.Queue},
	} {
		if n, v := h.got.TotalCount(), h.got.ValueAtPercentile(50); n != h.count || v < h.micros || float64(v) > 1.01*float64(h.micros) {
			t.Errorf("%s: got %d of %d µs, want %d of %d", name, n, v, h.count, h.micros)
		}
	}
}

func TestChecksMetricsIterations(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	rec.begin(0, 0, time.Millisecond)
	rec.Metric(1, 5, false) // not measured
	rec.Check(0, 0, true)
	rec.Iteration(0, 0, time.Second, true)
	rec.begin(0, 1, time.Millisecond)
	rec.Check(1, 1, true)
	rec.Check(1, 1, false)
	rec.Check(1, 1, false)
	rec.Metric(0, 1, true)
	rec.Metric(0, 0, false)
	rec.Metric(1, 2.5, false)
	rec.Metric(1, -4, false)
	rec.Iteration(0, 1, 2*time.Second, false)
	r := kept(l)
	if d := cmp.Diff([]result.Tally{{Check: 0, Stage: 0, Passed: 1}, {Check: 1, Stage: 1, Passed: 1, Failed: 2}}, r.Tallies); d != "" {
		t.Errorf("tallies (-want +got):\n%s", d)
	}
	if r.Iteration.TotalCount() != 1 || r.Iteration.Max() < 2_000_000 {
		t.Errorf("got %d iterations up to %d µs, want the measured one of 2 s", r.Iteration.TotalCount(), r.Iteration.Max())
	}
	trend := r.Values[1].Hist
	if trend.TotalCount() != 2 || trend.Min() != 1 || trend.Max() < 2499 || trend.Max() > 2503 {
		t.Errorf("the trend has %d values from %d to %d", trend.TotalCount(), trend.Min(), trend.Max())
	}
	r.Values[1].Hist = nil
	want := []result.Value{
		{Metric: 0, Count: 2, True: 1, Sum: 1, Min: 0, Max: 1, Last: 0},
		{Metric: 1, Count: 2, Sum: -1.5, Min: -4, Max: 2.5, Last: -4},
	}
	if d := cmp.Diff(want, r.Values); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]result.Flow{{Started: 1, Completed: 1}, {Stage: 1, Started: 1}}, r.Flows); d != "" {
		t.Errorf("flows (-want +got):\n%s", d)
	}
}

func TestNothingIsRecordedAfterTheCut(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	rec.begin(0, 1, 0)
	rec.cut.Store(true)
	rec.Request(&Sample{Status: 200})
	rec.Check(0, 1, true)
	rec.Metric(0, 1, true)
	rec.Iteration(0, 1, time.Second, true)
	rec.end(0, 1)
	r := kept(l)
	if len(r.Cells) != 0 || len(r.Tallies) != 0 || r.Values[0].Count != 0 || r.Iteration != nil {
		t.Errorf("something was: %+v", r)
	}
	if d := cmp.Diff([]result.Flow{{Stage: 1, Started: 1, Cut: 1}}, r.Flows); d != "" {
		t.Errorf("flows (-want +got):\n%s", d)
	}
}

// Books that are read and reset again and again add up to one that is not.
func TestMergingEqualsRecordingInOne(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	once, whole := testRecorder()
	total := newBooks(testShape())
	start := time.Now()
	for i := range 5000 {
		s := Sample{
			Step: i % 2, Stage: i / 1000 % 2, Status: 200 + i%7, Failed: i%7 == 3, In: int64(i),
			Times: wire.Times{Start: start, Done: time.Duration(i) * 97 * time.Microsecond},
		}
		if i%3 == 0 {
			s.Due = start.Add(-time.Duration(i) * time.Microsecond)
		}
		for _, r := range []*Recorder{rec, once} {
			r.begin(0, s.Stage, time.Duration(i))
			r.Request(&s)
			r.Check(1, s.Stage, i%5 > 0)
			r.Metric(1, float64(i), true)
			r.Iteration(0, s.Stage, s.Times.Done, true)
		}
		if i%700 == 0 {
			total.merge(l.read())
		}
	}
	total.merge(l.read())
	var got result.Run
	total.export(&got)
	want := kept(whole)
	same := cmp.Comparer(func(a, b *hdr.Histogram) bool {
		if a == nil || b == nil {
			return a == b
		}
		return a.Equals(b)
	})
	if d := cmp.Diff(want, got, same); d != "" {
		t.Errorf("runs (-in one +merged):\n%s", d)
	}
}

func TestRequestAllocatesNothing(t *testing.T) {
	rec, l := testRecorder()
	s := benchSample()
	record := func() {
		for range 2 * batch {
			rec.begin(0, 1, time.Millisecond)
			rec.Request(&s)
			rec.Check(0, 1, true)
			rec.Metric(1, 3, false)
			rec.Iteration(0, 1, time.Millisecond, true)
		}
	}
	record() // makes the cells
	l.read()
	record()
	if n := testing.AllocsPerRun(10, record); n > 0 {
		t.Errorf("%v allocations for %d requests", n, 2*batch)
	}
}

func benchSample() Sample {
	now := time.Now()
	return Sample{
		Step: 1, Stage: 1, Due: now.Add(-time.Millisecond), Status: 200, Proto: "1.1", In: 200, Out: 80,
		Times: wire.Times{Start: now, Sent: 2000, FirstByte: 300_000, Done: 310_000},
	}
}

func BenchmarkRequest(b *testing.B) {
	b.ReportAllocs()
	rec, _ := testRecorder()
	s := benchSample()
	for b.Loop() {
		rec.Request(&s)
	}
}

func BenchmarkRequestParallel(b *testing.B) {
	l := newLedger(testShape(), 8)
	var id atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		rec := Recorder{buffer: l.buffers[id.Add(1)%8], cut: new(atomic.Bool)}
		s := benchSample()
		for pb.Next() {
			rec.Request(&s)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	rec, _ := testRecorder()
	for b.Loop() {
		rec.Check(0, 1, true)
	}
}

// BenchmarkRead is what the collector does each second with 200 cells of
// latencies between 1 and 10 ms.
func BenchmarkRead(b *testing.B) {
	s := testShape()
	s.steps = 100
	l := newLedger(s, 1)
	total := newBooks(s)
	rec := Recorder{buffer: l.buffers[0], cut: new(atomic.Bool)}
	sample := benchSample()
	for b.Loop() {
		for i := range 2000 {
			sample.Step, sample.Status = i%100, 200+i/100%2
			sample.Times.Done = time.Duration(1+i%10) * time.Millisecond
			rec.Request(&sample)
		}
		total.merge(l.read())
	}
}
