package load

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	p := &probe{cpus: 2, pauses: newProbe().pauses}
	at := time.Now()
	from := reading{at: at, cpu: time.Second, stolen: steal{stolen: 100, total: 1000, known: true}}
	to := reading{at: at.Add(2 * time.Second), cpu: 4 * time.Second, stolen: steal{stolen: 150, total: 2000, known: true}, fds: 12}
	var lag histogram
	for i := range 100 {
		lag.add(uint64(i * 100))
	}
	got := p.health(&from, &to, &lag, 3, result.NewHistogram())
	want := result.Health{CPU: 0.75, Steal: 0.05, LagP50: 4903 * time.Microsecond, LagP99: 9807 * time.Microsecond, FDs: 12, NoPorts: 3}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	to.stolen.known = false
	if got := p.health(&from, &to, new(histogram), 0, result.NewHistogram()); got.Steal != -1 || got.LagP99 != 0 {
		t.Errorf("got steal %v and lag %v, want unknown and none", got.Steal, got.LagP99)
	}
}

func TestLongestPause(t *testing.T) {
	t.Parallel()
	p := newProbe()
	from := p.read()
	runtime.GC()
	to := p.read()
	if d := p.longestPause(&from, &to); d <= 0 {
		t.Errorf("a collection paused for %v", d)
	}
	if d := p.longestPause(&to, &to); d != 0 {
		t.Errorf("no collection paused for %v", d)
	}
}

func TestReadingGrows(t *testing.T) {
	t.Parallel()
	p := newProbe()
	from := p.read()
	// Burn CPU until the clock of this process has moved.
	deadline := time.Now().Add(10 * time.Second)
	for cpuTime() == from.cpu && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	to := p.read()
	if to.cpu <= from.cpu {
		t.Errorf("CPU time went from %v to %v", from.cpu, to.cpu)
	}
	if runtime.GOOS != "linux" {
		return
	}
	if !to.stolen.known || to.stolen.total < from.stolen.total {
		t.Errorf("steal went from %+v to %+v", from.stolen, to.stolen)
	}
	if n := openDescriptors(); n < 3 {
		t.Errorf("%d descriptors are open, want at least the three standard ones", n)
	}
}

func TestCPULimit(t *testing.T) {
	t.Parallel()
	if n := cpuLimit(); n <= 0 || n > float64(runtime.NumCPU()) {
		t.Errorf("this process may use %v CPUs of %d", n, runtime.NumCPU())
	}
}

func TestOutOfPorts(t *testing.T) {
	t.Parallel()
	dial := func(no syscall.Errno) error {
		return fmt.Errorf("connecting: %w", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", no)})
	}
	for err, want := range map[error]bool{
		dial(syscall.EADDRNOTAVAIL): true,
		dial(syscall.EMFILE):        true,
		dial(syscall.ENFILE):        true,
		dial(syscall.ECONNREFUSED):  false,
		errors.New("timeout"):       false,
	} {
		if got := OutOfPorts(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	e := Environment()
	if e.OS != runtime.GOOS || e.Arch != runtime.GOARCH || e.Cores < 1 || e.CPU == "" || e.Kernel == "" {
		t.Errorf("something is missing in %+v", e)
	}
}
