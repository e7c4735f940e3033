package spec

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// A span is a stretch of the file, in bytes from its start.
type span struct{ start, end int }

// A source is the text of a spec, and where its lines begin.
type source struct {
	file  string
	text  []byte // without byte-order mark
	lines []int  // byte offset of each line
}

func newSource(file string, text []byte) *source {
	s := &source{file: file, text: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), lines: []int{0}}
	for i, c := range s.text {
		if c == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// pos is the line and column of a byte offset.
func (s *source) pos(offset int) Pos {
	offset = max(0, min(offset, len(s.text)))
	line := sort.Search(len(s.lines), func(i int) bool { return s.lines[i] > offset }) - 1
	return Pos{Line: line + 1, Column: utf8.RuneCount(s.text[s.lines[line]:offset]) + 1}
}

// line is the text of a line counted from 1, without its end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	rest := s.text[s.lines[n-1]:]
	if end := bytes.IndexByte(rest, '\n'); end >= 0 {
		rest = rest[:end]
	}
	return string(bytes.TrimSuffix(rest, []byte("\r")))
}

// problem is one that stands at a stretch of the file.
func (s *source) problem(at span, hint, message string) Problem {
	pos := s.pos(at.start)
	return Problem{File: s.file, Pos: pos, Message: message, Hint: hint, Source: strings.ToValidUTF8(s.line(pos.Line), "?"), Width: s.width(at)}
}

// width is how many characters of the span stand on its first line; at least 1.
func (s *source) width(at span) int {
	start := max(0, min(at.start, len(s.text)))
	end := max(start, min(at.end, len(s.text)))
	stretch := s.text[start:end]
	if i := bytes.IndexAny(stretch, "\r\n"); i >= 0 {
		stretch = stretch[:i]
	}
	return max(1, utf8.RuneCount(stretch))
}
