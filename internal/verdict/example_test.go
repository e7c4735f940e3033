package verdict_test

import (
	"fmt"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// A run whose second step got half as slow again, against ten stored runs. Runs
// come from load, their compact form from result, stored ones from baseline; here
// they are made up.
func ExampleJudge() {
	compare, err := rule.ParseCompare("latency.p50 within 10% or 1ms", rule.Own{})
	if err != nil {
		fmt.Println(err)
		return
	}
	source := sim.New(sim.Target{Class: sim.Quiet}, 1)
	stored := source.Runs(10)
	head := source.Run(slow(1, 1.5))
	v := verdict.Judge(verdict.Input{
		Run: sim.Of(head), Head: head, Base: stored,
		Gate: verdict.Gate{Compare: []verdict.Compare{{Rule: compare}}},
	})
	fmt.Println(v.Outcome)
	for _, f := range v.Findings {
		fmt.Printf("%s %s %s\n", f.Step, f.Metric, f.Call)
	}
	// Output:
	// regression
	// GET /0 p50 unchanged
	// GET /1 p50 slower
	// GET /2 p50 unchanged
	// GET /3 p50 unchanged
	// GET /4 p50 unchanged
	//  throughput unchanged
}
