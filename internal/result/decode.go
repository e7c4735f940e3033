package result

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// decode turns the file form back into a Run. Everything that is derived
// (figures, means) is left to be derived again.
func (d *fileDoc) decode() (*Run, error) {
	r := d.Run.decode()
	r.Catalog.Scenarios = d.Scenarios
	u := unpacker{}
	for i := range d.Steps {
		u.at = fmt.Sprintf("steps[%d]", i)
		u.step(r, i, &d.Steps[i])
	}
	for _, s := range d.Stages {
		r.Catalog.Stages = append(r.Catalog.Stages, Stage(s))
	}
	u.metrics(r, d.Metrics)
	for i := range d.Series {
		r.Series = append(r.Series, d.Series[i].decode())
	}
	for i := range d.Rounds {
		round, err := d.Rounds[i].decode(len(d.Steps))
		if err != nil {
			return nil, fmt.Errorf("rounds[%d]: %w", i, err)
		}
		r.Rounds = append(r.Rounds, round)
	}
	for i := range d.Cells {
		u.at = fmt.Sprintf("cells[%d]", i)
		c := &d.Cells[i]
		if c.Step < 0 || c.Step >= len(d.Steps) || c.Count < 0 {
			return nil, fmt.Errorf("%s: step %d, count %d: out of range", u.at, c.Step, c.Count)
		}
		r.Cells = append(r.Cells, Cell{
			Key: Key{
				Step: c.Step, Stage: c.Stage, Status: c.Status, Error: c.Error,
				Proto: c.Proto, Failed: c.Failed, Checks: c.Checks,
			},
			Count: c.Count, In: c.In, Out: c.Out,
			Latency: u.unpack(c.Latency), Service: u.unpack(c.Service),
		})
	}
	for _, flow := range d.Flows {
		r.Flows = append(r.Flows, Flow(flow))
	}
	for i := range d.Observed {
		r.Observed = append(r.Observed, d.Observed[i].decode())
	}
	u.at = "iteration_hdr"
	r.Iteration = u.unpack(d.Iteration)
	return r, u.err
}

func (d *runDoc) decode() *Run {
	g := d.Generator
	return &Run{
		Tool: d.Tool, Spec: d.Spec, File: d.File, Profile: d.Profile,
		Fingerprint: d.Fingerprint, Parts: d.Parts, Commit: d.Commit, Target: d.Target,
		Seed: d.Seed, Started: d.Started,
		Duration: seconds(d.DurationS), Measured: seconds(d.MeasuredS),
		Mode: d.Mode, Open: d.Open, Environment: Environment(d.Environment),
		Generator: Generator{
			CPU: g.CPUPercent / 100, CPUMax: g.CPUMaxPercent / 100,
			LagP50: fromMicros(g.Lag.P50), LagP99: fromMicros(g.Lag.P99), LagMax: fromMicros(g.Lag.Max),
			Steal: shareOrUnknown(g.StealPercent), GCPauseMax: fromMicros(g.GCPauseMax), NoPorts: g.NoPorts,
			BusySeconds: g.BusySeconds, LateSeconds: g.LateSeconds, Seconds: g.Seconds,
		},
		Stopped: d.Stopped, Interrupted: d.Interrupted, NotReady: d.NotReady, Changes: decodeChanges(d.Changes),
		Shard: d.Shard.decode(),
	}
}

func (d *observedDoc) decode() Observed {
	o := Observed{
		Role: d.Role, Arm: d.Arm, Source: d.Source, Unit: d.Unit, Limit: d.Limit, Every: seconds(d.EveryS), Missed: d.Missed, Fault: d.Fault,
	}
	for _, r := range d.Readings {
		at := seconds(r.T)
		if r.T < 0 {
			at = -seconds(-r.T)
		}
		o.Readings = append(o.Readings, Reading{at, r.Value})
	}
	return o
}

func (d *shardDoc) decode() Shard {
	if d == nil || d.Of < 1 || d.Index < 0 || d.Index > d.Of {
		return Shard{}
	}
	s := Shard{Index: d.Index, Of: d.Of}
	for _, l := range d.Limits {
		s.Limits = append(s.Limits, ShardLimit{
			Limit: l.Limit, Warn: l.Warn, Line: l.Line, After: seconds(l.AfterS), Window: seconds(l.WindowS),
			Broken: l.Broken, At: seconds(l.AtS), Value: l.Value,
		})
	}
	return s
}

func decodeChanges(docs []changeDoc) (changes []Change) {
	for _, d := range docs {
		c := Change{At: seconds(d.T), Track: d.Track, Open: d.Rate != nil}
		switch {
		case d.Rate != nil:
			c.Level = *d.Rate
		case d.Users != nil:
			c.Level = *d.Users
		}
		changes = append(changes, c)
	}
	return changes
}

// seconds turns a number of a file into a duration, within 0 and ten years.
func seconds(s float64) time.Duration {
	const most = 10 * 365 * 24 * 3600
	return time.Duration(math.Round(min(max(s, 0), most) * 1e9))
}

func shareOrUnknown(percent float64) float64 {
	if percent < 0 {
		return -1
	}
	return percent / 100
}

// An unpacker decodes histograms and keeps the first error and its place.
type unpacker struct {
	at  string
	err error
}

func (u *unpacker) unpack(p payload) *hdr.Histogram {
	h, err := p.unpack()
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("%s: %w", u.at, err)
	}
	return h
}

func (u *unpacker) step(r *Run, i int, d *stepDoc) {
	r.Catalog.Steps = append(r.Catalog.Steps, Step{
		Scenario: d.Scenario, Name: d.Name, Method: d.Method, Role: d.Role,
		Control: d.Control, Line: d.Line, Tags: d.Tags,
	})
	r.Phases = append(r.Phases, Phases{
		DNS: u.unpack(d.HDR.DNS), Connect: u.unpack(d.HDR.Connect), TLS: u.unpack(d.HDR.TLS),
		TTFB: u.unpack(d.HDR.TTFB), Body: u.unpack(d.HDR.Body), Queue: u.unpack(d.HDR.Queue),
	})
	for _, c := range d.Checks {
		r.Catalog.Checks = append(r.Catalog.Checks, Check{Step: i, Name: c.Name})
		for _, t := range c.ByStage {
			r.Tallies = append(r.Tallies, Tally{
				Check: len(r.Catalog.Checks) - 1, Stage: t.Stage, Passed: t.Passed, Failed: t.Failed,
			})
		}
	}
}

func (u *unpacker) metrics(r *Run, metrics map[string]metricDoc) {
	for name := range metrics {
		r.Catalog.Metrics = append(r.Catalog.Metrics, Metric{Name: name, Kind: metrics[name].Kind})
	}
	slices.SortFunc(r.Catalog.Metrics, func(a, b Metric) int { return cmp.Compare(a.Name, b.Name) })
	for i, m := range r.Catalog.Metrics {
		d := metrics[m.Name]
		if d.Count == 0 {
			continue
		}
		u.at = "metrics." + m.Name
		r.Values = append(r.Values, Value{
			Metric: i, Count: d.Count, True: d.True, Sum: d.Sum, Min: d.Min, Max: d.Max, Last: d.Last,
			Hist: u.unpack(d.HDR),
		})
	}
}

func (d *secondDoc) decode() Second {
	return Second{
		At: seconds(d.T), Length: seconds(d.Length), Rest: d.Rest, Stage: d.Stage, Measured: d.Measured, Users: d.Users, InFlight: d.InFlight,
		Rate: d.Rate, Offered: d.Offered, Dropped: d.Dropped, Completed: d.Completed, Failed: d.Failed,
		Status: d.Status, Errors: d.Errors,
		P50: d.Latency.P50, P95: d.Latency.P95, P99: d.Latency.P99, Health: d.healthDoc.decode(),
	}
}

func (d *healthDoc) decode() Health {
	return Health{
		CPU: d.CPU / 100, LagP50: fromMicros(d.LagP50), LagP99: fromMicros(d.Lag),
		Steal: shareOrUnknown(d.Steal), GCPause: fromMicros(d.GCPause), FDs: d.FDs, NoPorts: d.NoPorts,
	}
}

func (d *roundDoc) decode(steps int) (Round, error) {
	r := Round{
		Index: d.Index, Arm: d.Arm, Block: d.Block, Restarts: d.Restarts, Start: seconds(d.StartS), Length: seconds(d.LengthS),
		Offered: d.Offered, Dropped: d.Dropped, Excluded: d.Excluded, Health: d.healthDoc.decode(),
	}
	for _, s := range d.Steps {
		if s.Step < 0 || s.Step >= steps {
			return r, fmt.Errorf("step %d of %d: out of range", s.Step, steps)
		}
		if s.HDR != "" {
			if _, err := DecodeHistogram([]byte(s.HDR)); err != nil {
				return r, fmt.Errorf("step %d: %w", s.Step, err)
			}
		}
		step := RoundStep{Step: s.Step, Requests: s.Requests, Failed: s.Failed, Errored: s.Errored, Status: s.Status, Errors: s.Errors}
		if s.HDR != "" {
			step.Latency = []byte(s.HDR)
		}
		r.Steps = append(r.Steps, step)
	}
	return r, nil
}
