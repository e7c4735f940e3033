package report

import (
	"strings"
	"unicode"
)

// A table lays cells out in columns for a terminal.
type table struct {
	columns  []column
	rows     [][]cell
	indent   int
	shrink   int   // the column that gives way when the rest is too wide
	ascii    bool  // signs are written in ASCII, which may take more columns
	optional []int // columns left out, in this order, before names get too short
}

type column struct{ right bool }

// A cell is its text and, once it is laid out, its paint.
type cell struct {
	text  string
	paint func(string) string
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

const (
	gap       = 2
	readable  = 18 // a name shorter than this tells little: rather leave out a column
	leastName = 8
)

// layout is the lines of the table, none wider than width unless the columns
// that must stay are.
func (t *table) layout(width int) []string {
	widths := make([]int, len(t.columns))
	for _, row := range t.rows {
		for i, c := range row {
			if t.ascii {
				c.text = ascii(c.text)
				row[i].text = c.text
			}
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	hidden := map[int]bool{}
	name := widths[t.shrink]
	room := func() int {
		left := width - t.indent
		for i, w := range widths {
			if i != t.shrink && !hidden[i] && w > 0 {
				left -= w + gap
			}
		}
		return left
	}
	for _, i := range t.optional {
		if room() >= min(name, readable) {
			break
		}
		hidden[i] = true
	}
	widths[t.shrink] = min(name, max(room(), leastName))
	lines := make([]string, len(t.rows))
	for r, row := range t.rows {
		lines[r] = t.line(row, widths, hidden)
	}
	return lines
}

func (t *table) line(row []cell, widths []int, hidden map[int]bool) string {
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", t.indent))
	for i, c := range row {
		if hidden[i] || widths[i] == 0 {
			continue
		}
		text := c.text
		if i == t.shrink {
			text = cut(text, widths[i])
		}
		pad := strings.Repeat(" ", max(0, widths[i]-columns(text)))
		if c.paint != nil {
			text = c.paint(text)
		}
		if t.columns[i].right {
			text = pad + text
		} else {
			text += pad
		}
		b.WriteString(text + strings.Repeat(" ", gap))
	}
	return strings.TrimRight(b.String(), " ")
}

// columns is how many columns of a terminal s takes: none for marks and
// formats, two for the wide characters of East Asia and for emoji
// (Unicode Standard Annex 11).
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// Columns is how many columns of a terminal a line takes, colours not counted.
func Columns(line string) int { return columns(unpainted(line)) }

func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff,
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	default:
		return 1
	}
}

// cut shortens s to so many columns, in the middle: the end of a path tells as
// much as its beginning.
func cut(s string, width int) string {
	if columns(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	runes := []rune(s)
	head, tail := (width-1)-(width-1)/2, (width-1)/2
	i, j, used := 0, len(runes), 0
	for i < len(runes) && used+runeColumns(runes[i]) <= head {
		used += runeColumns(runes[i])
		i++
	}
	used = 0
	for j > i && used+runeColumns(runes[j-1]) <= tail {
		used += runeColumns(runes[j-1])
		j--
	}
	return string(runes[:i]) + "…" + string(runes[j:])
}

// wrap breaks text into lines of at most so many columns, at spaces where there
// are any. Paint counts for nothing.
func wrap(text string, width int) []string {
	width = max(width, 10)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(text) {
		n := columns(unpainted(word))
		for n > width && unpainted(word) == word { // a name without spaces
			head := prefix(word, width)
			if used > 0 {
				lines, line, used = append(lines, line), "", 0
			}
			lines = append(lines, head)
			word = word[len(head):]
			n = columns(word)
		}
		switch {
		case used == 0:
			line, used = word, n
		case used+1+n <= width:
			line, used = line+" "+word, used+1+n
		default:
			lines = append(lines, line)
			line, used = word, n
		}
	}
	return append(lines, line)
}

// prefix is as much of s as fits into width columns, and at least one character.
func prefix(s string, width int) string {
	used := 0
	for i, r := range s {
		if used += runeColumns(r); used > width && i > 0 {
			return s[:i]
		}
	}
	return s
}

// unpainted is s without colours.
func unpainted(s string) string {
	if !strings.Contains(s, "\x1b") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if n := ansiLength(s[i:]); n > 0 {
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
