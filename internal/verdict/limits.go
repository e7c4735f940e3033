package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// judgeLimits evaluates every absolute limit. A limit that selects nothing is no
// limit that held, but a mistake: it makes the run invalid, and says why.
func judgeLimits(in Input) (all []LimitResult, invalid []Reason) {
	if in.Run.NotReady != "" {
		return nil, nil
	}
	whole := wholeRun(in.Run)
	for i, l := range in.Gate.Limits {
		r := LimitResult{Limit: l.Rule.Text, Warn: l.Warn, Line: l.Line}
		a := newAccount(&l.Rule.Selector, &in.Run.Catalog)
		a.add(whole)
		value, ok := a.value()
		if !ok && !l.Warn {
			invalid = append(invalid, noData(&l, in.Run))
		}
		r.Value, r.OK, r.Shown = value, ok && l.Rule.Holds(value), a.shown(value)
		if !ok {
			r.Shown = "not measured"
		}
		worst, broken := in.Watch.Breach(i)
		if l.Seen != nil {
			worst, broken = *l.Seen, true
		}
		if broken {
			r.Value, r.OK = worst.Value, false
			r.Shown = a.shown(worst.Value) + worst.when(&l)
		}
		all = append(all, r)
	}
	return all, invalid
}

func wholeRun(r *result.Run) *slice {
	return &slice{
		cells: r.Cells, tallies: r.Tallies, values: r.Values, flows: r.Flows, phases: r.Phases,
		iteration: r.Iteration, seconds: r.Series, observed: r.MeasuredObserved(), length: r.Measured,
	}
}

// lateLimits lists limits on latency that hold but for the generator's own delay:
// such a run is no reason to fail anybody.
func lateLimits(in Input) []Reason {
	g := &in.Run.Generator
	if !in.Run.Open || g.LagP99 <= result.NotableLag {
		return nil
	}
	whole := wholeRun(in.Run)
	var all []Reason
	for _, l := range in.Gate.Limits {
		percent, ok := rule.Percentile(l.Rule.Selector.Stat)
		if !ok || l.Warn || l.Rule.Selector.Metric != "latency" {
			continue
		}
		a := newAccount(&l.Rule.Selector, &in.Run.Catalog)
		a.add(whole)
		value, ok := a.value()
		late := g.LagAt(percent / 100)
		if !ok || l.Rule.Holds(value) || !l.Rule.Holds(value-float64(late.Microseconds())) {
			continue
		}
		all = append(all, Reason{
			Code: "generator-late",
			Message: fmt.Sprintf("the limit %s is broken (it was %s), but the generator itself sent as late as %s",
				l.Rule.Text, shown(&l.Rule.Selector, value), unit.Duration(late)),
			Remedy: "lower the rate, or give the generator a machine that nothing else uses",
			Line:   l.Line,
		})
	}
	return all
}

// noData says which limit selected nothing, and what there was to select.
func noData(l *Limit, run *result.Run) Reason {
	s, names := &l.Rule.Selector, &run.Catalog
	r := Reason{
		Code:    "no-data",
		Message: fmt.Sprintf("the limit %q selects nothing that this run measured", l.Rule.Text),
		Remedy:  "correct its tags, or remove it",
		Line:    l.Line,
	}
	var known []string
	switch {
	case strings.HasPrefix(s.Metric, rule.TargetPrefix):
		var why string
		why, r.Remedy = unread(run, strings.TrimPrefix(s.Metric, rule.TargetPrefix))
		r.Message = fmt.Sprintf("the limit %q cannot be judged: %s", l.Rule.Text, why)
		return r
	case hasTag(s, "step"):
		for _, st := range names.Steps {
			known = append(known, st.Name)
		}
	case hasTag(s, "scenario"):
		known = names.Scenarios
	case hasTag(s, "stage"):
		for _, st := range names.Stages {
			known = append(known, st.Name)
		}
	}
	if len(known) > 0 {
		r.Remedy += "; there is " + quoted(known)
	}
	return r
}

// unread says why there is no reading of a metric of the target, and what to do.
func unread(run *result.Run, role string) (why, remedy string) {
	for i := range run.Observed {
		switch o := &run.Observed[i]; {
		case o.Role != role || o.Arm == "base":
		case o.Fault != "":
			return "the target's " + role + " could not be read: " + o.Fault, "see [[observe]] of the spec"
		case o.Every > 0:
			return "no reading of the target's " + role + " fell into measured load", "it is read every " + unit.Duration(o.Every) + ": lower every in [[observe]], or measure for longer"
		}
	}
	if len(run.Observed) > 0 {
		// The base branch's limits judge a pull request's spec from a fork.
		return "no [[observe]] of the spec that was run has a series " + role, "add it to an [[observe]]; a limit that is the base branch's goes with the series that it has"
	}
	return "nothing was read from the target", "see [[observe]] of the spec"
}

func hasTag(s *rule.Selector, name string) bool {
	_, ok := s.Tag(name)
	return ok
}

// quoted lists a few names.
func quoted(names []string) string {
	const most = 8
	var all []string
	for _, n := range names[:min(len(names), most)] {
		all = append(all, fmt.Sprintf("%q", n))
	}
	if len(names) > most {
		all = append(all, "and more")
	}
	return strings.Join(all, ", ")
}

// shown writes a value in the unit of its selector.
func shown(s *rule.Selector, x float64) string {
	switch {
	case s.Stat == "rate" && s.Unit == rule.Bytes:
		return unit.Size(int64(x)) + "/s"
	case s.Stat == "rate":
		return unit.Rate(x)
	case s.Unit == rule.Micros:
		return unit.Micros(x)
	case s.Unit == rule.Ratio:
		return unit.Percent(x)
	case s.Unit == rule.Bytes:
		return unit.Size(int64(x))
	default:
		return unit.Number(x)
	}
}

// when says during what stretch of the run a limit was broken.
func (b *Breach) when(l *Limit) string {
	if l.Window > 0 {
		return fmt.Sprintf(" in the %s up to %s", unit.Duration(l.Window), unit.Duration(b.At))
	}
	return " after " + unit.Duration(b.At)
}

// A Breach is where a limit was first broken while the run went on.
type Breach struct {
	At    time.Duration // since the start of the measured load
	Value float64       // of the limit's selector, in its unit
}
