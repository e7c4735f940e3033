package stat

import "math"

// StepDown tests many hypotheses at once, so that the chance of even one wrong
// call among them stays below alpha, however they depend on each other. It asks
// call(i, a) for each hypothesis i not yet called, whether it is to be called
// at level a; each call lowers the number that the rest must share alpha with
// (Holm, Scandinavian Journal of Statistics 1979, in rounds). call must be
// monotone: what is called at a level is called at every higher one.
//
// It returns which were called, and the level that each was last asked at.
func StepDown(n int, alpha float64, call func(i int, a float64) bool) (called []bool, level []float64) {
	called, level = make([]bool, n), make([]float64, n)
	for left, more := n, true; more && left > 0; {
		more = false
		a := alpha / float64(left)
		for i := range n {
			if called[i] {
				continue
			}
			level[i] = a
			if call(i, a) {
				called[i], more = true, true
				left--
			}
		}
	}
	return called, level
}

// AtLeast is the chance to see at least hits hits in a sample of size n drawn
// without replacement from pool items of which marked are marked: the one-sided
// test of Fisher for two counts. It is 1 for arguments that make no sense.
func AtLeast(hits, n, marked, pool int) float64 {
	if n < 0 || marked < 0 || pool < n || pool < marked || hits <= 0 {
		return 1
	}
	var p float64
	for k := hits; k <= min(n, marked); k++ {
		if n-k > pool-marked {
			continue
		}
		p += math.Exp(choose(marked, k) + choose(pool-marked, n-k) - choose(pool, n))
	}
	return math.Min(p, 1)
}

// choose is the logarithm of the number of ways to pick k of n.
func choose(n, k int) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}
