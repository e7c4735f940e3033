package load

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

// What is recent must be what was counted in the last seconds, no more and no
// less, for each step and for all; percentiles within the 1 % that is promised.
func TestRecentIsTheLastSeconds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	r := newRecent(2)
	var seconds []*books
	for range 3 * recentSeconds {
		b := newBooks(shape{steps: 2, measured: []bool{true}})
		for range rng.IntN(400) {
			v := uint32(1 + rng.Uint64N(result.MaxMicros>>rng.UintN(26)))
			e := entry{key: cellKey{step: uint16(rng.IntN(2)), status: 200, failed: rng.IntN(10) == 0}, latency: v, service: v}
			b.request(&e)
		}
		seconds = append(seconds, b)
		r.add(b)
		got := r.result()
		if want := min(len(seconds), recentSeconds); int(got.Length.Seconds()) != want {
			t.Fatalf("after %d seconds the window is %v", len(seconds), got.Length)
		}
		for step := -1; step < 2; step++ {
			figures := got.All
			if step >= 0 {
				figures = got.Steps[step]
			}
			checkRecent(t, figures, seconds[max(0, len(seconds)-recentSeconds):], step)
		}
	}
}

// checkRecent compares figures with those of the seconds; step -1 is all.
func checkRecent(t *testing.T, got result.RecentFigures, seconds []*books, step int) {
	t.Helper()
	want, exact := result.RecentFigures{}, result.NewHistogram()
	for _, b := range seconds {
		for _, c := range b.cells {
			if step >= 0 && int(c.key.step) != step {
				continue
			}
			want.Requests += c.count
			if c.key.failed {
				want.Failed += c.count
			}
			c.latency.fill(exact)
		}
	}
	if got.Requests != want.Requests || got.Failed != want.Failed {
		t.Errorf("step %d: %d requests, %d failed, want %d and %d", step, got.Requests, got.Failed, want.Requests, want.Failed)
	}
	for _, q := range []struct {
		percent float64
		got     int64
	}{{50, got.P50}, {95, got.P95}, {99, got.P99}} {
		at := float64(exact.ValueAtPercentile(q.percent))
		if math.Abs(float64(q.got)-at) > 0.01*at+1 {
			t.Errorf("step %d: p%g is %d µs, want %g within 1 %%", step, q.percent, q.got, at)
		}
	}
}

func TestRecentOfNothing(t *testing.T) {
	t.Parallel()
	r := newRecent(1)
	for range recentSeconds + 1 {
		r.add(newBooks(shape{steps: 1, measured: []bool{true}}))
	}
	if got := r.result(); got.All != (result.RecentFigures{}) || got.Steps[0] != (result.RecentFigures{}) {
		t.Errorf("nothing came to %+v", got)
	}
}

func BenchmarkRecentSixtySteps(b *testing.B) {
	books := newBooks(shape{steps: 60, measured: []bool{true}})
	for i := range 6000 {
		v := uint32(800 + i)
		books.request(&entry{key: cellKey{step: uint16(i % 60), status: 200}, latency: v, service: v})
	}
	r := newRecent(60)
	for b.Loop() {
		r.add(books)
		_ = r.result()
	}
}
