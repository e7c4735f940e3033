package scenario

import (
	"sync/atomic"

	"github.com/loadline-ci/loadline/internal/spec"
)

// A Missed is a record of a step that found nothing to add in answers that had
// come: a path that is wrong, or a field that is not always there.
type Missed struct {
	Step, Metric string
	Line         int    // of the step in the spec
	Source       string // as the spec writes it
	Answers      int64  // in which it found nothing
	Of           int64  // answers that it looked at
}

// misses counts for one record. It is written to for each answer, by all users.
type misses struct{ looked, missed atomic.Int64 }

// Missed lists the records that found nothing at least once since the load began,
// in the order of the spec.
func (s *Set) Missed() []Missed {
	var all []Missed
	for _, st := range s.recording {
		for i := range st.misses {
			m := &st.misses[i]
			if n := m.missed.Load(); n > 0 {
				r := &st.spec.Record[i]
				all = append(all, Missed{
					Step: st.spec.Name, Metric: s.spec.Metrics[r.Metric].Name, Line: st.spec.Pos.Line, Source: r.Source.Text(),
					Answers: n, Of: m.looked.Load(),
				})
			}
		}
	}
	return all
}

// noteRecords makes room to count for a step whose records read from the answer.
func (s *Set) noteRecords(st *step) {
	for _, r := range st.spec.Record {
		if r.Source != nil {
			st.misses = make([]misses, len(st.spec.Record))
			s.recording = append(s.recording, st)
			return
		}
	}
}

// looked counts an answer in which a record looked for a number.
func (st *step) looked(i int, r *spec.Record, found bool) {
	if r.Source == nil {
		return
	}
	st.misses[i].looked.Add(1)
	if !found {
		st.misses[i].missed.Add(1)
	}
}
