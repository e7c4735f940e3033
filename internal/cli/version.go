package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/pflag"
)

// version is that of the module this binary was built from, as the Go tool
// recorded it, or "dev".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}

func versionCommand() command {
	return command{
		name:    "version",
		summary: "print the version",
		example: "loadline version",
		flags: func(*pflag.FlagSet) runFunc {
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				fmt.Fprintf(env.Stdout, "loadline %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return ExitPass, nil
			}
		},
	}
}
