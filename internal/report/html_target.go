package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A targetView is the section on what the target said of itself.
type targetView struct {
	Plots  []*plot
	Silent []silentView // what has no chart, and why
	Beyond string       // that there are more charts than are drawn
	Bands  bool         // some line is of means, in a band

	Sides, Capacity bool // columns of the table: some role has them
	Rows            []toldView
}

type (
	// A silentView is a metric of which nothing can be drawn.
	silentView struct{ Role, Side, Why, Fault, End string }
	// A toldView is a row of the table.
	toldView struct {
		Role, Side, Source string
		Cells              []cellView
	}
)

// nearCapacity is the share of a capacity from which a chart reaches up to it.
const nearCapacity = 0.25

const (
	maxRolePlots   = 24  // charts
	maxRoleRows    = 100 // of the table, and of what was never read
	maxRoleColumns = 8   // of the table of numbers
)

// target draws what the target said of itself, over the time of the other charts.
func (o *overTime) target(run *result.Run, all []slot) {
	if o.roles = roles(run, all[len(all)-1].at+all[len(all)-1].length); len(o.roles) == 0 {
		return
	}
	o.Target = &targetView{}
	left := 0
	for _, r := range o.roles {
		switch {
		case !r.drawable():
		case len(o.Target.Plots) == maxRolePlots:
			left++
		default:
			o.role(r, all)
		}
		for _, l := range r {
			if len(l.drawn) == 0 && len(o.Target.Silent) < maxRoleRows {
				o.Target.Silent = append(o.Target.Silent, l.silent())
			}
		}
	}
	if left > 0 {
		o.Target.Beyond = "And " + plural(left, unit.Count(int64(left)), "more metric") + " of the target."
	}
}

// silent says why nothing was drawn of a metric.
func (l readLine) silent() silentView {
	v := silentView{Role: named(clean(l.Role, maxName)), Side: clean(l.Arm, 24), Fault: clean(l.Fault, maxMessage)}
	if !strings.HasSuffix(v.Fault, "?") { // did you mean that one?
		v.End = "."
	}
	switch {
	case len(l.Readings) > 0:
		v.Why = "was not read while the load ran"
	case l.Missed > 0:
		v.Why = "was asked for " + plural(l.Missed, unit.Count(int64(l.Missed)), "time") + " and never read"
	case v.Fault != "":
		v.Why = "was never read"
	default:
		v.Why = "was never read: the load was over before"
	}
	return v
}

// role draws one role of which something was read.
func (o *overTime) role(r role, all []slot) {
	id, capacity := "target"+strconv.Itoa(len(o.Target.Plots)), max(r[0].Limit, 0)
	low, high := 0.0, 0.0
	for _, l := range r {
		least, most := l.span()
		low, high = min(low, least), max(high, most)
	}
	near := capacity > 0 && high >= nearCapacity*capacity
	if near {
		high = max(high, capacity)
	}
	pl := newSpan(id, named(clean(r[0].Role, maxName)), low, high, func(v float64) string { return unit.In(r[0].Unit, v) })
	var said, missed []string
	for _, l := range r {
		if note := l.missed(); note != "" {
			missed = append(missed, note)
		}
		if len(l.drawn) == 0 {
			continue
		}
		said = append(said, o.side(pl, l, all))
	}
	pl.Spoken = pl.Title + " of the target over time: " + strings.Join(said, ", ") + "."
	if capacity > 0 {
		pl.capacity(unit.In(r[0].Unit, capacity), capacity, near)
	}
	pl.Note = strings.Join(missed, "; ")
	o.Target.Plots = append(o.Target.Plots, pl)
}

// capacity draws a capacity, or says that it is far above what is drawn: in its
// shadow base and head would be one line at the bottom.
func (p *plot) capacity(written string, capacity float64, near bool) {
	p.Spoken += " Its capacity is " + written + "."
	if !near {
		p.Legend = append(p.Legend, legend{"far", "capacity: " + written + ", far above"})
		return
	}
	p.rule("limit", capacity)
	p.Marks = []tick{{At: percent((capacity - p.low) / (p.high - p.low)), Label: "100%"}}
	p.Legend = append(p.Legend, legend{"limit", "capacity: " + written})
}

// side draws the line of one side and says what can be seen of it.
func (o *overTime) side(pl *plot, l readLine, all []slot) string {
	class, name := "told", named(clean(l.Role, 24))
	t := l.trace(all[len(all)-1].at + all[len(all)-1].length)
	least, highest := l.span()
	said := "always " + l.written(highest)
	if least < highest {
		said = "from " + unit.In(l.Unit, least) + " to " + l.written(highest)
	}
	if l.Arm == "base" || l.Arm == "head" {
		class, name = l.Arm, l.Arm
		pl.Legend = append(pl.Legend, legend{class, name})
		said = name + " " + said
	}
	if len(t.low) > 0 {
		pl.band(class, t.low, t.high)
		o.Target.Bands = true
	}
	pl.line(class, t.line)
	read := readings{Class: class, Name: name, Values: make([]string, len(all))}
	for i, v := range l.along(all) {
		read.Values[i] = l.written(v)
	}
	o.Data.Charts[pl.ID] = append(o.Data.Charts[pl.ID], read)
	return said
}

// missed notes readings that failed; "" when none did.
func (l readLine) missed() string {
	if l.Missed <= 0 {
		return ""
	}
	n := len(l.Readings) + l.Missed
	note := unit.Count(int64(l.Missed)) + " of " + plural(n, unit.Count(int64(n)), "reading") + " missed"
	if l.Arm != "" {
		note = clean(l.Arm, 24) + ": " + note
	}
	if fault := clean(l.Fault, maxName); fault != "" {
		note += ": " + fault
	}
	return note
}

// figures adds the table: of load that counts, as limits judge it, and in a
// paired run of the base too, which no limit judges.
func (o *overTime) figures(run *result.Run) {
	if o == nil || o.Target == nil {
		return
	}
	t := o.Target
	t.Sides = slices.ContainsFunc(run.Observed, func(o result.Observed) bool { return o.Arm != "" })
	t.Capacity = slices.ContainsFunc(run.Observed, func(o result.Observed) bool { return o.Limit > 0 })
	for _, r := range o.roles {
		for _, l := range r {
			if len(t.Rows) < maxRoleRows {
				t.Rows = append(t.Rows, t.row(run, l))
			}
		}
	}
}

// row is what one metric came to in load that counts.
func (t *targetView) row(run *result.Run, l readLine) toldView {
	reads := (&result.Observed{Readings: run.MeasuredReadings(l.Observed)}).Reads()
	row := toldView{Role: named(clean(l.Role, maxName)), Side: clean(l.Arm, 24), Source: clean(l.Source, 300)}
	add := func(key, text string) {
		if reads.Count == 0 {
			text = "–"
		}
		row.Cells = append(row.Cells, cellView{Key: key, Text: text})
	}
	add("last", unit.In(l.Unit, reads.Last))
	add("mean", unit.In(l.Unit, reads.Mean))
	add("highest", unit.In(l.Unit, reads.Max))
	if t.Capacity {
		share := "–"
		if l.Limit > 0 {
			share = unit.Percent(reads.Max/l.Limit) + " of " + unit.In(l.Unit, l.Limit)
		}
		add("capacity", share)
	}
	row.Cells = append(row.Cells, cellView{Key: "readings", Text: unit.Count(int64(reads.Count))})
	return row
}

// A numberColumn is one of the table of numbers.
type numberColumn struct {
	head  string
	cells []string
}

// columns are the first roles of which something was read, for the table of numbers.
func (o *overTime) columns(all []slot) []numberColumn {
	var columns []numberColumn
	for _, r := range o.roles {
		for _, l := range r {
			if len(columns) == maxRoleColumns {
				return columns
			}
			if len(l.drawn) == 0 {
				continue
			}
			c := numberColumn{head: strings.TrimSpace(named(clean(l.Role, 40)) + " " + clean(l.Arm, 24))}
			for _, v := range l.along(all) {
				c.cells = append(c.cells, l.written(v))
			}
			columns = append(columns, c)
		}
	}
	return columns
}
