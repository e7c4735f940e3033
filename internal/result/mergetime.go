package result

import (
	"fmt"
	"maps"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// The rows and rounds of shards begin at the same moments of the load, as one
// plan says when. Only where a very long run made its rows longer, at a moment
// of each shard's own, do they differ: then what is finer goes to the row of the
// coarsest in which it began.

// grid is the coarsest of the shards' lists, and of those the one that went on
// longest, with the moments at which its entries begin.
func grid[T any](runs []*Run, of func(*Run) []T, start func(*T) time.Duration) (frame []T, starts []time.Duration) {
	var wide time.Duration
	for _, r := range runs {
		list := of(r)
		if len(list) == 0 {
			continue
		}
		var width time.Duration // of the first entry, which is among the widest
		if len(list) > 1 {
			width = start(&list[1]) - start(&list[0])
		}
		if width > wide || width == wide && len(list) > len(frame) {
			frame, wide = list, width
		}
	}
	for i := range frame {
		starts = append(starts, start(&frame[i]))
	}
	return frame, starts
}

// slot is the index of the entry of a grid in which a moment lies; moments
// before the first belong to it.
func slot(starts []time.Duration, at time.Duration) int {
	i, found := slices.BinarySearch(starts, at)
	if !found {
		i--
	}
	return max(i, 0)
}

// mergedSeries adds up rows. Percentiles of a second cannot be added: the
// highest is kept, so that no slow moment is hidden.
func mergedSeries(runs []*Run) []Second {
	frame, starts := grid(runs, func(r *Run) []Second { return r.Series }, func(s *Second) time.Duration { return s.At })
	all := make([]Second, len(frame))
	for i := range frame {
		all[i] = Second{
			At: frame[i].At, Rest: true, Stage: frame[i].Stage, Status: map[int]int64{}, Errors: map[string]int64{}, Health: Health{Steal: -1},
		}
	}
	for _, r := range runs {
		held := make([]int, len(all)) // rows of this shard in each
		for i := range r.Series {
			held[slot(starts, r.Series[i].At)]++
		}
		for i := range r.Series {
			at := slot(starts, r.Series[i].At)
			addSecond(&all[at], &r.Series[i], held[at])
		}
	}
	return all
}

// addSecond adds a row of a shard, one of so many that go to the same.
func addSecond(into, s *Second, of int) {
	into.Measured, into.Rest = into.Measured || s.Measured, into.Rest && s.Rest
	into.Length = max(into.Length, s.Length*time.Duration(of))
	into.Users += s.Users / of
	into.InFlight += s.InFlight / of
	into.Rate += s.Rate / float64(of)
	into.Offered += s.Offered
	into.Dropped += s.Dropped
	into.Completed += s.Completed
	into.Failed += s.Failed
	into.Status, into.Errors = addCounts(into.Status, s.Status), addCounts(into.Errors, s.Errors)
	into.P50, into.P95, into.P99 = max(into.P50, s.P50), max(into.P95, s.P95), max(into.P99, s.P99)
	into.Health = worstHealth(into.Health, s.Health)
}

func mergedRounds(runs []*Run) ([]Round, error) {
	frame, starts := grid(runs, func(r *Run) []Round { return r.Rounds }, func(r *Round) time.Duration { return r.Start })
	all := make([]Round, len(frame))
	for i, r := range frame {
		all[i] = Round{Index: i, Start: r.Start, Length: r.Length, Health: Health{Steal: -1}}
	}
	sums := make([]map[int]*stepSum, len(all))
	for _, r := range runs {
		for i := range r.Rounds {
			round := &r.Rounds[i]
			at := slot(starts, round.Start)
			if sums[at] == nil {
				sums[at] = map[int]*stepSum{}
			}
			if err := addShardRound(&all[at], sums[at], round); err != nil {
				return nil, fmt.Errorf("round %d of shard %d: %w", round.Index, r.Shard.Index, err)
			}
		}
	}
	for i := range all {
		for _, step := range slices.Sorted(maps.Keys(sums[i])) {
			s := sums[i][step]
			if s.latency != nil {
				payload, err := s.latency.Encode(hdr.V2CompressedEncodingCookieBase)
				if err != nil {
					return nil, fmt.Errorf("round %d: %w", i, err)
				}
				s.Latency = payload
			}
			all[i].Steps = append(all[i].Steps, s.RoundStep)
		}
	}
	return all, nil
}

// A stepSum is a step of a round that is being merged.
type stepSum struct {
	RoundStep
	latency *hdr.Histogram
}

func addShardRound(into *Round, steps map[int]*stepSum, r *Round) error {
	into.Length = max(into.Length, r.Start+r.Length-into.Start)
	into.Offered += r.Offered
	into.Dropped += r.Dropped
	if into.Excluded == "" {
		into.Excluded = r.Excluded
	}
	into.Health = worstHealth(into.Health, r.Health)
	for _, s := range r.Steps {
		sum := steps[s.Step]
		if sum == nil {
			sum = &stepSum{RoundStep: RoundStep{Step: s.Step}}
			steps[s.Step] = sum
		}
		sum.Requests += s.Requests
		sum.Failed += s.Failed
		sum.Errored += s.Errored
		sum.Status, sum.Errors = addCounts(sum.Status, s.Status), addCounts(sum.Errors, s.Errors)
		if len(s.Latency) == 0 {
			continue
		}
		h, err := DecodeHistogram(s.Latency)
		if err != nil {
			return fmt.Errorf("step %d: %w", s.Step, err)
		}
		sum.latency = addHistogram(sum.latency, h)
	}
	return nil
}
