package load

import (
	"errors"
	"math"
	"runtime"
	"runtime/metrics"
	"slices"
	"syscall"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// A probe reads the state of this process and of the machine. What a system
// does not tell is unknown, never 0: see the files for each.
type probe struct {
	cpus   float64 // that this process may use
	pauses []metrics.Sample
}

// A reading is one look through a probe. Its counters only grow: two readings
// give the state of the time between them.
type reading struct {
	at     time.Time
	cpu    time.Duration // used by this process
	stolen steal
	pauses []uint64 // GC pauses by bucket
	fds    int
}

// steal counts the CPU time of the machine, in ticks.
type steal struct {
	stolen, total uint64
	known         bool
}

func newProbe() *probe {
	return &probe{
		cpus:   cpuLimit(),
		pauses: []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}},
	}
}

// cpuLimit is how many CPUs this process may keep busy: GOMAXPROCS, which Go
// sets from the CPUs there are, the process's affinity and (rounded up) its
// control group; here the quota of the group counts exactly.
func cpuLimit() float64 {
	limit := float64(min(runtime.GOMAXPROCS(0), runtime.NumCPU()))
	if quota, ok := cpuQuota(); ok {
		limit = min(limit, quota)
	}
	return limit
}

func (p *probe) read() reading {
	metrics.Read(p.pauses)
	r := reading{at: time.Now(), cpu: cpuTime(), stolen: readSteal(), fds: openDescriptors()}
	if h := p.histogram(); h != nil {
		r.pauses = append(r.pauses, h.Counts...)
	}
	return r
}

func (p *probe) histogram() *metrics.Float64Histogram {
	if p.pauses[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	return p.pauses[0].Value.Float64Histogram()
}

// health is the state between two readings, with the lag of the arrivals and
// the connects without a port of that time.
func (p *probe) health(from, to *reading, lag *histogram, noPorts int64, scratch *hdr.Histogram) result.Health {
	h := result.Health{Steal: -1, FDs: to.fds, NoPorts: noPorts, GCPause: p.longestPause(from, to)}
	if wall := to.at.Sub(from.at); wall > 0 {
		// The clocks of CPU time and of wall time are not read at one moment.
		h.CPU = min(max((to.cpu-from.cpu).Seconds()/wall.Seconds()/p.cpus, 0), 1)
	}
	if from.stolen.known && to.stolen.known && to.stolen.total > from.stolen.total {
		h.Steal = float64(to.stolen.stolen-from.stolen.stolen) / float64(to.stolen.total-from.stolen.total)
	}
	h.LagP50, h.LagP99, _ = lag.lags(scratch)
	return h
}

// lags are the median, the 99th percentile and the highest value; 0 for none.
func (h *histogram) lags(scratch *hdr.Histogram) (p50, p99, highest time.Duration) {
	if h.total == 0 {
		return 0, 0, 0
	}
	scratch.Reset()
	h.fill(scratch)
	us := func(v int64) time.Duration { return time.Duration(v) * time.Microsecond }
	return us(scratch.ValueAtPercentile(50)), us(scratch.ValueAtPercentile(99)), us(scratch.Max())
}

// longestPause is the upper bound of the highest bucket that grew.
func (p *probe) longestPause(from, to *reading) time.Duration {
	h := p.histogram()
	if h == nil || len(from.pauses) != len(to.pauses) {
		return 0
	}
	for i, n := range slices.Backward(to.pauses) {
		if n > from.pauses[i] {
			bound := h.Buckets[i+1]
			if math.IsInf(bound, 1) {
				bound = h.Buckets[i]
			}
			return time.Duration(bound * 1e9)
		}
	}
	return 0
}

// OutOfPorts says whether a connect failed because this machine had no local
// port or no descriptor left for it: the generator's fault, not the target's.
func OutOfPorts(err error) bool {
	for _, no := range noPortErrors {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

var noPortErrors = append([]syscall.Errno{syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE}, systemNoPort...)
