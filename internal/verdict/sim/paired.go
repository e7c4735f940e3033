package sim

import (
	"math"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// A Duel is a paired run of one pair of deployments, as long as was planned: one
// second of base and one of head by turns, the whole rate to whichever is on.
type Duel struct {
	src    *Source
	blocks int
	rows   []duelRow
}

type duelRow struct {
	name    string
	errored [][2]int64
	chunks  []duelChunks
}

// duelChunks are the chunks of one quantile.
type duelChunks struct {
	q          float64
	per        int // blocks in a chunk
	base, head []float64
}

// Duel deploys both sides anew and drives them for so many seconds of load,
// both together. The changes are those of the head.
func (s *Source) Duel(seconds int, changes ...Change) *Duel {
	d := &Duel{src: s, blocks: seconds / 2}
	c := s.t.Class
	weather := s.secondly(seconds)
	first := make([]int, d.blocks) // which second of the block is the base's
	for i := range first {
		first[i] = s.rng.IntN(2)
	}
	for e := range s.t.Steps {
		row := duelRow{name: StepName(e)}
		body, tail, failing := 0.0, 0.0, 0.0
		for _, ch := range changes {
			if ch.Step == e || ch.Step == -1 {
				tail += ch.By
				if !ch.Tail {
					body += ch.By
				}
				failing += ch.Errors
			}
		}
		own := s.wander(seconds, c.Round/2, c.Rho)
		sides := [2]deployed{
			{level: s.levels[e] + s.deployment(c.Tau/math.Sqrt2), beyond: s.deployment(0.7 * c.Tau / math.Sqrt2)},
			{level: s.levels[e] + s.deployment(c.Tau/math.Sqrt2), beyond: s.deployment(0.7 * c.Tau / math.Sqrt2)},
		}
		n := int64(s.t.Rate / float64(s.t.Steps))
		for _, q := range []float64{0.50, 0.95, 0.99} {
			ch := duelChunks{q: q, per: max(1, int(math.Ceil(2/(1-q)/float64(n)-1e-9)))}
			for i := 0; i+ch.per <= d.blocks; i += ch.per {
				for arm := range sides {
					x, hog := 0.0, 0.0
					for b := i; b < i+ch.per; b++ {
						at := 2*b + first[b]
						if arm == 1 {
							at = 2*b + 1 - first[b]
						}
						x += (weather.shift[at] + own[at]) / float64(ch.per)
						hog += weather.hog[at] / float64(ch.per)
					}
					x += sides[arm].at(q) + s.order(q, n*int64(ch.per), hog)
					switch {
					case arm == 0:
						ch.base = append(ch.base, x)
					case q < 0.9:
						ch.head = append(ch.head, x+body)
					default:
						ch.head = append(ch.head, x+tail)
					}
				}
			}
			row.chunks = append(row.chunks, ch)
		}
		for range d.blocks {
			var bad int64
			for range n {
				if failing > 0 && s.rng.Float64() < failing {
					bad++
				}
			}
			row.errored = append(row.errored, [2]int64{0, bad})
		}
		d.rows = append(d.rows, row)
	}
	return d
}

// deployed is how one step of one side turned out.
type deployed struct{ level, beyond float64 }

func (d deployed) at(q float64) float64 {
	switch {
	case q < 0.9:
		return d.level
	case q < 0.97:
		return d.level + d.beyond
	default:
		return d.level + 2*d.beyond
	}
}

// secondly is the weather by second.
func (s *Source) secondly(seconds int) weather {
	t := s.t
	s.t.Rounds, s.t.Round = seconds, time.Second
	w := s.weather(1)
	s.t = t
	return w
}

// First lines up the first seconds of the duel, as result.Pair would.
func (d *Duel) First(seconds int) *result.Pairing {
	p := &result.Pairing{Blocks: min(seconds/2, d.blocks), Load: time.Duration(seconds) * time.Second}
	p.All, p.Sound = p.Blocks, p.Blocks
	n := int64(d.src.t.Rate/float64(d.src.t.Steps)) * int64(p.Blocks)
	total := result.PairRow{RowKey: result.RowKey{Scope: result.ScopeTotal}}
	for range p.Blocks {
		total.Rate = append(total.Rate, 0)
	}
	for _, r := range d.rows {
		row := result.PairRow{
			RowKey: result.RowKey{Scope: result.ScopeStep, Step: r.name}, Errored: r.errored[:p.Blocks],
			Base: result.ArmCounts{Requests: n, Successes: n}, Head: result.ArmCounts{Requests: n, Successes: n},
		}
		for _, b := range row.Errored {
			row.Head.Errored += b[1]
			row.Head.Failed += b[1]
		}
		for _, c := range r.chunks {
			k := p.Blocks / c.per
			q := result.PairQuantile{Q: c.q, Base: stat.Locate(c.base[:k]).Y, Head: stat.Locate(c.head[:k]).Y}
			for i := range k {
				q.Differences = append(q.Differences, c.head[i]-c.base[i])
			}
			row.Latency = append(row.Latency, q)
		}
		total.Base.Requests += n
		total.Head.Requests += n
		p.Rows = append(p.Rows, row)
	}
	p.Rows = append([]result.PairRow{total}, p.Rows...)
	return p
}

// Past makes n earlier comparisons of unchanged deployments, for each metric.
func (s *Source) Past(n int) map[string][]stat.Compared {
	all := map[string][]stat.Compared{}
	// In this order: the same seed must draw the same.
	for _, m := range []struct {
		metric string
		q      float64
	}{{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}} {
		for range n {
			side := func() float64 {
				return deployed{s.deployment(s.t.Class.Tau / math.Sqrt2), s.deployment(0.7 * s.t.Class.Tau / math.Sqrt2)}.at(m.q)
			}
			const se = 0.01
			all[m.metric] = append(all[m.metric], stat.Compared{Y: side() - side() + s.normal(se), SE: se})
		}
	}
	return all
}
