package load

import (
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

func TestRoundLength(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		asked, measured time.Duration
		counted         bool
		want            time.Duration
	}{
		{"a twelfth", 0, 24 * time.Second, false, 2 * time.Second},
		{"at most 5 s", 0, 10 * time.Minute, false, 5 * time.Second},
		{"at least 250 ms", 0, time.Second, false, 250 * time.Millisecond},
		{"longer where too many", 0, 31 * time.Minute, false, 10 * time.Second},
		{"asked", 3 * time.Second, time.Minute, false, 3 * time.Second},
		{"asked, and too short", time.Millisecond, time.Minute, false, 250 * time.Millisecond},
		{"asked, and too many", time.Second, time.Hour, false, 16 * time.Second},
		{"no end in sight", 0, 24 * time.Hour, true, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := roundLength(tt.asked, tt.measured, tt.counted); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A rest shorter than half a round is no round of its own.
func TestRoundTakesTheRest(t *testing.T) {
	t.Parallel()
	r := rounds{length: 4 * time.Second}
	r.begin(0, 10*time.Second, 1, reading{})
	if r.current.end != 4*time.Second {
		t.Errorf("the first ends at %v, want 4s", r.current.end)
	}
	r.begin(4*time.Second, 10*time.Second, 1, reading{})
	if r.current.end != 8*time.Second {
		t.Errorf("the second ends at %v, want 8s", r.current.end)
	}
	r.begin(4*time.Second, 9*time.Second, 1, reading{})
	if r.current.end != 9*time.Second {
		t.Errorf("with a rest of 1s the second ends at %v, want 9s", r.current.end)
	}
}

func TestRoundCountsMeasuredRequests(t *testing.T) {
	t.Parallel()
	rec, l := testRecorder()
	start := time.Now()
	r := rounds{length: time.Second}
	from := reading{at: start}
	r.begin(0, time.Minute, 2, from)
	sample := benchSample()
	for stage := range 2 {
		sample.Stage = stage
		rec.buffer.mark(mark{kind: markOffered, stage: uint16(stage), ok: true})
		rec.buffer.mark(mark{kind: markOffered, stage: uint16(stage)})
		for i, status := range []int{200, 200, 500, 0} {
			sample.Status, sample.Failed, sample.Kind = status, status != 200, 0
			sample.ChecksFailed = i == 0
			if status == 0 {
				sample.Kind = wire.Reset
			}
			rec.Request(&sample)
		}
	}
	r.add(l.read())
	to := reading{at: start.Add(time.Second)}
	if err := r.finish(time.Second, newProbe(), &to, result.NewHistogram()); err != nil {
		t.Fatal(err)
	}
	got := r.done[0]
	h, err := result.DecodeHistogram(got.Steps[0].Latency)
	if err != nil {
		t.Fatal(err)
	}
	if h.TotalCount() != 2 {
		t.Errorf("%d latencies, want those of the 2 requests that did not fail", h.TotalCount())
	}
	got.Steps[0].Latency = nil
	want := result.Round{
		Length: time.Second, Offered: 2, Dropped: 1, Health: result.Health{Steal: -1},
		Steps: []result.RoundStep{{Step: 1, Requests: 4, Failed: 2, Errored: 3, Status: map[int]int64{200: 2, 500: 1}, Errors: map[string]int64{"reset": 1}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("round (-want +got):\n%s", d)
	}
}

func TestRoundCutShortIsExcluded(t *testing.T) {
	t.Parallel()
	for end, excluded := range map[time.Duration]bool{400 * time.Millisecond: true, 600 * time.Millisecond: false} {
		r := rounds{length: time.Second}
		r.begin(0, time.Minute, 1, reading{})
		if err := r.finish(end, newProbe(), &reading{}, result.NewHistogram()); err != nil {
			t.Fatal(err)
		}
		if got := r.done[0]; (got.Excluded != "") != excluded || got.Length != end {
			t.Errorf("ended at %v: length %v, excluded %q", end, got.Length, got.Excluded)
		}
	}
}

func TestJoinRounds(t *testing.T) {
	t.Parallel()
	encode := func(values ...uint64) []byte {
		var h histogram
		for _, v := range values {
			h.add(v)
		}
		b, err := h.full().Encode(hdr.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a := result.Round{
		Length: time.Second, Offered: 5, Health: result.Health{CPU: 0.25, LagP99: 3, Steal: 0.1},
		Steps: []result.RoundStep{{Step: 1, Requests: 2, Status: map[int]int64{200: 2}, Latency: encode(5, 6)}, {Step: 3, Requests: 1, Failed: 1}},
	}
	b := result.Round{
		Start: time.Second, Length: 3 * time.Second, Offered: 7, Dropped: 1, Health: result.Health{CPU: 0.75, LagP99: 2, Steal: -1},
		Steps: []result.RoundStep{
			{Step: 0, Requests: 1},
			{Step: 1, Requests: 3, Status: map[int]int64{200: 2, 404: 1}, Latency: encode(7, 8)},
			{Step: 3, Requests: 1, Latency: encode(9)},
		},
		Excluded: "reason",
	}
	if err := join(&a, &b); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{0, 4, 1} {
		if want == 0 {
			continue
		}
		h, err := result.DecodeHistogram(a.Steps[i].Latency)
		if err != nil {
			t.Fatal(err)
		}
		if h.TotalCount() != want {
			t.Errorf("step %d has %d latencies, want %d", i, h.TotalCount(), want)
		}
		a.Steps[i].Latency = nil
	}
	want := result.Round{
		Length: 4 * time.Second, Offered: 12, Dropped: 1, Health: result.Health{CPU: 0.625, LagP99: 3, Steal: -1}, Excluded: "reason",
		Steps: []result.RoundStep{
			{Step: 0, Requests: 1}, {Step: 1, Requests: 5, Status: map[int]int64{200: 4, 404: 1}}, {Step: 3, Requests: 2, Failed: 1},
		},
	}
	if d := cmp.Diff(want, a); d != "" {
		t.Errorf("round (-want +got):\n%s", d)
	}
}

func TestSeriesHalves(t *testing.T) {
	t.Parallel()
	var s series
	const seconds = 3*maxRows + 1
	for i := range seconds {
		s.add(result.Second{At: time.Duration(i) * time.Second, Completed: 1, Users: 4, Rate: 10, P99: int64(i % 2)})
	}
	var sum int64
	for i, row := range s.rows {
		if row.Users != 4 || row.Rate != 10 || row.P99 != 1 && i < len(s.rows)-1 {
			t.Fatalf("row %d: users %d, rate %v, p99 %d; want 4, 10 and the worse of its seconds", i, row.Users, row.Rate, row.P99)
		}
		if i > 0 && row.At != s.rows[i-1].At+4*time.Second {
			t.Fatalf("row %d begins at %v, the one before at %v", i, row.At, s.rows[i-1].At)
		}
		sum += row.Completed
	}
	if sum != seconds || s.span != 4 {
		t.Errorf("got %d seconds in rows of %d, want %d in rows of 4", sum, s.span, seconds)
	}
}
