package report

import (
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// TestSlots: a chart's rate is that of the load, whether a row holds a second of
// it, less or more, and does not fall to nothing where the load was over.
func TestSlots(t *testing.T) {
	t.Parallel()
	series := []result.Second{
		{At: 0, Length: time.Second, Completed: 50},
		{At: time.Second, Completed: 50}, // a file of an older version
		{At: 2 * time.Second, Length: 4 * time.Second, Completed: 200},
		{At: 6 * time.Second, Length: 200 * time.Millisecond, Completed: 10},
		{At: 7 * time.Second, Length: time.Second, Completed: 1, Rest: true},
	}
	all := slots(series, maxSlots)
	if len(all) != 4 || all[3].length != 200*time.Millisecond {
		t.Fatalf("got %d slots %+v, want 4, the last of 200 ms", len(all), all)
	}
	for i, s := range all {
		if s.reached != 50 {
			t.Errorf("slot %d reached %v a second, want 50", i, s.reached)
		}
	}
	if one := slots(series[4:], maxSlots); len(one) != 1 {
		t.Errorf("of a series that is all rest, %d slots, want 1", len(one))
	}
}
