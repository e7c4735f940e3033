package result

import (
	"fmt"
	"math"
	"time"

	"github.com/loadline-ci/loadline/internal/stat"
)

// pairLag is the send lag, p99, beyond which a round of a paired run does not count.
const pairLag = 50 * time.Millisecond

// A Pairing is a paired run, block by block: what the verdict on it rests on.
// A block holds a round of each arm, driven by the same arrivals one after the
// other, so that what slows a machine down slows both.
type Pairing struct {
	Rows []PairRow // total, scenarios, steps, as in a Summary
	All  int       // blocks with a round of each arm
	// Sound counts those in which the generator did its part: by them requests,
	// errors and throughput are judged. Load is that of both arms in them.
	Sound int
	Load  time.Duration
	// Blocks counts the sound ones in which no arrival was dropped either: by them
	// latency is judged, as who was served with others turned away tells little.
	Blocks int
	// LateBase and LateHead count the blocks that are not sound, by the arm in
	// whose round the generator was late.
	LateBase, LateHead int
	// BaseArrivals and HeadArrivals are those of all blocks that are sound.
	BaseArrivals, HeadArrivals Arrivals
}

// Arrivals of one arm: how many were due, and how many of them were dropped since
// all users were still waiting for answers.
type Arrivals struct {
	Offered, Dropped int64
	Rounds           int // in which any was dropped
}

func (a *Arrivals) add(r *Round) {
	a.Offered += r.Offered
	a.Dropped += r.Dropped
	if r.Dropped > 0 {
		a.Rounds++
	}
}

// Share is that of the arrivals that were dropped, 0 to 1.
func (a Arrivals) Share() float64 { return float64(a.Dropped) / math.Max(float64(a.Offered), 1) }

// A PairRow is one row of both arms.
type PairRow struct {
	RowKey
	Control bool
	Line    int

	Base, Head ArmCounts
	// Errored holds, by sound block, how many requests of base and head failed or had a
	// check that did not hold.
	Errored [][2]int64
	// Rate holds, by sound block, ln(head / base) of the requests that ended.
	Rate []float64
	// Latency holds a PairQuantile for each of SummaryQuantiles that the
	// requests suffice for.
	Latency []PairQuantile
}

// ArmCounts sums up a row of one arm.
type ArmCounts struct {
	Requests, Failed, Errored int64
	Successes                 int64 // with a latency that is judged
	Status                    map[int]int64
	Errors                    map[string]int64
}

// A PairQuantile is one latency quantile of a row, base against head.
type PairQuantile struct {
	Q float64
	// Differences holds, by chunk of blocks, ln(head / base). A chunk has at least
	// two requests beyond the quantile on each side.
	Differences []float64
	Base, Head  float64 // trimmed mean over chunks of ln µs
}

// Pair lines up the rounds of a paired run, those before any restart. An error
// means that a histogram is damaged.
func Pair(r *Run) (*Pairing, error) { return PairAfter(r, 0) }

// PairAfter is Pair for the rounds driven after both sides were restarted so
// many times.
func PairAfter(r *Run, restarts int) (*Pairing, error) {
	p := &Pairing{}
	rows := rowsOf(&r.Catalog)
	cut := make([][]pairCut, len(rows))
	for _, b := range blocks(r, restarts) {
		p.All++
		lateBase, lateHead := b.base.late(), b.head.late()
		if lateBase {
			p.LateBase++
		}
		if lateHead {
			p.LateHead++
		}
		if lateBase || lateHead {
			continue
		}
		p.Sound++
		p.Load += b.base.Length + b.head.Length
		p.BaseArrivals.add(b.base)
		p.HeadArrivals.add(b.head)
		whole := b.base.Dropped+b.head.Dropped == 0
		if whole {
			p.Blocks++
		}
		base, err := roundBars(b.base)
		if err != nil {
			return nil, err
		}
		head, err := roundBars(b.head)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			cut[i] = append(cut[i], pairCut{rows[i].arm(b.base, base, whole), rows[i].arm(b.head, head, whole)})
		}
	}
	for i := range rows {
		p.Rows = append(p.Rows, rows[i].pair(cut[i], r.Open))
	}
	return p, nil
}

type block struct{ base, head *Round }

// blocks lists the blocks that hold a round of each arm, in order.
func blocks(r *Run, restarts int) []block {
	at := map[int]int{}
	var all []block
	for i := range r.Rounds {
		round := &r.Rounds[i]
		if round.Restarts != restarts {
			continue
		}
		n, ok := at[round.Block]
		if !ok {
			n = len(all)
			at[round.Block] = n
			all = append(all, block{})
		}
		switch round.Arm {
		case "base":
			all[n].base = round
		case "head":
			all[n].head = round
		}
	}
	whole := all[:0]
	for _, b := range all {
		if b.base != nil && b.head != nil {
			whole = append(whole, b)
		}
	}
	return whole
}

// Disturbed says that the generator was in the way of a round of a paired run: it
// dropped arrivals, was late by more than 50 ms, or had to cut the round short.
func (r *Round) Disturbed() bool { return r.late() || r.Dropped > 0 }

// late says that the generator did not do its part of a round. Arrivals that are
// dropped are not among its faults: the users were still waiting for the target.
func (r *Round) late() bool { return r.Excluded != "" || r.Health.LagP99 > pairLag }

func roundBars(r *Round) (map[int][]bar, error) {
	all := make(map[int][]bar, len(r.Steps))
	for i := range r.Steps {
		b, err := r.Steps[i].bars()
		if err != nil {
			return nil, fmt.Errorf("round %d of the run, step %d: %w", r.Index, r.Steps[i].Step, err)
		}
		all[r.Steps[i].Step] = b
	}
	return all, nil
}

// A pairCut is one block of one row.
type pairCut struct{ base, head armCut }

type armCut struct {
	counts  ArmCounts
	bars    []bar
	offered int64
	seconds float64
}

// arm sums up one round of the row; its latencies count in a whole block only.
func (g *gathering) arm(r *Round, bars map[int][]bar, whole bool) armCut {
	one := gathering{steps: g.steps}
	one.add(r, bars, false)
	c := armCut{
		counts: ArmCounts{
			Requests: one.Requests, Failed: one.Failed, Errored: one.Errored, Status: one.Status, Errors: one.Errors,
		},
		offered: r.Offered, seconds: r.Length.Seconds(),
	}
	if whole && len(one.rounds) > 0 {
		c.bars = one.rounds[0]
		c.counts.Successes = count(c.bars)
	}
	return c
}

func (a *ArmCounts) add(b *ArmCounts) {
	a.Requests += b.Requests
	a.Failed += b.Failed
	a.Errored += b.Errored
	a.Successes += b.Successes
	a.Status = addCounts(a.Status, b.Status)
	a.Errors = addCounts(a.Errors, b.Errors)
}

func (g *gathering) pair(cuts []pairCut, open bool) PairRow {
	row := PairRow{RowKey: g.Key(), Control: g.Control, Line: g.Line}
	for i := range cuts {
		c := &cuts[i]
		row.Base.add(&c.base.counts)
		row.Head.add(&c.head.counts)
		row.Errored = append(row.Errored, [2]int64{c.base.counts.Errored, c.head.counts.Errored})
		row.Rate = append(row.Rate, c.head.rate(open)-c.base.rate(open))
	}
	for _, q := range SummaryQuantiles {
		if found, ok := pairQuantile(cuts, q); ok {
			row.Latency = append(row.Latency, found)
		}
	}
	return row
}

// rate is ln of the requests per arrival (open) or second; half a request stands
// for none.
func (a *armCut) rate(open bool) float64 {
	per := a.seconds
	if open {
		per = float64(a.offered)
	}
	return math.Log(max(float64(a.counts.Requests), 0.5) / max(per, 1e-3))
}

// pairQuantile joins adjacent blocks until both sides hold enough requests, and
// takes the difference of each such chunk. What is left at the end joins the last.
func pairQuantile(cuts []pairCut, q float64) (PairQuantile, bool) {
	enough := chunkTail/(1-q) - 1e-9
	type chunk struct{ base, head [][]bar }
	var chunks []chunk
	var open chunk
	var bases, heads int64
	for i := range cuts {
		open.base, open.head = append(open.base, cuts[i].base.bars), append(open.head, cuts[i].head.bars)
		bases += cuts[i].base.counts.Successes
		heads += cuts[i].head.counts.Successes
		if float64(bases) >= enough && float64(heads) >= enough {
			chunks = append(chunks, open)
			open, bases, heads = chunk{}, 0, 0
		}
	}
	if len(chunks) == 0 {
		return PairQuantile{}, false
	}
	last := &chunks[len(chunks)-1]
	last.base, last.head = append(last.base, open.base...), append(last.head, open.head...)
	found := PairQuantile{Q: q}
	var base, head []float64
	for _, c := range chunks {
		b, h := merged(c.base), merged(c.head)
		base = append(base, quantile(b, count(b), q))
		head = append(head, quantile(h, count(h), q))
		found.Differences = append(found.Differences, head[len(head)-1]-base[len(base)-1])
	}
	found.Base, found.Head = stat.Locate(base).Y, stat.Locate(head).Y
	return found, true
}

// Quantile returns the row's quantile q; false when there is none.
func (r *PairRow) Quantile(q float64) (PairQuantile, bool) {
	for _, have := range r.Latency {
		if math.Abs(have.Q-q) < 1e-9 {
			return have, true
		}
	}
	return PairQuantile{}, false
}
