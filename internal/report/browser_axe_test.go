package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// axeSource is the text of axe-core (github.com/dequelabs/axe-core, MPL-2.0),
// which .ci/test installs; it is a tool of the test and no part of loadline.
func axeSource(t *testing.T) string {
	t.Helper()
	name := os.Getenv("LOADLINE_AXE")
	if name == "" {
		if cache, err := os.UserCacheDir(); err == nil {
			name = filepath.Join(cache, "loadline-ci", "node", "node_modules", "axe-core", "axe.min.js")
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("needs axe-core: run .ci/test, or name axe.min.js in LOADLINE_AXE (%v)", err)
	}
	return string(text)
}

// A violation is what the checker found wrong.
type violation struct {
	ID, Impact, Help string
	Nodes            []string
}

// axe runs the checker on the page that is open. All its rules count, of every
// impact, best practice included.
func (b *browser) axe(source, name string) {
	b.t.Helper()
	b.eval(source+";0", nil)
	var found []violation
	b.eval(`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help,
		Nodes: v.nodes.slice(0, 3).map(n => n.html.slice(0, 200))})))`, &found)
	for _, v := range found {
		b.t.Errorf("%s: %s (%s): %s\n\t%s", name, v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n\t"))
	}
}

func browserAxe(t *testing.T, b *browser) {
	source := axeSource(t)
	for _, page := range []struct {
		name   string
		page   *Page
		width  int
		scheme string
	}{
		{"regression", samplePage("regression"), 1280, "light"},
		{"errors", samplePage("errors"), 390, "dark"},
		{"regression", samplePage("regression"), 390, "light"},
		{"invalid", samplePage("invalid"), 1280, "light"},
		{"not-ready", samplePage("not-ready"), 1280, "dark"},
		{"target", toldPage(), 390, "light"},
		{"target of both sides", toldPaired(), 1280, "dark"},
	} {
		b.open(page.page, page.width, page.scheme)
		b.eval(`document.querySelectorAll("details").forEach(d => { d.open = true })`, nil)
		b.axe(source, page.name+" "+page.scheme)
		b.quiet(page.name)
	}
}
