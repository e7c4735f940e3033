package result

import (
	"strings"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	// failedWith makes half or more of a run fail from the first second on.
	failedWith := func(k Key) func(*Run) {
		return func(r *Run) {
			k.Failed = true
			r.Cells = []Cell{{Key: k, Count: 990}, {Key: Key{Status: 200}, Count: 10}}
			for range 8 {
				r.Series = append(r.Series, Second{Completed: 100, Failed: 99, Measured: true})
			}
		}
	}
	for _, c := range []struct {
		name, code, message, remedy string
		change                      func(*Run)
	}{
		{"healthy", "", "", "", func(*Run) {}},
		{"not ready", "not-ready", "connection refused", "target.url", func(r *Run) { r.NotReady, r.Cells = "connection refused", nil }},
		{"interrupted", "interrupted", "interrupted after 3 s", "again", func(r *Run) { r.Interrupted, r.Duration = true, 3*time.Second }},
		{"nothing measured", "no-requests", "no request ended", "warm-up", func(r *Run) { r.Cells = nil }},
		{"only warm-up", "no-requests", "no request ended", "warm-up", func(r *Run) { r.Catalog.Stages[0].Measure = false }},
		{"busy", "generator-busy", "7 of 60 seconds (peak 99%)", "lower the rate", func(r *Run) {
			r.Generator = Generator{Seconds: 60, BusySeconds: 7, CPUMax: 0.99}
		}},
		{"busy and late now and then", "", "", "", func(r *Run) {
			r.Generator = Generator{Seconds: 60, BusySeconds: 6, LateSeconds: 30, LagP50: 9 * time.Millisecond, LagP99: 40 * time.Millisecond}
			lateRounds(r, 2)
		}},
		{"late rounds", "generator-late", "70 ms at p99, and in 3 of 12 rounds by over 50 ms", "machine", func(r *Run) {
			r.Generator = Generator{Seconds: 60, LagP99: 70 * time.Millisecond}
			lateRounds(r, 3)
		}},
		{"late as a rule", "generator-late", "by 11 ms in the middle", "machine", func(r *Run) { r.Generator = Generator{Seconds: 60, LagP50: 11 * time.Millisecond} }},
		{"late by the host", "generator-late", "over 50 ms (the host took 7% of this machine's CPU, and it used up to 90% of its CPU, and its own memory management paused it for 12 ms)", "machine", func(r *Run) {
			r.Generator = Generator{Seconds: 60, LagP99: 70 * time.Millisecond, Steal: 0.07, CPUMax: 0.9, GCPauseMax: 12 * time.Millisecond}
			lateRounds(r, 3)
		}},
		{"no ports", "no-ports", "3 connections", "keep_alive", func(r *Run) { r.Generator.NoPorts = 3 }},
		{"redirected", "wrong-from-start", "990 of 1,000 requests failed, and from the first second on: 990 answered 302, a redirect", "credentials", failedWith(Key{Status: 302})},
		{"forbidden", "wrong-from-start", "990 answered 401", "http.auth", failedWith(Key{Status: 401})},
		{"not found", "wrong-from-start", "answered 404", "paths", failedWith(Key{Status: 404})},
		{"rate limited", "wrong-from-start", "a rate limit", "exempt", failedWith(Key{Status: 429})},
		{"failing", "wrong-from-start", "answered 500", "log", failedWith(Key{Status: 500})},
		{"odd", "wrong-from-start", "answered 418", "expect = 418", failedWith(Key{Status: 418})},
		{"refused", "wrong-from-start", `the error "refused"`, "reached", failedWith(Key{Error: "refused"})},
		{"failing later", "", "", "", func(r *Run) {
			failedWith(Key{Status: 500})(r)
			r.Series[2].Failed = 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := measured(t, 1, 12, 10)
			c.change(r)
			faults := r.Faults()
			if c.code == "" {
				if len(faults) > 0 {
					t.Fatalf("faults: %+v", faults)
				}
				return
			}
			if len(faults) == 0 {
				t.Fatal("no fault")
			}
			f := faults[0]
			if f.Code != c.code || !strings.Contains(f.Message, c.message) || !strings.Contains(f.Remedy, c.remedy) {
				t.Errorf("got %+v; want %s: ...%s... / ...%s...", f, c.code, c.message, c.remedy)
			}
			if s := summarize(t, r); s.Unfit != f.Message {
				t.Errorf("summary is unfit because %q", s.Unfit)
			}
		})
	}
}

func lateRounds(r *Run, n int) {
	for i := range n {
		r.Rounds[i].Health.LagP99 = 51 * time.Millisecond
	}
}

func TestLagAt(t *testing.T) {
	t.Parallel()
	g := Generator{LagP50: 100 * time.Microsecond, LagP99: 10 * time.Millisecond}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{
		{0, 100 * time.Microsecond},
		{0.5, 100 * time.Microsecond},
		{0.95, 2600 * time.Microsecond},
		{0.99, 10 * time.Millisecond},
		{1, 10 * time.Millisecond},
	} {
		if got := g.LagAt(c.q); got < c.want*95/100 || got > c.want*105/100 {
			t.Errorf("at %g: %v, want about %v", c.q, got, c.want)
		}
	}
	if got := (&Generator{}).LagAt(0.99); got != 0 {
		t.Errorf("a generator that was never late: %v", got)
	}
}

func TestDroppedFault(t *testing.T) {
	t.Parallel()
	r := measured(t, 1, 12, 10)
	if f, bad := r.DroppedFault(); bad {
		t.Errorf("without arrivals: %+v", f)
	}
	r.Flows = []Flow{{Offered: 10_000, Dropped: 10}}
	if f, bad := r.DroppedFault(); bad {
		t.Errorf("0.1 %%: %+v", f)
	}
	r.Flows[0].Dropped = 11
	if f, bad := r.DroppedFault(); !bad || !strings.Contains(f.Message, "11 of 10,000 arrivals") {
		t.Errorf("0.11 %%: %+v, %v", f, bad)
	}
	r.Catalog.Stages[0].Measure = false
	if f, bad := r.DroppedFault(); bad {
		t.Errorf("in the warm-up: %+v", f)
	}
}

func TestSummaryOfStoppedRun(t *testing.T) {
	t.Parallel()
	r := measured(t, 1, 12, 10)
	r.Stopped = StopWhen + "errors > 5% (7%)"
	if s := summarize(t, r); s.Unfit != "" {
		t.Errorf("ended by stop_when: %s", s.Unfit)
	}
	r.Stopped = "the limit errors < 1% was broken"
	if s := summarize(t, r); !strings.Contains(s.Unfit, "errors < 1%") {
		t.Errorf("aborted: %q", s.Unfit)
	}
}
