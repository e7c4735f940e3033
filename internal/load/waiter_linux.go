package load

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm waits on a timerfd through the runtime's poller, which wakes up for
// it within some tens of microseconds (50 µs at p99 on an idle machine), unlike
// for its own timers. No thread is held meanwhile.
type alarm struct {
	file  *os.File
	raw   syscall.RawConn
	until time.Time
	ready func(fd uintptr) bool
	err   error
}

func newAlarm() (waiter, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a timer: %w", err)
	}
	a := &alarm{file: os.NewFile(uintptr(fd), "timerfd")}
	a.ready = a.arm
	if a.raw, err = a.file.SyscallConn(); err == nil {
		// Files that the poller does not take have no deadline; reading from
		// one would block a thread, and stop could not end it.
		err = a.file.SetReadDeadline(time.Time{})
	}
	if err != nil {
		a.close()
		return nil, fmt.Errorf("polling a timer: %w", err)
	}
	return a, nil
}

// wait lets the poller wait. RawConn.Read makes the poller ready before it calls
// arm, so no expiry is missed; arm never reads the timer, as setting it anew
// clears it.
func (a *alarm) wait(until time.Time) bool {
	a.until = until
	return a.raw.Read(a.ready) == nil && a.err == nil
}

// arm is true when the moment has come, and else sets the timer for it. It looks
// at the clock whenever the poller wakes it, so an early wake-up does no harm.
func (a *alarm) arm(fd uintptr) bool {
	d := time.Until(a.until)
	if d <= 0 {
		return true
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
	a.err = unix.TimerfdSettime(int(fd), 0, &spec, nil)
	return a.err != nil
}

// stop lets the deadline of the file pass.
func (a *alarm) stop() { _ = a.file.SetReadDeadline(time.Unix(1, 0)) }

func (a *alarm) close() { _ = a.file.Close() }
