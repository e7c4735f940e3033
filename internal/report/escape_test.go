package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
)

// gfm renders as GitHub does before its own filters: tables, strikethrough,
// automatic links, and HTML let through.
var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote), goldmark.WithRendererOptions(html.WithUnsafe()))

// outline renders Markdown and returns its elements with all their attributes,
// in order and nesting, and the text that stands outside code.
func outline(t testing.TB, markdown string) (elements, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := gfm.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	root, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var out, words strings.Builder
	var walk func(n *nethtml.Node, depth int, code bool)
	walk = func(n *nethtml.Node, depth int, code bool) {
		switch n.Type {
		case nethtml.ElementNode:
			code = code || n.Data == "code" || n.Data == "pre"
			if n.Data == "code" && len(n.Attr) == 0 {
				break // a message may set names in backticks as code
			}
			fmt.Fprintf(&out, "%*s%s", depth, "", n.Data)
			for _, a := range n.Attr {
				fmt.Fprintf(&out, " %s=%q", a.Key, a.Val)
			}
			out.WriteByte('\n')
		case nethtml.CommentNode:
			fmt.Fprintf(&out, "%*s<!-- %s -->\n", depth, "", n.Data)
		case nethtml.TextNode:
			if !code {
				words.WriteString(n.Data)
			}
		default:
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, depth+1, code)
		}
	}
	walk(root, 0, false)
	return out.String(), words.String()
}

// GitHub makes mentions and references out of the finished text, outside code
// (html-pipeline's MentionFilter; docs.github.com, autolinked references).
var notifies = regexp.MustCompile(`(^|[^\w/` + "`" + `])@[\w-]|(^|[^\w&/])#[0-9]`)

const marker = "<!-- loadline v1 key=api/staging run=9871234567.2 sha=8a1e38dc97 -->"

func markdownOf(t testing.TB, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := Markdown(&b, Comment{Marker: marker}, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// links are compared by themselves: the page's own addresses hold the string.
var href = regexp.MustCompile(`href="[^"]*"`)

func checkBreakout(t *testing.T, s string, plainOutline string) {
	t.Helper()
	markdown := markdownOf(t, nastyPage(s))
	if !strings.HasPrefix(markdown, marker+"\n") {
		t.Errorf("%.60q: the marker is not the first line", s)
	}
	if !utf8.ValidString(markdown) {
		t.Errorf("%.60q: not UTF-8", s)
	}
	got, text := outline(t, markdown)
	for _, h := range href.FindAllString(got, -1) {
		if !strings.HasPrefix(h, `href="https://ci.example/`) {
			t.Errorf("%.60q makes a link: %s", s, h)
		}
	}
	if diff := cmp.Diff(plainOutline, href.ReplaceAllString(got, "href")); diff != "" {
		t.Errorf("%.60q breaks out (-plain +this):\n%s", s, diff)
	}
	if m := notifies.FindString(text); m != "" {
		t.Errorf("%.60q notifies or refers: %q", s, m)
	}
	if i := strings.IndexFunc(markdown, func(r rune) bool {
		return r != '\n' && hidden(r) && r != '\u200b' && r != '\u2068' && r != '\u2069'
	}); i >= 0 {
		t.Errorf("%.60q: control or format character at %d: %q", s, i, markdown[max(0, i-10):min(len(markdown), i+10)])
	}
}

func plainOutline(t testing.TB) string {
	got, _ := outline(t, markdownOf(t, nastyPage("plain name")))
	return href.ReplaceAllString(got, "href")
}

func TestNoStringBreaksOutOfMarkdown(t *testing.T) {
	t.Parallel()
	want := plainOutline(t)
	if !strings.Contains(want, "table") || !strings.Contains(want, "details") {
		t.Fatalf("the plain page is not what it should be:\n%s", want)
	}
	for _, s := range nasty {
		if clean(s, maxName) == "" {
			continue // nothing left: some parts are not written at all
		}
		checkBreakout(t, s, want)
	}
}

// places has s in each kind of place that Markdown has for a foreign string.
func places(s string) string {
	s = clean(s, maxName)
	return "### title (" + markCode(s, false) + ", " + markText(s) + ")\n" +
		markProse(prose{}.sentence(s).say(" and ").code(s), false) + "\n\n" +
		"- " + markProse(prose{}.sentence(s), false) + "\n- " + markText(s) + "\n\n" +
		"| a | b |\n|---|---|\n| " + markCode(s, true) + " | " + markText(s) + " |\n| " + markProse(prose{}.quote(s), true) + " | end |\n\n" +
		markText(s) + "\n\n" +
		"<details><summary>" + htmlCode(s) + "</summary>\n\ntext\n\n</details>\n"
}

func FuzzMarkdownEscapes(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	want, _ := outline(f, places("plain name"))
	f.Fuzz(func(t *testing.T, s string) {
		if clean(s, maxName) == "" {
			t.Skip("nothing left to show")
		}
		got, text := outline(t, places(s))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q breaks out (-plain +this):\n%s", s, diff)
		}
		if m := notifies.FindString(text); m != "" {
			t.Errorf("%q notifies or refers: %q", s, m)
		}
	})
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"plain", "GET /orders", "GET /orders"},
		{"spaces and lines", " a\r\n\tb \u2028 c ", "a b c"},
		{"colours", "\x1b[1;31mred\x1b[0m \x1b]8;;http://x\x1b\\link", "red link"},
		{"lone escape", "a\x1b", "a\ufffd"},
		{"controls", "a\x00b\x7fc\u009bd", "a\ufffdb\ufffdc\ufffdd"},
		{"bidi", "a\u202eb", "a\ufffdb"},
		{"broken UTF-8", "a\xffb", "a\ufffdb"},
		{"joiners stay", "می\u200cخواهم 👩\u200d👩", "می\u200cخواهم 👩\u200d👩"},
		{"marks", "a" + strings.Repeat("\u0301", 9) + "b", "a" + strings.Repeat("\u0301", maxMarks) + "b"},
		{"long", strings.Repeat("x", 300), strings.Repeat("x", maxName) + "…"},
	} {
		if got := clean(c.in, maxName); got != c.want {
			t.Errorf("%s: clean(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, maxName)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, hidden) {
			t.Errorf("clean(%q) = %q", s, got)
		}
		if n := utf8.RuneCountInString(got); n > maxName*2 {
			t.Errorf("clean(%q) has %d characters", s, n)
		}
		if again := clean(got, 2*maxName); again != got {
			t.Errorf("clean twice differs: %q, %q", got, again)
		}
	})
}

func TestLinksAreOfTheWeb(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want string }{
		{"https://github.com/a/b/actions/runs/1", "[run](https://github.com/a/b/actions/runs/1)"},
		{"https://ci.example/a (b)|c?x=<y>", "[run](https://ci.example/a%20%28b%29%7Cc?x=%3Cy%3E)"},
		{"javascript:alert(1)", "run"},
		{"data:text/html,x", "run"},
		{"//evil.example", "run"},
		{"https://", "run"},
		{"::", "run"},
		{"", "run"},
	} {
		if got := link("run", c.address); got != c.want {
			t.Errorf("link(%q) = %s, want %s", c.address, got, c.want)
		}
	}
}
