package stat

import "math"

// Weights of the prior knowledge in Shrink, found by simulation (docs/verdict.md).
const (
	priorDF = 4.0 // what the assumed spread is worth, in runs
	poolDF  = 6.0 // what the spread of all series is worth to one of them
	// The series are of the same runs: together they are worth this many times
	// the runs of one. Three calm runs of an hour are three calm runs, however
	// many steps they had, and say little about tomorrow.
	poolRuns = 2.0
)

// A Series is what is known of the spread of one series of runs: the sum of
// squares about its mean (or about the mean of each of its segments), and the
// degrees of freedom behind it.
type Series struct {
	SS float64
	DF int
}

// A Spread is a variance and its degrees of freedom.
type Spread struct{ Var, DF float64 }

// Shrink estimates the variance of each of several series that are alike, such
// as one metric of all steps. A few runs say little about the spread of one
// step, but much about that of all of them; so each estimate is drawn towards
// the common one, and that towards the prior standard deviation (a moderated t
// test: Smyth, Statistical Applications in Genetics and Molecular Biology 2004).
//
// The series are of the same runs, so what the others add is never worth more
// than one run less than the series itself: two bad days are two bad days,
// however many steps saw them.
func Shrink(all []Series, prior float64) []Spread {
	var ss float64
	df, longest := 0, 0
	for _, s := range all {
		ss += s.SS
		df += s.DF
		longest = max(longest, s.DF)
	}
	pool := prior * prior
	if df > 0 {
		worth := math.Min(float64(df), poolRuns*float64(longest))
		pool = (priorDF*pool + worth*ss/float64(df)) / (priorDF + worth)
	}
	spreads := make([]Spread, len(all))
	for i, s := range all {
		others := max(0, min(df-s.DF, s.DF-1))
		spreads[i] = Spread{
			Var: (poolDF*pool + s.SS) / (poolDF + float64(s.DF)),
			DF:  min(poolDF, priorDF+float64(others)) + float64(s.DF),
		}
	}
	return spreads
}

// Weight of the prior in Tau, and what one remembered comparison is worth: the
// median of absolute values has 37 % of the efficiency of the standard deviation.
const (
	tauPriorWeight = 10.0
	ledgerWeight   = 0.37
)

// A Compared is one past comparison of two deployments: the logarithm of their
// ratio and its standard error.
type Compared struct{ Y, SE float64 }

// Tau estimates the standard deviation of the lasting difference between two
// deployments of the same code, as a logarithm: from past comparisons, of
// which up to a fifth may have been real changes (hence the median), and from
// the value assumed before there were any.
func Tau(past []Compared, prior float64) float64 {
	ys, vars := make([]float64, 0, len(past)), make([]float64, 0, len(past))
	for _, c := range past {
		if !finite(c.Y) || !finite(c.SE) {
			continue
		}
		ys = append(ys, math.Abs(c.Y))
		vars = append(vars, c.SE*c.SE)
	}
	n := ledgerWeight * float64(len(ys))
	var seen float64
	if len(ys) > 0 {
		sd := 1.4826 * Median(ys)
		seen = math.Max(0, sd*sd-Mean(vars))
	}
	return math.Sqrt((tauPriorWeight*prior*prior + n*seen) / (tauPriorWeight + n))
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
