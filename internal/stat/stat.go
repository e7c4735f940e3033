// Package stat says how two samples differ and how sure one may be.
// Numbers in, numbers out: it knows no run, no step and no file.
//
// Values that are NaN or infinite are left out wherever a sample is read: a
// figure that could not be measured says nothing about those that could. What
// cannot be computed at all comes back as NaN, never as a panic.
package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// trim is the share of a sample that is cut off at each end. A fifth withstands
// a bad neighbour who disturbs up to a fifth of the rounds, and costs little
// when nobody does (Wilcox, Introduction to Robust Estimation, 2012, section 3.3).
const trim = 0.2

// A Location is where the middle of a sample lies, and how surely.
type Location struct {
	Y  float64 // 20 % trimmed mean; NaN for an empty sample
	SE float64 // its standard error; NaN for fewer than two values
	DF float64 // degrees of freedom of SE
	K  int     // finite values in the sample
}

// Locate computes the 20 % trimmed mean of xs and its standard error from the
// winsorized variance (Tukey and McLaughlin 1963): with g = floor(0.2 K) values
// cut at each end, se = s_w / ((1 - 2g/K) sqrt(K)) with K - 2g - 1 degrees of
// freedom.
func Locate(xs []float64) Location {
	xs = Finite(xs)
	k := len(xs)
	if k == 0 {
		return Location{Y: math.NaN(), SE: math.NaN()}
	}
	slices.Sort(xs)
	g := int(trim * float64(k))
	kept := xs[g : k-g]
	l := Location{Y: Mean(kept), SE: math.NaN(), DF: float64(k - 2*g - 1), K: k}
	if k < 2 {
		return l
	}
	for i := range g {
		xs[i], xs[k-1-i] = xs[g], xs[k-1-g]
	}
	share := 1 - 2*float64(g)/float64(k)
	l.SE = math.Sqrt(SumSquares(xs)/float64(k-1)) / (share * math.Sqrt(float64(k)))
	return l
}

// Finite returns the values of xs that are neither NaN nor infinite, in a slice
// of its own.
func Finite(xs []float64) []float64 {
	kept := make([]float64, 0, len(xs))
	for _, x := range xs {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			kept = append(kept, x)
		}
	}
	return kept
}

// Mean is the mean of the finite values of xs; NaN when there are none.
func Mean(xs []float64) float64 {
	var sum float64
	n := 0
	for _, x := range xs {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			// Dividing first keeps the sum of huge values finite.
			n++
			sum += (x - sum) / float64(n)
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum
}

// Median is the median of the finite values of xs; NaN when there are none.
func Median(xs []float64) float64 {
	low, high := Middle(xs)
	return low + (high-low)/2
}

// Middle returns the two values around the middle of xs: the same value twice
// for an odd number of finite values, NaN when there are none.
func Middle(xs []float64) (low, high float64) {
	xs = Finite(xs)
	n := len(xs)
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(xs)
	return xs[(n-1)/2], xs[n/2]
}

// MAD is the median distance from the median, times 1.4826, which makes it the
// standard deviation of a normal sample. NaN for an empty one.
func MAD(xs []float64) float64 {
	xs = Finite(xs)
	m := Median(xs)
	for i, x := range xs {
		xs[i] = math.Abs(x - m)
	}
	return 1.4826 * Median(xs)
}

// SumSquares is the sum of squared distances of the finite values of xs from
// their mean; 0 for fewer than two.
func SumSquares(xs []float64) float64 {
	m := Mean(xs)
	var sum float64
	for _, x := range xs {
		if d := x - m; !math.IsNaN(d) && !math.IsInf(d, 0) {
			sum += d * d
		}
	}
	return sum
}

// T is the quantile p of Student's t distribution with df degrees of freedom.
// It is NaN unless df > 0 and 0 < p < 1.
func T(df, p float64) float64 {
	if !(df > 0) || !(p > 0 && p < 1) || math.IsInf(df, 0) {
		return math.NaN()
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// TailDF is the degrees of freedom of the Student's t distribution that has the
// tails of the mean of n independent values, each of the given excess kurtosis:
// averaging divides it by n, and t with df degrees of freedom has 6/(df-4). It is
// infinite for a kurtosis that is no more than normal.
func TailDF(kurtosis float64, n int) float64 {
	if !(kurtosis > 0) {
		return math.Inf(1)
	}
	return 4 + 6*float64(max(n, 1))/kurtosis
}

// Z is the quantile p of the standard normal distribution; NaN unless 0 < p < 1.
func Z(p float64) float64 {
	if !(p > 0 && p < 1) {
		return math.NaN()
	}
	return distuv.UnitNormal.Quantile(p)
}
