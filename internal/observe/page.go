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
	wanted []string // names of series
	last   *rule.Page
	before *rule.Page // what the rates of last are since
}

func newPage(s *Source, session Session) reader {
	f, err := newFetcher(session, s.Page, append([]wire.Field{{Name: "Accept", Value: acceptPage}}, s.Header...))
	if err != nil {
		return refused(err.Error())
	}
	p := &page{fetcher: f, series: s.Series}
	for _, series := range s.Series {
		p.wanted = append(p.wanted, series.Expr.Names()...)
	}
	return p
}

func (p *page) read(ctx context.Context) ([]outcome, error) {
	body, status, err := p.get(ctx)
	if err != nil {
		return nil, err
	}
	if status != 200 {
		return nil, fmt.Errorf("it answered with status %d", status)
	}
	now, err := parsePage(body, p.wanted, time.Now())
	if err != nil {
		return nil, err
	}
	p.last, p.before = now, rule.Earlier(now, p.last, p.before)
	all := make([]outcome, len(p.series))
	for i := range p.series {
		all[i].value, all[i].err = p.series[i].Expr.Eval(now, p.before)
	}
	return all, nil
}

// parsePage reads the text format: the series of the wanted names alone, as pages
// have thousands and reading them all takes the machine that makes the load ten
// times as long. Where one of the names is not there it reads the first series of
// each other name too, so that what is said of it can name its neighbours.
func parsePage(text []byte, wanted []string, at time.Time) (*rule.Page, error) {
	some, found := only(text, wanted, false)
	if !found {
		some, _ = only(text, wanted, true)
	}
	return parseSeries(some, at)
}

// only keeps the lines of series with one of these names, and where others are
// wanted the first of each other name; it says whether each name has one. Comments
// are left out: without its type, each line of a histogram or a summary is a series
// of the name that stands there.
func only(text []byte, names []string, others bool) (kept []byte, found bool) {
	missing, seen := map[string]bool{}, map[string]bool{}
	for _, name := range names {
		missing[name] = true
	}
	for line := range bytes.Lines(text) {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name := line
		if i := bytes.IndexAny(line, "{ \t\r\n"); i >= 0 {
			name = line[:i]
		}
		// A name in quotes may be any, and stands within the braces as a rule.
		quoted := line[0] == '{' || line[0] == '"'
		if !quoted && !slices.Contains(names, string(name)) {
			if !others || seen[string(name)] {
				continue
			}
			seen[string(name)] = true
		}
		delete(missing, string(name))
		kept = append(kept, line...)
	}
	return kept, len(missing) == 0
}

// unsaid stands for the moment of a line that has none.
const unsaid = model.Earliest

// parseSeries reads lines of the text format.
func parseSeries(text []byte, at time.Time) (*rule.Page, error) {
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(text, '\n') // the format wants it of the last line too
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("what it answered is not a page of metrics (%w)", err)
	}
	samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{Timestamp: unsaid}, slices.Collect(maps.Values(families))...)
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
		if s.Timestamp != unsaid {
			p.Samples[i].At = s.Timestamp.Time()
		}
	}
	// In the order of names, as the families come in that of a map.
	slices.SortStableFunc(p.Samples, func(a, b rule.Sample) int { return strings.Compare(a.Name, b.Name) })
	return p, nil
}
