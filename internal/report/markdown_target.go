package report

import (
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// targetFold is what the target told of itself, where it was asked.
func (m *markdown) targetFold() {
	read, silent := m.target()
	if len(read)+len(silent) == 0 || !m.limits {
		return
	}
	m.fold(targetSummary(read), func() {
		m.targetTable(read)
		if len(read) > 0 && len(silent) > 0 {
			m.line()
		}
		reasons, roles := bySilence(silent)
		for _, why := range first(reasons, maxRows) {
			names := make([]string, 0, 3)
			for _, role := range roles[why] {
				names = append(names, markCode(role, false))
			}
			m.line("- ", someOf(names, 3), ": ", markProse(prose{}.sentence(why), false))
		}
		if more := len(reasons) - maxRows; more > 0 {
			m.line("- ", plural(more, unit.Count(int64(more)), "more reason"), " not shown.")
		}
	})
}

// targetSummary is what a reader sees before opening.
func targetSummary(read []targetRow) string {
	const most = 3
	if len(read) == 0 {
		return "What the target told of itself: nothing"
	}
	var parts []string
	for i := range first(read, most) {
		r := &read[i]
		text := htmlCode(cut(r.role, 24)) + " " + solid(r.mean())
		if c := r.capacity(); c != "" {
			text += " of " + solid(c)
		}
		parts = append(parts, text)
	}
	if more := len(read) - most; more > 0 {
		parts = append(parts, unit.Count(int64(more))+" more")
	}
	return "What the target told of itself: " + strings.Join(parts, ", ")
}

func (m *markdown) targetTable(rows []targetRow) {
	if len(rows) == 0 {
		return
	}
	paired := false
	for i := range rows {
		paired = paired || rows[i].base.Count > 0
	}
	between := func(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }
	head, rule := []string{"Metric", "Mean", "Max", "Capacity", "Readings"}, []string{":--", "--:", "--:", "--:", "--:"}
	if paired {
		head, rule = append([]string{"Metric", "Mean of base", "of head"}, head[2:]...), append(rule, "--:")
	}
	m.line(between(head...))
	m.line("|", strings.Join(rule, "|"), "|")
	for i := range first(rows, maxRows) {
		r := &rows[i]
		cells := []string{markCode(r.role, true)}
		if paired {
			cells = append(cells, dash(solid(r.baseMean())))
		}
		m.line(between(append(cells, solid(r.mean()), solid(r.highest()), dash(solid(r.capacity())), r.times())...))
	}
	if more := len(rows) - maxRows; more > 0 {
		m.line()
		m.line(plural(more, unit.Count(int64(more)), "metric"), " not shown.")
	}
}

// dash stands for a number that there is not.
func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
