package load

import (
	"math"

	"github.com/loadline-ci/loadline/internal/result"
)

// A shape says how large the books are.
type shape struct {
	scenarios, steps, checks, metrics int
	trend                             []bool // by metric
	measured                          []bool // by stage
}

// books are what was counted over some time: the moment since the books were
// last read, a second, or the whole run.
type books struct {
	shape
	cells     map[cellKey]*cell
	recent    [64]*cell // by step: most requests are like the last one of their step
	phases    []phases
	tallies   []result.Tally // check by stage
	flows     []result.Flow  // scenario by stage
	values    []value
	iteration histogram // measured stages only
	lag       histogram // every arrival
	noPorts   int64
}

// A cellKey is a result.Key in ten bytes.
type cellKey struct {
	step, stage, status     uint16
	kind, proto             uint8
	capture, failed, checks bool
}

type cell struct {
	key     cellKey
	count   int64
	in, out int64
	latency histogram
	// service is nil as long as it would be the same as latency, which in the
	// closed model it always is.
	service *histogram
}

type phases struct{ dns, connect, tls, ttfb, body, queue histogram }

type value struct {
	count, isTrue       int64
	sum, min, max, last float64
	trend               histogram // thousandths
}

func newBooks(s shape) *books {
	b := &books{shape: s, cells: map[cellKey]*cell{}}
	b.phases = make([]phases, s.steps)
	b.values = make([]value, s.metrics)
	stages := len(s.measured)
	b.tallies = make([]result.Tally, s.checks*stages)
	for i := range b.tallies {
		b.tallies[i] = result.Tally{Check: i / stages, Stage: i % stages}
	}
	b.flows = make([]result.Flow, s.scenarios*stages)
	for i := range b.flows {
		b.flows[i] = result.Flow{Scenario: i / stages, Stage: i % stages}
	}
	return b
}

func (b *books) cell(key cellKey) *cell {
	recent := &b.recent[key.step%uint16(len(b.recent))]
	if *recent != nil && (*recent).key == key {
		return *recent
	}
	c := b.cells[key]
	if c == nil {
		c = &cell{key: key}
		b.cells[key] = c
	}
	*recent = c
	return c
}

func (b *books) request(e *entry) {
	c := b.cell(e.key)
	c.count++
	c.in += e.in
	c.out += e.out
	if e.latency != 0 {
		if e.service != e.latency {
			c.split()
		}
		c.latency.add(uint64(e.latency))
		if c.service != nil {
			c.service.add(uint64(e.service))
		}
	}
	if e.noPort {
		b.noPorts++
	}
	if int(e.key.step) < len(b.phases) && b.measured[e.key.stage] {
		b.phases[e.key.step].add(e)
	}
}

// split begins to keep the service time by itself.
func (c *cell) split() {
	if c.service == nil {
		c.service = new(histogram)
		c.service.merge(&c.latency)
	}
}

func (p *phases) add(e *entry) {
	for _, v := range [...]struct {
		h *histogram
		v uint32
	}{{&p.ttfb, e.ttfb}, {&p.body, e.body}, {&p.queue, e.queue}, {&p.dns, e.dns}, {&p.connect, e.connect}, {&p.tls, e.tls}} {
		if v.v != 0 {
			v.h.add(uint64(v.v))
		}
	}
}

func (b *books) mark(m *mark) {
	i := int(m.index)*len(b.measured) + int(m.stage)
	switch m.kind {
	case markCheck:
		if t := &b.tallies[i]; m.ok {
			t.Passed++
		} else {
			t.Failed++
		}
	case markMetric:
		if b.measured[m.stage] {
			b.values[m.index].add(math.Float64frombits(m.value), m.ok, b.trend[m.index])
		}
	case markOffered:
		b.flows[i].Offered++
		if !m.ok {
			b.flows[i].Dropped++
		}
	case markStarted:
		b.flows[i].Started++
		b.lag.add(m.value)
	case markBegun:
		b.flows[i].Offered++
		b.flows[i].Started++
	case markEnded:
		if m.ok {
			b.flows[i].Completed++
		}
		if b.measured[m.stage] {
			b.iteration.add(m.value)
		}
	case markCut:
		b.flows[i].Cut++
	}
}

func (v *value) add(x float64, isTrue, trend bool) {
	if v.count == 0 {
		v.min, v.max = x, x
	}
	v.count++
	if isTrue {
		v.isTrue++
	}
	v.sum += x
	v.min, v.max, v.last = min(v.min, x), max(v.max, x), x
	if trend {
		v.trend.add(uint64(min(max(x*1000, result.MinMicros), maxTrend)))
	}
}
