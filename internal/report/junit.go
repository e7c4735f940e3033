package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// JUnit writes the page in the XML that CI systems read as test results: a
// suite of the limits and a suite of the comparisons, with a test case for each
// limit and for each compared step and metric.
//
// The form satisfies all schemas in common use: junit-4.xsd to junit-10.xsd of
// Jenkins' xUnit plugin and the stricter one of Windy Road (which asks for
// properties, system-out and system-err, and forbids counts on testsuites). It
// follows testdata/junit/junit.xsd, which takes less than any of them
// (docs/decisions/0076-junit-by-published-schemas.md). A run that does not count is
// one case with an error; its limits are skipped, neither passed nor failed.
func (p *Page) JUnit(w io.Writer) error {
	out := junitSuites{}
	suite := func(name string, cases []junitCase) {
		if len(cases) == 0 {
			return
		}
		s := junitSuite{
			ID: len(out.Suites), Name: name, Package: "loadline", Hostname: "localhost", Time: "0", Properties: p.junitProperties(), Cases: cases,
		}
		if p.Run != nil {
			// The schemas take no time zone: UTC is meant.
			s.Timestamp = p.Run.Started.UTC().Format("2006-01-02T15:04:05")
			s.Time = fmt.Sprintf("%.3f", p.Run.Duration.Seconds())
		} else {
			s.Timestamp = time.Unix(0, 0).UTC().Format("2006-01-02T15:04:05")
		}
		for i := range cases {
			s.count(&cases[i])
		}
		out.Suites = append(out.Suites, s)
	}
	suite("loadline.run", p.runCases())
	suite("loadline.limits", p.limitCases())
	suite("loadline.comparison", p.comparisonCases())
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	ID         int             `xml:"id,attr"`
	Name       string          `xml:"name,attr"`
	Package    string          `xml:"package,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr,omitempty"` // Windy Road's of 2011 knows of none
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Skipped *junitReason `xml:"skipped"`
	Failure *junitDetail `xml:"failure"`
	Error   *junitDetail `xml:"error"`
}

type junitDetail struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// A junitReason is text within its element: junit-4.xsd has no message of skipped,
// and GitLab shows what is within.
type junitReason struct {
	Text string `xml:",chardata"`
}

func (s *junitSuite) count(c *junitCase) {
	s.Tests++
	switch {
	case c.Error != nil:
		s.Errors++
	case c.Failure != nil:
		s.Failures++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// junitProperties say what was tested, by what, and what came of it: at least one,
// as junit-4.xsd has no empty list.
func (p *Page) junitProperties() []junitProperty {
	all := []junitProperty{{"outcome", string(p.Verdict.Outcome)}}
	add := func(name, value string) {
		if value = clean(value, maxName); value != "" {
			all = append(all, junitProperty{name, value})
		}
	}
	add("loadline", p.Context.Version)
	if p.Run != nil {
		add("spec", p.Run.Spec)
		add("profile", p.Run.Profile)
	}
	add("base", short(p.baseSHA()))
	add("head", short(p.headSHA()))
	return all
}

// runCases is the run itself: could it be judged?
func (p *Page) runCases() []junitCase {
	c := junitCase{Class: "loadline.run", Name: "run", Time: "0"}
	if p.Run != nil {
		c.Name = "run of " + clean(p.Run.Spec, maxName)
		c.Time = fmt.Sprintf("%.3f", p.Run.Duration.Seconds())
	}
	message := p.lead(false).String()
	switch p.Verdict.Outcome {
	case verdict.Invalid:
		c.Error = &junitDetail{Message: message, Type: string(verdict.Invalid), Text: p.advice()}
	case verdict.Inconclusive, verdict.NoBaseline:
		c.Skipped = &junitReason{message}
	default:
	}
	return []junitCase{c}
}

// advice is what to do next, as text.
func (p *Page) advice() string {
	text := prose{}
	for _, s := range p.next() {
		text = text.sentence(s).say("\n")
	}
	return text.String()
}

func (p *Page) limitCases() []junitCase {
	cases := make([]junitCase, 0, len(p.Verdict.Limits))
	for _, l := range p.Verdict.Limits {
		limit, shown := clean(l.Limit, maxName), clean(l.Shown, maxName)
		c := junitCase{Class: "loadline.limits", Name: named(limit), Time: "0"}
		switch {
		case p.Verdict.Outcome == verdict.Invalid:
			c.Skipped = &junitReason{"the run does not count; it came to " + shown}
		case l.OK:
		case l.Warn:
			c.Skipped = &junitReason{"broken, only warned of: " + shown}
		default:
			c.Failure = &junitDetail{Message: "came to " + shown, Type: "limit", Text: p.place(l.Line) + limit + " came to " + shown}
		}
		cases = append(cases, c)
	}
	return cases
}

// named keeps a case from having no name, which readers show as a blank: only a
// file that loadline did not write has such.
func named(s string) string { return cmp.Or(s, "(no name)") }

// place is "perf/api.toml:31: ", as compilers write it.
func (p *Page) place(line int) string {
	path := clean(p.Context.SpecPath, 1000)
	switch {
	case path == "":
		return ""
	case line > 0:
		return fmt.Sprintf("%s:%d: ", path, line)
	default:
		return path + ": "
	}
}

func (p *Page) comparisonCases() []junitCase {
	cases := make([]junitCase, 0, len(p.Verdict.Findings))
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		a := p.findingAnnotation(f)
		c := junitCase{Class: "loadline.comparison", Name: named(strings.TrimSpace(p.labelOf(f) + " " + metricName(f.Metric))), Time: "0"}
		switch {
		case f.Call == verdict.Slower && !f.Warn && f.Accepted == nil:
			c.Failure = &junitDetail{Message: a.Title, Type: callMood(f).word, Text: p.place(f.Line) + a.Message}
		case f.Call == verdict.Slower, f.Call == verdict.NotSure, f.Call == verdict.NotJudged:
			message := callMood(f).word
			if f.Why != "" {
				message += ": " + clean(f.Why, maxMessage)
			}
			if f.Accepted != nil {
				message += ". " + p.acceptance(f).String()
			}
			c.Skipped = &junitReason{message}
		}
		cases = append(cases, c)
	}
	return cases
}
