package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/scenario"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A job is what one measurement of a spec needs to know beside the spec.
type job struct {
	file   string // the spec
	flags  *measureFlags
	commit string
	hosts  []string      // when set: no other host may be reached, whatever the spec says
	ready  time.Duration // when set: the longest to wait for the target
	store  func(context.Context, baseline.Query) (*baseline.Found, error)
	// lineage lists the commits of a spec's "branch:X" or "tag:X".
	lineage func(ctx context.Context, ref string) ([]string, error)
	live    *live.Hub // told each second how it goes; may be nil
	desk    *desk     // its live page; nil: none
	start   string    // command that brings the target up; "": it runs already
	// govern may put other rules in the place of a spec's, and says what it did.
	govern  func(context.Context, *spec.Spec) []verdict.Reason
	version string  // header that must name commit before the load; "": none
	most    float64 // requests per second; 0: as many as the spec says
	// pool gives the earlier attempts at the same commit; may be nil.
	pool func(context.Context, *measurement) ([]*result.Summary, []verdict.Reason)
}

// A measurement is one run of a spec and what it came to.
type measurement struct {
	spec    *spec.Spec
	run     *result.Run
	verdict verdict.Verdict
	base    []*result.Summary // what it was compared with, newest first
	further []*result.Summary // runs of the same commit: of this job first, then of earlier attempts
	notes   []verdict.Reason  // to pass on beside the verdict
	mask    mask
	saved   bool   // read from a file, not measured now
	trend   bool   // its trend was looked through
	again   string // command that measures the same again, where it is not run
}

// measure is the way of the data: a spec is read, its load is driven, what it
// measured is compared with what was stored, and a verdict comes of it.
func measure(ctx context.Context, env *Env, j job) (*measurement, error) {
	part, err := parseShard(j.flags.shard)
	if err != nil {
		return nil, err
	}
	s, err := readSpec(env, j.file, j.flags)
	if err != nil {
		return nil, err
	}
	part.cut(s)
	if !j.flags.quiet {
		for _, w := range s.Warnings {
			fmt.Fprintf(env.Stderr, "loadline: warning: %s\n", w)
		}
	}
	if r := s.Target.Ready; r != nil && j.ready > 0 {
		r.Timeout = min(r.Timeout, j.ready)
	}
	m := &measurement{spec: s, mask: newMask(s.SecretValues())}
	if err := errors.Join(checkRate(s, j.most), checkExec(s, j.flags.allowExec)); err != nil {
		return nil, err
	}
	if j.govern != nil {
		m.notes = j.govern(ctx, s)
	}
	if err := j.desk.open(ctx, env, m, j.live); err != nil {
		return nil, err
	}
	var watch *verdict.Watch
	if m.run, watch, err = m.once(ctx, env, j, part); err != nil {
		return nil, err
	}
	in := verdict.Input{Run: m.run, Gate: gate(s), Watch: watch, Notes: m.notes}
	if part.sign(&in); m.run.Shard.Of > 0 {
		m.verdict = verdict.Judge(in)
		return m, nil
	}
	if err := m.compareWith(context.WithoutCancel(ctx), j, &in); err != nil {
		return nil, err
	}
	m.judge(ctx, env, j, in)
	return m, nil
}

// once drives the whole load of the spec once, from a fresh start.
func (m *measurement) once(ctx context.Context, env *Env, j job, part shard) (*result.Run, *verdict.Watch, error) {
	set, closeSet, err := compile(env, m.spec, j.hosts, m.mask)
	if err != nil {
		return nil, nil, usageError{m.mask.Error(err)}
	}
	defer closeSet()
	target := &side{
		name: "head", spec: m.spec, env: env, command: j.start, option: "the input start", wait: j.ready, mask: m.mask, set: set,
		hosts: j.hosts, version: j.version, commit: j.commit,
	}
	defer target.stop()

	watch := verdict.NewWatch(part.watched(limits(m.spec.Gate.Thresholds)), part.stops(limits(m.spec.StopWhen)), catalog(m.spec))
	run, err := m.drive(ctx, j, target, watch)
	if err != nil {
		return nil, nil, m.mask.Error(err)
	}
	identify(run, m.spec, j)
	if late := (errTooLong{}); errors.As(context.Cause(ctx), &late) {
		run.Interrupted, run.Stopped = false, late.Error()
	}
	return run, watch, nil
}

// compareWith looks for stored runs to compare with.
func (m *measurement) compareWith(ctx context.Context, j job, in *verdict.Input) error {
	if m.spec.Gate.Baseline == "none" || j.store == nil {
		in.NoBase = &verdict.Reason{Code: "no-baseline", Message: "the comparison is switched off"}
		in.Gate.Compare = nil
		return nil
	}
	head, err := result.Summarize(m.run)
	if err != nil {
		return fmt.Errorf("summing up the run: %w", err)
	}
	in.Head = head
	q := baseline.QueryFor(head)
	ref := m.spec.Gate.Baseline
	if strings.Contains(ref, ":") && j.lineage != nil {
		if q.Commits, err = j.lineage(ctx, ref); err != nil {
			in.NoBase = &verdict.Reason{Code: "baseline-unknown", Message: "the spec compares with " + ref + ", and " + err.Error()}
			return nil
		}
	}
	found, err := j.store(ctx, q)
	if err != nil {
		// The run is worth keeping, and its limits worth judging, all the same.
		in.NoBase = &verdict.Reason{Code: "baseline-unreadable", Message: "the baselines could not be read: " + err.Error(), Remedy: "see that the store can be reached, then run again"}
		return nil
	}
	for _, s := range found.Skipped {
		skipped := verdict.Reason{Code: "baseline-skipped", Message: "the stored run " + s.File + " was left out: " + s.Reason, Remedy: "remove the file"}
		if errors.Is(s.Err, result.ErrNewer) {
			skipped.Remedy = "" // others can read it
		}
		in.Notes = append(in.Notes, skipped)
	}
	if miss := found.Miss; miss != nil {
		if miss.Code == "later-commits" && strings.Contains(ref, ":") {
			miss.Message = "none of the stored runs is of a commit of " + ref + ", which the spec compares with"
			miss.Remedy = "measure that commit and store it, or change [gate] baseline"
		}
		in.NoBase = &verdict.Reason{Code: miss.Code, Message: miss.Message, Remedy: miss.Remedy}
	}
	in.Base, in.Weekday = found.Summaries(), found.Weekday
	m.base = in.Base
	return nil
}

// teardownTime is how long [[teardown]] may take after an interrupted run.
const teardownTime = 5 * time.Second

// drive waits for the target, sets it up, sends the load and cleans up again.
// A target that is not there, or a failed setup, is a result too.
func (m *measurement) drive(ctx context.Context, j job, target *side, watch *verdict.Watch) (*result.Run, error) {
	names, set := *catalog(m.spec), target.set
	feed := live.NewFeed(m.spec.Load, names, "", 0)
	feed.Title = m.spec.Name
	if err := j.desk.ready(ctx); err != nil {
		return unreadyRun(ctx, names, err)
	}
	j.live.Publish(feed.Phase(live.Waiting, bareURL(m.spec.Target.URL)))
	if target.command != "" {
		if err := target.start(ctx); err != nil {
			return unreadyRun(ctx, names, err)
		}
	}
	if err := target.ready(ctx); err != nil {
		return unreadyRun(ctx, names, err)
	}
	defer func() {
		m.notes = append(m.notes, target.ended()...)
	}()
	defer func() {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownTime)
		defer cancel()
		if err := set.Teardown(clean); err != nil {
			m.notes = append(m.notes, verdict.Reason{Code: "teardown", Message: m.mask.String(err.Error())})
		}
	}()
	j.live.Publish(feed.Phase(live.Setup, ""))
	if err := set.Setup(ctx); err != nil {
		return unreadyRun(ctx, names, err)
	}
	watching, err := observeTarget(ctx, target.env, []*side{target}, j.flags.allowExec)
	if err != nil {
		return nil, err
	}
	defer watching.close()
	each := func(iv *result.Interval) string {
		watching.tell(target.name, iv)
		j.live.Publish(feed.Second(iv))
		if why := cmp.Or(tooFast(iv, m.spec, j.most), target.stopped()); why != "" {
			return why
		}
		return watch.Each(iv)
	}
	defer func() { m.notes = append(m.notes, missed(set)...) }()
	run, err := load.Run(ctx, m.spec.Load, set.NewUser, load.Options{Catalog: names, Each: each, Prepare: true, Control: j.desk.options()})
	watching.add(run)
	m.notes = append(m.notes, watching.notes(run)...)
	return run, err
}

// missed says which metrics found no number in answers that came.
func missed(set *scenario.Set) []verdict.Reason {
	var all []verdict.Reason
	for _, x := range set.Missed() {
		all = append(all, verdict.Reason{
			Code: "record-missing", Line: x.Line,
			Message: fmt.Sprintf("the metric %s found no number at %s in %s of %s of %s", x.Metric, x.Source, unit.Count(x.Answers), plural(int(x.Of), "answer"), x.Step),
			Remedy:  "look at an answer with loadline run SPEC --once --debug, and correct the path",
		})
	}
	return all
}

// unreadyRun is the result of a run that could not begin, because the target was
// not there, the setup failed, or ctx is done; any other error is returned.
func unreadyRun(ctx context.Context, names result.Catalog, err error) (*result.Run, error) {
	run := &result.Run{Catalog: names, Started: time.Now()}
	var not *scenario.NotReady
	switch {
	case ctx.Err() != nil:
		run.Interrupted, run.Stopped = true, "interrupted before the load began"
	case errors.As(err, &not):
		run.NotReady = not.Reason
	default:
		return nil, err
	}
	return run, nil
}

// awaitTarget waits for a target: as [target.ready] says, or, where that is not
// written and there is time, until a connection is taken.
func awaitTarget(ctx context.Context, s *spec.Spec, set *scenario.Set, most time.Duration) error {
	if s.Target.Ready != nil || most == 0 {
		return set.Ready(ctx)
	}
	deadline := time.Now().Add(most)
	for {
		err := set.Ready(ctx)
		var not *scenario.NotReady
		if !errors.As(err, &not) || time.Until(deadline) < readyEvery {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(readyEvery):
		}
	}
}

// readyEvery is how often a target that is not there yet is tried again.
const readyEvery = time.Second

// identify writes down what was measured, where, and by what.
func identify(run *result.Run, s *spec.Spec, j job) {
	run.Tool = version()
	run.Spec, run.File, run.Profile = s.Name, s.File, s.Profile
	run.Fingerprint, run.Parts = s.Fingerprint, s.Parts
	run.Commit = j.commit
	run.Target = bareURL(s.Target.URL)
	run.Seed = s.Load.Seed
	run.Mode = "single"
	run.Environment = load.Environment()
	run.Environment.Label = j.flags.env
}

// bareURL is a URL without what may be secret in it.
func bareURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// compile makes the users' walks and the client they send with. hosts, when
// set, are the only ones that may be reached.
func compile(env *Env, s *spec.Spec, hosts []string, m mask) (*scenario.Set, func(), error) {
	opts, err := wireOptions(env, s, hosts)
	if err != nil {
		return nil, nil, err
	}
	client, err := wire.NewClient(opts)
	if err != nil {
		return nil, nil, err
	}
	set, err := scenario.Compile(s, scenario.Sessions(client), scenario.Options{
		Mask: m.String, MaskOf: func(secrets []string) func(string) string { return newMask(secrets).String },
	})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return set, func() {
		set.Close()
		client.Close()
	}, nil
}

// wireOptions are how a spec's requests are sent, to no other hosts than those
// that the workflow allows, where it does.
func wireOptions(env *Env, s *spec.Spec, hosts []string) (wire.Options, error) {
	opts, err := scenario.WireOptions(s, env.get)
	if err == nil && hosts != nil {
		if opts.Hosts, err = allowed(opts.Hosts, hosts); err == nil {
			_, err = allowed(append(detours(s), observedHosts(s)...), hosts)
		}
	}
	return opts, err
}
