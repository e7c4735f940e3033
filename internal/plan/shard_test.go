package plan

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
)

func TestShardsOfArrivalsMakeThePlan(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 10))
	for i := range 100 {
		p := open(randomStages(rng, 100)...)
		p.Tracks[0].Poisson = i%2 == 0
		n := 1 + rng.IntN(7)
		checkShards(t, p, n)
	}
}

func checkShards(t *testing.T, p Plan, n int) {
	t.Helper()
	var union []Arrival
	for i := range n {
		union = append(union, arrivals(p.Shard(i, n), 0)...)
	}
	slices.SortStableFunc(union, func(a, b Arrival) int { return cmp.Compare(a.N, b.N) })
	if d := diff.Diff(arrivals(p, 0), union); d != "" {
		t.Fatalf("%d shards of %+v (-whole +union):\n%s", n, p.Tracks[0].Stages, d)
	}
}

func TestShardsOfUsersMakeThePlan(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 12))
	for range 100 {
		p := closed(0, randomStages(rng, 50)...)
		n := 1 + rng.IntN(7)
		for range 20 {
			at := time.Duration(rng.Int64N(int64(p.Duration())))
			sum := 0
			for i := range n {
				sum += p.Shard(i, n).Users(0, at)
			}
			if want := p.Users(0, at); sum != want {
				t.Fatalf("%d shards of %+v have %d users at %v, the whole has %d", n, p.Tracks[0].Stages, sum, at, want)
			}
		}
		for i := range n {
			checkChanges(t, p.Shard(i, n).withoutLevels())
		}
	}
}

// withoutLevels switches off the comparison with LevelAt, which is that of the
// whole plan: a spawn rate that holds nothing back.
func (p Plan) withoutLevels() Plan {
	p.Tracks = slices.Clone(p.Tracks)
	p.Tracks[0].SpawnRate = 1e6
	return p
}

func TestShardsOfIterationsMakeThePlan(t *testing.T) {
	t.Parallel()
	for _, total := range []int64{1, 2, 10, 101} {
		p := closed(0, hold(10, time.Second))
		p.Tracks = append(p.Tracks, p.Tracks[0])
		p.Tracks[0].Iterations = total
		const n = 4
		seen := map[int64]bool{}
		for i := range n {
			part := p.Shard(i, n)
			mine, ok := part.Iterations(0)
			if !ok {
				t.Fatal("the shard has no limit")
			}
			for k := range mine {
				number := part.Number(0, part.Global(k))
				if seen[number] || number%2 != 0 || number >= 2*total {
					t.Errorf("%d iterations: part %d has number %d, which is taken or not of this track", total, i, number)
				}
				seen[number] = true
			}
		}
		if int64(len(seen)) != total {
			t.Errorf("the shards do %d iterations, want %d", len(seen), total)
		}
	}
}

func TestMaxUsers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		rate        float64
		set         int
		part, parts int
		want        int
	}{
		{"ten times the rate", 50, 0, 0, 1, 500},
		{"at least", 3, 0, 0, 1, 100},
		{"at most", 1e6, 0, 0, 1, 20000},
		{"set", 50, 7, 0, 1, 7},
		{"first of three parts", 50, 7, 0, 3, 3},
		{"last of three parts", 50, 7, 2, 3, 2},
		{"never none", 50, 1, 2, 3, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := open(hold(tt.rate, time.Second)).Shard(tt.part, tt.parts)
			p.Tracks[0].MaxUsers = tt.set
			if got := p.MaxUsers(0); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
