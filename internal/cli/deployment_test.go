//go:build unix

package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func deployed(t *testing.T, command string) *deployment {
	t.Helper()
	env := &Env{Dir: t.TempDir(), Environ: os.Environ}
	d, err := deploy(t.Context(), env, "head", command)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// says waits until the program wrote some words, and returns the line after them.
func (d *deployment) says(t *testing.T, words string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		for _, line := range d.out.lines() {
			if rest, ok := strings.CutPrefix(line, words); ok {
				return strings.TrimSpace(rest)
			}
		}
		select {
		case <-d.gone:
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("it never said %q, but %q", words, d.out.lines())
	return ""
}

func TestDeploymentStopsAllThatItStarted(t *testing.T) {
	t.Parallel()
	d := deployed(t, "sleep 1000 & echo child $!; wait")
	child, err := strconv.Atoi(d.says(t, "child"))
	if err != nil {
		t.Fatal(err)
	}
	if how := d.ended(); how != "" {
		t.Fatalf("it ended at once: %s", how)
	}
	d.stop()
	if d.ended() == "" {
		t.Error("the command still runs")
	}
	if !ended(child) {
		t.Error("its child still runs")
	}
	d.stop() // once more does no harm
}

// ended says whether a process is gone, or waits for its parent to hear of its end.
func ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

// The guard ends a whole group when the pipe's other end is gone, as it is when
// loadline is killed; and itself when it is released.
func TestGuard(t *testing.T) {
	t.Parallel()
	d := deployed(t, "trap '' HUP; sleep 1000 & echo child $!; wait")
	child, err := strconv.Atoi(d.says(t, "child"))
	if err != nil {
		t.Fatal(err)
	}
	d.guard() // released: nothing happens to the group
	if how := d.ended(); how != "" || ended(child) {
		t.Errorf("a released guard ended what it guarded: %q", how)
	}
	d.stop()
	if !ended(child) {
		t.Error("its child still runs")
	}
}

func TestStartCommandsDoNotSeeInputs(t *testing.T) {
	t.Parallel()
	got := withoutInputs([]string{"PATH=/bin", "INPUT_TOKEN=x", "INPUT_BASE-URL=y", "GITHUB_OUTPUT=/o", "GITHUB_SHA=8a1e38d", "HOME=/"})
	if want := []string{"PATH=/bin", "GITHUB_SHA=8a1e38d", "HOME=/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDeploymentThatDoesNotListen(t *testing.T) {
	t.Parallel()
	d := deployed(t, `trap 'echo asked' TERM; echo up; while :; do sleep 0.1; done`)
	d.says(t, "up")
	d.grace = 300 * time.Millisecond
	begun := time.Now()
	d.stop()
	if took := time.Since(begun); took < d.grace {
		t.Errorf("it was ended after %v, want %v", took, d.grace)
	}
	d.says(t, "asked")
}

// A shell that is gone leaves a child that does not listen: it is ended too.
func TestDeploymentWithDeafOrphan(t *testing.T) {
	t.Parallel()
	d := deployed(t, `trap '' TERM; sleep 1000 & echo child $!; exit 9`)
	d.grace = 50 * time.Millisecond
	<-d.gone
	child, err := strconv.Atoi(d.says(t, "child"))
	if err != nil {
		t.Fatal(err)
	}
	if how := d.ended(); how != "exit status 9" || ended(child) {
		t.Errorf("it ended with %q, its child is gone: %v", how, ended(child))
	}
	d.stop()
	if !ended(child) {
		t.Error("its child still runs")
	}
}

func TestDeploymentShowsItsEnd(t *testing.T) {
	t.Parallel()
	d := deployed(t, `i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done; printf 'pass \033[31mhunter22\n' >&2; exit 3`)
	<-d.gone
	if how := d.ended(); how != "exit status 3" {
		t.Errorf("it ended with %q", how)
	}
	var b bytes.Buffer
	d.show(&b, newMask([]string{"hunter22"}))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 1+tailShown || lines[1] != "  head| line 11" || lines[tailShown] != "  head| pass [31m***" {
		t.Errorf("shown:\n%s", b.String())
	}
	d.stop()
}

func TestTailIsBounded(t *testing.T) {
	t.Parallel()
	var out tail
	line := []byte(strings.Repeat("x", 99) + "\n")
	for range 10_000 {
		if _, err := out.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if n := cap(out.text); n > 4*tailKept {
		t.Errorf("it keeps %d bytes of a million", n)
	}
	if lines := out.lines(); len(lines) != tailShown || len(lines[0]) != 99 {
		t.Errorf("%d lines, the first of %d bytes", len(lines), len(lines[0]))
	}
}

func TestHostPort(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://a.example": "a.example:80", "https://a.example/x": "a.example:443", "http://127.0.0.1:81/": "127.0.0.1:81", "http://[::1]": "[::1]:80",
	} {
		if got, err := hostPort(in); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", in, got, err, want)
		}
	}
}
