package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
)

// Run does what a plan says and returns what came of it. The error is for a
// plan or catalog that cannot be run, and for a result that could not be put
// together; a run that went badly is a result.
//
// Each track goes by one absolute schedule, so a late arrival makes no later one
// late. An arrival takes an idle user, the one that worked last, or has a new
// one started and waits for it, or for another that gets idle before, with its
// due time. No more than max_users arrivals are at work or waiting at once; one
// beyond that is dropped and counted.
//
// When a track's time is over its iterations may finish for the graceful stop;
// requests that are then cut off are not counted. The same holds when
// Options.Each or a user stops the run. When ctx is done the run ends at once.
func Run(ctx context.Context, p plan.Plan, newUser NewUser, opt Options) (*result.Run, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("planning the load: %w", err)
	}
	e, err := newEngine(p, newUser, opt)
	if err != nil {
		return nil, err
	}
	return e.run(ctx)
}

// An engine is one run under way.
type engine struct {
	plan    plan.Plan
	opt     Options
	newUser NewUser
	ledger  *ledger
	collect *collector
	catalog result.Catalog
	start   time.Time

	users    atomic.Int64
	inFlight atomic.Int64
	// What they were when a track ended, for the row that is written after it.
	lastUsers, lastInFlight atomic.Int64

	quit  chan struct{} // closed: begin nothing more
	abort chan struct{} // closed: and end what is running

	mu          sync.Mutex
	stopped     string
	interrupted bool
}

func newEngine(p plan.Plan, newUser NewUser, opt Options) (*engine, error) {
	e, s, err := newDriver(p, newUser, opt)
	if err != nil {
		return nil, err
	}
	e.collect = newCollector(p, s, e.ledger, opt)
	e.collect.live = func(row *result.Second) {
		row.Users = int(max(e.users.Load(), e.lastUsers.Swap(0)))
		row.InFlight = int(max(e.inFlight.Load(), e.lastInFlight.Swap(0)))
		if opt.Control != nil {
			row.Rate = opt.Control.rate(p, row.At+time.Second/2)
		}
	}
	return e, nil
}

// newDriver makes an engine that nothing collects from yet.
func newDriver(p plan.Plan, newUser NewUser, opt Options) (*engine, shape, error) {
	e := &engine{
		plan: p, opt: opt, newUser: newUser, catalog: opt.Catalog,
		quit: make(chan struct{}), abort: make(chan struct{}),
	}
	e.catalog.Stages = Stages(p)
	s := shape{
		scenarios: max(len(e.catalog.Scenarios), scenarios(p)),
		steps:     len(e.catalog.Steps), checks: len(e.catalog.Checks), metrics: len(e.catalog.Metrics),
	}
	for _, m := range e.catalog.Metrics {
		s.trend = append(s.trend, m.Kind == "trend")
	}
	for _, st := range e.catalog.Stages {
		s.measured = append(s.measured, st.Measure)
	}
	const most = 1<<16 - 1 // what an entry holds
	if s.steps > most || len(s.measured) > most {
		return nil, s, fmt.Errorf("the run has %d steps and %d stages: use at most %d of each", s.steps, len(s.measured), most)
	}
	// One buffer for each track's own entries, and for users twice as many as
	// can record at once, so that two seldom want the same.
	e.ledger = newLedger(s, len(p.Tracks)+2*runtime.GOMAXPROCS(0))
	return e, s, nil
}

// Stages are those of all tracks, in order.
func Stages(p plan.Plan) []result.Stage {
	var all []result.Stage
	for _, t := range p.Tracks {
		for _, s := range t.Stages {
			all = append(all, result.Stage{Name: s.Name, Track: t.Name, Measure: s.Measure})
		}
	}
	return all
}

// scenarios is one more than the highest scenario of a plan.
func scenarios(p plan.Plan) int {
	n := 0
	for _, t := range p.Tracks {
		for _, s := range t.Shares {
			n = max(n, s.Scenario+1)
		}
	}
	return n
}

func (e *engine) run(ctx context.Context) (*result.Run, error) {
	all := e.tracks(ctx)
	e.start = time.Now()
	e.collect.begin(e.start)
	ended := make(chan struct{})
	var background, tracks sync.WaitGroup
	background.Go(func() { e.collect.run(ended, e.stop) })
	background.Go(func() {
		select {
		case <-ctx.Done():
			e.interrupt(ctx)
		case <-ended:
		}
	})
	ends := make([]time.Duration, len(all))
	e.opt.Control.begin(e, all)
	for i, t := range all {
		tracks.Go(func() { ends[i] = t.run() })
	}
	tracks.Wait()
	changes := e.opt.Control.end()
	close(ended)
	background.Wait()
	var end time.Duration
	for _, at := range ends {
		end = max(end, at)
	}
	return e.result(end, changes)
}

// tracks makes the tracks, and with Options.Prepare their first users.
func (e *engine) tracks(ctx context.Context) []*track {
	var all []*track
	stage := 0
	for i := range e.plan.Tracks {
		// Values of ctx reach the users; that it is done must not, before what
		// they then record is known to be cut off.
		t := newTrack(context.WithoutCancel(ctx), e, i, stage)
		stage += len(t.Stages)
		if t.Open {
			t.open = newOpen(t)
			if e.opt.Prepare {
				t.open.prepare(ctx)
			}
		}
		all = append(all, t)
	}
	return all
}

func (e *engine) result(end time.Duration, changes []result.Change) (*result.Run, error) {
	e.collect.finish(end)
	r := &result.Run{
		Seed: e.plan.Seed, Started: e.start, Mode: "single", Environment: Environment(),
		Duration: end, Measured: e.plan.MeasuredUntil(end),
		Stopped: e.stopped, Interrupted: e.interrupted, Catalog: e.catalog, Changes: changes,
	}
	for _, t := range e.plan.Tracks {
		r.Open = r.Open || t.Open
	}
	e.collect.export(r)
	return r, e.collect.err
}

// stop ends the load before its time; iterations may finish. The first reason
// stands.
func (e *engine) stop(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped != "" {
		return
	}
	e.stopped = reason
	close(e.quit)
}

func (e *engine) interrupt(ctx context.Context) {
	reason := "the run was interrupted"
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		reason += ": " + cause.Error()
	}
	e.mu.Lock()
	e.interrupted = true
	e.mu.Unlock()
	e.stop(reason)
	close(e.abort)
}

// stopRun is what a user's StopRun does.
func (e *engine) stopRun(scenario int) {
	name := ""
	if scenario < len(e.catalog.Scenarios) {
		name = fmt.Sprintf(" of scenario %q", e.catalog.Scenarios[scenario])
	}
	e.stop("a failed step" + name + " stopped the run, as on_failure = \"stop-run\" asks")
}
