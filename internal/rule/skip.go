package rule

import (
	"bytes"
	"encoding/binary"
)

// Skipping what lies beside a path is most of what a check costs. A loop over the
// bytes pays for a branch that the processor guesses wrong at every other quote
// and bracket; here eight bytes are looked at together, without branches: each
// mask below has the top bit of every byte (a lane) that is such a character.
const (
	lanes = 0x8080808080808080
	low7  = ^uint64(lanes)
	ones  = 0x0101010101010101
)

// equal marks the lanes of x that are c. low is x without its top bits, and ascii
// marks the lanes whose top bit was 0. Nothing carries into the next lane: the
// sum is 0xfe at most.
func equal(low, ascii uint64, c byte) uint64 {
	return ascii &^ ((low ^ ones*uint64(c)) + low7)
}

// skipContainer is the offset behind the array or object at i, or -1 when it does
// not end. Brackets are counted, not matched by kind.
func skipContainer(b []byte, i int) int {
	s := skipper{b: b, at: i + 1, depth: 1, escape: -1}
	for s.at < len(b) {
		s.lanes()
		if s.bytes() {
			return s.at
		}
	}
	return -1
}

// A skipper is on its way through an array or object.
type skipper struct {
	b      []byte
	at     int
	depth  int
	inside uint64 // all lanes when at is within a string
	escape int    // offset of the next backslash, or the end
}

// lanes goes on by eight bytes, up to some in which the end may be or a character
// is escaped.
func (s *skipper) lanes() {
	if s.escape < s.at {
		s.escape = len(s.b)
		if n := bytes.IndexByte(s.b[s.at:], '\\'); n >= 0 {
			s.escape = s.at + n
		}
	}
	depth, inside := s.depth, s.inside
	b := s.b[min(s.at, s.escape):s.escape]
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		low, ascii := x&low7, lanes&^x
		// A lane is within a string when the quotes up to it are odd: the product
		// has in each byte how many there are.
		strings := (equal(low, ascii, '"')>>7)*ones<<7 ^ inside
		// '[' and '{' differ in one bit, and so do their ends.
		folded := low | ones*0x20
		ends := count(equal(folded, ascii&^strings, '}'))
		if ends >= depth {
			break
		}
		depth += count(equal(folded, ascii&^strings, '{')) - ends
		inside = -(strings >> 63)
	}
	s.at, s.depth, s.inside = s.escape-len(b), depth, inside
}

// count is the number of lanes that are marked: the product's top byte sums them
// up. It is shorter than bits.OnesCount64, which first asks whether the processor
// has an instruction for it.
func count(marked uint64) int { return int((marked >> 7) * ones >> 56) }

// bytes goes on byte by byte for as many as lanes looks at; true at the end.
func (s *skipper) bytes() bool {
	for stop := min(s.at+8, len(s.b)); s.at < stop; {
		c := s.b[s.at]
		s.at++
		switch {
		case c == '"':
			s.inside = ^s.inside
		case s.inside != 0:
			if c == '\\' {
				s.at++
			}
		case c == '{' || c == '[':
			s.depth++
		case c == '}' || c == ']':
			if s.depth--; s.depth == 0 {
				return true
			}
		}
	}
	return false
}

// skipScalar is the offset behind the number, true, false or null at i.
func skipScalar(b []byte, i int) int {
	start := i
	for i < len(b) && b[i] > ' ' && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ':' && b[i] != '"' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// skipString is the offset behind the string at i, or -1 when it does not end.
func skipString(b []byte, i int) int {
	for j := i + 1; ; {
		n := bytes.IndexByte(b[j:], '"')
		if n < 0 {
			return -1
		}
		j += n + 1
		back := j - 2 // an odd number of backslashes before it: the quote is escaped
		for b[back] == '\\' {
			back--
		}
		if (j-2-back)%2 == 0 {
			return j
		}
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}
