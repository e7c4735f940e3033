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

// A FailOn is the set of outcomes that turn the exit status from 0.
type FailOn map[verdict.Outcome]bool

// usualFailures are the outcomes that fail unless --fail-on says otherwise.
var usualFailures = []verdict.Outcome{verdict.Regression, verdict.Threshold, verdict.Invalid}

// failOnNames are the words of --fail-on.
var failOnNames = []string{"regression", "threshold", "invalid", "inconclusive", "no-baseline", "none"}

// parseFailOn reads a comma-separated list of outcomes. One that names any of
// the usual failures is taken as it stands; inconclusive and no-baseline alone
// add to the usual ones; none is nothing at all, for a gate that only reports.
func parseFailOn(list string) (FailOn, error) {
	fail, usual, none := FailOn{}, true, false
	for word := range strings.SplitSeq(list, ",") {
		word = strings.TrimSpace(word)
		switch {
		case word == "":
			continue
		case !slices.Contains(failOnNames, word):
			return nil, fmt.Errorf("fail-on has %q%s: use %s", word, didYouMean(word, failOnNames), strings.Join(failOnNames, ", "))
		case word == "none":
			none = true
			continue
		case slices.Contains(usualFailures, verdict.Outcome(word)):
			usual = false
		}
		fail[verdict.Outcome(word)] = true
	}
	if none && len(fail) > 0 {
		return nil, errors.New(`fail-on has "none" beside others: use "none" alone, or leave it out`)
	}
	if usual && !none {
		for _, o := range usualFailures {
			fail[o] = true
		}
	}
	return fail, nil
}

// exitOf is the one place where an outcome becomes an exit status.
func exitOf(outcome verdict.Outcome, fail FailOn) Exit {
	if !fail[outcome] {
		return ExitPass
	}
	switch outcome {
	case verdict.Regression, verdict.Threshold:
		return ExitRegression
	case verdict.Invalid:
		return ExitInvalid
	case verdict.Inconclusive:
		return ExitInconclusive
	case verdict.NoBaseline:
		return ExitNoBaseline
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
