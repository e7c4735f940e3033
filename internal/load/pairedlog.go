package load

import (
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A pairedLog keeps what a paired run measured: the rounds of both sides, and
// the rest of the head. Rows of the series are seconds of the head's time, which
// the rounds of the base interrupt.
type pairedLog struct {
	head    *arm
	each    func(*result.Interval) (stop string)
	probe   *probe
	scratch *hdr.Histogram
	start   time.Time
	end     time.Duration // of the last round
	rounds  rounds
	total   *books // of the head
	summary summary
	err     error

	measured time.Duration    // of the head
	driven   [3]time.Duration // both sides: all, and of it with a busy and with a late generator
	series   series
	shown    shown
	row      *books // the second that is under way
	rowAt    time.Duration
	rowTook  time.Duration // of the head's time
	rowFrom  reading
}

func newPairedLog(head *arm, each func(*result.Interval) string) *pairedLog {
	return &pairedLog{
		head: head, each: each, probe: newProbe(), scratch: result.NewHistogram(),
		total: newBooks(head.shape), row: newBooks(head.shape),
	}
}

// begin is called before the first load of a series.
func (l *pairedLog) begin() {
	if l.start.IsZero() {
		l.start = time.Now()
	}
}

// round keeps the round that drive does on an arm. nil: it took no time at all.
func (l *pairedLog) round(a *arm, length time.Duration, drive func(begin time.Time) (overran bool)) *result.Round {
	from := l.probe.read()
	begin := time.Now()
	at := begin.Sub(l.start)
	l.rounds.length = length
	l.rounds.begin(at, at+length, a.shape.steps, from)
	over := make(chan bool, 1)
	go func() { over <- drive(begin) }()
	overran := false
	if a == l.head {
		overran = l.follow(begin, length, from, over)
	} else {
		overran = <-over
		l.rounds.add(a.ledger.read())
	}
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
	switch {
	case overran:
		round.Excluded = fmt.Sprintf("requests were still running %s after the end of the round", unit.Duration(drainTime))
	case round.Length < length:
		round.Excluded = "the run ended before the round was over"
	}
	if a == l.head {
		l.measured += round.Length
	}
	l.summary.add(round.Health, now.at.Sub(from.at), &current.lag)
	l.driven[0] += round.Length
	if round.Health.CPU > busyCPU {
		l.driven[1] += round.Length
	}
	if round.Health.LagP99 > lateLag {
		l.driven[2] += round.Length
	}
	return round
}

// follow waits for a round of the head to end, and keeps its seconds meanwhile.
func (l *pairedLog) follow(begin time.Time, length time.Duration, from reading, over <-chan bool) (overran bool) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	if l.rowTook == 0 {
		l.rowAt, l.rowFrom = begin.Sub(l.start), from
	}
	at := time.Duration(0)
	for {
		next := at + time.Second - l.rowTook
		if next >= length {
			break
		}
		timer.Reset(time.Until(begin.Add(next)))
		select {
		case overran = <-over:
			l.fold()
			l.rowTook += time.Since(begin) - at
			return overran
		case <-timer.C:
		}
		l.fold()
		l.closeRow()
		l.rowAt = begin.Sub(l.start) + next
		at = next
	}
	overran = <-over
	l.fold()
	if l.rowTook += length - at; l.rowTook >= time.Second {
		l.closeRow()
	}
	return overran
}

// fold reads what the head recorded.
func (l *pairedLog) fold() {
	b := l.head.ledger.read()
	l.rounds.add(b)
	l.total.merge(b)
	l.row.merge(b)
}

func (l *pairedLog) closeRow() {
	now := l.probe.read()
	row := l.second(now)
	l.series.add(row)
	if l.each != nil {
		if reason := l.each(l.shown.interval(row, l.row)); reason != "" {
			l.head.stop(reason)
		}
	}
	l.row.reset()
	l.rowTook, l.rowFrom = 0, now
}

func (l *pairedLog) second(now reading) result.Second {
	row := second(l.rowAt, l.row, l.scratch)
	row.Measured = true
	row.Rate = l.head.plan.Rate(0)
	row.Users, row.InFlight = int(l.head.users.Load()), int(l.head.inFlight.Load())
	row.Health = l.probe.health(&l.rowFrom, &now, &l.row.lag, l.row.noPorts, l.scratch)
	return row
}

// export writes what there is into a result.
func (l *pairedLog) export(r *result.Run) {
	r.Started, r.Duration, r.Measured = l.start, l.end, l.measured
	l.total.export(r)
	r.Series = append(r.Series, l.series.rows...)
	if l.rowTook > sliver {
		r.Series = append(r.Series, l.second(l.probe.read()))
	}
	r.Rounds = append(r.Rounds, l.rounds.done...)
	r.Generator = l.summary.generator(l.scratch)
	whole := func(d time.Duration) int { return int(d.Round(time.Second) / time.Second) }
	r.Generator.Seconds, r.Generator.BusySeconds, r.Generator.LateSeconds = whole(l.driven[0]), whole(l.driven[1]), whole(l.driven[2])
}
