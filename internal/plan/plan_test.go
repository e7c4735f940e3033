package plan

import (
	"testing"
	"time"
)

func arrivals(p Plan, track int) []Arrival {
	var out []Arrival
	for a := p.Arrivals(track); ; {
		next, ok := a.Next()
		if !ok {
			return out
		}
		out = append(out, next)
	}
}

func open(stages ...Stage) Plan {
	return Plan{Seed: 1, Tracks: []Track{{Open: true, Stages: stages, Shares: []Share{{Weight: 1}}}}}
}

func hold(level float64, d time.Duration) Stage {
	return Stage{From: level, To: level, Duration: d, Measure: true}
}

func ramp(from, to float64, d time.Duration) Stage {
	return Stage{From: from, To: to, Duration: d, Measure: true}
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	p := open(hold(10, time.Second), hold(0, 5*time.Second), Stage{From: 0, To: 3}, ramp(0, 20, time.Second))
	got := arrivals(p, 0)
	if len(got) != 20 {
		t.Fatalf("got %d arrivals, want 20", len(got))
	}
	if got[9].At != 900*time.Millisecond || got[10].At != 6*time.Second || got[10].Stage != 3 {
		t.Errorf("got %v and %v", got[9], got[10])
	}
}
