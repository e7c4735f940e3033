package spec

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A mark is the place of one value in the file, and of what is in it. The TOML
// library gives places only for mistakes of syntax, so the text, known by then
// to be valid TOML, is read a second time for where everything stands. Marks
// hold no values: those are the library's.
type mark struct {
	key   span // the key as written, or the header; for an item of a list, the item itself
	val   span // the value; the same as key for what a header makes
	order []string
	kids  map[string]*mark
	items []*mark
}

// kid finds or makes the mark of a key.
func (m *mark) kid(name string, key span) *mark {
	if k := m.kids[name]; k != nil {
		return k
	}
	if m.kids == nil {
		m.kids = map[string]*mark{}
	}
	k := &mark{key: key, val: key}
	m.kids[name] = k
	m.order = append(m.order, name)
	return k
}

// inner is the table that a header or dotted key goes on in: the last item of
// a list of tables, else the mark itself.
func (m *mark) inner() *mark {
	if n := len(m.items); n > 0 {
		return m.items[n-1]
	}
	return m
}

// A part is one part of a dotted key, decoded.
type part struct {
	name string
	at   span
}

// A marker reads valid TOML for its places. On text that is not valid it stops
// early or finds nonsense, but it does end.
type marker struct {
	text []byte
	i    int
}

// marks finds the place of every key and value.
func marks(text []byte) *mark {
	root := &mark{}
	m := &marker{text: text}
	table := root
	for m.skip(" \t\r\n"); m.i < len(m.text); m.skip(" \t\r\n") {
		before := m.i
		switch m.text[m.i] {
		case '#':
			m.comment()
		case '[':
			table = m.header(root)
		default:
			m.pair(table)
		}
		if m.i == before {
			return root
		}
	}
	return root
}

func (m *marker) peek() byte {
	if m.i < len(m.text) {
		return m.text[m.i]
	}
	return 0
}

// eat steps over c if it comes next, and says whether it did.
func (m *marker) eat(c byte) bool {
	if m.peek() != c || m.i >= len(m.text) {
		return false
	}
	m.i++
	return true
}

func (m *marker) skip(set string) {
	for m.i < len(m.text) && strings.IndexByte(set, m.text[m.i]) >= 0 {
		m.i++
	}
}

func (m *marker) comment() {
	if n := bytes.IndexByte(m.text[m.i:], '\n'); n >= 0 {
		m.i += n
	} else {
		m.i = len(m.text)
	}
}

// blank skips what may stand between the items of a list or inline table.
func (m *marker) blank() {
	for m.skip(" \t\r\n"); m.peek() == '#'; m.skip(" \t\r\n") {
		m.comment()
	}
}

// maxDepth is how deep brackets may be nested. The TOML library and we go down
// by recursion, which on a file of nothing but brackets would end the process.
const maxDepth = 200

// tooDeep finds the bracket that goes too deep, or -1.
func tooDeep(text []byte) int {
	m := &marker{text: text}
	depth := 0
	for m.i < len(text) {
		switch text[m.i] {
		case '"', '\'':
			m.str()
			continue
		case '#':
			m.comment()
			continue
		case '[', '{':
			if depth++; depth > maxDepth {
				return m.i
			}
		case ']', '}':
			depth = max(0, depth-1)
		}
		m.i++
	}
	return -1
}

// header reads [a.b] or [[a.b]] and gives the table that it opens.
func (m *marker) header(root *mark) *mark {
	start := m.i
	m.eat('[')
	list := m.eat('[')
	parts := m.dotted()
	m.skip(" \t")
	m.eat(']')
	if list {
		m.eat(']')
	}
	at := span{start, m.i}
	table := root
	for i, p := range parts {
		table = table.inner().kid(p.name, at)
		if i == len(parts)-1 && list {
			table.items = append(table.items, &mark{key: at, val: at})
			return table.inner()
		}
	}
	if len(table.items) == 0 && len(table.kids) > 0 {
		// Made before by [a.b]; its own header is the better place.
		table.key, table.val = at, at
	}
	return table.inner()
}

// pair reads a.b = value into a table.
func (m *marker) pair(table *mark) {
	parts := m.dotted()
	m.skip(" \t")
	if !m.eat('=') {
		return
	}
	m.skip(" \t")
	at := table
	for _, p := range parts {
		at = at.inner().kid(p.name, p.at)
	}
	m.value(at)
}

// dotted reads a key of one or more parts.
func (m *marker) dotted() []part {
	var parts []part
	for {
		m.skip(" \t")
		start := m.i
		name := ""
		switch m.peek() {
		case '"', '\'':
			m.str()
			name = decode(m.text[start:m.i], nil)
		default:
			for m.i < len(m.text) && bareKey(m.text[m.i]) {
				m.i++
			}
			name = string(m.text[start:m.i])
		}
		parts = append(parts, part{name, span{start, m.i}})
		m.skip(" \t")
		if !m.eat('.') {
			return parts
		}
	}
}

func bareKey(c byte) bool {
	return c == '_' || c == '-' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// value reads a value and marks it and what it holds.
func (m *marker) value(at *mark) {
	start := m.i
	switch m.peek() {
	case '"', '\'':
		m.str()
	case '[':
		m.i++
		for m.blank(); m.i < len(m.text) && m.peek() != ']'; m.blank() {
			item := &mark{}
			at.items = append(at.items, item)
			before := m.i
			m.value(item)
			item.key = item.val
			m.blank()
			m.eat(',')
			if m.i == before {
				break
			}
		}
		m.eat(']')
	case '{':
		m.i++
		for m.blank(); m.i < len(m.text) && m.peek() != '}'; m.blank() {
			before := m.i
			m.pair(at)
			m.blank()
			m.eat(',')
			if m.i == before {
				break
			}
		}
		m.eat('}')
	default:
		n := bytes.IndexAny(m.text[m.i:], ",]}#\n")
		if n < 0 {
			n = len(m.text) - m.i
		}
		n = len(bytes.TrimRight(m.text[m.i:m.i+n], " \t\r"))
		m.i += n
	}
	at.val = span{start, m.i}
}

// str skips a string of any of the four kinds.
func (m *marker) str() {
	quote := m.peek()
	triple := strings.Repeat(string(quote), 3)
	multi := bytes.HasPrefix(m.text[m.i:], []byte(triple))
	if multi {
		m.i += 3
	} else {
		m.i++
	}
	for m.i < len(m.text) {
		switch c := m.text[m.i]; {
		case c == '\\' && quote == '"':
			m.i = min(m.i+2, len(m.text))
		case c != quote:
			m.i++
		case !multi:
			m.i++
			return
		case bytes.HasPrefix(m.text[m.i:], []byte(triple)):
			// Up to two quotes may stand before the closing three.
			for m.i += 3; m.peek() == quote; m.i++ {
				continue
			}
			return
		default:
			m.i++
		}
	}
}

// decode is the value of a string literal. When from is not nil it is called
// for each byte of the value with the offset in the literal that it comes from.
func decode(literal []byte, from func(offset int)) string {
	if len(literal) < 2 {
		return ""
	}
	quote, skip, end := literal[0], 1, 1
	multi := len(literal) >= 6 && literal[1] == quote && literal[2] == quote
	if multi {
		skip, end = 3, 3
		if bytes.HasPrefix(literal[skip:], []byte("\r\n")) {
			skip += 2
		} else if literal[skip] == '\n' {
			skip++
		}
	}
	var b strings.Builder
	put := func(s string, offset int) {
		b.WriteString(s)
		if from != nil {
			for range len(s) {
				from(offset)
			}
		}
	}
	for i := skip; i < len(literal)-end; {
		c := literal[i]
		if c != '\\' || quote != '"' {
			put(string(literal[i:i+1]), i)
			i++
			continue
		}
		s, n := unescape(literal[i : len(literal)-end])
		put(s, i)
		i += n
	}
	return b.String()
}

// unescape reads one escape at the start of text: what it stands for, and its length.
func unescape(text []byte) (string, int) {
	if len(text) < 2 {
		return "", len(text)
	}
	hex := func(n int) (string, int) {
		if len(text) < 2+n {
			return "", len(text)
		}
		r, err := strconv.ParseUint(string(text[2:2+n]), 16, 32)
		if err != nil {
			return "", 2 + n
		}
		return string(rune(r)), 2 + n
	}
	switch text[1] {
	case 'b':
		return "\b", 2
	case 't':
		return "\t", 2
	case 'n':
		return "\n", 2
	case 'f':
		return "\f", 2
	case 'r':
		return "\r", 2
	case 'e':
		return "\x1b", 2
	case 'x':
		return hex(2)
	case 'u':
		return hex(4)
	case 'U':
		return hex(8)
	case ' ', '\t', '\r', '\n': // a line that goes on: the break and all blanks are left out
		n := 1
		for n < len(text) && strings.IndexByte(" \t\r\n", text[n]) >= 0 {
			n++
		}
		return "", n
	default:
		return string(text[1:2]), 2
	}
}
