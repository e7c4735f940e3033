package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

//go:embed templates/demo.toml
var demoSpec string

// The demo's slow build: one route of four takes this much longer.
const (
	demoSlowRoute = "GET /orders"
	demoSlowBy    = 6 * time.Millisecond
	demoBaselines = 3
	demoTries     = 3
)

func demoCommand() command {
	return command{
		name:    "demo",
		summary: "show the main job in under a minute, with no set-up",
		example: "loadline demo --keep /tmp/loadline-demo",
		flags: func(fs *pflag.FlagSet) runFunc {
			keep := fs.String("keep", "", "leave spec, baselines, results and the HTML report in `DIR`")
			serve := fs.String("serve", "", "only serve the demo's target on `ADDR`, such as 127.0.0.1:8080, until interrupted")
			slow := fs.StringArray("slow", nil, "with --serve: make a route slower, \"GET /orders=+20ms\" (may be given again)")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				if *serve != "" {
					return serveDemo(ctx, env, *serve, *slow)
				}
				if len(*slow) > 0 {
					return ExitUsage, usagef("--slow needs --serve")
				}
				return showDemo(ctx, env, *keep)
			}
		},
	}
}

func serveDemo(ctx context.Context, env *Env, addr string, slow []string) (Exit, error) {
	routes, err := parseSlow(slow)
	if err != nil {
		return ExitUsage, err
	}
	target, err := startDemoTarget(ctx, addr, routes)
	if err != nil {
		return ExitUsage, usageError{err}
	}
	defer target.stop()
	fmt.Fprintf(env.Stdout, "serving the demo's shop at %s\n", target.url())
	<-ctx.Done()
	return ExitPass, nil
}

// A demo is the show, on its way.
type demo struct {
	env   *Env
	dir   string
	store baseline.Dir
}

func showDemo(ctx context.Context, env *Env, keep string) (code Exit, err error) {
	d := &demo{env: env, dir: env.path(keep)}
	if keep == "" {
		if d.dir, err = os.MkdirTemp("", "loadline-demo-*"); err != nil {
			return ExitUsage, usageError{err}
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	} else if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return ExitUsage, usagef("--keep %s: %w", keep, cause(err))
	}
	d.store = baseline.Dir(filepath.Join(d.dir, "baselines"))
	if _, err := os.Stat(string(d.store)); err == nil {
		return ExitUsage, usagef("--keep %s: there are baselines in it already; name a new folder", keep)
	}
	if err := writeWhole(filepath.Join(d.dir, "shop.toml"), []byte(demoSpec)); err != nil {
		return ExitUsage, usagef("--keep %s: %w", keep, cause(err))
	}
	code, err = d.show(ctx)
	if keep != "" && err == nil {
		d.say("\nLeft in %s: shop.toml, baselines/, the results (*.json), comment.md and report.html.\n", keep)
	}
	return code, err
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.env.Stdout, format, args...) }

func (d *demo) show(ctx context.Context) (Exit, error) {
	d.say("A small shop API starts on this machine, and a load spec of %d lines is driven at it.\n\n", strings.Count(demoSpec, "\n"))
	healthy, err := startDemoTarget(ctx, "127.0.0.1:0", nil)
	if err != nil {
		return ExitInvalid, err
	}
	defer healthy.stop()
	for i := range demoBaselines {
		name := fmt.Sprintf("main-%d", i+1)
		d.say("%d. main, run %d of %d: measured and stored as a baseline\n", i+1, i+1, demoBaselines)
		m, err := d.healthy(ctx, healthy, name)
		if err != nil {
			return ExitInvalid, err
		}
		if _, err := d.store.Put(m.verdict.Head); err != nil {
			return d.stumbled(m, err)
		}
	}
	d.say("%d. a pull request that changes nothing\n", demoBaselines+1)
	same, err := d.healthy(ctx, healthy, "unchanged")
	if err != nil {
		return ExitInvalid, err
	}
	d.say("   → %s\n", d.page(same).Headline())

	slowed, err := startDemoTarget(ctx, "127.0.0.1:0", map[string]time.Duration{demoSlowRoute: demoSlowBy})
	if err != nil {
		return ExitInvalid, err
	}
	defer slowed.stop()
	d.say("%d. a pull request that makes %s %s slower\n", demoBaselines+2, demoSlowRoute, unit.Duration(demoSlowBy))
	slow, err := d.healthy(ctx, slowed, "slowed")
	if err != nil {
		return ExitInvalid, err
	}
	d.say("   → %s\n", d.page(slow).Headline())
	return d.conclude(same, slow)
}

// conclude shows the comment, and says whether the show went as promised.
func (d *demo) conclude(same, slow *measurement) (Exit, error) {
	page := d.page(slow)
	var comment, html strings.Builder
	if err := errors.Join(report.Markdown(&comment, report.Comment{}, page), page.HTML(&html)); err != nil {
		return ExitInvalid, err
	}
	for name, text := range map[string]string{"comment.md": comment.String(), "report.html": html.String()} {
		if err := writeWhole(filepath.Join(d.dir, name), []byte(text)); err != nil {
			return ExitInvalid, fmt.Errorf("writing %s: %w", name, cause(err))
		}
	}
	d.say("\nThe comment on that pull request, in Markdown:\n\n%s\n", indent(comment.String()))
	for _, m := range []*measurement{same, slow} {
		if m.run.Interrupted {
			return ExitInterrupted, nil
		}
	}
	if same.verdict.Outcome == verdict.Pass && slow.verdict.Outcome == verdict.Regression {
		d.say("The unchanged build passed and the slow one was caught. Your own API: `loadline init`, then " + docsURL + "getting-started.md\n")
		return ExitPass, nil
	}
	d.say("This machine was too busy for the show: the unchanged build was %q and the slow one %q. Try again when it is calmer.\n",
		same.verdict.Outcome, slow.verdict.Outcome)
	return ExitRegression, nil
}

func (d *demo) stumbled(m *measurement, err error) (Exit, error) {
	if m.run.Interrupted {
		return ExitInterrupted, nil
	}
	return ExitInvalid, fmt.Errorf("%w; try again when this machine is calmer", err)
}

// healthy measures, and measures again when this machine was too busy for the
// run to count or to tell, as the Action's user would press "re-run".
func (d *demo) healthy(ctx context.Context, target *demoTarget, name string) (*measurement, error) {
	for try := 1; ; try++ {
		m, err := d.measure(ctx, target, name)
		told := err != nil || m.verdict.Outcome != verdict.Invalid && m.verdict.Outcome != verdict.Inconclusive
		if told || m.run.Interrupted || try == demoTries {
			return m, err
		}
		d.say("   (%s; once more)\n", strings.TrimSuffix(m.verdict.Reasons[0].Message, "."))
	}
}

// measure drives the shop once, and keeps the result under name.
func (d *demo) measure(ctx context.Context, target *demoTarget, name string) (*measurement, error) {
	f := &measureFlags{set: pflag.NewFlagSet("demo", pflag.ContinueOnError), target: target.url(), env: "demo", quiet: true}
	m, err := measure(ctx, d.env, job{
		file: filepath.Join(d.dir, "shop.toml"), flags: f, store: func(_ context.Context, q baseline.Query) (*baseline.Found, error) { return d.store.Find(q) },
	})
	if err != nil {
		return nil, err
	}
	// The same file every time, whatever the folder is called today.
	m.run.File = "shop.toml"
	var b strings.Builder
	if err := writeResult(&b, m.run, &m.verdict, m.further); err != nil {
		return nil, err
	}
	if err := writeWhole(filepath.Join(d.dir, name+".json"), []byte(b.String())); err != nil {
		return nil, fmt.Errorf("writing %s.json: %w", name, cause(err))
	}
	return m, nil
}

func (d *demo) page(m *measurement) *report.Page {
	return report.New(&m.verdict, m.run, report.Context{
		SpecPath: "shop.toml", Environment: "demo", Version: version(), Reproduce: "loadline demo",
	}, trends(m.base))
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}
