package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func mergeCommand() command {
	return command{
		name:    "merge",
		args:    "RESULT.json...",
		summary: "shards of one run become one result, and the limits of the spec are judged on it",
		example: "loadline merge shard-1.json shard-2.json shard-3.json --json result.json",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &measureFlags{}
			f.addOutputs(fs)
			fs.StringVar(&f.failOn, "fail-on", "", failOnHelp)
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if len(args) == 0 {
					return ExitUsage, usageError{errors.New("name the results of all shards: SHARD-1.json SHARD-2.json")}
				}
				return mergeResults(env, f, args)
			}
		},
	}
}

// mergeResults joins the named shards and judges what comes of it. It is compared
// with nothing: that is what `loadline compare` and a baseline are for.
func mergeResults(env *Env, f *measureFlags, names []string) (Exit, error) {
	fail, err := parseFailOn(f.failOn)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	if err := checkOutputs(env, f.outputs()); err != nil {
		return ExitUsage, err
	}
	var shards []*result.Run
	for _, name := range names {
		file, err := readResult(env, name)
		if err != nil {
			return ExitUsage, err
		}
		shards = append(shards, file.Run)
	}
	run, err := result.Merge(shards, names)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	in := verdict.Input{Run: run, NoBase: &verdict.Reason{Code: "no-baseline", Message: "merge compares with nothing: use `loadline compare`"}}
	if in.Gate.Limits, in.Notes, err = shardLimits(run); err != nil {
		return ExitUsage, err
	}
	found := &measurement{run: run, saved: true, verdict: verdict.Judge(in)}
	return f.conclude(env, found, report.Context{
		HeadSHA: run.Commit, SpecPath: run.File, Environment: run.Environment.Label, Profile: run.Profile, Version: version(),
	}, fail)
}

// shardLimits are the limits that the shards noted, to be judged over all of the
// load. Of one that every stretch of a run is held to, the stretches that a
// shard saw broken are taken over; numbers of things, which no shard can watch,
// are judged over the whole, and that is said.
func shardLimits(run *result.Run) (limits []verdict.Limit, notes []verdict.Reason, err error) {
	own := ownNames(&run.Catalog)
	for _, noted := range run.Shard.Limits {
		r, err := rule.ParseLimit(noted.Limit, own)
		if err != nil {
			return nil, nil, usagef("the limit %q of the shards: damaged (%w): measure again", noted.Limit, err)
		}
		l := verdict.Limit{Rule: r, Warn: noted.Warn, Line: noted.Line, After: noted.After, Window: noted.Window}
		if noted.Broken {
			l.Seen = &verdict.Breach{At: noted.At, Value: noted.Value}
		}
		if l.Window > 0 && ofTheWhole(r) {
			notes = append(notes, verdict.Reason{
				Code:    "shard-window",
				Message: fmt.Sprintf("the limit %s is one for every stretch of the run, which shards cannot count: it was judged over all of it", noted.Limit),
				Line:    noted.Line,
			})
		}
		limits = append(limits, l)
	}
	return limits, notes, nil
}

// ownNames are the metrics and tags that a spec defined, as its catalog has them.
func ownNames(c *result.Catalog) rule.Own {
	own := rule.Own{Metrics: map[string]rule.Kind{}}
	for _, m := range c.Metrics {
		own.Metrics[m.Name] = rule.Kind(m.Kind)
	}
	for _, s := range c.Steps {
		for tag := range s.Tags {
			if !slices.Contains(own.Tags, tag) {
				own.Tags = append(own.Tags, tag)
			}
		}
	}
	return own
}
