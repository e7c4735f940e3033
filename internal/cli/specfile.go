package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/loadline-ci/loadline/internal/spec"
)

// readSpec reads and checks a spec; its problems come as one error.
func readSpec(env *Env, file string, f *measureFlags) (*spec.Spec, error) {
	in, done, err := specInput(env, file)
	if err != nil {
		return nil, err
	}
	defer done()
	in.Profile, in.Paired = f.profile, f.paired
	if in.Overrides, err = f.overrides(); err != nil {
		return nil, err
	}
	s, problems := spec.Parse(in)
	if len(problems) > 0 {
		return nil, problemsError{problems}
	}
	return s, nil
}

// specInput opens a spec and the folder that its files are read from. done
// closes the folder.
func specInput(env *Env, file string) (in spec.Input, done func(), err error) {
	name := env.path(file)
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return in, nil, usagef("%s: no such file; `loadline init` writes a spec", file)
	case err == nil && !info.Mode().IsRegular():
		return in, nil, usagef("%s: not a plain file; name the spec itself", file)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return in, nil, usagef("%s: %w", file, cause(err))
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return in, nil, usagef("%s: %w", file, cause(err))
	}
	return spec.Input{
		File: filepath.ToSlash(file), Text: text, FS: root.FS(), Env: specVariables(env), Version: version(),
	}, func() { _ = root.Close() }, nil
}

// specVariables are the variables that a spec may name. In a pull request a spec is
// anybody's, and sends what it names to a target: what is for loadline alone, the
// token of the Action above all, is not set to it.
func specVariables(env *Env) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if forLoadline(name) {
			return "", false
		}
		return env.Getenv(name)
	}
}

// overrides are the flags that stand over the spec.
func (m *measureFlags) overrides() (o spec.Overrides, err error) {
	o = spec.Overrides{Target: m.target, Rate: m.rate, Duration: m.duration, Scenario: m.scenario}
	if m.set.Changed("target") && m.target == "" {
		return o, usagef("--target is empty; is the variable that it came from set? leave the flag out to drive the spec's target.url")
	}
	if m.set.Changed("users") {
		o.Users = strconv.Itoa(m.users)
	}
	if m.set.Changed("seed") {
		o.Seed = strconv.FormatInt(m.seed, 10)
	}
	o.Vars, err = parseVars(m.vars)
	return o, err
}
