package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lateRate is how many arrivals a second the lateness is measured at.
const lateRate = 10_000

// late is how late arrivals are at 10,000 a second, in turn with a bare loop
// that does nothing but wait for as many moments: what that one is late is the
// machine's doing. The best of three counts, as a shared machine takes
// milliseconds away; arrivals must be exact each time.
func (b *bench) late() error {
	spec := filepath.Join(b.dir, "late.toml")
	text := fmt.Sprintf("name = \"late\"\n[target]\nurl = %q\n[load]\nrate = \"%d/s\"\nduration = \"%ds\"\n[gate]\ncompare = []\n[[scenario]]\nname = \"a\"\n[[scenario.step]]\nrequest = \"GET /a\"\n",
		b.nginx.url("http"), lateRate, b.secs)
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var bare, ours [2]int64 // p50 and p99
	for range 3 {
		out, err := exec.Command("taskset", "-c", "1", self, "-metronome", strconv.Itoa(lateRate), "-secs", strconv.Itoa(b.secs)).Output()
		if err != nil {
			return fmt.Errorf("the bare loop: %w", err)
		}
		var m [2]int64
		if _, err := fmt.Sscan(string(out), &m[0], &m[1]); err != nil {
			return fmt.Errorf("the bare loop said %q: %w", out, err)
		}
		bare = better(bare, m)
		o, err := b.lateness(spec)
		if err != nil {
			return err
		}
		ours = better(ours, o)
	}
	fmt.Printf("%-44s p50 %d us, p99 %d us (a bare loop: %d us, %d us)\n", fmt.Sprintf("lateness of arrivals at %d/s", lateRate), ours[0], ours[1], bare[0], bare[1])
	return nil
}

// better keeps the figures of the run with the lower p99.
func better(best, m [2]int64) [2]int64 {
	if best[1] == 0 || m[1] < best[1] {
		return m
	}
	return best
}

func (b *bench) lateness(spec string) ([2]int64, error) {
	file := filepath.Join(b.dir, "late.json")
	args := []string{"-c", "1", b.loadline, "run", "--fail-on", "none", "--quiet", "--json", file, spec}
	if out, err := exec.Command("taskset", args...).CombinedOutput(); err != nil {
		return [2]int64{}, fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return [2]int64{}, err
	}
	var r struct {
		Run struct {
			Generator struct {
				Lag struct{ P50, P99 int64 } `json:"lag_us"`
			} `json:"generator"`
		} `json:"run"`
		Flows []struct{ Offered int64 } `json:"flows"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return [2]int64{}, err
	}
	var offered int64
	for _, f := range r.Flows {
		offered += f.Offered
	}
	if want := int64(lateRate * b.secs); offered != want {
		return [2]int64{}, fmt.Errorf("%d arrivals, want %d", offered, want)
	}
	return [2]int64{r.Run.Generator.Lag.P50, r.Run.Generator.Lag.P99}, nil
}

// metronome waits for so many moments a second on a thread of its own, and
// prints how late it woke up, p50 and p99 in µs.
func metronome(rate, secs int) error {
	runtime.LockOSThread()
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, 0)
	if err != nil {
		return err
	}
	late := make([]int64, rate*secs)
	var expired [8]byte
	start := time.Now()
	for i := range late {
		due := start.Add(time.Duration(i+1) * time.Second / time.Duration(rate))
		if d := time.Until(due); d > 0 {
			spec := unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}
			if err := unix.TimerfdSettime(fd, 0, &spec, nil); err != nil {
				return err
			}
			if _, err := unix.Read(fd, expired[:]); err != nil {
				return err
			}
		}
		late[i] = time.Since(due).Microseconds()
	}
	slices.Sort(late)
	fmt.Println(late[len(late)/2], late[len(late)*99/100])
	return nil
}
