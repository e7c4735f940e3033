// Command loadline is a performance gate for pull requests: it drives the load
// of a small TOML spec at a URL, compares what it measured with the baselines
// that main left behind, and says slower, faster, unchanged, or cannot tell.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/loadline-ci/loadline/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks the run to end and write what it has; a second one
	// finds the default handling again and ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(int(cli.Run(ctx, cli.ProcessEnv(), os.Args[1:])))
}
