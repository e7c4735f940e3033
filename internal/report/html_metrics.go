package report

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A metricView is one custom metric of the spec.
type metricView struct {
	Name, Kind, Samples string
	Value, Note         string // what the kind is about: a share, a sum, a last value, a median
	Cells               []cellView
}

// metrics lists the custom metrics in the order of the spec. Their values have
// the unit that the spec's author gave them, so they are bare numbers.
func (v *view) metrics(p *Page) {
	for i, m := range p.Run.Catalog.Metrics {
		value := result.Value{}
		for _, have := range p.Run.Values {
			if have.Metric == i {
				value = have
			}
		}
		v.Metrics = append(v.Metrics, newMetricView(m, &value))
	}
}

func newMetricView(m result.Metric, v *result.Value) metricView {
	out := metricView{Name: clean(m.Name, maxName), Kind: clean(m.Kind, 20), Samples: unit.Count(v.Count), Value: "–"}
	figures := map[string]string{}
	if v.Count > 0 {
		switch m.Kind {
		case "rate":
			out.Value, out.Note = unit.Share(v.True, v.Count), "true"
		case "counter":
			out.Value, out.Note = unit.Number(v.Sum), "in all"
		case "gauge":
			out.Value, out.Note = unit.Number(v.Last), "last"
		case "trend":
			if v.Hist != nil && v.Hist.TotalCount() > 0 {
				const scale = 1000 // of a trend's histogram: result.Value
				out.Value, out.Note = unit.Number(float64(v.Hist.ValueAtQuantile(50))/scale), "median"
				figures["p95"] = unit.Number(float64(v.Hist.ValueAtQuantile(95)) / scale)
				figures["p99"] = unit.Number(float64(v.Hist.ValueAtQuantile(99)) / scale)
			}
		}
		if m.Kind == "gauge" || m.Kind == "trend" {
			figures["min"], figures["max"] = unit.Number(v.Min), unit.Number(v.Max)
		}
	}
	for _, key := range []string{"min", "p95", "p99", "max"} {
		text := figures[key]
		if text == "" {
			text = "–"
		}
		out.Cells = append(out.Cells, cellView{Key: key, Text: text})
	}
	return out
}
