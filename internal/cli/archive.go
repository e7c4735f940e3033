package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
)

func baselineExport() command {
	return command{
		name:    "baseline export",
		args:    "FILE",
		summary: "write stored runs to one archive, to carry them to another store",
		example: "loadline baseline export runs.tgz --spec api --baseline branch",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			specs := fs.StringArray("spec", nil, "only the runs of the spec `NAME` (may be given again)")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "FILE"); err != nil {
					return ExitUsage, err
				}
				return exportBaselines(ctx, env, flags, args[0], *specs)
			}
		},
	}
}

func exportBaselines(ctx context.Context, env *Env, flags storeFlags, file string, specs []string) (Exit, error) {
	store, where, err := flags.open(env)
	if err != nil {
		return ExitUsage, err
	}
	if err := checkOutputs(env, []output{{"FILE", file}}); err != nil {
		return ExitUsage, err
	}
	files, err := store.Open(ctx)
	if err != nil {
		return ExitInvalid, err
	}
	var archive bytes.Buffer
	n, damaged, err := baseline.Export(&archive, files, version(), func(s *result.Summary) bool {
		return len(specs) == 0 || slices.Contains(specs, s.Spec)
	})
	if err != nil {
		return ExitInvalid, err
	}
	for _, e := range damaged {
		fmt.Fprintf(env.Stderr, "loadline: left out: %v\n", e.Err)
	}
	if n == 0 {
		of := ""
		if len(specs) > 0 {
			of = " of " + strings.Join(specs, ", ")
		}
		return ExitUsage, usagef("%s has no runs%s; `loadline baseline list` shows what is there", where, of)
	}
	if err := writeOutput(env, output{"FILE", file}, archive.Bytes()); err != nil {
		return ExitInvalid, err
	}
	fmt.Fprintf(env.Stdout, "wrote %s to %s\n", plural(n, "run"), file)
	return ExitPass, nil
}

func baselineImport() command {
	return command{
		name:    "baseline import",
		args:    "FILE",
		summary: "add the runs of an archive to a store; those that are there stay as they are",
		example: "loadline baseline import runs.tgz --baseline git:origin",
		flags: func(fs *pflag.FlagSet) runFunc {
			flags := addStoreFlags(fs)
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "FILE"); err != nil {
					return ExitUsage, err
				}
				return importBaselines(ctx, env, flags, args[0])
			}
		},
	}
}

func importBaselines(ctx context.Context, env *Env, flags storeFlags, file string) (Exit, error) {
	store, where, err := flags.open(env)
	if err != nil {
		return ExitUsage, err
	}
	f, err := os.Open(env.path(file))
	if err != nil {
		return ExitUsage, usagef("%s: %w", file, missing(err))
	}
	defer f.Close() //nolint:errcheck // opened for reading
	did, err := baseline.Import(ctx, store, f)
	if err != nil {
		return ExitInvalid, fmt.Errorf("%s: %w", file, err)
	}
	fmt.Fprintf(env.Stdout, "added %s to %s; %s there already\n", plural(did.Added, "run"), where, wereThere(did.Had))
	return ExitPass, nil
}

func wereThere(n int) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}
