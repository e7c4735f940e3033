package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// others is the share of the machine's CPU, in percent, that is used while this
// program and what it starts do nothing.
func others(wait time.Duration) float64 {
	busy, all := ticks()
	time.Sleep(wait)
	busy2, all2 := ticks()
	if all2 == all {
		return 0
	}
	return 100 * (busy2 - busy) / (all2 - all)
}

// ticks reads the machine's CPU time since it was started, and how much of it was
// not idle: proc_stat(5).
func ticks() (busy, all float64) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, word := range strings.Fields(line) {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil || i > 8 { // guest time is part of user time
			continue
		}
		all += n
		if i != 4 && i != 5 { // idle, iowait
			busy += n
		}
	}
	return busy, all
}

// machine names the machine in a line.
func machine() string {
	cpu := "unknown CPU"
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(data), "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				cpu = strings.TrimSpace(value)
				break
			}
		}
	}
	kernel := "unknown kernel"
	var u syscall.Utsname
	if syscall.Uname(&u) == nil {
		var b strings.Builder
		for _, c := range u.Release {
			if c == 0 {
				break
			}
			b.WriteByte(byte(c))
		}
		kernel = "Linux " + b.String()
	}
	return fmt.Sprintf("%s, %d CPUs, %s, %s", cpu, runtime.NumCPU(), kernel, runtime.Version())
}
