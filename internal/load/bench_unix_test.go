//go:build unix

package load_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/wire"
)

// idle is a user that does nothing but record.
type idle struct {
	rec    *load.Recorder
	sample load.Sample
}

func (u *idle) Iterate(_ context.Context, it load.Iteration) load.Next {
	u.sample = load.Sample{
		Stage: it.Stage, Due: it.Due, Status: 200, Proto: "1.1",
		Times: wire.Times{Start: time.Now(), FirstByte: 1000, Done: 2000},
	}
	u.rec.Request(&u.sample)
	u.rec.Iteration(it.Scenario, it.Stage, 2000, true)
	return load.Continue
}

func (u *idle) Close(context.Context) {}

// BenchmarkArrivals runs b.N arrivals at a rate and reports how late they were
// and what they cost: how much of a CPU, and µs each. Run it on an idle machine,
// with -benchtime=20000x or so.
func BenchmarkArrivals(b *testing.B) {
	for _, rate := range []float64{1000, 10000, 50000} {
		b.Run(map[float64]string{1000: "1k", 10000: "10k", 50000: "50k"}[rate], func(b *testing.B) {
			took := time.Duration(float64(b.N) / rate * 1e9)
			p := one(plan.Track{Open: true, MaxUsers: 10000, Stages: []plan.Stage{hold(rate, max(took, time.Millisecond))}})
			before := cpu(b)
			r, err := load.Run(b.Context(), p, func(_ int, rec *load.Recorder) load.User { return &idle{rec: rec} },
				load.Options{Catalog: loadtest.Catalog("s")})
			if err != nil {
				b.Fatal(err)
			}
			used := cpu(b) - before
			b.ReportMetric(float64(r.Generator.LagP50.Microseconds()), "lag-p50-µs")
			b.ReportMetric(float64(r.Generator.LagP99.Microseconds()), "lag-p99-µs")
			b.ReportMetric(used.Seconds()/r.Duration.Seconds()*100, "cpu-%")
			b.ReportMetric(used.Seconds()*1e6/float64(b.N), "cpu-µs/op")
		})
	}
}

// BenchmarkClosed is what load itself costs per iteration of one request.
func BenchmarkClosed(b *testing.B) {
	b.ReportAllocs()
	p := one(plan.Track{Iterations: int64(b.N), Stages: []plan.Stage{hold(100, time.Hour)}})
	if _, err := load.Run(b.Context(), p, func(_ int, rec *load.Recorder) load.User { return &idle{rec: rec} },
		load.Options{Catalog: loadtest.Catalog("s")}); err != nil {
		b.Fatal(err)
	}
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
