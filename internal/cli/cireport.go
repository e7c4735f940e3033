package cli

import (
	"context"
	"fmt"

	"github.com/loadline-ci/loadline/internal/github"
)

func ciReportCommand() command {
	return command{
		name:    "ci report",
		summary: "what the sub-action report runs: publish results that other jobs uploaded",
		example: "INPUT_ARTIFACT=loadline-result loadline ci report",
		flags:   byInputs(runCIReport),
	}
}

// runCIReport publishes results that jobs before it measured: those of the
// workflow run that a workflow_run event tells of, which may have been a fork's
// and could not comment itself, or those of this run's own matrix. It sends no
// load, reads no checkout and runs nothing of what it reads. Red or green is the
// affair of the jobs that measured: this one only fails when it cannot be used.
func runCIReport(ctx context.Context, env *Env) (Exit, error) {
	c := &ciRun{env: env, actions: github.NewActions(env.Stdout, env.get), out: outDir}
	if err := c.prepare(); err != nil {
		return ExitUsage, err
	}
	if !c.github {
		return ExitUsage, usagef("loadline ci report works in GitHub Actions; elsewhere use `loadline report RESULT.json`")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.in.maxDuration, errTooLong{c.in.maxDuration})
	defer cancel()
	// The spec of the results is not checked out here, so no remark has a place.
	c.in.update, c.in.annotations = "never", false

	why, err := c.standForRun(ctx)
	if err != nil {
		return c.failed(ExitInvalid, err)
	}
	if why != "" {
		return c.nothing(ExitPass, why)
	}
	runs, err := c.savedResults(ctx, c.event.RunID)
	if err != nil {
		return c.failed(ExitInvalid, err)
	}
	if len(runs) == 0 {
		return c.nothing(ExitPass, "There is no result to publish.")
	}
	c.several = len(runs) > 1
	var all []*measurement
	for _, run := range runs {
		m, err := c.judge(ctx, run, c.trusted(ctx))
		if err != nil {
			return c.failed(ExitInvalid, fmt.Errorf("%s: %w", run.Spec, err))
		}
		all = append(all, m)
	}
	ctx = context.WithoutCancel(ctx)
	c.accept(ctx, all)
	c.checksOf(ctx, all)
	defer c.closeChecks(ctx, github.Failure, "no verdict", "loadline ended without a verdict; its log says why.")
	c.publish(ctx, all)
	return ExitPass, nil
}

// checksOf opens a check run for each result, named as the job that measured would
// have named it. A matrix has none: its legs are jobs already, and their names
// would be one.
func (c *ciRun) checksOf(ctx context.Context, all []*measurement) {
	first := all[0].run
	for _, m := range all {
		if m.run.Environment.Label != first.Environment.Label || m.run.Profile != first.Profile {
			return
		}
		c.specs = append(c.specs, m.spec)
	}
	c.in.envLabel, c.in.profile = first.Environment.Label, first.Profile
	c.openChecks(ctx)
}

// standForRun makes the event that of the run whose results are published, with
// the pull request that GitHub's API knows it by. why says that there is nothing
// to publish to.
func (c *ciRun) standForRun(ctx context.Context) (why string, err error) {
	e := c.event
	if e.Name != github.EventWorkflowRun {
		return "", nil // results of this very run
	}
	if e.OtherEvent != github.EventPullRequest {
		return fmt.Sprintf("Run %d was started by %s, not by a pull request: there is nothing to comment on.", e.OtherRunID, shown(e.OtherEvent)), nil
	}
	pull, err := c.client.PullFrom(ctx, e.HeadRepo, e.HeadRef, e.HeadSHA)
	if err != nil {
		return "", err
	}
	if pull == nil {
		return fmt.Sprintf("No open pull request stands at %s of run %d any more: there is nothing to comment on.", shortSHA(e.HeadSHA), e.OtherRunID), nil
	}
	e = e.Of(pull)
	// The comment is that run's: a newer one must be able to tell.
	e.RunID, e.RunAttempt = e.OtherRunID, max(e.OtherRunAttempt, 1)
	c.event = e
	return "", nil
}

// trusted is the commit whose copy of a spec says what is allowed: of a pull
// request where it left its base branch, else the commit itself.
func (c *ciRun) trusted(ctx context.Context) string {
	if c.event.ForPull() && c.event.BaseSHA != "" {
		return c.store.left(ctx)
	}
	return c.event.HeadSHA
}
