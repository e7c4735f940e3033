package report

import (
	"bytes"
	_ "embed" // the live page's template and script
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

var (
	//go:embed page/live.html
	liveHTML string
	//go:embed page/live.js
	liveJS string

	liveTemplate = template.Must(template.Must(pageTemplate.Clone()).New("live").Parse(liveHTML))
)

// LivePolicy is the Content-Security-Policy of the live page: its own script,
// by its hash, its own server, and nothing else.
func LivePolicy() string {
	return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; script-src '" + scriptHash(pageJS+liveJS) + "'"
}

// A Knob is a load whose level may be set on the live page.
type Knob struct {
	Track int
	Name  string  // "" for the common load
	Open  bool    // a rate per second; else users
	Level float64 // as it begins
	Max   float64
}

// A Live is the page of a run that goes on. It draws the same charts as the
// report does at the end, from the rows it was told. Its methods may be called
// from several goroutines.
type Live struct {
	name, target string
	waits        bool // for somebody to start it
	knobs        []Knob

	mu     sync.Mutex
	run    result.Run    // as much of it as charts need
	every  time.Duration // between the seconds that are kept
	stages map[live.Stage]int
	row    *live.Row // the last one
}

// NewLive makes the page of a run of a spec. waits says that the load begins
// only when somebody on the page wants it.
func NewLive(name, target string, waits bool, knobs []Knob) *Live {
	return &Live{name: name, target: target, waits: waits, knobs: knobs, stages: map[live.Stage]int{}}
}

// liveSlots is how many points the charts of the live page have: they are drawn
// each second, on the machine that measures.
const liveSlots = 150

// maxLive is how many rows are kept, as in result.Run.Series.
const maxLive = 7200

// Add takes in what a second brought.
func (l *Live) Add(row *live.Row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.row, l.waits = row, false
	if row.Phase != live.Load {
		return
	}
	l.run.Open = row.Open
	for i := range row.Target {
		l.hear(&row.Target[i])
	}
	if l.every = max(l.every, time.Second); len(l.run.Series) == maxLive {
		l.every *= 2
		l.run.Series = slices.DeleteFunc(l.run.Series, func(s result.Second) bool { return s.At%l.every != 0 })
	}
	// In a run of hours the seconds between are in the report alone.
	if s := l.second(row); s.At%l.every == 0 || len(l.run.Series) == 0 {
		l.run.Series = append(l.run.Series, s)
	}
}

// second is a row in the form that charts are drawn from.
func (l *Live) second(row *live.Row) result.Second {
	stage := row.Stage
	stage.LeftS = 0 // what is left makes no other stage of it
	at, known := l.stages[stage]
	if !known {
		at = len(l.run.Catalog.Stages)
		l.stages[stage] = at
		l.run.Catalog.Stages = append(l.run.Catalog.Stages, result.Stage{Name: stage.Name, Track: stage.Track, Measure: row.Measured})
	}
	steal := -1.0
	if row.Health.StealKnown {
		steal = row.Health.StealPercent / 100
	}
	return result.Second{
		At: seconds(row.TimeS), Stage: at, Measured: row.Measured, Users: row.Users, InFlight: row.InFlight,
		Rate: row.Asked, Offered: row.Started + row.Dropped, Dropped: row.Dropped, Completed: row.Requests, Failed: row.Failed,
		Status: row.Status, Errors: row.Errors, P50: row.Latency.P50, P95: row.Latency.P95, P99: row.Latency.P99,
		Health: result.Health{CPU: row.Health.CPUPercent / 100, LagP99: time.Duration(row.Health.LagP99us) * time.Microsecond, Steal: steal},
	}
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s*1e3)) * time.Millisecond }

// A liveView is what the templates of the live page show.
type liveView struct {
	CSS  template.CSS
	JS   template.JS
	Name string

	Target string
	Waits  bool
	Knobs  []knobView

	Phase, Said string
	Done, Left  string // of the load
	Share       string // of the bar
	Notes       []string
	Tiles       []tile
	Time        *overTime
	Steps       []stepView
	Health      []*plot
}

type knobView struct {
	Track            int
	Label, Unit      string
	Level, Min, Max  string
	Step, Range, Now string
}

// Page writes the page itself. What moves in it comes by Frame.
func (l *Live) Page(w io.Writer) error {
	v := &liveView{
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS + liveJS), //nolint:gosec // ours, embedded
		Name: clean(l.name, maxName), Target: clean(l.target, maxName),
	}
	for _, k := range l.knobs {
		v.Knobs = append(v.Knobs, newKnobView(k))
	}
	return l.write(w, "livepage", v)
}

func newKnobView(k Knob) knobView {
	number := func(x float64) string { return fmt.Sprintf("%.6g", x) }
	v := knobView{Track: k.Track, Label: "Users", Unit: "users", Level: number(k.Level), Min: "1", Max: number(k.Max), Step: "1"}
	v.Range = "1 to " + unit.Count(int64(k.Max))
	if k.Open {
		v.Label, v.Unit, v.Min, v.Step = "Rate", "per second", "0", "any"
		v.Range = "0 to " + unit.Rate(k.Max)
	}
	if k.Name != "" {
		v.Label += " of " + clean(k.Name, 40)
	}
	return v
}

// Frame writes the part of the page that moves, as it is now: whoever missed
// earlier ones has missed nothing.
func (l *Live) Frame(w io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &liveView{Waits: l.waits, Phase: "waiting", Said: "Press Start to begin."}
	if !l.waits {
		v.Said = "The run is about to begin."
	}
	if l.row != nil {
		v.say(l.row)
	}
	if len(l.run.Series) > 0 {
		p := &Page{Run: &l.run}
		v.Time, v.Health = p.overTime(liveSlots), p.healthPlots(liveSlots)
		v.tiles(l.row)
		v.steps(l.row)
	}
	return l.write(w, "frame", v)
}

func (l *Live) write(w io.Writer, name string, v *liveView) error {
	var b bytes.Buffer
	if err := liveTemplate.ExecuteTemplate(&b, name, v); err != nil {
		return fmt.Errorf("writing the live page: %w", err)
	}
	_, err := b.WriteTo(w)
	return err
}

// say puts into words where the run is.
func (v *liveView) say(row *live.Row) {
	v.Phase = row.Phase
	switch row.Phase {
	case live.Waiting:
		v.Said = "Waiting until the target answers."
	case live.Setup:
		v.Said = "Setting up, as the spec asks for before the load."
	case live.Done:
		v.Said = "The load is over. The verdict is being made."
	default:
		v.Said = "Measuring"
		if !row.Measured {
			v.Said = "Not measuring yet"
		}
		if row.Stage.N > 1 {
			v.Said += ", stage " + unit.Count(int64(row.Stage.K)) + " of " + unit.Count(int64(row.Stage.N))
			if row.Stage.Name != "" {
				v.Said += " (" + clean(row.Stage.Name, 40) + ")"
			}
		}
	}
	v.Done = unit.Duration(seconds(row.ElapsedS)) + " of " + unit.Duration(seconds(row.PlannedS))
	v.Left = unit.Duration(seconds(row.LeftS)) + " left"
	if row.Capped {
		v.Left = "at most " + v.Left
	}
	if row.PlannedS > 0 {
		v.Share = percent(min(row.ElapsedS/row.PlannedS, 1))
	}
	note := func(bad bool, text string) {
		if bad {
			v.Notes = append(v.Notes, text)
		}
	}
	note(row.Health.Busy, "The generator's CPU is over 80%: what you see may be its own slowness.")
	note(row.Health.Late, "The generator sends over 10 ms late: what you see may be its own slowness.")
	note(row.Total.Dropped > 0, unit.Count(row.Total.Dropped)+" arrivals dropped: too many requests were in flight.")
	note(row.Health.NoPorts > 0, "The generator is out of local ports or descriptors.")
}

func (v *liveView) tiles(row *live.Row) {
	latency := func(us int64) string {
		if us == 0 {
			return "–"
		}
		return unit.Micros(us)
	}
	last := "last " + unit.Duration(seconds(row.LatencyOfS))
	failed := tile{Name: "failed", Value: "–", Note: unit.Count(row.Total.Failed) + " of " + unit.Count(row.Total.Requests)}
	if row.Total.Requests > 0 {
		failed.Value = unit.Share(row.Total.Failed, row.Total.Requests)
	}
	if row.Total.Failed > 0 {
		failed.Class = "bad"
	}
	rate := tile{Name: "rate", Value: unit.Rate(float64(row.Requests)), Note: unit.Count(int64(row.Users)) + " users at work"}
	if row.Open {
		rate.Note = unit.Rate(row.Asked) + " arrivals asked for"
	}
	v.Tiles = []tile{
		{Name: "requests", Value: unit.Count(row.Total.Requests), Note: "since the start"},
		rate,
		failed,
		{Name: "p50", Value: latency(row.Latency.P50), Note: last},
		{Name: "p95", Value: latency(row.Latency.P95), Note: last},
		{Name: "p99", Value: latency(row.Latency.P99), Note: last},
	}
}

// steps is the table of steps as it is now.
func (v *liveView) steps(row *live.Row) {
	longest := int64(0)
	names := map[string]int{}
	for i := range row.Steps {
		longest = max(longest, row.Steps[i].Latency.P99)
		names[row.Steps[i].Name]++
	}
	for _, s := range first(row.Steps, maxSteps) {
		view := stepView{Name: label(s.Scenario, s.Name, names[s.Name] > 1)}
		add := func(key, text string, sort float64, bad bool) {
			view.Cells = append(view.Cells, cellView{key, text, fmt.Sprint(sort), bad})
		}
		share, written := 0.0, "–"
		if s.Total > 0 {
			share, written = float64(s.Bad)/float64(s.Total), unit.Share(s.Bad, s.Total)
		}
		add("requests", unit.Count(s.Total), float64(s.Total), false)
		add("rate_per_s", unit.Rate(float64(s.Requests)), float64(s.Requests), false)
		add("failed", written, share, s.Bad > 0)
		for _, q := range []struct {
			key string
			us  int64
		}{{"p50", s.Latency.P50}, {"p95", s.Latency.P95}, {"p99", s.Latency.P99}} {
			text := "–"
			if q.us > 0 {
				text = unit.Micros(q.us)
			}
			add(q.key, text, float64(q.us), false)
		}
		if s.Latency.P99 > 0 {
			view.HasRange = true
			at := func(us int64) float64 { return float64(us) / float64(longest) }
			view.From, view.P95, view.Width = percent(at(s.Latency.P50)), percent(at(s.Latency.P95)), percent(at(s.Latency.P99)-at(s.Latency.P50))
		}
		v.Steps = append(v.Steps, view)
	}
}
