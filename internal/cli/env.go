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
	Dir            string // relative paths start here
	Terminal       Terminal
}

// Terminal says what standard output can show.
type Terminal struct {
	Is      bool // a terminal, not a pipe or a file
	Width   int  // columns; 0: unknown
	Color   bool
	Unicode bool
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
		Terminal: terminal(stdout),
	}
}

func terminal(out *os.File) Terminal {
	t := Terminal{Unicode: true}
	fd := int(out.Fd())
	t.Is = term.IsTerminal(fd)
	if w, _, err := term.GetSize(fd); err == nil {
		t.Width = w
	}
	_, noColor := os.LookupEnv("NO_COLOR")
	dumb := os.Getenv("TERM") == "dumb"
	t.Color = t.Is && !noColor && !dumb
	if t.Is {
		t.Unicode = !dumb && unicodeLocale()
	}
	return t
}

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
