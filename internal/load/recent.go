package load

import (
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// recentSeconds is how much of the past the figures of "now" are about: long
// enough that a percentile of some ten requests a second means something.
const recentSeconds = 5

// A glance is what one step, or the whole run, did in the last seconds. It is
// for people who watch, so above 1 ms it counts in buckets of 1.6 %, and takes a
// tenth of the memory of an exact one.
type glance struct {
	window  rough
	seconds [recentSeconds]rough // those that make up the window
}

// A rough histogram has the first piece of a histogram as it is, and of each
// other one 64 buckets instead of 1,024.
type rough struct {
	counts           [1<<stepBits + (roughPieces-1)<<roughBits]uint32
	total            uint32
	requests, failed int64
}

const (
	roughBits   = 6
	roughPieces = 17 // for values up to result.MaxMicros, which has 26 bits
	roughWidth  = 1 << (stepBits - roughBits)
)

// recent keeps the last seconds of each step and of all of them.
type recent struct {
	all   *glance
	steps []*glance // nil until the step is used
	at    int       // slot of the next second
	held  int       // seconds in the window
}

func newRecent(steps int) *recent {
	return &recent{all: &glance{}, steps: make([]*glance, steps)}
}

// add takes in the books of one second and gives up the oldest.
func (r *recent) add(b *books) {
	r.all.open(r.at)
	for _, g := range r.steps {
		if g != nil {
			g.open(r.at)
		}
	}
	for _, c := range b.cells {
		if c.count == 0 {
			continue
		}
		r.all.add(r.at, c)
		if i := int(c.key.step); i < len(r.steps) {
			if r.steps[i] == nil {
				r.steps[i] = &glance{}
			}
			r.steps[i].add(r.at, c)
		}
	}
	r.at = (r.at + 1) % recentSeconds
	r.held = min(r.held+1, recentSeconds)
}

// result is what the window holds now.
func (r *recent) result() result.Recent {
	out := result.Recent{
		Length: time.Duration(r.held) * time.Second, All: r.all.window.figures(),
		Steps: make([]result.RecentFigures, len(r.steps)),
	}
	for i, g := range r.steps {
		if g != nil {
			out.Steps[i] = g.window.figures()
		}
	}
	return out
}

// open makes a slot free for a new second.
func (g *glance) open(slot int) {
	old := &g.seconds[slot]
	if old.requests == 0 {
		return
	}
	for i, n := range old.counts {
		g.window.counts[i] -= n
	}
	g.window.total -= old.total
	g.window.requests -= old.requests
	g.window.failed -= old.failed
	*old = rough{}
}

// add counts a cell in a slot, and in the window.
func (g *glance) add(slot int, c *cell) {
	g.seconds[slot].add(c)
	g.window.add(c)
}

func (r *rough) add(c *cell) {
	r.requests += c.count
	if c.key.failed {
		r.failed += c.count
	}
	for p, piece := range c.latency.pieces[:roughPieces] {
		if piece == nil {
			continue
		}
		for i, n := range piece {
			if n > 0 {
				r.counts[bucket(p, i)] += uint32(n)
			}
		}
	}
	r.total += uint32(c.latency.total)
}

// figures are the counts and the percentiles, in µs.
func (r *rough) figures() result.RecentFigures {
	return result.RecentFigures{
		Requests: r.requests, Failed: r.failed, P50: r.quantile(50), P95: r.quantile(95), P99: r.quantile(99),
	}
}

// quantile is the middle of the bucket in which a percentile (1 to 100) lies;
// 0 where nothing was counted.
func (r *rough) quantile(percent uint64) int64 {
	if r.total == 0 {
		return 0
	}
	rank := max((uint64(r.total)*percent+50)/100, 1) // as HdrHistogram rounds
	var seen uint64
	for i, n := range r.counts {
		if seen += uint64(n); seen >= rank {
			return middle(i)
		}
	}
	return 0
}

// bucket is where a rough histogram counts place i of a piece.
func bucket(piece, i int) int {
	if piece == 0 {
		return i
	}
	return 1<<stepBits + (piece-1)<<roughBits + i/roughWidth
}

// middle is the value in the middle of a bucket, at least 1 µs.
func middle(bucket int) int64 {
	if bucket < 1<<stepBits {
		return max(int64(bucket), 1)
	}
	bucket -= 1 << stepBits
	shift, i := bucket>>roughBits, int64(bucket&(1<<roughBits-1))
	return (1<<stepBits + i*roughWidth + roughWidth/2) << shift
}
