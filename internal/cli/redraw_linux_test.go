package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadline-ci/loadline/internal/live"
)

// A pty is a pseudo-terminal and what was written to it.
type pty struct {
	slave *os.File
	mu    sync.Mutex
	text  strings.Builder
	read  sync.WaitGroup
}

func newPTY(t *testing.T, columns, rows uint16) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{}
	if p.slave, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
		t.Fatal(err)
	}
	p.read.Go(func() {
		_, _ = io.Copy(writerFunc(func(b []byte) (int, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.text.Write(b)
		}), master)
	})
	t.Cleanup(func() {
		_ = p.slave.Close()
		p.read.Wait()
		_ = master.Close()
	})
	return p
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// wait waits until a text was written.
func (p *pty) wait(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.written(), text) {
			return
		}
	}
	t.Fatalf("%q was not written; what was: %q", text, p.written())
}

func (p *pty) written() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// The view must not change how the terminal behaves: then nothing has to be
// undone when the program is killed.
func TestRedrawLeavesTheTerminalAsItIs(t *testing.T) {
	t.Parallel()
	p := newPTY(t, 80, 24)
	before, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	env := &Env{
		Stderr: p.slave, Environ: func() []string { return []string{"TERM=xterm-256color"} },
		Progress: Terminal{Is: true, Width: 80, Unicode: true, Redraws: true},
	}
	hub := &live.Hub{}
	watched, done := watchRun(env, hub, false)
	hub.Publish(&live.Row{Phase: live.Waiting, Note: "http://127.0.0.1:1"})
	p.wait(t, "waiting for the target at http://127.0.0.1:1")
	hub.Publish(&live.Row{Phase: live.Load, Title: "shop", ElapsedS: 1, PlannedS: 10, LeftS: 9, Open: true, Asked: 50})
	p.wait(t, "asked")
	if _, err := fmt.Fprint(watched.Stderr, "loadline: a message\nof two lines\n"); err != nil {
		t.Fatal(err)
	}
	p.wait(t, "of two lines")
	during, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	done()
	if *during != *before {
		t.Errorf("the terminal has other modes while a run is shown: %+v, before %+v", during, before)
	}
	// While a frame is drawn the cursor may be hidden, and is shown in the same
	// write. Beyond that: no private mode, no cursor shape, and nothing that the
	// terminal would answer on its input.
	if _, err := fmt.Fprint(p.slave, "the end"); err != nil {
		t.Fatal(err)
	}
	p.wait(t, "the end")
	drawn := regexp.MustCompile(`(?s)(\x1b\[\?25l.*?)?\x1b\[\?25h`).ReplaceAllString(p.written(), "")
	if change := regexp.MustCompile(`\x1b(\[[?>]|\[[0-9]* q|\[[0-9]*[cn]|\])`).FindString(drawn); change != "" {
		t.Errorf("%q is written: %q", change, p.written())
	}
}

// A terminal that goes away while the run goes on must not stop it.
func TestRedrawWithoutATerminal(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	env := &Env{Stderr: w, Environ: func() []string { return nil }, Progress: Terminal{Is: true, Width: 80, Redraws: true}}
	hub := &live.Hub{}
	watched, done := watchRun(env, hub, false)
	for i := range 100 {
		hub.Publish(&live.Row{Phase: live.Load, ElapsedS: float64(i), PlannedS: 100})
	}
	_, _ = fmt.Fprintln(watched.Stderr, "a message")
	done()
	if _, err := fmt.Fprintln(watched.Stderr, "another"); err != nil {
		t.Error(err)
	}
	_ = w.Close()
}
