package scenario

import (
	"math/rand/v2"
	"sync"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// A feed hands out the rows of one [data.NAME]. It is shared by all users.
type feed struct {
	spec *spec.Feed
	step int // shards of a load take turns: each gives every step-th row

	mu      sync.Mutex
	next    int   // the next row, counted on over all passes
	pass    int   // shuffle: passes whose order was drawn
	order   []int // shuffle: that of the last
	shuffle *rand.Rand
	run     []rule.Value // per = "run": the row of all
}

func newFeed(f *spec.Feed, load plan.Plan, index int) *feed {
	out := &feed{spec: f, step: max(load.Parts, 1), next: load.Part}
	if f.Per == "run" {
		out.next = 0 // one row for all, whichever process they are in
	}
	if f.Order == "shuffle" {
		out.shuffle = rand.New(rand.NewPCG(uint64(load.Seed), saltFeed+uint64(index)))
	}
	return out
}

// Salts keep the random streams of one seed apart.
const (
	saltUser      = 0x75736572_00000000
	saltIteration = 0x69746572_00000000
	saltFeed      = 0x66656564_00000000
)

// row gives the next row; false when there is none left. random draws from the
// user's own generator, so that its rows do not depend on what others do.
func (f *feed) row(random rule.Env) ([]rule.Value, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.spec.Per == "run" {
		if f.run == nil {
			f.run, _ = f.draw(random)
		}
		return f.run, f.run != nil
	}
	return f.draw(random)
}

func (f *feed) draw(random rule.Env) ([]rule.Value, bool) {
	rows := f.spec.Rows
	if len(rows) == 0 {
		return nil, false
	}
	if f.spec.Order == "random" {
		return rows[random.Uint64()%uint64(len(rows))], true
	}
	if f.next >= len(rows) && (f.spec.AtEnd == "stop" || f.spec.Order == "unique") {
		return nil, false
	}
	pass, at := f.next/len(rows), f.next%len(rows)
	f.next += f.step
	if f.shuffle == nil {
		return rows[at], true
	}
	for ; f.pass <= pass; f.pass++ {
		f.order = f.shuffle.Perm(len(rows))
	}
	return rows[f.order[at]], true
}
