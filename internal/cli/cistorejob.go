package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadline-ci/loadline/internal/github"
)

func ciStoreCommand() command {
	return command{
		name:    "ci store",
		summary: "what the sub-action store runs: keep results that other jobs uploaded as baselines",
		example: "INPUT_ARTIFACT=loadline-result loadline ci store",
		flags:   byInputs(runCIStore),
	}
}

// runCIStore stores what jobs before it in this run measured, so that only this
// job, which runs nobody's code but loadline's, may write to the repository.
func runCIStore(ctx context.Context, env *Env) (Exit, error) {
	c := &ciRun{env: env, actions: github.NewActions(env.Stdout, env.get), out: outDir}
	if err := c.prepare(); err != nil {
		return ExitUsage, err
	}
	if !c.github {
		return ExitUsage, usagef("loadline ci store works in GitHub Actions; elsewhere use `loadline baseline set RESULT.json`")
	}
	if _, ok := c.store.store.(branchStore); !ok {
		return ExitUsage, usagef("input baseline: a job without a checkout writes to `branch` and to nothing else")
	}
	if !c.store.mayUpdate() {
		return c.nothing(ExitPass, fmt.Sprintf("A %s event stores no baseline here.", c.event.Name))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.in.maxDuration, errTooLong{c.in.maxDuration})
	defer cancel()
	runs, err := c.savedResults(ctx, c.event.RunID)
	if err != nil {
		return c.failed(ExitInvalid, err)
	}
	var errs []error
	var all []*measurement
	for _, run := range runs {
		m, err := c.judge(ctx, run, c.event.HeadSHA)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", run.Spec, err))
			continue
		}
		all = append(all, m)
	}
	c.watchTrend(ctx, all)
	errs = append(errs, c.actions.Output("tracking-issue-url", c.track(ctx, all, c.masks(all))))
	for _, m := range all {
		if !c.store.takes(m.verdict.Head) {
			c.note("%s: a run on a schedule without a profile stores no baseline.", m.spec.Name)
			continue
		}
		errs = append(errs, c.keepOne(ctx, m))
	}
	if err := errors.Join(errs...); err != nil {
		return c.failed(ExitInvalid, err)
	}
	return ExitPass, nil
}
