package cli

import (
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

func shellCommand(command string) []string { return []string{"cmd.exe", "/C", command} }

// ownGroup puts a command into a process group of its own, which a Ctrl-Break
// can be sent to.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// guardGroup does nothing: a program that is killed leaves what it started.
func guardGroup(int) (release func(), err error) { return func() {}, nil }

// askToEnd sends a Ctrl-Break, which Go's and most other runtimes take as the
// wish to end. Without a console there is no such thing, and endAll follows.
func askToEnd(cmd *exec.Cmd) {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(cmd.Process.Pid))
}

// endAll ends the command's whole tree, which Windows itself keeps no group of.
func endAll(cmd *exec.Cmd) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(cmd.Process.Pid)).Run() //nolint:noctx // bounded by what it ends
	_ = cmd.Process.Kill()
}

func groupLives(_ *exec.Cmd, gone <-chan struct{}) bool {
	select {
	case <-gone:
		return false
	default:
		return true
	}
}
