package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/verdict"
)

func text(t *testing.T, p *Page, term Terminal) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Text(&b, term); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTextGolden(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "text/"+name+".txt", []byte(text(t, samplePage(name), Terminal{Width: 100, Unicode: true})))
		})
	}
	golden(t, "text/regression-60.txt", []byte(text(t, samplePage("regression"), Terminal{Width: 60, Unicode: true})))
	golden(t, "text/regression-ascii.txt", []byte(text(t, samplePage("regression"), Terminal{Width: 80})))
	golden(t, "text/regression-colour.txt", []byte(text(t, samplePage("regression"), Terminal{Width: 80, Unicode: true, Colour: true})))
}

// What a target says may be made to fill a line, so that its next word begins one:
// a workflow's runner would have taken that for a command.
func TestTextIsNoWorkflowCommand(t *testing.T) {
	t.Parallel()
	for filler := 1; filler < 100; filler++ {
		p := *samplePage("pass")
		v := *p.Verdict
		p.Verdict = &v
		v.Warnings = []verdict.Reason{{Message: strings.Repeat("a", filler) + " ::error::no ##[error]no " + strings.Repeat("b", 90) + "::warning::no"}}
		got := text(t, &p, Terminal{Width: 80, Unicode: true})
		if !strings.Contains(got, "error") {
			t.Fatalf("it is not shown:\n%s", got)
		}
		for line := range strings.Lines(got) {
			if strings.HasPrefix(strings.TrimSpace(line), "::") || strings.Contains(line, "##[") {
				t.Fatalf("a command: %s", line)
			}
		}
	}
}

func TestTextFitsTheScreen(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		p := samplePage(name)
		for _, width := range []int{60, 80, 132} {
			for l := range strings.SplitSeq(text(t, p, Terminal{Width: width, Unicode: true}), "\n") {
				if columns(l) > width {
					t.Errorf("%s: %d columns, screen has %d: %s", name, columns(l), width, l)
				}
			}
		}
	}
}

func TestTextIsAboutOneScreen(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		if n := strings.Count(text(t, samplePage(name), Terminal{Width: 80, Unicode: true}), "\n"); n > 50 {
			t.Errorf("%s: %d lines", name, n)
		}
	}
}

func TestColourOnlyWhereAsked(t *testing.T) {
	t.Parallel()
	p := samplePage("regression")
	bare := text(t, p, Terminal{Width: 80, Unicode: true})
	if strings.Contains(bare, "\x1b") {
		t.Error("a terminal without colour gets escape sequences")
	}
	if got := unpainted(text(t, p, Terminal{Width: 80, Unicode: true, Colour: true})); got != bare {
		t.Error("colour changes the text or its layout")
	}
}

func TestAsciiTerminalGetsAsciiOnly(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		for i, r := range text(t, samplePage(name), Terminal{Width: 80}) {
			if r > 127 {
				t.Errorf("%s: byte %d is %q", name, i, r)
			}
		}
	}
}

func TestWrapLosesNothing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 50)
	for _, text := range []string{"", "one", "one two three four five six", long, "a " + long + " b", "日本語のとても長い名前です " + long} {
		lines := wrap(text, 20)
		if got, want := strings.Join(strings.Fields(strings.Join(lines, "")), ""), strings.Join(strings.Fields(text), ""); strings.ReplaceAll(got, " ", "") != want {
			t.Errorf("wrap(%q) = %q", text, lines)
		}
		for _, l := range lines {
			if columns(l) > 20 {
				t.Errorf("wrap(%q): %q is wider than 20", text, l)
			}
		}
	}
}

func TestCutKeepsBothEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s     string
		width int
		want  string
	}{
		{"GET /orders", 11, "GET /orders"},
		{"GET /orders/items", 11, "GET /…items"},
		{"日本語のステップ", 7, "日…ップ"[:len("日…ップ")]},
		{"abc", 1, "…"},
		{"abc", 0, ""},
	} {
		got := cut(c.s, c.width)
		if columns(got) > c.width {
			t.Errorf("cut(%q, %d) = %q, %d columns", c.s, c.width, got, columns(got))
		}
		if c.s[0] < 0x80 && got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.s, c.width, got, c.want)
		}
	}
	for w := range 20 {
		if s := cut(fmt.Sprintf("%030d", 7), w); columns(s) > w {
			t.Errorf("cut to %d gives %q", w, s)
		}
	}
}

// A summary must fit the screen it is for, and say how much it leaves out.
func TestTextFitsOneScreen(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		p := samplePage(name)
		for _, size := range []Terminal{{Width: 60, Height: 40}, {Width: 80, Height: 30}, {Width: 80, Height: 24}} {
			got := text(t, p, size)
			lines := strings.Count(got, "\n")
			// In 24 lines the verdict itself may need more; then all lists are short.
			if lines >= size.Height && (size.Height > 24 || lines > size.Height+4) {
				t.Errorf("%s: %d lines on a screen of %d by %d:\n%s", name, lines, size.Width, size.Height, got)
			}
			shown := 0
			for _, row := range p.listed() {
				if strings.Contains(got, "  "+row.label+"  ") {
					shown++
				}
			}
			if full := text(t, p, Terminal{Width: size.Width}); len(full) > len(got) && !strings.Contains(got, "not shown") {
				t.Errorf("%s: shortened without a word (%d of %d steps):\n%s", name, shown, len(p.listed()), got)
			}
		}
	}
}

// More limits are broken than fit: those that are left out do not hold.
func TestHiddenLimitsAreNotCalledKept(t *testing.T) {
	t.Parallel()
	p := *samplePage("threshold")
	v := *p.Verdict
	v.Limits = nil
	for i := range 12 {
		v.Limits = append(v.Limits, verdict.LimitResult{Limit: fmt.Sprintf("errors < %d%%", i+1), Shown: "50%"})
	}
	got := text(t, New(&v, p.Run, p.Context, nil), Terminal{Width: 80})
	if !strings.Contains(got, "4 more limits, 4 of them broken") || strings.Contains(got, "which hold") {
		t.Errorf("twelve broken limits are shown as:\n%s", got)
	}
}

// A run that does not count keeps no limit, neither in full nor counted.
func TestLimitsOfAnInvalidRunAreNotCalledKept(t *testing.T) {
	t.Parallel()
	pages := []string{markdownOf(t, samplePage("invalid"))}
	for _, height := range []int{10, 18, 24, 60} {
		pages = append(pages, text(t, samplePage("invalid"), Terminal{Width: 80, Height: height}))
	}
	for _, got := range pages {
		if strings.Contains(got, "which hold") || strings.Contains(got, "limits hold") {
			t.Errorf("an invalid run keeps limits:\n%s", got)
		}
	}
	if !strings.Contains(pages[1], "3 limits, not judged") {
		t.Errorf("on ten lines:\n%s", pages[1])
	}
}

// A tall screen is there to be used: 20 steps are for logs, which have no height.
func TestATallScreenShowsMoreSteps(t *testing.T) {
	t.Parallel()
	p := samplePage("many-steps")
	shown := func(height int) int {
		got := text(t, p, Terminal{Width: 120, Height: height, Unicode: true})
		if lines := strings.Count(got, "\n"); lines >= height {
			t.Errorf("%d lines on a screen of %d", lines, height)
		}
		return strings.Count(got, "  40/s  ")
	}
	if at24, at60 := shown(24), shown(60); at60-at24 != 36 {
		t.Errorf("%d steps on a screen of 24 lines, %d on one of 60: want 36 more", at24, at60)
	}
}
