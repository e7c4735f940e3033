package report

import (
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
		return mood{"❔", "?", "??", "cannot tell", toneDoubt}
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
		return m
	case verdict.Faster:
		if latency {
			return mood{"✅", "✓", "+", "faster", toneGood}
		}
		return mood{"✅", "✓", "+", "better", toneGood}
	case verdict.NotSure:
		return mood{"❔", "?", "?", "not sure", toneDoubt}
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
		if p.Verdict.Base == nil {
			return "all limits hold"
		}
		return "no slowdown"
	case verdict.Accepted:
		return "slower, as accepted"
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
	verb := "slower"
	for _, f := range p.slower() {
		steps[stepKey{f.Scenario, f.Step}] = true
		if f.Metric == metricErrors || f.Metric == metricThroughput {
			verb = "worse"
		}
	}
	if len(steps) == 0 || len(steps) == 1 && steps[stepKey{}] {
		return verb + " than allowed"
	}
	all := 0
	for _, s := range p.steps {
		if s.judged() {
			all++
		}
	}
	return unit.Count(int64(len(steps))) + " of " + plural(all, unit.Count(int64(all)), "step") + " got " + verb + " than allowed"
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

// lead is the verdict in one or two sentences, true without the rest of the
// page. Under a heading, which has said title, it does not say that again.
func (p *Page) lead(headed bool) prose {
	switch p.Verdict.Outcome {
	case verdict.Pass:
		return p.passLead(headed)
	case verdict.Regression:
		return p.regressionLead()
	case verdict.Threshold:
		return p.thresholdLead()
	default:
		return p.otherLead(headed)
	}
}

// otherLead is the lead of an outcome that a reason explains.
func (p *Page) otherLead(headed bool) prose {
	intro, otherwise := "", "Finished."
	switch p.Verdict.Outcome {
	case verdict.Inconclusive:
		intro, otherwise = "Cannot tell: ", "Nothing could be judged."
	case verdict.Invalid:
		intro, otherwise = "Not judged: ", "The run is not fit to compare."
	case verdict.NoBaseline:
		intro, otherwise = "No baseline yet: ", "There is no run to compare with."
	case verdict.Accepted:
		intro, otherwise = "Accepted: ", "This slowdown was taken on purpose."
	default:
	}
	if headed {
		intro = ""
	}
	out := p.reasonLead(intro, otherwise)
	if p.Verdict.Outcome == verdict.NoBaseline {
		out = append(out, p.limitsHold()...)
	}
	return out
}

// reasonLead is the first reason, which is the cause of the outcome.
func (p *Page) reasonLead(intro, otherwise string) prose {
	message := otherwise
	if i := p.leadReason(); i >= 0 {
		message = p.Verdict.Reasons[i].Message
	}
	// The reason may have been written with the intro already.
	if intro == "" || strings.HasPrefix(strings.ToLower(message), strings.ToLower(strings.TrimSuffix(intro, ": "))) {
		return prose{}.sentence(upperFirst(message))
	}
	return say(intro).sentence(lowerFirst(message))
}

func (p *Page) passLead(headed bool) prose {
	b := p.Verdict.Base
	if b == nil {
		return append(say("Nothing was compared."), p.limitsHold()...)
	}
	out := say("No slowdown.")
	if b.NothingAbovePercent > 0 {
		intro := "No slowdown: nothing above "
		if headed {
			intro = "Nothing above "
		}
		out = say(intro).strong(unit.Change(b.NothingAbovePercent / 100)).say(" (95% sure).")
	}
	if b.VisiblePercent > 0 {
		out = out.say(" This run could see " + unit.Change(b.VisiblePercent/100) + " or more.")
	}
	return append(out, p.limitsHold()...)
}

// limitsHold says how many limits hold, when there are any.
func (p *Page) limitsHold() prose {
	all := len(p.Verdict.Limits)
	if all == 0 {
		return nil
	}
	ok := 0
	for _, l := range p.Verdict.Limits {
		if l.OK {
			ok++
		}
	}
	switch {
	case ok == all && all == 1:
		return say(" The limit holds.")
	case ok == all:
		return say(" All " + unit.Count(int64(all)) + " limits hold.")
	default:
		return say(" " + unit.Count(int64(ok)) + " of " + plural(all, unit.Count(int64(all)), "limit") + " hold.")
	}
}

func (p *Page) regressionLead() prose {
	slower := p.slower()
	if len(slower) == 0 {
		return p.reasonLead("", "This run is slower than allowed.")
	}
	var out prose
	if i := p.leadReason(); i >= 0 && !toldByRow(p.Verdict.Reasons[i]) {
		out = out.sentence(upperFirst(p.Verdict.Reasons[i].Message)).say(" ")
	}
	f := &slower[0]
	out = out.code(p.labelOf(f)).say(" " + verb(f.Metric) + ": ").strong(moved(f))
	if beyondOthers(f) {
		out = out.say(", " + change(f.Metric, f.ChangePercent) + " beyond the other steps")
	}
	if f.LowPercent != 0 || f.HighPercent != 0 {
		out = out.say(" (between " + change(f.Metric, f.LowPercent) + " and " + change(f.Metric, f.HighPercent) + ")")
	}
	if a := allowed(f); a != "" {
		out = out.say("; allowed is " + a)
	}
	out = out.say(".")
	if n := noise(f); n != "" {
		out = out.say(" This runner's noise limit is " + n)
		if b := p.Verdict.Base; b != nil && b.FalseAlarmPercent > 0 {
			out = out.say("; at most 1 unchanged pull request in " + unit.Count(int64(100/b.FalseAlarmPercent)) + " would be blamed like this")
		}
		out = out.say(".")
	}
	if broken := p.broken(); len(broken) > 0 {
		out = append(out.say(" "), p.thresholdLead()...)
	}
	return out
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

func (p *Page) thresholdLead() prose {
	broken := p.broken()
	if len(broken) == 0 {
		return p.reasonLead("", "A limit is broken.")
	}
	out := say("Limit broken: ").code(broken[0].Limit).say(", it came to ").code(broken[0].Shown).say(".")
	if more := len(broken) - 1; more > 0 {
		out = out.say(" " + plural(more, unit.Count(int64(more)), "more limit") + " broken.")
	}
	return out
}

// toldByRow reports whether a reason says what the tables of the page say of a
// step or a limit, in the codes of verdict.
func toldByRow(r verdict.Reason) bool {
	switch r.Code {
	case "slower", "more-errors", "not-sure", "limit":
		return true
	default:
		return false
	}
}

// leadReason is the reason to begin with: the first that is about the run as a
// whole, else the first; -1 when there is none.
func (p *Page) leadReason() int {
	for i, r := range p.Verdict.Reasons {
		if !toldByRow(r) {
			return i
		}
	}
	return min(len(p.Verdict.Reasons), 1) - 1
}

// extraReasons are the reasons and warnings that neither lead nor a table tells.
func (p *Page) extraReasons() []verdict.Reason {
	var all []verdict.Reason
	lead := -1
	if p.leadsWithReason() {
		lead = p.leadReason()
	}
	for i, r := range p.Verdict.Reasons {
		if i != lead && !toldByRow(r) {
			all = append(all, r)
		}
	}
	for _, r := range p.Verdict.Warnings {
		if !toldByRow(r) {
			all = append(all, r)
		}
	}
	return all
}

func (p *Page) leadsWithReason() bool {
	switch p.Verdict.Outcome {
	case verdict.Pass:
		return false
	case verdict.Threshold:
		return len(p.broken()) == 0
	default:
		return true
	}
}

// tally is "1 slower · 1 faster · 11 unchanged · 1 not sure", by step; "" when
// nothing was compared.
func (p *Page) tally() string {
	var parts []string
	slower := "slower"
	for _, f := range p.slower() {
		if f.Metric == metricErrors || f.Metric == metricThroughput {
			slower = "worse"
		}
	}
	for _, c := range []struct {
		call verdict.Call
		word string
	}{
		{verdict.Slower, slower},
		{verdict.NotSure, "not sure"},
		{verdict.Faster, "faster"},
		{verdict.Unchanged, "unchanged"},
	} {
		if n := p.counts[c.call]; n > 0 {
			parts = append(parts, unit.Count(int64(n))+" "+c.word)
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
