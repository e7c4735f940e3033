package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/report"
)

// watchRun shows on standard error what a hub publishes, until done is called:
// redrawn in place on a terminal, a line every few seconds in a log, nothing with
// --quiet. While it lasts, messages go to the Env that it returns.
func watchRun(env *Env, hub *live.Hub, quiet bool) (watched *Env, done func()) {
	switch {
	case quiet:
		return env, hub.Close
	case env.Progress.Redraws:
		return redraw(env, hub)
	}
	p := &plain{w: env.Stderr}
	stop := hub.Follow(p.row)
	return env, func() {
		hub.Close()
		stop()
	}
}

// A plain tells how a run goes in lines.
type plain struct {
	w     io.Writer
	phase string
	next  time.Duration // of the load, when the next line is due
}

func (p *plain) row(row *live.Row) {
	if row.Phase != live.Load {
		// Phases are told once; that there is nothing to wait for is not worth a line.
		if key := row.Phase + row.Arm; row.Phase == live.Waiting && p.phase != key {
			p.phase = key
			fmt.Fprintln(p.w, report.Plain(row))
		}
		return
	}
	at := time.Duration(row.ElapsedS * float64(time.Second))
	if row.Arm == "base" || at < p.next {
		return
	}
	every := report.PlainEvery(time.Duration(row.PlannedS * float64(time.Second)))
	p.next = at.Truncate(every) + every
	fmt.Fprintln(p.w, report.Plain(row))
}
