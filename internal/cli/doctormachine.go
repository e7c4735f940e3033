package cli

import (
	"context"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// What a machine may do before it is worth a word. Runs of the same code on
// shared runners differ by 6 to 15 % (docs/ab.md); a machine that differs from
// itself by a third of the usual tolerance within two seconds is no help.
const (
	lateWait     = time.Millisecond // p99 of a wait; verdict calls a generator late by 10 ms
	apartWork    = 0.02
	spreadWork   = 0.25
	stolenCPU    = 0.01
	clockSet     = 5 * time.Millisecond
	fewPorts     = 10_000
	spareHandles = 256 // for files, DNS and what else a process opens
)

const calmer = "use a machine, or a time, that nothing else uses; loadline ab compares on any"

// machine looks at what generates the load.
func (d *doctor) machine(ctx context.Context, s *spec.Spec) {
	n := load.MeasureNoise(ctx, d.time)
	if n.LateP99 > lateWait {
		d.warn("machine", calmer, "waits end late: by %s at p50, %s at p99, %s at most", unit.Duration(n.LateP50), unit.Duration(n.LateP99), unit.Duration(n.LateMax))
	} else {
		d.ok("machine", "waits end on time: within %s at p99", unit.Duration(n.LateP99))
	}
	if n.Apart > apartWork || n.Spread > spreadWork {
		d.warn("machine", calmer, "the same work differs from itself by %s, and one turn in twenty takes %s longer than usual", unit.Percent(n.Apart), unit.Percent(n.Spread))
	} else {
		d.ok("machine", "the same work takes the same time: A and B differ by %s, the slowest twentieth by %s (%s CPUs)", unit.Percent(n.Apart), unit.Percent(n.Spread), unit.Number(n.CPUs))
	}
	if n.Steal > stolenCPU {
		d.warn("machine", calmer, "the hypervisor takes %s of the CPU time for others", unit.Percent(n.Steal))
	}
	if step := n.ClockStep.Abs(); step > clockSet {
		d.warn("machine", "let one service set the clock, and slowly", "the clock was set by %s within %s; latencies are measured by another clock and are right, times of day are not", unit.Duration(step), unit.Duration(d.time))
	}
	d.handles(n, s)
}

// handles compares descriptors and ports with what the spec may need.
func (d *doctor) handles(n load.Noise, s *spec.Spec) {
	users := 0
	if s != nil {
		for i, t := range s.Load.Tracks {
			if t.Open {
				users += s.Load.MaxUsers(i)
			} else {
				users += int(t.Peak())
			}
		}
	}
	switch {
	case n.MostOpen >= 0 && n.MostOpen < users+spareHandles:
		d.bad("machine", "raise it: ulimit -n 65536", "%s may be open at once, and the load may need %s connections", plural(n.MostOpen, "descriptor"), unit.Count(int64(users)))
	case n.MostOpen >= 0:
		d.ok("machine", "%s may be open at once", plural(n.MostOpen, "descriptor"))
	}
	if n.Ports >= 0 && n.Ports < fewPorts {
		d.warn("machine", "widen it: sysctl net.ipv4.ip_local_port_range='10240 65535'", "there are %s for connections to one address", plural(n.Ports, "local port"))
	}
}
