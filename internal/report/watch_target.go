package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/unit"
)

// target adds what the target last told of itself: one line, with as much as there
// is room for.
func (f *frame) target(t *numbers) {
	told := f.row.Target
	if f.base != nil {
		told = bothSides(told, f.base.Target)
	}
	for n := len(told); n > 0; n-- {
		row := numberRow{name: "target"}
		for i := range first(told, n) {
			row.cells = append(row.cells, numberCell{value: toldNow(&told[i]), word: cut(toldBy(&told[i]), min(24, f.Width-24))})
		}
		if more := len(told) - n; more > 0 {
			row.spark = "+" + unit.Count(int64(more)) + " more"
		}
		if lines := row.layout(&f.screen); n == 1 || len(lines) == 1 && strings.HasSuffix(lines[0], row.spark) {
			*t = append(*t, row)
			return
		}
	}
}

// bothSides is what either side's row tells, in the order of the head's: some is
// its own, some both sides have together.
func bothSides(head, base []live.Told) []live.Told {
	var all []live.Told
	for _, told := range base {
		if !slices.ContainsFunc(head, func(h live.Told) bool { return h.Role == told.Role && h.Arm == told.Arm }) {
			all = append(all, told)
		}
	}
	all = append(all, head...)
	place := func(t live.Told) int {
		return slices.IndexFunc(head, func(h live.Told) bool { return h.Role == t.Role })
	}
	slices.SortStableFunc(all, func(a, b live.Told) int { return cmp.Compare(place(a), place(b)) })
	return all
}

// toldNow is a reading as limits judge it.
func toldNow(t *live.Told) string { return told(t.Unit, t.Limit, t.Value) }

// toldBy is whose it is: "cpu", or "cpu base".
func toldBy(t *live.Told) string {
	name := named(clean(t.Role, maxName))
	if t.Arm != "" {
		name += " " + clean(t.Arm, 8)
	}
	return name
}

// plainTarget is the same for a line in a log; "" when it told nothing.
func plainTarget(all []live.Told) string {
	const most = 6
	var parts []string
	for i := range first(all, most) {
		parts = append(parts, cut(toldBy(&all[i]), 40)+" "+toldNow(&all[i]))
	}
	if more := len(all) - most; more > 0 {
		parts = append(parts, "+"+unit.Count(int64(more)))
	}
	if parts == nil {
		return ""
	}
	return "target: " + strings.Join(parts, " ")
}
