package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// maxRows is how many rows the series may have: two hours of seconds. A longer
// run joins neighbouring rows, and again, so that memory does not grow with time.
const maxRows = 7200

// series are the rows of result.Run.Series.
type series struct {
	rows []result.Second
	span int // seconds that a full row covers
	part int // seconds in the last row
}

// add appends a second, to the last row while that is not full.
func (s *series) add(row result.Second) {
	if s.part > 0 && s.part < s.span {
		joinRows(&s.rows[len(s.rows)-1], row, 1/float64(s.part+1))
		s.part++
		return
	}
	if len(s.rows) == maxRows {
		s.halve()
	}
	s.rows = append(s.rows, row)
	s.part = 1
}

// finish adds a last row that took next to no time to the one before.
func (s *series) finish(row result.Second) {
	row.Length = 0
	joinRows(&s.rows[len(s.rows)-1], row, 0)
}

// endAt tells the rows when the load ended: those after it hold what was running
// then, and one may have been cut short.
func (s *series) endAt(end time.Duration) {
	for i := range s.rows {
		row := &s.rows[i]
		switch {
		case row.At >= end && i > 0:
			row.Rest = true
		case row.At < end && row.At+row.Length > end:
			row.Length = end - row.At
		}
	}
}

// halve joins each two neighbouring rows. All are full, and their number even.
func (s *series) halve() {
	half := s.rows[:0]
	for i := 0; i < len(s.rows); i += 2 {
		row := s.rows[i]
		joinRows(&row, s.rows[i+1], 0.5)
		half = append(half, row)
	}
	clear(s.rows[len(half):])
	s.rows = half
	s.span = max(s.span, 1) * 2
}

// joinRows adds a later row, which is the given share of both. Counts add up;
// users and rates are means; of percentiles, which cannot be joined, the higher
// is kept, so that joining hides no slow moment. A row is measured if a part
// of it is.
func joinRows(a *result.Second, b result.Second, share float64) {
	mean := func(x, y float64) float64 { return x*(1-share) + y*share }
	a.Users = int(mean(float64(a.Users), float64(b.Users)) + 0.5)
	a.InFlight = int(mean(float64(a.InFlight), float64(b.InFlight)) + 0.5)
	a.Rate = mean(a.Rate, b.Rate)
	a.Length += b.Length
	a.Measured = a.Measured || b.Measured
	a.Offered += b.Offered
	a.Dropped += b.Dropped
	a.Completed += b.Completed
	a.Failed += b.Failed
	a.Status = joinCounts(a.Status, b.Status)
	a.Errors = joinCounts(a.Errors, b.Errors)
	a.P50, a.P95, a.P99 = max(a.P50, b.P50), max(a.P95, b.P95), max(a.P99, b.P99)
	a.Health = joinHealth(a.Health, b.Health, share)
}

// second makes a row out of the books of a second.
func second(at time.Duration, b *books, scratch *hdr.Histogram) result.Second {
	row := result.Second{At: at, Status: map[int]int64{}, Errors: map[string]int64{}}
	for _, f := range b.flows {
		row.Offered += f.Offered
		row.Dropped += f.Dropped
	}
	scratch.Reset()
	for _, c := range b.cells {
		if c.count == 0 {
			continue
		}
		row.Completed += c.count
		if c.key.failed {
			row.Failed += c.count
		}
		if c.key.status != 0 {
			row.Status[int(c.key.status)] += c.count
		}
		if err := c.key.err(); err != "" {
			row.Errors[err] += c.count
		}
		c.latency.fill(scratch)
	}
	if scratch.TotalCount() > 0 {
		row.P50 = scratch.ValueAtPercentile(50)
		row.P95 = scratch.ValueAtPercentile(95)
		row.P99 = scratch.ValueAtPercentile(99)
	}
	return row
}
