package report

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A prose is a sentence or more, in pieces that each page dresses in its own
// way. The pieces keep apart what loadline wrote and what came from outside.
type prose []span

type span struct {
	kind spanKind
	text string
}

type spanKind int

const (
	plain   spanKind = iota // ours
	strong                  // ours, and what the eye should find first
	code                    // foreign: a name, a selector, a URL, set as code
	foreign                 // foreign: a message with names in it
)

func say(text string) prose           { return prose{{plain, text}} }
func (p prose) say(text string) prose { return append(p, span{plain, text}) }
func (p prose) strong(text string) prose {
	return append(p, span{strong, text})
}

func (p prose) code(name string) prose {
	return append(p, span{code, clean(name, maxName)})
}

// quote adds a message that may hold foreign names.
func (p prose) quote(message string) prose {
	return append(p, span{foreign, clean(message, maxMessage)})
}

// sentence is quote with a full stop where the message has no end of its own.
func (p prose) sentence(message string) prose {
	message = clean(message, maxMessage)
	if message != "" && !strings.ContainsAny(message[len(message)-1:], ".!?") && !strings.HasSuffix(message, "…") {
		message += "."
	}
	return append(p, span{foreign, message})
}

// String is the bare text, for pages without any markup.
func (p prose) String() string {
	var b strings.Builder
	for _, s := range p {
		b.WriteString(s.text)
	}
	return b.String()
}

// lowerFirst fits a sentence to stand behind a colon: "GET /x" and "CPU" keep
// their capitals.
func lowerFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(s[n:])
	if unicode.IsUpper(first) && (unicode.IsLower(second) || unicode.IsSpace(second)) {
		return string(unicode.ToLower(first)) + s[n:]
	}
	return s
}

func upperFirst(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

// plural is "1 step", "2 steps"; number is written by unit.
func plural(n int, number, one string) string {
	if n == 1 {
		return number + " " + one
	}
	return number + " " + one + "s"
}
