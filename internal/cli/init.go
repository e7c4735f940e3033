package cli

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/convert"
)

//go:embed templates/loadline.toml
var specTemplate string

//go:embed templates/workflow.yml
var workflowTemplate string

func initCommand() command {
	return command{
		name:    "init",
		summary: "write a commented spec and the workflow that runs it",
		example: "loadline init --url https://staging.example.com --request \"GET /orders\"",
		flags: func(fs *pflag.FlagSet) runFunc {
			o := initOptions{}
			fs.StringVar(&o.spec, "spec", "loadline.toml", "`FILE` to write the spec to")
			fs.StringVar(&o.workflow, "workflow", ".github/workflows/loadline.yml", "`FILE` to write the workflow to; \"\" for none")
			fs.StringVar(&o.url, "url", "http://127.0.0.1:8080", "`URL` of the target, used when BASE_URL is not set")
			fs.StringVar(&o.request, "request", "GET /", "first `REQUEST`: METHOD /path")
			fs.StringVar(&o.name, "name", "", "`NAME` of the spec (default: this folder's)")
			fs.StringVar(&o.from, "from", "", "make the spec of a curl `COMMAND`, as import curl does, instead of --url and --request")
			fs.BoolVar(&o.force, "force", false, "overwrite files that are there")
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args); err != nil {
					return ExitUsage, err
				}
				return o.run(env)
			}
		},
	}
}

type initOptions struct {
	spec, workflow, url, request, name, from string
	force                                    bool
}

func (o *initOptions) run(env *Env) (Exit, error) {
	method, path, ok := strings.Cut(o.request, " ")
	if !ok || method != strings.ToUpper(method) || !strings.HasPrefix(path, "/") {
		return ExitUsage, usagef("--request %q: write it like \"GET /orders\"", o.request)
	}
	if u, err := url.Parse(o.url); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ExitUsage, usagef("--url %q: write it like https://staging.example.com", o.url)
	}
	if o.name == "" {
		o.name = specName(env.Dir)
	}
	fill := strings.NewReplacer(
		"{{NAME}}", o.name, "{{URL}}", o.url, "{{REQUEST}}", o.request,
		"{{SCENARIO}}", "main", "{{SPEC}}", filepath.ToSlash(o.spec))
	spec := fill.Replace(specTemplate)
	if o.from != "" {
		var made strings.Builder
		if err := convert.Curl(&made, strings.NewReader(o.from), convert.Options{Name: o.name}); err != nil {
			return ExitUsage, usagef("--from: %w", err)
		}
		spec = made.String()
	}
	files := []struct{ name, text string }{{o.spec, spec}}
	if o.workflow != "" {
		files = append(files, struct{ name, text string }{o.workflow, fill.Replace(workflowTemplate)})
	}
	if !o.force {
		for _, f := range files {
			if _, err := os.Stat(env.path(f.name)); err == nil {
				return ExitUsage, usagef("%s is there already: name another with --spec or --workflow, or overwrite it with --force", f.name)
			}
		}
	}
	for _, f := range files {
		name := env.path(f.name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return ExitUsage, usagef("making the folder of %s: %w", f.name, cause(err))
		}
		if err := writeWhole(name, []byte(f.text)); err != nil {
			return ExitUsage, usagef("writing %s: %w", f.name, cause(err))
		}
		fmt.Fprintf(env.Stdout, "wrote %s\n", f.name)
	}
	fmt.Fprintf(env.Stdout, `
Next:
  loadline run %[1]s --once --debug    one iteration, shown
  loadline run %[1]s                   the whole load, judged
  git add %[2]s
                                       then open a pull request
`, o.spec, strings.TrimSpace(o.spec+" "+o.workflow))
	return ExitPass, nil
}

// specName makes a name the spec allows ([A-Za-z0-9 ._/-], 1-80 characters) of
// a folder's.
func specName(dir string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return '-'
	}, filepath.Base(dir))
	name = strings.Trim(name, "-.")
	if name == "" {
		return "api"
	}
	return name[:min(len(name), 80)]
}
