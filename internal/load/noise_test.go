package load

import (
	"context"
	"testing"
	"time"
)

func TestMeasureNoise(t *testing.T) {
	t.Parallel()
	began := time.Now()
	n := MeasureNoise(t.Context(), 60*time.Millisecond)
	took := time.Since(began)
	if n.CPUs <= 0 || n.LateP50 > n.LateP99 || n.LateP99 > n.LateMax || n.LateMax <= 0 || n.LateMax > took {
		t.Errorf("timers: %+v in %v", n, took)
	}
	if n.Apart < 0 || n.Spread < 0 || n.Steal > 1 || n.ClockStep > took || n.ClockStep < -took {
		t.Errorf("work and clock: %+v", n)
	}
	if n.MostOpen == 0 || n.MostOpen > 0 && n.Open > n.MostOpen || n.Ports == 0 {
		t.Errorf("limits: %+v", n)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if n := MeasureNoise(done, time.Hour); n.LateMax != 0 || n.Apart != 0 {
		t.Errorf("cancelled: %+v", n)
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	of := []time.Duration{1, 2, 3, 4, 5}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 3, 0.99: 4, 1: 5} {
		if got := quantileOf(of, q); got != want {
			t.Errorf("quantileOf(%g) = %d, want %d", q, got, want)
		}
	}
	if quantileOf(nil, 0.5) != 0 {
		t.Error("of none")
	}
}
