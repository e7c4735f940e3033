package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/spec"
)

func validateCommand() command {
	return command{
		name:    "validate",
		args:    "SPEC...",
		summary: "check specs: every error at once, with file, line and column",
		example: "loadline validate perf/*.toml",
		flags: func(fs *pflag.FlagSet) runFunc {
			o := validateOptions{}
			fs.StringVar(&o.format, "format", "text", "`FORMAT` of the problems: text, github (annotations) or json")
			fs.BoolVar(&o.strict, "strict", false, "warnings are errors")
			fs.StringVar(&o.profile, "profile", "", "check with [profile.`NAME`]; the others are checked too")
			fs.StringVar(&o.target, "target", "", "`URL` to use instead of the spec's target.url")
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if len(args) == 0 {
					return ExitUsage, usageError{errors.New("name a spec file, for example `loadline validate loadline.toml`")}
				}
				return o.run(env, args)
			}
		},
	}
}

type validateOptions struct {
	format, profile, target string
	strict                  bool
}

func (o *validateOptions) run(env *Env, files []string) (Exit, error) {
	switch o.format {
	case "text", "github", "json":
	default:
		return ExitUsage, usagef("--format %q: use text, github or json", o.format)
	}
	var problems, warnings []spec.Problem
	names := map[string]string{} // of specs, to the file
	for _, file := range files {
		in, done, err := specInput(env, file)
		if err != nil {
			return ExitUsage, err
		}
		in.Profile, in.Target = o.profile, o.target
		s, bad := spec.Parse(in)
		done()
		if s == nil {
			problems = append(problems, bad...)
			continue
		}
		warnings = append(warnings, s.Warnings...)
		if other, twice := names[s.Name]; twice {
			problems = append(problems, spec.Problem{
				File: s.File, Message: fmt.Sprintf("two specs share the name %q: this one and %s", s.Name, other),
				Hint: "names key baselines and checks; rename one",
			})
		}
		names[s.Name] = file
	}
	if o.strict {
		problems, warnings = append(problems, warnings...), nil
	}
	if err := o.show(env, files, problems, warnings); err != nil {
		return ExitUsage, err
	}
	if len(problems) > 0 {
		return ExitUsage, nil
	}
	return ExitPass, nil
}

// show writes the problems: the answer, so to standard output.
func (o *validateOptions) show(env *Env, files []string, problems, warnings []spec.Problem) error {
	var b bytes.Buffer
	var err error
	switch o.format {
	case "json":
		err = report.ProblemsJSON(&b, problems, warnings)
	case "github":
		err = errors.Join(report.ProblemsGitHub(&b, report.LevelError, problems), report.ProblemsGitHub(&b, report.LevelWarning, warnings))
	default:
		err = o.text(&b, files, problems, warnings)
	}
	if err != nil {
		return err
	}
	_, err = b.WriteTo(env.Stdout)
	return err
}

func (o *validateOptions) text(w io.Writer, files []string, problems, warnings []spec.Problem) error {
	if err := report.Problems(w, problems); err != nil {
		return err
	}
	if len(warnings) > 0 {
		if len(problems) > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s:\n", plural(len(warnings), "warning"))
		if err := report.Problems(w, warnings); err != nil {
			return err
		}
	}
	if len(problems) == 0 {
		fmt.Fprintf(w, "%s: no mistakes found\n", plural(len(files), "spec"))
	} else {
		fmt.Fprintf(w, "\n%s\n", plural(len(problems), "problem"))
	}
	return nil
}
