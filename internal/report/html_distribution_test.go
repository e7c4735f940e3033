package report

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

// Whatever was measured, all of it is drawn: the shares of the bins add up to
// one, and each bin holds what lies between its ends.
func TestDistributionHoldsEveryRequest(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		h := result.NewHistogram()
		median := math.Exp(rng.Float64() * 15)
		for range 1 + rng.IntN(2000) {
			must(h.RecordValue(int64(min(max(median*math.Exp(rng.NormFloat64()*rng.Float64()), 1), result.MaxMicros))))
		}
		axis := axisOf([]curve{{"head", "head", h}}, nil)
		if !(axis.low > 0 && axis.high > axis.low) {
			t.Fatalf("axis %+v", axis)
		}
		sum := 0.0
		for _, share := range axis.shares(h) {
			sum += share
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("the bins of %d requests hold %v of them", h.TotalCount(), sum)
		}
		if len(axis.ticks()) == 0 {
			t.Errorf("axis %+v has no ticks", axis)
		}
	}
}

func TestDistributionIsWhereTheRequestsAre(t *testing.T) {
	t.Parallel()
	h := result.NewHistogram()
	for i := range int64(1000) {
		must(h.RecordValue(1000 + i)) // 1 to 2 ms, evenly
	}
	must(h.RecordValue(30_000_000))
	axis := axisOf([]curve{{"head", "head", h}}, []float64{500})
	if axis.low > 500 || axis.high > 2100 {
		t.Errorf("axis %+v: it is to reach the mark, and not the one that took 30 s", axis)
	}
	below := 0.0
	for i, share := range axis.shares(h) {
		middle := axis.low * math.Pow(axis.high/axis.low, (float64(i)+0.5)/distributionBins)
		if middle < 1500 {
			below += share
		}
	}
	if math.Abs(below-0.5) > 0.03 {
		t.Errorf("%v of the requests are drawn below 1.5 ms, want half", below)
	}
}
