package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// watched is the run of shop with what its target said of itself: once before
// the load, once in the warm-up, twice while the load counted, once after it.
func watched(t testing.TB) *result.Run {
	run := shop(t)
	for i := range run.Series {
		run.Series[i].At = time.Duration(i) * time.Second
	}
	at := func(values ...float64) (all []result.Reading) {
		for i, v := range values {
			all = append(all, result.Reading{At: time.Duration(i-1)*time.Second + 500*time.Millisecond, Value: v})
		}
		return all
	}
	run.Observed = []result.Observed{
		{Role: "cpu", Limit: 4, Every: time.Second, Readings: at(9, 9, 3.5, 2.5, 9)},
		{Role: "memory", Unit: unit.BaseBytes, Readings: at(1, 1, 3<<30, 1<<30, 1)},
		{Role: "wait", Unit: unit.BaseSeconds, Readings: at(1, 1, 0.25, 0.75, 1)},
		{Role: "queue", Every: time.Second, Missed: 4, Fault: "it answered with status 503"},
		{Role: "slow", Every: time.Minute, Readings: at(1)},
	}
	return run
}

func TestLimitsOnTheTarget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit string
		value float64
		shown string
		ok    bool
	}{
		{"target.cpu.max < 90%", 0.875, "87.5%", true},
		{"target.cpu.max < 85%", 0.875, "87.5%", false},
		{"target.cpu.avg < 0.8", 0.75, "75%", true},
		{"target.cpu.min > 50%", 0.625, "62.5%", true},
		{"target.cpu < 70%", 0.625, "62.5%", true}, // the last that counts
		{"target.memory.max <= 3GiB", 3 << 30, "3.22 GB", true},
		{"target.wait.avg < 500ms", 0.5, "500 ms", false},
	} {
		t.Run(c.limit, func(t *testing.T) {
			t.Parallel()
			v := verdict.Judge(verdict.Input{Run: watched(t), Gate: verdict.Gate{Limits: limits(t, c.limit, "dropped < 99%")}})
			if got := v.Limits[0]; got.Value != c.value || got.Shown != c.shown || got.OK != c.ok {
				t.Errorf("got %+v, want %v (%s), %v", got, c.value, c.shown, c.ok)
			}
			want := verdict.Pass
			if !c.ok {
				want = verdict.Threshold
			}
			if v.Outcome != want {
				t.Errorf("outcome %s, want %s: %+v", v.Outcome, want, v.Reasons)
			}
		})
	}
}

// What could not be read cannot be judged, which is no limit that held; without a
// limit on it, it is nobody's fault.
func TestUnreadTarget(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string][2]string{
		"target.queue.max < 5": {`the limit "target.queue.max < 5" cannot be judged: the target's queue could not be read: it answered with status 503`, "see [[observe]] of the spec"},
		"target.other.max < 5": {`the limit "target.other.max < 5" cannot be judged: no [[observe]] of the spec that was run has a series other`, "add it to an [[observe]]; a limit that is the base branch's goes with the series that it has"},
		"target.slow.max < 5":  {`the limit "target.slow.max < 5" cannot be judged: no reading of the target's slow fell into measured load`, "it is read every 1m: lower every in [[observe]], or measure for longer"},
	} {
		v := verdict.Judge(verdict.Input{Run: watched(t), Gate: verdict.Gate{Limits: limits(t, limit, "dropped < 99%")}})
		if v.Outcome != verdict.Invalid || len(v.Reasons) != 1 || v.Reasons[0].Message != want[0] || v.Reasons[0].Remedy != want[1] {
			t.Errorf("%s: %s %+v", limit, v.Outcome, v.Reasons)
		}
	}
	if v := verdict.Judge(verdict.Input{Run: watched(t), Gate: verdict.Gate{Limits: limits(t, "dropped < 99%")}}); v.Outcome != verdict.Pass {
		t.Errorf("without a limit on it: %s %+v", v.Outcome, v.Reasons)
	}
}

// In a paired run limits are about the head.
func TestPairedTargetIsThatOfTheHead(t *testing.T) {
	t.Parallel()
	run := watched(t)
	base := run.Observed[0]
	base.Arm, base.Limit = "base", 1
	run.Observed = append([]result.Observed{base}, run.Observed...)
	v := verdict.Judge(verdict.Input{Run: run, Gate: verdict.Gate{Limits: limits(t, "target.cpu.max < 90%", "dropped < 99%")}})
	if got := v.Limits[0]; got.Shown != "87.5%" || !got.OK {
		t.Errorf("%+v", got)
	}
}

// While the run goes on, readings of load that counts abort it, end it, or break
// a stretch.
func TestWatchOfTheTarget(t *testing.T) {
	t.Parallel()
	names := &shop(t).Catalog
	abort := limit(t, "target.cpu.max < 90%")
	abort.Abort = true
	stretch := limit(t, "target.cpu.avg < 50%")
	stretch.Window = 3 * time.Second
	second := func(i int, measured bool, cpu ...float64) *result.Interval {
		o := result.Observed{Role: "cpu", Limit: 4}
		for _, v := range cpu {
			o.Readings = append(o.Readings, result.Reading{Value: v})
		}
		return &result.Interval{Second: result.Second{At: time.Duration(i) * time.Second, Measured: measured}, Observed: []result.Observed{o}}
	}
	w := verdict.NewWatch([]verdict.Limit{abort, stretch}, nil, names)
	for i, iv := range []*result.Interval{
		second(0, false, 4), second(1, true), second(2, true, 3.5), second(3, true), second(4, true, 1), second(5, true),
	} {
		if why := w.Each(iv); why != "" {
			t.Fatalf("second %d stops the run: %s", i, why)
		}
	}
	if b, broken := w.Breach(1); !broken || b.Value != 0.875 || b.At != 2*time.Second {
		t.Errorf("the stretch is broken: %v, %+v", broken, b)
	}
	if why := w.Each(second(6, true, 3.75)); !strings.Contains(why, "target.cpu.max < 90% was broken") {
		t.Errorf("a reading of 94%% does not abort the run: %q", why)
	}
	stops := verdict.NewWatch(nil, limits(t, "target.cpu.max > 90%"), names)
	for i := range 2 {
		if why := stops.Each(second(i, true, 3.75)); why != "" {
			t.Errorf("second %d stops the run already: %s", i, why)
		}
	}
	if why := stops.Each(second(2, true)); !strings.Contains(why, "target.cpu.max > 90% (93.8%)") {
		t.Errorf("stop_when: %q", why)
	}
}
