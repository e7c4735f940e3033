package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// calibrateLoad is how long base is driven against itself, unless the user says.
const calibrateLoad = "120s"

// The change that a team usually wants to see, and bounds of --see.
const (
	calibrateSee      = "5%"
	leastSee, mostSee = 0.01, 1
)

func calibrateCommand() command {
	return command{
		name:    "calibrate",
		args:    "SPEC",
		summary: "A/A rounds: the smallest change this set-up can see",
		example: "loadline calibrate loadline.toml --base http://127.0.0.1:8081 --head http://127.0.0.1:8082 --base-start './shop --port 8081' --head-start './shop --port 8082'",
		flags: func(fs *pflag.FlagSet) runFunc {
			f := &abFlags{}
			f.addLoad(fs)
			f.addSides(fs)
			f.setDuration(fs, calibrateLoad)
			see := fs.String("see", calibrateSee, "`CHANGE` that you want to see: says how long a run that takes")
			fs.StringVar(&f.json, "json", "", "write the figures to `FILE`")
			fs.BoolVar(&f.quiet, "quiet", false, "no progress")
			f.addEnvironment(fs)
			fs.Lookup("base").Usage = "`URL` of one deployment of the code; with --head, instead of --target"
			fs.Lookup("head").Usage = "`URL` of another deployment of the same code"
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := f.checkCalibrate(args); err != nil {
					return ExitUsage, err
				}
				want, err := unit.ParsePercent(*see)
				if err != nil || want < leastSee || want > mostSee {
					return ExitUsage, usagef("--see %q: write a change from 1%% to 100%%, such as 5%%", *see)
				}
				return f.calibrate(ctx, env, args[0], want)
			}
		},
	}
}

// checkCalibrate is check for one target, or two deployments of one program.
func (f *abFlags) checkCalibrate(args []string) error {
	if len(args) == 0 {
		return usageError{errNoSpec}
	}
	if err := exactly(args, "SPEC"); err != nil {
		return err
	}
	switch {
	case f.urls[0] == "" != (f.urls[1] == ""):
		return usagef("--base and --head go together: the URLs of two deployments of the same code")
	case f.urls[0] != "" && f.target != "":
		return usagef("--target is one deployment, --base and --head are two: leave one of both out")
	case f.urls[0] == "" && f.starts != [2]string{}:
		return usagef("--base-start and --head-start need --base URL and --head URL")
	}
	if f.urls[0] == "" {
		f.urls = [2]string{f.target, f.target} // or else the spec's own
	}
	return f.checkDuration()
}

// A calibration is what `calibrate --json` writes.
type calibration struct {
	Schema      string            `json:"schema"`
	Spec        string            `json:"spec"`
	Environment string            `json:"environment"`
	LoadS       float64           `json:"load_s"`      // of both sides together
	Deployments int               `json:"deployments"` // 1: how far two of them differ was assumed
	See         float64           `json:"see_percent"` // what visible[].load_s is for
	Visible     []verdict.Visible `json:"visible"`
}

// calibrate drives base against itself and says what that lets one see.
func (f *abFlags) calibrate(ctx context.Context, env *Env, file string, see float64) (Exit, error) {
	if err := checkOutputs(env, f.outputs()); err != nil {
		return ExitUsage, err
	}
	hub := &live.Hub{}
	watched, done := watchRun(env, hub, f.quiet)
	p := &pair{flags: f, pairJob: f.job(env, file, hub), measurement: &measurement{}, calibrates: true}
	all, err := p.calibrate(ctx, watched, see)
	done()
	switch {
	case err != nil:
		return ExitInvalid, err
	case p.run.Interrupted:
		return ExitInterrupted, nil
	case p.verdict.Outcome == verdict.Invalid || len(all) == 0:
		_, _ = fmt.Fprintf(env.Stdout, "not calibrated: %s\n", p.mask.String(firstReason(&p.verdict)))
		return ExitInvalid, nil
	}
	for _, note := range p.notes {
		_, _ = fmt.Fprintf(env.Stderr, "loadline: warning: %s\n", p.mask.String(note.Message))
	}
	c := calibration{
		Schema: "loadline/calibration/1", Spec: p.run.Spec, Environment: p.run.Environment.Key(),
		LoadS: (2 * p.run.Measured).Seconds(), Deployments: f.deployments(), See: 100 * see, Visible: all,
	}
	if err := c.show(env.Stdout, p.mask); err != nil {
		return ExitInvalid, err
	}
	if f.json == "" {
		return ExitPass, nil
	}
	data, err := json.MarshalIndent(&c, "", " ")
	if err == nil {
		err = writeOutput(env, output{"--json", f.json}, append(data, '\n'))
	}
	if err != nil {
		return ExitInvalid, err
	}
	return ExitPass, nil
}

func (f *abFlags) deployments() int {
	if f.urls[0] == f.urls[1] {
		return 1
	}
	return 2
}

func firstReason(v *verdict.Verdict) string {
	for _, r := range v.Reasons {
		return strings.TrimSuffix(r.Message+"; "+r.Remedy, "; ")
	}
	return "too few requests for any figure: raise the rate or the duration"
}

// calibrate is comparePair for base against itself: nothing is called, so there
// is nothing to look at before the end.
func (p *pair) calibrate(ctx context.Context, env *Env, see float64) ([]verdict.Visible, error) {
	if err := p.prepare(ctx, env); err != nil {
		return nil, err
	}
	p.recall(ctx)
	defer func() { p.close(ctx) }()
	if err := p.open(ctx); err != nil {
		_, err := p.unready(ctx, err)
		return nil, err
	}
	planned := p.load.Blocks(p.flags.load)
	p.load.Drive(ctx, planned, planned)
	in, err := p.input(ctx, verdict.Looks)
	if err != nil {
		return nil, p.mask.Error(err)
	}
	p.close(ctx)
	if in.Pairs, err = result.Pair(p.run); err != nil {
		return nil, p.mask.Error(err)
	}
	judged := verdict.Paired(in)
	p.verdict = judged.Verdict
	if p.verdict.Outcome == verdict.Invalid || len(judged.Compared) == 0 {
		return nil, nil
	}
	all := verdict.Calibrate(p.run, in.Pairs, in.Gate, in.Past, see)
	if p.flags.deployments() > 1 {
		// One deployment against itself would say that deployments never differ.
		p.past.Calibrated = p.past.Calibrated || !p.unsure
		p.remember(ctx, judged)
	}
	return all, nil
}

// show writes the figures for a person.
func (c *calibration) show(w io.Writer, m mask) error {
	var b strings.Builder
	see := unit.Change(c.See / 100)
	fmt.Fprintf(&b, "What loadline ab sees here with %s of load on base and head together:\n\n", loadTime(c.LoadS))
	t := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintf(t, "  step\tmetric\tnow\tsmallest slowdown seen\tload to see %s\n", see)
	differs, never := false, map[verdict.Never]bool{}
	for _, v := range c.Visible {
		where := cmp.Or(v.Step, strings.TrimSpace("all "+v.Scenario))
		if v.Why != "" {
			_, _ = fmt.Fprintf(t, "  %s\t%s\t\tnot judged: %s\t\n", where, v.Metric, v.Why)
			continue
		}
		differs = differs || v.Differs
		load := "never"
		if v.Never == "" {
			load = loadTime(v.LoadS)
		}
		never[v.Never] = true
		apart := ""
		if v.Differs {
			apart = "; the two deployments differ by " + unit.Change(v.Apart/100)
		}
		_, _ = fmt.Fprintf(t, "  %s\t%s\t%s\t%s%s\t%s\n", where, v.Metric, unit.Micros(v.Base), unit.Change(v.Percent/100), apart, load)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	say := func(when bool, text string) {
		if when {
			b.WriteString(text + "\n")
		}
	}
	b.WriteString("\nA slowdown of the smallest size is reported 95 times in 100, a smaller one less often; of 100 changes that slow nothing down at most one is blamed.\n")
	say(true, "ab takes the load as --duration; a higher rate does as much as a longer run.")
	say(never[verdict.NeverAllowed], fmt.Sprintf("Never, where the spec's compare rule allows %s: only what is beyond the rule is reported, so a stricter rule sees more.", see))
	say(never[verdict.NeverApart], fmt.Sprintf("Never, where two deployments of the same code may differ by about as much as %s: no length of run tells that from a slowdown. "+
		"Further comparisons on this machine teach loadline how much they really differ.", see))
	say(never[verdict.NeverSoon], "Never, where it would take more than two hours: this machine is too noisy for it.")
	say(differs, "Here the two deployments did differ by more than chance: start commands on both sides, which ab restarts to confirm a call, are the remedy.")
	say(c.Deployments == 1, "One deployment was driven against itself, so how far two of them differ is assumed, not measured: --base and --head with two deployments of the same code measure it.")
	_, err := io.WriteString(w, m.String(b.String()))
	return err
}

// loadTime is a length of load as one would say it.
func loadTime(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d > time.Minute {
		d = (d + 10*time.Second - 1).Truncate(10 * time.Second)
	}
	return unit.FormatDuration(max(d.Round(time.Second), time.Second))
}
