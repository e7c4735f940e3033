package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/pipeline"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func runCommand() command {
	return command{
		name:    "run",
		args:    "SPEC",
		summary: "measure, judge the limits, compare with the stored baseline if there is one",
		example: "loadline run loadline.toml --target http://127.0.0.1:8080 --json result.json",
		flags: func(fs *pflag.FlagSet) runFunc {
			f, page := &measureFlags{}, &uiFlags{}
			f.add(fs)
			page.add(fs)
			fs.StringArrayVar(&f.pool, "pool", nil, poolHelp)
			once := fs.Bool("once", false, "one iteration of each scenario, not judged")
			fs.StringVar(&f.shard, "shard", "", "drive only part `I/N` of the load, such as 2/5; `loadline merge` joins the results")
			debug := fs.Bool("debug", false, "with --once: show requests, answers, checks and captures")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if len(args) == 0 {
					return ExitUsage, usageError{errNoSpec}
				}
				if err := exactly(args, "SPEC"); err != nil {
					return ExitUsage, err
				}
				if *debug && !*once {
					return ExitUsage, usagef("--debug shows one iteration: add --once")
				}
				if *once && f.shard != "" {
					return ExitUsage, usagef("--shard cuts a load, and --once sends none: leave one of them out")
				}
				if page.address != "" && (*once || f.shard != "") {
					return ExitUsage, usagef("--ui shows one whole load: leave --once and --shard out")
				}
				if *once {
					return runOnce(ctx, env, args[0], f, *debug)
				}
				return f.run(ctx, env, args[0], page)
			}
		},
	}
}

// run measures, writes what was asked for, and says how it went.
func (m *measureFlags) run(ctx context.Context, env *Env, file string, page *uiFlags) (Exit, error) {
	fail, err := parseFailOn(m.failOn)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	if err := errors.Join(checkOutputs(env, m.outputs()), m.check(env, file)); err != nil {
		return ExitUsage, err
	}
	find, err := m.finder(env)
	if err != nil {
		return ExitUsage, err
	}
	earlier, err := poolFiles(env, m.pool)
	if err != nil {
		return ExitUsage, err
	}
	if m.desk, err = newDesk(page); err != nil {
		return ExitUsage, err
	}
	defer m.desk.close()
	hub := &live.Hub{}
	watched, done := watchRun(env, hub, m.quiet)
	sent, err := sendMetrics(ctx, watched, hub, m.otlp, m.env)
	if err != nil {
		done()
		return ExitUsage, err
	}
	found, err := measure(ctx, watched, job{
		file: file, flags: m, commit: commitFromEnv(env), store: find, live: hub, desk: m.desk, pool: fromFiles(earlier),
		lineage: func(ctx context.Context, ref string) ([]string, error) { return localLineage(ctx, env, ref) },
	})
	done()
	sent()
	if err != nil {
		return ExitInvalid, err
	}
	return m.conclude(env, found, report.Context{
		HeadSHA: found.run.Commit, SpecPath: found.run.File, Environment: m.env, Profile: m.profile, Version: version(),
		Reproduce: reproduce(file, m),
	}, fail)
}

// check finds mistakes in flags before any load is sent.
func (m *measureFlags) check(env *Env, file string) error {
	for _, o := range m.outputs() {
		a, errA := os.Stat(env.path(o.file))
		b, errB := os.Stat(env.path(file))
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return usagef("%s %s: is the spec itself; name another file", o.flag, o.file)
		}
	}
	if info, err := os.Stat(env.path(m.baselineDir)); err == nil && !info.IsDir() {
		return usagef("--baseline-dir %s: is a file; name a folder", m.baselineDir)
	}
	return checkLabel(m.env)
}

// checkLabel holds the environment label to what a name in a spec may be.
func checkLabel(label string) error {
	if label == "" || len(label) > 80 || strings.ContainsFunc(label, unicode.IsControl) {
		return usagef("--env-label (env-label) %q: write 1 to 80 characters on one line, such as staging", label)
	}
	return nil
}

// conclude shows and writes a measurement, and turns it into an exit status. An
// output that cannot be written never hides the verdict.
func (m *measureFlags) conclude(env *Env, found *measurement, c report.Context, fail FailOn) (Exit, error) {
	page := report.New(&found.verdict, found.run, c, trends(found.base))
	// The files first: a reader of standard output may go away.
	err := m.write(env, found, page)
	err = errors.Join(err, showText(env, page, found.mask, m.quiet))
	if m.why {
		err = errors.Join(err, showWhy(env, page, found.mask, ""))
	}
	err = errors.Join(err, m.desk.finish(page, found.mask))
	code := exitOf(found.verdict.Outcome, fail)
	switch {
	case found.run.Interrupted && !found.saved:
		return ExitInterrupted, err
	case err != nil && code == ExitPass:
		return ExitInvalid, err
	}
	return code, err
}

// write writes every file that was asked for, whatever happens to the others.
func (m *measureFlags) write(env *Env, found *measurement, page *report.Page) error {
	var errs []error
	for _, o := range m.outputs() {
		var b bytes.Buffer
		var err error
		switch o.flag {
		case "--json":
			err = writeResult(&b, found.run, &found.verdict, found.further)
		case "--html":
			err = page.HTML(&b)
		case "--junit":
			err = page.JUnit(&b)
		case "--markdown":
			err = report.Markdown(&b, report.Comment{}, page)
		default:
			err = writeData(&b, o.flag, page)
		}
		text := b.Bytes()
		if !o.data() {
			text = []byte(found.mask.String(b.String()))
		}
		if err == nil {
			err = writeOutput(env, o, text)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// writeResult writes the result file with its verdict.
func writeResult(w io.Writer, run *result.Run, v *verdict.Verdict, again []*result.Summary) error {
	verdictJSON, err := json.Marshal(v)
	if err != nil {
		return err
	}
	limits, err := json.Marshal(v.Limits)
	if err != nil {
		return err
	}
	if v.Limits == nil {
		limits = nil
	}
	return result.Write(w, &result.File{Run: run, Verdict: verdictJSON, Thresholds: limits, Again: again})
}

// showText writes the summary to standard output: one line with --quiet.
func showText(env *Env, page *report.Page, m mask, quiet bool) error {
	var b strings.Builder
	if quiet {
		b.WriteString(page.Headline() + "\n")
	} else if err := page.Text(&b, report.Terminal{
		Width: env.Terminal.Width, Height: env.Terminal.Height, Colour: env.Terminal.Color, Unicode: env.Terminal.Unicode,
	}); err != nil {
		return err
	}
	_, err := io.WriteString(env.Stdout, m.String(b.String()))
	return err
}

// finder looks for baselines where the flags say.
func (m *measureFlags) finder(env *Env) (func(context.Context, baseline.Query) (*baseline.Found, error), error) {
	p := place{kind: "dir"}
	if m.baseline != "" {
		var err error
		if p, err = parsePlace(m.baseline); err != nil {
			return nil, usagef("--baseline: %w, file:PATH or none", err)
		}
	}
	find, err := finder(env, p, m.baselineDir)
	if err != nil {
		return nil, usagef("--baseline %s: %w", p.kind, err)
	}
	return find, nil
}

// commitFromEnv is the commit under test as CI systems name it; "" elsewhere.
func commitFromEnv(env *Env) string {
	return cmp.Or(pipeline.Detect(env.get).Commit, env.get("GITHUB_SHA"))
}

// reproduce is the command line that measures the same again.
func reproduce(file string, m *measureFlags) string {
	words := []string{"loadline", "run", file}
	for _, f := range []struct{ flag, value string }{
		{"--target", bareURL(m.target)}, {"--profile", m.profile}, {"--scenario", m.scenario}, {"--rate", m.rate}, {"--duration", m.duration},
	} {
		if f.value != "" {
			words = append(words, f.flag, shellQuote(f.value))
		}
	}
	if m.allowExec {
		words = append(words, "--allow-exec")
	}
	return strings.Join(words, " ")
}

func shellQuote(s string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@%+", r)
	}
	if strings.TrimFunc(s, safe) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// runOnce sends one iteration of each scenario.
func runOnce(ctx context.Context, env *Env, file string, f *measureFlags, debug bool) (Exit, error) {
	s, err := readSpec(env, file, f)
	if err != nil {
		return ExitUsage, err
	}
	m := newMask(s.SecretValues())
	set, closeSet, err := compile(env, s, nil, m)
	if err != nil {
		return ExitUsage, usageError{m.Error(err)}
	}
	defer closeSet()
	if err := set.Ready(ctx); err != nil {
		return ExitInvalid, m.Error(err)
	}
	out := env.Stdout
	if !debug {
		out = io.Discard
	}
	bad, err := set.Once(ctx, out)
	if err != nil {
		return ExitInvalid, m.Error(err)
	}
	if bad > 0 {
		fmt.Fprintf(env.Stdout, "%s went wrong\n", plural(bad, "request"))
		return ExitRegression, nil
	}
	fmt.Fprintln(env.Stdout, "one iteration of each scenario went through")
	return ExitPass, nil
}
