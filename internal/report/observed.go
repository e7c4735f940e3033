package report

import "github.com/loadline-ci/loadline/internal/unit"

// told writes a number that the target told of itself, as limits judge it: where
// there is a capacity, as a share of it.
func told(in unit.Base, capacity, value float64) string {
	if capacity > 0 {
		return unit.Percent(value / capacity)
	}
	return unit.In(in, value)
}
