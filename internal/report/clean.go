package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longest foreign strings on a page, in characters. A spec's author chooses the
// names, so a 10 MB one must cost a page no more than these.
const (
	maxName    = 120
	maxMessage = 600
)

// A run of combining marks longer than this is decoration that climbs over
// neighbouring lines; no written language needs more.
const maxMarks = 4

// clean makes a foreign string fit to stand on one line of any page: valid
// UTF-8, at most so many characters, nothing that moves the cursor, changes the
// direction of what follows or hides. It says nothing about markup: that is for
// each page's own escaping.
func clean(s string, most int) string {
	// What is hidden or squeezed out costs time too, so the input is bounded.
	if longest := most*16 + 1024; len(s) > longest {
		s = s[:longest] + "…"
	}
	var b strings.Builder
	count, marks, space := 0, 0, false
	for i := 0; i < len(s); {
		if ansi := ansiLength(s[i:]); ansi > 0 {
			i += ansi
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case hidden(r):
			r = utf8.RuneError
		case unicode.Is(unicode.M, r):
			if marks++; marks > maxMarks {
				continue
			}
		default:
			marks = 0
		}
		if count++; count > most {
			return b.String() + "…"
		}
		if space {
			b.WriteByte(' ')
			count, space = count+1, false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// hidden reports characters that act instead of being seen: controls, and
// formats such as bidirectional overrides (which can make text read as
// something else, CVE-2021-42574), zero-width spaces and tags. The joiners stay:
// Persian and emoji are not written without them.
func hidden(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	switch r {
	case zeroWidthNonJoiner, zeroWidthJoiner:
		return false
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || unicode.Is(unicode.Cs, r)
}

// ansiLength is the length of the terminal control sequence (ECMA-48: CSI, or
// OSC up to its terminator) that s begins with, 0 if none.
func ansiLength(s string) int {
	if len(s) < 2 || s[0] != 0x1b {
		return 0
	}
	switch s[1] {
	case '[':
		for i := 2; i < len(s) && i < 64; i++ {
			if s[i] >= 0x40 && s[i] <= 0x7e {
				return i + 1
			}
		}
	case ']':
		for i := 2; i < len(s) && i < 1024; i++ {
			if s[i] == 0x07 {
				return i + 1
			}
			if s[i] == 0x1b && i+1 < len(s) && s[i+1] == '\\' {
				return i + 2
			}
		}
	}
	return 1
}

// isolate keeps a string with right-to-left letters from reordering what stands
// beside it (Unicode Bidirectional Algorithm, FSI and PDI).
func isolate(s string) string {
	for _, r := range s {
		if unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return "\u2068" + s + "\u2069"
		}
	}
	return s
}

// short is a commit as people write it: seven digits. What is no commit is "".
func short(sha string) string {
	for _, r := range sha {
		if !strings.ContainsRune("0123456789abcdefABCDEF", r) {
			return ""
		}
	}
	return sha[:min(len(sha), 7)]
}
