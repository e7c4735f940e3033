package verdict_test

import (
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// An anchor is a rule that people use today, applied to p50, p95 and p99 of
// every step: blames reports whether it blames the head for step e.
type anchor struct {
	name   string
	blames func(src *sim.Source, base []*result.Summary, head *result.Summary, e int) bool
}

var anchors = []anchor{
	{"ratio 1.10 to the last run", ratio(1.1)},
	{"ratio 1.50 to the last run", ratio(1.5)},
	{"ratio 2.00 to the last run", ratio(2)},
	{"fixed limit, 20% above the mean so far", static},
	{"t-test 0.99 on stored runs", tTest},
	{"t-test on the rounds of two runs, p < 0.001 and > 5%", welch},
	{"Mann-Whitney on the requests of two runs, p < 0.05", mannWhitney},
}

// whole lists ln of the whole-run quantiles of a step.
func whole(s *result.Summary, e int) []float64 {
	var all []float64
	for _, q := range s.Rows[e+1].Latency {
		all = append(all, math.Log(float64(q.Micros)))
	}
	return all
}

func ratio(most float64) func(*sim.Source, []*result.Summary, *result.Summary, int) bool {
	return func(_ *sim.Source, base []*result.Summary, head *result.Summary, e int) bool {
		last := whole(base[0], e)
		for i, x := range whole(head, e) {
			if x-last[i] > math.Log(most) {
				return true
			}
		}
		return false
	}
}

func static(_ *sim.Source, base []*result.Summary, head *result.Summary, e int) bool {
	for i, x := range whole(head, e) {
		if x > stat.Mean(history(base, e, i))+math.Log(1.2) {
			return true
		}
	}
	return false
}

func history(base []*result.Summary, e, i int) []float64 {
	var all []float64
	for _, s := range base {
		all = append(all, whole(s, e)[i])
	}
	return all
}

// tTest is the one-sided prediction bound of stored runs, each metric on its own.
func tTest(_ *sim.Source, base []*result.Summary, head *result.Summary, e int) bool {
	n := float64(len(base))
	for i, x := range whole(head, e) {
		past := history(base, e, i)
		sd := math.Sqrt(stat.SumSquares(past) / (n - 1))
		if x > stat.Mean(past)+stat.T(n-1, 0.99)*sd*math.Sqrt(1+1/n) {
			return true
		}
	}
	return false
}

func welch(_ *sim.Source, base []*result.Summary, head *result.Summary, e int) bool {
	last := base[0].Rows[e+1].Latency
	for i, q := range head.Rows[e+1].Latency {
		d := q.Y - last[i].Y
		if d > math.Log(1.05) && d > stat.T(float64(q.K-1), 1-0.0005)*math.Hypot(q.SE, last[i].SE) {
			return true
		}
	}
	return false
}

// mannWhitney is the two-sided rank test, in its normal approximation.
func mannWhitney(src *sim.Source, base []*result.Summary, head *result.Summary, e int) bool {
	x, y := src.Samples(head, e), src.Samples(base[0], e)
	type mark struct {
		at   float64
		head bool
	}
	var all []mark
	for _, v := range x {
		all = append(all, mark{v, true})
	}
	for _, v := range y {
		all = append(all, mark{v, false})
	}
	slices.SortFunc(all, func(a, b mark) int {
		if a.at < b.at {
			return -1
		}
		return 1
	})
	ranks := 0.0
	for i, m := range all {
		if m.head {
			ranks += float64(i + 1)
		}
	}
	n, m := float64(len(x)), float64(len(y))
	u := ranks - n*(n+1)/2
	return (u-n*m/2)/math.Sqrt(n*m*(n+m+1)/12) > stat.Z(0.975)
}

// study of an anchor: the share of n pull requests in which it blames any step
// (no change), or the changed one.
func (a anchor) study(class sim.Class, change []sim.Change, n int) float64 {
	blamed := 0
	for seed := range uint64(n) {
		src := sim.New(sim.Target{Class: class, Whole: true}, seed)
		base, head := src.Runs(10), src.Run(change...)
		for e := range 5 {
			if len(change) > 0 && e != change[0].Step {
				continue
			}
			if a.blames(src, base, head, e) {
				blamed++
				break
			}
		}
	}
	return float64(blamed) / float64(n)
}
