package load

import (
	"syscall"
	"time"
)

// systemNoPort are Winsock's own numbers for a lack of ports, descriptors and
// buffers: WSAEADDRNOTAVAIL, WSAEMFILE and WSAENOBUFS.
var systemNoPort = []syscall.Errno{10049, 10024, 10055}

// cpuTime is the CPU time that this process has used, user and kernel.
func cpuTime() time.Duration {
	var created, exited, kernel, user syscall.Filetime
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	return filetime(kernel) + filetime(user)
}

// filetime is a length of time in a Filetime, which counts 100 ns.
func filetime(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}
