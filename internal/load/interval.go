package load

import (
	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// shown holds the histograms lent out with an Interval, for use again in the
// next second.
type shown struct {
	full   []*hdr.Histogram
	used   int
	trends []*hdr.Histogram
}

func (s *shown) interval(row result.Second, b *books, last *recent) *result.Interval {
	s.used = 0
	last.add(b)
	iv := &result.Interval{Second: row, Recent: last.result(), Tallies: b.usedTallies(), Flows: b.usedFlows()}
	for _, c := range b.sorted() {
		out := result.Cell{Key: c.key.result(), Count: c.count, In: c.in, Out: c.out}
		if c.latency.total > 0 {
			out.Latency = s.lend(&c.latency)
			out.Service = out.Latency
		}
		if c.service != nil && c.service.total > 0 {
			out.Service = s.lend(c.service)
		}
		iv.Cells = append(iv.Cells, out)
	}
	for i := range b.values {
		if v := &b.values[i]; v.count > 0 {
			iv.Values = append(iv.Values, v.result(i, s.lendTrend(i, &v.trend)))
		}
	}
	return iv
}

func (s *shown) lend(h *histogram) *hdr.Histogram {
	if s.used == len(s.full) {
		s.full = append(s.full, result.NewHistogram())
	}
	out := s.full[s.used]
	s.used++
	out.Reset()
	return h.fill(out)
}

func (s *shown) lendTrend(metric int, h *histogram) *hdr.Histogram {
	if h.total == 0 {
		return nil
	}
	for len(s.trends) <= metric {
		s.trends = append(s.trends, nil)
	}
	if s.trends[metric] == nil {
		s.trends[metric] = newTrend()
	}
	s.trends[metric].Reset()
	return h.fill(s.trends[metric])
}
