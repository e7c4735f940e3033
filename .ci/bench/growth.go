package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Of a client with many connections the first seconds are left out, in which it
// makes them: what is asked is what a request costs among many.
const (
	growthWarmUp = 4 * time.Second
	growthWindow = 3 * time.Second
	growthRounds = 3
)

// growth is what CPU a request costs at 10,000 connections against 100, for wrk
// and for loadline in turn.
func (b *bench) growth() error {
	server, err := startCounter(b.dir, "127.0.0.1")
	if err != nil {
		return err
	}
	defer server.stop()
	url := "http://" + server.addr + "/a"
	costs := map[string]map[int][]float64{}
	for range growthRounds {
		for _, n := range []int{100, 10_000} {
			for name, args := range map[string][]string{
				"wrk":   {"wrk", "-t1", fmt.Sprintf("-c%d", n), "-d60s", url},
				"bench": {b.loadline, "bench", url, "-c", fmt.Sprint(n), "-d", "60s", "--quiet"},
			} {
				us, err := steady(server, args)
				if err != nil {
					return err
				}
				if costs[name] == nil {
					costs[name] = map[int][]float64{}
				}
				costs[name][n] = append(costs[name][n], us)
			}
		}
	}
	for _, name := range []string{"wrk", "bench"} {
		few, many := costs[name][100], costs[name][10_000]
		fmt.Printf("%-44s %5.2f x  (%.1f us against %.1f us; %s and %s)\n", "CPU a request, 10,000 connections / 100, "+name,
			median(many)/median(few), median(many), median(few), list(many), list(few))
	}
	return nil
}

// steady runs a client on the last CPU, and returns what CPU a request costs it,
// in µs, once it is under way.
func steady(server *counter, args []string) (float64, error) {
	if path, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{path, "-c", "1"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait() // it was interrupted
	}()
	look := func() (cpu time.Duration, requests int64, err error) {
		if cpu, err = ticks(cmd.Process.Pid); err != nil {
			return 0, 0, err
		}
		requests, _, err = server.read()
		return cpu, requests, err
	}
	time.Sleep(growthWarmUp)
	cpu, requests, err := look()
	if err != nil {
		return 0, err
	}
	time.Sleep(growthWindow)
	cpu2, requests2, err := look()
	if err != nil {
		return 0, err
	}
	if requests2 == requests {
		return 0, fmt.Errorf("%s sent nothing", args[len(args)-1])
	}
	return float64((cpu2 - cpu).Microseconds()) / float64(requests2-requests), nil
}
