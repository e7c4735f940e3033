package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

func TestAnnotations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sample string
		want   []Annotation
	}{
		{"pass", nil},
		{"no-baseline", nil},
		{"regression", []Annotation{{
			File: "perf/api.toml", Line: 31, Level: LevelError, Title: "GET /orders p99 +34.1%",
			Message: "212 ms to 289 ms, +36.3%, +34.1% beyond the other steps (range +26% to +43%), allowed +15%",
		}}},
		{"threshold", []Annotation{
			{
				File: "perf/api.toml", Line: 12, Level: LevelError, Title: "limit broken: latency{step='POST /checkout'}.p95 < 200ms",
				Message: "latency{step='POST /checkout'}.p95 < 200ms came to 412 ms",
			},
			{
				File: "perf/api.toml", Line: 15, Level: LevelWarning, Title: "limit broken: latency.max < 2s",
				Message: "latency.max < 2s came to 2.1 s",
			},
		}},
		{"invalid", []Annotation{{
			File: "perf/api.toml", Level: LevelError, Title: "this run does not count",
			Message: "The generator, not the target, was the limit: CPU 97%, 19% of sends late. Lower the rate or use a bigger runner.",
		}}},
	} {
		if diff := cmp.Diff(c.want, samplePage(c.sample).Annotations()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.sample, diff)
		}
	}
}

func TestAnnotationsOfManyRowsStartWithTheWorst(t *testing.T) {
	t.Parallel()
	all := samplePage("many-red").Annotations()
	if len(all) != 500 || !strings.Contains(all[0].Title, "+45%") {
		t.Errorf("%d annotations, the first is %+v", len(all), all[0])
	}
}

// junitDoc is what a CI system reads of a JUnit file.
type junitDoc struct {
	Suites []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

func junit(t *testing.T, p *Page) (string, junitDoc) {
	t.Helper()
	var b bytes.Buffer
	if err := p.JUnit(&b); err != nil {
		t.Fatal(err)
	}
	var doc junitDoc
	if err := xml.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return b.String(), doc
}

func TestJUnitGolden(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"regression", "threshold", "invalid", "no-baseline", "one-step"} {
		text, _ := junit(t, samplePage(name))
		golden(t, "junit/"+name+".xml", []byte(text))
	}
}

// A CI system shows the counts on the suites and the cases below them: they
// must agree, and the page must be red exactly when the gate is.
func TestJUnitAgreesWithTheVerdict(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		p := samplePage(name)
		_, doc := junit(t, p)
		bad := 0
		for _, s := range doc.Suites {
			tests, failures, errors, skipped := len(s.Cases), 0, 0, 0
			for _, c := range s.Cases {
				switch {
				case c.Failure != nil:
					failures++
				case c.Error != nil:
					errors++
				case c.Skipped != nil:
					skipped++
				}
				if c.Name == "" || c.Class == "" {
					t.Errorf("%s: a case without a name", name)
				}
			}
			if s.Tests != tests || s.Failures != failures || s.Errors != errors || s.Skipped != skipped {
				t.Errorf("%s: suite %s counts %d/%d/%d/%d, holds %d/%d/%d/%d", name, s.Name,
					s.Tests, s.Failures, s.Errors, s.Skipped, tests, failures, errors, skipped)
			}
			bad += failures + errors
		}
		red := p.Verdict.Outcome == verdict.Regression || p.Verdict.Outcome == verdict.Threshold || p.Verdict.Outcome == verdict.Invalid
		if (bad > 0) != red {
			t.Errorf("%s: %d failed cases, outcome %s", name, bad, p.Verdict.Outcome)
		}
	}
}

func TestJUnitSurvivesForeignStrings(t *testing.T) {
	t.Parallel()
	for _, name := range nasty {
		p := New(nastyVerdict(name), nil, Context{SpecPath: name}, nil)
		text, doc := junit(t, p)
		if len(doc.Suites) != 3 || len(doc.Suites[1].Cases) != 1 || len(doc.Suites[2].Cases) != 1 {
			t.Errorf("%.40q changes the structure: %+v", name, doc)
		}
		for _, r := range text {
			if r < ' ' && r != '\n' && r != '\t' {
				t.Errorf("%.40q: control character %U in the file", name, r)
			}
		}
	}
}

var problems = []spec.Problem{
	{
		File: "loadtest.toml", Pos: spec.Pos{Line: 22, Column: 3}, Message: `unknown key "requst" in [[scenario.step]]`, Hint: `did you mean "request"?`,
		Source: `  requst = "GET /users"`, Width: 6,
	},
	{File: "a,b:c%.toml", Message: "no such file\nnor another"},
}

func TestProblems(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Problems(&b, problems); err != nil {
		t.Fatal(err)
	}
	golden(t, "problems.txt", b.Bytes())
	b.Reset()
	if err := ProblemsGitHub(&b, LevelError, problems); err != nil {
		t.Fatal(err)
	}
	want := `::error file=loadtest.toml,line=22,col=3::unknown key "requst" in [[scenario.step]]; did you mean "request"?
::error file=a%2Cb%3Ac%25.toml::no such file%0Anor another
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	if err := ProblemsJSON(&b, problems, problems[:1]); err != nil {
		t.Fatal(err)
	}
	var docs []map[string]any
	if err := json.Unmarshal(b.Bytes(), &docs); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintln(len(docs), docs[0]["line"], docs[0]["column"], docs[0]["level"], docs[2]["level"]); got != "3 22 3 error warning\n" {
		t.Errorf("got %s", got)
	}
	b.Reset()
	if err := ProblemsJSON(&b, nil, nil); err != nil || b.String() != "[]\n" {
		t.Errorf("no problems: %q, %v", b.String(), err)
	}
}
