package result

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// duel makes a paired run of blocks from a single one: rounds by turns.
func duel(t testing.TB, steps, blocks, per int) *Run {
	t.Helper()
	r := measured(t, steps, 2*blocks, per)
	r.Mode = "paired"
	for i := range r.Rounds {
		r.Rounds[i].Block, r.Rounds[i].Arm = i/2, []string{"base", "head"}[(i+i/2)%2]
	}
	return r
}

func pairs(t testing.TB, r *Run) *Pairing {
	t.Helper()
	p, err := Pair(r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPair(t *testing.T) {
	t.Parallel()
	p := pairs(t, duel(t, 2, 20, 40))
	if p.Blocks != 20 || p.All != 20 || p.Load != 40*time.Second {
		t.Errorf("%d of %d blocks, %v", p.Blocks, p.All, p.Load)
	}
	want := []RowKey{{Scope: ScopeTotal}, {Scope: ScopeScenario, Scenario: "shop"}, {ScopeStep, "shop", "GET /0"}, {ScopeStep, "shop", "GET /1"}}
	var got []RowKey
	for _, r := range p.Rows {
		got = append(got, r.RowKey)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	row := p.Rows[2]
	if row.Base.Requests != 800 || row.Head.Requests != 800 || row.Base.Status[200] != 800 || len(row.Rate) != 20 || len(row.Errored) != 20 {
		t.Errorf("row %+v", row)
	}
	for q, k := range map[float64]int{0.5: 20, 0.95: 20, 0.99: 4} {
		got, ok := row.Quantile(q)
		if !ok || len(got.Differences) != k {
			t.Errorf("p%g: %d chunks, want %d", 100*q, len(got.Differences), k)
		}
		mean := 0.0
		for _, d := range got.Differences {
			mean += d / float64(k)
		}
		if math.Abs(mean) > 0.2 || math.Abs(got.Head-got.Base) > 0.2 || got.Base < 9 {
			t.Errorf("p%g: differences of the same target about %.3f, base %.2f, head %.2f", 100*q, mean, got.Base, got.Head)
		}
	}
}

// TestPairSwapped: with the arms exchanged every difference turns its sign.
func TestPairSwapped(t *testing.T) {
	t.Parallel()
	r := duel(t, 1, 15, 50)
	there := pairs(t, r)
	for i := range r.Rounds {
		r.Rounds[i].Arm = map[string]string{"base": "head", "head": "base"}[r.Rounds[i].Arm]
	}
	back := pairs(t, r)
	for i, row := range there.Rows {
		for j, q := range row.Latency {
			for k, d := range q.Differences {
				if other := back.Rows[i].Latency[j].Differences[k]; d != -other {
					t.Fatalf("difference %g one way, %g the other", d, other)
				}
			}
		}
	}
}

func TestPairLeavesOutDisturbedBlocks(t *testing.T) {
	t.Parallel()
	r := duel(t, 1, 10, 50)
	for i := range r.Rounds {
		round := &r.Rounds[i]
		switch {
		case round.Block == 1 && round.Arm == "head":
			round.Dropped = 1
		case round.Block == 2 && round.Arm == "base":
			round.Health.LagP99 = 51 * time.Millisecond
		case round.Block == 3:
			round.Excluded = "somebody said so"
		case round.Block == 4:
			round.Health.LagP99 = 50 * time.Millisecond // late, but not too late
		case round.Block == 5 && round.Arm == "head":
			round.Arm = "base" // no head
		}
	}
	p := pairs(t, r)
	if p.All != 9 || p.Blocks != 6 || p.LateBase != 2 || p.LateHead != 1 {
		t.Errorf("%d of %d blocks, late: base %d, head %d", p.Blocks, p.All, p.LateBase, p.LateHead)
	}
	// What was dropped is the target's doing: it counts, but for latency.
	row := p.Rows[0]
	if p.Sound != 7 || len(row.Rate) != 7 || row.Head.Requests != 350 || row.Head.Successes != 300 {
		t.Errorf("%d sound blocks, %d rates, %d requests, %d latencies; want 7, 7, 350, 300", p.Sound, len(row.Rate), row.Head.Requests, row.Head.Successes)
	}
	if p.HeadArrivals.Dropped != 1 || p.HeadArrivals.Rounds != 1 || p.BaseArrivals.Dropped != 0 {
		t.Errorf("dropped: base %+v, head %+v", p.BaseArrivals, p.HeadArrivals)
	}
	r.Rounds[0].Steps[0].Latency = []byte("HISTFAAA")
	if _, err := Pair(r); err == nil {
		t.Error("a damaged histogram is no error")
	}
	if p := pairs(t, &Run{}); p.Blocks != 0 || len(p.Rows) != 1 {
		t.Errorf("no rounds: %+v", p)
	}
}
