package spec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// DefaultCompare are the rules that hold without [gate] compare. The verdict
// promises to catch a slowdown of 10 %, so they must not be wider than that
// (docs/decisions/0030-default-tolerances.md).
var DefaultCompare = []string{
	"latency.p50 within 5% or 1ms",
	"latency.p95 within 5% or 1ms",
	"latency.p99 within 10% or 2ms",
	"errors within 0.5pp",
}

// gate reads [gate].
func (b *builder) gate(t *table) {
	g := &b.spec.Gate
	*g = Gate{
		Per:         t.word("per"),
		Baseline:    b.baseline(t),
		Rounds:      int(t.integer("rounds")),
		Confirm:     int(t.integer("confirm")),
		Confidence:  t.percent("confidence"),
		MinRequests: t.integer("min_requests"),
	}
	if n, k := t.row("thresholds", thresholdsKind); n != nil {
		b.each(n, k, func(item *node) {
			if l, ok := b.threshold(item, k); ok {
				g.Thresholds = append(g.Thresholds, l)
			}
		})
	}
	n, k := t.row("compare", comparesKind)
	if n == nil {
		for _, text := range DefaultCompare {
			g.Compare = append(g.Compare, Compare{Rule: must(rule.ParseCompare(text, rule.Own{}))})
		}
		return
	}
	b.each(n, k, func(item *node) {
		if c, ok := b.comparison(item, k); ok {
			g.Compare = append(g.Compare, c)
		}
	})
}

func (b *builder) baseline(t *table) string {
	s, ok := t.text("baseline")
	if !ok || s == "merge-base" || s == "none" {
		return s
	}
	name, other := strings.CutPrefix(s, "branch:")
	if !other {
		name, other = strings.CutPrefix(s, "tag:")
	}
	if other && name != "" && name[0] != '-' && !strings.Contains(name, "..") && !strings.ContainsAny(name, " \t\n~^:?*[\\") {
		return s
	}
	b.bad(t.n.kid("baseline"), "", `baseline is %s: want "merge-base", "branch:NAME", "tag:NAME" or "none"`, quote(s))
	return s
}

// threshold reads a limit, alone or with more to say.
func (b *builder) threshold(n *node, k *key) (Limit, bool) {
	t := &table{reader: b.reader, sec: sectionOf(k.of)}
	limit := n
	if n.kind == tableNode {
		t = b.open(n, k.of)
		t.need("limit")
		limit, _ = t.row("limit", limitKind)
	}
	out := Limit{Pos: b.pos(n), Abort: t.boolean("abort"), After: t.duration("after"), Window: t.duration("window"), Warn: t.word("action") == "warn"}
	if limit == nil {
		return out, false
	}
	if out.Abort && out.Warn {
		b.badKey(t.n.kid("abort"), "choose one", "a limit that only warns cannot abort the run")
	}
	l, ok := b.limit(limit, sectionOf(k.of).key("limit"))
	out.Rule = l
	return out, ok
}

func (b *builder) pos(n *node) Pos {
	if n.flag != "" {
		return Pos{}
	}
	return b.src.pos(n.val.start)
}

// limit reads one limit; ok is false when it is wrong or has nothing to judge
// in this run.
func (b *builder) limit(n *node, k *key) (*rule.Limit, bool) {
	text, ok := b.string(n, k)
	if !ok {
		return nil, false
	}
	l, err := rule.ParseLimit(text, b.own)
	if err != nil {
		b.badRule(n, err, 0)
		return nil, false
	}
	if !b.selects(n, text, &l.Selector) {
		return l, false
	}
	b.targetLimit(n, l)
	return l, true
}

func (b *builder) comparison(n *node, k *key) (Compare, bool) {
	t := &table{reader: b.reader, sec: sectionOf(k.of)}
	text := n
	if n.kind == tableNode {
		t = b.open(n, k.of)
		t.need("rule")
		text, _ = t.row("rule", ruleKind)
	}
	out := Compare{Pos: b.pos(n), Per: t.word("per"), Warn: t.word("action") == "warn"}
	if text == nil {
		return out, false
	}
	s, ok := b.string(text, sectionOf(k.of).key("rule"))
	if !ok {
		return out, false
	}
	var err error
	if out.Rule, err = rule.ParseCompare(s, b.own); err != nil {
		b.badRule(text, err, 0)
		return out, false
	}
	if metric := out.Rule.Selector.Metric; strings.HasPrefix(metric, rule.TargetPrefix) {
		b.badValue(text, s, metric, "write a limit on it into thresholds", "%s is not compared: baselines do not keep what the target says of itself", metric)
		return out, false
	}
	return out, b.selects(text, s, &out.Rule.Selector)
}

// stopWhen reads [load] stop_when.
func (b *builder) stopWhen(t *table) {
	n, k := t.row("stop_when", limitsKind)
	if n == nil {
		return
	}
	b.each(n, k, func(item *node) {
		if l, ok := b.limit(item, k); ok {
			b.spec.StopWhen = append(b.spec.StopWhen, Limit{Pos: b.pos(item), Rule: l})
		}
	})
}

// notSure notes that some names of a kind could not be read, so that nothing is
// said about selectors that may mean them.
func (b *builder) notSure(tags ...string) {
	for _, tag := range tags {
		b.unsure[tag] = true
	}
}

// ownTag notes a tag of the user's own and a value of it.
func (b *builder) ownTag(name, value string) {
	if !slices.Contains(b.own.Tags, name) {
		b.own.Tags = append(b.own.Tags, name)
	}
	b.tagValues[name] = append(b.tagValues[name], value)
}

// selects checks that a selector names what there is. It is false when the
// selector names only what this run leaves out; that is warned about.
func (b *builder) selects(n *node, text string, s *rule.Selector) bool {
	ok := true
	for _, tag := range s.Tags {
		for _, value := range tag.Values {
			if !b.tagValue(n, text, s, tag.Name, value) {
				ok = false
			}
		}
	}
	if role, isTarget := strings.CutPrefix(s.Metric, rule.TargetPrefix); isTarget {
		var roles []string
		for _, o := range b.spec.Observe {
			for _, series := range o.Series {
				roles = append(roles, series.Role)
			}
		}
		if !slices.Contains(roles, role) {
			hint := "add it to the series of an [[observe]]"
			if near := rule.Nearest(role, roles); near != "" {
				hint = didYouMean(rule.TargetPrefix + near)
			}
			b.badValue(n, text, s.Metric, hint, "no [[observe]] has a series %q", role)
			ok = false
		}
	}
	if !ok {
		return false
	}
	off := b.leftOut(s)
	if off == "" {
		return true
	}
	b.warn(n, n.val, "", "%s is not judged: it is about a scenario that is left out (%s)", quote(text), off)
	return false
}

// badValue reports a mistake at the place of a value in an expression.
func (b *builder) badValue(n *node, text, value, hint, format string, args ...any) {
	i := strings.Index(text, value)
	if i < 0 {
		b.bad(n, hint, format, args...)
		return
	}
	at := b.place(n, i)
	if end := b.place(n, i+len(value)); end.start > at.start {
		at.end = end.start
	}
	b.report(n, at, hint, format, args...)
}

// errorKinds are the values of the tag `error`.
var errorKinds = []string{"timeout", "connect", "refused", "reset", "tls", "dns", "body", "protocol", "blocked", "capture"}

// tagValue checks one value of a tag.
func (b *builder) tagValue(n *node, text string, s *rule.Selector, tag, value string) bool {
	var known []string
	what := tag
	switch tag {
	case "scenario":
		for _, w := range b.walks {
			known = append(known, w.scenario.Name)
		}
	case "step":
		known = b.stepNames(s)
	case "check":
		known = b.checkNames(s)
	case "stage":
		var measured bool
		known, measured = b.stageNames(value)
		if !measured {
			b.badValue(n, text, value, "leave the limit out, or measure the stage", "the stage %s is not measured", quote(value))
			return false
		}
	case "error":
		known = errorKinds
	case "method":
		known = b.methods()
	case "proto":
		known = []string{"1.1", "2"}
	case "status":
		return true // rule has checked it
	default:
		known = b.tagValues[tag]
	}
	if slices.Contains(known, value) {
		return true
	}
	if b.unsure[tag] {
		return false // what there is could not all be read, which is reported
	}
	var hint string
	near := nearWord(value, known)
	switch {
	case near != "":
		hint = didYouMean(near)
	case len(known) == 0:
		hint = "there is none"
	case len(known) <= 8:
		hint = "there is " + orList(known)
	default:
		hint = "there are " + strconv.Itoa(len(known)) + ", and none is alike"
	}
	b.badValue(n, text, value, hint, "no %s is %s", what, quote(value))
	return false
}

// eachStep calls yield with each step that is measured, with its scenario (nil
// in [user]), in the scenarios that the selector takes. Scenarios that this run
// leaves out count too.
func (b *builder) eachStep(s *rule.Selector, yield func(w *walk, step *Step)) {
	var each func(w *walk, steps []*Step)
	each = func(w *walk, steps []*Step) {
		for _, step := range steps {
			if len(step.Parallel) > 0 {
				each(w, step.Parallel)
			} else {
				yield(w, step)
			}
		}
	}
	chosen, some := s.Tag("scenario")
	if !some {
		each(nil, b.spec.User.OnStart)
		each(nil, b.spec.User.OnStop)
	}
	for _, w := range b.walks {
		if !some || slices.Contains(chosen, w.scenario.Name) {
			each(w, w.scenario.OnStart)
			each(w, w.scenario.Steps)
		}
	}
}

func (b *builder) stepNames(s *rule.Selector) (names []string) {
	b.eachStep(s, func(_ *walk, step *Step) { names = append(names, step.Name) })
	return names
}

func (b *builder) checkNames(s *rule.Selector) (names []string) {
	chosen, some := s.Tag("step")
	b.eachStep(s, func(_ *walk, step *Step) {
		if some && !slices.Contains(chosen, step.Name) {
			return
		}
		for _, c := range step.Checks {
			names = append(names, c.Name)
		}
	})
	return names
}

func (b *builder) methods() (names []string) {
	b.eachStep(&rule.Selector{}, func(_ *walk, step *Step) { names = append(names, step.Method) })
	slices.Sort(names)
	return slices.Compact(names)
}

// stageNames are those of all tracks; measured is false when the wanted stage is
// one that nothing is judged by.
func (b *builder) stageNames(wanted string) (names []string, measured bool) {
	measured = true
	for _, track := range b.spec.Load.Tracks {
		for _, s := range track.Stages {
			names = append(names, s.Name)
			if s.Name == wanted {
				measured = s.Measure
			}
		}
	}
	return append(names, b.offStages...), measured
}

func (b *builder) runsStage(name string) bool {
	for _, track := range b.spec.Load.Tracks {
		for _, s := range track.Stages {
			if s.Name == name {
				return true
			}
		}
	}
	return false
}

// leftOut says why a selector has nothing to judge in this run, when all that it
// takes belongs to scenarios that are left out.
func (b *builder) leftOut(s *rule.Selector) string {
	if stages, byStage := s.Tag("stage"); byStage && !slices.ContainsFunc(stages, b.runsStage) {
		return b.offStagesWhy
	}
	_, byScenario := s.Tag("scenario")
	steps, byStep := s.Tag("step")
	if !byScenario && !byStep {
		return ""
	}
	why, some := "", false
	b.eachStep(s, func(w *walk, step *Step) {
		if byStep && !slices.Contains(steps, step.Name) {
			return
		}
		if w == nil || w.off == "" {
			some = true
		} else {
			why = w.off
		}
	})
	if some {
		return ""
	}
	return why
}
