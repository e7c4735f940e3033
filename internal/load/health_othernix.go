//go:build !linux && !windows

package load

import "syscall"

var systemNoPort []syscall.Errno
