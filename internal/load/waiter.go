package load

import (
	"runtime"
	"time"
)

// A waiter lets one goroutine sleep until a moment.
type waiter interface {
	// wait returns at the moment, or at once when it has passed. It is false
	// when the waiter was stopped.
	wait(until time.Time) bool
	// stop ends the wait that is under way and all later ones. It may be
	// called while wait runs.
	stop()
	// close frees what the waiter holds, when wait runs no more.
	close()
}

// A sleeper waits with the timers of package time, on systems without timerfd.
// Go's timers are whole milliseconds when the process is idle (golang/go#44343),
// and those of Windows may be coarser. So above spinRate arrivals a second the
// last spinFor is spun away, giving way to other goroutines: that is precise to
// some microseconds, and costs up to a whole CPU.
type sleeper struct {
	timer *time.Timer
	spin  time.Duration
	quit  chan struct{}
}

const (
	spinRate = 500
	spinFor  = 1200 * time.Microsecond // a millisecond, and the way back from the kernel
)

func newSleeper(spin time.Duration) *sleeper {
	s := &sleeper{timer: time.NewTimer(time.Hour), spin: spin, quit: make(chan struct{})}
	s.timer.Stop()
	return s
}

func (s *sleeper) wait(until time.Time) bool {
	select {
	case <-s.quit:
		return false
	default:
	}
	if d := time.Until(until) - s.spin; d > 0 {
		s.timer.Reset(d)
		select {
		case <-s.timer.C:
		case <-s.quit:
			return false
		}
	}
	for time.Now().Before(until) {
		runtime.Gosched()
	}
	return true
}

func (s *sleeper) stop()  { close(s.quit) }
func (s *sleeper) close() { s.timer.Stop() }

// newWaiter is the best waiter for arrivals at up to so many a second.
func newWaiter(rate float64, plain bool) waiter {
	if plain {
		return newSleeper(0)
	}
	if w, err := newAlarm(); err == nil {
		return w
	}
	if rate > spinRate {
		return newSleeper(spinFor)
	}
	return newSleeper(0)
}
