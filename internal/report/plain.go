package report

import (
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Plain is a second of a run as one line of a log, with words instead of places:
// a log is searched, and read by people who did not see the line before.
func Plain(row *live.Row) string {
	if row.Phase != live.Load {
		return plainPhase(row)
	}
	parts := []string{spanOf(row.ElapsedS) + " of " + spanOf(row.PlannedS)}
	if s := row.Stage; s.N > 1 {
		text := "stage " + unit.Count(int64(s.K)) + "/" + unit.Count(int64(s.N))
		if name := clean(s.Name, 40); name != "" {
			text += " " + name
		}
		parts = append(parts, text)
	}
	if !row.Measured && row.Arm == "" {
		parts = append(parts, "not measured")
	}
	if row.Open {
		parts = append(parts, unit.Rate(row.Asked)+" asked", unit.Rate(float64(row.Started))+" reached")
	}
	parts = append(parts, unit.Count(row.Requests)+" requests/s",
		plural(row.Users, unit.Count(int64(row.Users)), "user"), unit.Count(int64(row.InFlight))+" in flight")
	if row.Latency.P50 > 0 {
		parts = append(parts, "p50 "+unit.Micros(row.Latency.P50)+" p95 "+unit.Micros(row.Latency.P95)+" p99 "+unit.Micros(row.Latency.P99))
	}
	if row.Total.Failed > 0 {
		parts = append(parts, unit.Count(row.Total.Failed)+" failed"+kinds(failures(&result.Figures{Errors: row.Total.Errors})))
	}
	if row.Total.Dropped > 0 {
		parts = append(parts, unit.Count(row.Total.Dropped)+" dropped")
	}
	if text := plainTarget(row.Target); text != "" {
		parts = append(parts, text)
	}
	if h := &row.Health; h.Busy || h.Late || h.NoPorts > 0 {
		parts = append(parts, "generator: cpu "+unit.Percent(wholePercent(h.CPUPercent))+" lag p99 "+unit.Micros(h.LagP99us))
	}
	return strings.Join(parts, ", ")
}

func plainPhase(row *live.Row) string {
	switch row.Phase {
	case live.Waiting:
		text := "waiting for the target"
		if row.Arm != "" {
			text = "waiting for the " + row.Arm
		}
		if note := clean(row.Note, maxName); note != "" {
			text += " at " + note
		}
		return text
	case live.Setup:
		return "setting up"
	default:
		return "summing up"
	}
}

func kinds(all []count) string {
	if len(all) == 0 {
		return ""
	}
	parts := make([]string, 0, len(all))
	for _, c := range first(all, 3) {
		parts = append(parts, c.name+" "+unit.Count(c.n))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// PlainEvery is how much time lies between two lines of a load that is planned
// to take so long: a log of an hour should not have a thousand.
func PlainEvery(planned time.Duration) time.Duration {
	switch {
	case planned <= 2*time.Minute:
		return 5 * time.Second
	case planned <= 10*time.Minute:
		return 10 * time.Second
	default:
		return 30 * time.Second
	}
}
