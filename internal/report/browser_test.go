package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A browser is a headless Chromium spoken to in its own protocol
// (chromedevtools.github.io/devtools-protocol), one page at a time.
type browser struct {
	t    *testing.T
	conn *websocket.Conn

	mu       sync.Mutex
	next     int
	answers  map[int]chan json.RawMessage
	session  string
	loaded   chan struct{}
	home     string   // where requests may go; "": nowhere
	troubles []string // errors, dialogs, and requests that leave the file
}

// startBrowser skips the test where no Chromium is installed.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" || testing.Short() {
		t.Skip("needs Chromium, and is long")
	}
	profile := t.TempDir()
	cmd := exec.CommandContext(t.Context(), path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-prefers-reduced-motion",
		"--remote-debugging-port=0", "--remote-allow-origins=*", "--user-data-dir="+profile, "about:blank")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	var drained sync.WaitGroup
	drained.Go(func() {
		var line bytes.Buffer
		buf := make([]byte, 4096)
		for {
			n, err := stderr.Read(buf)
			line.Write(buf[:n])
			if _, rest, ok := strings.Cut(line.String(), "DevTools listening on "); ok {
				if url, _, whole := strings.Cut(rest, "\n"); whole && len(address) == 0 {
					address <- strings.TrimSpace(url)
				}
			}
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		drained.Wait()
		_ = cmd.Wait()
	})
	b := &browser{t: t, answers: map[int]chan json.RawMessage{}}
	select {
	case url := <-address:
		if b.conn, err = websocket.Dial(url, "", "http://localhost/"); err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Chromium did not start")
	}
	var reading sync.WaitGroup
	reading.Go(b.read)
	t.Cleanup(func() { _ = b.conn.Close(); reading.Wait() })
	b.newPage()
	return b
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

func (b *browser) read() {
	for {
		var m message
		if err := websocket.JSON.Receive(b.conn, &m); err != nil {
			return
		}
		b.mu.Lock()
		if answer := b.answers[m.ID]; m.ID != 0 && answer != nil {
			delete(b.answers, m.ID)
			if m.Error != nil {
				b.troubles = append(b.troubles, "protocol: "+string(m.Error))
			}
			answer <- m.Result
		}
		b.event(m)
		b.mu.Unlock()
	}
}

// event notes what a page does that it must not.
func (b *browser) event(m message) {
	var p struct {
		Type    string
		Message string
		Request struct{ URL string }
		Entry   struct{ Level, Text string }
	}
	_ = json.Unmarshal(m.Params, &p)
	note := func(s string) { b.troubles = append(b.troubles, s) }
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case <-b.loaded: // the page went on to another by itself
		default:
			close(b.loaded)
		}
	case "Runtime.consoleAPICalled":
		note("console." + p.Type)
	case "Runtime.exceptionThrown":
		note("exception: " + string(m.Params))
	case "Log.entryAdded":
		note("log: " + p.Entry.Level + ": " + p.Entry.Text)
	case "Page.javascriptDialogOpening":
		note("dialog: " + p.Message)
	case "Network.requestWillBeSent":
		if !strings.HasPrefix(p.Request.URL, "file:///") && (b.home == "" || !strings.HasPrefix(p.Request.URL, b.home)) {
			note("request: " + p.Request.URL)
		}
	}
}

func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	answer := make(chan json.RawMessage, 1)
	b.mu.Lock()
	b.next++
	m := message{ID: b.next, Session: b.session, Method: method, Params: raw}
	b.answers[m.ID] = answer
	b.mu.Unlock()
	if err := websocket.JSON.Send(b.conn, m); err != nil {
		b.t.Fatal(err)
	}
	select {
	case r := <-answer:
		return r
	case <-time.After(time.Minute):
		b.t.Fatalf("%s: no answer", method)
		return nil
	}
}

func (b *browser) newPage() {
	var target struct{ TargetID string }
	must(json.Unmarshal(b.call("Target.createTarget", map[string]any{"url": "about:blank"}), &target))
	var attached struct{ SessionID string }
	must(json.Unmarshal(b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached))
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", map[string]any{})
	}
}

// open shows a page of so many pixels width, and returns when it is loaded.
func (b *browser) open(p *Page, width int, scheme string) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "report.html")
	must(os.WriteFile(path, []byte(htmlOf(b.t, p)), 0o600))
	b.show("file://"+path, width, scheme)
}

// show is open for a page that is there already.
func (b *browser) show(url string, width int, scheme string) {
	b.t.Helper()
	b.mu.Lock()
	b.loaded, b.troubles = make(chan struct{}), nil
	b.mu.Unlock()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": scheme}}})
	b.call("Page.navigate", map[string]any{"url": url})
	select {
	case <-b.loaded:
	case <-time.After(time.Minute):
		b.t.Fatal("the page does not finish loading")
	}
}

// eval runs an expression in the page and decodes what it comes to.
func (b *browser) eval(expression string, into any) {
	b.t.Helper()
	raw := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	must(json.Unmarshal(raw, &r))
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails)
	}
	if into != nil {
		if err := json.Unmarshal(r.Result.Value, into); err != nil {
			b.t.Fatalf("%s: %v in %s", expression, err, r.Result.Value)
		}
	}
}

// quiet fails when the page did what it must not.
func (b *browser) quiet(name string) {
	b.t.Helper()
	b.eval("new Promise(done => requestAnimationFrame(() => setTimeout(done)))", nil)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.troubles) > 0 {
		b.t.Errorf("%s: %s", name, strings.Join(b.troubles, "\n"))
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	b := startBrowser(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *browser)
	}{
		{"every outcome is shown without complaint and fits a phone", browserOutcomes},
		{"the smallest and the largest runs are shown", browserExtremes},
		{"charts are drawn", browserCharts},
		{"the table sorts", browserSorts},
		{"the table filters", browserFilters},
		{"on a phone steps are cards", browserPhone},
		{"figures equal those of the result file", browserFigures},
		{"figures of charts and small tables, too", browserOtherFigures},
		{"what the target said is drawn, read and equal to the file", browserTarget},
		{"a checker finds it accessible", browserAxe},
		{"the live page moves, obeys and ends as the report", browserLive},
		{"nothing in a foreign string runs on the live page", browserLiveNasty},
		{"charts are read with pointer and keys", browserReads},
		{"nothing in a foreign string runs", browserNasty},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.t = t
			test.run(t, b)
		})
	}
}

func browserOutcomes(t *testing.T, b *browser) {
	for _, name := range outcomes {
		if name == "many-red" || name == "many-steps" {
			continue // as the others, only longer
		}
		for _, width := range []int{1280, 800, 360} {
			b.open(samplePage(name), width, "light")
			var overflow int
			b.eval("document.documentElement.scrollWidth - document.documentElement.clientWidth", &overflow)
			if overflow > 0 {
				t.Errorf("%s: %d px wider than a screen of %d", name, overflow, width)
			}
		}
		b.quiet(name)
	}
}

// extremes are runs at the edges of what there is.
func extremes() map[string]*Page {
	pass := samplePage("pass")
	page := func(s shape, change func(*result.Run)) *Page {
		run := sampleRun(s)
		if change != nil {
			change(run)
		}
		return New(&verdict.Verdict{Outcome: verdict.Pass, Limits: pass.Verdict.Limits}, run, pass.Context, nil)
	}
	nothing := func(run *result.Run) {
		run.Cells, run.Tallies, run.Values, run.Rounds = nil, nil, nil, nil
		run.Phases = make([]result.Phases, len(run.Catalog.Steps))
		for i := range run.Series {
			s := &run.Series[i]
			s.Completed, s.Failed, s.Status, s.Errors, s.P50, s.P95, s.P99 = 0, 0, nil, nil, 0, 0, 0
		}
	}
	return map[string]*Page{
		"no requests": page(shape{steps: 3, seconds: 5, open: true}, nothing),
		"one request": page(shape{steps: 1, seconds: 1}, func(run *result.Run) {
			nothing(run)
			h := result.NewHistogram()
			must(h.RecordValue(4200))
			run.Cells = []result.Cell{{Key: result.Key{Stage: 1, Status: 200, Proto: "1.1"}, Count: 1, Latency: h, Service: h}}
			run.Series = run.Series[:1]
		}),
		"all failed": page(shape{steps: 2, seconds: 20}, func(run *result.Run) {
			nothing(run)
			for i := range run.Catalog.Steps {
				run.Cells = append(run.Cells, result.Cell{Key: result.Key{Step: i, Stage: 1, Error: "refused", Failed: true}, Count: 900})
			}
			for i := range run.Series {
				run.Series[i].Completed, run.Series[i].Failed, run.Series[i].Errors = 90, 90, map[string]int64{"refused": 90}
			}
		}),
		"an hour":   page(shape{steps: 14, seconds: 3600, open: true, failing: 0.01}, nil),
		"60 steps":  page(shape{steps: 60, seconds: 60}, nil),
		"500 steps": page(shape{steps: 500, seconds: 60}, nil),
		"a changed load": page(shape{steps: 2, seconds: 30, open: true}, func(run *result.Run) {
			run.Changes = []result.Change{{At: 20 * time.Second, Open: true, Level: 500}, {At: 30 * time.Second, Track: "b", Level: 1}}
		}),
	}
}

func browserExtremes(t *testing.T, b *browser) {
	for name, p := range extremes() {
		for _, width := range []int{1280, 390} {
			b.open(p, width, "light")
			var found struct {
				Overflow, Rows int
				Strange        bool
			}
			b.eval(`({Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
				Rows: document.querySelectorAll("#steptable tbody tr:not(.total)").length,
				Strange: /NaN|Inf|undefined|%!/.test(document.body.innerText + document.documentElement.innerHTML.replace(/<script[^]*/g, ""))})`, &found)
			if found.Overflow > 0 || found.Rows != len(p.listed()) || found.Strange {
				t.Errorf("%s, %d px: %+v, want %d rows", name, width, found, len(p.listed()))
			}
		}
		b.quiet(name)
	}
}

// contrast is computed as WCAG 2.2 does, for the text of a few selectors in both
// colour schemes.
const contrast = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (c) => { canvas.clearRect(0,0,1,1); canvas.fillStyle = c; canvas.fillRect(0,0,1,1); return [...canvas.getImageData(0,0,1,1).data]; };
  const lum = (c) => { const [r,g,b] = c.slice(0,3).map(v => (v /= 255) <= 0.04045 ? v/12.92 : ((v+0.055)/1.055)**2.4); return 0.2126*r+0.7152*g+0.0722*b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > 200) return c; } return [255,255,255,255]; };
  const out = {};
  for (const s of [".lead", ".note", ".mood", ".badge", "thead th", ".tile .sub", "a", ".ys span", ".mark", ".shade span", "summary", "footer"])
    for (const e of document.querySelectorAll(s)) {
      const a = lum(rgb(getComputedStyle(e).color)), b = lum(ground(e));
      const ratio = (Math.max(a,b)+0.05)/(Math.min(a,b)+0.05);
      out[s] = Math.min(out[s] ?? 99, ratio);
    }
  return out;
})()`

func browserCharts(t *testing.T, b *browser) {
	for _, scheme := range []string{"light", "dark"} {
		b.open(samplePage("errors"), 1280, scheme)
		var plots []struct {
			ID    string
			Boxes []struct{ Width, Height float64 }
		}
		b.eval(`[...document.querySelectorAll(".plot")].map(p => ({ID: p.dataset.plot, Boxes: [...p.querySelectorAll("svg path")]
			.map(e => e.getBoundingClientRect()).map(r => ({Width: r.width, Height: r.height}))}))`, &plots)
		var ids []string
		for _, p := range plots {
			ids = append(ids, p.ID)
			if len(p.Boxes) == 0 {
				t.Errorf("%s: chart %s is empty", scheme, p.ID)
			}
			for _, box := range p.Boxes {
				if box.Width < 50 {
					t.Errorf("%s: chart %s has a path of %v", scheme, p.ID, box)
				}
			}
		}
		for _, want := range []string{"latency", "arrivals", "rate", "users", "errors", "percentiles", "cpu", "lag"} {
			if !slices.Contains(ids, want) {
				t.Errorf("%s: no chart %s in %v", scheme, want, ids)
			}
		}
		var ratios map[string]float64
		b.eval(contrast, &ratios)
		for selector, ratio := range ratios {
			if ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f, WCAG AA asks for 4.5", scheme, selector, ratio)
			}
		}
		b.quiet(scheme)
	}
}

const columnOf = `[...document.querySelectorAll("#steptable tbody tr:not(.total)")].map(r => Number(r.querySelector('[data-key="%s"]').dataset.sort))`

func browserSorts(t *testing.T, b *browser) {
	b.open(samplePage("regression"), 1280, "light")
	click := func(key string) (values []float64, state string) {
		b.eval(fmt.Sprintf(`document.querySelector('#steptable th[data-key="%s"] button').click()`, key), nil)
		b.eval(fmt.Sprintf(columnOf, key), &values)
		b.eval(fmt.Sprintf(`document.querySelector('#steptable th[data-key="%s"]').getAttribute("aria-sort")`, key), &state)
		return values, state
	}
	for _, key := range []string{"p95", "requests", "failed", "max"} {
		values, state := click(key)
		if !slices.IsSortedFunc(values, func(x, y float64) int { return int(y - x) }) || state != "descending" {
			t.Errorf("%s: %v, %s", key, values, state)
		}
		if values, state = click(key); !slices.IsSorted(values) || state != "ascending" {
			t.Errorf("%s again: %v, %s", key, values, state)
		}
	}
	var last bool
	b.eval(`[...document.querySelectorAll("#steptable tbody tr")].at(-1).classList.contains("total")`, &last)
	if !last {
		t.Error("the row of the whole run does not stay last")
	}
	b.quiet("sorting")
}

func browserFilters(t *testing.T, b *browser) {
	b.open(samplePage("regression"), 1280, "light")
	for _, c := range []struct {
		text string
		want int
		says string
	}{{"cart", 3, "3 of 14 steps"}, {"get cart", 1, "1 of 14 steps"}, {"slower", 1, "1 of 14 steps"}, {"nowhere", 0, "0 of 14 steps"}, {"", 15, "14 steps"}} {
		var got int
		var says string
		b.eval(fmt.Sprintf(`(() => { const f = document.getElementById("filter"); f.value = %q; f.dispatchEvent(new Event("input")); })()`, c.text), nil)
		b.eval(`[...document.querySelectorAll("#steptable tbody tr")].filter(r => r.offsetParent !== null).length`, &got)
		b.eval(`document.getElementById("shown").textContent`, &says)
		if got != c.want || says != c.says {
			t.Errorf("filter %q shows %d rows and says %q, want %d and %q", c.text, got, says, c.want, c.says)
		}
	}
	b.quiet("filtering")
}

// browserFigures holds what the page shows against what the result file says.
func browserFigures(t *testing.T, b *browser) {
	p := samplePage("errors")
	b.open(p, 1280, "light")
	var file bytes.Buffer
	if err := result.Write(&file, &result.File{Run: p.Run}); err != nil {
		t.Fatal(err)
	}
	type figures struct {
		Name     string
		Requests int64
		Failed   int64
		Rate     float64          `json:"rate_per_s"`
		Latency  map[string]int64 `json:"latency_us"`
		Status   map[string]int64
	}
	var doc struct {
		Total figures
		Steps []figures
	}
	// Means are fractions; the page shows whole microseconds only.
	if err := json.Unmarshal(meanless(file.Bytes()), &doc); err != nil {
		t.Fatal(err)
	}
	var rows []map[string]struct{ Sort, Text string }
	b.eval(`[...document.querySelectorAll("#steptable tbody tr")].map(r => Object.fromEntries([...r.querySelectorAll("[data-key]")]
		.map(c => [c.dataset.key, {Sort: c.dataset.sort, Text: c.textContent}])))`, &rows)
	if len(rows) != len(doc.Steps)+1 {
		t.Fatalf("%d rows for %d steps", len(rows), len(doc.Steps))
	}
	for i, step := range append(doc.Steps, doc.Total) {
		row := rows[i]
		want := map[string][2]string{
			"requests": {fmt.Sprint(step.Requests), unit.Count(step.Requests)},
			"failed":   {fmt.Sprint(float64(step.Failed) / float64(step.Requests)), unit.Share(step.Failed, step.Requests)},
			"rate_per_s": {
				fmt.Sprint(step.Rate), unit.Rate(step.Rate),
			},
		}
		for _, q := range []string{"p50", "p90", "p95", "p99", "max"} {
			want[q] = [2]string{fmt.Sprint(step.Latency[q]), unit.Micros(step.Latency[q])}
		}
		for key, w := range want {
			if got := row[key]; !sameNumber(got.Sort, w[0]) || got.Text != w[1] {
				t.Errorf("%s %s: the page has %q (%s), the file %q (%s)", step.Name, key, got.Text, got.Sort, w[1], w[0])
			}
		}
	}
	var tiles map[string]string
	b.eval(`Object.fromEntries([...document.querySelectorAll("[data-figure]")].map(e => [e.dataset.figure, e.textContent]))`, &tiles)
	for name, want := range map[string]string{
		"requests": unit.Count(doc.Total.Requests), "rate": unit.Rate(doc.Total.Rate), "failed": unit.Share(doc.Total.Failed, doc.Total.Requests),
		"p50": unit.Micros(doc.Total.Latency["p50"]), "p95": unit.Micros(doc.Total.Latency["p95"]), "p99": unit.Micros(doc.Total.Latency["p99"]),
	} {
		if tiles[name] != want {
			t.Errorf("tile %s is %q, the file says %q", name, tiles[name], want)
		}
	}
	b.quiet("figures")
}

func meanless(file []byte) []byte {
	var out [][]byte
	for line := range bytes.Lines(file) {
		if bytes.Contains(line, []byte(`"mean"`)) {
			line = []byte("\"mean\": 0\n")
		}
		out = append(out, line)
	}
	return bytes.Join(out, nil)
}

func sameNumber(a, b string) bool {
	var x, y float64
	_, err1 := fmt.Sscan(a, &x)
	_, err2 := fmt.Sscan(b, &y)
	return errors.Join(err1, err2) == nil && x == y
}

func browserReads(t *testing.T, b *browser) {
	p := samplePage("regression")
	b.open(p, 1280, "light")
	all := slots(p.Run.Series, maxSlots)
	third := &all[2]
	var tip string
	b.eval(`(() => { const f = document.querySelector('[data-plot="latency"] .field'); f.focus();
		for (const key of ["Home", "ArrowRight", "ArrowRight"]) f.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
		return f.querySelector(".tip").innerText })()`, &tip)
	for _, want := range []string{unit.Duration(third.at), unit.Micros(third.p99), unit.Micros(third.p50)} {
		if !strings.Contains(tip, want) {
			t.Errorf("the third point reads %q, which lacks %s", tip, want)
		}
	}
	var shown int
	b.eval(`(() => { const f = document.querySelector('[data-plot="rate"] .field'), r = f.getBoundingClientRect();
		f.dispatchEvent(new PointerEvent("pointermove", {clientX: r.left + r.width, clientY: r.top + 5}));
		return [...document.querySelectorAll(".cross")].filter(c => !c.hidden).length })()`, &shown)
	if shown < 3 {
		t.Errorf("the pointer shows on %d charts", shown)
	}
	b.quiet("reading")
}

func browserNasty(t *testing.T, b *browser) {
	for _, s := range nasty {
		b.open(nastyPage(s), 360, "light")
		var found struct {
			Scripts, Images, Handlers, Links, Overflow int
		}
		b.eval(`({Scripts: document.scripts.length, Images: document.querySelectorAll("img,iframe,object,embed,link,form").length,
			Handlers: [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length,
			Links: [...document.links].filter(a => !/^(https:\/\/ci\.example|file:)/.test(a.href)).length,
			Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth})`, &found)
		if found.Scripts != 2 || found.Images+found.Handlers+found.Links > 0 {
			t.Errorf("%.60q: %+v", s, found)
		}
		if found.Overflow > 0 {
			t.Errorf("%.60q makes the page %d px too wide for a phone", s, found.Overflow)
		}
		b.quiet(fmt.Sprintf("%.60q", s))
	}
}
