//go:build !linux && !darwin && !windows

package load

import "golang.org/x/sys/unix"

func cpuModel() string { return unknownCPU }

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
