package plan

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func weighted(seed int64, weights ...float64) *Deck {
	p := Plan{Seed: seed, Tracks: []Track{{Open: true, Stages: []Stage{hold(1, time.Second)}}}}
	for i, w := range weights {
		p.Tracks[0].Shares = append(p.Tracks[0].Shares, Share{Scenario: i, Weight: w})
	}
	return p.Deck(0)
}

func deal(d *Deck, from, to int64, scenarios int) []int {
	counts := make([]int, scenarios)
	for n := from; n < to; n++ {
		counts[d.At(n)]++
	}
	return counts
}

func TestDeckIsExactInEachRound(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		weights []float64
		round   int64
		want    []int
	}{
		{"one scenario", []float64{7}, 5, []int{5}},
		{"equal", []float64{2, 2}, 2, []int{1, 1}},
		{"percentages", []float64{70, 25, 5}, 20, []int{14, 5, 1}},
		{"fractions", []float64{0.5, 0.25, 0.125}, 7, []int{4, 2, 1}},
		{"off", []float64{3, 0, 1}, 4, []int{3, 0, 1}},
		{"longer than a hand", []float64{997, 3}, 1000, []int{997, 3}},
		{"as far apart as allowed", []float64{1e6, 1}, 1000001, []int{1000000, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := weighted(1, tt.weights...)
			for round := range int64(3) {
				got := deal(d, round*tt.round, (round+1)*tt.round, len(tt.weights))
				if !slices.Equal(got, tt.want) {
					t.Errorf("round %d: got %v, want %v", round, got, tt.want)
				}
			}
		})
	}
}

// A run is rarely a whole number of rounds: any stretch of it should be near
// its shares. Independent draws would be off by the square root of the stretch:
// by 100 and more in the longest here.
func TestDeckIsNearInAnyStretch(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		weights := make([]float64, 2+rng.IntN(5))
		sum := 0.0
		for i := range weights {
			weights[i] = math.Round(math.Pow(10, rng.Float64()*5)*100) / 100
			sum += weights[i]
		}
		d := weighted(rng.Int64(), weights...)
		from, length := rng.Int64N(1e6), 1+rng.Int64N(10000)
		for i, got := range deal(d, from, from+length, len(weights)) {
			want := weights[i] / sum * float64(length)
			if math.Abs(float64(got)-want) > 40 {
				t.Errorf("weights %v, cards %d to %d: scenario %d got %d, want %.1f", weights, from, from+length, i, got, want)
			}
		}
	}
}

func TestDeckIsShuffled(t *testing.T) {
	t.Parallel()
	d, other := weighted(1, 1, 1), weighted(2, 1, 1)
	var first, same int
	const rounds = 10000
	for r := range int64(rounds) {
		first += d.At(2 * r)
		if d.At(2*r) == other.At(2*r) {
			same++
		}
	}
	for what, n := range map[string]int{"rounds that begin with scenario 1": first, "rounds alike with another seed": same} {
		if n < rounds*45/100 || n > rounds*55/100 {
			t.Errorf("%s: %d of %d, want about half", what, n, rounds)
		}
	}
}

// shuffle must be a permutation for every size of hand, or shares would not be
// exact.
func TestShuffleIsAPermutation(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for n := uint64(1); n <= 2*hand; n++ {
		key := rng.Uint64()
		seen := make([]bool, n)
		for x := range n {
			y := shuffle(x, n, key)
			if y >= n || seen[y] {
				t.Fatalf("shuffle(%d, %d) is %d, which is out of range or taken", x, n, y)
			}
			seen[y] = true
		}
	}
}

// Each place of a hand must get each card equally often.
func TestShuffleIsFair(t *testing.T) {
	t.Parallel()
	const n, times = 7, 70000
	var counts [n][n]int
	for key := range uint64(times) {
		for x := range uint64(n) {
			counts[x][shuffle(x, n, hash(key))]++
		}
	}
	for x := range counts {
		for y, got := range counts[x] {
			if math.Abs(float64(got)-times/n) > 500 { // five standard deviations
				t.Errorf("card %d came to place %d %d times, want about %d", x, y, got, times/n)
			}
		}
	}
}

func TestSeating(t *testing.T) {
	t.Parallel()
	p := Plan{Seed: 1, Tracks: []Track{{
		Stages: []Stage{ramp(0, 100, time.Second), hold(100, time.Second)},
		Shares: []Share{{Scenario: 0, Users: 30}, {Scenario: 1, Weight: 1}, {Scenario: 2, Users: 10}},
	}}}
	count := func(seats int64) (counts [3]int) {
		s := p.Seating(0)
		for j := range seats {
			if scenario, ok := s.At(j); ok {
				counts[scenario]++
			}
		}
		return counts
	}
	if got, want := count(100), [3]int{30, 0, 10}; got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := count(50); got[0] < 9 || got[0] > 21 || got[1] != 0 {
		t.Errorf("half of the seats have %v, want about 15, none and 5", got)
	}
}

func TestSeatingWithoutUsersOfTheirOwn(t *testing.T) {
	t.Parallel()
	if _, ok := open(hold(1, time.Second)).Seating(0).At(0); ok {
		t.Error("a user is bound to a scenario, and none has users of its own")
	}
}

func BenchmarkDeck(b *testing.B) {
	b.ReportAllocs()
	d := weighted(1, 70, 20, 9.5, 0.5)
	n := int64(0)
	for b.Loop() {
		d.At(n)
		n++
	}
}
