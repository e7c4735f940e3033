package report

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// What was not judged for want of figures shows none: no 0 ms, no change of 0%,
// and no point of this run on the floor of a trend.
func TestUnjudgedRowsShowNoFigures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		f                  verdict.Finding
		base, head, change string
	}{
		{"too few requests", verdict.Finding{Metric: "p95", Call: verdict.NotJudged, Why: "too few requests so far"}, "–", "–", "–"},
		{"new", verdict.Finding{Metric: "p95", Call: verdict.NotJudged, Head: 1500}, "–", "1.5 ms", "–"},
		{"gone", verdict.Finding{Metric: "p95", Call: verdict.NotJudged, Base: 1500}, "1.5 ms", "–", "–"},
		{"a damaged figure", verdict.Finding{Metric: "p95", Call: verdict.NotSure}, "–", "–", "–"},
		{"errors of too few requests", verdict.Finding{Metric: metricErrors, Call: verdict.NotJudged}, "–", "–", "–"},
		{"no errors on either side", verdict.Finding{Metric: metricErrors, Call: verdict.Unchanged}, "0%", "0%", "0pp"},
		{"judged", verdict.Finding{Metric: "p95", Call: verdict.Unchanged, Base: 1000, Head: 1010, ChangePercent: 1}, "1 ms", "1.01 ms", "+1%"},
	} {
		p := &Page{Verdict: &verdict.Verdict{Findings: []verdict.Finding{c.f}}}
		row := p.forestRow(&c.f, 10, func(float64) float64 { return 0 })
		if row.Base != c.base || row.Head != c.head || row.Change != c.change {
			t.Errorf("%s: %s, %s, %s; want %s, %s, %s", c.name, row.Base, row.Head, row.Change, c.base, c.head, c.change)
		}
	}
	p := New(&verdict.Verdict{Findings: []verdict.Finding{{Step: "GET /a", Metric: "p95", Call: verdict.NotJudged}}}, nil, Context{}, []Trend{{
		Step: "GET /a", Metric: "p95", Points: []Point{{Value: 1000, Commit: "1111111aaaa"}, {Value: 1100, Commit: "2222222bbbb"}},
	}})
	pl := p.trendPlots()[0]
	if len(pl.Legend) != 1 || pl.X[1].Label != "2222222" {
		t.Errorf("a run without a figure is drawn: %+v, %+v", pl.Legend, pl.X)
	}
}
