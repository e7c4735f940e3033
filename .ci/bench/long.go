package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// How long the long run is, and how often its memory is looked at.
const (
	longFor   = 10 * time.Minute
	longEvery = 10 * time.Second
)

// long drives ten minutes at 1,000 arrivals a second, each with three checks
// and a capture, and reads the resident memory every ten seconds, with the number
// of descriptors: a stall of the machine makes users, which stay. It takes no
// part in a run of the whole table: ask for it by its name.
func (b *bench) long() error {
	text, err := os.ReadFile(b.checks)
	if err != nil {
		return err
	}
	spec := filepath.Join(b.dir, "long.toml")
	load := fmt.Sprintf("rate = \"1000/s\"\nduration = \"%gs\"", longFor.Seconds())
	closed := regexp.MustCompile(`users = \d+\nduration = "\d+s"`)
	if err := os.WriteFile(spec, closed.ReplaceAll(text, []byte(load)), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(b.loadline, "run", "--fail-on", "none", "--quiet", "--json", filepath.Join(b.dir, "long.json"), spec)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(longEvery)
	defer tick.Stop()
	var all []float64
	for {
		select {
		case <-tick.C:
			if mib, ok := residentMiB(cmd.Process.Pid); ok {
				open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid)) // one for each user, and some
				fmt.Printf("%4.0f s  %.1f MiB  %d descriptors\n", time.Since(begin).Seconds(), mib, len(open))
				all = append(all, mib)
			}
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("%w\n%s", err, out.String())
			}
			minute := int(time.Minute / longEvery)
			if len(all) < 2*minute {
				return fmt.Errorf("the run ended after %v\n%s", time.Since(begin), out.String())
			}
			fmt.Printf("%-44s mean of the second minute %.1f MiB, of the last %.1f MiB\n%s", "ten minutes at 1,000 arrivals/s",
				mean(all[minute:2*minute]), mean(all[len(all)-minute:]), out.String())
			return nil
		}
	}
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// residentMiB is what a process holds in memory now.
func residentMiB(pid int) (float64, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err == nil
		}
	}
	return 0, false
}
