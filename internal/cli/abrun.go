package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/scenario"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A pair is a paired run on its way.
type pair struct {
	*measurement
	pairJob
	flags    *abFlags
	sides    [2]*side
	load     *load.Paired
	watch    *verdict.Watch
	past     baseline.Pairs
	query    baseline.Query
	done     int                   // blocks driven
	observer *observer             // of the target's own metrics; nil: nothing is read
	feeds    map[string]*live.Feed // by side

	calibrates bool // base against itself: no limits
	unsure     bool // as far as anybody knows
}

// A pairJob is what a paired run needs to know beside its flags.
type pairJob struct {
	file    string         // the spec
	commit  string         // of the head
	options [2]string      // what the start commands were given by
	hosts   [2][]string    // of base and head; when set, no other host may be reached
	ready   time.Duration  // when set: the longest to wait for each side
	store   baseline.Store // of earlier comparisons; nil: none is kept
	keeps   bool           // this comparison may be added to them
	unkept  func(error)    // told why it could not; nil: the verdict warns of it
	live    *live.Hub      // told each second how it goes; may be nil
	govern  func(context.Context, *spec.Spec) []verdict.Reason
	version string  // header in which the head must name commit before the load; "": none
	most    float64 // requests per second; 0: as many as the spec says
}

// comparePair is the way of the data of a paired run: both sides are started and
// driven by turns; after each third of the load the verdict says whether it
// stands, wants more, or wants both sides restarted.
func comparePair(ctx context.Context, env *Env, f *abFlags, j pairJob) (*measurement, error) {
	p := &pair{flags: f, pairJob: j, measurement: &measurement{}}
	if err := p.prepare(ctx, env); err != nil {
		return nil, err
	}
	p.again = f.reproduce(j.file)
	p.recall(ctx)
	defer func() { p.close(ctx) }() // also where it fails half-way
	if err := p.open(ctx); err != nil {
		return p.unready(ctx, err)
	}
	var err error
	if p.observer, err = observeTarget(ctx, env, p.sides[:], f.allowExec); err != nil {
		return nil, err
	}
	defer p.observer.close()
	judged, err := p.looks(ctx)
	if err != nil {
		return nil, p.mask.Error(err)
	}
	p.notes = append(p.notes, p.observer.notes(p.run)...)
	p.close(ctx)
	p.verdict = judged.Verdict
	p.remember(ctx, judged)
	p.verdict.Warnings = append(p.verdict.Warnings, p.notes...)
	return p.measurement, nil
}

// rememberTime is how long keeping a comparison may take.
const rememberTime = time.Minute

// remember keeps what a comparison says of the noise of deployments.
func (p *pair) remember(ctx context.Context, judged verdict.PairedResult) {
	if p.store == nil || !p.keeps || p.run.Interrupted || len(judged.Compared) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rememberTime)
	defer cancel()
	err := baseline.AddPairs(ctx, p.store, p.query, judged.Compared, p.past.Calibrated)
	switch {
	case err == nil:
	case p.unkept != nil:
		p.unkept(err)
	default:
		p.warn("pairs-not-stored", "what this comparison says of the noise of deployments was not kept: "+err.Error(),
			"let the job write its store; without that, every run is as careful as the first")
	}
}

// prepare reads the spec, once for each side, and plans the load.
func (p *pair) prepare(ctx context.Context, env *Env) error {
	f := p.flags
	for i, name := range sideNames {
		own := f.measureFlags
		own.target, own.paired = f.urls[i], true
		s, err := readSpec(env, p.file, &own)
		if err != nil {
			return err
		}
		if r := s.Target.Ready; r != nil && p.ready > 0 {
			r.Timeout = min(r.Timeout, p.ready)
		}
		if err := errors.Join(checkRate(s, p.most), checkExec(s, f.allowExec)); err != nil {
			return err
		}
		f.urls[i] = cmp.Or(f.urls[i], s.Target.URL)
		p.sides[i] = &side{
			name: name, spec: s, env: env, command: f.starts[i], option: p.options[i], hosts: p.hosts[i], wait: p.ready,
			mask: newMask(s.SecretValues()),
		}
	}
	head := p.sides[1]
	head.version, head.commit = p.version, p.commit
	s := head.spec
	if p.govern != nil {
		p.notes = append(p.notes, p.govern(ctx, s)...)
	}
	p.spec, p.mask = s, p.sides[1].mask
	if !f.quiet {
		for _, w := range s.Warnings {
			_, _ = fmt.Fprintf(env.Stderr, "loadline: warning: %s\n", w)
		}
	}
	steady, err := load.Steady(s.Load)
	if err != nil {
		return usagef("%s: %w", s.File, err)
	}
	names := s.Catalog()
	names.Stages = load.Stages(steady)
	if !p.calibrates {
		p.watch = verdict.NewWatch(limits(s.Gate.Thresholds), limits(s.StopWhen), &names)
	}
	p.feeds = map[string]*live.Feed{}
	for _, name := range sideNames {
		p.feeds[name] = live.NewFeed(steady, names, name, f.load)
		p.feeds[name].Title = s.Name
	}
	p.load, err = load.NewPaired(steady, p.sides[0].newUser, p.sides[1].newUser, load.PairedOptions{
		Load: f.load,
		Show: func(arm string, iv *result.Interval) {
			p.observer.tell(arm, iv) // Each is told of the same interval
			p.live.Publish(p.feeds[arm].Second(iv))
		},
		Options: load.Options{Catalog: names, Each: func(iv *result.Interval) string {
			why := cmp.Or(tooFast(iv, s, p.most), p.sides[0].stopped(), p.sides[1].stopped())
			if why != "" || p.watch == nil {
				return why
			}
			return p.watch.Each(iv)
		}},
	})
	if err != nil {
		return usagef("%s: %w", s.File, err)
	}
	return nil
}

// recall reads what earlier comparisons say of the noise of deployments.
func (p *pair) recall(ctx context.Context) {
	identified := &result.Run{}
	p.identify(identified)
	p.query = baseline.Query{Spec: identified.Spec, Profile: identified.Profile, Environment: identified.Environment}
	if p.store == nil {
		return
	}
	files, err := p.store.Open(ctx)
	if err == nil {
		p.past, err = baseline.FindPairs(files, p.query)
	}
	if err != nil {
		p.warn("pairs-unreadable", "what earlier comparisons say of the noise of deployments was left out: "+err.Error(), "see that the store can be read; remove the file if it is damaged")
	}
}

func (p *pair) warn(code, message, remedy string) {
	w := verdict.Reason{Code: code, Message: message, Remedy: remedy}
	p.notes = append(p.notes, w)
}

func (p *pair) identify(run *result.Run) {
	identify(run, p.spec, job{flags: &p.flags.measureFlags, commit: p.commit})
	run.Mode = "paired"
}

// open brings both sides up.
func (p *pair) open(ctx context.Context) error {
	for _, s := range p.sides {
		p.live.Publish(p.feeds[s.name].Phase(live.Waiting, bareURL(s.spec.Target.URL)))
		if err := s.open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends the users, then what they were sent to: both sides at once, as a CI
// system that cancels a job gives little time.
func (p *pair) close(ctx context.Context) {
	p.load.Leave()
	var stopping sync.WaitGroup
	for _, s := range p.sides {
		p.notes = append(p.notes, s.clean(ctx)...)
		stopping.Go(s.stop)
	}
	stopping.Wait()
}

// unready is the result of a run that could not begin.
func (p *pair) unready(ctx context.Context, err error) (*measurement, error) {
	run, err := unreadyRun(ctx, *catalog(p.spec), err)
	if err != nil {
		return nil, p.mask.Error(err)
	}
	p.run = run
	p.identify(run)
	p.overdue(ctx)
	p.close(ctx)
	p.verdict = verdict.Paired(verdict.PairedInput{Run: run, Gate: p.gate(), Notes: p.notes}).Verdict
	return p.measurement, nil
}

// confirmBlocks is how long a confirming series is at least: ten blocks are
// judged, and two may be disturbed.
const confirmBlocks = 12

// looks drives a third of the load at a time until the verdict stands.
func (p *pair) looks(ctx context.Context) (verdict.PairedResult, error) {
	planned := p.load.Blocks(p.flags.load)
	for look := 1; ; look++ {
		// A disturbed block is replaced by one of a later third, as long as there is
		// time; the last look takes what there is. Where half of them are disturbed,
		// the look that follows says why.
		third := planned / verdict.Looks
		most := planned - p.done
		if look < verdict.Looks {
			most = min(most, third+third/2)
		}
		p.done += p.load.Drive(ctx, third, most)
		if p.load.Stopped() || p.done >= planned {
			look = verdict.Looks
		}
		in, err := p.input(ctx, look)
		if err != nil {
			return verdict.PairedResult{}, err
		}
		out := verdict.Paired(in)
		switch {
		case out.Next == verdict.Confirm:
			return p.confirm(ctx, in, max(planned/verdict.Looks, confirmBlocks))
		case out.Next == verdict.Continue && look < verdict.Looks:
			continue
		}
		return out, nil
	}
}

// input is what is known at a look.
func (p *pair) input(ctx context.Context, look int) (in verdict.PairedInput, err error) {
	if p.run, err = p.load.Result(); err != nil {
		return in, err
	}
	p.identify(p.run)
	p.overdue(ctx)
	p.observer.add(p.run)
	return verdict.PairedInput{
		Run: p.run, Look: look, Redeploy: p.flags.redeploys(), Calibrated: p.past.Calibrated, Past: p.past.Past,
		Gate: p.gate(), Watch: p.watch, HeadEnded: p.sides[1].gone(),
	}, nil
}

// overdue says that the time of the whole job was over, where that is why the run
// ended: nobody interrupted it then.
func (p *pair) overdue(ctx context.Context) {
	if late := (errTooLong{}); errors.As(context.Cause(ctx), &late) {
		p.run.Interrupted, p.run.Stopped = false, late.Error()
	}
}

// gate is what the spec asks; of base against itself it asks for no limits.
func (p *pair) gate() verdict.Gate {
	g := gate(p.spec)
	if p.calibrates {
		g.Limits = nil
	}
	return g
}

// confirm restarts both sides and drives so many blocks more: whatever the two
// deployments happened to differ by is drawn anew.
func (p *pair) confirm(ctx context.Context, first verdict.PairedInput, blocks int) (verdict.PairedResult, error) {
	p.close(ctx)
	err := p.open(ctx)
	var not *scenario.NotReady
	switch {
	case errors.As(err, &not):
		p.warn("not-restarted", "the second series could not begin: "+not.Reason, "see that the start commands can be run twice")
	case err != nil && ctx.Err() == nil:
		return verdict.PairedResult{}, err
	case err == nil:
		p.load.Drive(ctx, blocks, blocks+blocks/4)
	}
	in, err := p.input(ctx, first.Look)
	if err != nil {
		return verdict.PairedResult{}, err
	}
	if ctx.Err() != nil {
		p.run.Interrupted = true
		p.overdue(ctx)
	}
	if in.Second, err = result.PairAfter(p.run, 1); err != nil {
		return verdict.PairedResult{}, err
	}
	return verdict.Paired(in), nil
}
