//go:build unix && !(linux && (amd64 || arm64))

package wire

import "syscall"

// rawIO says that a link may read and write its socket inside the poller's
// callback.
const rawIO = true

func sysSend(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		if err == nil {
			return n, nil
		}
		if err != syscall.EINTR {
			return 0, err
		}
	}
}

func sysRecv(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err == nil {
			return n, nil
		}
		if err != syscall.EINTR {
			return 0, err
		}
	}
}

// sysPeek is sysRecv that leaves the bytes where they are.
func sysPeek(fd uintptr, p []byte) (int, error) {
	for {
		n, _, err := syscall.Recvfrom(int(fd), p, syscall.MSG_PEEK)
		if err == nil {
			return n, nil
		}
		if err != syscall.EINTR {
			return 0, err
		}
	}
}

var errAgain error = syscall.EAGAIN
