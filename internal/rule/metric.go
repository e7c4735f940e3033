package rule

import (
	"slices"
	"strconv"
	"strings"
)

// A Kind is what a metric's samples are, and with it which statistics it has.
type Kind string

// The kinds, named as in [metrics].
const (
	Trend   Kind = "trend"   // a distribution: avg min max p0-p100 count
	Rate    Kind = "rate"    // a share of true samples: share count
	Counter Kind = "counter" // a sum: count rate
	Gauge   Kind = "gauge"   // a level: last avg min max
)

// A Unit is the base unit of a metric's values.
type Unit string

// The base units.
const (
	Plain  Unit = ""      // a bare number
	Micros Unit = "µs"    // time, in microseconds
	Ratio  Unit = "share" // 0 to 1
	Bytes  Unit = "bytes"
)

// A Metric is one that a selector can name.
type Metric struct {
	Name    string
	Kind    Kind
	Stat    string   // when the selector names none
	Unit    Unit     // of its values; `count` is always Plain, `rate` per second
	Tags    []string // that it can be selected by; own tags wherever "step" is among them
	Falling bool     // lower is worse
	Help    string
}

// Tags of a request, and of what is counted by less.
var (
	requestTags = []string{"scenario", "step", "stage", "method", "status", "proto", "error"}
	stepTags    = []string{"scenario", "step", "method"}
	flowTags    = []string{"scenario", "stage"}
	checkTags   = []string{"scenario", "step", "stage", "method", "check"}
)

// BuiltinTags are the names that own tags cannot have.
var BuiltinTags = []string{"scenario", "step", "stage", "status", "method", "proto", "error", "check"}

// Metrics are the built-in metrics. Beside them stand target.ROLE (gauges of
// [[observe]]) and the spec's own. `response` is another name for latency.
var Metrics = []Metric{
	{"latency", Trend, "p95", Micros, requestTags, false, "from when the request was due (open model) or sent (closed model) to the last byte read"},
	{"service", Trend, "p95", Micros, requestTags, false, "from the first byte sent to the last byte read"},
	{"ttfb", Trend, "p95", Micros, stepTags, false, "from the first byte sent to the first byte read"},
	{"connect", Trend, "p95", Micros, stepTags, false, "making a TCP connection"},
	{"tls", Trend, "p95", Micros, stepTags, false, "the TLS handshake"},
	{"dns", Trend, "p95", Micros, stepTags, false, "the name lookup"},
	{"queue", Trend, "p95", Micros, stepTags, false, "lateness of the start against the schedule"},
	{"iteration", Trend, "p95", Micros, nil, false, "a whole iteration, think time included"},
	{"failed", Rate, "share", Ratio, requestTags, false, "no complete response, or a status not in `expect`"},
	{"checks", Rate, "share", Ratio, checkTags, true, "share of assertions that held"},
	{"errors", Rate, "share", Ratio, requestTags, false, "the request failed, or any of its checks, or a capture found nothing"},
	{"requests", Counter, "count", Plain, requestTags, true, "requests that ended"},
	{"iterations", Counter, "count", Plain, flowTags, true, "iterations that reached their end"},
	{"dropped", Counter, "count", Plain, flowTags, false, "arrivals beyond max_users; also as a share of arrivals"},
	{"bytes_in", Counter, "count", Bytes, requestTags, false, "bytes read, heads included"},
	{"bytes_out", Counter, "count", Bytes, requestTags, false, "bytes written, heads included"},
	{"users", Gauge, "last", Plain, nil, false, "users at work"},
	{"in_flight", Gauge, "last", Plain, nil, false, "iterations running"},
}

// TargetPrefix starts the names of the target's own metrics, target.ROLE.
const TargetPrefix = "target."

// foreignMetrics are words of other tools, and near misses, for our metrics.
var foreignMetrics = map[string]string{
	"http_req_duration": "latency", "http_req_failed": "failed", "http_reqs": "requests", "http_req_waiting": "ttfb", "http_req_connecting": "connect",
	"http_req_tls_handshaking": "tls", "http_req_blocked": "queue", "http_req_sending": "service", "http_req_receiving": "service",
	"iteration_duration": "iteration", "dropped_iterations": "dropped", "vus": "users", "vus_max": "users", "data_received": "bytes_in", "data_sent": "bytes_out",
	"http.response_time": "latency", "http.request_rate": "requests.rate", "http.requests": "requests", "http.codes": "requests{status=200}", "vusers.failed": "failed",
	"response_time": "latency", "responseTime": "latency", "duration": "latency", "elapsed": "latency", "error_rate": "errors", "errorRate": "errors",
	"fail_ratio": "failed", "failures": "failed.count", "rps": "requests.rate", "throughput": "requests.rate", "maxErrorRate": "failed", "ensure": "latency",
	"status": "requests{status=200}", "median": "latency.p50", "p50": "latency.p50", "p90": "latency.p90", "p95": "latency.p95", "p99": "latency.p99",
}

var foreignStats = map[string]string{
	"med": "p50", "median": "p50", "mean": "avg", "average": "avg", "maximum": "max", "minimum": "min", "p999": "p99.9", "p9999": "p99.99",
	"value": "last", "total": "count", "sum": "count", "n": "count", "rps": "rate", "ratio": "share", "rate": "share", "percent": "share",
}

// Own holds the names that a spec defines itself. Its zero value defines none.
type Own struct {
	Metrics map[string]Kind
	Tags    []string
}

// Find gives the metric of that name, built in or own.
func (o Own) Find(name string) (Metric, bool) {
	if name == "response" {
		name = "latency"
	}
	for _, m := range Metrics {
		if m.Name == name {
			return m, true
		}
	}
	if role, ok := strings.CutPrefix(name, TargetPrefix); ok && role != "" {
		return Metric{Name: name, Kind: Gauge, Stat: "last", Help: "read from the target by [[observe]]"}, true
	}
	kind, ok := o.Metrics[name]
	if !ok {
		return Metric{}, false
	}
	m := Metric{Name: name, Kind: kind, Help: "your own"}
	switch kind {
	case Trend:
		m.Stat = "p95"
	case Rate:
		m.Stat, m.Unit = "share", Ratio
	case Counter:
		m.Stat = "count"
	default:
		m.Stat = "last"
	}
	return m, true
}

// names are all metrics that could be meant.
func (o Own) names() []string {
	var out []string
	for _, m := range Metrics {
		out = append(out, m.Name)
	}
	for name := range o.Metrics {
		out = append(out, name)
	}
	slices.Sort(out[len(Metrics):])
	return out
}

// stats are the statistics of a kind, as an error lists them.
func (m *Metric) stats() []string {
	switch m.Kind {
	case Trend:
		return []string{"avg", "min", "max", "count", "p50", "p95", "p99.9"}
	case Rate:
		return []string{"share", "count"}
	case Counter:
		if m.Name == "dropped" {
			return []string{"count", "rate", "share"}
		}
		return []string{"count", "rate"}
	default:
		return []string{"last", "avg", "min", "max"}
	}
}

// has says whether the metric has a statistic.
func (m *Metric) has(stat string) bool {
	if _, ok := Percentile(stat); ok {
		return m.Kind == Trend
	}
	return slices.Contains(m.stats(), stat)
}

// unit is the unit of one of the metric's statistics.
func (m *Metric) unit(stat string) Unit {
	switch {
	case stat == "share":
		return Ratio
	case stat == "count" && m.Kind != Counter:
		return Plain
	default:
		return m.Unit
	}
}

// Percentile reads "p95" as 95 and "p99.9" as 99.9.
func Percentile(stat string) (float64, bool) {
	digits, ok := strings.CutPrefix(stat, "p")
	if !ok || digits == "" || !isDigit(digits[0]) || !isDigit(digits[len(digits)-1]) {
		return 0, false
	}
	for i := range len(digits) {
		if !isDigit(digits[i]) && digits[i] != '.' {
			return 0, false
		}
	}
	p, err := strconv.ParseFloat(digits, 64)
	return p, err == nil && p <= 100
}
