package spec

import (
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// targetLimit checks that what a limit on target.ROLE is compared with is of the
// kind that the role's series are: 4 cores are never reached by a share of them, and
// no memory is below 90% of a byte. Of several series with one name one must do.
func (b *builder) targetLimit(n *node, l *rule.Limit) {
	role, isTarget := strings.CutPrefix(l.Selector.Metric, rule.TargetPrefix)
	if !isTarget {
		return
	}
	word := l.Text[strings.LastIndexByte(l.Text, ' ')+1:]
	var first, hint string
	for _, o := range b.spec.Observe {
		for i := range o.Series {
			s := &o.Series[i]
			if s.Role != role {
				continue
			}
			said, remedy := misjudged(s, l.Value, word)
			if said == "" {
				return
			}
			if first == "" {
				first, hint = said, remedy
			}
		}
	}
	if first != "" {
		b.badValue(n, stringOf(n), word, hint, "%s", first)
	}
}

// misjudged says why the numbers of a series cannot be compared with a value that
// is written so; "" when they can, or when nobody knows what they are in.
func misjudged(s *Series, value float64, word string) (said, hint string) {
	kind := kindOf(word)
	bare := kind == unit.BasePlain
	switch {
	case s.Limit > 0 && (bare && value > 1 || !bare && kind != unit.BaseShare):
		return "target." + s.Role + " is the share of its limit, and " + word + " is none", `write a percentage, "90%"`
	case s.Unit == unit.BaseShare && bare && value > 1:
		return "target." + s.Role + " is a share, and " + word + " is none", `write a percentage, "90%"`
	case s.Limit > 0 || bare || s.Unit == unit.BasePlain || s.Unit == kind:
		return "", ""
	case kind == unit.BaseShare:
		return "target." + s.Role + " is no share, as the series " + s.Role + " has no limit", "give the series a limit, its capacity"
	case s.Unit == unit.BaseByteRate:
		return "", "" // there is no other way to write those
	default:
		return "target." + s.Role + " is in " + baseWords[s.Unit] + ", and " + word + " in " + baseWords[kind], baseHints[s.Unit]
	}
}

// baseWords are the units of a target's numbers, for people.
var baseWords = map[unit.Base]string{
	unit.BaseBytes: "bytes", unit.BaseSeconds: "seconds", unit.BaseShare: "percent", unit.BaseRate: "so many per second",
}

// baseHints say how a quantity of each unit is written.
var baseHints = map[unit.Base]string{
	unit.BaseBytes: `write a size, "2GiB"`, unit.BaseSeconds: `write a time, "500ms"`, unit.BaseShare: `write a percentage, "90%"`, unit.BaseRate: `write "50/s"`,
}

// kindOf is what a quantity is written in.
func kindOf(word string) unit.Base {
	if _, err := strconv.ParseFloat(word, 64); err == nil {
		return unit.BasePlain
	}
	if _, err := unit.ParsePercent(word); err == nil {
		return unit.BaseShare
	}
	if _, err := unit.ParseSize(word); err == nil {
		return unit.BaseBytes
	}
	if _, err := unit.ParseDuration(word); err == nil {
		return unit.BaseSeconds
	}
	return unit.BaseRate
}
