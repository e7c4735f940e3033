//go:build unix

package load

import (
	"math"
	"syscall"
)

// mostDescriptors is how many files and sockets this process may open: Go raises
// its soft limit to the hard one by itself.
func mostDescriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return -1
	}
	return int(min(uint64(l.Cur), math.MaxInt32)) //nolint:unconvert // signed on some systems
}
