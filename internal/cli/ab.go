package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/unit"
)

func abCommand() command {
	return command{
		name:    "ab",
		args:    "SPEC",
		summary: "paired run: base and head in one run, alternating rounds",
		example: "loadline ab loadline.toml --base http://127.0.0.1:8081 --head http://127.0.0.1:8082 --base-start './main/shop --port 8081' --head-start './shop --port 8082'",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &abFlags{}
			f.add(fs)
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := f.check(args); err != nil {
					return ExitUsage, err
				}
				return f.run(ctx, env, args[0])
			}
		},
	}
}

// abFlags are the flags of ab: those of every command that measures, with two
// targets instead of one, and a duration for both sides together.
type abFlags struct {
	measureFlags
	urls   [2]string // base, head
	starts [2]string
	load   time.Duration
}

// sideNames are the two sides, in the order in which they are kept.
var sideNames = [2]string{"base", "head"}

// Bounds of --duration.
const (
	abLoad     = "180s"
	shortestAB = 6 * time.Second // twelve blocks of the shortest rounds
	longestAB  = 2 * time.Hour
)

func (f *abFlags) add(fs *pflag.FlagSet) {
	f.addSides(fs)
	f.measureFlags.add(fs)
	_ = fs.MarkHidden("target") // it exists, so that a hint can be given
	f.setDuration(fs, abLoad)
}

func (f *abFlags) addSides(fs *pflag.FlagSet) {
	fs.StringVar(&f.urls[0], "base", "", "`URL` of the base: what the change is compared with")
	fs.StringVar(&f.urls[1], "head", "", "`URL` of the head: the change")
	fs.StringVar(&f.starts[0], "base-start", "", "`CMD` that starts the base and stays in the foreground; loadline stops it, and restarts it to confirm a call")
	fs.StringVar(&f.starts[1], "head-start", "", "`CMD` that starts the head")
}

// setDuration gives --duration the meaning that it has with two sides.
func (f *abFlags) setDuration(fs *pflag.FlagSet, usual string) {
	d := fs.Lookup("duration")
	d.Usage, d.DefValue = "most load `D` that both sides together may take, warm-up and confirming series not counted", usual
	f.duration = usual
}

func (f *abFlags) check(args []string) error {
	if len(args) == 0 {
		return usageError{errNoSpec}
	}
	if err := exactly(args, "SPEC"); err != nil {
		return err
	}
	if f.target != "" {
		return usagef("ab has two targets: name them with --base and --head instead of --target")
	}
	for i, url := range f.urls {
		if url == "" {
			return usagef("--%s is missing: ab needs --base URL and --head URL", sideNames[i])
		}
	}
	return f.checkDuration()
}

func (f *abFlags) checkDuration() (err error) {
	if f.load, err = unit.ParseDuration(f.duration); err != nil {
		return usagef("--duration: %w", err)
	}
	if f.load < shortestAB || f.load > longestAB {
		return usagef("--duration %s: a paired run takes %s to %s of load", f.duration, unit.FormatDuration(shortestAB), unit.FormatDuration(longestAB))
	}
	f.duration = "" // the spec's own is not what is meant
	return nil
}

// redeploys says whether both sides can be restarted.
func (f *abFlags) redeploys() bool { return f.starts[0] != "" && f.starts[1] != "" }

// run drives both sides, writes what was asked for, and says how it went.
func (f *abFlags) run(ctx context.Context, env *Env, file string) (Exit, error) {
	fail, err := parseFailOn(f.failOn)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	if err := checkOutputs(env, f.outputs()); err != nil {
		return ExitUsage, err
	}
	hub := &live.Hub{}
	watched, done := watchRun(env, hub, f.quiet)
	sent, err := sendMetrics(ctx, watched, hub, f.otlp, f.env)
	if err != nil {
		done()
		return ExitUsage, err
	}
	found, err := comparePair(ctx, watched, f, f.job(env, file, hub))
	done()
	sent()
	if err != nil {
		return ExitInvalid, err
	}
	return f.conclude(env, found, report.Context{
		HeadSHA: found.run.Commit, SpecPath: found.run.File, Environment: f.env, Profile: f.profile, Version: version(),
		Reproduce: found.again,
	}, fail)
}

// job is a paired run as the flags describe it.
func (f *abFlags) job(env *Env, file string, hub *live.Hub) pairJob {
	return pairJob{
		file: file, commit: commitFromEnv(env), options: [2]string{"--base-start", "--head-start"},
		store: baseline.Dir(env.path(f.baselineDir)), keeps: true, live: hub,
	}
}

// reproduce is the command line that measures the same again.
func (f *abFlags) reproduce(file string) string {
	words := []string{"loadline", "ab", file}
	for _, w := range []struct{ flag, value string }{
		{"--base", bareURL(f.urls[0])},
		{"--head", bareURL(f.urls[1])},
		{"--base-start", f.starts[0]},
		{"--head-start", f.starts[1]},
		{"--profile", f.profile},
		{"--scenario", f.scenario},
		{"--rate", f.rate},
	} {
		if w.value != "" {
			words = append(words, w.flag, shellQuote(w.value))
		}
	}
	if f.load.String() != "3m0s" {
		words = append(words, "--duration", unit.FormatDuration(f.load))
	}
	if f.allowExec {
		words = append(words, "--allow-exec")
	}
	return strings.Join(words, " ")
}
