//go:build unix

package cli

import (
	"errors"
	"os/exec"
	"syscall"
)

func shellCommand(command string) []string { return []string{"/bin/sh", "-c", command} }

// ownGroup puts a command into a process group of its own. A Ctrl-C in the
// terminal then does not end it before the last request was answered.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func askToEnd(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func endAll(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// groupLives says whether any process of the group is left; those whose parent
// has not heard of their end count.
func groupLives(cmd *exec.Cmd, _ <-chan struct{}) bool {
	return !errors.Is(syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH)
}
