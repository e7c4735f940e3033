package report

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// amount writes a number that the target told of itself, in its unit.
func amount(in string, value float64) string {
	switch in {
	case result.UnitBytes:
		return unit.Size(int64(value))
	case result.UnitSeconds:
		return unit.Micros(value * 1e6)
	case result.UnitShare:
		return unit.Percent(value)
	default:
		return unit.Number(value)
	}
}

// told writes such a number as limits judge it: where there is a capacity, as a
// share of it.
func told(in string, limit, value float64) string {
	if limit > 0 {
		return unit.Percent(value / limit)
	}
	return amount(in, value)
}
