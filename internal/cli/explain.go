package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/spec"
)

func explainCommand() command {
	return command{
		name:    "explain",
		args:    "[KEY]",
		summary: "explain a key of the spec: what it means, its type, default and range",
		example: "loadline explain load.rate",
		flags: func(*pflag.FlagSet) runFunc {
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if len(args) > 1 {
					return ExitUsage, exactly(args, "KEY")
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
