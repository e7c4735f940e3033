package load

import (
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// A pairedLog keeps what a paired run measured: the rounds of both sides, and
// the rest of the head. Rows of the series are seconds of the head's time, which
// the rounds of the base interrupt.
type pairedLog struct {
	sides   [2]*armLog // base, head
	each    func(*result.Interval) (stop string)
	show    func(arm string, iv *result.Interval)
	probe   *probe
	scratch *hdr.Histogram
	start   time.Time
	end     time.Duration // of the last round
	rounds  rounds
	summary summary
	driven  [3]time.Duration // both sides: all, and of it with a busy and with a late generator
	shown   shown
	err     error
}

// An armLog is what is kept of one side. It is kept of the base as well, though
// nobody reads it there, so that the work that goes into it disturbs both alike.
type armLog struct {
	*arm
	measured time.Duration
	total    *books
	series   series
	recent   *recent
	row      *books // the second that is under way
	rowAt    time.Duration
	rowTook  time.Duration // of this side's time
	rowFrom  reading
}

func newPairedLog(arms [2]*arm, opt PairedOptions) *pairedLog {
	l := &pairedLog{each: opt.Each, show: opt.Show, probe: newProbe(), scratch: result.NewHistogram()}
	for i, a := range arms {
		l.sides[i] = &armLog{arm: a, total: newBooks(a.shape), recent: newRecent(a.shape.steps), row: newBooks(a.shape)}
	}
	return l
}

// begin is called before the first load of a series.
func (l *pairedLog) begin() {
	if l.start.IsZero() {
		l.start = time.Now()
	}
}

// round keeps the round that drive does on a side (0 base, 1 head). nil: it took
// no time at all.
func (l *pairedLog) round(side int, length time.Duration, drive func(begin time.Time)) *result.Round {
	a := l.sides[side]
	from := l.probe.read()
	begin := time.Now()
	at := begin.Sub(l.start)
	l.rounds.length = length
	l.rounds.begin(at, at+length, a.shape.steps, from)
	over := make(chan struct{})
	go func() {
		defer close(over)
		drive(begin)
	}()
	l.follow(a, begin, length, from, over)
	now := l.probe.read()
	known, current := len(l.rounds.done), l.rounds.current
	l.end = min(time.Since(l.start), at+length)
	if err := l.rounds.close(l.end, l.probe, &now, l.scratch); err != nil && l.err == nil {
		l.err = err
	}
	if len(l.rounds.done) == known {
		return nil
	}
	round := &l.rounds.done[known]
	round.Arm = a.name
	if round.Length < length {
		round.Excluded = "the run ended before the round was over"
	}
	a.measured += round.Length
	l.summary.add(round.Health, now.at.Sub(from.at), &current.lag)
	l.driven[0] += round.Length
	if round.Health.Busy() {
		l.driven[1] += round.Length
	}
	if round.Health.Late() {
		l.driven[2] += round.Length
	}
	return round
}

// follow waits for a round to end, and keeps its seconds meanwhile.
func (l *pairedLog) follow(a *armLog, begin time.Time, length time.Duration, from reading, over <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	if a.rowTook == 0 {
		a.rowAt, a.rowFrom = begin.Sub(l.start), from
	}
	at := time.Duration(0)
	for {
		next := at + time.Second - a.rowTook
		if next >= length {
			break
		}
		timer.Reset(time.Until(begin.Add(next)))
		select {
		case <-over:
			l.fold(a)
			a.rowTook += time.Since(begin) - at
			return
		case <-timer.C:
		}
		l.fold(a)
		l.closeRow(a)
		a.rowAt = begin.Sub(l.start) + next
		at = next
	}
	<-over
	l.fold(a)
	if a.rowTook += length - at; a.rowTook >= time.Second {
		l.closeRow(a)
	}
}

// fold reads what a side recorded.
func (l *pairedLog) fold(a *armLog) {
	b := a.ledger.read()
	l.rounds.add(b)
	a.total.merge(b)
	a.row.merge(b)
}

func (l *pairedLog) closeRow(a *armLog) {
	now := l.probe.read()
	row := l.second(a, time.Second, now)
	a.series.add(row)
	// Of the base as well, though nobody may ask: see armLog.
	l.tell(a, l.shown.interval(row, a.row, a.recent))
	a.row.reset()
	a.rowTook, a.rowFrom = 0, now
}

// tell passes a second of one side on.
func (l *pairedLog) tell(a *armLog, iv *result.Interval) {
	if l.show != nil {
		l.show(a.name, iv)
	}
	if l.each != nil && a == l.sides[1] {
		if reason := l.each(iv); reason != "" {
			a.stop(reason)
		}
	}
}

func (l *pairedLog) second(a *armLog, took time.Duration, now reading) result.Second {
	row := second(a.rowAt, a.row, l.scratch)
	row.Measured, row.Length = true, took
	row.Rate = a.plan.Rate(0)
	row.Users, row.InFlight = int(a.users.Load()), int(a.inFlight.Load())
	row.Health = l.probe.health(&a.rowFrom, &now, &a.row.lag, a.row.noPorts, l.scratch)
	return row
}

// export writes what there is into a result.
func (l *pairedLog) export(r *result.Run) {
	head := l.sides[1]
	r.Started, r.Duration, r.Measured = l.start, l.end, head.measured
	head.total.export(r)
	r.Series = append(r.Series, head.series.rows...)
	if head.rowTook > sliver {
		r.Series = append(r.Series, l.second(head, head.rowTook, l.probe.read()))
	}
	r.Rounds = append(r.Rounds, l.rounds.done...)
	r.Generator = l.summary.generator(l.scratch)
	whole := func(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }
	r.Generator.Seconds, r.Generator.BusySeconds, r.Generator.LateSeconds = whole(l.driven[0]), whole(l.driven[1]), whole(l.driven[2])
}
