package scenario

import (
	"slices"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// feedsOf lists the feeds that steps take values of, and that all requests do.
func (c *compiler) feedsOf(lists ...[]*spec.Step) []int {
	var out []int
	add := func(names []rule.Name) {
		for _, n := range names {
			if r, ok := c.set.names[n.Name]; ok && r.kind == refColumn && !slices.Contains(out, r.index) {
				out = append(out, r.index)
			}
		}
	}
	for _, h := range c.set.headers {
		if h.value.fill != nil {
			add(h.value.fill.Names())
		}
	}
	for _, list := range lists {
		for _, s := range list {
			stepNames(s, add)
		}
	}
	return out
}

// stepNames calls add with the names in each template of a step.
func stepNames(s *spec.Step, add func([]rule.Name)) {
	text := func(t *rule.Template) {
		if t != nil {
			add(t.Names())
		}
	}
	pairs := func(list []spec.Pair) {
		for _, p := range list {
			text(p.Value)
		}
	}
	check := func(c *rule.Check) {
		if c != nil {
			add(c.Names())
		}
	}
	text(s.URL)
	pairs(s.Query)
	pairs(s.Headers)
	if b := s.Body; b != nil {
		text(b.Text)
		pairs(b.Form)
		if b.JSON != nil {
			add(b.JSON.Names())
		}
		for _, p := range b.Parts {
			text(p.Value)
		}
	}
	check(s.If)
	for _, c := range s.Checks {
		check(c.Rule)
	}
	for _, r := range s.Record {
		check(r.Check)
	}
	if s.ForEach != nil {
		add([]rule.Name{{Name: s.ForEach.List}})
	}
	for _, p := range s.Parallel {
		stepNames(p, add)
	}
}
