package result

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllStepFiguresAreThoseOfEachStep(t *testing.T) {
	t.Parallel()
	run := fullRun(t)
	all := run.AllStepFigures()
	if len(all) != len(run.Catalog.Steps) || len(all) == 0 {
		t.Fatalf("%d figures for %d steps", len(all), len(run.Catalog.Steps))
	}
	for i := range all {
		if diff := cmp.Diff(run.StepFigures(i), all[i]); diff != "" {
			t.Errorf("step %d (-one +all):\n%s", i, diff)
		}
	}
}

// The maximum comes from the same pass as the percentiles.
func TestQuantilesEndAtTheMaximum(t *testing.T) {
	t.Parallel()
	for _, us := range []int64{1, 999, 1000, 123_456, MaxMicros} {
		h := NewHistogram()
		for _, v := range []int64{1, us / 2, us} {
			if err := h.RecordValue(max(v, MinMicros)); err != nil {
				t.Fatal(err)
			}
		}
		if got := QuantilesOf(h); got.Max != h.Max() {
			t.Errorf("%d: maximum %d, the histogram says %d", us, got.Max, h.Max())
		}
	}
}

func TestReadingLatencyChangesNothing(t *testing.T) {
	t.Parallel()
	run := fullRun(t)
	before := run.Total()
	for range 2 {
		run.LatencyOf(func(*Cell) bool { return true })
		run.AllStepFigures()
	}
	if diff := cmp.Diff(before, run.Total()); diff != "" {
		t.Errorf("the run's own histograms were changed (-before +after):\n%s", diff)
	}
}
