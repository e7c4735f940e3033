package report

import (
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// TestCreepIsDrawn: what crept over many merges has its history in the page, with
// the sentence that says since when, though nothing was called.
func TestCreepIsDrawn(t *testing.T) {
	t.Parallel()
	history := Trend{Step: "GET /slow", Metric: "p50"}
	for i := range 30 {
		history.Points = append(history.Points, Point{Value: float64(10_000 + 100*i), Commit: "8a1e38dc97"})
	}
	v := &verdict.Verdict{Outcome: verdict.Pass}
	page := func() string {
		return htmlOf(t, New(v, nil, Context{}, []Trend{history}))
	}
	const said = "GET /slow p50 has become slower bit by bit"
	if strings.Contains(page(), "GET /slow") {
		t.Error("the history of a step that did nothing is drawn")
	}
	v.Trend = []verdict.Creep{{Step: "GET /slow", Metric: "p50", Percent: 9, From: "8a1e38dc97", Message: said + ": +9% since about 8a1e38d"}}
	if !strings.Contains(page(), said) {
		t.Error("nothing is said of the creep")
	}
}
