package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func reportCommand() command {
	return command{
		name:    "report",
		args:    "RESULT.json",
		summary: "show a saved result as text, or write it as Markdown, HTML or JUnit",
		example: "loadline report result.json --html report.html",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &measureFlags{}
			f.addOutputs(fs)
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "RESULT.json"); err != nil {
					return ExitUsage, err
				}
				if err := checkOutputs(env, f.outputs()); err != nil {
					return ExitUsage, err
				}
				found, err := savedMeasurement(env, args[0])
				if err != nil {
					return ExitUsage, err
				}
				// The status says whether the report was made, not what is in it.
				if _, err := f.conclude(env, found, report.Context{
					HeadSHA: found.run.Commit, SpecPath: found.run.File, Environment: found.run.Environment.Label,
					Profile: found.run.Profile, Version: found.run.Tool,
				}, FailOn{}); err != nil {
					return ExitInvalid, err
				}
				return ExitPass, nil
			}
		},
	}
}

// savedMeasurement reads a result with the verdict that was saved in it.
func savedMeasurement(env *Env, name string) (*measurement, error) {
	file, err := readResult(env, name)
	if err != nil {
		return nil, err
	}
	return fromFile(name, file)
}

// fromFile is the measurement that a result file holds, with its verdict.
func fromFile(name string, file *result.File) (*measurement, error) {
	found := &measurement{run: file.Run, further: file.Again, saved: true}
	if len(file.Verdict) == 0 || string(file.Verdict) == "null" {
		return nil, usageError{errors.New(name + ": holds no verdict: it was not written by `loadline run --json`")}
	}
	if err := json.Unmarshal(file.Verdict, &found.verdict); err != nil {
		return nil, usagef("%s: damaged (verdict: %w): measure again", name, err)
	}
	var err error
	if found.verdict.Limits, err = savedLimits(file.Thresholds); err != nil {
		return nil, usagef("%s: damaged (thresholds: %w): measure again", name, err)
	}
	return found, nil
}

// savedLimits reads the thresholds of a result file.
func savedLimits(thresholds json.RawMessage) (limits []verdict.LimitResult, err error) {
	if len(thresholds) == 0 {
		return nil, nil
	}
	err = json.Unmarshal(thresholds, &limits)
	return limits, err
}

// trends are the stored runs as the sparklines show them, oldest first.
func trends(base []*result.Summary) []report.Trend {
	if len(base) < 2 {
		return nil
	}
	var all []report.Trend
	for _, row := range base[0].Rows {
		if row.Scope != result.ScopeStep {
			continue
		}
		for _, q := range row.Latency {
			t := report.Trend{Scenario: row.Scenario, Step: row.Step, Metric: quantileMetric(q.Q)}
			for _, run := range slices.Backward(base) {
				old := run.Row(row.Key())
				if old == nil {
					continue
				}
				if v, ok := old.Quantile(q.Q); ok {
					t.Points = append(t.Points, report.Point{Value: float64(v.Micros), Commit: run.Commit, Accepted: old.Accepted != "", Reason: old.Accepted})
				}
			}
			all = append(all, t)
		}
	}
	return all
}

// quantileMetric is how findings name a latency quantile.
func quantileMetric(q float64) string {
	return map[float64]string{0.50: "p50", 0.90: "p90", 0.95: "p95", 0.99: "p99"}[q]
}
