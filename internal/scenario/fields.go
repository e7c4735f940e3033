package scenario

import (
	"fmt"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// Fields fills in header fields of a request that no user sends: variables and
// secrets are known there, rows and captures are not.
func Fields(s *spec.Spec, list []spec.Pair) ([]wire.Field, error) {
	var all []wire.Field
	for _, p := range list {
		value, err := p.Value.Append(nil, settings{s})
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", p.Name, err)
		}
		all = append(all, wire.Field{Name: p.Name, Value: string(value)})
	}
	return all, nil
}
