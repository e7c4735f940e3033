package load

import (
	"slices"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// protos are the protocols a response may have come by; the index is what a
// cellKey holds.
var protos = [...]string{"", "1.1", "2", "1.0"}

func protoCode(proto string) uint8 {
	switch proto {
	case "1.1":
		return 1
	case "2":
		return 2
	case "1.0":
		return 3
	}
	return 0
}

func (k cellKey) result() result.Key {
	return result.Key{
		Step: int(k.step), Stage: int(k.stage), Status: int(k.status),
		Error: k.err(), Proto: protos[k.proto], Failed: k.failed, Checks: k.checks,
	}
}

func (k cellKey) err() string {
	if k.kind == 0 && k.capture {
		return "capture"
	}
	return wire.Kind(k.kind).String()
}

// sorted are the cells in the order of the catalog, so that one seed and one
// target give one file.
func (b *books) sorted() []*cell {
	var all []*cell
	for _, c := range b.cells {
		if c.count > 0 {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(x, y *cell) int { return x.key.result().Compare(y.key.result()) })
	return all
}

// export writes the books into a finished Run.
func (b *books) export(r *result.Run) {
	for _, c := range b.sorted() {
		out := result.Cell{Key: c.key.result(), Count: c.count, In: c.in, Out: c.out, Latency: c.latency.full()}
		if c.service != nil {
			out.Service = c.service.full()
		} else if out.Latency != nil {
			out.Service = out.Latency.Clone()
		}
		r.Cells = append(r.Cells, out)
	}
	r.Phases = make([]result.Phases, len(b.phases))
	for i := range b.phases {
		p := &b.phases[i]
		r.Phases[i] = result.Phases{
			DNS: p.dns.coarse(), Connect: p.connect.coarse(), TLS: p.tls.coarse(),
			TTFB: p.ttfb.coarse(), Body: p.body.coarse(), Queue: p.queue.coarse(),
		}
	}
	r.Tallies = b.usedTallies()
	r.Flows = b.usedFlows()
	for i := range b.values {
		r.Values = append(r.Values, b.values[i].result(i, b.values[i].trend.trend()))
	}
	r.Iteration = b.iteration.full()
}

func (v *value) result(metric int, trend *hdr.Histogram) result.Value {
	return result.Value{
		Metric: metric, Count: v.count, True: v.isTrue, Sum: v.sum,
		Min: v.min, Max: v.max, Last: v.last, Hist: trend,
	}
}

func (b *books) usedTallies() []result.Tally {
	var used []result.Tally
	for _, t := range b.tallies {
		if t.Passed+t.Failed > 0 {
			used = append(used, t)
		}
	}
	return used
}

func (b *books) usedFlows() []result.Flow {
	var used []result.Flow
	for _, f := range b.flows {
		if f.Offered+f.Started > 0 {
			used = append(used, f)
		}
	}
	return used
}
