//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

func shellCommand(command string) []string { return []string{"/bin/sh", "-c", command} }

// ownGroup puts a command into a process group of its own. A Ctrl-C in the
// terminal then does not end it before the last request was answered.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// guardGroup starts a small process that ends a process group when this program
// ends without having done so: by SIGKILL, by a crash, or as the machine ran out
// of memory. It waits for the end of a pipe that only this program holds open,
// which works on every Unix; Linux's PR_SET_PDEATHSIG would reach the shell alone,
// and follows the thread that started it. The function that is returned ends it.
func guardGroup(group int) (release func(), err error) {
	read, write, err := os.Pipe() // closed in every program that is started later
	if err != nil {
		return nil, err
	}
	script := fmt.Sprintf("read gone; kill -TERM -%[1]d; sleep %[2]g; kill -KILL -%[1]d", group, stopGrace.Seconds())
	guard := exec.Command("/bin/sh", "-c", script) //nolint:noctx // it must outlive every context
	guard.Stdin = read
	ownGroup(guard)
	err = guard.Start()
	_ = read.Close()
	if err != nil {
		_ = write.Close()
		return nil, err
	}
	return sync.OnceFunc(func() {
		_ = guard.Process.Kill()
		_ = guard.Wait()
		_ = write.Close()
	}), nil
}

func askToEnd(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func endAll(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// groupLives says whether any process of the group is left; those whose parent
// has not heard of their end count.
func groupLives(cmd *exec.Cmd, _ <-chan struct{}) bool {
	return !errors.Is(syscall.Kill(-cmd.Process.Pid, 0), syscall.ESRCH)
}
