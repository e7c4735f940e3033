package report

import (
	"slices"
	"strconv"

	"github.com/loadline-ci/loadline/internal/result"
)

// target writes what the target told of itself while load counted, each side of a
// paired run for itself, in the base units that the label names. They differ by
// role, so the family has none.
func (m *metrics) target(run *result.Run) {
	if len(run.Observed) == 0 {
		return
	}
	m.family("loadline_target", "gauge", "", "What the target told of itself while load counted.")
	labels := targetLabels(run.Observed)
	for i := range run.Observed {
		o := run.Observed[i]
		o.Readings = run.MeasuredReadings(&o)
		reads := o.Reads()
		if reads.Count == 0 {
			continue
		}
		for _, s := range []struct {
			stat  string
			value float64
		}{{"avg", reads.Mean}, {"max", reads.Max}, {"last", reads.Last}} {
			m.sample("loadline_target", s.value, append(slices.Clone(labels[i]), "stat", s.stat)...)
		}
	}
	if !slices.ContainsFunc(run.Observed, func(o result.Observed) bool { return o.Limit > 0 }) {
		return
	}
	m.family("loadline_target_limit", "gauge", "", "The capacity of what the target tells of, as the spec has it.")
	for i := range run.Observed {
		if o := &run.Observed[i]; o.Limit > 0 {
			m.sample("loadline_target_limit", o.Limit, labels[i]...)
		}
	}
}

// targetLabels tell metrics apart, of foreign files too.
func targetLabels(all []result.Observed) [][]string {
	labels, seen := make([][]string, len(all)), map[[2]string]bool{}
	for i := range all {
		o := &all[i]
		key := [2]string{clean(o.Role, maxName), clean(o.Arm, 8)}
		if seen[key] {
			key[0] += "#" + strconv.Itoa(i)
		}
		seen[key] = true
		labels[i] = []string{"role", key[0], "arm", key[1], "unit", clean(string(o.Unit), 24)}
	}
	return labels
}
