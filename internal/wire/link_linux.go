//go:build linux && (amd64 || arm64)

package wire

import (
	"syscall"
	"unsafe"
)

// rawIO says that a link may read and write its socket inside the poller's
// callback.
const rawIO = true

// sysSend and sysRecv are send(2) and recv(2) on a non-blocking socket. They
// never wait, so the scheduler need not be told of them: RawSyscall saves
// entersyscall and exitsyscall, and the socket calls save write's and read's
// way through the file system. MSG_NOSIGNAL as every write to a broken
// connection would raise SIGPIPE otherwise.
func sysSend(fd uintptr, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		if e == 0 {
			return int(n), nil
		}
		if e != syscall.EINTR {
			return 0, errno(e)
		}
	}
}

func sysRecv(fd uintptr, p []byte) (int, error) { return recvFlags(fd, p, syscall.MSG_DONTWAIT) }

// sysPeek is sysRecv that leaves the bytes where they are.
func sysPeek(fd uintptr, p []byte) (int, error) {
	return recvFlags(fd, p, syscall.MSG_DONTWAIT|syscall.MSG_PEEK)
}

func recvFlags(fd uintptr, p []byte, flags uintptr) (int, error) {
	for {
		n, _, e := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))),
			uintptr(len(p)), flags, 0, 0)
		if e == 0 {
			return int(n), nil
		}
		if e != syscall.EINTR {
			return 0, errno(e)
		}
	}
}

// errno boxes the error of every request that waits without allocating.
func errno(e syscall.Errno) error {
	if e == syscall.EAGAIN {
		return errAgain
	}
	return e
}

var errAgain error = syscall.EAGAIN
