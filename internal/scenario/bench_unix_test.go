//go:build unix

package scenario

import (
	"syscall"
	"testing"
	"time"
)

// cpuOf is the CPU time that this process takes for f.
func cpuOf(b *testing.B, f func()) time.Duration {
	used := func() time.Duration {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	begin := used()
	f()
	return used() - begin
}
