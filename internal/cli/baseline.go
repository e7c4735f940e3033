package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

func dirFlag(fs *pflag.FlagSet) *string {
	return fs.String("baseline-dir", "baselines", "folder `DIR` of the stored baselines")
}

func baselineSet() command {
	return command{
		name:    "baseline set",
		args:    "RESULT.json...",
		summary: "store measured results as baselines",
		example: "loadline run loadline.toml --json main.json && loadline baseline set main.json",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if len(args) == 0 {
					return ExitUsage, usageError{errors.New("name the result to store, as `loadline run SPEC --json FILE` wrote it")}
				}
				store, where, err := flags.open(env)
				if err != nil {
					return ExitUsage, err
				}
				for _, name := range args {
					file, err := readResult(env, name)
					if err != nil {
						return ExitUsage, err
					}
					summary, err := result.Summarize(file.Run)
					if err != nil {
						return ExitUsage, usagef("%s: damaged (%w): measure again", name, err)
					}
					stored, err := put(ctx, store, summary)
					if errors.Is(err, baseline.ErrUnfit) {
						return ExitInvalid, fmt.Errorf("%s: %w; a baseline must be a whole, healthy run: measure again", name, err)
					}
					if err != nil {
						return ExitInvalid, fmt.Errorf("%s: %w", name, err)
					}
					if _, ok := store.(baseline.Dir); ok {
						fmt.Fprintf(env.Stdout, "stored %s as %s/%s\n", name, where, stored)
					} else {
						fmt.Fprintf(env.Stdout, "stored %s on the %s as %s\n", name, where, stored)
					}
				}
				return ExitPass, nil
			}
		},
	}
}

func baselineList() command {
	return command{
		name:    "baseline list",
		summary: "list the stored runs, newest first",
		example: "loadline baseline list --baseline-dir baselines",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				entries, where, err := flags.list(ctx, env)
				if err != nil {
					return ExitUsage, err
				}
				if len(entries) == 0 {
					fmt.Fprintf(env.Stdout, "no baselines in %s; `loadline baseline set RESULT.json` stores one\n", where)
					return ExitPass, nil
				}
				if err := listBaselines(env.Stdout, entries); err != nil {
					return ExitInvalid, err
				}
				listTrends(env.Stdout, entries)
				return ExitPass, nil
			}
		},
	}
}

func listBaselines(w io.Writer, entries []baseline.Entry) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "STARTED\tSPEC\tPROFILE\tENVIRONMENT\tCOMMIT\tREQUESTS\tFILE")
	for _, e := range entries {
		if e.Err != nil {
			fmt.Fprintf(t, "-\t-\t-\t-\t-\t-\t%s: %v\n", e.File, e.Err)
			continue
		}
		var requests int64
		if total := e.Row(result.RowKey{Scope: result.ScopeTotal}); total != nil {
			requests = total.Requests
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s, %d CPUs\t%s\t%s\t%s\n", e.Started.UTC().Format("2006-01-02 15:04:05"),
			e.Spec, dash(e.Profile), e.Environment.Label, e.Environment.Cores, dash(shortSHA(e.Commit)), unit.Count(requests), e.File)
	}
	return t.Flush()
}

func baselineShow() command {
	return command{
		name:    "baseline show",
		args:    "[FILE]",
		summary: "show one stored run: the newest, or the one whose file name has FILE in it",
		example: "loadline baseline show 8a1e38d",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if len(args) > 1 {
					return ExitUsage, exactly(args, "FILE")
				}
				entries, where, err := flags.list(ctx, env)
				if err != nil {
					return ExitUsage, err
				}
				want := ""
				if len(args) == 1 {
					want = args[0]
				}
				e, err := pick(entries, want, where)
				if err != nil {
					return ExitUsage, err
				}
				if err := showBaseline(env.Stdout, e); err != nil {
					return ExitInvalid, err
				}
				fmt.Fprintf(env.Stdout, "\n%s\n", trendText(alike(entries, e.Summary)))
				return ExitPass, nil
			}
		},
	}
}

// pick finds the newest readable entry whose file name contains want.
func pick(entries []baseline.Entry, want, dir string) (*baseline.Entry, error) {
	var found *baseline.Entry
	for i := range entries {
		e := &entries[i]
		if !strings.Contains(e.File, want) {
			continue
		}
		if e.Err != nil {
			if want != "" {
				return nil, usageError{e.Err}
			}
			continue
		}
		if found == nil || e.Started.After(found.Started) {
			found = e
		}
	}
	if found == nil {
		return nil, usagef("no stored run in %s has %q in its name; `loadline baseline list` shows them", dir, want)
	}
	return found, nil
}

func showBaseline(w io.Writer, e *baseline.Entry) error {
	fmt.Fprintf(w, "%s\n%s, measured %s for %s at commit %s on %s (%s)\n\n", e.File, e.Spec,
		e.Started.UTC().Format("2006-01-02 15:04:05 UTC"), unit.Duration(e.Measured), dash(shortSHA(e.Commit)), e.Environment.CPU, e.Environment.Label)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "requests\tfailed\tp50\tp95\tp99\t  step\t")
	for i := range e.Rows {
		r := &e.Rows[i]
		if r.Scope == result.ScopeScenario {
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t  %s\t\n", unit.Count(r.Requests), unit.Count(r.Failed),
			quantileText(r, 0.5), quantileText(r, 0.95), quantileText(r, 0.99), stepTitle(r))
	}
	return t.Flush()
}

func stepTitle(r *result.Row) string {
	switch {
	case r.Scope == result.ScopeTotal:
		return "all steps"
	case r.Scenario == "":
		return r.Step
	}
	return r.Scenario + ": " + r.Step
}

func quantileText(r *result.Row, q float64) string {
	if v, ok := r.Quantile(q); ok {
		return unit.Micros(v.Micros)
	}
	return "-"
}

func baselinePrune() command {
	return command{
		name:    "baseline prune",
		summary: "remove all but the newest runs of each spec and machine",
		example: "loadline baseline prune --keep 30",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			keep := fs.Int("keep", baseline.Keep, "how many runs of each spec and machine to keep: `N`")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				if *keep < 1 {
					return ExitUsage, usagef("--keep %d: keep at least 1", *keep)
				}
				store, _, err := flags.open(env)
				if err != nil {
					return ExitUsage, err
				}
				gone, err := baseline.Prune(ctx, store, *keep)
				for _, name := range gone {
					fmt.Fprintf(env.Stdout, "removed %s\n", name)
				}
				if err != nil {
					return ExitUsage, usageError{err}
				}
				fmt.Fprintf(env.Stdout, "%s removed\n", plural(len(gone), "run"))
				return ExitPass, nil
			}
		},
	}
}

// readResult reads a result file; its errors name the file.
func readResult(env *Env, name string) (*result.File, error) {
	f, err := os.Open(env.path(name))
	if err != nil {
		return nil, usagef("%s: %w", name, missing(err))
	}
	defer f.Close() //nolint:errcheck // opened for reading
	file, err := result.Read(f)
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	return file, nil
}

// missing is cause for a file that should be there.
func missing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("no such file")
	}
	return cause(err)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func shortSHA(s string) string { return s[:min(len(s), 7)] }

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return unit.Count(int64(n)) + " " + word + "s"
}
