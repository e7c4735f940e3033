package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// bars is how many rows the latency histogram of a bench has at most.
const bars = 11

// Bench writes what an ad-hoc load came to: rate, percentiles, a histogram of
// the latencies, and what was answered.
func Bench(w io.Writer, run *result.Run, intro string, t Terminal) error {
	s := &screen{Page: &Page{Run: run}, Terminal: t}
	if s.Width == 0 {
		s.Width = 80
	}
	f := run.Total()
	s.line(clean(intro, maxMessage))
	s.line()
	s.line(fmt.Sprintf("  %s requests in %s: %s", unit.Count(f.Requests), unit.Duration(run.Measured), unit.Rate(f.PerSecond)),
		fmt.Sprintf(", %s in, %s out", unit.Size(f.In), unit.Size(f.Out)))
	if f.Dropped > 0 {
		s.line("  ", s.paint(toneBad, "dropped "+plural(int(f.Dropped), unit.Count(f.Dropped), "arrival")+": no connection was free; let it have more (--connections)"))
	}
	if f.Latency.Count > 0 {
		s.line()
		s.benchPercentiles(f)
		s.line()
		s.benchHistogram(run)
	}
	s.line()
	s.benchAnswers(f)
	for _, fault := range run.AdHocFaults() {
		s.line("  ", s.paint(toneBad, "invalid "+clean(fault.Message, maxMessage)))
		s.line("  ", s.dim("next    "+clean(fault.Remedy, maxMessage)))
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

func (s *screen) benchPercentiles(f result.Figures) {
	names := []string{"p50", "p90", "p95", "p99", "p99.9", "max"}
	q := f.Latency
	values := []int64{q.P50, q.P90, q.P95, q.P99, q.P999, q.Max}
	t := table{columns: make([]column, len(names)+1), indent: 2, ascii: !s.Unicode}
	head, row := []cell{{text: "latency"}}, []cell{{}}
	for i := range names {
		t.columns[i+1].right = true
		head = append(head, cell{text: names[i], paint: s.dim})
		row = append(row, cell{text: unit.Micros(values[i])})
	}
	t.add(head...)
	t.add(row...)
	for _, line := range t.layout(s.Width) {
		s.line(line)
	}
}

// benchHistogram draws the latencies on a logarithmic scale.
func (s *screen) benchHistogram(run *result.Run) {
	h := run.LatencyOf(func(*result.Cell) bool { return true })
	low, high := math.Max(float64(h.Min()), 1), math.Max(float64(h.Max()), 2)
	step := math.Pow(high/low, 1/float64(bars))
	if step < 1.02 { // all but alike: one bar says it
		step = high / low * 1.001
	}
	var counts []int64
	for _, b := range h.Distribution() {
		if b.Count == 0 {
			continue
		}
		i := int(math.Log(math.Max(float64(b.From), low)/low) / math.Log(step))
		i = min(max(i, 0), bars-1)
		for len(counts) <= i {
			counts = append(counts, 0)
		}
		counts[i] += b.Count
	}
	var most int64 = 1
	for _, c := range counts {
		most = max(most, c)
	}
	room := max(min(s.Width, 100)-26, 10)
	for i, c := range counts {
		edge := low * math.Pow(step, float64(i+1))
		bar := strings.Repeat(s.sign("█", "#"), int(math.Ceil(float64(c)/float64(most)*float64(room))))
		s.line(fmt.Sprintf("  %s %9s %s ", s.sign("≤", "<="), unit.Micros(edge), s.sign("│", "|")), s.paint(toneGood, bar), " ", s.dim(unit.Count(c)))
	}
}

func (s *screen) benchAnswers(f result.Figures) {
	if len(f.Status) > 0 {
		s.line("  status  ", s.counts(statuses(&f)))
	}
	if len(f.Errors) > 0 {
		s.line("  errors  ", s.paint(toneBad, s.counts(failures(&f))))
	}
	if f.Requests == 0 {
		s.line("  nothing was sent")
	}
}
