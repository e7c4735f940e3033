package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// A slot is one or more seconds of the series, drawn as one point. Where seconds
// share a slot, latency is that of the worst of them (p50: of the middle one),
// rates are means and counts per second: a spike of one second is never lost.
type slot struct {
	at, length      time.Duration
	measured        bool
	stage           int
	p50, p95, p99   float64 // µs; NaN: nothing was answered
	asked, begun    float64 // iterations per second
	reached, failed float64 // per second
	dropped         float64
	users, inFlight float64 // most
	cpu, lag        float64 // worst: share, µs
	steal           float64 // worst share; NaN: unknown
	other           map[string]float64
}

// maxSlots is as many points as a chart of 700 px can tell apart, maxNumbers as
// many rows as a reader may want of the same as a table.
const (
	maxSlots   = 360
	maxNumbers = 60
)

// slots gathers the series of a run into at most so many slots. What came after
// the load is left out: it would look as if the rate had fallen.
func slots(series []result.Second, most int) []slot {
	for len(series) > 1 && series[len(series)-1].Rest {
		series = series[:len(series)-1]
	}
	per := max(1, (len(series)+most-1)/most)
	var all []slot
	for chunk := range slices.Chunk(series, per) {
		all = append(all, newSlot(chunk))
	}
	return all
}

func newSlot(seconds []result.Second) slot {
	first, last := &seconds[0], &seconds[len(seconds)-1]
	s := slot{
		at: first.At, length: last.At - first.At + length(last), measured: last.Measured, stage: last.Stage,
		p50: math.NaN(), p95: math.NaN(), p99: math.NaN(), steal: math.NaN(), other: map[string]float64{},
	}
	var middles []float64
	n := 0.0 // seconds of load
	for i := range seconds {
		n += length(&seconds[i]).Seconds()
	}
	for i := range seconds {
		sec := &seconds[i]
		if sec.P50 > 0 || sec.P99 > 0 {
			middles = append(middles, float64(sec.P50))
			s.p95, s.p99 = worst(s.p95, float64(sec.P95)), worst(s.p99, float64(sec.P99))
		}
		s.asked += sec.Rate / float64(len(seconds))
		s.begun += float64(sec.Offered-sec.Dropped) / n
		s.reached += float64(sec.Completed) / n
		s.failed += float64(sec.Failed) / n
		s.dropped += float64(sec.Dropped) / n
		s.users = max(s.users, float64(sec.Users))
		s.inFlight = max(s.inFlight, float64(sec.InFlight))
		s.cpu = max(s.cpu, sec.Health.CPU)
		s.lag = max(s.lag, float64(sec.Health.LagP99.Microseconds()))
		if sec.Health.Steal >= 0 {
			s.steal = worst(s.steal, sec.Health.Steal)
		}
		for status, count := range sec.Status {
			if status < 200 || status > 299 {
				s.other[strconv.Itoa(status)] += float64(count) / n
			}
		}
		for kind, count := range sec.Errors {
			s.other[clean(kind, 24)] += float64(count) / n
		}
	}
	if len(middles) > 0 {
		slices.Sort(middles)
		s.p50 = middles[len(middles)/2]
	}
	return s
}

// length is how much load a row stands for.
func length(s *result.Second) time.Duration { return cmp.Or(s.Length, time.Second) }

// worst is the larger of two values, either of which may be missing.
func worst(a, b float64) float64 {
	if math.IsNaN(a) {
		return b
	}
	return max(a, b)
}

// points places one value of each slot on the time axis.
func points(all []slot, of func(*slot) float64) []xy {
	end := all[len(all)-1].at + all[len(all)-1].length
	out := make([]xy, len(all))
	for i := range all {
		s := &all[i]
		middle := s.at + s.length/2
		out[i] = xy{int(float64(middle) / float64(end) * full), of(s)}
	}
	return out
}

// top is the highest of several series.
func top(series ...[]xy) float64 {
	high := 0.0
	for _, points := range series {
		for _, q := range points {
			if q.v > high {
				high = q.v
			}
		}
	}
	return high
}
