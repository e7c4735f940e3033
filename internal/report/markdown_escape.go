package report

import (
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// markText writes foreign text into Markdown so that a GitHub-flavoured
// renderer shows it as it is: no emphasis, link, HTML, table cell, formula or
// mention can come of it.
//
// Numeric references stand for every character that Markdown could take for
// markup (CommonMark 0.31.2 section 2.5: they never do). Mentions, issue
// numbers and mail addresses are found by GitHub in the finished HTML, where
// references are gone; a zero-width space behind @ and # breaks those.
func markText(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch r {
		case '@', '#':
			writeReference(&b, r)
			b.WriteString("&#8203;")
		case '\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '$':
			writeReference(&b, r)
		case ':':
			if strings.HasPrefix(s[i:], "://") { // no automatic link
				writeReference(&b, r)
			} else {
				b.WriteRune(r)
			}
		case '.':
			if i >= 3 && strings.EqualFold(s[i-3:i], "www") || numbersItem(s, i) {
				writeReference(&b, r)
			} else {
				b.WriteRune(r)
			}
		case ')':
			if numbersItem(s, i) {
				writeReference(&b, r)
			} else {
				b.WriteRune(r)
			}
		case '+':
			if i == 0 && endsWord(s, i) {
				writeReference(&b, r)
			} else {
				b.WriteRune(r)
			}
		case '-', '=':
			if i == 0 { // could begin a list or underline a heading
				writeReference(&b, r)
			} else {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
	}
	return isolate(b.String())
}

// numbersItem reports whether the full stop or bracket at s[i] could make the
// number of a list.
func numbersItem(s string, i int) bool {
	return i > 0 && strings.Trim(s[:i], "0123456789") == "" && endsWord(s, i)
}

func endsWord(s string, i int) bool { return i+1 == len(s) || s[i+1] == ' ' }

func writeReference(b *strings.Builder, r rune) {
	const digits = "0123456789"
	b.WriteString("&#")
	if r >= 100 {
		b.WriteByte(digits[r/100])
	}
	b.WriteByte(digits[r/10%10])
	b.WriteByte(digits[r%10])
	b.WriteByte(';')
}

// markCode writes a foreign name as a code span, where GitHub looks for no
// mention, link or emoji either. A backtick, which could end the span, becomes
// an apostrophe. In a table a bar is escaped (GFM 0.29 section 4.10); a bar
// behind a backslash, on which renderers differ, becomes a broken bar.
func markCode(s string, inTable bool) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "`", "'"))
	if s == "" {
		return "` `"
	}
	if inTable {
		s = strings.ReplaceAll(s, `\|`, `\¦`)
		s = strings.ReplaceAll(s, "|", `\|`)
	}
	return "`" + isolate(s) + "`"
}

// htmlCode is markCode for inside an HTML block, where Markdown does not reach.
func htmlCode(s string) string { return "<code>" + html.EscapeString(isolate(s)) + "</code>" }

// markProse dresses prose for a paragraph, or for a cell of a table.
func markProse(p prose, inTable bool) string {
	var b strings.Builder
	for _, s := range p {
		switch s.kind {
		case strong:
			b.WriteString("**" + s.text + "**")
		case code:
			b.WriteString(markCode(s.text, inTable))
		case foreign:
			for i, part := range quoted(s.text) {
				if i%2 == 0 {
					b.WriteString(markText(part))
				} else {
					b.WriteString(markCode(part, inTable))
				}
			}
		default:
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// quoted splits a message at its backticks: every second part is to be set as
// code. Nothing in backticks is nothing.
func quoted(s string) []string {
	for strings.Contains(s, "``") {
		s = strings.ReplaceAll(s, "``", "")
	}
	return strings.Split(s, "`")
}

// link is a Markdown link to an address of the web; the bare text when the
// address is anything else.
func link(text, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(address) > 2000 || !utf8.ValidString(address) {
		return text
	}
	return "[" + text + "](" + webAddress(u) + ")"
}

// webAddress writes u without any character that Markdown or HTML could take
// for the end of it.
func webAddress(u *url.URL) string {
	var b strings.Builder
	const hex = "0123456789ABCDEF"
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>[]\\`\"'|*_~{}^$@", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
