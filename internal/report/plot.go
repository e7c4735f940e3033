package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A plot is one chart of the HTML report: an SVG that stretches to its place,
// with labels that are HTML, so that text keeps its size on a phone. Positions
// are in thousandths of the plot, from the left and from the top.
type plot struct {
	ID     string
	Title  string
	Note   string // below the title, for everybody
	Spoken string // what the picture shows, for screen readers
	Legend []legend
	X, Y   []tick
	Marks  []tick // names of level lines, at their heights
	Shades []shade
	Body   template.HTML
	Unit   string // of the y axis, when its labels do not say
	Tall   bool

	low, high float64 // values at the bottom and at the top
	nines     float64 // of a plot of percentiles: where its x axis ends
}

// A legend names one series; Class is its colour in the style sheet.
type legend struct{ Class, Name string }

// A tick is a label on an axis; At is in percent, from the left or the bottom.
type tick struct {
	At    string
	Label string
	Last  bool // at the end of the axis: its text must not run over
}

// A shade is a stretch of the x axis with a name of its own.
type shade struct {
	Left, Width string // percent
	Name        string
	Class       string
}

// Widest is the label of the y axis that takes the most room.
func (p *plot) Widest() string {
	widest := ""
	for _, t := range p.Y {
		if utf8.RuneCountInString(t.Label) > utf8.RuneCountInString(widest) {
			widest = t.Label
		}
	}
	return widest
}

const full = 1000 // width and height of a plot in its own units

// newPlot makes a plot whose y axis runs from nothing to a round number above
// top; label writes the ticks.
func newPlot(id, title string, top float64, label func(float64) string) *plot {
	return newSpan(id, title, 0, top, label)
}

// vast is more than any axis reaches: sums of what is below it are finite.
const vast = 1e300

// newSpan is newPlot for values that may be less than nothing, of which low is
// the least.
func newSpan(id, title string, low, top float64, label func(float64) string) *plot {
	low, top = max(min(low, 0), -vast), min(max(top, 0), vast)
	step := roundStep(top - low)
	from, to := math.Floor(low/step*0.999), math.Ceil(top/step*0.999)
	if from == 0 {
		to = max(to, 1)
	}
	p := &plot{ID: id, Title: title, low: from * step, high: to * step}
	for i := from; i <= to; i++ {
		t := tick{At: percent((i - from) / (to - from)), Label: label(i * step)}
		if i == from {
			t.At = "0%"
		}
		if i == 0 {
			t.Label = "0"
		}
		p.Y = append(p.Y, t)
	}
	return p
}

// roundStep is a step of 1, 2, 2.5 or 5 times a power of ten that divides top
// into about four parts.
func roundStep(top float64) float64 {
	if !(top > 1/vast) || math.IsInf(top, 0) {
		return 1
	}
	raw := top / 4
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= raw {
			return m * power
		}
	}
	return 10 * power
}

// percent is a share of an axis for a style attribute.
func percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		share = 0
	}
	return strconv.FormatFloat(share*100, 'f', 2, 64) + "%"
}

// y is where v stands, from the top.
func (p *plot) y(v float64) int {
	return full - int(math.Round(min(max((v-p.low)/(p.high-p.low), 0), 1)*full))
}

// A point of a line; what is not there breaks it.
type xy struct {
	x int
	v float64
}

// path draws points as one line, broken at NaN.
func (p *plot) path(points []xy) string {
	var b strings.Builder
	pen := false
	for _, q := range points {
		if math.IsNaN(q.v) {
			pen = false
			continue
		}
		if pen {
			fmt.Fprintf(&b, "L%d %d", q.x, p.y(q.v))
		} else {
			// A point without neighbours is still seen: a line of no length has round ends.
			fmt.Fprintf(&b, "M%d %dh0", q.x, p.y(q.v))
		}
		pen = true
	}
	return b.String()
}

// line adds a line in the colour of class.
func (p *plot) line(class string, points []xy) {
	p.add(`<path class="line %s" d="%s"/>`, class, p.path(points))
}

// dots adds a dot for each point.
func (p *plot) dots(class string, points []xy) {
	var b strings.Builder
	for _, q := range points {
		if !math.IsNaN(q.v) {
			fmt.Fprintf(&b, "M%d %dh0", q.x, p.y(q.v))
		}
	}
	p.add(`<path class="dots %s" d="%s"/>`, class, b.String())
}

// band fills the room between two lines that have the same x.
func (p *plot) band(class string, low, high []xy) {
	var b strings.Builder
	flush := func(from, to int) {
		if to-from < 2 {
			return
		}
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "%c%d %d", "ML"[min(i-from, 1)], high[i].x, p.y(high[i].v))
		}
		for i := to - 1; i >= from; i-- {
			fmt.Fprintf(&b, "L%d %d", low[i].x, p.y(low[i].v))
		}
		b.WriteString("Z")
	}
	from := 0
	for i := range high {
		if math.IsNaN(high[i].v) || math.IsNaN(low[i].v) {
			flush(from, i)
			from = i + 1
		}
	}
	flush(from, len(high))
	p.add(`<path class="band %s" d="%s"/>`, class, b.String())
}

// area fills the room below a line.
func (p *plot) area(class string, points []xy) {
	floor := make([]xy, len(points))
	for i, q := range points {
		floor[i] = xy{q.x, 0}
	}
	p.band(class, floor, points)
}

// bars adds bars of one width that stand on base, which they raise.
func (p *plot) bars(class string, points []xy, base []float64, width int) {
	var b strings.Builder
	for i, q := range points {
		if math.IsNaN(q.v) || q.v <= 0 {
			continue
		}
		bottom := p.y(base[i])
		base[i] += q.v
		if top := p.y(base[i]); top < bottom {
			fmt.Fprintf(&b, "M%d %dh%dv%dh-%dz", q.x-width/2, top, width, bottom-top, width)
		}
	}
	p.add(`<path class="bar %s" d="%s"/>`, class, b.String())
}

// rule adds a level line over the whole width.
func (p *plot) rule(class string, v float64) {
	p.add(`<path class="rule %s" d="M0 %dH%d"/>`, class, p.y(v), full)
}

// upright adds a line from the bottom to the top.
func (p *plot) upright(class string, x int) {
	p.add(`<path class="rule %s" d="M%d 0V%d"/>`, class, x, full)
}

func (p *plot) add(format string, args ...any) {
	p.Body += template.HTML(fmt.Sprintf(format, args...)) //nolint:gosec // only our own class names and whole numbers
}
