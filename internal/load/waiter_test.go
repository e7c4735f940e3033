package load

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// The tests with a real clock wait some milliseconds and set no upper limit:
// how late a busy machine wakes up is not for a test to say.

func testWaiter(t *testing.T, w waiter) {
	t.Helper()
	if until := time.Now().Add(-time.Hour); !w.wait(until) {
		t.Error("waiting for the past says stopped")
	}
	for _, d := range []time.Duration{time.Nanosecond, 50 * time.Microsecond, 3 * time.Millisecond} {
		until := time.Now().Add(d)
		if !w.wait(until) {
			t.Fatalf("waiting for %v says stopped", d)
		}
		if early := time.Until(until); early > 0 {
			t.Errorf("waiting for %v ended %v early", d, early)
		}
	}
	woken := make(chan bool)
	go func() { woken <- w.wait(time.Now().Add(time.Hour)) }()
	w.stop()
	if <-woken {
		t.Error("a stopped waiter says its moment has come")
	}
	if w.wait(time.Now().Add(time.Hour)) {
		t.Error("stopped, it waits again")
	}
	w.close()
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	w, err := newAlarm()
	if runtime.GOOS != "linux" {
		if err == nil {
			t.Error("there is a timerfd, on another system than Linux")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	testWaiter(t, w)
}

func TestSleeper(t *testing.T) {
	t.Parallel()
	testWaiter(t, newSleeper(0))
}

func TestSpinner(t *testing.T) {
	t.Parallel()
	testWaiter(t, newSleeper(spinFor))
}

func TestSleeperInABubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWaiter(1e6, true)
		defer w.close()
		start := time.Now()
		for i := range 1000 {
			until := start.Add(time.Duration(i) * time.Microsecond)
			if !w.wait(until) || !time.Now().Equal(until) {
				t.Fatalf("woke up at %v, want %v", time.Since(start), until.Sub(start))
			}
		}
	})
}

// BenchmarkWait reports how late each waiter is at 10,000 a second: run it on
// an idle machine.
func BenchmarkWait(b *testing.B) {
	makers := map[string]func() (waiter, error){
		"alarm":   newAlarm,
		"sleeper": func() (waiter, error) { return newSleeper(0), nil },
		"spinner": func() (waiter, error) { return newSleeper(spinFor), nil },
	}
	for name, make := range makers {
		b.Run(name, func(b *testing.B) {
			w, err := make()
			if err != nil {
				b.Skip(err)
			}
			defer w.close()
			var late histogram
			start := time.Now()
			n := 0
			for b.Loop() {
				n++
				until := start.Add(time.Duration(n) * 100 * time.Microsecond)
				w.wait(until)
				late.add(uint64(micros(time.Since(until))))
			}
			h := late.full()
			b.ReportMetric(float64(h.ValueAtPercentile(50)), "p50-µs")
			b.ReportMetric(float64(h.ValueAtPercentile(99)), "p99-µs")
		})
	}
}
