package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// bigPage has so many steps that each got slower, with names of a length that
// people use.
func bigPage(steps int) *Page {
	v := &verdict.Verdict{Outcome: verdict.Regression, Base: &verdict.Base{Runs: 10, Relative: true}}
	run := &result.Run{Spec: "api", Measured: time.Minute, Mode: "single"}
	var trends []Trend
	h := result.NewHistogram() // one for all, and low: large and high ones take long to read
	must(h.RecordValue(50))
	for i := range steps {
		name := fmt.Sprintf("GET /api/v2/customers/{{ customer }}/orders/%d", i)
		run.Catalog.Steps = append(run.Catalog.Steps, result.Step{Name: name})
		run.Cells = append(run.Cells, result.Cell{Key: result.Key{Step: i, Status: 200}, Count: 1, Latency: h, Service: h})
		v.Findings = append(v.Findings, verdict.Finding{
			Step: name, Metric: "p95", Base: 100_000, Head: 200_000, ChangePercent: 100, LowPercent: 90, HighPercent: 110, Call: verdict.Slower,
		})
		trends = append(trends, Trend{Step: name, Metric: "p95", Points: []Point{{Value: 1}, {Value: 2}, {Value: 3}}})
	}
	return New(v, run, Context{Reproduce: "loadline run"}, trends)
}

// The parts of a page, in the order in which they give way.
var givesWay = []string{"```mermaid", "<summary>All ", "How sure is this?", "| ❌\u00a0slower |"}

func TestMarkdownKeepsItsBudget(t *testing.T) {
	t.Parallel()
	p := bigPage(5000)
	last := len(givesWay) + 1
	for _, budget := range []int{SummaryBudget, 600_000, CommentBudget, 20_000, 5000, 3000, 2500, 2000} {
		var b bytes.Buffer
		if err := Markdown(&b, Comment{Marker: marker, Budget: budget}, p); err != nil {
			t.Fatalf("budget %d: %v", budget, err)
		}
		got := b.String()
		if len(got) > budget {
			t.Errorf("budget %d: %d bytes", budget, len(got))
		}
		if !strings.HasPrefix(got, marker+"\n### ❌ loadline: 5,000 of 5,000 steps got slower than allowed") {
			t.Errorf("budget %d: marker and verdict are not first:\n%.200s", budget, got)
		}
		if !strings.Contains(got, "changed rows not shown.") {
			t.Errorf("budget %d: does not say what it leaves out", budget)
		}
		if n := strings.Count(got, "| ❌\u00a0slower |"); n > maxRows {
			t.Errorf("budget %d: %d changed rows", budget, n)
		}
		there := 0
		for i, part := range givesWay {
			if strings.Contains(got, part) {
				there++
			} else if there > 0 {
				t.Errorf("budget %d: part %d is gone although an earlier one is there", budget, i)
			}
		}
		if there > last {
			t.Errorf("budget %d shows more than a larger one", budget)
		}
		last = there
	}
	if last == len(givesWay) {
		t.Error("the smallest budget made nothing give way")
	}
}

func TestMarkdownThatCannotFitIsAnError(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Markdown(&b, Comment{Budget: 100}, bigPage(1)); err == nil || b.Len() > 0 {
		t.Errorf("%v, %d bytes written", err, b.Len())
	}
}

func TestMarkdownOfSeveralSpecs(t *testing.T) {
	t.Parallel()
	pages := []*Page{samplePage("regression"), samplePage("pass"), samplePage("invalid")}
	var b bytes.Buffer
	if err := Markdown(&b, Comment{Marker: marker}, pages...); err != nil {
		t.Fatal(err)
	}
	golden(t, "markdown/three-specs.md", b.Bytes())

	b.Reset()
	var many []*Page
	for range 200 {
		many = append(many, pages[0])
	}
	if err := Markdown(&b, Comment{}, many...); err != nil {
		t.Fatal(err)
	}
	if b.Len() > CommentBudget || !strings.Contains(b.String(), "more specs not shown") {
		t.Errorf("200 specs: %d bytes, end: %s", b.Len(), b.String()[b.Len()-100:])
	}
}

func TestMarkdownNamesNoStatistics(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		for _, text := range []string{markdownOf(t, samplePage(name)), text(t, samplePage(name), Terminal{Unicode: true})} {
			for _, word := range []string{"p-value", "significant", "p =", "p<", "NaN", "Inf", "n/a", "%!"} {
				if strings.Contains(text, word) {
					t.Errorf("%s: the page says %q", name, word)
				}
			}
		}
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{[]float64{208, 211, 209, 214, 210, 212, 289}, "▁▁▁▂▁▁█"},
		{[]float64{100, 101, 100, 99}, "▂▂▂▁"}, // a wiggle stays a wiggle
		{[]float64{5, 5, 5}, "▁▁▁"},
		{[]float64{0, 0}, "▁▁"},
		{nil, ""},
	} {
		if got := sparkline(c.values); got != c.want {
			t.Errorf("sparkline(%v) = %s, want %s", c.values, got, c.want)
		}
	}
}

func TestCeiling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ top, want float64 }{{289, 300}, {99, 105}, {0, 1}, {0.4, 0.45}, {1, 1.5}} {
		if got := ceiling(c.top); got < c.top || got != c.want {
			t.Errorf("ceiling(%v) = %v, want %v", c.top, got, c.want)
		}
	}
}

// A report of 500 steps with 130 changed rows, from the verdict on, in each form that
// a pull request gets.
func BenchmarkReport500Steps(b *testing.B) {
	page := samplePage("many-red")
	v, run := page.Verdict, page.Run
	for _, form := range []struct {
		name  string
		write func(*Page, *bytes.Buffer) error
	}{
		{"markdown", func(p *Page, out *bytes.Buffer) error { return Markdown(out, Comment{}, p) }},
		{"html", func(p *Page, out *bytes.Buffer) error { return p.HTML(out) }},
	} {
		b.Run(form.name, func(b *testing.B) {
			for b.Loop() {
				var out bytes.Buffer
				if err := form.write(New(v, run, Context{}, nil), &out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
