package report

import (
	"fmt"
	"slices"
	"testing"
)

// browserPhone holds that a phone shows all there is of the steps without
// scrolling sideways, and that what sorts and filters does so there, too.
func browserPhone(t *testing.T, b *browser) {
	for _, name := range []string{"regression", "one-step", "errors", "no-baseline"} {
		b.open(samplePage(name), 390, "light")
		var wide []string
		b.eval(`[...document.querySelectorAll(".scroll")].filter(e => !e.closest("details") && e.scrollWidth > e.clientWidth).map(e => e.getAttribute("aria-label"))`, &wide)
		if len(wide) > 0 {
			t.Errorf("%s: %q scroll sideways on a phone", name, wide)
		}
		var hidden []string
		b.eval(`[...document.querySelectorAll("#steptable tbody tr:first-child :is(th,td)")].filter(e => {
			const r = e.getBoundingClientRect(); return r.width < 1 || r.height < 1 || r.left < 0 || r.right > innerWidth }).map(e => e.dataset.key ?? e.className)`, &hidden)
		if len(hidden) > 0 {
			t.Errorf("%s: of a step %q are not seen on a phone", name, hidden)
		}
		var wrong []string
		b.eval(`[...document.querySelectorAll("#steptable tbody tr")].flatMap(r => { r.scrollIntoView({block: "center"});
			const top = r.cells[0].getBoundingClientRect().top, out = [];
			for (const c of r.cells) { const box = c.getBoundingClientRect(), text = c.querySelector("span") ?? c, at = text.getBoundingClientRect();
				if (box.height > 0 && box.top < top - 4) out.push("above the name: " + c.textContent);
				if (at.height > 0 && c.textContent && !c.contains(document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2))) out.push("covered: " + c.textContent); }
			return out })`, &wrong)
		if len(wrong) > 0 {
			t.Errorf("%s: %q", name, wrong)
		}
		b.quiet(name)
	}

	b.open(samplePage("regression"), 390, "light")
	var values []float64
	b.eval(`document.querySelector('#steptable th[data-key="p95"] button').click()`, nil)
	b.eval(`[...document.querySelectorAll("#steptable tbody tr:not(.total)")].map(r => Number(r.querySelector('[data-key="p95"]').dataset.sort))`, &values)
	if len(values) != 14 || !slices.IsSortedFunc(values, func(x, y float64) int { return int(y - x) }) {
		t.Errorf("sorted by p95: %v", values)
	}
	var shown int
	b.eval(`(() => { const f = document.getElementById("filter"); f.value = "cart"; f.dispatchEvent(new Event("input"));
		return [...document.querySelectorAll("#steptable tbody tr")].filter(r => r.getBoundingClientRect().height > 0).length })()`, &shown)
	if shown != 3 {
		t.Errorf("the filter leaves %d steps, want 3", shown)
	}

	// A tap reads a chart, and a tap elsewhere is the end of it.
	b.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": true})
	defer b.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": false})
	tap := func(selector string, tips int) {
		var at struct{ X, Y float64 }
		b.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect();
			return {X: r.left + r.width / 2, Y: r.top + r.height / 2} })()`, selector), &at)
		b.call("Input.dispatchTouchEvent", map[string]any{"type": "touchStart", "touchPoints": []any{map[string]any{"x": at.X, "y": at.Y}}})
		b.call("Input.dispatchTouchEvent", map[string]any{"type": "touchEnd", "touchPoints": []any{}})
		b.until(fmt.Sprintf(`[...document.querySelectorAll(".tip")].filter(t => !t.hidden).length === %d`, tips))
	}
	tap(`[data-plot="rate"] .field`, 1)
	tap("#filter", 0)

	// The tab key goes as the eye does: no element asks for another place.
	var jumps int
	b.eval(`[...document.querySelectorAll("[tabindex]")].filter(e => e.tabIndex > 0).length`, &jumps)
	if jumps > 0 {
		t.Errorf("%d elements have a tab order of their own", jumps)
	}
	b.quiet("phone")
}
