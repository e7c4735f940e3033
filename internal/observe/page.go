package observe

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/wire"
)

// acceptPage asks for the text format, which every exporter has
// (prometheus.io/docs/instrumenting/exposition_formats).
const acceptPage = "text/plain;version=0.0.4;q=1,*/*;q=0.1"

// A page reads a page of metrics in the text format of Prometheus.
type page struct {
	*fetcher
	series []Series
	before *rule.Page
}

func newPage(s *Source, session Session) reader {
	f, err := newFetcher(session, s.Page, append([]wire.Field{{Name: "Accept", Value: acceptPage}}, s.Header...))
	if err != nil {
		return refused(err.Error())
	}
	return &page{fetcher: f, series: s.Series}
}

func (p *page) read(ctx context.Context) ([]outcome, error) {
	body, status, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	if status != 200 {
		return nil, fmt.Errorf("it answered with status %d", status)
	}
	now, err := parsePage(body, time.Now())
	if err != nil {
		return nil, err
	}
	all := make([]outcome, len(p.series))
	for i := range p.series {
		all[i].value, all[i].err = p.series[i].Expr.Eval(now, p.before)
	}
	p.before = now
	return all, nil
}

// parsePage reads the text format. Summaries and histograms come apart into the
// series that are written on the page: _sum, _count, _bucket.
func parsePage(text []byte, at time.Time) (*rule.Page, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("what it answered is not a page of metrics (%w)", err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: model.TimeFromUnixNano(at.UnixNano())}, slices.Collect(maps.Values(families))...)
	if err != nil {
		return nil, fmt.Errorf("what it answered is not a page of metrics (%w)", err)
	}
	p := &rule.Page{At: at, Samples: make([]rule.Sample, len(samples))}
	for i, s := range samples {
		labels := make(map[string]string, len(s.Metric))
		for name, value := range s.Metric {
			if name != model.MetricNameLabel {
				labels[string(name)] = string(value)
			}
		}
		p.Samples[i] = rule.Sample{Name: string(s.Metric[model.MetricNameLabel]), Labels: labels, Value: float64(s.Value)}
	}
	// In the order of names, as the families come in that of a map.
	slices.SortStableFunc(p.Samples, func(a, b rule.Sample) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}
