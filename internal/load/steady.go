package load

import (
	"errors"
	"fmt"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// What a round of a paired run should hold, and how long it may be.
const (
	pairedRound    = time.Second // shorter ones pay for the change of sides, longer ones for drift
	pairedArrivals = 20          // on each side; a lower rate makes rounds longer
	pairedBlocks   = 36          // of the planned load at least: twelve for each of three looks
	pairedMost     = 180         // blocks at most, so that the result stays small
	pairedWarmUp   = 3 * time.Second
)

// Steady is the plan of one level that a paired run drives in each round: of
// each track its highest level that is held and measured. Ramps, pauses before a
// track and unmeasured stages have no place in rounds of a second. A load that
// ends with its iterations, or holds no level, cannot be driven so.
func Steady(p plan.Plan) (plan.Plan, error) {
	if p.Parts > 1 {
		return p, errors.New("a paired run cannot be cut into shards: run it on one machine")
	}
	out := plan.Plan{Seed: p.Seed}
	for _, t := range p.Tracks {
		name := "the load"
		if t.Name != "" {
			name = fmt.Sprintf("the load of scenario %q", t.Name)
		}
		if t.Iterations > 0 || t.IterationsPerUser > 0 {
			return p, fmt.Errorf("%s ends with its iterations, and a paired run drives rounds of a fixed length: give it a duration instead of iterations", name)
		}
		best := -1
		for i, s := range t.Stages {
			held := s.Measure && s.Duration > 0 && s.From == s.To && s.To > 0
			if held && (best < 0 || s.To > t.Stages[best].To) {
				best = i
			}
		}
		if best < 0 {
			return p, fmt.Errorf("%s holds no measured level, and a paired run drives one level in every round: add a stage that holds one, such as { rate = \"80/s\", duration = \"1m\" }, or use --rate", name)
		}
		level := t.Stages[best]
		level.Duration = plan.MaxDuration // rounds take from it what they need
		t.Stages = []plan.Stage{level}
		t.Start, t.SpawnRate = 0, 0
		out.Tracks = append(out.Tracks, t)
	}
	return out, out.Validate()
}

// pairedLength is how long rounds of a steady plan are when both sides together
// are driven for load.
func pairedLength(p plan.Plan, load time.Duration) time.Duration {
	rate := 0.0
	for _, t := range p.Tracks {
		if t.Open {
			rate += t.Peak()
		}
	}
	length := pairedRound
	if rate > 0 {
		length = max(length, time.Duration(pairedArrivals/rate*float64(time.Second)))
	}
	length = min(length, load/(2*pairedBlocks))
	return max(length, load/(2*pairedMost), minRound)
}

// A schedule hands out the arrivals of an open track stretch by stretch.
type schedule struct {
	arrivals *plan.Arrivals
	next     plan.Arrival
	more     bool
	from     time.Duration
}

func newSchedule(p plan.Plan, track int) *schedule {
	s := &schedule{arrivals: p.Arrivals(track)}
	s.next, s.more = s.arrivals.Next()
	return s
}

// take returns the arrivals of the next stretch, counted from its start.
func (s *schedule) take(length time.Duration, into []plan.Arrival) []plan.Arrival {
	end := s.from + length
	for s.more && s.next.At < end {
		a := s.next
		a.At -= s.from
		into = append(into, a)
		s.next, s.more = s.arrivals.Next()
	}
	s.from = end
	return into
}
