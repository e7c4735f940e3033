package scenario

import (
	"testing"
	"time"
)

// cpuOf is the time of f: near enough where nothing else runs.
func cpuOf(_ *testing.B, f func()) time.Duration {
	begin := time.Now()
	f()
	return time.Since(begin)
}
