package wire

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// ipBindNoPort is IP_BIND_ADDRESS_NO_PORT of linux/in.h: a bind to an address
// alone takes no port before the target is known, so ports are used up per
// target.
const ipBindNoPort = 24

// open makes a link to an address. It does with four system calls, and with the
// stack of a user, what net.Dialer does with eight and twice the stack: at
// 10,000 users that is 40 MiB.
func (d *dialing) open(to netip.AddrPort, from netip.Addr, deadline time.Duration) (*link, error) {
	if to.Addr().Zone() != "" {
		return d.openPortably(to, from, deadline)
	}
	fd, err := newSocket(to, from)
	if err != nil {
		return nil, err
	}
	// A descriptor that does not block is polled by the runtime.
	l := newLink(os.NewFile(uintptr(fd), "tcp"))
	l.start(deadline, d.session.stop)
	d.session.watch(l)
	if err := l.connect(sockaddr(to)); err != nil {
		_ = l.Close() // it never carried a byte
		return nil, err
	}
	return l, nil
}

// newSocket makes a TCP socket that does not block.
func newSocket(to netip.AddrPort, from netip.Addr) (fd int, err error) {
	family := syscall.AF_INET6
	if to.Addr().Is4() {
		family = syscall.AF_INET
	}
	fd, err = syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, syscall.IPPROTO_TCP)
	if err != nil {
		return -1, err
	}
	err = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	if err == nil && from.IsValid() {
		if err = syscall.SetsockoptInt(fd, syscall.SOL_IP, ipBindNoPort, 1); err == nil {
			err = syscall.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0)))
		}
	}
	if err != nil {
		_ = syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) syscall.Sockaddr {
	if a.Addr().Is4() {
		return &syscall.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &syscall.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// connect connects the link's socket, as flush sends: the callback begins, and
// is called again when the socket can be written.
func (l *link) connect(to syscall.Sockaddr) error {
	begun := false
	var result error
	connecting := func(fd uintptr) (done bool) {
		if !begun {
			begun = true
			result = syscall.Connect(int(fd), to)
			if errors.Is(result, syscall.EINPROGRESS) || errors.Is(result, syscall.EINTR) {
				return false
			}
			if result == nil && toItself(int(fd), to) {
				result = syscall.ECONNREFUSED
			}
			return true
		}
		code, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
		switch {
		case err != nil:
			result = err
		case code != 0:
			result = syscall.Errno(code)
		default:
			// The poller may wake without cause (golang/go#14548): the socket
			// is connected when it has a peer.
			if _, err := syscall.Getpeername(int(fd)); err != nil {
				return false
			}
			result = nil
		}
		if result == nil && toItself(int(fd), to) {
			result = syscall.ECONNREFUSED
		}
		return true
	}
	for {
		if l.stop != nil && l.stop.Load() {
			return errCancelled
		}
		_ = l.nc.SetWriteDeadline(epoch.Add(l.deadline)) // fails on a closed socket only, as the wait will
		err := l.raw.Write(connecting)
		if err == nil {
			return result
		}
		if err := l.expired(err); err != nil {
			return err
		}
	}
}

// toItself says whether a socket is its own peer: on a loopback address where
// nobody listens the kernel may choose the target's port for the client, and
// then connects the two (golang/go#2690).
func toItself(fd int, to syscall.Sockaddr) bool {
	four, ok := to.(*syscall.SockaddrInet4)
	if !ok || four.Addr[0] != 127 {
		return false
	}
	from, err := syscall.Getsockname(fd)
	if err != nil {
		return false
	}
	own, ok := from.(*syscall.SockaddrInet4)
	return ok && own.Port == four.Port && own.Addr == four.Addr
}
