package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// mostWhy is how many findings Why explains when none is named.
const mostWhy = 12

// Why writes the reasoning behind findings, a step a line, for a terminal: behind
// those whose name has all the words of about in it ("GET /orders p95"), or, when
// about is "", behind those that moved, else behind all. The error says that there
// is none.
func (p *Page) Why(w io.Writer, t Terminal, about string) error {
	found, more := p.whyOf(about)
	if len(found) == 0 {
		return p.noSuchFinding(about)
	}
	if t.Width == 0 {
		t.Width = 80
	}
	s := &screen{Page: p, Terminal: t}
	for i := range found {
		f := &found[i]
		s.line()
		s.line(p.labelOf(f), " ", metricName(f.Metric))
		for n, text := range p.reasoning(f) {
			for k, line := range wrap(text, t.Width-5) {
				head := "     "
				if k == 0 {
					head = fmt.Sprintf("  %d. ", n+1)
				}
				s.line(head, line)
			}
		}
	}
	if more > 0 {
		s.line()
		s.line(fmt.Sprintf("%s more; name one to see it: loadline explain \"STEP METRIC\" RESULT.json", unit.Count(int64(more))))
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// whyOf chooses the findings to explain, and says how many were left out.
func (p *Page) whyOf(about string) (found []verdict.Finding, more int) {
	words := strings.Fields(strings.ToLower(about))
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		if about != "" && strings.EqualFold(strings.TrimSpace(f.Step+" "+f.Metric), about) {
			found = append(found, *f)
		}
	}
	if len(found) > 0 {
		return found, 0
	}
	for i := range p.Verdict.Findings {
		f := &p.Verdict.Findings[i]
		name := strings.ToLower(f.Scenario + " " + f.Step + " " + f.Metric)
		if f.Step == "" && f.Scenario == "" {
			name += " the whole run total"
		}
		if len(words) > 0 && !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(name, word) }) {
			found = append(found, *f)
		}
	}
	if len(words) > 0 {
		return found, 0
	}
	if found = p.changed; len(found) == 0 {
		found = p.Verdict.Findings
	}
	return found[:min(len(found), mostWhy)], max(len(found)-mostWhy, 0)
}

func (p *Page) noSuchFinding(about string) error {
	if len(p.Verdict.Findings) == 0 {
		return errors.New("nothing was compared, so there is no finding to explain")
	}
	var names []string
	for i := range p.Verdict.Findings[:min(len(p.Verdict.Findings), 8)] {
		f := &p.Verdict.Findings[i]
		names = append(names, fmt.Sprintf("%q", strings.TrimSpace(clean(f.Step, maxName)+" "+metricName(f.Metric))))
	}
	return fmt.Errorf("no finding is called %q; there is %s", clean(about, maxName), strings.Join(names, ", "))
}

// reasoning is how one finding came about, a step a sentence or two, in words for
// somebody who never heard of statistics.
func (p *Page) reasoning(f *verdict.Finding) []string {
	e := f.Evidence
	if e == nil {
		return []string{upperFirst(callMood(f).word) + ": " + clean(f.Why, maxMessage) + "."}
	}
	if e.Paired != nil {
		return pairedReasoning(f, e, e.Paired)
	}
	steps := []string{p.whyMeasured(f, e)}
	if e.Beside {
		steps = append(steps, fmt.Sprintf("The other steps of the same run moved by %s: that is the machine, or what they share. What is left, %s, is this step's own.",
			change(f.Metric, e.OthersPercent), change(f.Metric, f.ChangePercent)))
	} else if f.Metric != metricErrors && f.Metric != metricThroughput {
		steps = append(steps, "It was judged as measured: there are no other steps to compare it with, so a slower machine looks like a slower step.")
	}
	steps = append(steps, p.whyNoise(f, e), whyAllowed(f, e))
	if f.LowPercent != 0 || f.HighPercent != 0 {
		steps = append(steps, whyRange(f))
	}
	return append(steps, whyDecided(f))
}

func (p *Page) whyMeasured(f *verdict.Finding, e *verdict.Evidence) string {
	what := metricName(f.Metric)
	out := fmt.Sprintf("Measured: %s %s in this run, %s in %s: %s.", what, value(f.Metric, f.Head), value(f.Metric, f.Base),
		plural(e.Stored, unit.Count(int64(e.Stored)), "stored run"), change(f.Metric, rawPercent(f)))
	if f.Metric == metricErrors {
		return out + fmt.Sprintf(" Errors come in bursts, so it is rounds with an error that count, of %d.", e.Chunks)
	}
	if e.Chunks > 1 {
		out += fmt.Sprintf(" The run was cut into %d stretches; the lowest and the highest fifth are set aside, the rest is averaged.", e.Chunks)
	}
	if t := p.Verdict.Together; t != nil {
		out += fmt.Sprintf(" Of this commit %d runs in %s count together.", t.Runs, plural(t.Attempts, unit.Count(int64(t.Attempts)), "attempt"))
	}
	return out
}

func (p *Page) whyNoise(f *verdict.Finding, e *verdict.Evidence) string {
	switch {
	case f.Metric == metricErrors && e.SpreadPercent == 0:
		return "Noise: no stored run had more errors than the others."
	case f.Metric == metricErrors:
		return fmt.Sprintf("Noise: in the worst stored run the share of errors was %s above the usual.", unit.Points(e.SpreadPercent/100))
	}
	out := fmt.Sprintf("Noise: when nothing changes, it differs from run to run by about %s", plusMinus(unit.Change(e.SpreadPercent/100)))
	if e.Stored < 5 {
		out += ", as far as so few stored runs can tell"
	}
	out += fmt.Sprintf(". With %s judged together, ", plural(e.Rows, unit.Count(int64(e.Rows)), "row"))
	if e.NoiseTimes > 0 && e.RowPercent > 0 {
		out += fmt.Sprintf("of which each may be wrong 1 time in %s, that counts %s times (%s degrees of freedom): ",
			oneIn(e.RowPercent), unit.Number(e.NoiseTimes), unit.Number(e.DF))
	}
	out += "noise alone may reach " + noise(f)
	if b := p.Verdict.Base; b != nil && b.FalseAlarmPercent > 0 {
		out += fmt.Sprintf("; at most 1 unchanged pull request in %s is blamed for more", unit.Count(int64(100/b.FalseAlarmPercent)))
	}
	return out + "."
}

func whyAllowed(f *verdict.Finding, e *verdict.Evidence) string {
	tolerance := change(f.Metric, e.TolerancePercent)
	if f.Metric == metricThroughput {
		tolerance = change(f.Metric, -e.TolerancePercent)
	}
	out := "Allowed: "
	switch {
	case f.Rule != "":
		out += fmt.Sprintf("the rule says %q, which is %s here", clean(f.Rule, maxMessage), tolerance)
	default:
		out += "no rule of the spec speaks of it; " + tolerance + " is"
	}
	return out + ". The larger of noise and rule is the limit: " + allowed(f) + "."
}

func whyRange(f *verdict.Finding) string {
	return fmt.Sprintf("The true change lies between %s and %s, as sure as one can be of it: in 95 of 100 such ranges it does.",
		change(f.Metric, f.LowPercent), change(f.Metric, f.HighPercent))
}

func whyDecided(f *verdict.Finding) string {
	by := change(f.Metric, f.ChangePercent)
	switch f.Call {
	case verdict.Slower:
		return "Decided: " + by + " is beyond the limit: " + callMood(f).word + "."
	case verdict.Faster:
		return "Decided: " + by + " is beyond the limit on the good side: " + callMood(f).word + "."
	case verdict.NotSure:
		return "Decided: not sure, because " + lowerFirst(clean(f.Why, maxMessage)) + "."
	case verdict.Unchanged:
		return "Decided: " + by + " is within the limit: unchanged, as far as this run can see."
	default:
		return "Decided: not judged: " + clean(f.Why, maxMessage) + "."
	}
}
