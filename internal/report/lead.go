package report

import (
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// lead is the verdict in one or two sentences, true without the rest of the
// page. Under a heading, which has said title, it does not say that again.
func (p *Page) lead(headed bool) prose { return append(p.outcomeLead(headed), p.endedAsAsked()...) }

// endedAsAsked says that a condition of stop_when ended the load, when and at what
// level: with a staircase that is what the run was made for.
func (p *Page) endedAsAsked() prose {
	if p.Run == nil {
		return nil
	}
	condition, ok := strings.CutPrefix(p.Run.Stopped, result.StopWhen)
	if !ok {
		return nil
	}
	return say(" The load ended after " + unit.Duration(p.Run.Duration) + p.lastLevel() + ", as ").code("stop_when").say(" asks: ").code(clean(condition, maxMessage)).say(".")
}

// lastLevel is ", at 200/s" or ", at 40 users": what was asked for when the load
// ended.
func (p *Page) lastLevel() string {
	for _, s := range slices.Backward(p.Run.Series) {
		switch {
		case s.Rest:
		case s.Rate > 0:
			return ", at " + unit.Rate(s.Rate)
		case s.Users > 0:
			return ", at " + plural(s.Users, unit.Count(int64(s.Users)), "user")
		default:
			return ""
		}
	}
	return ""
}

func (p *Page) outcomeLead(headed bool) prose {
	switch p.Verdict.Outcome {
	case verdict.Pass:
		return p.passLead(headed)
	case verdict.Regression:
		return p.regressionLead()
	case verdict.Threshold:
		return p.thresholdLead()
	case verdict.Accepted:
		return p.acceptedLead()
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
		intro, above, seen := "nothing above ", unit.Change(b.NothingAbovePercent/100), unit.Change(b.VisiblePercent/100)
		if b.NothingAboveUs > 0 && max(b.NothingAbovePercent, b.VisiblePercent) > tellInTime {
			intro, above, seen = "no step by more than ", unit.Micros(b.NothingAboveUs), unit.Micros(b.VisibleUs)
		}
		if headed {
			intro = upperFirst(intro)
		} else {
			intro = "No slowdown: " + intro
		}
		out = say(intro).strong(above).say(" (95% sure).")
		if b.VisiblePercent > 0 {
			out = out.say(" This run could see " + seen + " or more.")
		}
	}
	return append(out.say(p.pairedLead()), p.limitsHold()...)
}

// tellInTime is a change in percent above which what a run could see is told in
// time: "nothing above +1,770%" of a step of 60 µs is 1 ms, which can be
// understood.
const tellInTime = 50

// pairedLead says that base and head were measured side by side, and how often a
// call was seen; "" for other runs.
func (p *Page) pairedLead() string {
	if p.Run == nil || p.Run.Mode != "paired" {
		return ""
	}
	rounds, restarted := 0, false
	for i := range p.Run.Rounds {
		r := &p.Run.Rounds[i]
		restarted = restarted || r.Restarts > 0
		if r.Arm == "head" && r.Restarts == 0 {
			rounds++
		}
	}
	where := "this run"
	if p.Context.PullRequest > 0 {
		where = "this job"
	}
	out := " Measured A/B in " + where + ", over " + plural(rounds, unit.Count(int64(rounds)), "alternating round") + " a side"
	if restarted && p.Verdict.Outcome == verdict.Regression {
		out += ", and again after both were restarted"
	}
	return out + "."
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
	case ok == all && all == 2:
		return say(" Both limits hold.")
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
	out = append(out, p.whatMoved(f)...)
	if a := allowed(f); a != "" {
		out = out.say("; allowed is " + a)
	}
	out = out.say(".").say(p.pairedLead())
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

// whatMoved is "GET /orders got slower: p99 212 ms → 289 ms, +36% (between …)".
func (p *Page) whatMoved(f *verdict.Finding) prose {
	out := prose{}.code(p.labelOf(f)).say(" " + verb(f.Metric) + ": ").strong(moved(f))
	if beyondOthers(f) {
		out = out.say(", " + change(f.Metric, f.ChangePercent) + " beyond the other steps")
	}
	if f.LowPercent != 0 || f.HighPercent != 0 {
		out = out.say(" (between " + change(f.Metric, f.LowPercent) + " and " + change(f.Metric, f.HighPercent) + ")")
	}
	return out
}

// acceptedLead says what was accepted of the worst row, by whom and why.
func (p *Page) acceptedLead() prose {
	rows := p.accepted()
	if len(rows) == 0 {
		return p.reasonLead("", "This slowdown was taken on purpose.")
	}
	return append(p.whatMoved(&rows[0]).say(". "), p.acceptance(&rows[0])...)
}

// acceptance says who took a finding, up to where, and why.
func (p *Page) acceptance(f *verdict.Finding) prose {
	a := f.Accepted
	out := say("Accepted up to ").strong(change(f.Metric, a.Bound))
	if a.By != "" {
		out = out.say(" by ").quote(a.By)
	}
	switch a.Via {
	case rule.ViaLabel, rule.ViaTrailer, rule.ViaFile, rule.ViaComment:
		out = out.say(" (" + string(a.Via) + ")")
	}
	if a.Reason != "" {
		return out.say(": ").sentence(a.Reason)
	}
	return out.say(".")
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
	case "slower", "more-errors", "not-sure", "limit", "accepted":
		return true
	default:
		return false
	}
}

// leadReason is the reason to begin with: the first that is about the run as a
// whole, else the first; -1 when there is none.
func (p *Page) leadReason() int {
	for i, r := range p.Verdict.Reasons {
		if !toldByRow(r) && !strings.HasPrefix(r.Code, "acceptance-") {
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
	case verdict.Accepted:
		return len(p.accepted()) == 0
	default:
		return true
	}
}
