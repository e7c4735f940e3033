package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func compareCommand() command {
	return command{
		name:    "compare",
		args:    "BASE.json... HEAD.json",
		summary: "judge saved results, no load: the last one against those before it",
		example: "loadline compare main-1.json main-2.json main-3.json branch.json",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &measureFlags{}
			f.addOutputs(fs)
			fs.StringVar(&f.failOn, "fail-on", "", failOnHelp)
			rules := fs.StringArray("rule", nil, "compare by this rule, such as \"latency.p95 within 10% or 5ms\", instead of the default ones (may be given again)")
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if len(args) < 2 {
					return ExitUsage, usageError{errors.New("name at least two results: BASE.json HEAD.json")}
				}
				return compareResults(env, f, args, *rules)
			}
		},
	}
}

// compareResults judges the last of the named results against the others. The
// spec's limits are not part of a comparison.
func compareResults(env *Env, f *measureFlags, names, rules []string) (Exit, error) {
	fail, err := parseFailOn(f.failOn)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	if err := checkOutputs(env, f.outputs()); err != nil {
		return ExitUsage, err
	}
	compare, err := compareRules(rules)
	if err != nil {
		return ExitUsage, err
	}
	found := &measurement{saved: true}
	last := names[len(names)-1]
	file, err := readResult(env, last)
	if err != nil {
		return ExitUsage, err
	}
	found.run = file.Run
	head, err := result.Summarize(file.Run)
	if err != nil {
		return ExitUsage, usagef("%s: damaged (%w): measure again", last, err)
	}
	for _, name := range names[:len(names)-1] {
		base, err := readResult(env, name)
		if err != nil {
			return ExitUsage, err
		}
		s, err := result.Summarize(base.Run)
		if err != nil {
			return ExitUsage, usagef("%s: damaged (%w): measure again", name, err)
		}
		// Newest first, as a store gives them.
		found.base = append([]*result.Summary{s}, found.base...)
	}
	found.verdict = verdict.Judge(verdict.Input{
		Run: found.run, Head: head, Base: found.base, Gate: verdict.Gate{Compare: compare},
	})
	return f.conclude(env, found, report.Context{
		HeadSHA: found.run.Commit, SpecPath: found.run.File, Environment: found.run.Environment.Label, Profile: found.run.Profile,
		Version: version(), BaseSHA: found.base[0].Commit,
	}, fail)
}

func compareRules(texts []string) ([]verdict.Compare, error) {
	if len(texts) == 0 {
		texts = spec.DefaultCompare
	}
	var all []verdict.Compare
	for _, text := range texts {
		r, err := rule.ParseCompare(text, rule.Own{})
		if err != nil {
			var at *rule.Error
			if errors.As(err, &at) && at.Hint != "" {
				err = fmt.Errorf("%w; %s", err, at.Hint)
			}
			return nil, usagef("--rule %q: %w", text, err)
		}
		all = append(all, verdict.Compare{Rule: r})
	}
	return all, nil
}
