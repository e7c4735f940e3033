package spec

import (
	"maps"

	"github.com/loadline-ci/loadline/internal/result"
)

// Catalog is the names behind the indexes of steps, checks, scenarios and
// metrics. load fills in the stages from the plan.
func (s *Spec) Catalog() result.Catalog {
	c := result.Catalog{Metrics: s.Metrics}
	c.Scenarios = make([]string, 0, len(s.Scenarios))
	add := func(steps []*Step, scenario *Scenario, role result.Role) {
		s.catalogSteps(&c, steps, scenario, role)
	}
	add(s.User.OnStart, nil, result.RoleOnStart)
	add(s.User.OnStop, nil, result.RoleOnStop)
	for _, sc := range s.Scenarios {
		c.Scenarios = append(c.Scenarios, sc.Name)
		add(sc.OnStart, sc, result.RoleOnStart)
		add(sc.Steps, sc, result.RoleStep)
	}
	return c
}

func (s *Spec) catalogSteps(c *result.Catalog, steps []*Step, scenario *Scenario, role result.Role) {
	for _, step := range steps {
		if len(step.Parallel) > 0 {
			s.catalogSteps(c, step.Parallel, scenario, role)
			continue
		}
		if step.Index < 0 {
			continue
		}
		row := result.Step{Name: step.Name, Method: step.Method, Role: role, Control: step.Control, Line: step.Pos.Line}
		if scenario != nil {
			row.Scenario = scenario.Name
			row.Tags = mergeTags(scenario.Tags, step.Tags)
		} else {
			row.Tags = mergeTags(nil, step.Tags)
		}
		c.Steps = put(c.Steps, step.Index, row)
		for _, check := range step.Checks {
			if check.Index >= 0 {
				c.Checks = put(c.Checks, check.Index, result.Check{Step: step.Index, Name: check.Name})
			}
		}
	}
}

// put stores a row at an index, growing the list to it.
func put[T any](list []T, i int, row T) []T {
	for len(list) <= i {
		var zero T
		list = append(list, zero)
	}
	list[i] = row
	return list
}

// mergeTags gives a step's tags with those of its scenario; its own win.
func mergeTags(scenario, step map[string]string) map[string]string {
	if len(scenario)+len(step) == 0 {
		return nil
	}
	out := make(map[string]string, len(scenario)+len(step))
	maps.Copy(out, scenario)
	maps.Copy(out, step)
	return out
}

// SecretValues are the texts to mask in every output: [secrets], credentials
// of [http.auth] and headers as far as they stand in the file, and variables of
// the environment that are named like secrets, where the spec uses them.
func (s *Spec) SecretValues() []string { return s.secrets }
