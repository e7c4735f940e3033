package load

import (
	"runtime"

	"github.com/loadline-ci/loadline/internal/result"
)

// Environment says where this process runs. Label and Image are the user's to
// fill in.
func Environment() result.Environment {
	return result.Environment{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Cores: runtime.NumCPU(), Kernel: kernel(),
	}
}

const unknownCPU = "unknown"
