package otlp

import (
	"context"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/loadline-ci/loadline/internal/live"
)

// instruments are what a row is sent as. Counters count since the start of the
// load, warm-up included; gauges are of the last second, percentiles of the last
// five.
type instruments struct {
	requests, failed, responses, errors, started, dropped, checks metric.Int64ObservableCounter
	users, inFlight                                               metric.Int64ObservableGauge
	asked, latency, stepLatency, cpu, lag, steal                  metric.Float64ObservableGauge
}

func (s *Sender) instruments(m metric.Meter) error {
	var in instruments
	var all []metric.Observable
	var firstErr error
	counter := func(name, unit, what string) metric.Int64ObservableCounter {
		c, err := m.Int64ObservableCounter(name, metric.WithUnit(unit), metric.WithDescription(what))
		all, firstErr = append(all, c), first(firstErr, err)
		return c
	}
	whole := func(name, unit, what string) metric.Int64ObservableGauge {
		g, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		all, firstErr = append(all, g), first(firstErr, err)
		return g
	}
	gauge := func(name, unit, what string) metric.Float64ObservableGauge {
		g, err := m.Float64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
		all, firstErr = append(all, g), first(firstErr, err)
		return g
	}
	in.requests = counter("loadline.requests", "{request}", "Requests that ended, by step")
	in.failed = counter("loadline.requests.failed", "{request}", "Requests without the answer that the spec expects, by step")
	in.responses = counter("loadline.responses", "{response}", "Answers by status")
	in.errors = counter("loadline.errors", "{request}", "Requests without a complete answer, by kind")
	in.started = counter("loadline.iterations", "{iteration}", "Iterations begun")
	in.dropped = counter("loadline.iterations.dropped", "{iteration}", "Arrivals beyond max_users")
	in.checks = counter("loadline.checks.failed", "{check}", "Checks of an answer that did not hold")
	in.users = whole("loadline.users", "{user}", "Users at work")
	in.inFlight = whole("loadline.iterations.running", "{iteration}", "Iterations running")
	in.asked = gauge("loadline.rate.asked", "{iteration}/s", "Arrivals asked for; 0 in the closed model")
	in.latency = gauge("loadline.latency", "s", "Latency percentiles of the last five seconds")
	in.stepLatency = gauge("loadline.step.latency", "s", "Latency percentiles of the last five seconds, by step")
	in.cpu = gauge("loadline.generator.cpu.utilization", "1", "Share of its CPUs that the generator uses")
	in.lag = gauge("loadline.generator.lag", "s", "99th percentile of the lateness of arrivals that is the generator's own")
	in.steal = gauge("loadline.generator.cpu.steal", "1", "Share of CPU time that the hypervisor takes")
	if firstErr != nil {
		return firstErr
	}
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, row := range s.latest() {
			in.observe(o, row)
		}
		return nil
	}, all...)
	return err
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// observe hands a row to the SDK.
func (in *instruments) observe(o metric.Observer, row *live.Row) {
	common := []attribute.KeyValue{attribute.String("loadline.spec", row.Title)}
	if row.Arm != "" {
		common = append(common, attribute.String("loadline.side", row.Arm))
	}
	with := func(more ...attribute.KeyValue) metric.MeasurementOption {
		return metric.WithAttributes(append(slices.Clip(common), more...)...)
	}
	for status, n := range row.Total.Status {
		o.ObserveInt64(in.responses, n, with(attribute.String("http.response.status_code", strconv.Itoa(status))))
	}
	for kind, n := range row.Total.Errors {
		o.ObserveInt64(in.errors, n, with(attribute.String("error.type", kind)))
	}
	o.ObserveInt64(in.started, row.Total.Started, with())
	o.ObserveInt64(in.dropped, row.Total.Dropped, with())
	o.ObserveInt64(in.checks, row.Total.Checks, with())
	o.ObserveInt64(in.users, int64(row.Users), with())
	o.ObserveInt64(in.inFlight, int64(row.InFlight), with())
	o.ObserveFloat64(in.asked, row.Asked, with())
	percentiles(o, in.latency, &row.Latency, with)
	for i := range row.Steps {
		in.step(o, &row.Steps[i], with)
	}
	o.ObserveFloat64(in.cpu, row.Health.CPUPercent/100, with())
	o.ObserveFloat64(in.lag, float64(row.Health.LagP99us)/1e6, with())
	if row.Health.StealKnown {
		o.ObserveFloat64(in.steal, row.Health.StealPercent/100, with())
	}
}

func (in *instruments) step(o metric.Observer, s *live.Step, with func(...attribute.KeyValue) metric.MeasurementOption) {
	names := []attribute.KeyValue{attribute.String("loadline.scenario", s.Scenario), attribute.String("loadline.step", s.Name)}
	o.ObserveInt64(in.requests, s.Total, with(names...))
	o.ObserveInt64(in.failed, s.Bad, with(names...))
	percentiles(o, in.stepLatency, &s.Latency, func(more ...attribute.KeyValue) metric.MeasurementOption {
		return with(append(slices.Clip(names), more...)...)
	})
}

func percentiles(o metric.Observer, g metric.Float64ObservableGauge, l *live.Latency, with func(...attribute.KeyValue) metric.MeasurementOption) {
	if l.P50 == 0 {
		return // nothing was answered
	}
	for _, p := range []struct {
		quantile float64
		us       int64
	}{{0.5, l.P50}, {0.95, l.P95}, {0.99, l.P99}} {
		o.ObserveFloat64(g, float64(p.us)/1e6, with(attribute.Float64("quantile", p.quantile)))
	}
}
