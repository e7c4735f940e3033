package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// A collector reads the ledger each second, and where a round begins or ends
// between two seconds, and keeps what the result needs of it.
type collector struct {
	plan   plan.Plan
	ledger *ledger
	each   func(*result.Interval) (stop string)
	live   func(*result.Second) // fills in the users at work
	start  time.Time

	probe   *probe
	scratch *hdr.Histogram
	shape   shape
	total   *books
	partial *books // of the second so far, where it was read within
	parted  bool   // it was
	from    reading
	at      time.Duration // of the last reading, as planned
	second  time.Duration // start of the second
	rounds  rounds
	series  series
	summary summary
	shown   shown
	recent  *recent
	err     error
}

func newCollector(p plan.Plan, s shape, l *ledger, opt Options) *collector {
	c := &collector{
		plan: p, ledger: l, each: opt.Each, shape: s,
		probe: newProbe(), scratch: result.NewHistogram(), total: newBooks(s), recent: newRecent(s.steps),
	}
	c.rounds.length = roundLength(opt.Round, p.Measured(), p.Counted())
	return c
}

// begin is called at the start of the run.
func (c *collector) begin(start time.Time) {
	c.start = start
	c.from = c.probe.read()
	c.turn(0, c.from)
}

// run collects until ended is closed; stop is called when Each wants an end.
func (c *collector) run(ended <-chan struct{}, stop func(reason string)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		next := c.next()
		timer.Reset(time.Until(c.start.Add(next)))
		select {
		case <-timer.C:
		case <-ended:
			return
		}
		if reason := c.collect(next); reason != "" {
			stop(reason)
		}
	}
}

// next is the moment of the next reading.
func (c *collector) next() time.Duration {
	next := min(c.second+time.Second, c.plan.NextEdge(c.at))
	if cur := c.rounds.current; cur != nil && cur.end > c.at {
		next = min(next, cur.end)
	}
	return next
}

// collect reads the ledger at a moment that was planned. When the machine was
// asleep a while, the row stands for all of that time.
func (c *collector) collect(planned time.Duration) (stop string) {
	at := max(planned, time.Since(c.start).Truncate(time.Second))
	c.at = at
	tick := c.fold()
	now := c.probe.read()
	if at < c.second+time.Second {
		c.keepPartial(tick)
		c.turn(at, now)
		return ""
	}
	stop = c.closeSecond(c.whole(tick), at.Truncate(time.Second), now)
	c.second = at.Truncate(time.Second)
	c.from = now
	c.turn(at, now)
	return stop
}

// fold reads the ledger and adds what it holds to the run and to the round.
func (c *collector) fold() *books {
	tick := c.ledger.read()
	c.total.merge(tick)
	c.rounds.add(tick)
	return tick
}

// keepPartial keeps what was read within a second for its end.
func (c *collector) keepPartial(tick *books) {
	if c.partial == nil {
		c.partial = newBooks(c.shape)
	}
	if !c.parted {
		c.partial.reset()
		c.parted = true
	}
	c.partial.merge(tick)
}

// whole is the books of the whole second whose last part is tick.
func (c *collector) whole(tick *books) *books {
	if !c.parted {
		return tick
	}
	c.partial.merge(tick)
	c.parted = false
	return c.partial
}

// turn closes the round that ends at a moment and opens the one that begins.
func (c *collector) turn(at time.Duration, now reading) {
	stretch, measured := c.plan.Stretch(at)
	cur := c.rounds.current
	if !measured || (cur != nil && at < cur.end) {
		return
	}
	c.closeRound(at, now)
	c.rounds.begin(at, stretch, c.shape.steps, now)
}

func (c *collector) closeRound(end time.Duration, now reading) {
	if err := c.rounds.finish(end, c.probe, &now, c.scratch); err != nil && c.err == nil {
		c.err = err
	}
}

// closeSecond writes the row that ends at a moment.
func (c *collector) closeSecond(b *books, end time.Duration, now reading) (stop string) {
	row := c.row(b, now)
	row.Length = end - c.second
	if row.Measured {
		c.summary.add(row.Health, now.at.Sub(c.from.at), &b.lag)
	}
	c.series.add(row)
	return c.show(row, b)
}

// row is that of the second which ends now.
func (c *collector) row(b *books, now reading) result.Second {
	row := second(c.second, b, c.scratch)
	middle := c.second + now.at.Sub(c.from.at)/2
	row.Stage, row.Measured = c.stage(middle)
	row.Rate = c.plan.Rate(middle)
	c.live(&row)
	row.Health = c.probe.health(&c.from, &now, &b.lag, b.noPorts, c.scratch)
	return row
}

func (c *collector) show(row result.Second, b *books) (stop string) {
	if c.each == nil {
		return ""
	}
	return c.each(c.shown.interval(row, b, c.recent))
}

// stage is where the run is at a moment: the stage, counted over all tracks, of
// the first track that is in one, preferably a measured one. After the load it
// is the last stage of all.
func (c *collector) stage(at time.Duration) (stage int, measured bool) {
	first, found := 0, -1
	for _, t := range c.plan.Tracks {
		if i := t.StageAt(at - t.Start); i >= 0 {
			if t.Stages[i].Measure {
				return first + i, true
			}
			if found < 0 {
				found = first + i
			}
		}
		first += len(t.Stages)
	}
	if found < 0 {
		found = first - 1
	}
	return found, false
}

// finish is called when all users are gone; end is when the load ended.
func (c *collector) finish(end time.Duration) {
	tick := c.whole(c.fold())
	now := c.probe.read()
	if len(c.series.rows) == 0 || now.at.Sub(c.start)-c.second > sliver {
		_ = c.closeSecond(tick, now.at.Sub(c.start), now) // it is over already
	} else {
		row := c.row(tick, now)
		c.series.finish(row)
		_ = c.show(row, tick)
	}
	c.series.endAt(end)
	c.closeRound(end, now)
}

// A sliver of a second after the last row, in which what was running came to
// its end, is no row of its own: it would look as if the rate had fallen.
const sliver = 100 * time.Millisecond

// export writes what was collected into the result.
func (c *collector) export(r *result.Run) {
	c.total.export(r)
	r.Series = c.series.rows
	r.Rounds = c.rounds.done
	r.Generator = c.summary.generator(c.scratch)
	r.Generator.NoPorts = c.total.noPorts // also of a warm-up: what it had, the rest has not
}

// A summary adds up the health of measured seconds.
type summary struct {
	g          result.Generator
	time       float64 // seconds
	cpu        float64 // CPU share times seconds
	steal      float64
	stealKnown float64 // seconds
	lag        histogram
}

func (s *summary) add(h result.Health, took time.Duration, lag *histogram) {
	secs := took.Seconds()
	s.time += secs
	s.cpu += h.CPU * secs
	if h.Steal >= 0 {
		s.stealKnown += secs
		s.steal += h.Steal * secs
	}
	s.lag.merge(lag)
	s.g.Seconds++
	s.g.CPUMax = max(s.g.CPUMax, h.CPU)
	s.g.GCPauseMax = max(s.g.GCPauseMax, h.GCPause)
	s.g.NoPorts += h.NoPorts
	if h.Busy() {
		s.g.BusySeconds++
	}
	if h.Late() {
		s.g.LateSeconds++
	}
}

func (s *summary) generator(scratch *hdr.Histogram) result.Generator {
	g := s.g
	g.Steal = -1
	if s.time > 0 {
		g.CPU = s.cpu / s.time
	}
	if s.stealKnown > 0 {
		g.Steal = s.steal / s.stealKnown
	}
	g.LagP50, g.LagP99, g.LagMax = s.lag.lags(scratch)
	return g
}
