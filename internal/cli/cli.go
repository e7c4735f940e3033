// Package cli joins the rooms: flags, streams, exit status, a file for each
// command.
package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// A command is one word of the command line.
type command struct {
	name    string
	args    string // as shown in usage: "SPEC"
	summary string
	example string
	// flags adds the command's flags and returns what runs it.
	flags func(*pflag.FlagSet) runFunc
}

// A runFunc does a command's work. An error without a status is a failure of
// the run (3), or a usageError (2).
type runFunc func(ctx context.Context, env *Env, args []string) (Exit, error)

// Run runs the command that args name and returns the exit status.
func Run(ctx context.Context, env *Env, args []string) Exit {
	cmd, rest, err := find(args)
	if err != nil {
		return fail(env, ExitUsage, err)
	}
	if cmd == nil {
		fmt.Fprint(env.Stdout, overview())
		return ExitPass
	}
	var shown bytes.Buffer
	fs := pflag.NewFlagSet(cmd.name, pflag.ContinueOnError)
	fs.SetOutput(&shown)
	fs.SortFlags = false
	fs.Usage = func() { usage(&shown, cmd, fs) }
	run := cmd.flags(fs)
	if err := fs.Parse(rest); errors.Is(err, pflag.ErrHelp) {
		fmt.Fprint(env.Stdout, shown.String())
		return ExitPass
	} else if err != nil {
		return fail(env, ExitUsage, flagError(cmd, fs, err))
	}
	code, err := run(ctx, env, fs.Args())
	if err != nil {
		return fail(env, statusOf(code, err), err)
	}
	return code
}

// statusOf is the status of a command that ended with an error.
func statusOf(code Exit, err error) Exit {
	var u usageError
	var p problemsError
	switch {
	case errors.As(err, &u), errors.As(err, &p):
		return ExitUsage
	case code != ExitPass:
		return code
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitInvalid
}

func fail(env *Env, code Exit, err error) Exit {
	fmt.Fprintf(env.Stderr, "loadline: %v\n", err)
	return code
}

// find splits args into a command and the rest. No command at all means help.
func find(args []string) (*command, []string, error) {
	if len(args) == 0 || args[0] == "help" && len(args) == 1 || args[0] == "--help" || args[0] == "-h" {
		return nil, nil, nil
	}
	if args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	if args[0] == "--version" {
		args[0] = "version"
	}
	all := commands()
	// Two-word commands first: "baseline list", and "ci report" beside "ci".
	if len(args) > 1 {
		for i := range all {
			if all[i].name == args[0]+" "+args[1] {
				return &all[i], args[2:], nil
			}
		}
	}
	for i := range all {
		if all[i].name == args[0] {
			return &all[i], args[1:], nil
		}
	}
	var names, sub []string
	for _, c := range all {
		names = append(names, c.name)
		if rest, ok := strings.CutPrefix(c.name, args[0]+" "); ok {
			sub = append(sub, rest)
		}
	}
	if sub != nil {
		return nil, nil, fmt.Errorf("%s needs one of: %s", args[0], strings.Join(sub, ", "))
	}
	return nil, nil, fmt.Errorf("there is no command %q%s; `loadline --help` lists them", args[0], didYouMean(args[0], names))
}

func overview() string {
	var b strings.Builder
	b.WriteString("loadline: the performance gate that teams do not mute\n\nUsage: loadline COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-16s %s\n", c.name, c.summary)
	}
	b.WriteString("\nTry `loadline demo` first. `loadline COMMAND --help` shows flags and an example.\n")
	return b.String()
}

func usage(w io.Writer, c *command, fs *pflag.FlagSet) {
	fmt.Fprintf(w, "%s\n\nUsage: loadline %s", c.summary, c.name)
	if c.args != "" {
		fmt.Fprintf(w, " %s", c.args)
	}
	if fs.HasFlags() {
		fmt.Fprintf(w, " [flags]\n\nFlags:\n%s", fs.FlagUsagesWrapped(100))
	} else {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\nExample:\n  %s\n", c.example)
}

// flagError turns pflag's error into one that names the nearest flag.
func flagError(c *command, fs *pflag.FlagSet, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return fmt.Errorf("%s: %w; see `loadline %s --help`", c.name, err, c.name)
	}
	var names []string
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	dashes := "--"
	if missing.GetSpecifiedShortnames() != "" {
		dashes = "-"
	}
	given := dashes + missing.GetSpecifiedName()
	return fmt.Errorf("%s has no flag %s%s; see `loadline %s --help`", c.name, given, didYouMean("--"+missing.GetSpecifiedName(), names), c.name)
}

// exactly checks the number of arguments.
func exactly(args []string, want ...string) error {
	if len(args) == len(want) {
		return nil
	}
	if len(args) < len(want) {
		return usagef("%s is missing; see --help", want[len(args)])
	}
	return usagef("%q is one argument too many; see --help", args[len(want)])
}
