package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// overTime is the charts that share the time axis, with what a pointer or a
// screen reader can read from them.
type overTime struct {
	Plots []*plot
	Data  chartData
	Per   string // what one point stands for, when that is more than a second
	// Hatched is whether some of the time was not measured.
	Hatched bool
	// Turns is whether base and head had the load by turns: a series is of the head.
	Turns  bool
	Head   []string // of the table of numbers
	Rows   [][]string
	Target *targetView // nil: nothing was asked of it

	roles []role
}

// chartData is what the page's script shows beside the pointer. All values are
// written already: scripts turn no number into text.
type chartData struct {
	X      []int                 `json:"x"` // thousandths of the width
	At     []string              `json:"at"`
	Charts map[string][]readings `json:"charts"`
}

type readings struct {
	Class  string   `json:"c"`
	Name   string   `json:"n"`
	Values []string `json:"v"`
}

// overTime draws the run over time in at most so many points.
func (p *Page) overTime(most int) *overTime {
	if p.Run == nil || len(p.Run.Series) == 0 {
		return nil
	}
	all := slots(p.Run.Series, most)
	o := &overTime{Data: chartData{Charts: map[string][]readings{}}, Turns: p.Run.Mode == "paired"}
	if all[0].length > time.Second {
		o.Per = unit.Duration(all[0].length)
	}
	for i, q := range points(all, func(*slot) float64 { return 0 }) {
		o.Data.X = append(o.Data.X, q.x)
		o.Data.At = append(o.Data.At, moment(all[i].at))
	}
	o.latency(all)
	if p.Run.Open {
		o.arrivals(all)
	}
	o.throughput(all)
	o.users(all)
	o.others(all)
	shades, x := append(p.stages(all), p.changes(all)...), timeTicks(all)
	o.Hatched = all[0].at > 0 || slices.ContainsFunc(all, func(s slot) bool { return !s.measured })
	o.target(p.Run, all)
	drawn := o.Plots
	if o.Target != nil {
		drawn = append(slices.Clip(drawn), o.Target.Plots...)
	}
	for _, pl := range drawn {
		pl.Shades, pl.X = shades, x
	}
	return o
}

// read adds a series to what the pointer reads.
func (o *overTime) read(chart, class, name string, all []slot, of func(*slot) string) {
	r := readings{Class: class, Name: name, Values: make([]string, len(all))}
	for i := range all {
		r.Values[i] = of(&all[i])
	}
	o.Data.Charts[chart] = append(o.Data.Charts[chart], r)
}

func (o *overTime) latency(all []slot) {
	p50 := points(all, func(s *slot) float64 { return s.p50 })
	p95 := points(all, func(s *slot) float64 { return s.p95 })
	p99 := points(all, func(s *slot) float64 { return s.p99 })
	pl := newPlot("latency", "Latency", top(p50, p95, p99), func(v float64) string { return unit.Micros(v) })
	pl.Tall = true
	pl.band("p99", p95, p99)
	pl.band("p95", p50, p95)
	pl.line("p99", p99)
	pl.line("p95", p95)
	pl.line("p50", p50)
	pl.Legend = []legend{{"p50", "p50"}, {"p95", "p95"}, {"p99", "p99"}}
	pl.Spoken = fmt.Sprintf("Latency over time: p50 up to %s, p95 up to %s, p99 up to %s.", unit.Micros(top(p50)), unit.Micros(top(p95)), unit.Micros(top(p99)))
	o.Plots = append(o.Plots, pl)
	written := func(v float64) string {
		if math.IsNaN(v) {
			return "–"
		}
		return unit.Micros(v)
	}
	o.read("latency", "p99", "p99", all, func(s *slot) string { return written(s.p99) })
	o.read("latency", "p95", "p95", all, func(s *slot) string { return written(s.p95) })
	o.read("latency", "p50", "p50", all, func(s *slot) string { return written(s.p50) })
}

func (o *overTime) throughput(all []slot) {
	reached := points(all, func(s *slot) float64 { return s.reached })
	pl := newPlot("rate", "Throughput", top(reached), unit.Rate)
	pl.area("reached", reached)
	pl.line("reached", reached)
	pl.Legend = []legend{{"reached", "requests answered"}}
	pl.Spoken = "Throughput over time: up to " + unit.Rate(top(reached)) + " answered."
	o.read("rate", "reached", "answered", all, func(s *slot) string { return unit.Rate(s.reached) })
	o.Plots = append(o.Plots, pl)
}

// arrivals draws what an open load asked for and what was begun of it: of
// iterations, each of which may be sixty requests, so not beside those.
func (o *overTime) arrivals(all []slot) {
	asked := points(all, func(s *slot) float64 { return s.asked })
	begun := points(all, func(s *slot) float64 { return s.begun })
	pl := newPlot("arrivals", "Arrivals", top(asked, begun), unit.Rate)
	pl.area("begun", begun)
	pl.line("begun", begun)
	pl.line("asked", asked)
	pl.Legend = []legend{{"asked", "asked for"}, {"begun", "begun"}}
	pl.Spoken = "Iterations over time: up to " + unit.Rate(top(asked)) + " asked for, up to " + unit.Rate(top(begun)) + " begun."
	o.read("arrivals", "asked", "asked for", all, func(s *slot) string { return unit.Rate(s.asked) })
	o.read("arrivals", "begun", "begun", all, func(s *slot) string { return unit.Rate(s.begun) })
	if slices.ContainsFunc(all, func(s slot) bool { return s.dropped > 0 }) {
		dropped := points(all, func(s *slot) float64 { return s.dropped })
		pl.line("dropped", dropped)
		pl.Legend = append(pl.Legend, legend{"dropped", "dropped"})
		o.read("arrivals", "dropped", "dropped", all, func(s *slot) string { return unit.Rate(s.dropped) })
	}
	o.Plots = append(o.Plots, pl)
}

func (o *overTime) users(all []slot) {
	users := points(all, func(s *slot) float64 { return s.users })
	flight := points(all, func(s *slot) float64 { return s.inFlight })
	pl := newPlot("users", "Users", top(users, flight), unit.Number)
	pl.line("users", users)
	pl.line("flight", flight)
	pl.Legend = []legend{{"users", "users at work"}, {"flight", "iterations in flight"}}
	pl.Spoken = "Users over time: up to " + unit.Number(top(users)) + " at work, up to " + unit.Number(top(flight)) + " iterations in flight."
	o.Plots = append(o.Plots, pl)
	o.read("users", "users", "users", all, func(s *slot) string { return unit.Number(s.users) })
	o.read("users", "flight", "in flight", all, func(s *slot) string { return unit.Number(s.inFlight) })
}

// maxKinds is how many statuses and errors have a colour of their own.
const maxKinds = 5

// others draws what was answered besides 2xx, and what was not answered.
func (o *overTime) others(all []slot) {
	sums := map[string]float64{}
	for i := range all {
		for kind, n := range all[i].other {
			sums[kind] += n
		}
	}
	kinds := make([]string, 0, len(sums))
	for kind := range sums {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), cmp.Compare(a, b)) })
	pl := newPlot("errors", "Errors and other answers", otherTop(all), unit.Rate)
	o.Plots = append(o.Plots, pl)
	if len(kinds) == 0 {
		pl.Note, pl.Spoken = "None: every answer was a 2xx.", "No errors: every answer was a 2xx."
		return
	}
	base := make([]float64, len(all))
	width := max(2, full/len(all)-1)
	for i, kind := range first(kinds, maxKinds) {
		class := fmt.Sprintf("kind%d", i)
		of := func(s *slot) float64 { return s.other[kind] }
		pl.bars(class, points(all, of), base, width)
		pl.Legend = append(pl.Legend, legend{class, kind})
		o.read("errors", class, kind, all, func(s *slot) string { return unit.Rate(of(s)) })
	}
	if rest := kinds[min(len(kinds), maxKinds):]; len(rest) > 0 {
		of := func(s *slot) float64 {
			sum := 0.0
			for _, kind := range rest {
				sum += s.other[kind]
			}
			return sum
		}
		pl.bars("kindx", points(all, of), base, width)
		pl.Legend = append(pl.Legend, legend{"kindx", "others"})
		o.read("errors", "kindx", "others", all, func(s *slot) string { return unit.Rate(of(s)) })
	}
	pl.Spoken = "Errors and answers other than 2xx over time: up to " + unit.Rate(otherTop(all)) + "."
}

func otherTop(all []slot) float64 {
	high := 0.0
	for i := range all {
		sum := 0.0
		for _, n := range all[i].other {
			sum += n
		}
		high = max(high, sum)
	}
	return high
}

// stages shades the stretches of the run.
func (p *Page) stages(all []slot) []shade {
	end := float64(all[len(all)-1].at + all[len(all)-1].length)
	var shades []shade
	if all[0].at > 0 { // both sides of a paired run were warmed up
		shades = append(shades, shade{Left: percent(0), Width: percent(float64(all[0].at) / end), Class: "unmeasured"})
	}
	measured := 0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].stage == all[i].stage && all[j].measured == all[i].measured {
			j++
		}
		from, to := all[i].at, all[j-1].at+all[j-1].length
		s := shade{Left: percent(float64(from) / end), Width: percent(float64(to-from) / end), Class: "even"}
		if all[i].measured {
			if measured++; measured%2 == 0 {
				s.Class = "odd"
			}
		}
		if k := all[i].stage; k >= 0 && k < len(p.Run.Catalog.Stages) {
			s.Name = clean(p.Run.Catalog.Stages[k].Name, 40)
		}
		if !all[i].measured {
			s.Class = "unmeasured"
		}
		// A name that its own stretch would cut off is better left out.
		if float64(to-from)/end < 0.012*float64(3+len(s.Name)) {
			s.Name = ""
		}
		shades = append(shades, s)
		i = j
	}
	return shades
}

// changes mark the moments at which somebody changed the load.
func (p *Page) changes(all []slot) []shade {
	end := float64(all[len(all)-1].at + all[len(all)-1].length)
	var marks []shade
	for _, c := range p.Run.Changes {
		marks = append(marks, shade{Left: percent(min(float64(c.At)/end, 1)), Width: "0", Name: changed(c), Class: "changed"})
	}
	return marks
}

// changed is the level that somebody set.
func changed(c result.Change) string {
	text := plural(int(c.Level), unit.Count(int64(c.Level)), "user")
	if c.Open {
		text = unit.Rate(c.Level)
	}
	if c.Track != "" {
		text += " for " + clean(c.Track, 40)
	}
	return text
}

// timeTicks labels the time axis at round times.
func timeTicks(all []slot) []tick {
	end := all[len(all)-1].at + all[len(all)-1].length
	step := time.Second
	for _, s := range []time.Duration{
		1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 24 * 3600,
	} {
		if step = s * time.Second; end/step <= 4 {
			break
		}
	}
	var ticks []tick
	for t := time.Duration(0); t <= end; t += step {
		label := unit.Duration(t)
		if t == 0 {
			label = "0"
		}
		share := float64(t) / float64(end)
		ticks = append(ticks, tick{At: percent(share), Label: label, Last: share > 0.95})
	}
	return ticks
}

// moment is a time since the start, as the readings beside it are written.
func moment(at time.Duration) string {
	if at == 0 {
		return "0 s"
	}
	return unit.Duration(at)
}

// numbers adds the charts as a table, for those who cannot see them.
func (o *overTime) numbers(p *Page) {
	if o == nil {
		return
	}
	all := slots(p.Run.Series, maxNumbers)
	o.Head = []string{"Time", "p50", "p95", "p99", "Answered", "Failed", "Users"}
	told := o.columns(all)
	for _, c := range told {
		o.Head = append(o.Head, c.head)
	}
	for i := range all {
		s := &all[i]
		row := []string{moment(s.at)}
		for _, v := range []float64{s.p50, s.p95, s.p99} {
			if math.IsNaN(v) {
				row = append(row, "–")
			} else {
				row = append(row, unit.Micros(v))
			}
		}
		row = append(row, unit.Rate(s.reached), unit.Rate(s.failed), unit.Number(s.users))
		for _, c := range told {
			row = append(row, c.cells[i])
		}
		o.Rows = append(o.Rows, row)
	}
}
