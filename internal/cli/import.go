package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/convert"
	"github.com/loadline-ci/loadline/internal/spec"
)

func importCurl() command {
	return importCommand(source{
		what: "curl", args: "COMMAND", read: convert.Curl,
		summary: "write a spec for a curl command, or several",
		example: `loadline import curl 'curl https://api.example.com/orders -H "Accept: application/json"'`,
		max:     "most steps `N` to write (default 200)",
	})
}

func importOpenAPI() command {
	return importCommand(source{
		what: "openapi", args: "FILE", read: convert.OpenAPI,
		summary: "write a spec for an OpenAPI 3 description (JSON or YAML)",
		example: "loadline import openapi openapi.yaml --out loadline.toml",
		max:     "most operations `N` to write (default 20)",
	})
}

func importHAR() command {
	return importCommand(source{
		what: "har", args: "FILE", read: convert.HAR,
		summary: "write a spec for a recording of a browser",
		example: "loadline import har session.har --out loadline.toml",
		max:     "most steps `N` to write (default 200)",
	})
}

func importArtillery() command {
	return importCommand(source{
		what: "artillery", args: "FILE", read: convert.Artillery,
		summary: "write a spec for an Artillery script (YAML or JSON)",
		example: "loadline import artillery load-test.yml --out loadline.toml",
		max:     "most steps `N` to write (default 200)",
	})
}

// A source is one kind of thing to import.
type source struct {
	what, args, summary, example, max string
	read                              func(io.Writer, io.Reader, convert.Options) error
}

func importCommand(src source) command {
	return command{
		name:    "import " + src.what,
		args:    src.args,
		summary: src.summary,
		example: src.example,
		flags: func(fs *pflag.FlagSet) runFunc {
			o := importOptions{source: src}
			fs.StringVar(&o.out, "out", "", "`FILE` to write the spec to, instead of standard output")
			fs.StringVar(&o.name, "name", "", "`NAME` of the spec (default: that of the API or its host)")
			fs.IntVar(&o.max, "max", 0, src.max)
			fs.BoolVar(&o.force, "force", false, "overwrite the file of --out")
			return func(_ context.Context, env *Env, args []string) (Exit, error) {
				return o.run(env, args)
			}
		},
	}
}

type importOptions struct {
	source
	out, name string
	max       int
	force     bool
}

func (o *importOptions) run(env *Env, args []string) (Exit, error) {
	if o.max < 0 {
		return ExitUsage, usagef("--max %d: write a number above 0", o.max)
	}
	if _, err := os.Stat(env.path(o.out)); o.out != "" && err == nil && !o.force {
		return ExitUsage, usagef("%s is there already: name another file with --out, or overwrite it with --force", o.out)
	}
	text, err := o.convert(env, args)
	if err != nil {
		return ExitUsage, err
	}
	// What comes out is checked as any spec is: better to say so here than to
	// leave it to the next command.
	_, problems := spec.Parse(spec.Input{File: "the spec", Text: text, Version: version()})
	if len(problems) > 0 {
		return ExitUsage, problemsError{problems}
	}
	if o.out == "" {
		_, err := env.Stdout.Write(text)
		return ExitPass, err
	}
	if err := writeWhole(env.path(o.out), text); err != nil {
		return ExitUsage, usagef("writing %s: %w", o.out, cause(err))
	}
	_, err = fmt.Fprintf(env.Stdout, "wrote %[1]s\n\nNext:\n  loadline validate %[1]s\n  loadline run %[1]s --once --debug    one iteration, shown\n", shellQuote(o.out))
	return ExitPass, err
}

// convert reads the source: a file, standard input for "-", or for curl the
// command itself.
func (o *importOptions) convert(env *Env, args []string) ([]byte, error) {
	var out bytes.Buffer
	opts := convert.Options{Name: o.name, Max: o.max}
	if o.what == "curl" {
		err := o.curl(env, &out, args, opts)
		return out.Bytes(), usageOf(err)
	}
	if err := exactly(args, "FILE"); err != nil {
		return nil, err
	}
	in, done, err := openSource(env, args[0])
	if err != nil {
		return nil, err
	}
	defer done()
	opts.Source = filepath.Base(args[0])
	if err := o.read(&out, in, opts); err != nil {
		return nil, usagef("%s: %w", args[0], err)
	}
	return out.Bytes(), nil
}

func (o *importOptions) curl(env *Env, out *bytes.Buffer, args []string, opts convert.Options) error {
	switch {
	case len(args) == 0:
		return fmt.Errorf("COMMAND is missing: write it in quotes, %s; - reads it from standard input", o.example)
	case len(args) == 1 && args[0] == "-":
		return o.read(out, env.Stdin, opts)
	case len(args) == 1:
		return o.read(out, strings.NewReader(args[0]), opts)
	}
	return convert.CurlArgs(out, args, opts)
}

func usageOf(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// openSource opens what is to be imported.
func openSource(env *Env, name string) (io.Reader, func(), error) {
	if name == "-" {
		return env.Stdin, func() {}, nil
	}
	f, err := os.Open(env.path(name))
	if err != nil {
		if os.IsNotExist(err) {
			return nil, nil, usagef("%s: no such file", name)
		}
		return nil, nil, usagef("%s: %w", name, cause(err))
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		_ = f.Close()
		return nil, nil, usagef("%s: is a folder; name a file", name)
	}
	return f, func() { _ = f.Close() }, nil
}
