package verdict

import (
	"cmp"
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

// A field is all rows of one scope in all runs: what one row is judged against.
//
// A machine that is slower today makes every step slower; a change of the code
// rarely does. So with enough steps, each is judged by how far it moved beyond
// the others of its own run, in the head as in every stored run.
type field struct {
	table    *table
	keys     []result.RowKey
	control  []bool
	relative bool
	poisoned map[int]int // by stored run: figures left out

	// How far p50 of each row lies from its level, by row: in the head and in
	// each stored run. NaN where it is not known.
	headShift []float64
	runShift  [][]float64
	headPeers peers
	runPeers  []peers
}

func newField(t *table, scope result.Scope) *field {
	f := &field{table: t, poisoned: map[int]int{}}
	for i := range t.heads[0].Rows {
		if row := &t.heads[0].Rows[i]; row.Scope == scope {
			f.keys = append(f.keys, row.Key())
			f.control = append(f.control, row.Control)
		}
	}
	f.shifts()
	f.choosePeers()
	return f
}

// shifts measures how far p50 of each row moved from its level.
func (f *field) shifts() {
	f.headShift = make([]float64, len(f.keys))
	f.runShift = make([][]float64, len(f.table.base))
	for i := range f.runShift {
		f.runShift[i] = make([]float64, len(f.keys))
	}
	for e, k := range f.keys {
		l := f.lane(k, 0.5)
		lv := l.level()
		f.headShift[e] = l.head - lv.centre
		for i := range f.runShift {
			f.runShift[i][e] = lv.rest[i]
		}
	}
}

// lane is a quantile of a row, poisoned runs left out.
func (f *field) lane(k result.RowKey, q float64) lane {
	l := f.table.lane(k, readQuantile(q))
	for _, run := range l.dropPoisoned(prior(q, false)) {
		f.poisoned[run]++
	}
	return l
}

// choosePeers settles what rows are judged against: the control rows where the
// spec names some, else all others if there are enough, else nothing.
func (f *field) choosePeers() {
	controls, others := make([]bool, len(f.keys)), make([]bool, len(f.keys))
	haveControl, steps := false, 0
	for e := range f.keys {
		switch known := !math.IsNaN(f.headShift[e]); {
		case known && f.control[e]:
			controls[e], haveControl = true, true
		case known:
			others[e] = true
			steps++
		}
	}
	use := others
	switch {
	case haveControl:
		use = controls
		f.relative = true
	default:
		f.relative = steps >= fewestPeers
	}
	f.headPeers = newPeers(f.headShift, use)
	for _, shifts := range f.runShift {
		f.runPeers = append(f.runPeers, newPeers(shifts, use))
	}
}

func (f *field) hasControl() bool { return slices.Contains(f.control, true) }

// beyond is the lane of a row less what the other rows did: distances from the
// row's own level, less the peers' shift.
func (f *field) beyond(e int, head float64, own level) lane {
	l := lane{
		head: head - own.centre - f.headPeers.shift(e),
		runs: make([]float64, len(own.rest)), segment: own.segment,
	}
	for i, rest := range own.rest {
		l.runs[i] = rest - f.runPeers[i].shift(e)
	}
	return l
}

// common is the lane of what all rows but control rows share: their median shift.
func (f *field) common() lane {
	return f.medianShift(func(e int) bool { return !f.control[e] })
}

// controls is the lane of what the control rows share.
func (f *field) controls() lane {
	return f.medianShift(func(e int) bool { return f.control[e] })
}

func (f *field) medianShift(use func(e int) bool) lane {
	middle := func(shifts []float64) float64 {
		var kept []float64
		for e, s := range shifts {
			if use(e) {
				kept = append(kept, s)
			}
		}
		return stat.Median(kept)
	}
	l := lane{head: middle(f.headShift), runs: make([]float64, len(f.runShift)), segment: make([]int, len(f.runShift))}
	for i, shifts := range f.runShift {
		l.runs[i] = middle(shifts)
	}
	return l
}

// peers are the shifts of one run that a row may be judged against, in order.
type peers struct {
	sorted []float64
	place  []int // of each row in sorted; -1: not among them
}

func newPeers(shifts []float64, use []bool) peers {
	p := peers{place: make([]int, len(shifts))}
	var order []int
	for e, s := range shifts {
		p.place[e] = -1
		if use[e] && !math.IsNaN(s) {
			order = append(order, e)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(shifts[a], shifts[b]) })
	for i, e := range order {
		p.place[e] = i
		p.sorted = append(p.sorted, shifts[e])
	}
	return p
}

// shift is how far the peers of row e moved: their median. Of an even number the
// two in the middle may disagree, when one of few steps changed; then it is the
// smallest move that lies between them, so that a step that became faster does
// not make the others look slower. NaN without peers.
func (p *peers) shift(e int) float64 {
	n := len(p.sorted)
	out := p.place[e]
	if out >= 0 {
		n--
	}
	if n == 0 {
		return math.NaN()
	}
	at := func(i int) float64 {
		if out >= 0 && i >= out {
			i++
		}
		return p.sorted[i]
	}
	return min(max(0, at((n-1)/2)), at(n/2))
}
