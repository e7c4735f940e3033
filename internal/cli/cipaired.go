package cli

import (
	"context"
	"net/url"
	"time"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// compareInputs are the inputs of the Action that ask for base and head in one run.
type compareInputs struct {
	url   string // of the base; "": stored runs are compared with
	start string // command that brings the base up
	load  time.Duration
}

// compare reads the inputs of an A/B run.
func (r *inputReader) compare() compareInputs {
	in := compareInputs{url: r.values["compare-url"], start: r.values["compare-start"]}
	var err error
	switch in.load, err = unit.ParseDuration(r.values["compare-duration"]); {
	case err != nil:
		r.fail("input compare-duration: %w", err)
	case in.load < shortestAB || in.load > longestAB:
		r.fail("input compare-duration is %q: an A/B run takes %s to %s of load", r.values["compare-duration"], unit.FormatDuration(shortestAB), unit.FormatDuration(longestAB))
	}
	if u, err := url.Parse(in.url); in.url != "" && (err != nil || u.Host == "") {
		r.fail("input compare-url is %q: write a URL such as http://127.0.0.1:8081", in.url)
	}
	if in.start != "" && in.url == "" {
		r.fail("input compare-start is set without compare-url: say where the base answers")
	}
	return in
}

// paired says whether base and head are compared in one run. A run that is to
// become a baseline is of one target alone: it is measured as the others of its
// kind were.
func (c *ciRun) paired() bool { return c.in.compare.url != "" && !c.store.mayUpdate() }

// measure measures one spec: base and head by turns where the workflow names a
// base and the event has one, else the target alone.
func (c *ciRun) measure(ctx context.Context, env *Env, j job) (*measurement, error) {
	if !c.paired() {
		m, err := measure(ctx, env, j)
		if err == nil && c.in.compare.url != "" && m.run.NotReady == "" && ctx.Err() == nil {
			c.learn(ctx, env, j)
		}
		return m, err
	}
	f, p := c.pairOf(j)
	m, err := comparePair(ctx, env, f, p)
	if m != nil {
		// The commands may hold what the comment must not show.
		f.starts = [2]string{}
		m.again = f.reproduce(j.file)
		m.base = c.pastOf(ctx, m.run)
	}
	return m, err
}

// pastOf are the stored runs of what a paired run measured, to be drawn and no more:
// nothing is decided by them. They were measured with the same spec, one target
// alone.
func (c *ciRun) pastOf(ctx context.Context, run *result.Run) []*result.Summary {
	if run.NotReady != "" || run.Interrupted {
		return nil
	}
	found, err := c.store.find(context.WithoutCancel(ctx), baseline.Query{
		Spec: run.Spec, Profile: run.Profile, Fingerprint: run.Fingerprint, Parts: run.Parts, Environment: run.Environment,
	})
	if err != nil {
		c.log.Info("the history is not drawn", "reason", err)
		return nil
	}
	return found.Summaries()
}

// learn drives base and head by turns for one look where nothing is to be judged:
// on the default branch both are what main is, as a rule, and pull requests cannot
// write down what they learn of how far deployments differ. What goes wrong
// here is told, and changes nothing.
func (c *ciRun) learn(ctx context.Context, env *Env, j job) {
	f, p := c.pairOf(j)
	f.quiet = true // the spec's warnings were shown
	f.load = max(f.load/verdict.Looks, shortestAB)
	side := &pair{flags: f, pairJob: p, measurement: &measurement{}, calibrates: true, unsure: true}
	_, err := side.calibrate(ctx, env, leastSee)
	switch {
	case err != nil:
		c.log.Warn("nothing was learned of how far two deployments differ", "error", err)
	case side.verdict.Outcome == verdict.Invalid:
		c.log.Warn("nothing was learned of how far two deployments differ", "reason", side.mask.String(firstReason(&side.verdict)))
	}
}

// pairOf is an A/B run as the inputs describe it.
func (c *ciRun) pairOf(j job) (*abFlags, pairJob) {
	f := &abFlags{
		measureFlags: *j.flags, urls: [2]string{c.in.compare.url, j.flags.target}, starts: [2]string{c.in.compare.start, c.in.start},
		load: c.in.compare.load,
	}
	p := pairJob{
		file: j.file, commit: j.commit, options: [2]string{"the input compare-start", "the input start"}, ready: j.ready,
		hosts: [2][]string{c.baseHosts(), j.hosts}, store: c.store.store, live: j.live, govern: j.govern, version: j.version, most: j.most,
		// A fork's token cannot write, and a job that follows the advice to read only cannot either.
		keeps: !c.event.ReadOnly(),
		unkept: func(err error) {
			c.log.Info("what this comparison says of the noise of deployments was not kept", "error", err)
		},
	}
	return f, p
}

// baseHosts are the hosts that the load of the base may reach.
func (c *ciRun) baseHosts() []string {
	u, err := url.Parse(c.in.compare.url)
	if err != nil {
		return []string{} // none; the input was checked
	}
	return append([]string{u.Host}, c.in.hosts...)
}
