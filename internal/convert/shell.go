package convert

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// splitShell takes a text apart as a POSIX shell does (XCU 2.2): single and
// double quotes, $'...', backslashes, continued lines, comments. Each command is
// a list of words. Nothing is expanded: $NAME and $(...) stay as they are, and
// are given in expands. after holds what each command is piped into, or writes to.
func splitShell(text string) (commands []shellCommand, err error) {
	s := &shell{text: strings.ReplaceAll(text, "\r\n", "\n")}
	for s.pos < len(s.text) {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.end()
	return s.commands, nil
}

// A shellCommand is the words of one command.
type shellCommand struct {
	words   []string
	expands []string // what a shell would fill in
	after   string   // a pipe or a redirection, as written
}

type shell struct {
	text     string
	pos      int
	word     strings.Builder
	inWord   bool
	command  shellCommand
	commands []shellCommand
}

func (s *shell) end() {
	s.endWord()
	if len(s.command.words) > 0 {
		s.commands = append(s.commands, s.command)
	}
	s.command = shellCommand{}
}

func (s *shell) endWord() {
	if s.inWord {
		s.command.words = append(s.command.words, s.word.String())
	}
	s.word.Reset()
	s.inWord = false
}

// add adds to the word that is being read.
func (s *shell) add(text string) {
	s.word.WriteString(text)
	s.inWord = true
}

// next reads one character, or what stands in one pair of quotes.
func (s *shell) next() error {
	c := s.text[s.pos]
	rest := s.text[s.pos:]
	switch {
	case c == ' ' || c == '\t':
		s.endWord()
		s.pos++
	case c == '\n' || c == ';' || c == '&':
		s.end()
		s.pos++
	case c == '#' && !s.inWord:
		s.pos += lineLength(rest)
	case c == '|' || c == '>' || c == '<':
		s.tail()
	case c == '\'':
		return s.single()
	case c == '"':
		return s.double()
	case strings.HasPrefix(rest, "$'"):
		return s.ansi()
	case c == '\\':
		s.backslash()
	case c == '$' && len(rest) > 1 && startsExpansion(rest[1]), c == '`':
		s.command.expands = append(s.command.expands, firstWord(rest))
		s.add(rest[:1])
		s.pos++
	default:
		s.add(rest[:1])
		s.pos++
	}
	return nil
}

func startsExpansion(c byte) bool {
	return c == '{' || c == '(' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func firstWord(text string) string {
	if i := strings.IndexAny(text, " \t\n\"'"); i >= 0 {
		return text[:i]
	}
	return text
}

func lineLength(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i
	}
	return len(text)
}

// tail keeps a pipe or a redirection, up to the end of the line.
func (s *shell) tail() {
	n := lineLength(s.text[s.pos:])
	s.endWord()
	s.command.after = strings.TrimSpace(s.text[s.pos : s.pos+n])
	s.pos += n
}

func (s *shell) backslash() {
	switch {
	case strings.HasPrefix(s.text[s.pos:], "\\\n"):
		s.pos += 2
	case s.pos+1 == len(s.text):
		s.pos++ // a continued line that ends: copied without its rest
	default:
		_, size := utf8.DecodeRuneInString(s.text[s.pos+1:])
		s.add(s.text[s.pos+1 : s.pos+1+size])
		s.pos += 1 + size
	}
}

func errOpenQuote(text string) error {
	return badInput("copy the whole command", "a quote that begins at %s does not end", strconv.Quote(firstRunes(text, 20)))
}

func firstRunes(text string, n int) string {
	r := []rune(text)
	return string(r[:min(n, len(r))])
}

func (s *shell) single() error {
	n := strings.IndexByte(s.text[s.pos+1:], '\'')
	if n < 0 {
		return errOpenQuote(s.text[s.pos:])
	}
	s.add(s.text[s.pos+1 : s.pos+1+n])
	s.pos += n + 2
	return nil
}

func (s *shell) double() error {
	start := s.pos
	s.inWord = true
	for s.pos++; s.pos < len(s.text); {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return nil
		case c == '\\' && s.pos+1 < len(s.text):
			switch s.text[s.pos+1] {
			case '$', '`', '"', '\\':
				s.add(s.text[s.pos+1 : s.pos+2])
			case '\n':
			default:
				s.add(s.text[s.pos : s.pos+2])
			}
			s.pos += 2
		case c == '`', c == '$' && s.pos+1 < len(s.text) && startsExpansion(s.text[s.pos+1]):
			s.command.expands = append(s.command.expands, firstWord(s.text[s.pos:]))
			s.word.WriteByte(c)
			s.pos++
		default:
			s.word.WriteByte(c)
			s.pos++
		}
	}
	return errOpenQuote(s.text[start:])
}

// ansi reads $'...', which is how browsers copy what has a quote or a line break
// in it (POSIX.1-2024, XCU 2.2.4).
func (s *shell) ansi() error {
	start := s.pos
	s.inWord = true
	for s.pos += 2; s.pos < len(s.text); {
		c := s.text[s.pos]
		switch {
		case c == '\'':
			s.pos++
			return nil
		case c == '\\' && s.pos+1 < len(s.text):
			s.pos++
			s.escape()
		default:
			s.word.WriteByte(c)
			s.pos++
		}
	}
	return errOpenQuote(s.text[start:])
}

// escape reads what stands behind the backslash of an escape.
func (s *shell) escape() {
	c := s.text[s.pos]
	s.pos++
	if i := strings.IndexByte(`abefnrtv`, c); i >= 0 {
		s.word.WriteByte("\a\b\x1b\f\n\r\t\v"[i])
		return
	}
	switch {
	case c == 'x':
		s.number(16, 2, false)
	case c == 'u':
		s.number(16, 4, true)
	case c == 'U':
		s.number(16, 8, true)
	case c >= '0' && c <= '7':
		s.pos--
		s.number(8, 3, false)
	case c == '\\' || c == '\'' || c == '"' || c == '?':
		s.word.WriteByte(c)
	default:
		s.word.WriteByte('\\')
		s.word.WriteByte(c)
	}
}

// number reads up to most digits: a byte, or a character of Unicode.
func (s *shell) number(base, most int, char bool) {
	end := s.pos
	for end < len(s.text) && end-s.pos < most && digit(s.text[end]) < base {
		end++
	}
	n, err := strconv.ParseUint(s.text[s.pos:end], base, 32)
	s.pos = end
	switch {
	case err != nil: // no digit
		s.word.WriteString(map[bool]string{true: "\\u", false: "\\x"}[char])
	case char:
		s.word.WriteRune(rune(n)) //nolint:gosec // WriteRune writes U+FFFD for what is none
	default:
		s.word.WriteByte(byte(n))
	}
}

func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return 99
}
