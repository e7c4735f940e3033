package cli

import (
	"strings"

	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/spec"
)

// A problemsError is every mistake in a spec.
type problemsError struct{ problems []spec.Problem }

// Error shows each problem with its line.
func (e problemsError) Error() string {
	var b strings.Builder
	b.WriteString(plural(len(e.problems), "problem") + " in the spec; nothing was sent\n\n")
	_ = report.Problems(&b, e.problems) // a strings.Builder takes everything
	return strings.TrimRight(b.String(), "\n")
}
