package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/spec"
)

func doctorCommand() command {
	return command{
		name:    "doctor",
		args:    "[SPEC]",
		summary: "look at machine, target, spec, baselines and token before a load is sent, and say what to mend",
		example: "loadline doctor loadline.toml --target http://127.0.0.1:8080",
		flags: func(fs *pflag.FlagSet) runFunc {
			d := &doctor{flags: &measureFlags{set: fs}}
			fs.StringVar(&d.flags.target, "target", "", "`URL` to look at instead of the spec's target.url")
			fs.StringVar(&d.flags.profile, "profile", "", "use [profile.`NAME`]")
			fs.StringVar(&d.flags.env, "env-label", "default", "`LABEL` of this environment: part of the baseline's key")
			fs.StringArrayVar(&d.flags.vars, "var", nil, "set a variable of [vars]: `k=v` (may be given again)")
			d.stores = addStoreFlags(fs)
			fs.StringSliceVar(&d.features, "features", []string{"comment", "baseline"}, "`LIST` of what the Action is to do, for its permissions: "+strings.Join(featureNames(), ", "))
			fs.IntVar(&d.pr, "pr", 0, "an open pull request `N` of the repository, to ask whether the token may comment there")
			d.flags.addExec(fs)
			fs.DurationVar(&d.time, "duration", 2*time.Second, "how long `D` to look at this machine")
			fs.BoolVar(&d.json, "json", false, "print one JSON object")
			return d.run
		},
	}
}

// A doctor looks at all that a measurement rests on. It sends no load.
type doctor struct {
	flags    *measureFlags
	stores   storeFlags
	features []string
	pr       int
	time     time.Duration
	json     bool

	findings    []finding
	permissions string // the block for a workflow
}

// A level says how much a finding matters.
type level string

const (
	levelOK   level = "ok"
	levelWarn level = "warning" // measurements work, and say less
	levelBad  level = "error"   // they do not work
)

// A finding is one thing that was looked at.
type finding struct {
	Area    string `json:"area"` // "machine", "spec", "target", "metrics", "baselines", "token"
	Level   level  `json:"level"`
	Message string `json:"message"`          // one sentence, without a final stop
	Remedy  string `json:"remedy,omitempty"` // what to do next
}

func (d *doctor) ok(area, format string, args ...any) {
	d.findings = append(d.findings, finding{area, levelOK, fmt.Sprintf(format, args...), ""})
}

func (d *doctor) warn(area, remedy, format string, args ...any) {
	d.findings = append(d.findings, finding{area, levelWarn, fmt.Sprintf(format, args...), remedy})
}

func (d *doctor) bad(area, remedy, format string, args ...any) {
	d.findings = append(d.findings, finding{area, levelBad, fmt.Sprintf(format, args...), remedy})
}

// run looks at everything, whatever it finds first. The status is 0 when all
// that was found are warnings, 2 for mistakes in the spec, 3 when a measurement
// would not work.
func (d *doctor) run(ctx context.Context, env *Env, args []string) (Exit, error) {
	if len(args) > 1 {
		return ExitUsage, exactly(args, "SPEC")
	}
	for _, f := range d.features {
		if !slices.Contains(featureNames(), f) {
			return ExitUsage, usagef("--features has %q%s: use %s", f, didYouMean(f, featureNames()), strings.Join(featureNames(), ", "))
		}
	}
	if d.time <= 0 || d.time > time.Minute {
		return ExitUsage, usagef("--duration %s: use at most 1m", d.time)
	}
	var s *spec.Spec
	if len(args) == 1 {
		var err error
		if s, err = readSpec(env, args[0], d.flags); err != nil {
			return ExitUsage, err
		}
	}
	hide := newMask(nil)
	if s != nil {
		hide = newMask(s.SecretValues())
	}
	d.machine(ctx, s)
	if s != nil {
		d.spec(s)
		d.target(ctx, env, s, hide)
		d.metrics(ctx, env, s, hide)
		if err := d.baselines(ctx, env, s); err != nil {
			return ExitUsage, err
		}
	}
	d.token(ctx, env)
	for i := range d.findings {
		d.findings[i].Message = hide.String(d.findings[i].Message)
	}
	if err := d.show(env.Stdout, env.Terminal.Width); err != nil {
		return ExitInvalid, err
	}
	switch {
	case ctx.Err() != nil:
		return ExitInterrupted, nil
	case slices.ContainsFunc(d.findings, func(f finding) bool { return f.Level == levelBad }):
		return ExitInvalid, nil
	}
	return ExitPass, nil
}

// spec repeats what validate warns of: limits that can select nothing among it.
func (d *doctor) spec(s *spec.Spec) {
	for _, w := range s.Warnings {
		d.warn("spec", w.Hint, "line %d: %s", w.Pos.Line, w.Message)
	}
	if len(s.Warnings) == 0 {
		d.ok("spec", "%s has no mistakes, and each of its %s can select something", s.File, plural(len(s.Gate.Thresholds)+len(s.Gate.Compare), "rule"))
	}
}

// show prints the findings by area, in lines of at most width columns; 0: as long
// as they are.
func (d *doctor) show(w io.Writer, width int) error {
	if d.json {
		text, err := json.Marshal(struct {
			Findings    []finding `json:"findings"`
			Permissions string    `json:"permissions"`
		}{d.findings, d.permissions})
		if err == nil {
			_, err = fmt.Fprintf(w, "%s\n", text)
		}
		return err
	}
	var b strings.Builder
	last := ""
	for _, f := range d.findings {
		if f.Area != last {
			fmt.Fprintf(&b, "%s\n", f.Area)
			last = f.Area
		}
		fmt.Fprintf(&b, "  %-8s %s\n", f.Level, wrapped(f.Message, width))
		if f.Remedy != "" {
			fmt.Fprintf(&b, "           %s\n", wrapped(f.Remedy, width))
		}
	}
	fmt.Fprintf(&b, "\nThe Action needs, for %s:\n\n%s", strings.Join(d.features, ", "), d.permissions)
	_, err := io.WriteString(w, b.String())
	return err
}

// wrapped breaks a text between words, behind the eleven columns of the level.
func wrapped(text string, width int) string {
	const indent = 11
	if width <= 3*indent {
		return text
	}
	var b strings.Builder
	column := indent
	for i, word := range strings.Fields(text) {
		switch n := utf8.RuneCountInString(word); {
		case i == 0:
			column += n
		case column+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent + n
		default:
			b.WriteByte(' ')
			column += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}
