package report

import (
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A Watch is what a terminal shows while a run goes on: a frame that is drawn
// anew each second in the place of the one before.
type Watch struct {
	row      *live.Row
	base     *live.Row // of a paired run: the other side
	waited   time.Time // since when row.Phase lasts
	requests []float64 // of the last seconds, for the sparkline
	p95      []float64
}

// sparks is how many seconds a sparkline shows at most.
const sparks = 30

// Add takes in a row; now is when.
func (w *Watch) Add(row *live.Row, now time.Time) {
	if w.row == nil || w.row.Phase != row.Phase {
		w.waited = now
	}
	if row.Arm == "base" && row.Phase == live.Load {
		w.base = row
		return
	}
	w.row = row
	if row.Phase == live.Load {
		w.requests = lastOf(append(w.requests, float64(row.Requests)), sparks)
		w.p95 = lastOf(append(w.p95, float64(row.Latency.P95)), sparks)
	}
}

func lastOf(all []float64, n int) []float64 { return all[max(0, len(all)-n):] }

// Frame is the lines to show now, at most t.Height where that is known, none
// wider than t.Width.
func (w *Watch) Frame(t Terminal, now time.Time) []string {
	if w.row == nil {
		return nil
	}
	t.Width = max(t.Width, 40)
	f := &frame{screen: screen{Terminal: t}, Watch: w, now: now}
	if w.row.Phase != live.Load {
		f.waiting()
	} else {
		f.running()
	}
	lines := strings.Split(strings.TrimSuffix(f.b.String(), "\n"), "\n")
	if t.Height > 0 {
		lines = first(lines, t.Height)
	}
	return lines
}

type frame struct {
	screen
	*Watch
	now time.Time
}

func (f *frame) waiting() {
	since := spanOf(f.now.Sub(f.waited).Truncate(time.Second).Seconds())
	switch f.row.Phase {
	case live.Waiting:
		what := "waiting for the target"
		if f.row.Arm != "" {
			what = "waiting for the " + f.row.Arm
		}
		if note := clean(f.row.Note, maxName); note != "" {
			what += " at " + note
		}
		f.line(cut(what, f.Width-12), f.dim("  "+since))
	case live.Setup:
		f.line("setting up", f.dim("  "+since))
	default:
		f.line("summing up", f.dim("  "+since))
	}
}

func (f *frame) running() {
	f.head()
	f.line()
	var t numbers
	f.rates(&t)
	f.latencies(&t)
	f.generator(&t)
	f.target(&t)
	for _, line := range t.layout(&f.screen) {
		f.line(line)
	}
	if text := f.trouble(); text != "" {
		f.line(f.numberPlaces().indent, strings.Repeat(" ", nameWidth+2), f.paint(toneBad, cut(text, f.Width-nameWidth-4)))
	}
	f.mix("errors", toneBad, failures(&result.Figures{Errors: f.row.Total.Errors}), f.row.Errors)
	f.mix("status", toneNeutral, statuses(&result.Figures{Status: f.row.Total.Status}), nil)
	f.steps()
}

// head is where the run is: its name and times, and a bar.
func (f *frame) head() {
	r := f.row
	right := spanOf(r.ElapsedS) + " of " + spanOf(r.PlannedS)
	stage := cut(f.stage(), f.Width-columns(right)-leastName-4)
	left := cut(clean(r.Title, maxName), f.Width-columns(right)-columns(stage)-4)
	gap := f.Width - columns(left) - columns(right) - columns(stage)
	if stage != "" {
		gap -= 2
		stage = "  " + stage
	}
	f.line(f.bold(left), stage, strings.Repeat(" ", gap), right)
	rest := spanOf(r.LeftS) + " left"
	if r.Capped && r.LeftS > 0 {
		rest = "at most " + rest
	}
	room, done := f.Width-columns(rest)-2, 1.0
	if r.PlannedS > 0 {
		done = min(r.ElapsedS/r.PlannedS, 1)
	}
	full := int(done*float64(room) + 0.5)
	f.line(f.paint(toneGood, strings.Repeat(f.sign("━", "="), full)), f.dim(strings.Repeat(f.sign("─", "-"), room-full)), "  ", rest)
}

// stage is "2 of 3: hold, 18 s left"; "" where there is only one.
func (f *frame) stage() string {
	s := f.row.Stage
	parts := []string{}
	if s.N > 1 {
		text := "stage " + unit.Count(int64(s.K)) + " of " + unit.Count(int64(s.N))
		if name := clean(s.Name, 24); name != "" {
			text += ": " + name
		}
		parts = append(parts, text)
		if s.K < s.N {
			parts = append(parts, spanOf(s.LeftS)+" left")
		}
	}
	if !f.row.Measured && f.row.Arm == "" {
		parts = append(parts, "not measured")
	}
	return strings.Join(parts, ", ")
}

// spanOf writes whole seconds: "42 s", "1m 30s".
func spanOf(seconds float64) string {
	if seconds < 0.5 {
		return "0 s"
	}
	return unit.Duration(time.Duration(seconds * float64(time.Second)).Round(time.Second))
}

// numbers are rows of right-aligned values with what they are after them, so
// that each stays in its place from second to second.
type numbers []numberRow

type numberRow struct {
	name  string
	cells []numberCell
	spark string // what stands after the cells, where there is room; its end is what matters
}

type numberCell struct {
	value, word string
	tone        tone
}

const (
	nameWidth     = 9  // "generator"
	roomy         = 67 // on a screen narrower than this, all stands closer
	leastForSpark = 8
)

// numberPlaces are how wide a value and the word after it are.
type numberPlaces struct {
	indent string
	value  int
	words  [3]int
}

var (
	wideNumbers   = numberPlaces{"  ", 8, [3]int{9, 9, 9}} // "12,345/s in flight"
	narrowNumbers = numberPlaces{" ", 7, [3]int{6, 7, 9}}
)

func (s *screen) numberPlaces() numberPlaces {
	if s.Width < roomy {
		return narrowNumbers
	}
	return wideNumbers
}

func (n *numbers) add(name string, cells ...numberCell) *numberRow {
	*n = append(*n, numberRow{name: name, cells: cells})
	return &(*n)[len(*n)-1]
}

// layout is the lines of the rows, none wider than the screen: values that do
// not fit beside the others go below them.
func (n numbers) layout(s *screen) []string {
	var lines []string
	for i := range n {
		lines = append(lines, n[i].layout(s)...)
	}
	return lines
}

func (r *numberRow) layout(s *screen) (lines []string) {
	at := s.numberPlaces()
	line, used := "", 0
	begin := func(name string) {
		line = at.indent + s.dim(name) + strings.Repeat(" ", nameWidth-columns(name))
		used = len(at.indent) + nameWidth
	}
	begin(r.name)
	for i, c := range r.cells {
		value := strings.Repeat(" ", max(0, at.value-columns(c.value))) + c.value
		width := 1 + columns(value) + 1 + columns(c.word)
		if used+width > s.Width && i > 0 {
			lines = append(lines, line)
			begin("")
		}
		pad := max(0, min(at.words[min(i, len(at.words)-1)]-columns(c.word), s.Width-used-width))
		line += " " + s.stress(c.tone, value) + " " + s.dim(c.word) + strings.Repeat(" ", pad)
		used += width + pad
	}
	if room := s.Width - used - 2; room >= leastForSpark {
		spark := []rune(r.spark)
		line += "  " + string(spark[max(0, len(spark)-room):])
	}
	return append(lines, line)
}

// stress paints text that is not neutral.
func (s *screen) stress(t tone, text string) string {
	if t == toneNeutral {
		return text
	}
	return s.paint(t, text)
}

func (f *frame) rates(t *numbers) {
	r := f.row
	if r.Open {
		reached := numberCell{value: unit.Rate(float64(r.Started)), word: "reached"}
		dropped := numberCell{value: unit.Count(r.Total.Dropped), word: "dropped"}
		if r.Total.Dropped > 0 {
			dropped.tone = toneBad
		}
		t.add("arrivals", numberCell{value: unit.Rate(r.Asked), word: "asked"}, reached, dropped)
	}
	failed := numberCell{value: unit.Count(r.Total.Failed), word: "failed"}
	if r.Total.Failed > 0 {
		failed.tone = toneBad
	}
	t.add("requests",
		numberCell{value: unit.Rate(float64(r.Requests)), word: "now"},
		numberCell{value: unit.Count(r.Total.Requests), word: "so far"}, failed,
	).spark = f.spark(f.requests)
	users := numberCell{value: unit.Count(int64(r.Users)), word: "active"}
	if !r.Open && r.UsersAsked > 0 {
		t.add("users", numberCell{value: unit.Number(r.UsersAsked), word: "asked"}, users,
			numberCell{value: unit.Count(int64(r.InFlight)), word: "in flight"})
		return
	}
	t.add("users", users, numberCell{value: unit.Count(int64(r.InFlight)), word: "in flight"})
}

func (f *frame) latencies(t *numbers) {
	if f.base != nil {
		t.add("base", latencyCells(&f.base.Latency)...)
		t.add("head", latencyCells(&f.row.Latency)...).spark = f.spark(f.p95)
		return
	}
	t.add("latency", latencyCells(&f.row.Latency)...).spark = f.spark(f.p95)
}

func latencyCells(l *live.Latency) []numberCell {
	cells := []numberCell{{word: "p50"}, {word: "p95"}, {word: "p99"}}
	for i, us := range []int64{l.P50, l.P95, l.P99} {
		cells[i].value = "–"
		if us > 0 {
			cells[i].value = unit.Micros(us)
		}
	}
	return cells
}

func (f *frame) generator(t *numbers) {
	h := &f.row.Health
	cpu := numberCell{value: unit.Percent(wholePercent(h.CPUPercent)), word: "cpu"}
	lag := numberCell{value: unit.Micros(h.LagP99us), word: "lag p99"}
	cells := []numberCell{cpu, lag}
	if h.StealKnown {
		cells = append(cells, numberCell{value: unit.Percent(wholePercent(h.StealPercent)), word: "stolen"})
	}
	if h.Busy {
		cells[0].tone = toneBad
	}
	if h.Late {
		cells[1].tone = toneBad
	}
	t.add("generator", cells...)
}

// trouble says what makes the figures doubtful; "" when nothing does.
func (f *frame) trouble() string {
	switch h := &f.row.Health; {
	case h.NoPorts > 0:
		return "this machine has no more ports for connections"
	case h.Busy:
		return "this machine is too busy to measure well"
	case h.Late:
		return "this machine is late to send"
	default:
		return ""
	}
}

// wholePercent is a share in whole percent: what flickers behind the point says
// nothing in one second.
func wholePercent(percent float64) float64 { return float64(int(percent+0.5)) / 100 }

// mix is a line of counts, most first, with what came in this second.
func (f *frame) mix(name string, tn tone, all []count, now map[string]int64) {
	if len(all) == 0 && name != "errors" {
		return
	}
	parts := make([]string, 0, len(all))
	for _, c := range all {
		text := c.name + " × " + unit.Count(c.n)
		if n := now[c.name]; n > 0 {
			text += " (+" + unit.Count(n) + ")"
		}
		parts = append(parts, text)
	}
	text, used := "none", 0
	if name == "errors" && f.row.Total.Failed > 0 {
		text = "none without an answer"
	}
	for i, part := range parts {
		if i == 0 {
			text = ""
		} else {
			part = " · " + part
		}
		if used += columns(part); used > f.Width-nameWidth-10 && i > 0 {
			text += " · …"
			break
		}
		text += part
	}
	text = cut(text, f.Width-nameWidth-4)
	if len(all) > 0 {
		text = f.stress(tn, text)
	}
	f.line(f.numberPlaces().indent, f.dim(name), strings.Repeat(" ", nameWidth-columns(name)), "  ", text)
}

// mostSteps is how many steps a frame shows where nobody knows how tall the screen
// is.
const mostSteps = 12

// steps is the table of the steps, as long as the screen has room: those that
// fail first, then in the order of the spec.
func (f *frame) steps() {
	all := f.row.Steps
	if len(all) < 2 {
		return
	}
	room := mostSteps
	if f.Height > 0 {
		room = f.Height - strings.Count(f.b.String(), "\n") - 2 // blank, head
		if len(all) > room {
			room-- // what is left out
		}
	}
	if room < 1 {
		return
	}
	shown := busiest(all, room)
	f.line()
	t := table{columns: []column{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}, indent: 2, optional: []int{2, 4}, ascii: !f.Unicode}
	t.add(cell{"step", f.dim}, cell{"requests", f.dim}, cell{"p50", f.dim}, cell{"p95", f.dim}, cell{"p99", f.dim}, cell{"failed", f.dim})
	for _, i := range shown {
		s := &all[i]
		cells := []cell{{text: stepLabel(all, i)}, {text: unit.Count(s.Total)}}
		for _, c := range latencyCells(&s.Latency) {
			cells = append(cells, cell{text: c.value})
		}
		failed := cell{text: unit.Count(s.Bad)}
		if s.Bad > 0 {
			failed.paint = func(x string) string { return f.paint(toneBad, x) }
		}
		t.add(append(cells, failed)...)
	}
	for _, line := range t.layout(f.Width) {
		f.line(line)
	}
	if more := len(all) - len(shown); more > 0 {
		f.line("  ", f.dim(f.sign("… ", "... ")+"and "+plural(more, unit.Count(int64(more)), "more step")))
	}
}

// busiest are the indexes of at most n steps: failing ones first.
func busiest(all []live.Step, n int) []int {
	chosen := map[int]bool{}
	for _, wanted := range []func(*live.Step) bool{
		func(s *live.Step) bool { return s.Bad > 0 },
		func(*live.Step) bool { return true },
	} {
		for i := range all {
			if len(chosen) < n && wanted(&all[i]) {
				chosen[i] = true
			}
		}
	}
	var shown []int
	for i := range all {
		if chosen[i] {
			shown = append(shown, i)
		}
	}
	return shown
}

func stepLabel(all []live.Step, at int) string {
	twice := false
	for i := range all {
		twice = twice || i != at && all[i].Name == all[at].Name
	}
	return label(all[at].Scenario, all[at].Name, twice)
}

// spark draws values as bars of one character, the highest as high as can be.
func (f *frame) spark(values []float64) string {
	bars := []rune("▁▂▃▄▅▆▇")
	if !f.Unicode {
		bars = []rune("_.-=+*#")
	}
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	if most == 0 {
		return ""
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteRune(bars[min(int(v/most*float64(len(bars))), len(bars)-1)])
	}
	return b.String()
}
