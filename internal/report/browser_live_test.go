package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/ui"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A liveRun is a live page with a run behind it that does what it is told.
type liveRun struct {
	*Live
	mu    sync.Mutex
	asked []string
}

func (l *liveRun) ask(what string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = append(l.asked, what)
	return nil
}

func (l *liveRun) Start() error { return l.ask("start") }
func (l *liveRun) Stop() error  { return l.ask("stop") }

func (l *liveRun) Level(track int, level float64) error {
	return l.ask(fmt.Sprintf("level %d %g", track, level))
}

func (l *liveRun) did() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.asked, ", ")
}

// liveRow is second i of a run with two steps.
func liveRow(i int, name string) *live.Row {
	wave := int64(1000 * (2 + math.Sin(float64(i)/3)))
	return &live.Row{
		Phase: live.Load, TimeS: float64(i), ElapsedS: float64(i + 1), PlannedS: 60, LeftS: float64(59 - i), Open: true,
		Stage: live.Stage{Name: name, K: 1, N: 2, LeftS: float64(59 - i)}, Measured: i > 2,
		Asked: 100, Started: 100, Requests: 200, Failed: 3, Users: 12, InFlight: 5,
		Latency: live.Latency{P50: wave, P95: 3 * wave, P99: 5 * wave}, LatencyOfS: 5,
		Status: map[int]int64{200: 197, 503: 3}, Errors: map[string]int64{name: 1},
		Total: live.Total{Requests: 200 * int64(i+1), Failed: 3 * int64(i+1), Status: map[int]int64{200: 197}},
		Steps: []live.Step{
			{Scenario: "s", Name: "GET /slow", Requests: 100, Total: 100 * int64(i+1), Latency: live.Latency{P50: 900, P95: 2900, P99: 9000}},
			{Scenario: "s", Name: name, Requests: 100, Failed: 3, Total: 101 * int64(i+1), Bad: 3, Latency: live.Latency{P50: 100, P95: 200, P99: 300}},
		},
		Health: live.Health{CPUPercent: 30, StealKnown: true, Busy: i%2 == 1},
	}
}

// serveLive shows a live page of a run in the browser.
func serveLive(t *testing.T, b *browser, waits bool, spec string) (*liveRun, *ui.Server) {
	t.Helper()
	run := &liveRun{Live: NewLive(spec, "http://127.0.0.1:1", waits, []Knob{{Open: true, Level: 100, Max: 250}, {Track: 1, Name: spec, Level: 5, Max: 9}})}
	s, err := ui.Listen(t.Context(), ui.Options{Address: ":0", Content: run, Run: run, Policy: LivePolicy()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	b.mu.Lock()
	b.home = s.URL()
	b.mu.Unlock()
	return run, s
}

// until waits for an expression to hold in the page.
func (b *browser) until(expression string) {
	b.t.Helper()
	var ok bool
	b.eval(fmt.Sprintf(`new Promise(done => { const t = Date.now(); const look = () => { if (%s) done(true); else if (Date.now()-t > 20000) done(false); else setTimeout(look, 20) }; look() })`, expression), &ok)
	if !ok {
		b.t.Fatalf("the page never comes to %s", expression)
	}
}

func browserLive(t *testing.T, b *browser) {
	run, s := serveLive(t, b, true, "orders")
	b.show(s.URL(), 1280, "light")
	b.until(`!document.getElementById("start").hidden && document.getElementById("said").textContent.includes("Start")`)
	b.eval(`document.getElementById("start").click()`, nil)
	tell := func(row *live.Row) { run.Add(row); s.Changed() }
	tell(&live.Row{Phase: live.Waiting})
	b.until(`document.getElementById("start").hidden && document.getElementById("said").textContent.startsWith("Waiting")`)
	for i := range 5 {
		row := liveRow(i, "GET /fast")
		row.Target = []live.Told{
			{Role: "cpu", TimeS: float64(i/2*2) + 0.2, EveryS: 2, Value: 1 + float64(i/2), Limit: 4},
			{Role: "memory", TimeS: float64(i) + 0.1, EveryS: 1, Value: 5e8 + 1e7*float64(i), Unit: unit.BaseBytes},
		}
		tell(row)
	}
	b.until(`document.querySelector('[data-figure="requests"]')?.textContent === "1,000"`)

	// The charts are those of the report, and are read with the keys.
	var plots []string
	b.eval(`[...document.querySelectorAll(".plot")].filter(p => p.querySelector("svg path")).map(p => p.dataset.plot)`, &plots)
	if got, want := strings.Join(plots, " "), "latency arrivals rate users errors target0 target1 cpu lag"; got != want {
		t.Errorf("charts %s, want %s", got, want)
	}
	b.eval(`(() => { const f = document.querySelector('[data-plot="latency"] .field'); f.focus();
		f.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true})) })()`, nil)
	var told string
	b.eval(`(() => { const f = document.querySelector('[data-plot="target0"] .field'); f.focus();
		for (const key of ["Home", "ArrowRight", "ArrowRight", "ArrowRight"]) f.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
		return f.querySelector(".tip").innerText })()`, &told)
	for _, want := range []string{"3 s", "cpu", "2 · 50%"} {
		if !strings.Contains(told, want) {
			t.Errorf("the target's chart reads %q, which lacks %s", told, want)
		}
	}
	b.eval(`document.querySelector('#steptable th[data-key="requests"] button').click()`, nil)
	b.eval(`(() => { const f = document.getElementById("filter"); f.value = "fast"; f.dispatchEvent(new Event("input")) })()`, nil)
	b.eval(`document.querySelector('[data-plot="latency"] .field').focus()`, nil)

	// What a reader did outlives the next frames.
	tell(liveRow(5, "GET /fast"))
	b.until(`document.querySelector('[data-figure="requests"]').textContent === "1,200"`)
	var kept struct {
		Tip     bool
		Focus   string
		Sorted  string
		Visible []string
	}
	b.eval(`({Tip: !document.querySelector('[data-plot="latency"] .tip').hidden, Focus: document.activeElement.closest("[data-plot]")?.dataset.plot ?? "",
		Sorted: document.querySelector('#steptable th[data-key="requests"]').getAttribute("aria-sort"),
		Visible: [...document.querySelectorAll("#steptable tbody tr")].filter(r => r.offsetParent).map(r => r.cells[0].textContent)})`, &kept)
	if kept.Focus != "latency" || kept.Sorted != "descending" || fmt.Sprint(kept.Visible) != "[GET /fast]" {
		t.Errorf("after another second: %+v", kept)
	}
	b.eval(`(() => { document.getElementById("still").click() })()`, nil)
	tell(liveRow(6, "GET /fast"))
	run.Add(liveRow(7, "GET /fast"))
	s.Changed()
	b.eval(`new Promise(done => setTimeout(done, 200))`, nil)
	var held string
	b.eval(`document.querySelector('[data-figure="requests"]').textContent`, &held)
	if held != "1,200" {
		t.Errorf("a picture that is held shows %s requests", held)
	}
	b.eval(`document.getElementById("still").click()`, nil)
	b.until(`document.querySelector('[data-figure="requests"]').textContent === "1,600"`)

	for _, width := range []int{1280, 390} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
		var overflow int
		b.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth", &overflow)
		if overflow > 0 {
			t.Errorf("%d px wider than a screen of %d", overflow, width)
		}
		b.eval(`(() => { const t = document.getElementById("table"); return t.scrollWidth - t.clientWidth })()`, &overflow)
		if overflow > 0 {
			t.Errorf("the steps are %d px wider than their place on a screen of %d", overflow, width)
		}
	}
	t.Run("accessible", func(t *testing.T) {
		b.t = t
		b.axe(axeSource(t), "live")
	})
	b.t = t

	// It obeys: a level of its own for each load, and a stop that is asked twice.
	b.eval(`(() => { const k = document.querySelectorAll(".knob"); k[0].elements.level.value = "150.5"; k[0].requestSubmit(); k[1].elements.level.value = "7"; k[1].requestSubmit() })()`, nil)
	b.until(`document.getElementById("answer").textContent.startsWith("Set to")`)
	b.eval(`document.getElementById("stop").click()`, nil)
	b.until(`document.getElementById("stop").textContent.includes("again")`)
	b.eval(`document.getElementById("stop").click()`, nil)
	b.until(`document.getElementById("stop").dataset.asked === "yes"`)
	for _, want := range []string{"start", "level 0 150.5", "level 1 7", "stop"} {
		if !strings.Contains(run.did(), want) {
			t.Errorf("the run was asked for %q, which lacks %q", run.did(), want)
		}
	}
	b.quiet("live")

	var page bytes.Buffer
	if err := samplePage("pass").HTML(&page); err != nil {
		t.Fatal(err)
	}
	s.Finish(page.Bytes(), 20*time.Second)
	b.until(`location.pathname === "/report" && document.querySelector("#verdict") !== null && document.readyState === "complete"`)
	b.quiet("the report in its place")
}

// browserLiveNasty shows every hostile string in every place at once.
func browserLiveNasty(t *testing.T, b *browser) {
	const spec = `<script>alert(1)</script>"><img src=x onerror=alert(2)>`
	run, server := serveLive(t, b, false, spec)
	for i := range 3 {
		row := liveRow(i, spec)
		for _, s := range nasty {
			row.Steps = append(row.Steps, live.Step{Scenario: s, Name: s, Total: 1, Latency: live.Latency{P50: 1, P95: 2, P99: 3}})
			row.Errors[s] = 1
			row.Target = append(row.Target, live.Told{Role: s, Arm: s, TimeS: float64(i), EveryS: 1, Value: 1})
		}
		run.Add(row)
	}
	b.show(server.URL(), 390, "light")
	b.until(`document.querySelectorAll("#steptable tbody tr").length > 2`)
	var found struct {
		Scripts, Elements, Handlers, Rows, Overflow int
	}
	b.eval(`({Scripts: [...document.scripts].filter(s => s.type !== "application/json").length,
		Elements: document.querySelectorAll("img,iframe,object,embed,link,base,meta[http-equiv]").length,
		Handlers: [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
		Rows: document.querySelectorAll("#steptable tbody tr").length,
		Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth})`, &found)
	if found.Scripts != 1 || found.Elements+found.Handlers > 0 || found.Rows != 2+len(nasty) {
		t.Errorf("%+v", found)
	}
	if found.Overflow > 0 {
		t.Errorf("the page is %d px too wide for a phone", found.Overflow)
	}
	b.quiet("live, hostile")
}

// A run of hours costs a bounded picture.
func TestLiveStaysSmall(t *testing.T) {
	t.Parallel()
	l := NewLive("long", "", false, nil)
	for i := range 3 * maxLive {
		row := liveRow(i, "GET /a")
		for k := range 8 {
			row.Target = append(row.Target, live.Told{Role: fmt.Sprint("role", k), TimeS: float64(i), EveryS: 1, Value: math.Abs(math.Sin(float64(i * k))), Limit: 4})
		}
		l.Add(row)
	}
	var b bytes.Buffer
	if err := l.Frame(&b); err != nil {
		t.Fatal(err)
	}
	if n := len(l.run.Series); n > maxLive {
		t.Errorf("%d rows are kept", n)
	}
	if b.Len() > 200<<10 {
		t.Errorf("a frame of %d bytes", b.Len())
	}
}

// BenchmarkLiveFrame is what one second of a live page costs, once for all who
// look: ten minutes of rows, a hundred steps, and eight metrics of the target.
func BenchmarkLiveFrame(b *testing.B) {
	l := NewLive("bench", "", false, nil)
	for i := range 600 {
		row := liveRow(i, "GET /a")
		for len(row.Steps) < 100 {
			row.Steps = append(row.Steps, live.Step{Name: fmt.Sprintf("GET /%d", len(row.Steps)), Total: 9, Latency: live.Latency{P50: 1000, P95: 2000, P99: 3000}})
		}
		for k := range 8 {
			row.Target = append(row.Target, live.Told{Role: fmt.Sprint("role", k), TimeS: float64(i), EveryS: 1, Value: float64(i % (k + 2)), Limit: 4})
		}
		l.Add(row)
	}
	for b.Loop() {
		if err := l.Frame(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
