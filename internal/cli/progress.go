package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// plainEvery is how often a line is written where it cannot be redrawn.
const plainEvery = 10

// A progress tells on standard error how a run goes: one line redrawn in place
// on a terminal, a line now and then in a log, nothing with --quiet.
type progress struct {
	w      io.Writer
	inLine bool
	quiet  bool
	width  int // of what stands in the line
	rows   int
}

func newProgress(env *Env, quiet bool) *progress {
	return &progress{w: env.Stderr, inLine: env.Terminal.Is && env.Terminal.Color, quiet: quiet}
}

// second shows one second of a run.
func (p *progress) second(iv *result.Interval, s *spec.Spec) {
	p.row(&iv.Second, s.Load.Duration())
}

// row shows one second of a load that is planned to take so long.
func (p *progress) row(row *result.Second, planned time.Duration) {
	if p.quiet {
		return
	}
	p.rows++
	if !p.inLine && p.rows%plainEvery != 0 {
		return
	}
	line := progressLine(row, planned)
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

func progressLine(row *result.Second, planned time.Duration) string {
	at := row.At + time.Second
	parts := []string{fmt.Sprintf("%s of %s", unit.Duration(at), unit.Duration(planned))}
	if !row.Measured {
		parts[0] += " (not measured)"
	}
	parts = append(parts, unit.Count(row.Completed)+" requests/s", unit.Count(int64(row.Users))+" users")
	if row.P50 > 0 {
		parts = append(parts, "p50 "+unit.Micros(row.P50), "p99 "+unit.Micros(row.P99))
	}
	if row.Failed > 0 {
		parts = append(parts, unit.Count(row.Failed)+" failed")
	}
	if row.Dropped > 0 {
		parts = append(parts, unit.Count(row.Dropped)+" dropped")
	}
	return strings.Join(parts, ", ")
}
