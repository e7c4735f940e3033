package main

import (
	"fmt"
	"math"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Two runs of some seconds, one after the other, differ by as much as the machine
// does between them: 20 % here. So the clients that are compared run side by side
// and have the CPU in turns: all are stopped (SIGSTOP) but one, which goes on for
// a moment, then the next. What the machine does to one it does to all.
//
// CPU a request is then that of a client under way, its start left out.

// A contender is a client that has its turns.
type contender struct {
	name   string
	args   func(url string, secs int) []string
	tls    bool
	warm   time.Duration // how long it has the CPU to itself at first, to make its connections
	cmd    *exec.Cmd
	server *counter // its own: what is asked in its last moment is answered after its turn
	costs  []float64
	cpu    time.Duration // in all turns
	asked  int64
}

// contest gives the clients so many turns each.
func (b *bench) contest(clients []*contender, turns int, turn time.Duration) (err error) {
	secs := 30 + int((time.Duration(len(clients)*turns) * turn * 3 / 2).Seconds())
	for _, c := range clients {
		if c.server, err = startCounter(b.dir, "127.0.0.1"); err != nil {
			return err
		}
		defer c.server.stop()
		url := "http://" + c.server.addr + "/a"
		if c.tls {
			url = "https://" + c.server.tls + "/a"
		}
		c.cmd = exec.Command("taskset", append([]string{"-c", "1"}, c.args(url, secs)...)...)
		if err := c.cmd.Start(); err != nil {
			return err
		}
		defer func() {
			_ = c.cmd.Process.Kill() // it runs for longer than it is needed
			_ = c.cmd.Wait()
		}()
		time.Sleep(c.warm)
		if err := c.signal(syscall.SIGSTOP); err != nil {
			return err
		}
	}
	for range turns {
		for _, c := range clients {
			if err := c.turn(turn); err != nil {
				return err
			}
		}
	}
	return nil
}

// turn lets the client run for a while and adds up what it did.
func (c *contender) turn(length time.Duration) error {
	cpu, asked, err := c.look()
	if err != nil {
		return err
	}
	if err := c.signal(syscall.SIGCONT); err != nil {
		return err
	}
	time.Sleep(length)
	if err := c.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	after, answered, err := c.look()
	if err != nil {
		return err
	}
	if answered == asked {
		return fmt.Errorf("%s sent nothing in %v: %v", c.name, length, c.cmd.Args)
	}
	c.cpu, c.asked = c.cpu+after-cpu, c.asked+answered-asked
	c.costs = append(c.costs, float64((after-cpu).Nanoseconds())/1e3/float64(answered-asked))
	return nil
}

// perRequest is what CPU a request cost in all turns, in µs.
func (c *contender) perRequest() float64 {
	return float64(c.cpu.Nanoseconds()) / 1e3 / float64(c.asked)
}

func (c *contender) signal(s syscall.Signal) error {
	if err := c.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%s ended before its time: %w", c.name, err)
	}
	return nil
}

// look returns the CPU time the client has used and the requests it was answered.
func (c *contender) look() (cpu time.Duration, answered int64, err error) {
	// The clock of another process (MAKE_PROCESS_CPUCLOCK and CPUCLOCK_SCHED of
	// linux/posix-timers_types.h) counts nanoseconds, /proc/PID/stat hundredths.
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^c.cmd.Process.Pid<<3|2), &ts); err != nil {
		return 0, 0, fmt.Errorf("the CPU time of %s: %w", c.name, err)
	}
	answered, _, err = c.server.read()
	return time.Duration(ts.Nano()), answered, err
}

// ratios are a's costs over b's, turn by turn.
func ratios(a, b *contender) []float64 {
	var all []float64
	for i := range a.costs {
		all = append(all, a.costs[i]/b.costs[i])
	}
	return all
}

// quartiles of some figures.
func quartiles(xs []float64) (low, mid, high float64) {
	s := slices.Sorted(slices.Values(xs))
	at := func(q float64) float64 { return s[int(math.Round(q*float64(len(s)-1)))] }
	return at(0.25), at(0.5), at(0.75)
}

func (b *bench) wrkArgs(conns int) func(string, int) []string {
	return func(url string, secs int) []string {
		return []string{"wrk", "-t1", fmt.Sprintf("-c%d", conns), fmt.Sprintf("-d%ds", secs), url}
	}
}

func (b *bench) benchArgs(conns int, more ...string) func(string, int) []string {
	return func(url string, secs int) []string {
		return append([]string{b.loadline, "bench", url, "-c", fmt.Sprint(conns), "-d", fmt.Sprintf("%ds", secs), "--quiet"}, more...)
	}
}

func (b *bench) h2loadArgs(conns int) func(string, int) []string {
	return func(url string, secs int) []string {
		return []string{"h2load", "-t1", fmt.Sprintf("-c%d", conns), "-m1", fmt.Sprintf("-D%d", secs), url}
	}
}

// runArgs runs a spec with another target and length than it says.
func (b *bench) runArgs(spec string) func(string, int) []string {
	return func(url string, secs int) []string {
		return []string{b.loadline, "run", "--fail-on", "none", "--quiet", "--target", url[:len(url)-len("/a")], "--duration", fmt.Sprintf("%ds", secs), spec}
	}
}

// turnsCost is CPU a request, closed loop, of clients under way that take turns
// with wrk or h2load, one after the other: what a client does each second, whether
// it has the CPU or not, weighs double in that.
func (b *bench) turnsCost() error {
	plain := contender{name: "wrk", args: b.wrkArgs(100)}
	tls, two := plain, contender{name: "h2load", args: b.h2loadArgs(50), tls: true}
	tls.tls = true
	for _, x := range []struct{ ours, theirs contender }{
		{contender{name: "bench", args: b.benchArgs(100)}, plain},
		{contender{name: "run of two steps", args: b.runArgs(b.spec)}, plain},
		{contender{name: "run with checks and capture", args: b.runArgs(b.checks)}, plain},
		{contender{name: "bench, TLS, HTTP/1.1", args: b.benchArgs(100, "--insecure", "--http", "1.1"), tls: true}, tls},
		{contender{name: "bench, TLS, HTTP/2", args: b.benchArgs(50, "--insecure", "--http", "2"), tls: true}, two},
	} {
		ours, theirs := x.ours, x.theirs
		if _, err := exec.LookPath(theirs.name); err != nil {
			fmt.Printf("in turns: %s is not installed\n", theirs.name)
			continue
		}
		ours.warm, theirs.warm = time.Second, time.Second
		if err := b.contest([]*contender{&theirs, &ours}, b.turns, b.turn); err != nil {
			return err
		}
		low, mid, high := quartiles(ratios(&ours, &theirs))
		fmt.Printf("%-44s %5.2f x  (half of %d turns %.2f to %.2f; in all %.2f us against %.2f us)\n",
			"in turns: "+ours.name+" / "+theirs.name, mid, len(ours.costs), low, high, ours.perRequest(), theirs.perRequest())
	}
	return nil
}
