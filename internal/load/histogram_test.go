package load

import (
	"math/rand/v2"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

// A histogram must come to what an HdrHistogram given the same values does, at
// the edges of its buckets above all.
func TestHistogramIsAnHdrHistogram(t *testing.T) {
	t.Parallel()
	values := []uint64{0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 2050, 4095, 4096, 4098, 8191, 8192, result.MaxMicros - 1, result.MaxMicros}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		values = append(values, rng.Uint64N(result.MaxMicros>>rng.UintN(26)))
	}
	var h histogram
	want := result.NewHistogram()
	for _, v := range values {
		h.add(v)
		if err := want.RecordValue(int64(v)); err != nil {
			t.Fatal(err)
		}
	}
	if !h.full().Equals(want) {
		t.Error("the counts differ")
	}
	var twice histogram
	twice.merge(&h)
	twice.merge(&h)
	want.Merge(want.Clone())
	if !twice.full().Equals(want) {
		t.Error("merged twice, the counts differ from doubled ones")
	}
	twice.reset()
	if twice.full() != nil {
		t.Error("something is left after a reset")
	}
	twice.merge(&h)
	if !twice.full().Equals(h.full()) {
		t.Error("after a reset, merging leaves something else")
	}
}

func TestTrendHoldsItsHighestValue(t *testing.T) {
	t.Parallel()
	var h histogram
	h.add(maxTrend)
	if got := h.trend(); got.TotalCount() != 1 || !got.ValuesAreEquivalent(got.Max(), maxTrend) {
		t.Errorf("got %d values up to %d", got.TotalCount(), got.Max())
	}
}

func TestCoarseKeepsTwoDigits(t *testing.T) {
	t.Parallel()
	var h histogram
	h.add(123_456)
	if got := h.coarse().ValueAtPercentile(50); got < 123_456 || got > 124_700 {
		t.Errorf("got %d, want 123456 within 1 %%", got)
	}
}
