// Ansi2svg draws what a terminal showed as SVG: it reads text with ANSI colours,
// as `tmux capture-pane -e -p` writes it, and writes a picture of it.
//
//	go run ./.ci/ansi2svg -columns 80 -title '$ loadline run shop.toml' < capture.txt > docs/images/terminal.svg
package main

import (
	"bufio"
	"flag"
	"fmt"
	"html"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The size of one cell, and the space around all of them.
const (
	cellWidth, cellHeight = 8.4, 18.0
	margin                = 16.0
	bar                   = 30.0
)

// colours are those of SGR 30 to 37 on a dark ground, with enough contrast to
// read.
var colours = map[int]string{31: "#ff7b72", 32: "#56d364", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea"}

type style struct {
	colour    string
	bold, dim bool
}

func (s style) attributes() string {
	fill := s.colour
	if fill == "" {
		fill = "#e6edf3"
	}
	if s.dim && s.colour == "" {
		fill = "#8b949e"
	}
	text := ` fill="` + fill + `"`
	if s.bold {
		text += ` font-weight="600"`
	}
	return text
}

func main() {
	columns := flag.Int("columns", 80, "width of the terminal")
	title := flag.String("title", "", "what stands in the title bar")
	flag.Parse()
	if err := draw(*columns, *title); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func draw(columns int, title string) error {
	var lines []string
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		return err
	}
	for len(lines) > 0 && strings.TrimSpace(plain(lines[len(lines)-1])) == "" {
		lines = lines[:len(lines)-1]
	}
	out := bufio.NewWriter(os.Stdout)
	width, height := float64(columns)*cellWidth+2*margin, float64(len(lines))*cellHeight+2*margin+bar
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" role="img" aria-label="%s">`+"\n",
		width, height, width, html.EscapeString(title))
	fmt.Fprintf(out, `<rect width="100%%" height="100%%" rx="10" fill="#0d1117"/><path d="M0 %.0fh%.0f" stroke="#30363d"/>`+"\n", bar, width)
	fmt.Fprintf(out, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" xml:space="preserve">`+"\n")
	fmt.Fprintf(out, `<text x="%.0f" y="20" fill="#8b949e" font-size="13">%s</text>`+"\n", margin, html.EscapeString(title))
	now := style{}
	for i, line := range lines {
		now = drawLine(out, line, bar+margin+float64(i)*cellHeight+13, now)
	}
	fmt.Fprint(out, "</g>\n</svg>\n")
	return out.Flush()
}

// drawLine writes the runs of one line, each at its own column and as long as it
// was, so that columns stand under each other in any font.
func drawLine(out *bufio.Writer, line string, y float64, now style) style {
	column, run := 0, ""
	flush := func() {
		text := strings.TrimRight(run, " ")
		lead := len(text) - len(strings.TrimLeft(text, " "))
		n := utf8.RuneCountInString(text)
		if text = text[lead:]; text != "" {
			x, length := margin+float64(column+lead)*cellWidth, float64(n-lead)*cellWidth
			fmt.Fprintf(out, `<text x="%.1f" y="%.0f" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n", x, y, length, now.attributes(), html.EscapeString(text))
		}
		column += utf8.RuneCountInString(run)
		run = ""
	}
	for line != "" {
		if codes, rest, ok := sgr(line); ok {
			flush()
			now = now.apply(codes)
			line = rest
			continue
		}
		// Two spaces end a run: what comes after them is another column.
		if strings.HasPrefix(line, "  ") && strings.TrimSpace(run) != "" {
			flush()
		}
		_, size := utf8.DecodeRuneInString(line)
		run += line[:size]
		line = line[size:]
	}
	flush()
	return now
}

// sgr splits a colour sequence off the beginning of a line.
func sgr(line string) (codes []int, rest string, ok bool) {
	body, found := strings.CutPrefix(line, "\x1b[")
	if !found {
		return nil, "", false
	}
	text, rest, found := strings.Cut(body, "m")
	if !found || strings.Trim(text, "0123456789;") != "" {
		return nil, "", false
	}
	for part := range strings.SplitSeq(text, ";") {
		n, _ := strconv.Atoi(part) // "" is 0
		codes = append(codes, n)
	}
	return codes, rest, true
}

func (s style) apply(codes []int) style {
	for _, c := range codes {
		switch {
		case c == 0:
			s = style{}
		case c == 1:
			s.bold = true
		case c == 2:
			s.dim = true
		case c == 22:
			s.bold, s.dim = false, false
		case c == 39:
			s.colour = ""
		case c >= 30 && c <= 37:
			s.colour = colours[c]
		}
	}
	return s
}

// plain is a line without its colours.
func plain(line string) string {
	var b strings.Builder
	for line != "" {
		if _, rest, ok := sgr(line); ok {
			line = rest
			continue
		}
		b.WriteByte(line[0])
		line = line[1:]
	}
	return b.String()
}
