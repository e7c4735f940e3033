package wire

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"
)

// Limits of what a response may carry beside its body. They bound the memory
// that a hostile or broken target can take: a head is kept whole until it ends.
// 128 KiB is four to sixteen times what common servers and proxies send
// (nginx 4-8 KiB, Node 16 KiB, AWS load balancers 64 KiB).
const (
	maxHead    = 128 << 10 // bytes of status line and fields, and of trailers
	maxFields  = 1000      // fields
	maxInterim = 32        // 1xx responses before the final one
)

// A head is a parsed status line with its fields.
type head struct {
	status  int
	proto   string // "1.0" or "1.1"
	length  int64  // Content-Length; -1: none
	chunked bool
	close   bool // the connection ends after this response
	fields  []Field

	unfolded bool // lines were joined in place: its bytes are no longer those that came
}

// text is b as a string that shares its memory: valid as long as b is.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parse reads a head, from its status line to the empty line. b is all of it.
// The fields share b's memory. It takes what net/http takes (bare LF, folded
// lines, a missing reason), and is as strict as that where two readers of the
// same bytes could disagree: names, lengths and transfer encodings.
func (h *head) parse(b []byte) error {
	*h = head{length: -1, fields: h.fields[:0]}
	line, b := cutLine(b)
	minor, err := h.parseStatus(line)
	if err != nil {
		return err
	}
	keep, encodings := false, 0
	for {
		line, b = cutLine(b)
		if len(line) == 0 {
			break
		}
		if len(b) > 0 && (b[0] == ' ' || b[0] == '\t') && bytes.IndexByte(line, ':') > 0 {
			line, b = unfold(line, b)
			h.unfolded = true
		}
		name, value, err := cutField(line)
		if err != nil {
			return err
		}
		if len(h.fields) == maxFields {
			return protocolf("the response has more than %d header fields", maxFields)
		}
		h.fields = append(h.fields, Field{name, value})
		switch len(name) {
		case len("Content-Length"):
			if strings.EqualFold(name, "Content-Length") {
				if err := h.setLength(value); err != nil {
					return err
				}
			}
		case len("Connection"):
			if strings.EqualFold(name, "Connection") {
				h.close = h.close || hasToken(value, "close")
				keep = keep || hasToken(value, "keep-alive")
			}
		case len("Transfer-Encoding"):
			if minor > 0 && strings.EqualFold(name, "Transfer-Encoding") {
				if encodings++; encodings > 1 || !strings.EqualFold(value, "chunked") {
					return protocolf("the response has a transfer encoding other than chunked: %s", quote(value))
				}
				h.chunked = true
			}
		}
	}
	if minor == 0 && !keep {
		h.close = true
	}
	if h.chunked && h.length >= 0 {
		// RFC 9112 6.3: the encoding wins, and as someone on the way may have
		// read it otherwise, the connection must not be used again.
		h.length, h.close = -1, true
	}
	return nil
}

// parseStatus reads "HTTP/1.1 200 OK" and returns the minor version.
func (h *head) parseStatus(line []byte) (minor int, err error) {
	if len(line) < len("HTTP/1.1 200") || string(line[:7]) != "HTTP/1." || line[8] != ' ' {
		return 0, protocolf("the response does not start like HTTP/1: %s", quote(text(line)))
	}
	switch line[7] {
	case '0':
		h.proto = "1.0"
	case '1':
		h.proto, minor = "1.1", 1
	default:
		return 0, protocolf("the response has an unknown version: %s", quote(text(line)))
	}
	rest := line[9:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	if len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return 0, protocolf("the response has no three-digit status: %s", quote(text(line)))
	}
	for _, c := range rest[:3] {
		if c < '0' || c > '9' {
			return 0, protocolf("the response has no three-digit status: %s", quote(text(line)))
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.status < 100 {
		return 0, protocolf("the response has status %03d, which HTTP does not have", h.status)
	}
	return minor, nil
}

// setLength takes one Content-Length. Equal repeats are one; others are an
// attempt to make two readers disagree.
func (h *head) setLength(value string) error {
	n := int64(0)
	if value == "" {
		return protocolf("the response has an empty Content-Length")
	}
	for _, c := range []byte(value) {
		if c < '0' || c > '9' || n > (1<<62)/10 {
			return protocolf("the response has an invalid Content-Length: %s", quote(value))
		}
		n = n*10 + int64(c-'0')
	}
	if h.length >= 0 && h.length != n {
		return protocolf("the response has two different Content-Lengths: %d and %d", h.length, n)
	}
	h.length = n
	return nil
}

// cutLine returns the line at the start of b without its end, and the rest.
func cutLine(b []byte) (line, rest []byte) {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		return b, nil
	}
	line, rest = b[:i], b[i+1:]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, rest
}

// unfold joins the lines that start with a blank to the line before them, in
// place: the joined line is never longer than what it replaces.
func unfold(line, b []byte) (joined, rest []byte) {
	joined = bytes.TrimRight(line, " \t")
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		line, b = cutLine(b)
		joined = append(joined, ' ')
		joined = append(joined, bytes.Trim(line, " \t")...)
	}
	return joined, b
}

// cutField splits "Name: value".
func cutField(line []byte) (name, value string, err error) {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return "", "", protocolf("the response has a header line that is none: %s", quote(text(line)))
	}
	for j, c := range line[:i] {
		// Inner blanks are wrong, but sent by some and taken by net/http. At
		// the end they make "Content-Length :" a length to one reader only.
		if !isToken[c] && (c != ' ' || j == 0 || j == i-1) {
			return "", "", protocolf("the response has an invalid header name: %s", quote(text(line)))
		}
	}
	v := line[i+1:]
	for len(v) > 0 && (v[0] == ' ' || v[0] == '\t') {
		v = v[1:]
	}
	for len(v) > 0 && (v[len(v)-1] == ' ' || v[len(v)-1] == '\t') {
		v = v[:len(v)-1]
	}
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", "", protocolf("the response has a control character in a header: %s", quote(text(line)))
		}
	}
	return text(line[:i]), text(v), nil
}

// isToken marks the bytes of a field name or method (RFC 9110 5.6.2).
var isToken = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()

// hasToken says whether a comma-separated list holds token, in any case.
func hasToken(list, token string) bool {
	for list != "" {
		var item string
		item, list, _ = strings.Cut(list, ",")
		if strings.EqualFold(strings.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}

// headEnd returns the length of the head at the start of b, the empty line
// included, or 0 if it is not complete. from is where the caller stopped
// looking last time.
func headEnd(b []byte, from int) int {
	for i := max(0, from-2); i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return 0
		}
		i += j
		if i+1 < len(b) && b[i+1] == '\n' {
			return i + 2
		}
		if i+2 < len(b) && b[i+1] == '\r' && b[i+2] == '\n' {
			return i + 3
		}
	}
	return 0
}

// quote shortens and escapes what a target sent, for an error message.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
