package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A mood is how an outcome or call looks: an icon, never without its word, and
// a colour, never without either.
type mood struct {
	icon  string // emoji, for Markdown and HTML
	mark  string // one column wide, for terminals
	ascii string // where the terminal has no Unicode
	word  string
	tone  tone
}

type tone int

const (
	toneNeutral tone = iota
	toneGood
	toneBad
	toneDoubt
)

func outcomeMood(o verdict.Outcome) mood {
	switch o {
	case verdict.Pass:
		return mood{"✅", "✓", "ok", "pass", toneGood}
	case verdict.Accepted:
		return mood{"✅", "✓", "ok", "accepted", toneGood}
	case verdict.Regression:
		return mood{"❌", "✗", "!!", "regression", toneBad}
	case verdict.Threshold:
		return mood{"❌", "✗", "!!", "limit broken", toneBad}
	case verdict.Inconclusive:
		return mood{"🟡", "?", "??", "cannot tell", toneDoubt}
	case verdict.Invalid:
		return mood{"⚠️", "!", "!!", "invalid run", toneDoubt}
	case verdict.NoBaseline:
		return mood{"⚪", "•", "--", "no baseline yet", toneNeutral}
	default:
		return mood{"⚪", "•", "--", clean(string(o), 40), toneNeutral}
	}
}

// callMood is the look of a call. worse is the word for a metric that is no
// delay: one does not call failures slow.
func callMood(f *verdict.Finding) mood {
	latency := f.Metric != metricErrors && f.Metric != metricThroughput
	switch f.Call {
	case verdict.Slower:
		m := mood{"❌", "✗", "x", "worse", toneBad}
		if latency {
			m.word = "slower"
		}
		if f.Warn {
			m = mood{"⚠️", "!", "!", m.word + ", only warned of", toneDoubt}
		}
		if f.Accepted != nil {
			m = mood{"☑️", "✓", "ok", "accepted", toneNeutral}
		}
		return m
	case verdict.Faster:
		if latency {
			return mood{"✅", "✓", "+", "faster", toneGood}
		}
		return mood{"✅", "✓", "+", "better", toneGood}
	case verdict.NotSure:
		return mood{"🟡", "?", "?", "not sure", toneDoubt}
	case verdict.Unchanged:
		return mood{"⚪", " ", " ", "unchanged", toneNeutral}
	default:
		return mood{"⚪", "-", "-", "not judged", toneNeutral}
	}
}

// title says the outcome in a few words of ours: no foreign text.
func (p *Page) title() string {
	switch p.Verdict.Outcome {
	case verdict.Pass:
		if p.Run != nil && p.Run.Shard.Index > 0 {
			return fmt.Sprintf("shard %d of %d is measured", p.Run.Shard.Index, p.Run.Shard.Of)
		}
		if p.Verdict.Base == nil {
			return "all limits hold"
		}
		return "no slowdown"
	case verdict.Accepted:
		return p.acceptedTitle()
	case verdict.Regression:
		return p.regressionTitle()
	case verdict.Threshold:
		broken := len(p.broken())
		return unit.Count(int64(broken)) + " of " + plural(len(p.Verdict.Limits), unit.Count(int64(len(p.Verdict.Limits))), "limit") + " broken"
	case verdict.Inconclusive:
		return "cannot tell"
	case verdict.Invalid:
		return "this run does not count"
	case verdict.NoBaseline:
		return "no baseline yet"
	default:
		return "finished"
	}
}

func (p *Page) regressionTitle() string {
	steps := map[stepKey]bool{}
	verb, wider := "slower", false
	for _, f := range p.slower() {
		if f.Step == "" {
			wider = true // a scenario, or the run: no step of its own
		} else {
			steps[stepKey{f.Scenario, f.Step}] = true
		}
		if f.Metric == metricErrors || f.Metric == metricThroughput {
			verb = "worse"
		}
	}
	switch {
	case len(steps) == 0 && wider:
		return verb + " than allowed"
	case len(steps) == 0:
		return "worse than allowed"
	}
	all := len(p.judged())
	return unit.Count(int64(len(steps))) + " of " + plural(all, unit.Count(int64(all)), "step") + " got " + verb + " than allowed"
}

// acceptedTitle says how much was accepted.
func (p *Page) acceptedTitle() string {
	if n := p.acceptedSteps(); n > 0 {
		return plural(n, unit.Count(int64(n)), "step") + " slower, as accepted"
	}
	return "slower, as accepted"
}

// broken lists the limits that do not hold and count.
func (p *Page) broken() []verdict.LimitResult {
	var all []verdict.LimitResult
	for _, l := range p.Verdict.Limits {
		if !l.OK && !l.Warn {
			all = append(all, l)
		}
	}
	return all
}

// verb says what became of a metric that got worse.
func verb(metric string) string {
	switch metric {
	case metricErrors:
		return "fails more often"
	case metricThroughput:
		return "gets less done"
	default:
		return "got slower"
	}
}

// moved is "p95 212 ms → 289 ms, +36%".
func moved(f *verdict.Finding) string {
	from, to, by := value(f.Metric, f.Base), value(f.Metric, f.Head), change(f.Metric, rawPercent(f))
	switch f.Metric {
	case metricErrors:
		return from + " → " + to + " of requests, " + by
	case metricThroughput:
		return from + " → " + to + ", " + by
	default:
		return metricName(f.Metric) + " " + from + " → " + to + ", " + by
	}
}

// rawPercent is head against base as measured. Files of before it was kept have
// only what was judged.
func rawPercent(f *verdict.Finding) float64 {
	if f.RawPercent == 0 {
		return f.ChangePercent
	}
	return f.RawPercent
}

// beyondOthers reports whether what was judged is not what was measured, by
// enough to be seen: the other steps of the run moved too.
func beyondOthers(f *verdict.Finding) bool {
	return math.Abs(rawPercent(f)-f.ChangePercent) >= 0.5
}

// metricName is a metric as loadline itself may write it: the name comes from a
// file, and is shown only if it is one that this version knows. A rule that
// could not be judged has its selector there; that is its label.
func metricName(metric string) string {
	switch metric {
	case "p50", "p90", "p95", "p99", "p999", "max", "mean", metricErrors, metricThroughput:
		return metric
	default:
		return ""
	}
}

// tally is "1 slower · 1 not sure · 1 faster · 11 unchanged", by step; "" when
// nothing was compared.
func (p *Page) tally() string {
	var parts []string
	slower := "slower"
	for _, f := range p.slower() {
		if f.Metric == metricErrors || f.Metric == metricThroughput {
			slower = "worse"
		}
	}
	taken := p.acceptedSteps()
	for _, c := range []struct {
		steps int
		word  string
	}{
		{p.counts[verdict.Slower] - taken, slower},
		{taken, "slower, as accepted"},
		{p.counts[verdict.NotSure], "not sure"},
		{p.counts[verdict.Faster], "faster"},
		{p.counts[verdict.Unchanged], "unchanged"},
	} {
		if c.steps > 0 {
			parts = append(parts, unit.Count(int64(c.steps))+" "+c.word)
		}
	}
	return strings.Join(parts, " · ")
}

// maxAdvice is how many of the verdict's remedies a page repeats.
const maxAdvice = 4

// next lists what to do now: what the verdict advises, then what the caller adds.
func (p *Page) next() []string {
	var all []string
	seen := map[string]bool{}
	add := func(s string) {
		if s = clean(s, maxMessage); s != "" && !seen[s] {
			seen[s] = true
			all = append(all, upperFirst(s))
		}
	}
	for _, r := range p.Verdict.Reasons {
		add(r.Remedy)
	}
	for _, r := range p.Verdict.Warnings {
		add(r.Remedy)
	}
	all = first(all, maxAdvice) // many rows in doubt may each have some
	for _, s := range p.Context.Next {
		add(s)
	}
	return all
}
