package result

import (
	"bytes"
	"encoding/json"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

func encode(f *File) (*fileDoc, error) {
	r := f.Run
	doc := &fileDoc{
		Schema:     Schema,
		Verdict:    orNull(f.Verdict),
		Run:        encodeRun(r),
		Total:      encodeFigures(r.Total(), r.serviceOf(anyCell)),
		Thresholds: orEmpty(f.Thresholds),
		Metrics:    map[string]metricDoc{},
		Scenarios:  r.Catalog.Scenarios,
		Steps:      make([]stepDoc, len(r.Catalog.Steps)),
		Series:     make([]secondDoc, len(r.Series)),
		Rounds:     make([]roundDoc, len(r.Rounds)),
		Stages:     make([]stageDoc, len(r.Catalog.Stages)),
		Cells:      make([]cellDoc, len(r.Cells)),
		Flows:      make([]flowDoc, len(r.Flows)),
	}
	p := packer{}
	for i := range doc.Steps {
		doc.Steps[i] = p.step(r, i)
	}
	p.checks(r, doc.Steps)
	for i, m := range r.Catalog.Metrics {
		doc.Metrics[m.Name] = p.metric(r, i, m.Kind)
	}
	for i := range r.Series {
		doc.Series[i] = encodeSecond(&r.Series[i])
	}
	for i := range r.Rounds {
		doc.Rounds[i] = encodeRound(&r.Rounds[i])
	}
	for i, s := range r.Catalog.Stages {
		doc.Stages[i] = stageDoc(s)
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		doc.Cells[i] = cellDoc{
			Step: c.Key.Step, Stage: c.Key.Stage, Status: c.Key.Status, Error: c.Key.Error,
			Proto: c.Key.Proto, Failed: c.Key.Failed, Checks: c.Key.Checks,
			Count: c.Count, In: c.In, Out: c.Out,
			Latency: p.pack(c.Latency), Service: p.pack(c.Service),
		}
	}
	for i, flow := range r.Flows {
		doc.Flows[i] = flowDoc(flow)
	}
	for i := range r.Observed {
		doc.Observed = append(doc.Observed, encodeObserved(&r.Observed[i]))
	}
	doc.Iteration = p.pack(r.Iteration)
	for _, s := range f.Again {
		var b bytes.Buffer
		if err := s.Encode(&b); err != nil {
			return nil, err
		}
		doc.Again = append(doc.Again, b.Bytes())
	}
	return doc, p.err
}

func encodeObserved(o *Observed) observedDoc {
	d := observedDoc{
		Role: o.Role, Arm: o.Arm, Source: o.Source, Unit: o.Unit, Limit: finite(o.Limit), EveryS: o.Every.Seconds(),
		Readings: make([]readingDoc, len(o.Readings)), Missed: o.Missed, Fault: o.Fault,
	}
	for i, r := range o.Readings {
		d.Readings[i] = readingDoc{r.At.Seconds(), finite(r.Value)}
	}
	return d
}

func orNull(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("null")
	}
	return m
}

func orEmpty(m json.RawMessage) json.RawMessage {
	if len(m) == 0 {
		return json.RawMessage("[]")
	}
	return m
}

func encodeRun(r *Run) runDoc {
	g := r.Generator
	return runDoc{
		Tool: r.Tool, Spec: r.Spec, File: r.File, Profile: r.Profile,
		Fingerprint: r.Fingerprint, Parts: r.Parts, Commit: r.Commit, Target: r.Target,
		Seed: r.Seed, Started: r.Started.UTC().Round(0),
		DurationS: r.Duration.Seconds(), MeasuredS: r.Measured.Seconds(),
		Mode: r.Mode, Open: r.Open, Environment: environmentDoc(r.Environment),
		Generator: generatorDoc{
			CPUPercent: finite(g.CPU * 100), CPUMaxPercent: finite(g.CPUMax * 100),
			Lag:     lagDoc{P50: micros(g.LagP50), P99: micros(g.LagP99), Max: micros(g.LagMax)},
			Dropped: r.dropped(), StealPercent: percentOrUnknown(g.Steal),
			GCPauseMax: micros(g.GCPauseMax), NoPorts: g.NoPorts,
			BusySeconds: g.BusySeconds, LateSeconds: g.LateSeconds, Seconds: g.Seconds,
		},
		Stopped: r.Stopped, Interrupted: r.Interrupted, NotReady: r.NotReady, Changes: encodeChanges(r.Changes),
		Shard: encodeShard(&r.Shard),
	}
}

func encodeShard(s *Shard) *shardDoc {
	if s.Of == 0 {
		return nil
	}
	doc := &shardDoc{Index: s.Index, Of: s.Of}
	for _, l := range s.Limits {
		doc.Limits = append(doc.Limits, shardLimitDoc{
			Limit: l.Limit, Warn: l.Warn, Line: l.Line, AfterS: l.After.Seconds(), WindowS: l.Window.Seconds(),
			Broken: l.Broken, AtS: l.At.Seconds(), Value: finite(l.Value),
		})
	}
	return doc
}

func encodeChanges(changes []Change) (docs []changeDoc) {
	for _, c := range changes {
		doc, level := changeDoc{T: c.At.Seconds(), Track: c.Track}, finite(c.Level)
		if c.Open {
			doc.Rate = &level
		} else {
			doc.Users = &level
		}
		docs = append(docs, doc)
	}
	return docs
}

// percentOrUnknown turns a share into percent and keeps -1 for "unknown".
func percentOrUnknown(share float64) float64 {
	if share < 0 {
		return -1
	}
	return finite(share * 100)
}

func encodeFigures(f Figures, service *hdr.Histogram) figuresDoc {
	return figuresDoc{
		Requests: f.Requests, Failed: f.Failed, Dropped: f.Dropped, Rate: finite(f.PerSecond),
		Latency: encodeQuantiles(f.Latency), Service: encodeQuantiles(QuantilesOf(service)),
		Status: f.Status, Errors: f.Errors, In: f.In, Out: f.Out,
	}
}

func encodeQuantiles(q Quantiles) quantilesDoc {
	return quantilesDoc{P50: q.P50, P90: q.P90, P95: q.P95, P99: q.P99, P999: q.P999, Max: q.Max, Mean: finite(q.Mean)}
}

// A packer encodes histograms and keeps the first error.
type packer struct{ err error }

func (p *packer) pack(h *hdr.Histogram) payload {
	s, err := pack(h)
	if p.err == nil {
		p.err = err
	}
	return s
}

func (p *packer) step(r *Run, i int) stepDoc {
	s := r.Catalog.Steps[i]
	doc := stepDoc{
		Scenario: s.Scenario, Name: s.Name, Method: s.Method, Role: s.Role,
		Control: s.Control, Line: s.Line, Tags: s.Tags,
		figuresDoc: encodeFigures(r.StepFigures(i), r.serviceOf(ofStep(i))),
		Checks:     []checkDoc{},
	}
	if i >= len(r.Phases) {
		return doc
	}
	ph := r.Phases[i]
	doc.Phases = phasesDoc{
		DNS: mean(ph.DNS), Connect: mean(ph.Connect), TLS: mean(ph.TLS), TTFB: mean(ph.TTFB), Body: mean(ph.Body),
	}
	doc.HDR = phasesHDR{
		DNS: p.pack(ph.DNS), Connect: p.pack(ph.Connect), TLS: p.pack(ph.TLS),
		TTFB: p.pack(ph.TTFB), Body: p.pack(ph.Body), Queue: p.pack(ph.Queue),
	}
	return doc
}

func mean(h *hdr.Histogram) float64 {
	if h == nil || h.TotalCount() == 0 {
		return 0
	}
	return finite(h.Mean())
}

func (p *packer) checks(r *Run, steps []stepDoc) {
	byStage := map[int][]tallyDoc{}
	for _, t := range r.Tallies {
		byStage[t.Check] = append(byStage[t.Check], tallyDoc{Stage: t.Stage, Passed: t.Passed, Failed: t.Failed})
	}
	for i, t := range r.CheckTotals() {
		c := r.Catalog.Checks[i]
		if c.Step < 0 || c.Step >= len(steps) {
			continue
		}
		steps[c.Step].Checks = append(steps[c.Step].Checks,
			checkDoc{Name: c.Name, Passed: t.Passed, Failed: t.Failed, ByStage: byStage[i]})
	}
}

func (p *packer) metric(r *Run, i int, kind string) metricDoc {
	doc := metricDoc{Kind: kind}
	for _, v := range r.Values {
		if v.Metric != i {
			continue
		}
		doc = metricDoc{
			Kind: kind, Count: v.Count, True: v.True,
			Sum: finite(v.Sum), Min: finite(v.Min), Max: finite(v.Max), Last: finite(v.Last),
			HDR: p.pack(v.Hist),
		}
	}
	return doc
}

func encodeSecond(s *Second) secondDoc {
	doc := secondDoc{
		T: s.At.Seconds(), Length: s.Length.Seconds(), Rest: s.Rest, Stage: s.Stage, Measured: s.Measured, Users: s.Users, InFlight: s.InFlight,
		Rate: finite(s.Rate), Offered: s.Offered, Dropped: s.Dropped, Completed: s.Completed, Failed: s.Failed,
		Status: nonNil(s.Status), Errors: s.Errors, healthDoc: encodeHealth(s.Health),
	}
	doc.Latency.P50, doc.Latency.P95, doc.Latency.P99 = s.P50, s.P95, s.P99
	return doc
}

func nonNil(m map[int]int64) map[int]int64 {
	if m == nil {
		return map[int]int64{}
	}
	return m
}

func encodeHealth(h Health) healthDoc {
	return healthDoc{
		Lag: micros(h.LagP99), LagP50: micros(h.LagP50), CPU: finite(h.CPU * 100),
		Steal: percentOrUnknown(h.Steal), GCPause: micros(h.GCPause), FDs: h.FDs, NoPorts: h.NoPorts,
	}
}

func encodeRound(r *Round) roundDoc {
	doc := roundDoc{
		Index: r.Index, Arm: r.Arm, Block: r.Block, Restarts: r.Restarts, StartS: r.Start.Seconds(), LengthS: r.Length.Seconds(),
		Offered: r.Offered, Dropped: r.Dropped, Excluded: r.Excluded,
		healthDoc: encodeHealth(r.Health), Steps: make([]roundStepDoc, len(r.Steps)),
	}
	for i, s := range r.Steps {
		doc.Steps[i] = roundStepDoc{
			Step: s.Step, Requests: s.Requests, Failed: s.Failed, Errored: s.Errored,
			Status: nonNil(s.Status), Errors: s.Errors, HDR: string(s.Latency),
		}
	}
	return doc
}
