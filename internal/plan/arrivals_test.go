package plan

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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

// open is a plan of one open track.
func open(stages ...Stage) Plan {
	return Plan{Seed: 1, Tracks: []Track{{Open: true, Stages: stages, Shares: []Share{{Weight: 1}}}}}
}

func hold(level float64, d time.Duration) Stage {
	return Stage{From: level, To: level, Duration: d, Measure: true}
}

func ramp(from, to float64, d time.Duration) Stage {
	return Stage{From: from, To: to, Duration: d, Measure: true}
}

func jump(from, to float64) Stage { return Stage{From: from, To: to} }

func TestArrivalsAtKnownMoments(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	tests := []struct {
		name string
		plan Plan
		want []time.Duration
	}{
		{"even", open(hold(4, time.Second)), []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		{"less than one a second", open(hold(0.5, 5*time.Second)), []time.Duration{0, 2 * time.Second, 4 * time.Second}},
		// The integral of 8t is 4t²: it passes n at sqrt(n)/2.
		{"ramp up", open(ramp(0, 8, time.Second)), []time.Duration{0, 500 * ms, 707106781, 866025404}},
		{"ramp down", open(ramp(8, 0, time.Second)), []time.Duration{0, 133974596, 292893219, 500 * ms}},
		{
			"nothing in a pause, and the next at its end",
			open(hold(2, time.Second), hold(0, 5*time.Second), jump(0, 2), hold(2, time.Second)),
			[]time.Duration{0, 500 * ms, 6000 * ms, 6500 * ms},
		},
		{"a fraction carries over", open(hold(3, 500*ms), hold(1, 500*ms)), []time.Duration{0, 333333333}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []time.Duration
			for _, a := range arrivals(tt.plan, 0) {
				got = append(got, a.At)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("moments (-want +got):\n%s", d)
			}
		})
	}
}

// Counts are exact where rates, or their products with times, are not exact in
// binary.
func TestArrivalsCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		plan Plan
		want int
	}{
		{"100 in 3 s, for 3 s", open(hold(100.0/3, 3*time.Second)), 100},
		{"0.1 a second, for 30 s", open(hold(0.1, 30*time.Second)), 3},
		{"300 a minute for 10 minutes", open(hold(300.0/60, 10*time.Minute)), 3000},
		{"ramp to 70 in 7 minutes", open(ramp(0, 70, 7*time.Minute)), 35 * 420},
		{"staircase", open(hold(0.7, 10*time.Second), hold(1.4, 10*time.Second), hold(2.1, 10*time.Second)), 42},
		{"a tenth of a second", open(hold(12345, 100*time.Millisecond)), 1235}, // 1234.5: the last begins at .46 ms before the end
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := len(arrivals(tt.plan, 0)); got != tt.want {
				t.Errorf("got %d arrivals, want %d", got, tt.want)
			}
		})
	}
}

// randomStages are up to six stages of every kind.
func randomStages(rng *rand.Rand, peak float64) []Stage {
	var stages []Stage
	level := 0.0
	for range 1 + rng.IntN(6) {
		next := math.Round(rng.Float64()*peak*10) / 10
		if rng.IntN(4) == 0 {
			next = 0
		}
		d := time.Duration(rng.Int64N(int64(4 * time.Second)))
		switch rng.IntN(3) {
		case 0:
			stages = append(stages, ramp(level, next, d))
		case 1:
			stages = append(stages, hold(next, d))
		default:
			stages = append(stages, jump(level, next))
		}
		level = next
	}
	return append(stages, hold(1+math.Round(level), time.Second))
}

// integral is I(t) by adding up small trapezia, independently of Arrivals.
func integral(t Track, until time.Duration) float64 {
	sum := 0.0
	for _, s := range t.Stages {
		d := min(s.Duration, until)
		if d <= 0 {
			continue
		}
		const parts = 8
		for i := range parts {
			a := s.From + (s.To-s.From)*float64(i)/parts*float64(d)/float64(s.Duration)
			b := s.From + (s.To-s.From)*float64(i+1)/parts*float64(d)/float64(s.Duration)
			sum += (a + b) / 2 * d.Seconds() / parts
		}
		until -= d
	}
	return sum
}

func TestArrivalsFollowTheIntegral(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		p := open(randomStages(rng, 200)...)
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		checkArrivals(t, p)
	}
}

func checkArrivals(t *testing.T, p Plan) {
	t.Helper()
	track := p.Tracks[0]
	all := arrivals(p, 0)
	last := time.Duration(0)
	for i, a := range all {
		switch {
		case a.At < last:
			t.Fatalf("%+v: arrival %d steps back from %v to %v", track.Stages, i, last, a.At)
		case a.N != int64(i):
			t.Fatalf("arrival %d has number %d", i, a.N)
		case track.StageAt(a.At) != a.Stage:
			t.Fatalf("%+v: arrival %d at %v is in stage %d, but says %d", track.Stages, i, a.At, track.StageAt(a.At), a.Stage)
		}
		last = a.At
		if track.Poisson {
			continue
		}
		// Moments are whole nanoseconds, in which I moves by up to the rate.
		if got, near := integral(track, a.At), 1e-5+track.Peak()*1e-8; math.Abs(got-float64(i)) > near {
			t.Fatalf("%+v: at arrival %d (%v) the integral is %v", track.Stages, i, a.At, got)
		}
	}
	if want := integral(track, track.Duration()); !track.Poisson && math.Abs(float64(len(all))-want) >= 1+1e-5 {
		t.Fatalf("%+v: got %d arrivals, the integral is %v", track.Stages, len(all), want)
	}
}

func TestPoisson(t *testing.T) {
	t.Parallel()
	p := open(ramp(0, 2000, 10*time.Second), hold(2000, 10*time.Second))
	p.Tracks[0].Poisson = true
	checkArrivals(t, p)
	first := arrivals(p, 0)
	if d := cmp.Diff(first, arrivals(p, 0)); d != "" {
		t.Errorf("the same seed gives another plan:\n%s", d)
	}
	p.Seed = 2
	if slices.Equal(first, arrivals(p, 0)) {
		t.Error("another seed gives the same plan")
	}
	// 30,000 expected, with a standard deviation of 173.
	if n := len(first); math.Abs(float64(n)-30000) > 5*173 {
		t.Errorf("got %d arrivals, want about 30000", n)
	}
	// In the hold the gaps are exponential: their standard deviation is their
	// mean, and one in e is longer than it.
	var sum, squares, long float64
	var n int
	for i := 1; i < len(first); i++ {
		if first[i-1].At < 10*time.Second {
			continue
		}
		gap := (first[i].At - first[i-1].At).Seconds() * 2000
		sum, squares, n = sum+gap, squares+gap*gap, n+1
		if gap > 1 {
			long++
		}
	}
	mean := sum / float64(n)
	if sd := math.Sqrt(squares/float64(n) - mean*mean); math.Abs(mean-1) > 0.04 || math.Abs(sd-1) > 0.05 {
		t.Errorf("gaps have mean %v and deviation %v, want 1 and 1", mean, sd)
	}
	if share := long / float64(n); math.Abs(share-1/math.E) > 0.02 {
		t.Errorf("%v of the gaps are above the mean, want %v", share, 1/math.E)
	}
}

func BenchmarkArrivals(b *testing.B) {
	b.ReportAllocs()
	p := open(ramp(0, MaxRate, MaxDuration))
	a := p.Arrivals(0)
	for b.Loop() {
		if _, ok := a.Next(); !ok {
			b.Fatal("no more arrivals")
		}
	}
}
