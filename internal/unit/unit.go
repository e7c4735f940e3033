// Package unit reads and writes quantities: durations, rates, sizes, shares.
// Nothing else in loadline turns a number into text for a person.
//
// Each quantity has up to three functions. Parse reads what a spec says
// ("1m30s"), Format writes that same notation, so that what parses prints and
// parses back alike; and the plain name writes for reading ("1m 30s"), with
// three significant digits.
package unit

import (
	"fmt"
	"strconv"
	"strings"
)

// An Error says what is wrong with a written quantity, and what to write.
type Error struct {
	Msg  string // what is wrong, without a final stop
	Hint string // what to do next
}

// Error joins both parts into one sentence.
func (e *Error) Error() string {
	if strings.HasSuffix(e.Msg, "?") || strings.HasSuffix(e.Msg, ":") {
		return e.Msg + " " + e.Hint
	}
	return e.Msg + "; " + e.Hint
}

func errorf(hint, format string, args ...any) *Error {
	return &Error{Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// scanNumber splits text behind its leading decimal number: digits, and
// perhaps a point and more digits. The number is "" when there is none.
func scanNumber(text string) (number, rest string) {
	i := digits(text, 0)
	if i == 0 {
		return "", text
	}
	if i < len(text) && text[i] == '.' {
		if j := digits(text, i+1); j > i+1 {
			i = j
		}
	}
	return text[:i], text[i:]
}

func digits(text string, i int) int {
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return i
}

// plain is x without an exponent, in as few digits as parse back to x.
func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
