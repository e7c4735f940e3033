package report

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// observe adds what a service under the load of sampleRun might tell of itself:
// it grows short of database connections in the second half.
func observe(run *result.Run, every time.Duration, arms ...string) {
	rng := rand.New(rand.NewPCG(3, 9))
	last := run.Series[len(run.Series)-1]
	end := last.At + length(&last)
	metric := func(role, source string, base unit.Base, limit float64, of func(share, noise float64) float64) *result.Observed {
		var o *result.Observed
		for _, arm := range arms {
			run.Observed = append(run.Observed, result.Observed{Role: role, Arm: arm, Source: source, Unit: base, Limit: limit, Every: every})
			o = &run.Observed[len(run.Observed)-1]
			for at := 20*time.Millisecond - every; at < end+every; at += every {
				v := of(float64(at)/float64(end), rng.NormFloat64())
				if arm == "base" {
					v *= 0.8
				}
				o.Readings = append(o.Readings, result.Reading{At: at, Value: v})
			}
		}
		return o
	}
	const page = "http://localhost:9100/metrics"
	metric("cpu", page+" rate(process_cpu_seconds_total)", unit.BasePlain, 4, func(share, noise float64) float64 {
		return min(4, 0.6+3.2*min(1, 4*share)+0.1*noise)
	})
	metric("memory", page+" process_resident_memory_bytes", unit.BaseBytes, 2<<30, func(share, noise float64) float64 {
		return 3.1e8 + 9.5e8*share + 6e6*noise
	})
	gone := metric("db_connections", "http://prometheus:9090 sum(pg_stat_activity_count{datname='orders'})", unit.BasePlain, 100, func(share, noise float64) float64 {
		return min(100, math.Round(38+80*share+2*noise))
	})
	n := len(gone.Readings)
	gone.Readings = append(gone.Readings[:n/2:n/2], gone.Readings[min(n, n/2+3):]...)
	gone.Missed, gone.Fault = n-len(gone.Readings), "status 503"
	metric("gc", page+" rate(go_gc_duration_seconds_sum)", unit.BaseSeconds, 0, func(share, noise float64) float64 {
		return math.Abs(0.004 + 0.011*share + 0.002*noise)
	})
	metric("disk_io", page+" rate(node_disk_io_time_seconds_total)", unit.BaseShare, 0, func(_, noise float64) float64 {
		return math.Abs(0.02 + 0.01*noise)
	})
	metric("connections", page+" http_server_open_connections", unit.BasePlain, 512, func(_, noise float64) float64 {
		return math.Abs(math.Round(40 + 3*noise))
	})
	metric("sent", page+" rate(http_response_bytes_total)", unit.BaseByteRate, 0, func(share, noise float64) float64 {
		return math.Abs(5.4e5*min(1, 4*share) + 9e3*noise)
	})
	metric("drift", "./drift.sh", unit.BasePlain, 0, func(share, noise float64) float64 { return 8*share - 5 + noise })
	run.Observed = append(run.Observed, result.Observed{
		Role: "queue", Source: "http://localhost:9200/metrics", Every: every, Missed: n, Fault: "dial tcp 127.0.0.1:9200: connection refused",
	})
}

// toldPage is a run that was slower, with the target's own metrics.
var toldPage = sync.OnceValue(func() *Page {
	run := sampleRun(shape{steps: 14, seconds: 60, open: true, failing: 0.04})
	observe(run, 5*time.Second, "")
	sample := samplePage("regression")
	return New(sample.Verdict, run, sample.Context, sample.Trends)
})

// toldPaired is the same of two deployments in one run.
var toldPaired = sync.OnceValue(func() *Page {
	run := sampleRun(shape{steps: 5, seconds: 60, open: true, paired: true})
	run.Mode = "paired"
	observe(run, 5*time.Second, "base", "head")
	sample := samplePage("regression")
	return New(sample.Verdict, run, sample.Context, sample.Trends)
})

// readAt makes a line of readings at such moments, in ms; each has its index as value.
func readAt(every time.Duration, at ...int) readLine {
	o := &result.Observed{Role: "r", Every: every}
	for i, ms := range at {
		o.Readings = append(o.Readings, result.Reading{At: time.Duration(ms) * time.Millisecond, Value: float64(i)})
	}
	return roles(&result.Run{Observed: []result.Observed{*o}}, time.Minute)[0][0]
}

func TestReadingsStandAtTheirOwnMoments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		line readLine
		want string
	}{
		{"each at its own", readAt(5*time.Second, 600, 5_900, 10_700), "10:0 98:1 178:2"},
		{"not before, nor after the load", readAt(5*time.Second, -1, 0, 59_999, 60_000), "0:1 999:gap 999:2"},
		{"one missed makes no gap", readAt(5*time.Second, 0, 12_000), "0:0 200:1"},
		{"two do", readAt(5*time.Second, 0, 15_000, 20_000), "0:0 250:gap 250:1 333:2"},
		{"every second", readAt(time.Second, 0, 2_400, 6_000), "0:0 40:1 100:gap 100:2"},
		{"how often is not known", readAt(0, 0, 2_400, 6_000), "0:0 40:1 100:gap 100:2"},
		{"none", readAt(time.Second), ""},
	} {
		var got []string
		for _, q := range c.line.trace(time.Minute).line {
			text := fmt.Sprintf("%d:%g", q.x, q.v)
			if math.IsNaN(q.v) {
				text = fmt.Sprintf("%d:gap", q.x)
			}
			got = append(got, text)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: drawn %s, want %s", c.name, s, c.want)
		}
	}
}

// A chart of many readings has as many points as the eye can tell apart, and its
// band loses neither the highest nor the lowest.
func TestManyReadingsLoseNoSpike(t *testing.T) {
	t.Parallel()
	at := make([]int, 4000)
	for i := range at {
		at[i] = 15 * i
	}
	line := readAt(time.Second, at...)
	line.drawn[777].Value, line.drawn[2345].Value = 1e6, -1e6
	got := line.trace(time.Minute)
	low, high := 0.0, 0.0
	for i, q := range got.line {
		low, high = min(low, got.low[i].v), max(high, got.high[i].v)
		if q.v < got.low[i].v || q.v > got.high[i].v || i > 0 && q.x <= got.line[i-1].x {
			t.Errorf("point %d at %d: %v in a band from %v to %v", i, q.x, q.v, got.low[i].v, got.high[i].v)
		}
	}
	if len(got.line) != stretches || low != -1e6 || high != 1e6 {
		t.Errorf("%d points from %v to %v", len(got.line), low, high)
	}
	if few := readAt(time.Second, at[:2*stretches]...).trace(time.Minute); len(few.line) != 2*stretches || len(few.low) > 0 {
		t.Errorf("of %d readings %d are drawn", 2*stretches, len(few.line))
	}
}

func TestThePointerReadsWhatIsNotTooOld(t *testing.T) {
	t.Parallel()
	second := func(i int) slot { return slot{at: time.Duration(i) * time.Second, length: time.Second} }
	seconds := make([]slot, 20)
	for i := range seconds {
		seconds[i] = second(i)
	}
	for _, c := range []struct {
		name string
		line readLine
		all  []slot
		want string
	}{
		{"until the next", readAt(2*time.Second, 1_500, 3_500), seconds[:5], "– 0 0 1 1"},
		{"no longer than two and a half times", readAt(2*time.Second, 0), seconds[:7], "0 0 0 0 0 – –"},
		{"from before the load: nothing", readAt(2*time.Second, -10), seconds[:2], "– –"},
		{"of several the highest", readAt(time.Second, 100, 300, 900), []slot{{length: 10 * time.Second}, {at: 10 * time.Second, length: 10 * time.Second}}, "2 –"},
		{"between the rounds of a side", readAt(5*time.Second, 2_000), []slot{second(0), second(4), second(9), second(15)}, "– 0 0 –"},
	} {
		var got []string
		for _, v := range c.line.along(c.all) {
			got = append(got, c.line.written(v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: reads %s, want %s", c.name, s, c.want)
		}
	}
}

func TestSpanHasRoundEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		low, top float64
		want     string
	}{
		{0, 289, "0 100 200 300"},
		{-5.2, 3.1, "−7.5 −5 −2.5 0 2.5 5"},
		{-8, -3, "−8 −6 −4 −2 0"},
		{0, 0, "0 1"},
		{0, 5e-324, "0 1"},
		{-0.001, 100, "−50 0 50 100"},
	} {
		var got []string
		pl := newSpan("id", "title", c.low, c.top, unit.Number)
		for _, y := range pl.Y {
			got = append(got, y.Label)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("from %v to %v: %s, want %s", c.low, c.top, s, c.want)
		}
		if bottom, top := pl.y(c.low), pl.y(c.top); bottom > full || top < 0 || bottom < top {
			t.Errorf("from %v to %v: drawn from %d to %d", c.low, c.top, bottom, top)
		}
	}
	if pl := newSpan("id", "title", -math.MaxFloat64, math.MaxFloat64, unit.Number); len(pl.Y) > 10 {
		t.Errorf("an axis of %d labels", len(pl.Y))
	}
}

// What cannot be drawn is told, once and with the reason.
func TestSilentMetricsSayWhy(t *testing.T) {
	t.Parallel()
	run := sampleRun(shape{steps: 1, seconds: 10})
	run.Observed = []result.Observed{
		{Role: "a", Missed: 3, Fault: "status 404"},
		{Role: "b", Missed: 1},
		{Role: "c", Fault: "no x; did you mean y?"},
		{Role: "d"},
		{Role: "e", Readings: []result.Reading{{At: -time.Second, Value: 4}}},
		{Role: "f", Arm: "base", Missed: 2, Fault: "refused"},
		{Role: "f", Arm: "head", Missed: 1, Fault: "late", Readings: []result.Reading{{At: time.Second, Value: 4}}},
	}
	target := (&Page{Run: run}).overTime(maxSlots).Target
	want := []silentView{
		{"a", "", "was asked for 3 times and never read", "status 404", "."},
		{"b", "", "was asked for 1 time and never read", "", "."},
		{"c", "", "was never read", "no x; did you mean y?", ""},
		{"d", "", "was never read: the load was over before", "", "."},
		{"e", "", "was not read while the load ran", "", "."},
		{"f", "base", "was asked for 2 times and never read", "refused", "."},
	}
	if d := cmp.Diff(want, target.Silent); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if len(target.Plots) != 1 || target.Plots[0].Note != "base: 2 of 2 readings missed: refused; head: 1 of 2 readings missed: late" {
		t.Errorf("charts %+v", target.Plots)
	}
}

// A chart reaches up to the capacity where that is near; else it would show two
// lines at its bottom, whatever they do.
func TestACapacityFarAboveIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		highest float64
		top     string
		legend  legend
		marks   int
	}{
		{130, "150", legend{"limit", "capacity: 100"}, 1},
		{100, "100", legend{"limit", "capacity: 100"}, 1},
		{25, "100", legend{"limit", "capacity: 100"}, 1},
		{24, "30", legend{"far", "capacity: 100, far above"}, 0},
		{0, "1", legend{"far", "capacity: 100, far above"}, 0},
	} {
		run := sampleRun(shape{steps: 1, seconds: 10})
		run.Observed = []result.Observed{metric("threads", unit.BasePlain, 100, 0, c.highest, 3)}
		pl := (&Page{Run: run}).overTime(maxSlots).Target.Plots[0]
		if top := pl.Y[len(pl.Y)-1].Label; top != c.top || len(pl.Marks) != c.marks || !slices.Equal(pl.Legend, []legend{c.legend}) {
			t.Errorf("highest %v: drawn up to %s with %v, %d marks", c.highest, top, pl.Legend, len(pl.Marks))
		}
		if !strings.HasSuffix(pl.Spoken, "Its capacity is 100.") {
			t.Errorf("spoken: %s", pl.Spoken)
		}
	}
}

// Twenty roles have charts, a hundred have some and are counted, and two are no
// less for it.
func TestManyRoles(t *testing.T) {
	t.Parallel()
	run := sampleRun(shape{steps: 1, seconds: 10})
	for i := range 130 {
		run.Observed = append(run.Observed, metric(fmt.Sprint("role", i), unit.BasePlain, 0, 1, 2, 3))
	}
	o := (&Page{Run: run}).overTime(maxSlots)
	o.numbers(&Page{Run: run})
	o.figures(run)
	if got := []int{len(o.Target.Plots), len(o.Target.Rows), len(o.Head)}; !slices.Equal(got, []int{maxRolePlots, maxRoleRows, 7 + maxRoleColumns}) {
		t.Errorf("charts, rows, columns: %v", got)
	}
	if o.Target.Beyond != "And 106 more metrics of the target." {
		t.Error(o.Target.Beyond)
	}
}

// A live page keeps each reading once, and of a run of hours a bounded number.
func TestLiveHearsEachReadingOnce(t *testing.T) {
	t.Parallel()
	l := NewLive("spec", "", false, nil)
	row := liveRow(0, "GET /a")
	for i, at := range []float64{-1, -1, 1.2, 1.2, 1.2, 4.1, 4.1} {
		row.TimeS = float64(i)
		row.Target = []live.Told{{Role: "cpu", TimeS: at, EveryS: 3, Value: at}, {Role: "cpu", Arm: "head", TimeS: 1, EveryS: 3, Value: 9}}
		l.Add(row)
	}
	if len(l.run.Observed) != 2 {
		t.Fatalf("%d metrics", len(l.run.Observed))
	}
	want := []result.Reading{{At: -time.Second, Value: -1}, {At: 1200 * time.Millisecond, Value: 1.2}, {At: 4100 * time.Millisecond, Value: 4.1}}
	if d := cmp.Diff(want, l.run.Observed[0].Readings); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	l = NewLive("long", "", false, nil)
	for i := range 5 * maxLive {
		l.hear(&live.Told{Role: "cpu", TimeS: float64(i), EveryS: 1, Value: 1})
	}
	o := &l.run.Observed[0]
	if n := len(o.Readings); n > maxLive || n < maxLive/2 {
		t.Errorf("%d readings are kept", n)
	}
	for i := 1; i < len(o.Readings); i++ {
		if step := o.Readings[i].At - o.Readings[i-1].At; step != o.Every {
			t.Fatalf("reading %d comes %v after the one before, want %v", i, step, o.Every)
		}
	}
}
