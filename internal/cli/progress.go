package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/unit"
)

// plainEvery is how often a line is written where it cannot be redrawn.
const plainEvery = 10

// A progress tells on standard error how a run goes: one line redrawn in place
// on a terminal, a line now and then in a log, nothing with --quiet.
type progress struct {
	w      io.Writer
	inLine bool
	width  int // of what stands in the line
	rows   int
}

// watchRun shows what a hub publishes, until the returned function is called.
func watchRun(env *Env, hub *live.Hub, quiet bool) (done func()) {
	if quiet {
		return hub.Close
	}
	p := &progress{w: env.Stderr, inLine: env.Terminal.Is && env.Terminal.Color}
	stop := hub.Follow(p.row)
	return func() {
		hub.Close()
		stop()
		p.done()
	}
}

// row shows one second of a load.
func (p *progress) row(row *live.Row) {
	if row.Phase != live.Load || row.Arm == "base" {
		return
	}
	p.rows++
	if !p.inLine && p.rows%plainEvery != 0 {
		return
	}
	line := progressLine(row)
	if !p.inLine {
		fmt.Fprintln(p.w, line)
		return
	}
	pad := strings.Repeat(" ", max(0, p.width-len(line)))
	p.width = len(line)
	fmt.Fprintf(p.w, "\r%s%s", line, pad)
}

// done clears the line.
func (p *progress) done() {
	if p.inLine && p.width > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.width))
	}
}

func progressLine(row *live.Row) string {
	parts := []string{fmt.Sprintf("%s of %s", seconds(row.ElapsedS), seconds(row.PlannedS))}
	if !row.Measured {
		parts[0] += " (not measured)"
	}
	parts = append(parts, unit.Count(row.Requests)+" requests/s", unit.Count(int64(row.Users))+" users")
	if row.Latency.P50 > 0 {
		parts = append(parts, "p50 "+unit.Micros(row.Latency.P50), "p99 "+unit.Micros(row.Latency.P99))
	}
	if row.Failed > 0 {
		parts = append(parts, unit.Count(row.Failed)+" failed")
	}
	if row.Dropped > 0 {
		parts = append(parts, unit.Count(row.Dropped)+" dropped")
	}
	return strings.Join(parts, ", ")
}

func seconds(s float64) string { return unit.Duration(time.Duration(s * float64(time.Second))) }
