package report

import (
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A targetRow is what one metric of the target came to while load counted.
type targetRow struct {
	role   string // clean
	unit   unit.Base
	limit  float64 // capacity; 0: none
	reads  result.Reads
	base   result.Reads // of a paired run where each side has its own
	every  time.Duration
	missed int
	fault  string // clean; why it was missed, the last time
	ever   bool   // it was read, be it before or after the load that counts
}

// target are the metrics of the target that is judged, in the order of the spec:
// those that were read while load counted, and those that were not, but for what
// the verdict says of them already.
func (p *Page) target() (read, silent []targetRow) {
	if p.Run == nil {
		return nil, nil
	}
	base := map[string]result.Reads{}
	for _, o := range p.Run.Observed {
		if o.Arm == "base" {
			o.Readings = p.Run.MeasuredReadings(&o)
			base[o.Role] = o.Reads()
		}
	}
	for _, o := range p.Run.Observed {
		if o.Arm == "base" {
			continue
		}
		ever := len(o.Readings) > 0
		o.Readings = p.Run.MeasuredReadings(&o)
		row := targetRow{
			role: named(clean(o.Role, maxName)), unit: o.Unit, limit: o.Limit, reads: o.Reads(),
			every: o.Every, missed: o.Missed, fault: clean(o.Fault, maxMessage), ever: ever,
		}
		if o.Arm == "head" {
			row.base = base[o.Role]
		}
		switch {
		case row.reads.Count > 0:
			read = append(read, row)
		case !p.notObserved(o.Fault):
			silent = append(silent, row)
		}
	}
	return read, silent
}

// notObserved reports whether a remark of the verdict has this reason for what
// could not be read.
func (p *Page) notObserved(fault string) bool {
	return fault != "" && slices.ContainsFunc(p.Verdict.Warnings, func(r verdict.Reason) bool {
		return r.Code == "not-observed" && strings.Contains(r.Message, fault)
	})
}

// mean is what it told on average, as limits judge it.
func (r *targetRow) mean() string { return told(r.unit, r.limit, r.reads.Mean) }

func (r *targetRow) highest() string { return told(r.unit, r.limit, r.reads.Max) }

// baseMean is what the base told on average; "" where it has no metric of its own.
func (r *targetRow) baseMean() string {
	if r.base.Count == 0 {
		return ""
	}
	return told(r.unit, r.limit, r.base.Mean)
}

// times is how often it was read while load counted, and how often in vain.
func (r *targetRow) times() string {
	text := unit.Count(int64(r.reads.Count))
	if r.missed > 0 {
		text += ", missed " + unit.Count(int64(r.missed))
	}
	return text
}

// capacity is the limit in its own unit; "" where there is none.
func (r *targetRow) capacity() string {
	if r.limit <= 0 {
		return ""
	}
	return unit.In(r.unit, r.limit)
}

// silence says why a metric that told nothing did not.
func (r *targetRow) silence() string {
	switch {
	case r.fault != "" && r.ever:
		return "not read while load counted: " + r.fault
	case r.fault != "":
		return "never read: " + r.fault
	case r.every > 0:
		return "not read while load counted (every " + unit.Duration(r.every) + ")"
	default:
		return "not read while load counted"
	}
}
