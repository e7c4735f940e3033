package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/spec"
)

func explainCommand() command {
	return command{
		name:    "explain",
		args:    "[KEY | FINDING RESULT.json]",
		summary: "explain a key of the spec, or how a saved result came to a finding",
		example: "loadline explain load.rate; loadline explain \"GET /orders p95\" result.json",
		flags: func(*pflag.FlagSet) runFunc {
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if n := len(args); n > 0 && strings.HasSuffix(args[n-1], ".json") {
					return explainFinding(env, strings.Join(args[:n-1], " "), args[n-1])
				}
				if len(args) > 1 {
					return ExitUsage, usagef("name one key of the spec, or a finding and the result file that has it: loadline explain \"GET /orders p95\" result.json")
				}
				text, err := spec.Explain(strings.Join(args, " "))
				if err != nil {
					return ExitUsage, usageError{err}
				}
				fmt.Fprint(env.Stdout, text)
				return ExitPass, nil
			}
		},
	}
}

// explainFinding shows how a saved result came to a finding; "": to those that moved.
func explainFinding(env *Env, about, name string) (Exit, error) {
	found, err := savedMeasurement(env, name)
	if err != nil {
		return ExitUsage, err
	}
	page := report.New(&found.verdict, found.run, report.Context{}, nil)
	if err := showWhy(env, page, found.mask, about); err != nil {
		return ExitUsage, usageError{fmt.Errorf("%s: %w", name, err)}
	}
	return ExitPass, nil
}

// showWhy writes the reasoning behind findings to standard output.
func showWhy(env *Env, page *report.Page, m mask, about string) error {
	var b strings.Builder
	if err := page.Why(&b, report.Terminal{Width: env.Terminal.Width, Unicode: env.Terminal.Unicode}, about); err != nil {
		return err
	}
	_, err := io.WriteString(env.Stdout, m.String(b.String()))
	return err
}

func schemaCommand() command {
	return command{
		name:    "schema",
		summary: "print a JSON schema of the spec, for editors",
		example: "loadline schema > loadline.schema.json   # then, on line 1 of the spec: #:schema ./loadline.schema.json",
		flags: func(*pflag.FlagSet) runFunc {
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				_, err := env.Stdout.Write(spec.Schema())
				return ExitPass, err
			}
		},
	}
}
