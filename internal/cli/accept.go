package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// maxAcceptances bounds the file of acceptances, in bytes.
const maxAcceptances = 1 << 20

func acceptCommand() command {
	return command{
		name:    "accept",
		summary: "accept what a result calls worse, up to what was measured, in a file that the diff shows",
		example: "loadline accept --from loadline-out/result.json --step 'GET /orders' --because 'every order is signed now'",
		flags: func(fs *pflag.FlagSet) runFunc {
			var o acceptOptions
			fs.StringVar(&o.from, "from", filepath.Join(outDir, "result.json"), "the result `FILE` that calls something worse")
			fs.StringVar(&o.step, "step", "", "accept only the row of this `NAME`, as the report has it")
			fs.StringVar(&o.metric, "metric", "", "accept only this `METRIC`, such as p99")
			fs.StringVar(&o.because, "because", "", "the `REASON`, which stays with the accepted step in the trend")
			fs.StringVar(&o.by, "by", "", "who accepts it: `NAME`")
			fs.StringVar(&o.dir, "baseline-dir", "baselines", "folder `DIR` of the stored baselines: the acceptance goes into its "+baseline.AcceptedFile)
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				return o.accept(env)
			}
		},
	}
}

type acceptOptions struct{ from, step, metric, because, by, dir string }

// accept writes an acceptance for each row that is worse and was asked for.
func (o *acceptOptions) accept(env *Env) (Exit, error) {
	if o.because == "" {
		return ExitUsage, usageError{errors.New("--because is missing: say why it may be slower; the reason stays with the step in the trend")}
	}
	found, err := savedMeasurement(env, o.from)
	if err != nil {
		return ExitUsage, err
	}
	rows, err := o.rows(&found.verdict)
	if err != nil {
		return ExitUsage, err
	}
	file := path.Join(o.dir, baseline.AcceptedFile)
	all, err := readAcceptances(env, o.dir)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	for _, f := range rows {
		a := found.verdict.Acceptance(f)
		a.Reason = o.because
		if a, err = rule.ParseAcceptance(a.String()); err != nil {
			return ExitUsage, usageError{err}
		}
		a.Spec, a.Via, a.By, a.Commit, a.Base, a.Head = found.run.Spec, rule.ViaFile, o.by, found.run.Commit, f.Base, f.Head
		all = append(all, a)
		fmt.Fprintf(env.Stdout, "accepted %s\n", a)
	}
	data, err := baseline.EncodeAccepted(all)
	if err != nil {
		return ExitInvalid, err
	}
	if err := os.MkdirAll(env.path(o.dir), 0o755); err != nil {
		return ExitUsage, usagef("--baseline-dir %s: %w", o.dir, cause(err))
	}
	if err := writeWhole(env.path(file), data); err != nil {
		return ExitUsage, usagef("%s: %w", file, cause(err))
	}
	fmt.Fprintf(env.Stdout, "written to %s: commit it with the change, so that the review sees it; `accept: file` in the workflow reads it\n", file)
	return ExitPass, nil
}

// rows are the findings that are worse and were asked for.
func (o *acceptOptions) rows(v *verdict.Verdict) ([]*verdict.Finding, error) {
	worse := v.Worse()
	if len(worse) == 0 {
		return nil, usagef("%s calls nothing worse, so there is nothing to accept", o.from)
	}
	var rows []*verdict.Finding
	var names, metrics []string
	for _, f := range worse {
		names, metrics = append(names, v.Route(f)), append(metrics, f.Metric)
		if (o.step == "" || v.Named(f, o.step)) && (o.metric == "" || o.metric == f.Metric) {
			rows = append(rows, f)
		}
	}
	switch {
	case len(rows) > 0:
		return rows, nil
	case o.step != "":
		return nil, usagef("--step %q --metric %q: no such row is worse in %s%s; `loadline report %s` shows them", o.step, o.metric, o.from, didYouMean(o.step, names), o.from)
	default:
		return nil, usagef("--metric %q: no such row is worse in %s%s; `loadline report %s` shows them", o.metric, o.from, didYouMean(o.metric, metrics), o.from)
	}
}

// readAcceptances reads the file of acceptances in a folder of baselines; none is
// no mistake.
func readAcceptances(env *Env, dir string) ([]rule.Acceptance, error) {
	name := path.Join(filepath.ToSlash(dir), baseline.AcceptedFile)
	info, err := os.Stat(env.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxAcceptances {
		return nil, fmt.Errorf("%s: has %d bytes, more than any list of acceptances: remove those that are spent", name, info.Size())
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(env.path(name))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, cause(err))
	}
	all, err := baseline.DecodeAccepted(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return all, nil
}
