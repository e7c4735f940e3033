package cli

import (
	"context"
	"fmt"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

const poolHelp = "result `FILE` of an earlier attempt at the same commit: its rounds are judged together with these (may be given again)"

// attempt is what a saved result adds to a later attempt: its run and what its
// job measured again. Attempts that it was itself judged with are left: their own
// files tell of them.
func attempt(file *result.File) ([]*result.Summary, error) {
	first, err := result.Summarize(file.Run)
	if err != nil {
		return nil, err
	}
	all := []*result.Summary{first}
	for _, s := range file.Again {
		if !s.Again {
			break
		}
		all = append(all, s)
	}
	return all, nil
}

// poolFiles reads the attempts that --pool names.
func poolFiles(env *Env, names []string) ([]*result.Summary, error) {
	var all []*result.Summary
	for _, name := range names {
		file, err := readResult(env, name)
		if err != nil {
			return nil, fmt.Errorf("--pool %w", err)
		}
		runs, err := attempt(file)
		if err != nil {
			return nil, usagef("--pool %s: damaged (%w): leave it out", name, err)
		}
		all = append(all, runs...)
	}
	return all, nil
}

// fromFiles is a job's pool of attempts that were read already.
func fromFiles(all []*result.Summary) func(context.Context, *measurement) ([]*result.Summary, []verdict.Reason) {
	if len(all) == 0 {
		return nil
	}
	return func(context.Context, *measurement) ([]*result.Summary, []verdict.Reason) { return all, nil }
}
