package report

import (
	"math"
	"time"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// sure explains, a sentence or two at a time, how the verdict was reached and
// how far it may be trusted.
func (p *Page) sure() []prose {
	var all []prose
	add := func(s prose) {
		if len(s) > 0 {
			all = append(all, s)
		}
	}
	if p.Run != nil {
		add(p.sent())
	}
	add(p.comparedWith())
	add(p.howCalled())
	if p.Run != nil {
		add(p.generator())
		add(p.excluded())
	}
	add(p.notJudged())
	return all
}

// sent says what load there was.
func (p *Page) sent() prose {
	r := p.Run
	model := "Closed model"
	if r.Open {
		model = "Open model, latency counted from when each request was due"
	}
	level := ""
	if r.Open {
		if peak := p.peakRate(); peak > 0 {
			level = ": up to " + unit.Rate(peak)
		}
	} else if users := p.peakUsers(); users > 0 {
		level = ": up to " + plural(users, unit.Count(int64(users)), "user")
	}
	out := say(model + level + ", " + unit.Duration(r.Measured) + " measured, ").
		strong(plural(int(min(p.total.Requests, math.MaxInt32)), unit.Count(p.total.Requests), "request"))
	if p.total.Requests > 0 {
		out = out.say(", " + unit.Share(p.total.Failed, p.total.Requests) + " failed")
	}
	if p.total.Dropped > 0 {
		out = out.say(", " + unit.Count(p.total.Dropped) + " arrivals dropped")
	}
	return out.say(".")
}

func (p *Page) peakRate() float64 {
	var peak float64
	for i := range p.Run.Series {
		peak = max(peak, p.Run.Series[i].Rate)
	}
	return peak
}

func (p *Page) peakUsers() int {
	var peak int
	for i := range p.Run.Series {
		peak = max(peak, p.Run.Series[i].Users)
	}
	return peak
}

// comparedWith says what the base was.
func (p *Page) comparedWith() prose {
	b := p.Verdict.Base
	if b == nil {
		return nil
	}
	if p.Run != nil && p.Run.Mode == "paired" {
		head := 0
		for i := range p.Run.Rounds {
			if p.Run.Rounds[i].Arm == "head" {
				head++
			}
		}
		return say("Base and head were measured in this same run, in " + plural(head, unit.Count(int64(head)), "alternating round") +
			" a side, so what slows the machine slows both.")
	}
	out := say("Compared with " + plural(b.Runs, unit.Count(int64(b.Runs)), "stored run"))
	if b.Weekday != "" {
		out = out.say(" of a " + b.Weekday)
	}
	if b.Runs > 1 && (b.Commit != "" || b.Started != "") {
		out = out.say(", the newest")
	}
	if c := short(b.Commit); c != "" {
		out = out.say(" of ").code(c)
	}
	if t, err := time.Parse(time.RFC3339, b.Started); err == nil {
		out = out.say(" from " + t.UTC().Format("2 January 2006"))
	}
	out = out.say(".")
	if b.Relative {
		out = out.say(" Each step is judged against how the other steps of its own run did, so a slower machine does not look like a slower step.")
	}
	if b.Common != 0 {
		out = out.say(" All steps together moved by " + unit.Change(b.Common/100) + ".")
	}
	return out
}

// howCalled says what the columns of the table mean.
func (p *Page) howCalled() prose {
	if p.Verdict.Base == nil || len(p.changed) == 0 {
		return nil
	}
	return say("The range holds the true change 95 times in 100. A change is called only beyond its limit, which is never below what this run's own noise can do.")
}

// generator says how well loadline itself kept up.
func (p *Page) generator() prose {
	g := &p.Run.Generator
	if g.Seconds == 0 {
		return nil
	}
	out := say("Generator: CPU " + unit.Percent(round(g.CPU)) + ", peak " + unit.Percent(round(g.CPUMax)))
	if p.Run.Open {
		out = out.say("; sends were late by " + unit.Duration(g.LagP50) + " in the middle, " + unit.Duration(g.LagP99) + " at p99")
	}
	if g.Steal >= 0.01 {
		out = out.say("; the hypervisor took " + unit.Percent(round(g.Steal)) + " of the CPU")
	}
	return out.say(".")
}

// round keeps whole percents: a tenth of a percent of CPU tells nobody anything.
func round(share float64) float64 { return math.Round(share*100) / 100 }

// troubled reports whether the generator's health deserves a line of its own.
func (p *Page) troubled() bool {
	if p.Run == nil {
		return false
	}
	g := &p.Run.Generator
	return p.Verdict.Outcome == verdict.Invalid || g.BusySeconds*10 > g.Seconds || g.LateSeconds*10 > g.Seconds ||
		g.NoPorts > 0 || p.total.Dropped > 0 || g.Steal >= 0.05
}

// trouble lists what was wrong with the generator.
func (p *Page) trouble() []string {
	if !p.troubled() {
		return nil
	}
	g := &p.Run.Generator
	var all []string
	add := func(bad bool, s string) {
		if bad {
			all = append(all, s)
		}
	}
	of := " of " + plural(g.Seconds, unit.Count(int64(g.Seconds)), "second")
	add(g.BusySeconds > 0, "CPU over 80% in "+unit.Count(int64(g.BusySeconds))+of+", peak "+unit.Percent(round(g.CPUMax)))
	add(g.LateSeconds > 0, "sends late by over 10 ms in "+unit.Count(int64(g.LateSeconds))+of+", "+unit.Duration(g.LagP99)+" at p99")
	add(p.total.Dropped > 0, plural(int(min(p.total.Dropped, math.MaxInt32)), unit.Count(p.total.Dropped), "arrival")+" dropped: too many requests were in flight")
	add(g.NoPorts > 0, plural(int(min(g.NoPorts, math.MaxInt32)), unit.Count(g.NoPorts), "connection")+" failed for want of a local port or descriptor")
	add(g.Steal >= 0.05, "the hypervisor took "+unit.Percent(round(g.Steal))+" of the CPU")
	return all
}

// excluded says how many rounds the verdict left out.
func (p *Page) excluded() prose {
	n := 0
	for i := range p.Run.Rounds {
		if p.Run.Rounds[i].Excluded != "" {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return say(unit.Count(int64(n)) + " of " + plural(len(p.Run.Rounds), unit.Count(int64(len(p.Run.Rounds))), "round") +
		" were left out, because the generator disturbed them.")
}

// notJudged says how many rows were too thin to judge.
func (p *Page) notJudged() prose {
	n, why := 0, ""
	for i := range p.Verdict.Findings {
		if f := &p.Verdict.Findings[i]; f.Call == verdict.NotJudged {
			n++
			if why == "" {
				why = f.Why
			}
		}
	}
	if n == 0 {
		return nil
	}
	out := say(plural(n, unit.Count(int64(n)), "figure") + " not judged")
	if why != "" {
		out = out.say(", for example: ").quote(why)
	}
	return out.say(".")
}
