package scenario

import (
	"context"
	"time"

	"github.com/loadline-ci/loadline/internal/spec"
)

// draw is the length of one pause.
func (u *user) draw(t *spec.Think) time.Duration {
	switch t.Dist {
	case "uniform":
		if t.Max <= t.Min {
			return t.Min
		}
		return t.Min + time.Duration(u.rng.Int64N(int64(t.Max-t.Min)+1))
	case "normal":
		return max(0, t.Mean+time.Duration(u.rng.NormFloat64()*float64(t.SD)))
	case "exponential":
		return time.Duration(u.rng.ExpFloat64() * float64(t.Mean))
	default:
		return t.Min
	}
}

// pause waits, until the load ends at the latest.
func (u *user) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-u.stop: // no new pause begins after the end of the load
		return
	default:
	}
	if u.timer == nil {
		u.timer = time.NewTimer(d)
	} else {
		u.timer.Reset(d)
	}
	select {
	case <-u.timer.C:
	case <-u.stop:
		u.timer.Stop()
	case <-ctx.Done():
		u.timer.Stop()
	}
}
