package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestShrink(t *testing.T) {
	t.Parallel()
	if got := Shrink(nil, 0.1); len(got) != 0 {
		t.Errorf("of no series: %v", got)
	}
	// Without a single degree of freedom the prior is all there is.
	for _, s := range Shrink(make([]Series, 3), 0.1) {
		near(t, "variance from the prior", s.Var, 0.01)
		near(t, "its freedom", s.DF, 4)
	}
	// By hand: pool = (4*0.01 + 0.06) / (4 + 6), then (6*pool + SS) / (6 + DF).
	got := Shrink([]Series{{SS: 0.05, DF: 3}, {SS: 0.01, DF: 3}}, 0.1)
	near(t, "first", got[0].Var, (6*0.01+0.05)/9)
	near(t, "second", got[1].Var, (6*0.01+0.01)/9)
	near(t, "freedom", got[0].DF, 9)
}

// TestShrinkHelps: with three runs a series, the shrunk variances are nearer the
// truth than the plain ones.
func TestShrinkHelps(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	var plain, shrunk float64
	for range 300 {
		var all []Series
		var truth []float64
		for range 10 {
			sd := 0.05 * math.Exp(0.3*rng.NormFloat64())
			var xs []float64
			for range 3 {
				xs = append(xs, sd*rng.NormFloat64())
			}
			truth = append(truth, math.Log(sd*sd))
			all = append(all, Series{SS: SumSquares(xs), DF: 2})
		}
		for i, s := range Shrink(all, 0.05) {
			shrunk += math.Abs(math.Log(s.Var) - truth[i])
			plain += math.Abs(math.Log(all[i].SS/2) - truth[i])
		}
	}
	if shrunk > plain/2 {
		t.Errorf("mean error of the log variance: shrunk %.2f, plain %.2f; want less than half", shrunk/3000, plain/3000)
	}
}

func TestTau(t *testing.T) {
	t.Parallel()
	near(t, "without any comparison", Tau(nil, 0.03), 0.03)
	near(t, "with nothing but nonsense", Tau([]Compared{{math.NaN(), 1}, {1, math.Inf(1)}}, 0.03), 0.03)

	rng := rand.New(rand.NewPCG(8, 9))
	var past []Compared
	for i := range 60 {
		y := 0.02*rng.NormFloat64() + 0.01*rng.NormFloat64()
		if i%6 == 0 {
			y += 0.3 // a real change now and then must not count as noise
		}
		past = append(past, Compared{Y: y, SE: 0.01})
	}
	if got := Tau(past, 0.015); got < 0.015 || got > 0.03 {
		t.Errorf("tau of 60 comparisons with true value 0.02 = %.4f", got)
	}
	for i := range past {
		past[i].Y = 0
	}
	if got := Tau(past, 0.03); got >= 0.03/math.Sqrt2 || got <= 0 {
		t.Errorf("tau of 60 equal deployments = %.4f: below the prior, above 0", got)
	}
}
