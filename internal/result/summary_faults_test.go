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
		{"busy now and then", "", "", "", func(r *Run) { r.Generator = Generator{Seconds: 60, BusySeconds: 6, LateSeconds: 6, LagP99: 10 * time.Millisecond} }},
		{"late", "generator-late", "30 ms or more too late (in 20 of 60 seconds)", "machine", func(r *Run) {
			r.Generator = Generator{Seconds: 60, LateSeconds: 20, LagP99: 30 * time.Millisecond}
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
