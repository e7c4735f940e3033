package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// A deployment is a program that a start command brought up: the shell and all
// that it started, as one process group.
type deployment struct {
	side string // "base" or "head"
	cmd  *exec.Cmd
	out  *tail
	gone chan struct{} // closed when the command ended
	err  error         // how it ended; valid after gone

	grace time.Duration // from asking it to end to ending it
	guard func()        // ends the guard; see guardGroup
}

const (
	stopGrace   = 5 * time.Second        // the grace of every program
	killGrace   = time.Second            // from ending it to its parent's hearing of it, if that one listens
	stopLook    = 20 * time.Millisecond  // how often it is looked after meanwhile
	outputGrace = 500 * time.Millisecond // for output of children that outlive their shell
)

// deploy runs a start command in a shell. It does not end with ctx, but with
// stop, so that what it serves is there until the last request.
func deploy(ctx context.Context, env *Env, side, command string) (*deployment, error) {
	d := &deployment{side: side, out: &tail{}, gone: make(chan struct{}), grace: stopGrace}
	shell := shellCommand(command)
	d.cmd = exec.CommandContext(context.WithoutCancel(ctx), shell[0], shell[1:]...)
	d.cmd.Dir = env.Dir
	d.cmd.Env = withoutInputs(env.Environ())
	d.cmd.Stdout, d.cmd.Stderr = d.out, d.out
	d.cmd.WaitDelay = outputGrace
	ownGroup(d.cmd)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	var unguarded error
	if d.guard, unguarded = guardGroup(d.cmd.Process.Pid); unguarded != nil {
		d.guard = func() {} // it is stopped all the same, unless loadline is killed
	}
	go func() {
		defer close(d.gone)
		d.err = d.cmd.Wait()
		if errors.Is(d.err, exec.ErrWaitDelay) {
			d.err = nil
		}
	}()
	return d, nil
}

// withoutInputs is an environment without what a CI system hands to loadline
// alone: the inputs of the Action, among them its token, and the files through
// which a step speaks to its runner. A start command runs the code under test,
// which has no business with either.
func withoutInputs(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return forLoadline(name)
	})
}

// forLoadline says whether a variable is one of those.
func forLoadline(name string) bool {
	name = strings.ToUpper(name)
	switch name {
	case "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE", "GITHUB_STEP_SUMMARY":
		return true
	}
	return strings.HasPrefix(name, "INPUT_") || strings.HasPrefix(name, "ACTIONS_")
}

// ended says how the command ended; "" while it runs.
func (d *deployment) ended() string {
	select {
	case <-d.gone:
	default:
		return ""
	}
	if d.err == nil {
		return "exit status 0"
	}
	return d.err.Error()
}

// stop ends the command and all that it started: it asks, and after its grace it
// does not ask any more. It returns when they are gone.
func (d *deployment) stop() {
	askToEnd(d.cmd)
	gone := d.leaves(d.grace)
	endAll(d.cmd) // also when the shell left by itself: on Windows only that was seen
	if !gone {
		d.leaves(killGrace)
	}
	<-d.gone
	d.guard()
}

// leaves waits until nothing of the command is left, or for so long.
func (d *deployment) leaves(grace time.Duration) bool {
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	look := time.NewTicker(stopLook)
	defer look.Stop()
	for groupLives(d.cmd, d.gone) {
		select {
		case <-look.C:
		case <-deadline.C:
			return false
		}
	}
	return true
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// tailKept is how much of a program's output is kept, and tailShown how many of
// its last lines are shown when it fails.
const (
	tailKept  = 64 << 10
	tailShown = 20
)

// Write never fails: a program must not stop because nobody reads what it says.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 2*tailKept {
		t.text = append(t.text[:0], t.text[len(t.text)-tailKept:]...)
	}
	return len(p), nil
}

// lines are the last lines, without empty ones at the end.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimRight(strings.ToValidUTF8(string(t.text), "�"), "\r\n \t")
	if text == "" {
		return nil
	}
	all := strings.Split(text, "\n")
	return all[max(0, len(all)-tailShown):]
}

// show writes the last lines, each with its side before it.
func (d *deployment) show(w io.Writer, m mask) {
	lines := d.out.lines()
	if len(lines) == 0 {
		_, _ = fmt.Fprintf(w, "%s: the start command wrote nothing\n", d.side)
		return
	}
	_, _ = fmt.Fprintf(w, "the last of what the %s's start command wrote:\n", d.side)
	for _, line := range lines {
		_, _ = fmt.Fprintf(w, "  %s| %s\n", d.side, printable(m.String(strings.TrimRight(line, "\r"))))
	}
}

// printable is a line of foreign output without what would steer a terminal.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, line)
}
