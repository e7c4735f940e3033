package verdict

import (
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// The figures of the stored-baseline mode, found by simulation (docs/verdict.md).
const (
	alphaSteps  = 0.0045 // chance to blame any step of an unchanged pull request, shared by all tests
	alphaCommon = 0.0005 // chance to call a shift of all steps together
	minCommon   = 0.10   // least common shift that is spoken of
	hugeCommon  = 0.60   // a common shift that no machine explains
	manyRuns    = 5      // from here on the level is a median, before a mean
	fewestPeers = 3      // steps needed to judge each against the others

	// A stored value this many standard deviations from the others is left out:
	// one poisoned run must not widen the limits of all that follow.
	poisonedSD = 5
)

// prior is the assumed standard deviation from run to run of ln quantile, before
// the stored runs say better: relative to the other steps, and as measured.
func prior(q float64, relative bool) float64 {
	switch {
	case q <= 0.5 && relative:
		return 0.04
	case q <= 0.5:
		return 0.08
	case q <= 0.95 && relative:
		return 0.06
	case q <= 0.95:
		return 0.10
	case relative:
		return 0.10
	default:
		return 0.14
	}
}

// A lane is one figure in every run: what the head came to, and what the stored
// runs did, newest first. NaN stands for a run without it.
type lane struct {
	head    float64
	jobs    int // that have a value behind head
	runs    []float64
	segment []int // by run: 0 is the current level, higher ones are former
}

// A level is where a lane lies, from its stored runs.
type level struct {
	centre  float64   // of the current segment; NaN without a stored run
	n       int       // runs of the current segment behind it
	rest    []float64 // by run: distance from the centre of its own segment
	segment []int
	spread  stat.Series
}

// segments lists the indexes of the runs that have a value, by segment.
func (l *lane) segments() [][]int {
	var all [][]int
	for i, y := range l.runs {
		for len(all) <= l.segment[i] {
			all = append(all, nil)
		}
		if !math.IsNaN(y) {
			all[l.segment[i]] = append(all[l.segment[i]], i)
		}
	}
	return all
}

func (l *lane) values(runs []int) []float64 {
	ys := make([]float64, len(runs))
	for i, run := range runs {
		ys[i] = l.runs[run]
	}
	return ys
}

// level computes the centre of the current segment and the spread about the
// centres of all.
func (l *lane) level() level {
	lv := level{centre: math.NaN(), rest: make([]float64, len(l.runs)), segment: l.segment}
	for i := range lv.rest {
		lv.rest[i] = math.NaN()
	}
	for seg, runs := range l.segments() {
		ys := l.values(runs)
		centre := stat.Mean(ys)
		if len(ys) >= manyRuns {
			centre = stat.Median(ys)
		}
		for i, run := range runs {
			lv.rest[run] = ys[i] - centre
		}
		lv.spread.SS += stat.SumSquares(ys)
		lv.spread.DF += max(0, len(ys)-1)
		if seg == 0 {
			lv.centre, lv.n = centre, len(ys)
		}
	}
	return lv
}

// dropPoisoned blanks stored values that lie far from the others of their
// segment, and returns which runs they were.
func (l *lane) dropPoisoned(sd float64) []int {
	var dropped []int
	for _, runs := range l.segments() {
		if len(runs) < 3 {
			continue // of two, nobody knows which is wrong
		}
		ys := l.values(runs)
		middle, most := stat.Median(ys), poisonedSD*math.Max(sd, stat.MAD(ys))
		for i, run := range runs {
			if math.Abs(ys[i]-middle) > most {
				dropped = append(dropped, run)
			}
		}
	}
	for _, run := range dropped {
		l.runs[run] = math.NaN()
	}
	return dropped
}

// inflation turns the variance of one run into that of the difference between
// the mean of k runs and a level found from n.
func inflation(k, n int) float64 {
	if n >= manyRuns {
		// The median of n values has 1.57 times the variance of their mean.
		return 1/float64(k) + 1.57/float64(n)
	}
	return 1/float64(k) + 1/float64(n)
}

// A table is the rows of a head and its stored runs, side by side.
type table struct {
	heads []*result.Summary // first the run to judge, then its repetitions
	jobs  []int             // by head: the job that made it
	base  []*result.Summary // newest first
	rows  []map[result.RowKey]*result.Row
}

func newTable(heads, base []*result.Summary) *table {
	t := &table{heads: heads, base: base, jobs: jobsOf(heads)}
	for _, s := range append(append([]*result.Summary{}, heads...), base...) {
		rows := make(map[result.RowKey]*result.Row, len(s.Rows))
		for i := range s.Rows {
			rows[s.Rows[i].Key()] = &s.Rows[i]
		}
		t.rows = append(t.rows, rows)
	}
	return t
}

// jobsOf numbers the jobs that made the heads: a run that was made again by the
// same job belongs to the one before it.
func jobsOf(heads []*result.Summary) []int {
	jobs, job := make([]int, len(heads)), -1
	for i, s := range heads {
		if i == 0 || !s.Again {
			job++
		}
		jobs[i] = job
	}
	return jobs
}

// independent is how many of the heads are independent of each other: those of
// one job share its machine and its deployment, so they count as one, in which
// only what passes within minutes has been averaged out.
func (t *table) independent() int { return t.jobs[len(t.jobs)-1] + 1 }

// level is where the heads lie, and how many jobs say so: what each job's runs come
// to, and then what the jobs do.
func (t *table) level(k result.RowKey, read func(*result.Row) float64) (y float64, jobs int) {
	byJob := make([][]float64, t.independent())
	for i, job := range t.jobs {
		if r := t.rows[i][k]; r != nil {
			byJob[job] = append(byJob[job], read(r))
		}
	}
	var levels []float64
	for _, ys := range byJob {
		levels = append(levels, natural(agreeing(ys)))
	}
	levels = stat.Finite(levels)
	return natural(levels), len(levels)
}

// agreeing leaves out, of three runs of one job or more, what lies far from the
// others, as of stored runs: one disturbed run does not decide. Of two, nobody
// knows which is wrong. Of runs on different machines nothing is left out: a row
// without the slow machine, beside others with it, would look faster.
func agreeing(ys []float64) []float64 {
	ys = stat.Finite(ys)
	if len(ys) < 3 {
		return ys
	}
	middle, most := stat.Median(ys), poisonedSD*math.Max(prior(0.5, false), stat.MAD(ys))
	return slices.DeleteFunc(ys, func(y float64) bool { return math.Abs(y-middle) > most })
}

// natural is the logarithm of the mean of what ys are logarithms of. For values
// that agree it is their mean; of two that do not, it stays with the larger one, so
// that a second attempt does not wash out what the first one saw.
func natural(ys []float64) float64 {
	middle := stat.Median(ys)
	var all []float64
	for _, y := range ys {
		all = append(all, math.Exp(y-middle))
	}
	return middle + math.Log(stat.Mean(all))
}

// head returns the row in each head run that has it.
func (t *table) head(k result.RowKey) []*result.Row { return pick(t.rows[:len(t.heads)], k) }

// stored returns the row by stored run; nil where a run has none.
func (t *table) stored(k result.RowKey) []*result.Row {
	all := make([]*result.Row, len(t.base))
	for i := range all {
		all[i] = t.rows[len(t.heads)+i][k]
	}
	return all
}

func pick(runs []map[result.RowKey]*result.Row, k result.RowKey) []*result.Row {
	var all []*result.Row
	for _, rows := range runs {
		if r := rows[k]; r != nil {
			all = append(all, r)
		}
	}
	return all
}

// lane lays out one figure of a row over all runs. read returns NaN for a row
// that does not have it.
func (t *table) lane(k result.RowKey, read func(*result.Row) float64) lane {
	l := lane{runs: make([]float64, len(t.base)), segment: make([]int, len(t.base))}
	l.head, l.jobs = t.level(k, read)
	seg := 0
	for i, r := range t.stored(k) {
		l.segment[i], l.runs[i] = seg, math.NaN()
		if r == nil {
			continue
		}
		l.runs[i] = read(r)
		if r.Restart {
			seg++ // runs before this one were of another level
		}
	}
	return l
}

func readQuantile(q float64) func(*result.Row) float64 {
	return func(r *result.Row) float64 {
		if found, ok := r.Quantile(q); ok {
			return within(found.Y, mostLn)
		}
		return math.NaN()
	}
}

func readRate(r *result.Row) float64 {
	if r.Rate.K == 0 {
		return math.NaN()
	}
	return within(r.Rate.Y, 50)
}
