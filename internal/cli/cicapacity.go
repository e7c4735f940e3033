package cli

import (
	"fmt"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// capacityChanges says in words which capacities of the target's series differ
// between two specs: a limit on target.ROLE is a share of them, so whoever doubles
// one halves what the limit sees.
func capacityChanges(base, head *spec.Spec) (out []string) {
	before := capacities(base)
	for i := range head.Observe {
		for _, s := range head.Observe[i].Series {
			if was, known := before[s.Role]; known && was.Limit != s.Limit {
				out = append(out, fmt.Sprintf("%s of %s instead of %s", s.Role, capacity(&s), capacity(&was)))
			}
		}
	}
	return out
}

// keepCapacities gives the series of head the capacities that base has for them.
func keepCapacities(base, head *spec.Spec) {
	before := capacities(base)
	for i := range head.Observe {
		for j := range head.Observe[i].Series {
			s := &head.Observe[i].Series[j]
			if was, known := before[s.Role]; known && was.Limit != s.Limit {
				s.Limit, s.Unit = was.Limit, was.Unit
			}
		}
	}
}

// capacities are the series of a spec by their roles, of several the first.
func capacities(s *spec.Spec) map[string]spec.Series {
	all := map[string]spec.Series{}
	for i := range s.Observe {
		for _, series := range s.Observe[i].Series {
			if _, have := all[series.Role]; !have {
				all[series.Role] = series
			}
		}
	}
	return all
}

func capacity(s *spec.Series) string {
	if s.Limit == 0 {
		return "no capacity"
	}
	return unit.In(s.Unit, s.Limit)
}
