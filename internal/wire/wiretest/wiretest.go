// Package wiretest starts the programs of others that tests talk to: servers and
// proxies that nobody here wrote.
package wiretest

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Program starts a program that listens on addr, waits until it does, and ends it
// with the test. Where it is not installed the test is skipped; with CI=true, for
// which .ci/test installs all of them, it fails.
func Program(t testing.TB, addr, name string, args ...string) {
	t.Helper()
	path, ok := find(name)
	if !ok {
		Missing(t, "%s is not installed: .ci/test installs it", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // nginx then ends its workers
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("%s ended: %s", name, out.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Missing skips a test for want of a program; with CI=true it fails instead.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// find looks for a program in PATH, and where servers are that PATH may not name.
func find(name string) (path string, ok bool) {
	for _, file := range []string{name, filepath.Join("/usr/sbin", name), filepath.Join("/usr/local/sbin", name)} {
		if path, err := exec.LookPath(file); err == nil {
			return path, true
		}
	}
	return "", false
}

// Free returns an address of loopback that nothing listens on.
func Free(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
