package verdict

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A slice is what a stretch of a run brought: the whole of it, or one second.
type slice struct {
	cells     []result.Cell
	tallies   []result.Tally
	values    []result.Value
	flows     []result.Flow
	phases    []result.Phases // by step; whole runs only
	iteration *hdr.Histogram  // whole runs only
	seconds   []result.Second
	observed  []result.Observed // with readings from load that counts
	length    time.Duration     // for rates: measured time
}

// An account adds up what one selector chooses.
type account struct {
	sel   *rule.Selector
	names *result.Catalog

	hist      *hdr.PackedHistogram // trends; packed, as a watch holds one for each second
	scale     float64              // of the values in hist
	hits, of  int64                // rates: true samples and all; counters: their sum, and for dropped all arrivals
	length    time.Duration
	low, high float64 // gauges and trends without a histogram
	sum, last float64
	levels    int64
	base      unit.Base // of the levels of a target's metric
	seen      bool      // something was chosen
}

func newAccount(sel *rule.Selector, names *result.Catalog) *account {
	return &account{sel: sel, names: names, scale: 1, low: math.Inf(1), high: math.Inf(-1)}
}

// add counts what a slice brought. Stages that are not measured count only where
// the selector names them.
func (a *account) add(s *slice) {
	a.length += a.lengthOf(s)
	switch a.sel.Metric {
	case "latency", "response", "service", "failed", "errors", "requests", "bytes_in", "bytes_out":
		for i := range s.cells {
			if c := &s.cells[i]; a.stage(c.Key.Stage) && a.sel.Matches(a.cellTags(&c.Key)) {
				a.cell(c)
			}
		}
	case "checks":
		for _, t := range s.tallies {
			if t.Check >= 0 && t.Check < len(a.names.Checks) && a.stage(t.Stage) && a.sel.Matches(a.tallyTags(t)) {
				a.rate(t.Passed, t.Passed+t.Failed)
			}
		}
	case "iterations", "dropped":
		a.flows(s.flows)
	case "users", "in_flight":
		a.gauges(s.seconds)
	case "iteration":
		a.trend(s.iteration)
	case "ttfb", "connect", "tls", "dns", "queue":
		for step := range s.phases {
			if a.sel.Matches(a.stepTags(step)) {
				a.trend(phase(&s.phases[step], a.sel.Metric))
			}
		}
	default:
		if role, ok := strings.CutPrefix(a.sel.Metric, rule.TargetPrefix); ok {
			a.target(s.observed, role)
			return
		}
		a.own(s.values)
	}
}

// lengthOf is the time that the selector's rates are per: that of the stages it
// names, else the measured time.
func (a *account) lengthOf(s *slice) time.Duration {
	stages, named := a.sel.Tag("stage")
	if !named {
		return s.length
	}
	var d time.Duration
	for i := range s.seconds {
		if name, ok := a.stageName(s.seconds[i].Stage); ok && slices.Contains(stages, name) {
			d += time.Second
		}
	}
	return d
}

func (a *account) stage(i int) bool {
	if _, named := a.sel.Tag("stage"); named {
		return true // Matches decides
	}
	return i < 0 || i >= len(a.names.Stages) || a.names.Stages[i].Measure
}

func (a *account) stepTags(step int) func(string) (string, bool) {
	return func(tag string) (string, bool) {
		if step < 0 || step >= len(a.names.Steps) {
			return "", false
		}
		st := &a.names.Steps[step]
		switch tag {
		case "scenario":
			return st.Scenario, true
		case "step":
			return st.Name, true
		case "method":
			return st.Method, true
		default:
			v, ok := st.Tags[tag]
			return v, ok
		}
	}
}

func (a *account) stageName(i int) (string, bool) {
	if i < 0 || i >= len(a.names.Stages) {
		return "", false
	}
	return a.names.Stages[i].Name, true
}

func (a *account) cellTags(k *result.Key) func(string) (string, bool) {
	ofStep := a.stepTags(k.Step)
	return func(tag string) (string, bool) {
		switch tag {
		case "stage":
			return a.stageName(k.Stage)
		case "status":
			return strconv.Itoa(k.Status), true
		case "proto":
			return k.Proto, k.Proto != ""
		case "error":
			return k.Error, k.Error != ""
		default:
			return ofStep(tag)
		}
	}
}

func (a *account) tallyTags(t result.Tally) func(string) (string, bool) {
	check := a.names.Checks[t.Check]
	ofStep := a.stepTags(check.Step)
	return func(tag string) (string, bool) {
		switch tag {
		case "stage":
			return a.stageName(t.Stage)
		case "check":
			return check.Name, true
		default:
			return ofStep(tag)
		}
	}
}

func (a *account) cell(c *result.Cell) {
	switch a.sel.Metric {
	case "latency", "response":
		a.trend(c.Latency)
	case "service":
		a.trend(c.Service)
	case "failed":
		a.rate(boolCount(c.Key.Failed, c.Count), c.Count)
	case "errors":
		a.rate(boolCount(c.Key.Errored(), c.Count), c.Count)
	case "requests":
		a.rate(c.Count, c.Count)
	case "bytes_in":
		a.rate(c.In, c.In)
	case "bytes_out":
		a.rate(c.Out, c.Out)
	}
}

func boolCount(ok bool, n int64) int64 {
	if ok {
		return n
	}
	return 0
}

func (a *account) rate(hits, of int64) {
	a.hits += hits
	a.of += of
	a.seen = true
}

// trend merges a histogram; a nil one holds nothing.
func (a *account) trend(h *hdr.Histogram) {
	if h == nil || h.TotalCount() == 0 {
		return
	}
	if a.hist == nil {
		// The range is that of the source: custom trends and phases have their own.
		a.hist = hdr.NewPacked(h.LowestTrackableValue(), h.HighestTrackableValue(), int(h.SignificantFigures()))
	}
	a.hist.MergeFrom(h)
	a.seen = true
}

// join adds what another account of the same selector chose.
func (a *account) join(b *account) {
	a.scale = b.scale
	a.base = cmp.Or(b.base, a.base)
	switch {
	case b.hist == nil:
	case a.hist == nil:
		a.hist = b.hist.Clone()
	default:
		a.hist.Merge(b.hist)
	}
	a.hits += b.hits
	a.of += b.of
	a.length += b.length
	a.low, a.high = min(a.low, b.low), max(a.high, b.high)
	if b.levels > 0 {
		a.last = b.last
	}
	a.sum += b.sum
	a.levels += b.levels
	a.seen = a.seen || b.seen
}

func phase(p *result.Phases, name string) *hdr.Histogram {
	switch name {
	case "ttfb":
		return p.TTFB
	case "connect":
		return p.Connect
	case "tls":
		return p.TLS
	case "dns":
		return p.DNS
	default:
		return p.Queue
	}
}

func (a *account) flows(flows []result.Flow) {
	for _, f := range flows {
		tags := func(tag string) (string, bool) {
			switch {
			case tag == "stage":
				return a.stageName(f.Stage)
			case f.Scenario >= 0 && f.Scenario < len(a.names.Scenarios):
				return a.names.Scenarios[f.Scenario], tag == "scenario"
			default:
				return "", false
			}
		}
		if !a.stage(f.Stage) || !a.sel.Matches(tags) {
			continue
		}
		if a.sel.Metric == "dropped" {
			a.rate(f.Dropped, f.Offered)
		} else {
			a.rate(f.Completed, f.Completed)
		}
	}
}

func (a *account) gauges(seconds []result.Second) {
	for i := range seconds {
		if !seconds[i].Measured {
			continue
		}
		if a.sel.Metric == "users" {
			a.level(float64(seconds[i].Users))
		} else {
			a.level(float64(seconds[i].InFlight))
		}
	}
}

// target adds what the target told of itself. A slice has the side that is judged
// alone: see result.Run.MeasuredObserved.
func (a *account) target(observed []result.Observed, role string) {
	for i := range observed {
		o := &observed[i]
		if o.Role != role {
			continue
		}
		for _, r := range o.Readings {
			a.level(o.Level(r.Value))
		}
		if a.base = o.Unit; o.Limit > 0 {
			a.base = unit.BaseShare
		}
	}
}

func (a *account) level(x float64) {
	a.low, a.high, a.last = math.Min(a.low, x), math.Max(a.high, x), x
	a.sum += x
	a.levels++
	a.seen = true
}

// own adds a metric of the spec.
func (a *account) own(values []result.Value) {
	for i := range values {
		v := &values[i]
		if v.Metric < 0 || v.Metric >= len(a.names.Metrics) || a.names.Metrics[v.Metric].Name != a.sel.Metric || v.Count == 0 {
			continue
		}
		switch a.sel.Kind {
		case rule.Trend:
			a.scale = 1e-3 // Value.Hist holds thousandths
			a.trend(v.Hist)
		case rule.Rate:
			a.rate(v.True, v.Count)
			continue
		case rule.Counter, rule.Gauge:
		}
		a.low, a.high, a.last = math.Min(a.low, v.Min), math.Max(a.high, v.Max), v.Last
		a.sum += v.Sum
		a.levels += v.Count
		a.seen = true
	}
}

// value is the number that the selector names; false when it chose nothing,
// which is no number, but for a count, of which nothing is 0.
func (a *account) value() (float64, bool) {
	stat := a.sel.Stat
	if !a.seen {
		return 0, stat == "count"
	}
	isOwn := a.levels > 0
	switch {
	case stat == "count":
		return a.count(), true
	case stat == "rate":
		return a.count() / math.Max(a.length.Seconds(), 1e-3), a.length > 0
	case stat == "share":
		return float64(a.hits) / float64(a.of), a.of > 0
	case stat == "last":
		return a.last, isOwn
	case stat == "avg" && isOwn:
		return a.sum / float64(a.levels), true
	case stat == "min" && isOwn:
		return a.low, true
	case stat == "max" && isOwn:
		return a.high, true
	}
	return a.distribution()
}

func (a *account) count() float64 {
	switch {
	case a.sel.Kind == rule.Trend && a.hist != nil:
		return float64(a.hist.TotalCount())
	case a.sel.Kind == rule.Counter && a.levels > 0:
		return a.sum
	default:
		return float64(a.hits)
	}
}

// shown writes a value of the selector in its unit.
func (a *account) shown(x float64) string {
	if strings.HasPrefix(a.sel.Metric, rule.TargetPrefix) {
		return unit.In(a.base, x)
	}
	return shown(a.sel, x)
}

// distribution reads a statistic of a trend.
func (a *account) distribution() (float64, bool) {
	if a.hist == nil {
		return 0, false
	}
	switch a.sel.Stat {
	case "avg":
		return a.hist.Mean() * a.scale, true
	case "min":
		return float64(a.hist.Min()) * a.scale, true
	case "max":
		return float64(a.hist.Max()) * a.scale, true
	}
	p, ok := rule.Percentile(a.sel.Stat)
	if !ok {
		return 0, false
	}
	if p == 0 {
		return float64(a.hist.Min()) * a.scale, true
	}
	return float64(a.hist.ValueAtPercentile(p)) * a.scale, true
}
