package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"
)

// Env is the whole outside world of a command.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) (string, bool)
	Environ        func() []string
	Dir            string   // relative paths start here
	Terminal       Terminal // what standard output can show
	Progress       Terminal // what standard error can
}

// Terminal says what a stream can show.
type Terminal struct {
	Is      bool // a terminal, not a pipe or a file
	Width   int  // columns; 0: unknown
	Height  int  // lines; 0: unknown
	Color   bool
	Unicode bool
	Redraws bool // what was written can be written over
}

// ProcessEnv is the environment of this process.
func ProcessEnv() *Env {
	//nolint:forbidigo // the one place that hands out the process's own streams
	stdin, stdout, stderr := os.Stdin, os.Stdout, os.Stderr
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	return &Env{
		Stdin: stdin, Stdout: stdout, Stderr: stderr,
		Getenv: os.LookupEnv, Environ: os.Environ, Dir: dir,
		Terminal: terminal(stdout), Progress: terminal(stderr),
	}
}

func terminal(out *os.File) Terminal {
	t := Terminal{Unicode: true}
	fd := int(out.Fd())
	t.Is = term.IsTerminal(fd)
	if w, h, err := term.GetSize(fd); err == nil {
		t.Width, t.Height = w, h
	}
	_, noColor := os.LookupEnv("NO_COLOR")
	dumb := os.Getenv("TERM") == "dumb"
	t.Color = t.Is && !noColor && !dumb
	if t.Is {
		t.Unicode = !dumb && unicodeLocale()
		// The log of a CI system may call itself a terminal and keep every line.
		ci := os.Getenv("CI")
		t.Redraws = !dumb && (ci == "" || ci == "false") && t.Width >= leastColumns
	}
	return t
}

// leastColumns is how wide a terminal must be for figures that are redrawn.
const leastColumns = 40

// unicodeLocale follows the order in which POSIX reads the locale variables.
func unicodeLocale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return os.PathSeparator == '\\' // Windows consoles name no locale
}

// path is name as this process must open it.
func (e *Env) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(e.Dir, name)
}

// get is the value of an environment variable, "" when unset.
func (e *Env) get(name string) string {
	v, _ := e.Getenv(name)
	return v
}
