package report

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// OpenMetrics writes what a run came to in the OpenMetrics text format 1.0, which
// Prometheus, its push gateway and GitLab's metrics report read: one sample for
// each figure, without time stamps. Times are in seconds, shares from 0 to 1, as
// the format asks. Only measured load counts. Of the types it uses those that the
// older Prometheus text format has as well, so readers of either take it.
func (p *Page) OpenMetrics(w io.Writer) error {
	m := &metrics{}
	m.aboutRun(p)
	m.latency("loadline_latency_seconds", "Time from when a request was due (open model) or sent to its last byte, all steps.", []labelled{{figures: p.total}})
	if p.Run != nil {
		m.steps(p)
		m.target(p.Run)
	}
	m.judged(p)
	m.b.WriteString("# EOF\n")
	_, err := io.WriteString(w, m.b.String())
	return err
}

// outcomesInOrder are all that a run may come to.
var outcomesInOrder = []verdict.Outcome{
	verdict.Pass, verdict.Accepted, verdict.Regression, verdict.Threshold, verdict.Inconclusive, verdict.Invalid, verdict.NoBaseline,
}

// metrics writes families of samples.
type metrics struct{ b strings.Builder }

type labelled struct {
	labels  []string // names and values by turns
	figures result.Figures
}

func (m *metrics) family(name, kind, unit, help string) {
	m.b.WriteString("# TYPE " + name + " " + kind + "\n")
	if unit != "" {
		m.b.WriteString("# UNIT " + name + " " + unit + "\n")
	}
	m.b.WriteString("# HELP " + name + " " + help + "\n")
}

// sample writes one line; labels are names and values by turns, and those
// without a value are left out.
func (m *metrics) sample(name string, value float64, labels ...string) {
	m.b.WriteString(name)
	sep := byte('{')
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] == "" {
			continue
		}
		m.b.WriteByte(sep)
		m.b.WriteString(labels[i] + `="` + labelEscapes.Replace(labels[i+1]) + `"`)
		sep = ','
	}
	if sep == ',' {
		m.b.WriteByte('}')
	}
	m.b.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *metrics) aboutRun(p *Page) {
	info := []string{"version", clean(p.Context.Version, maxName)}
	if r := p.Run; r != nil {
		info = append(info, "spec", clean(r.Spec, maxName), "profile", clean(r.Profile, maxName), "environment", clean(r.Environment.Label, maxName),
			"mode", clean(r.Mode, maxName), "commit", short(r.Commit))
	}
	m.family("loadline_run_info", "gauge", "", "What was measured.")
	m.sample("loadline_run_info", 1, info...)
	m.family("loadline_verdict", "gauge", "", "What the run came to.")
	for _, o := range outcomesInOrder {
		m.sample("loadline_verdict", yes(o == p.Verdict.Outcome), "outcome", string(o))
	}
	if r := p.Run; r != nil {
		m.family("loadline_measured_seconds", "gauge", "seconds", "How long the measured part of the load took.")
		m.sample("loadline_measured_seconds", r.Measured.Seconds())
		m.family("loadline_dropped_iterations", "counter", "", "Arrivals beyond max_users.")
		m.sample("loadline_dropped_iterations_total", float64(p.total.Dropped))
		m.generator(&r.Generator)
	}
}

func (m *metrics) generator(g *result.Generator) {
	m.family("loadline_generator_cpu_ratio", "gauge", "ratio", "Share of its CPUs that the generator used, mean.")
	m.sample("loadline_generator_cpu_ratio", millionths(g.CPU))
	m.family("loadline_generator_lag_seconds", "gauge", "seconds", "How late arrivals were for which the generator is to blame.")
	m.sample("loadline_generator_lag_seconds", g.LagP50.Seconds(), "percentile", "50")
	m.sample("loadline_generator_lag_seconds", g.LagP99.Seconds(), "percentile", "99")
	if g.Steal >= 0 {
		m.family("loadline_generator_steal_ratio", "gauge", "ratio", "Share of CPU time that the hypervisor took, mean.")
		m.sample("loadline_generator_steal_ratio", millionths(g.Steal))
	}
}

// millionths rounds a share: the result file has it in percent, and its last bit is
// another when it was read from there.
func millionths(share float64) float64 { return math.Round(share*1e6) / 1e6 }

func (m *metrics) latency(name, help string, rows []labelled) {
	m.family(name, "summary", "seconds", help)
	for i := range rows {
		q := &rows[i].figures.Latency
		if q.Count == 0 {
			continue
		}
		for _, v := range []struct {
			quantile string
			us       int64
		}{{"0.5", q.P50}, {"0.9", q.P90}, {"0.95", q.P95}, {"0.99", q.P99}, {"0.999", q.P999}, {"1.0", q.Max}} {
			m.sample(name, inSeconds(v.us), append(slices.Clone(rows[i].labels), "quantile", v.quantile)...)
		}
		m.sample(name+"_count", float64(q.Count), rows[i].labels...)
		m.sample(name+"_sum", q.Mean*float64(q.Count)/1e6, rows[i].labels...)
	}
}

func inSeconds(us int64) float64 { return float64(us) / 1e6 }

// steps writes the figures of each step, named without doubt.
func (m *metrics) steps(p *Page) {
	names := uniqueNames(p.Run.Catalog.Steps)
	rows := make([]labelled, len(names))
	for i := range names {
		s := &p.steps[i]
		rows[i] = labelled{[]string{"scenario", clean(s.scenario, maxName), "step", names[i]}, s.Figures}
	}
	m.latency("loadline_step_latency_seconds", "The same by step.", rows)
	m.family("loadline_requests", "counter", "", "Requests by what was answered: a status, or a kind of error.")
	for _, r := range rows {
		for _, c := range statuses(&r.figures) {
			m.sample("loadline_requests_total", float64(c.n), append(slices.Clone(r.labels), "status", c.name)...)
		}
		for _, c := range failures(&r.figures) {
			m.sample("loadline_requests_total", float64(c.n), append(slices.Clone(r.labels), "error", c.name)...)
		}
	}
	m.family("loadline_failed_requests", "counter", "", "Requests without the answer that the spec expects.")
	for _, r := range rows {
		m.sample("loadline_failed_requests_total", float64(r.figures.Failed), r.labels...)
	}
	m.family("loadline_request_rate", "gauge", "", "Requests per second of measured time.")
	for _, r := range rows {
		m.sample("loadline_request_rate", r.figures.PerSecond, r.labels...)
	}
	m.checks(p, names)
}

func (m *metrics) checks(p *Page, names []string) {
	if len(p.Run.Catalog.Checks) == 0 {
		return
	}
	m.family("loadline_checks", "counter", "", "How often a check of an answer held.")
	seen := map[[2]string]bool{}
	for i, t := range p.Run.CheckTotals() {
		c := p.Run.Catalog.Checks[i]
		step := ""
		if c.Step >= 0 && c.Step < len(names) {
			step = names[c.Step]
		}
		key := [2]string{step, clean(c.Name, maxName)}
		if seen[key] { // a name written twice, or the same in its first 120 characters
			key[1] += "#" + strconv.Itoa(i)
		}
		seen[key] = true
		m.sample("loadline_checks_total", float64(t.Passed), "step", key[0], "check", key[1], "result", "passed")
		m.sample("loadline_checks_total", float64(t.Failed), "step", key[0], "check", key[1], "result", "failed")
	}
}

// judged writes limits and comparisons.
func (m *metrics) judged(p *Page) {
	if len(p.Verdict.Limits) > 0 {
		m.family("loadline_limit_ok", "gauge", "", "Whether a limit of the spec holds.")
		seen := map[string]bool{}
		for _, l := range p.Verdict.Limits {
			if name := clean(l.Limit, maxName); !seen[name] {
				seen[name] = true
				m.sample("loadline_limit_ok", yes(l.OK), "limit", name)
			}
		}
	}
	if len(p.Verdict.Findings) == 0 {
		return
	}
	m.family("loadline_change_ratio", "gauge", "ratio", "How far a figure moved against the baseline: 0.1 is 10 % more.")
	seen := map[[3]string]bool{}
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		key := [3]string{clean(f.Scenario, maxName), p.labelOf(f), clean(f.Metric, 40)}
		if seen[key] || f.Call == verdict.NotJudged {
			continue
		}
		seen[key] = true
		m.sample("loadline_change_ratio", f.ChangePercent/100, "scenario", key[0], "step", key[1], "metric", key[2], "call", string(f.Call))
	}
}

func yes(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
