package stat

import "math"

// What a creep alarm needs, found by simulation (docs/decisions/0057-creep.md).
const (
	creepReference = 20   // runs that set the level, at least
	creepShortest  = 5    // runs that a slow change takes, at least
	creepLevel     = 5e-6 // chance to see one in flat histories at one run, over all series together
	creepClip      = 3.0  // most that one run may count, in standard deviations
)

// CreepFewest is how many values FindCreep needs.
const CreepFewest = creepReference + creepShortest

// A Creep is a slow change of the level of a series.
type Creep struct {
	Up    bool
	Start int // the first run of the slope that fits best: the likely start
}

// FindCreep says whether the newest runs of a series, oldest first, lie on a slope
// that is too slow to be seen from one run to the next. From each possible start on
// it weighs the runs as a slope would have them, the later the heavier, and holds
// their sum against the mean of all runs before: nothing sees a slope of that length
// sooner (the matched filter). sd is the standard deviation of a run where nothing
// changes, and series how many series are looked through together: the more, the
// more it takes. A value that is NaN or infinite is passed over.
func FindCreep(ys []float64, sd float64, series int) (Creep, bool) {
	if !(sd > 0) {
		return Creep{}, false
	}
	level := Median(ys[:min(len(ys), creepReference)])
	var zs []float64
	var at []int // the run behind each value
	for i, y := range ys {
		if z := (y - level) / sd; finite(z) {
			zs, at = append(zs, math.Max(-creepClip, math.Min(creepClip, z))), append(at, i)
		}
	}
	var before, best float64 // the sum of the values before from
	start := 0
	for from, z := range zs {
		if from >= creepReference && from <= len(zs)-creepShortest {
			if s := slope(zs[from:], before/float64(from), from); math.Abs(s) > math.Abs(best) {
				best, start = s, from
			}
		}
		before += z
	}
	if math.Abs(best) <= Z(1-creepLevel/float64(max(series, 1))) {
		return Creep{}, false
	}
	return Creep{Up: best > 0, Start: at[start]}, true
}

// slope is by how many standard deviations values rise from a mean that n others
// had: their sum with the weights 1, 2, 3 and so on.
func slope(zs []float64, mean float64, n int) float64 {
	var sum, weights, squares float64
	for i, z := range zs {
		w := float64(i + 1)
		sum += w * (z - mean)
		weights += w
		squares += w * w
	}
	return sum / math.Sqrt(squares+weights*weights/float64(n))
}

// Jitter is the spread of the values of a series about a level that may move
// slowly: that of the differences of neighbours (von Neumann, Annals of Mathematical
// Statistics 1941), of which those far off count no more than three times the usual.
// Of n values it is worth two thirds of n-1 degrees of freedom.
func Jitter(ys []float64) Series {
	ys = Finite(ys)
	var ds []float64
	for i := 1; i < len(ys); i++ {
		ds = append(ds, (ys[i]-ys[i-1])/math.Sqrt2)
	}
	most := 3 * MAD(ds)
	var ss float64
	for _, d := range ds {
		ss += math.Min(d*d, most*most)
	}
	return Series{SS: ss * 2 / 3, DF: len(ds) * 2 / 3}
}
