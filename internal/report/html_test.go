package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	nethtml "golang.org/x/net/html"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

func htmlOf(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden page is the smallest with every part; style sheet and script stand
// in files of their own and are left out of it.
func TestHTMLGolden(t *testing.T) {
	t.Parallel()
	run := sampleRun(shape{steps: 2, seconds: 10, open: true, failing: 0.1, paired: true})
	run.Mode = "paired"
	run.Observed = []result.Observed{metric("cpu", unit.BasePlain, 4, 1, 3.4, 5), metric("cpu", unit.BasePlain, 4, 1, 3.9, 5), {Role: "queue", Missed: 3, Fault: "status 404"}}
	run.Observed[0].Arm, run.Observed[1].Arm, run.Observed[1].Missed, run.Observed[1].Fault = "base", "head", 1, "status 503"
	sample := samplePage("regression")
	page := htmlOf(t, New(sample.Verdict, run, sample.Context, sample.Trends))
	page = strings.Replace(page, pageCSS, "/* report.css */", 1)
	page = strings.Replace(page, pageJS, "/* report.js */", 1)
	page = strings.Replace(page, strings.ReplaceAll(scriptHash(pageJS), "+", "&#43;"), "sha256-of-report.js", 1)
	golden(t, "html/regression.html", []byte(page))
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes[:12] {
		page := htmlOf(t, samplePage(name))
		for _, word := range []string{"src=", "@import", "url(", "<link", "NaN", "Infinity", "ZgotmplZ", "%!"} {
			if strings.Contains(page, word) {
				t.Errorf("%s: the page holds %q", name, word)
			}
		}
	}
}

// One hour of seconds and a hundred steps must stay a file that one can mail.
func TestHTMLStaysSmall(t *testing.T) {
	t.Parallel()
	run := sampleRun(shape{steps: 100, seconds: 3600, open: true, failing: 0.02})
	observe(run, time.Second, "")
	v := *samplePage("regression").Verdict
	v.Findings = nil
	for _, s := range run.Catalog.Steps {
		for _, metric := range []string{"p50", "p95", "p99", metricErrors, metricThroughput} {
			f := unchanged(s.Name, s.Line)
			f.Metric = metric
			v.Findings = append(v.Findings, f)
		}
	}
	if n := len(htmlOf(t, New(&v, run, Context{}, nil))); n > 1e6 {
		t.Errorf("%d bytes", n)
	}
}

// tags is the elements of a page and their attributes, but for figures that
// follow from the data.
func tags(t *testing.T, page string) string {
	t.Helper()
	root, err := nethtml.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var walk func(*nethtml.Node)
	walk = func(n *nethtml.Node) {
		if n.Type == nethtml.ElementNode {
			if n.Data == "code" || n.Data == "bdi" { // a message may set names in backticks
				return
			}
			if n.Data == "span" && strings.HasPrefix(attribute(n.Parent, "class"), "shade") { // shown where it fits
				return
			}
			out.WriteString(n.Data)
			for _, a := range n.Attr {
				out.WriteString(" " + a.Key)
			}
			out.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return out.String()
}

func attribute(n *nethtml.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func TestNoStringBreaksOutOfHTML(t *testing.T) {
	t.Parallel()
	want := tags(t, htmlOf(t, nastyPage("plain name")))
	for _, s := range nasty {
		if clean(s, maxName) == "" || short(s) != "" {
			continue
		}
		page := htmlOf(t, nastyPage(s))
		if got := tags(t, page); got != want {
			t.Errorf("%.60q changes the page's elements", s)
		}
		if strings.Contains(page, "javascript:") && !strings.Contains(s, "javascript:") {
			t.Errorf("%.60q: an address that is a script", s)
		}
	}
}

func TestHTMLOfOddRuns(t *testing.T) {
	t.Parallel()
	empty := sampleRun(shape{steps: 1, seconds: 0})
	empty.Cells, empty.Series, empty.Rounds, empty.Phases, empty.Tallies = nil, nil, nil, nil, nil
	failed := sampleRun(shape{steps: 1, seconds: 5})
	for i := range failed.Cells {
		failed.Cells[i].Key.Failed, failed.Cells[i].Latency, failed.Cells[i].Service = true, nil, nil
	}
	for i := range failed.Series {
		s := &failed.Series[i]
		s.P50, s.P95, s.P99, s.Failed, s.Completed = 0, 0, 0, s.Completed, 0
	}
	long := sampleRun(shape{steps: 1, seconds: 3})
	for i := range long.Series {
		long.Series[i].P99 = int64(60 * time.Second / time.Microsecond)
	}
	v := samplePage("pass").Verdict
	for i, page := range []string{
		htmlOf(t, New(v, empty, Context{}, nil)), htmlOf(t, New(v, failed, Context{}, nil)), htmlOf(t, New(v, long, Context{}, nil)),
	} {
		for _, word := range []string{"NaN", "Inf", "n/a", "%!"} {
			if strings.Contains(page, word) {
				t.Errorf("page %d holds %q", i, word)
			}
		}
	}
}

func TestRoundStepDividesAnAxis(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ top, want float64 }{{1000, 250}, {289, 100}, {0.7, 0.2}, {12, 5}, {0, 1}, {3, 1}} {
		if got := roundStep(c.top); got != c.want {
			t.Errorf("roundStep(%v) = %v, want %v", c.top, got, c.want)
		}
	}
}

func TestSlotsKeepTheWorstSecond(t *testing.T) {
	t.Parallel()
	run := sampleRun(shape{steps: 1, seconds: 4000})
	run.Series[1234].P99 = 9_999_999
	all := slots(run.Series, maxSlots)
	if len(all) > maxSlots {
		t.Errorf("%d slots", len(all))
	}
	worst, seconds := 0.0, time.Duration(0)
	for _, s := range all {
		worst = max(worst, s.p99)
		seconds += s.length
	}
	if worst != 9_999_999 {
		t.Errorf("the worst second is lost: %v", worst)
	}
	if want := time.Duration(len(run.Series)) * time.Second; seconds != want {
		t.Errorf("slots cover %v of %v", seconds, want)
	}
}

func ExamplePage_Text() {
	p := samplePage("one-step")
	var b bytes.Buffer
	_ = p.Text(&b, Terminal{Width: 80})
	fmt.Println(strings.SplitN(b.String(), "\n", 2)[0])
	// Output: ok pass  api | staging | 4c1d9e2 -> 8a1e38d
}
