package report

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// metric is a metric of a sample's target with so many readings, every five
// seconds from the start of the load, that go up from low to high.
func metric(role string, in unit.Base, limit, low, high float64, readings int) result.Observed {
	o := result.Observed{Role: role, Source: "http://127.0.0.1:9100/metrics", Unit: in, Limit: limit, Every: 5 * time.Second}
	for i := range readings {
		share := float64(i) / max(1, float64(readings-1))
		o.Readings = append(o.Readings, result.Reading{At: time.Duration(5*i)*time.Second + 120*time.Millisecond, Value: low + share*(high-low)})
	}
	return o
}

const noAnswer = "Get \"http://127.0.0.1:9100/metrics\": dial tcp 127.0.0.1:9100: connect: connection refused"

// observed are what targets told of themselves, in runs of 15 s of warm-up and 60 s
// that count.
var observed = map[string][]result.Observed{
	"few": {
		metric("cpu", unit.BaseShare, 0, 0.2, 0.93, 15),
		metric("memory", unit.BaseBytes, 2<<30, 1<<30, 1.1*(1<<30), 15),
	},
	"many": {
		metric("cpu", unit.BasePlain, 4, 1, 3.4, 15),
		metric("memory", unit.BaseBytes, 0, 1<<30, 1.1*(1<<30), 15),
		metric("db_connections", unit.BasePlain, 100, 12, 40, 15),
		metric("gc", unit.BaseSeconds, 0, 0.002, 0.0125, 15),
		metric("queue", unit.BasePlain, 0, 0, 1234567, 15),
		metric("goroutines_of_the_orders_service", unit.BasePlain, 0, 812, 812, 15),
		metric("disk_io", unit.BaseShare, 0, 0.01, 0.02, 15),
		metric("error_log", unit.BasePlain, 0, 0, 0, 15),
		metric("connections", unit.BasePlain, 0, 200, 210, 15),
		metric("threads", unit.BasePlain, 0, 20, 21, 15),
	},
	"silent": {
		metric("cpu", unit.BaseShare, 0, 0.2, 0.93, 15),
		{Role: "memory", Unit: unit.BaseBytes, Every: 5 * time.Second, Missed: 15, Fault: noAnswer},
		{Role: "queue", Every: 5 * time.Second, Missed: 15, Fault: noAnswer},
		{Role: "late", Every: 5 * time.Minute, Readings: []result.Reading{{At: -time.Second, Value: 1}}},
		{Role: "later", Every: time.Second, Missed: 75, Fault: noAnswer, Readings: []result.Reading{{At: 2 * time.Second, Value: 1}}},
		{Role: "gone", Every: 5 * time.Second, Missed: 2, Fault: "no such series: http_requests_waiting"},
	},
	"hostile": {
		metric("\x1b[2J\x1b]0;owned\x07 <script>|`@x", "parsecs", math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64, 15),
		metric(strings.Repeat("x", 500), unit.BaseBytes, 1e-300, 1e300, math.MaxFloat64, 15),
		metric("مرحبا بالعالم", unit.BaseSeconds, 0, -1e300, 1e300, 15),
		metric("", unit.BaseShare, -1, 0.5, 0.5, 15),
		{Role: "=cmd|' /C calc'!A1", Missed: math.MaxInt, Fault: "\x1b[31m" + strings.Repeat("y", 5000)},
	},
}

// observedPage is a sample with what its target told.
func observedPage(sample, told string) *Page {
	p := samplePage(sample)
	run := *p.Run
	run.Observed = observed[told]
	return New(p.Verdict, &run, p.Context, p.Trends)
}

// pairedObserved is a paired run, of which each side has metrics of its own.
func pairedObserved() *Page {
	run := *sampleRun(shape{steps: 3, seconds: 60, open: true, paired: true})
	run.Mode = "paired"
	for arm, cpu := range map[string]float64{"base": 0.25, "head": 0.5} {
		o := metric("cpu", unit.BaseShare, 0, cpu, cpu, 15)
		o.Arm = arm
		run.Observed = append(run.Observed, o)
	}
	slices.SortFunc(run.Observed, func(a, b result.Observed) int { return strings.Compare(a.Arm, b.Arm) })
	run.Observed = append(run.Observed, metric("queue", unit.BasePlain, 0, 3, 3, 15))
	p := samplePage("pass")
	return New(p.Verdict, &run, p.Context, nil)
}

func TestTargetInTheSummary(t *testing.T) {
	t.Parallel()
	for told := range observed {
		golden(t, "text/target-"+told+".txt", []byte(text(t, observedPage("regression", told), Terminal{Width: 80, Unicode: true})))
	}
	golden(t, "text/target-many-24.txt", []byte(text(t, observedPage("regression", "many"), Terminal{Width: 80, Height: 24, Unicode: true})))
	golden(t, "text/target-silent-60-ascii.txt", []byte(text(t, observedPage("pass", "silent"), Terminal{Width: 60, Height: 24})))
	golden(t, "text/target-paired.txt", []byte(text(t, pairedObserved(), Terminal{Width: 80, Unicode: true})))
}

func TestTargetInTheComment(t *testing.T) {
	t.Parallel()
	pages := map[string]*Page{"paired": pairedObserved()}
	for told := range observed {
		pages[told] = observedPage("pass", told)
	}
	for told, p := range pages {
		golden(t, "markdown/target-"+told+".md", []byte(markdownOf(t, p)))
	}
}

// What the verdict says of what could not be read is not said a second time.
func TestUnreadIsSaidOnce(t *testing.T) {
	t.Parallel()
	p := observedPage("pass", "silent")
	v := *p.Verdict
	v.Warnings = []verdict.Reason{{Code: "not-observed", Message: "the target's memory, queue could not be read: " + noAnswer}}
	p = New(&v, p.Run, p.Context, nil)
	for form, got := range map[string]string{"summary": text(t, p, Terminal{Width: 200}), "comment": markdownOf(t, p)} {
		if n := strings.Count(got, "connection refused"); n != 1 {
			t.Errorf("%s: why it was not read is said %d times:\n%s", form, n, got)
		}
		if !strings.Contains(got, "late") || !strings.Contains(got, "no such series") {
			t.Errorf("%s: what the verdict does not speak of is gone:\n%s", form, got)
		}
	}
}

// What the target told takes no more room than a summary has, whatever else there is.
func TestTargetFitsTheScreen(t *testing.T) {
	t.Parallel()
	for told := range observed {
		for _, sample := range []string{"pass", "regression", "threshold", "invalid", "no-baseline", "one-step"} {
			for _, size := range []Terminal{{Width: 60, Height: 40}, {Width: 80, Height: 24}, {Width: 80, Height: 24, Unicode: true}} {
				got := text(t, observedPage(sample, told), size)
				if strings.ContainsAny(got, "\x1b\x07\u009b") {
					t.Errorf("%s, %s: a name acts on the terminal", sample, told)
				}
				for l := range strings.Lines(got) {
					if columns(strings.TrimSuffix(l, "\n")) > size.Width {
						t.Errorf("%s, %s: %d columns on a screen of %d: %s", sample, told, columns(l), size.Width, l)
					}
				}
				if lines := strings.Count(got, "\n"); lines >= size.Height && told != "hostile" {
					t.Errorf("%s, %s: %d lines on a screen of %d:\n%s", sample, told, lines, size.Height, got)
				}
			}
		}
	}
}
