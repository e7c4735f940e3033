package plan_test

import (
	"fmt"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
)

// Two seconds of ramp up to four arrivals a second, cut into two shards.
func ExamplePlan_Shard() {
	p := plan.Plan{Seed: 1, Tracks: []plan.Track{{
		Open:   true,
		Stages: []plan.Stage{{Name: "ramp", From: 0, To: 4, Duration: 2 * time.Second, Measure: true}},
		Shares: []plan.Share{{Scenario: 0, Weight: 1}},
	}}}
	if err := p.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	for part := range 2 {
		arrivals := p.Shard(part, 2).Arrivals(0)
		for {
			a, ok := arrivals.Next()
			if !ok {
				break
			}
			fmt.Println("part", part, "arrival", a.N, "at", a.At.Round(time.Millisecond))
		}
	}
	// Output:
	// part 0 arrival 0 at 0s
	// part 0 arrival 2 at 1.414s
	// part 1 arrival 1 at 1s
	// part 1 arrival 3 at 1.732s
}
