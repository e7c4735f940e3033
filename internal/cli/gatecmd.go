package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func gateCommand() command {
	return command{
		name:    "gate",
		args:    "RESULT.json",
		summary: "decide again from a saved result, by the spec and the stored runs of today; no load",
		example: "loadline gate result.json --baseline-dir baselines",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &measureFlags{set: fs}
			f.addOutputs(fs)
			f.addEnvironment(fs)
			fs.StringVar(&f.failOn, "fail-on", "", failOnHelp)
			fs.StringArrayVar(&f.pool, "pool", nil, poolHelp)
			accepted := fs.StringArray("accept", nil, "accept a slowdown: `TEXT` such as 'GET /orders p99 +45% because every order is signed now' (may be given again)")
			specFile := fs.String("spec", "", "the spec `FILE` whose [gate] decides (default: the one that the result names)")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "RESULT.json"); err != nil {
					return ExitUsage, err
				}
				return gateAgain(ctx, env, f, args[0], *specFile, *accepted)
			}
		},
	}
}

// gateAgain judges a saved result anew, with what is accepted: in texts, and in the
// file beside the baselines.
func gateAgain(ctx context.Context, env *Env, f *measureFlags, name, specFile string, texts []string) (Exit, error) {
	fail, err := parseFailOn(f.failOn)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	if err := checkOutputs(env, f.outputs()); err != nil {
		return ExitUsage, err
	}
	accepted, err := f.acceptances(env, texts)
	if err != nil {
		return ExitUsage, err
	}
	file, err := readResult(env, name)
	if err != nil {
		return ExitUsage, err
	}
	if file.Run.Mode == "paired" && len(accepted) > 0 {
		m, err := fromFile(name, file) // which decided by both sides; only this is new
		if err != nil {
			return ExitUsage, err
		}
		m.verdict.Accept(accepted)
		return f.conclude(env, m, report.Context{
			HeadSHA: m.run.Commit, SpecPath: m.run.File, Environment: m.run.Environment.Label, Profile: m.run.Profile, Version: version(),
		}, fail)
	}
	if file.Run.Mode == "paired" {
		return ExitUsage, usagef("%s: base and head were measured in one run, which decided already; `loadline report` shows it", name)
	}
	f.profile = file.Run.Profile
	m := &measurement{run: file.Run, further: file.Again, saved: true}
	if m.spec, err = readSpec(env, cmp.Or(specFile, file.Run.File), f); err != nil {
		return ExitUsage, err
	}
	m.mask = newMask(m.spec.SecretValues())
	earlier, err := poolFiles(env, f.pool)
	if err != nil {
		return ExitUsage, err
	}
	find, err := f.finder(env)
	if err != nil {
		return ExitUsage, err
	}
	in := verdict.Input{Run: m.run, Gate: gate(m.spec)}
	if m.spec.Fingerprint != m.run.Fingerprint {
		in.Notes = append(in.Notes, verdict.Reason{
			Code: "spec-changed", Message: "the spec has changed since this run was measured: its rules decide, its load is not what was driven",
		})
	}
	lineage := func(ctx context.Context, ref string) ([]string, error) { return localLineage(ctx, env, ref) }
	if err := m.compareWith(ctx, job{store: find, lineage: lineage}, &in); err != nil {
		return ExitUsage, err
	}
	m.further = distinct(append(m.further, earlier...))
	in.Again = m.further
	m.verdict = verdict.Judge(in)
	if err := keepWatched(file, &m.verdict); err != nil {
		return ExitUsage, usagef("%s: damaged (%w): measure again", name, err)
	}
	m.verdict.Accept(accepted)
	return f.conclude(env, m, report.Context{
		HeadSHA: m.run.Commit, SpecPath: m.spec.File, Environment: m.run.Environment.Label, Profile: m.run.Profile, Version: version(),
	}, fail)
}

// acceptances are those of the texts, and of the file in the folder of baselines.
func (m *measureFlags) acceptances(env *Env, texts []string) ([]rule.Acceptance, error) {
	all, err := readAcceptances(env, m.baselineDir)
	if err != nil {
		return nil, usageError{err}
	}
	for _, text := range texts {
		a, err := rule.ParseAcceptance(text)
		if err != nil {
			return nil, usagef("--accept: %w", err)
		}
		all = append(all, a)
	}
	return all, nil
}

// distinct leaves out runs that came twice: from the result itself, and by --pool.
func distinct(all []*result.Summary) []*result.Summary {
	var kept []*result.Summary
	seen := map[string]bool{}
	for _, s := range all {
		id := fmt.Sprint(s.Started.UnixNano(), s.Attempt, s.Again)
		if !seen[id] {
			seen[id] = true
			kept = append(kept, s)
		}
	}
	return kept
}

// keepWatched carries over limits that were found broken while the run went on
// (those with a window): its totals do not show them any more.
func keepWatched(file *result.File, v *verdict.Verdict) error {
	saved, err := savedLimits(file.Thresholds)
	if err != nil {
		return err
	}
	var before struct {
		Outcome verdict.Outcome  `json:"outcome"`
		Reasons []verdict.Reason `json:"reasons"`
	}
	if len(file.Verdict) > 0 {
		if err := json.Unmarshal(file.Verdict, &before); err != nil {
			return err
		}
	}
	for i, l := range v.Limits {
		for _, old := range saved {
			if old.Limit != l.Limit || old.OK || !l.OK || l.Warn {
				continue
			}
			v.Limits[i] = old
			v.Reasons = append(v.Reasons, verdict.Reason{Code: "limit", Message: old.Limit + ": it was " + old.Shown + " while the run went on", Line: old.Line})
			if v.Outcome != verdict.Regression && v.Outcome != verdict.Invalid {
				v.Outcome = verdict.Threshold
			}
		}
	}
	return nil
}
