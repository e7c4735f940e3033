package verdict

import (
	"math"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Figures that no sound run has. A file may be damaged, and a histogram ends
// somewhere: what cannot be judged is said, and never passes for unchanged.

const (
	noNumber     = "its figure is no number: the result is damaged"
	measureAgain = "measure again"

	// mostLn is the largest logarithm of a time or ratio that can be: e^25 µs are 20
	// hours.
	mostLn = 25

	// ceiling is the time in µs from which on a histogram may hold no more than that
	// it took as long or longer. Its last bucket is a thousandth wide.
	ceiling = 0.998 * result.MaxMicros
)

// within keeps numbers that cannot be out of the arithmetic.
func within(x, most float64) float64 {
	if math.Abs(x) <= most {
		return x
	}
	return math.NaN()
}

// sensible are the values, with NaN in place of those that cannot be.
func sensible(all []float64) []float64 {
	kept := make([]float64, len(all))
	for i, x := range all {
		kept[i] = within(x, mostLn)
	}
	return kept
}

// doubtCeiling lets no row pass for unchanged where the figure is the highest that a
// histogram holds: how far beyond it the requests are nobody knows.
func (c *candidate) doubtCeiling() {
	latency := c.q > 0
	if !latency || c.Call != Unchanged && c.Call != NotSure || c.Head < ceiling {
		return
	}
	c.Call = NotSure
	c.Why = "it took " + unit.Micros(int64(result.MaxMicros)) + " or more, which is the most that is recorded: whether it got slower cannot be seen"
	c.Remedy = "let requests time out earlier, or mend the base first"
}
