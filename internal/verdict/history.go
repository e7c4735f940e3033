package verdict

import (
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
)

const (
	// maxHistories and maxHistory bound what a verdict keeps for charts: rows, and
	// runs of each.
	maxHistories = 20
	maxHistory   = 20
)

// A History is what a row came to in the stored runs that it was compared with,
// oldest first, so that a saved verdict can be drawn without the store.
type History struct {
	Scenario string         `json:"scenario,omitempty"`
	Step     string         `json:"step"`
	Metric   string         `json:"metric"` // a latency quantile
	Points   []HistoryPoint `json:"points"`
}

// A HistoryPoint is one stored run.
type HistoryPoint struct {
	Value    float64 `json:"value"` // µs
	Commit   string  `json:"commit,omitempty"`
	Accepted string  `json:"accepted,omitempty"` // why a slowdown was accepted with it
}

// histories are those of the rows that were called, in the order of the findings.
func histories(findings []Finding, base []*result.Summary) []History {
	quantiles := map[string]float64{"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
	base = base[:min(len(base), maxHistory)]
	var all []History
	for _, f := range findings {
		q, latency := quantiles[f.Metric]
		called := f.Call == Slower || f.Call == Faster || f.Call == NotSure
		if !latency || !called || f.Step == "" || len(all) == maxHistories {
			continue
		}
		h := History{Scenario: f.Scenario, Step: f.Step, Metric: f.Metric}
		for _, run := range slices.Backward(base) {
			row := run.Row(result.RowKey{Scope: result.ScopeStep, Scenario: f.Scenario, Step: f.Step})
			if row == nil {
				continue
			}
			if v, ok := row.Quantile(q); ok {
				h.Points = append(h.Points, HistoryPoint{Value: float64(v.Micros), Commit: run.Commit, Accepted: row.Accepted})
			}
		}
		if len(h.Points) > 1 {
			all = append(all, h)
		}
	}
	return all
}
