package load

import (
	"fmt"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// Limits of rounds: a run of any length keeps at most maxRounds, each as the
// encoded histograms of its steps.
const (
	maxRounds      = 360
	minRound       = 250 * time.Millisecond
	defaultRound   = 5 * time.Second
	countedRound   = time.Second // where iterations end the load, nobody knows when
	roundsMeasured = 12          // by default
)

// rounds cuts the measured time into rounds. A request belongs to the round in
// which it ended; what ends after measured time (its iteration began in it) goes
// to the last round before.
type rounds struct {
	length   time.Duration
	done     []result.Round
	current  *round
	payloads payloader
}

// A round is the one that is being filled.
type round struct {
	start, end time.Duration // since the start of the run, as planned
	from       reading
	offered    int64
	dropped    int64
	noPorts    int64
	lag        histogram
	steps      []roundStep
}

type roundStep struct {
	requests, failed, errored int64
	status                    map[int]int64
	errors                    map[string]int64
	latency                   histogram // of requests that did not fail
}

// roundLength is Options.Round or its default, made longer where the planned
// measured time would not fit into maxRounds.
func roundLength(asked, measured time.Duration, counted bool) time.Duration {
	length := max(asked, minRound)
	switch {
	case asked <= 0 && counted:
		length = countedRound
	case asked <= 0:
		length = min(max(measured/roundsMeasured, minRound), defaultRound)
	}
	if counted {
		return length // measured is only a cap: rounds grow when they must
	}
	for measured > maxRounds*length {
		length *= 2
	}
	return length
}

// begin opens a round at a moment of measured time that goes on until stretch.
// A rest too short for a round of its own belongs to this one.
func (r *rounds) begin(at, stretch time.Duration, steps int, from reading) {
	end := at + r.length
	if stretch-end < r.length/2 {
		end = stretch
	}
	r.current = &round{start: at, end: end, from: from, steps: make([]roundStep, steps)}
}

// add adds the measured part of some books to the current round.
func (r *rounds) add(b *books) {
	cur := r.current
	if cur == nil {
		return
	}
	for _, f := range b.flows {
		if b.measured[f.Stage] {
			cur.offered += f.Offered
			cur.dropped += f.Dropped
		}
	}
	cur.noPorts += b.noPorts
	cur.lag.merge(&b.lag)
	for _, c := range b.cells {
		if c.count > 0 && b.measured[c.key.stage] && int(c.key.step) < len(cur.steps) {
			cur.steps[c.key.step].add(c)
		}
	}
}

func (s *roundStep) add(c *cell) {
	if s.status == nil {
		s.status, s.errors = map[int]int64{}, map[string]int64{}
	}
	s.requests += c.count
	if c.key.status != 0 {
		s.status[int(c.key.status)] += c.count
	}
	if err := c.key.err(); err != "" {
		s.errors[err] += c.count
	}
	if c.key.failed || c.key.checks || c.key.capture {
		s.errored += c.count
	}
	if c.key.failed {
		s.failed += c.count
		return
	}
	s.latency.merge(&c.latency)
}

// finish closes the current round; end is the moment the load ended, or later.
func (r *rounds) finish(end time.Duration, p *probe, to *reading, scratch *hdr.Histogram) error {
	if err := r.close(end, p, to, scratch); err != nil {
		return err
	}
	if len(r.done) >= maxRounds {
		return r.halve()
	}
	return nil
}

func (r *rounds) close(end time.Duration, p *probe, to *reading, scratch *hdr.Histogram) error {
	cur := r.current
	if cur == nil {
		return nil
	}
	r.current = nil
	out := result.Round{
		Index: len(r.done), Start: cur.start, Length: min(cur.end, end) - cur.start,
		Offered: cur.offered, Dropped: cur.dropped,
		Health: p.health(&cur.from, to, &cur.lag, cur.noPorts, scratch),
	}
	if out.Length <= 0 {
		return nil
	}
	if out.Length < (cur.end-cur.start)/2 {
		out.Excluded = "the run ended before half of the round was over"
	}
	for i := range cur.steps {
		s := &cur.steps[i]
		if s.requests == 0 {
			continue
		}
		step := result.RoundStep{Step: i, Requests: s.requests, Failed: s.failed, Errored: s.errored, Status: s.status, Errors: s.errors}
		if s.latency.total > 0 {
			payload, err := r.payloads.encode(&s.latency)
			if err != nil {
				return fmt.Errorf("encoding round %d: %w", out.Index, err)
			}
			step.Latency = payload
		}
		out.Steps = append(out.Steps, step)
	}
	r.done = append(r.done, out)
	return nil
}

// halve joins each two neighbouring rounds, and makes later ones as long.
func (r *rounds) halve() error {
	r.length *= 2
	var half []result.Round
	for len(r.done) > 0 {
		one := r.done[0]
		r.done = r.done[1:]
		if len(r.done) > 0 && r.done[0].Start == one.Start+one.Length {
			if err := join(&one, &r.done[0]); err != nil {
				return err
			}
			r.done = r.done[1:]
		}
		one.Index = len(half)
		half = append(half, one)
	}
	r.done = half
	return nil
}

// join adds the round that follows.
func join(a, b *result.Round) error {
	share := b.Length.Seconds() / (a.Length + b.Length).Seconds()
	a.Health = joinHealth(a.Health, b.Health, share)
	a.Length += b.Length
	a.Offered += b.Offered
	a.Dropped += b.Dropped
	if a.Excluded == "" {
		a.Excluded = b.Excluded
	}
	for _, s := range b.Steps {
		if err := joinStep(a, s); err != nil {
			return fmt.Errorf("joining rounds %d and %d: %w", a.Index, b.Index, err)
		}
	}
	return nil
}

func joinStep(a *result.Round, s result.RoundStep) error {
	i := 0
	for i < len(a.Steps) && a.Steps[i].Step < s.Step {
		i++
	}
	if i == len(a.Steps) || a.Steps[i].Step != s.Step {
		a.Steps = append(a.Steps[:i], append([]result.RoundStep{s}, a.Steps[i:]...)...)
		return nil
	}
	into := &a.Steps[i]
	into.Requests += s.Requests
	into.Failed += s.Failed
	into.Errored += s.Errored
	into.Status = joinCounts(into.Status, s.Status)
	into.Errors = joinCounts(into.Errors, s.Errors)
	switch {
	case len(s.Latency) == 0:
		return nil
	case len(into.Latency) == 0:
		into.Latency = s.Latency
		return nil
	}
	sum, err := hdr.Decode(into.Latency)
	if err != nil {
		return err
	}
	more, err := hdr.Decode(s.Latency)
	if err != nil {
		return err
	}
	sum.Merge(more)
	into.Latency, err = sum.Encode(hdr.V2CompressedEncodingCookieBase)
	return err
}

func joinCounts[K comparable](a, b map[K]int64) map[K]int64 {
	if a == nil {
		return b
	}
	for k, n := range b {
		a[k] += n
	}
	return a
}

// joinHealth is the health of two neighbouring times, of which b is the given
// share: means of shares, and the worse of the rest, so that joining hides no
// bad moment.
func joinHealth(a, b result.Health, share float64) result.Health {
	h := result.Health{
		CPU:     a.CPU*(1-share) + b.CPU*share,
		LagP50:  max(a.LagP50, b.LagP50),
		LagP99:  max(a.LagP99, b.LagP99),
		Steal:   -1,
		GCPause: max(a.GCPause, b.GCPause),
		FDs:     max(a.FDs, b.FDs),
		NoPorts: a.NoPorts + b.NoPorts,
	}
	if a.Steal >= 0 && b.Steal >= 0 {
		h.Steal = a.Steal*(1-share) + b.Steal*share
	}
	return h
}
