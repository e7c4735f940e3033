// Package convert reads what other tools wrote (curl command lines, OpenAPI
// descriptions, HAR recordings, Artillery scripts) and writes a spec.
//
// What a spec cannot say, or what must be decided by a person, is written as a
// comment where it would have stood; nothing is dropped without a word.
// Credentials are never written: they become [secrets] that are taken from the
// environment. Checking the spec is left to package spec.
package convert

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Options say how a spec is written.
type Options struct {
	Source string // what is read, as the user named it; for the first comment
	Name   string // of the spec; "" makes one of the target's host
	Max    int    // most steps that are written; 0 is the reader's own default
}

// maxInput is how much is read of one source. GitHub's own OpenAPI description,
// among the largest there are, has 13 MB.
const maxInput = 128 << 20

// An inputError says what is wrong with a source and what to do about it.
type inputError struct{ what, hint string }

func (e *inputError) Error() string {
	if e.hint == "" {
		return e.what
	}
	return e.what + ": " + e.hint
}

func badInput(hint, format string, args ...any) error {
	return &inputError{fmt.Sprintf(format, args...), hint}
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxInput:
		return nil, badInput("cut it down to what is to be tested", "it has more than 128 MiB")
	case len(strings.TrimSpace(string(text[:min(len(text), 1<<10)]))) == 0 && len(text) < 1<<10:
		return nil, errors.New("it is empty")
	case !utf8.Valid(text):
		return nil, badInput("save it as UTF-8", "it is not UTF-8")
	}
	return []byte(strings.TrimPrefix(string(text), "\ufeff")), nil
}
