package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestStepDownIsHolm compares with Holm's procedure as the textbook has it, on
// p-values.
func TestStepDownIsHolm(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		p := make([]float64, 1+rng.IntN(12))
		for i := range p {
			p[i] = math.Pow(rng.Float64(), 4)
		}
		got, level := StepDown(len(p), 0.05, func(i int, a float64) bool { return p[i] <= a })
		order := make([]int, len(p))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int {
			if p[a] < p[b] {
				return -1
			}
			return 1
		})
		want := make([]bool, len(p))
		for rank, i := range order {
			if p[i] > 0.05/float64(len(p)-rank) {
				break
			}
			want[i] = true
		}
		if !slices.Equal(got, want) {
			t.Fatalf("p = %v: called %v, want %v", p, got, want)
		}
		for i := range p {
			if got[i] != (p[i] <= level[i]) {
				t.Fatalf("p = %v: level %v does not explain %v", p, level, got)
			}
		}
	}
	if called, _ := StepDown(0, 0.05, nil); len(called) != 0 {
		t.Errorf("of none: %v", called)
	}
}

func TestAtLeast(t *testing.T) {
	t.Parallel()
	near(t, "all of 12 against none of 12", AtLeast(12, 12, 12, 24), 1/2704156.0)
	// The lady tasting tea: all four of eight cups right.
	near(t, "four of four", AtLeast(4, 4, 4, 8), 1.0/70)
	near(t, "three of four", AtLeast(3, 4, 4, 8), 17.0/70)
	near(t, "any", AtLeast(0, 4, 4, 8), 1)
	near(t, "more than there are", AtLeast(5, 4, 4, 8), 0)
	for _, bad := range [][4]int{{1, -1, 1, 5}, {1, 6, 1, 5}, {1, 1, 6, 5}, {1, 1, -1, 5}} {
		near(t, "nonsense", AtLeast(bad[0], bad[1], bad[2], bad[3]), 1)
	}
	for hits := range 10 {
		if AtLeast(hits+1, 10, 12, 40) > AtLeast(hits, 10, 12, 40) {
			t.Errorf("more hits are more likely at %d", hits)
		}
	}
}
