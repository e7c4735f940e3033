package report

import (
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
)

// hear keeps what the target said, if it is new: a row repeats the last reading
// each second until there is another.
func (l *Live) hear(told *live.Told) {
	every := max(seconds(told.EveryS), time.Second)
	i := slices.IndexFunc(l.run.Observed, func(o result.Observed) bool { return o.Role == told.Role && o.Arm == told.Arm })
	if i < 0 {
		i = len(l.run.Observed)
		l.run.Observed = append(l.run.Observed, result.Observed{Role: told.Role, Arm: told.Arm, Unit: told.Unit, Limit: told.Limit, Every: every})
	}
	o, reading := &l.run.Observed[i], result.Reading{At: seconds(told.TimeS), Value: told.Value}
	if n := len(o.Readings); n > 0 {
		since := reading.At - o.Readings[n-1].At
		// In a run of hours the readings between are in the report alone.
		if since <= 0 || o.Every > every && since < o.Every-every/2 {
			return
		}
	}
	if len(o.Readings) == maxLive {
		o.Every *= 2
		for k := range maxLive / 2 {
			o.Readings[k] = o.Readings[2*k]
		}
		o.Readings = o.Readings[:maxLive/2]
	}
	o.Readings = append(o.Readings, reading)
}
