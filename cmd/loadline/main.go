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
	// The first signal asks the run to end and write what it has. A second Ctrl-C
	// ends the program at once; a SIGTERM does not, as a runner that cancels a job
	// sends one some seconds after the first signal, while the files are written.
	context.AfterFunc(ctx, func() { signal.Reset(os.Interrupt) })
	code := cli.Run(ctx, cli.ProcessEnv(), os.Args[1:])
	stop()
	os.Exit(int(code))
}
