package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/unit"
)

func browserTarget(t *testing.T, b *browser) {
	for _, page := range []struct {
		name   string
		page   *Page
		charts int
	}{{"one target", toldPage(), 8}, {"both sides", toldPaired(), 8}, {"hostile", observedPage("pass", "hostile"), 3}} {
		for _, width := range []int{1280, 375, 320} {
			b.open(page.page, width, "light")
			var found struct {
				Charts, Overflow int
				Empty, Wide      []string
			}
			b.eval(`({Charts: document.querySelectorAll("#target .plot").length,
				Overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
				Empty: [...document.querySelectorAll("#target .plot")].filter(p => ![...p.querySelectorAll("svg path.line")].every(e => e.getBoundingClientRect().width > 50)).map(p => p.dataset.plot),
				Wide: [...document.querySelectorAll("#target .scroll, #target figcaption, #target .note")].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 80))})`, &found)
			if found.Charts != page.charts || found.Overflow > 0 || len(found.Empty) > 0 || len(found.Wide) > 0 {
				t.Errorf("%s on %d px: %+v", page.name, width, found)
			}
			// What is read beside the pointer stands on the screen, wherever that is.
			var outside []string
			b.eval(`[...document.querySelectorAll("#time .field[tabindex], #target .field[tabindex]")].flatMap(f => { f.focus();
				return ["Home", "PageDown", "PageDown", "PageDown", "PageDown", "End"].filter(key => {
					f.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
					const r = f.querySelector(".tip").getBoundingClientRect();
					return r.width < 1 || r.left < 0 || r.right > document.documentElement.clientWidth }).map(key => f.closest(".plot").dataset.plot + " " + key) })`, &outside)
			if len(outside) > 0 {
				t.Errorf("%s on %d px: what is read stands outside the screen: %q", page.name, width, outside)
			}
		}
		b.quiet(page.name)
	}
	for _, p := range []*Page{toldPage(), toldPaired()} {
		b.open(p, 1280, "light")
		doc := saved(t, p.Run)
		figuresOfTarget(t, b, doc)
		b.quiet("the target's figures")
	}

	// One pointer is on the charts of both sections.
	b.open(toldPage(), 1280, "light")
	var read struct {
		Tip, Label string
		Crosses    int
	}
	b.eval(`(() => { const f = document.querySelector('[data-plot="target0"] .field'); f.focus();
		f.dispatchEvent(new KeyboardEvent("keydown", {key: "End", bubbles: true}));
		return {Tip: f.querySelector(".tip").innerText, Label: f.getAttribute("aria-label"),
			Crosses: [...document.querySelectorAll("#time .cross, #target .cross")].filter(c => !c.hidden).length} })()`, &read)
	cpu := toldPage().Run.Observed[0]
	last := cpu.Readings[len(cpu.Readings)-2] // the very last one came after the load
	if want := unit.Number(last.Value) + " · " + unit.Percent(last.Value/4); !strings.Contains(read.Tip, want) || !strings.HasPrefix(read.Label, "cpu") || read.Crosses != 13 {
		t.Errorf("at the end: %+v, want %s", read, want)
	}
}

// figuresOfTarget holds what charts and tables say of the target against the file,
// by the rules of docs/report.md.
func figuresOfTarget(t *testing.T, b *browser, doc savedRun) {
	t.Helper()
	var page struct {
		Data struct {
			Charts map[string][]struct {
				N string
				V []string
			}
		}
		Titles map[string]string
		Rows   [][]string
		Heads  []string
		Silent []string
	}
	b.eval(`({Data: JSON.parse(document.getElementById("timedata").textContent),
		Titles: Object.fromEntries([...document.querySelectorAll("#target .plot")].map(p => [p.dataset.plot, p.querySelector("h3").textContent])),
		Rows: [...document.querySelectorAll("#target tbody tr")].map(r => [...r.cells].map(c => c.textContent)),
		Heads: [...document.querySelectorAll("#time details thead th")].map(h => h.textContent),
		Silent: [...document.querySelectorAll(".silent li")].map(l => l.textContent)})`, &page)

	read, rows, silent := 0, 0, []string{}
	for _, m := range doc.Observed {
		name := m.Role
		if m.Arm != "" {
			name += " " + m.Arm
		}
		if len(m.Readings) == 0 {
			silent = append(silent, fmt.Sprintf("%s was asked for %d times and never read: %s.", m.Role, m.Missed, m.Fault))
			continue
		}
		for id, title := range page.Titles {
			if title != m.Role {
				continue
			}
			for _, line := range page.Data.Charts[id] {
				if m.Arm != "" && line.N != m.Arm {
					continue
				}
				read++
				if len(line.V) != len(doc.Series) {
					t.Fatalf("%s: %d points for %d seconds", name, len(line.V), len(doc.Series))
				}
				for i, s := range doc.Series {
					if want := m.at(s.T); line.V[i] != want {
						t.Errorf("%s at %v s reads %q, the file says %q", name, s.T, line.V[i], want)
					}
				}
			}
		}
		if rows++; rows <= 8 && !slices.Contains(page.Heads, name) {
			t.Errorf("%s has no column in %q", name, page.Heads)
		}
		if want := m.row(doc); !slices.ContainsFunc(page.Rows, func(r []string) bool { return slices.Equal(r, want) }) {
			t.Errorf("no row %q in\n%q", want, page.Rows)
		}
	}
	if read != rows || rows < 8 || len(page.Rows) != len(doc.Observed) {
		t.Errorf("%d lines and %d rows for %d metrics", read, len(page.Rows), len(doc.Observed))
	}
	if d := cmp.Diff(silent, page.Silent); d != "" {
		t.Errorf("never read (-file +page):\n%s", d)
	}
}

func (m *savedMetric) written(v float64) string {
	text := unit.In(unit.Base(m.Unit), v)
	if m.Limit > 0 {
		text += " · " + unit.Percent(v/m.Limit)
	}
	return text
}

// at is what a pointer reads in the second that begins at t: its highest reading,
// else the last one within two and a half times its interval of the middle.
func (m *savedMetric) at(t float64) string {
	within, before := math.Inf(-1), math.Inf(-1)
	value := 0.0
	for _, r := range m.Readings {
		switch {
		case r.T < 0 || r.T >= t+1:
		case r.T >= t:
			within = max(within, r.Value)
		default:
			before, value = r.T, r.Value
		}
	}
	switch {
	case !math.IsInf(within, 0):
		return m.written(within)
	case t+0.5-before <= 2.5*m.Every:
		return m.written(value)
	}
	return "–"
}

// row is that of the table, of load that counts.
func (m *savedMetric) row(doc savedRun) []string {
	var counted []float64
	for _, r := range m.Readings {
		if doc.counts(r.T) {
			counted = append(counted, r.Value)
		}
	}
	sum := 0.0
	for _, v := range counted {
		sum += v
	}
	in := unit.Base(m.Unit)
	row := []string{m.Role}
	if doc.Run.Mode == "paired" {
		row = append(row, m.Arm)
	}
	share := "–"
	if m.Limit > 0 {
		share = unit.Percent(slices.Max(counted)/m.Limit) + " of " + unit.In(in, m.Limit)
	}
	return append(row, unit.In(in, counted[len(counted)-1]), unit.In(in, sum/float64(len(counted))), unit.In(in, slices.Max(counted)),
		share, unit.Count(int64(len(counted))), m.Source)
}

// counts is whether a moment lies in measured load, of whichever side.
func (doc *savedRun) counts(t float64) bool {
	if doc.Run.Mode == "paired" {
		for _, r := range doc.Rounds {
			if t >= r.Start && t < r.Start+r.Length {
				return true
			}
		}
		return false
	}
	for _, s := range doc.Series {
		if t >= s.T && t < s.T+1 {
			return s.Measured
		}
	}
	return false
}
