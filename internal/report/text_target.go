package report

import (
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// targetFacts are what the target told of itself, in as few lines as can be, and
// what it did not tell, and why.
func (s *screen) targetFacts(t *facts) {
	read, silent := s.target()
	var parts []string
	for i := range first(read, s.most.target) {
		parts = append(parts, read[i].phrase())
	}
	if more := len(read) - len(parts); more > 0 {
		parts = append(parts, unit.Count(int64(more))+" more")
	}
	reasons, roles := bySilence(silent)
	if s.short() && len(reasons) > 1 {
		var all []string
		for _, why := range reasons {
			all = append(all, roles[why]...)
		}
		parts, reasons = append(parts, "not read: "+someOf(all, 2)), nil
	}
	for _, line := range flow(parts, s.Width-factIndent) {
		t.add("target", line)
	}
	s.silentFacts(t, reasons, roles)
}

// short reports whether the screen has few lines: a reason gets one of them.
func (s *screen) short() bool { return s.Height > 0 && s.Height < 30 }

// bySilence are the reasons for what was not read, and what was not for each: an
// address that does not answer silences all that was to be read there.
func bySilence(rows []targetRow) (reasons []string, roles map[string][]string) {
	roles = map[string][]string{}
	for i := range rows {
		why := rows[i].silence()
		if roles[why] == nil {
			reasons = append(reasons, why)
		}
		roles[why] = append(roles[why], cut(rows[i].role, 24))
	}
	return reasons, roles
}

func (s *screen) silentFacts(t *facts, reasons []string, roles map[string][]string) {
	const most = 2 // reasons
	lines := 2     // of each
	if s.short() {
		lines = 1
	}
	for _, why := range first(reasons, most) {
		names := someOf(roles[why], 3)
		t.add("target", names+": "+cut(why, lines*(s.Width-factIndent)-columns(names)-2))
	}
	more := 0
	for _, why := range reasons[min(len(reasons), most):] {
		more += len(roles[why])
	}
	if more > 0 {
		t.add("target", unit.Count(int64(more))+" more not read")
	}
}

// flow puts parts into lines of at most so many columns, each whole where it can
// be.
func flow(parts []string, width int) []string {
	var lines []string
	for _, part := range parts {
		last := len(lines) - 1
		if last >= 0 && columns(lines[last])+3+columns(part) <= width {
			lines[last] += " · " + part
		} else {
			lines = append(lines, part)
		}
	}
	return lines
}

// phrase is "memory 54% of 2 GB, max 55%": what it told on average, then its
// highest.
func (r *targetRow) phrase() string {
	text := cut(r.role, 24) + " " + r.mean()
	if c := r.capacity(); c != "" {
		text += " of " + c
	}
	if base := r.baseMean(); base != "" {
		text += " (base " + base + ")"
	}
	if highest := r.highest(); highest != r.mean() {
		text += ", max " + highest
	}
	return text
}

// someOf are so many names at most, and how many more there are.
func someOf(names []string, most int) string {
	text := strings.Join(first(names, most), ", ")
	if more := len(names) - most; more > 0 {
		text += " and " + unit.Count(int64(more)) + " more"
	}
	return text
}
