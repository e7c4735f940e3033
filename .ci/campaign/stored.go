package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// singleRun runs loadline once on a fresh head, against what is stored.
func (c *campaign) singleRun(ctx context.Context, t target, w what, out string, more ...string) (said string, exit int, err error) {
	dir, err := os.MkdirTemp("", "loadline-campaign-")
	if err != nil {
		return "", 0, err
	}
	defer os.RemoveAll(dir)
	addr, err := freeAddr()
	if err != nil {
		return "", 0, err
	}
	start, err := t.start(dir, addr, w.Route, w.Percent)
	if err != nil {
		return "", 0, err
	}
	stop, err := startTarget(ctx, start, addr)
	if err != nil {
		return "", 0, err
	}
	defer stop()
	store := filepath.Join(c.dir, "baselines")
	args := []string{
		"run", filepath.Join(c.dir, t.name+".toml"), "--target", "http://" + addr, "--duration", c.load.String(), "--json", out,
		"--baseline-dir", store, "--quiet",
	}
	said, exit, err = c.verdictOf(ctx, append(args, more...))
	if err != nil || !w.Keep {
		return said, exit, err
	}
	if set, err := exec.CommandContext(ctx, c.loadline, "baseline", "set", out, "--baseline-dir", store).CombinedOutput(); err != nil {
		return string(set), exit, fmt.Errorf("storing it: %w", err)
	}
	return said, exit, nil
}

// startTarget starts a command in a process group of its own, and waits until it
// listens at addr.
func startTarget(ctx context.Context, command, addr string) (stop func(), err error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a group that is gone needs no killing
		_ = cmd.Wait()                                      // killed
	}
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return stop, conn.Close()
		}
		if ctx.Err() != nil {
			break
		}
	}
	stop()
	return nil, fmt.Errorf("nothing listens at %s after `%s`", addr, command)
}
