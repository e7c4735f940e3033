package report

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// details writes what stands behind folds.
func (m *markdown) details() {
	m.allSteps()
	m.trendChart()
	m.checksFold()
	m.allLimits()
	m.targetFold()
	m.howSure()
}

func (m *markdown) allSteps() {
	if m.Run == nil || len(m.listed()) == 0 {
		return
	}
	n := len(m.listed())
	if m.table == 0 {
		m.line("The table of all ", plural(n, unit.Count(int64(n)), "step"), " is not shown: the page would be too long.")
		m.line()
		return
	}
	title := "All " + plural(n, unit.Count(int64(n)), "step")
	if n == 1 {
		title = "The step"
	}
	m.fold(title+": requests, rate, latency, errors", func() {
		m.line("| Step | Requests | Rate | p50 | p95 | p99 | Failed |")
		m.line("|:--|--:|--:|--:|--:|--:|--:|")
		for i := range m.listed()[:min(n, m.table)] {
			s := &m.listed()[i]
			m.figuresRow(markCode(s.label, true), s)
		}
		if n > 1 {
			total := stepRow{Figures: m.total}
			m.figuresRow("**all**", &total)
		}
		if more := n - m.table; more > 0 {
			m.line()
			m.line(plural(more, unit.Count(int64(more)), "step"), " not shown.")
		}
	})
}

func (m *markdown) figuresRow(name string, s *stepRow) {
	m.line("| ", name, " | ", unit.Count(s.Requests), " | ", solid(unit.Rate(s.PerSecond)), " | ", micros(s.Latency.P50, s), " | ",
		micros(s.Latency.P95, s), " | ", micros(s.Latency.P99, s), " | ", failedShare(s), " |")
}

// micros writes a percentile of a step, and nothing where no request gave one.
func micros(us int64, s *stepRow) string {
	if s.Latency.Count == 0 {
		return "–"
	}
	return solid(unit.Micros(us))
}

func failedShare(s *stepRow) string {
	if s.Requests == 0 {
		return "–"
	}
	return unit.Share(s.Failed, s.Requests)
}

func (m *markdown) checksFold() {
	failed := m.failedChecks()
	if len(failed) == 0 || !m.limits {
		return
	}
	m.fold(plural(len(failed), unit.Count(int64(len(failed))), "check")+" did not always hold", func() {
		m.line("| Step | Check | Failed | of |")
		m.line("|:--|:--|--:|--:|")
		for _, c := range failed[:min(len(failed), maxRows)] {
			m.line("| ", markCode(c.step, true), " | ", markCode(c.name, true), " | ", unit.Count(c.failed), " | ", unit.Count(c.passed+c.failed), " |")
		}
		if more := len(failed) - maxRows; more > 0 {
			m.line()
			m.line(plural(more, unit.Count(int64(more)), "check"), " not shown.")
		}
	})
}

func (m *markdown) allLimits() {
	all := m.Verdict.Limits
	if len(all) == len(m.broken()) || !m.limits { // none, or each shown already
		return
	}
	summary := plural(len(all), unit.Count(int64(len(all))), "limit")
	if m.Verdict.Outcome != verdict.Invalid && !slices.ContainsFunc(all, func(l verdict.LimitResult) bool { return !l.OK }) {
		summary = strings.Trim(m.limitsHold().String(), " .")
	}
	m.fold(summary, func() {
		m.line("| | Limit | Came to |")
		m.line("|:--|:--|--:|")
		for _, l := range all[:min(len(all), 5*maxRows)] {
			m.limitRow(l)
		}
		if more := len(all) - 5*maxRows; more > 0 {
			m.line()
			m.line(plural(more, unit.Count(int64(more)), "limit"), " not shown.")
		}
	})
}

func (m *markdown) howSure() {
	lines := m.sure()
	for _, s := range m.trouble() {
		lines = append(lines, say(upperFirst(s)+"."))
	}
	if len(lines) == 0 || !m.explain {
		return
	}
	m.fold("How sure is this?", func() {
		for _, s := range lines {
			m.line("- ", markProse(s, false))
		}
	})
}

// maxPoints is the most stored runs in a chart.
const maxPoints = 20

func (m *markdown) trendChart() {
	t, f := m.trend()
	if t == nil || !m.chart {
		return
	}
	values := t.values(maxPoints - 1)
	n := len(values)
	values = append(values, f.Head)
	summary := "Last " + plural(n, unit.Count(int64(n)), "stored run") + ", then this one: " + htmlCode(m.labelOf(f)) + " " + metricName(f.Metric) + " " + sparkline(values)
	m.fold(summary, func() {
		scale, name := axis(f.Metric)
		numbers, labels := make([]string, len(values)), make([]string, len(values))
		top := 0.0
		for i, v := range values {
			top = max(top, v*scale)
			numbers[i] = strconv.FormatFloat(v*scale, 'g', 4, 64)
			labels[i] = strconv.Quote("-" + strconv.Itoa(n-i))
		}
		labels[n] = `"now"` // a longer one would be cut at the edge
		// No foreign text in here: the chart is a language of its own. Its own
		// first colour is all but invisible on white, and its ground a grey box in
		// the dark; these two do on both.
		m.line("```mermaid")
		m.line(`%%{init: {"xyChart": {"width": 720, "height": 340}, "themeVariables": {"xyChart": {"backgroundColor": "transparent", "plotColorPalette": "#2f81f7"}}}}%%`)
		m.line("xychart-beta")
		m.line(`  title "`, name, `, stored runs and this one"`)
		m.line("  x-axis [", strings.Join(labels, ", "), "]")
		m.line("  y-axis 0 --> ", strconv.FormatFloat(ceiling(top), 'g', 4, 64))
		m.line("  line [", strings.Join(numbers, ", "), "]")
		m.line("```")
		m.acceptedPoints(t)
	})
}

// acceptedPoints says at which stored runs a slowdown was accepted, and why.
func (m *markdown) acceptedPoints(t *Trend) {
	points := t.Points[max(0, len(t.Points)-maxPoints+1):]
	intro := true
	for i, p := range points {
		if !p.Accepted {
			continue
		}
		if intro {
			m.line()
			intro = false
		}
		at := prose{}.say("Accepted at -" + strconv.Itoa(len(points)-i))
		if c := short(p.Commit); c != "" {
			at = at.say(", ").code(c)
		}
		if p.Reason != "" {
			at = at.say(": ").sentence(p.Reason)
		}
		m.line("- ", markProse(at, false))
	}
}

// trend is the history of the worst changed row that has one.
func (m *markdown) trend() (*Trend, *verdict.Finding) {
	rows := m.changed
	for i := range rows {
		if t := m.trendOf(&rows[i]); t != nil {
			return t, &rows[i]
		}
	}
	return nil, nil
}

// trendOf is the history of what f is about, if it is worth drawing.
func (p *Page) trendOf(f *verdict.Finding) *Trend {
	for i := range p.Trends {
		t := &p.Trends[i]
		if t.Scenario == f.Scenario && t.Step == f.Step && t.Metric == f.Metric && len(t.Points) >= 3 {
			return t
		}
	}
	return nil
}

// values are the newest so many points.
func (t *Trend) values(most int) []float64 {
	points := t.Points[max(0, len(t.Points)-most):]
	all := make([]float64, len(points))
	for i, p := range points {
		all[i] = p.Value
	}
	return all
}

// axis is the unit that a chart of a metric is drawn in.
func axis(metric string) (scale float64, name string) {
	switch metric {
	case metricErrors:
		return 100, "failed requests in percent"
	case metricThroughput:
		return 1, "requests per second"
	case "p50", "p95", "p99":
		return 1e-3, metric + " in ms"
	default:
		return 1e-3, "ms"
	}
}

// ceiling is a round number a little above top: an axis that ends where the
// line does looks cut off.
func ceiling(top float64) float64 {
	if top <= 0 || math.IsInf(top, 0) || math.IsNaN(top) {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(top))) / 2
	return math.Ceil(top*1.02/step) * step
}

// sparkline draws values as a row of bars. It survives where pictures do not:
// in mail, in a terminal. A range below a tenth of the highest value is not
// blown up to look like a mountain.
func sparkline(values []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	span := max(high-low, math.Abs(high)/10)
	out := make([]rune, 0, len(values))
	for _, v := range values {
		i := 0
		if span > 0 {
			i = int(math.Round((v - low) / span * float64(len(bars)-1)))
		}
		out = append(out, bars[min(max(i, 0), len(bars)-1)])
	}
	return string(out)
}
