package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/verdict"
)

// An Exit is an exit status. Scripts and workflows rely on the numbers.
type Exit int

// The exit statuses.
const (
	ExitPass         Exit = 0   // pass or accepted
	ExitRegression   Exit = 1   // a regression, or a limit broken
	ExitUsage        Exit = 2   // usage or spec error: nothing was sent
	ExitInvalid      Exit = 3   // the run says nothing about the target
	ExitInconclusive Exit = 4   // only with --fail-on inconclusive
	ExitNoBaseline   Exit = 5   // only with --fail-on no-baseline
	ExitInterrupted  Exit = 130 // what was measured is written
)

// A FailOn says which outcomes that are neutral by default turn the exit status
// from 0: regression, threshold and invalid always do, unless none is set.
type FailOn struct {
	Inconclusive, NoBaseline bool
	None                     bool // report only
}

// failOnNames are the words of --fail-on.
var failOnNames = []string{"regression", "threshold", "invalid", "inconclusive", "no-baseline", "none"}

// parseFailOn reads a comma-separated list. It adds to what always fails.
func parseFailOn(list string) (FailOn, error) {
	var f FailOn
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		switch word {
		case "inconclusive":
			f.Inconclusive = true
		case "no-baseline":
			f.NoBaseline = true
		case "none":
			f.None = true
		default:
			if word != "" && !slices.Contains(failOnNames, word) {
				return f, fmt.Errorf("fail-on has %q: use %s", word, strings.Join(failOnNames, ", "))
			}
		}
	}
	if f.None && (f.Inconclusive || f.NoBaseline) {
		return f, errors.New(`fail-on has "none" beside others: use "none" alone, or leave it out`)
	}
	return f, nil
}

// exitOf is the one place where an outcome becomes an exit status.
func exitOf(outcome verdict.Outcome, fail FailOn) Exit {
	if fail.None {
		return ExitPass
	}
	switch outcome {
	case verdict.Regression, verdict.Threshold:
		return ExitRegression
	case verdict.Invalid:
		return ExitInvalid
	case verdict.Inconclusive:
		if fail.Inconclusive {
			return ExitInconclusive
		}
	case verdict.NoBaseline:
		if fail.NoBaseline {
			return ExitNoBaseline
		}
	case verdict.Pass, verdict.Accepted:
	}
	return ExitPass
}

// A usageError is a mistake in the command line or a spec: nothing was sent.
type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }
func (u usageError) Unwrap() error { return u.err }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}
