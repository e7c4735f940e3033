package load

import (
	"context"
	"hash/crc32"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Noise says how steady this machine is, as a generator of load sees it.
type Noise struct {
	CPUs float64 // that this process may use
	// How much later than its moment a wait ended, of one a millisecond.
	LateP50, LateP99, LateMax time.Duration
	// Apart is by how much the same work took longer in one half of its turns
	// than in the other, A and B in turn: what a comparison would see on this
	// machine though nothing changed. A share: 0.02 is 2 %.
	Apart float64
	// Spread is how much longer the slowest twentieth of the turns took than half
	// of them. A share.
	Spread float64
	Steal  float64 // share of CPU time that the hypervisor took; -1: unknown
	// ClockStep is by how much the wall clock was set while this ran.
	ClockStep time.Duration
	// Open and MostOpen are descriptors in use and allowed; -1: unknown. Ports is
	// how many local ports there are for connections to one address; -1: unknown.
	Open, MostOpen, Ports int
}

// noiseWork is what one turn of work hashes: some hundred microseconds of it.
const noiseWork = 4 << 20

// MeasureNoise looks at the machine for about d, or until ctx ends. Half of the
// time it waits, half of it works on one CPU.
func MeasureNoise(ctx context.Context, d time.Duration) Noise {
	p := newProbe()
	from := p.read()
	wall := from.at.Round(0)
	n := Noise{CPUs: p.cpus, MostOpen: mostDescriptors(), Ports: localPorts()}
	n.wait(ctx, d/2)
	n.work(ctx, d/2)
	to := p.read()
	h := p.health(&from, &to, &histogram{}, 0, hdr.New(1, 1000, 1))
	n.Steal, n.Open = h.Steal, h.FDs
	n.ClockStep = to.at.Round(0).Sub(wall) - to.at.Sub(from.at)
	return n
}

// wait measures how late waits end.
func (n *Noise) wait(ctx context.Context, d time.Duration) {
	w := newWaiter(1000, false)
	defer w.close()
	var late []time.Duration
	for next, end := time.Now(), time.Now().Add(d); next.Before(end) && ctx.Err() == nil; {
		next = next.Add(time.Millisecond)
		w.wait(next)
		late = append(late, max(time.Since(next), 0))
	}
	slices.Sort(late)
	n.LateP50, n.LateP99, n.LateMax = quantileOf(late, 0.5), quantileOf(late, 0.99), quantileOf(late, 1)
}

// work does the same over and over, for A and for B in turn.
func (n *Noise) work(ctx context.Context, d time.Duration) {
	block := make([]byte, noiseWork)
	var sides [2][]time.Duration
	for end := time.Now().Add(d); time.Now().Before(end) && ctx.Err() == nil; {
		for i := range sides {
			began := time.Now()
			block[0] ^= byte(crc32.ChecksumIEEE(block))
			sides[i] = append(sides[i], time.Since(began))
		}
	}
	all := slices.Concat(sides[0], sides[1])
	for _, s := range [][]time.Duration{sides[0], sides[1], all} {
		slices.Sort(s)
	}
	a, b, half := quantileOf(sides[0], 0.5), quantileOf(sides[1], 0.5), quantileOf(all, 0.5)
	if a > 0 && b > 0 {
		n.Apart = float64(max(a, b))/float64(min(a, b)) - 1
	}
	if half > 0 {
		n.Spread = float64(quantileOf(all, 0.95))/float64(half) - 1
	}
}

// quantileOf is a quantile of sorted times; 0 for none.
func quantileOf(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))]
}
