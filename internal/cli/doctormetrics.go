package cli

import (
	"context"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// metricsEvery is how often metrics are read here, whatever the spec says, and
// metricsTime how long: a rate needs two readings.
const (
	metricsEvery = time.Second
	metricsTime  = 1500 * time.Millisecond
)

// metrics reads what [[observe]] asks for, so that a slip in a name shows before
// a run that goes without.
func (d *doctor) metrics(ctx context.Context, env *Env, s *spec.Spec, hide mask) {
	if len(s.Observe) == 0 {
		return
	}
	if err := checkExec(s, d.flags.allowExec); err != nil {
		d.bad("metrics", "", "%v", err)
	}
	for i := range s.Observe {
		s.Observe[i].Every = metricsEvery
	}
	reading, err := observeTarget(ctx, env, []*side{{name: "head", spec: s, env: env, mask: hide}}, d.flags.allowExec)
	if err != nil {
		d.bad("metrics", "", "%v", err)
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(metricsTime):
	}
	reading.close()
	run := &result.Run{Started: time.Now()}
	reading.add(run)
	for i := range run.Observed {
		if o := &run.Observed[i]; len(o.Readings) > 0 {
			d.ok("metrics", "%s is %s", o.Role, amount(o, o.Readings[len(o.Readings)-1].Value))
		}
	}
	for _, r := range reading.notes(run) {
		d.warn("metrics", "correct line "+unit.Count(int64(r.Line))+" of the spec, or what it reads", "%s", r.Message)
	}
}

// amount writes a reading, and where there is a capacity its share of that.
func amount(o *result.Observed, value float64) string {
	text := unit.In(o.Unit, value)
	if o.Limit > 0 {
		text += ", " + unit.Percent(o.Level(value)) + " of " + unit.In(o.Unit, o.Limit)
	}
	return text
}
