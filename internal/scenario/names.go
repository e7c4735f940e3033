package scenario

import (
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

// A ref says where the value of a name is kept.
type ref struct {
	kind   refKind
	index  int // of a slot or feed
	column int
	value  rule.Value // constant; a slot may have one below it
}

type refKind uint8

const (
	refConstant  refKind = iota // [vars], [secrets]
	refSlot                     // a capture or for_each variable
	refColumn                   // of a feed
	refUserID                   // user.id
	refIteration                // iteration
)

// A slot is a captured value; set is false before it was.
type slot struct {
	value rule.Value
	set   bool
}

// declare finds every name that a template can use.
func (s *Set) declare() {
	for name, v := range s.spec.Vars {
		s.names[name] = ref{value: v}
	}
	for name, v := range s.spec.Secrets {
		s.names[name] = ref{value: v}
	}
	for i, f := range s.spec.Feeds {
		s.feeds = append(s.feeds, newFeed(f, s.spec.Load, i))
		for j, column := range f.Columns {
			s.names[f.Name+"."+column] = ref{kind: refColumn, index: i, column: j}
		}
	}
	s.names["user.id"] = ref{kind: refUserID}
	s.names["iteration"] = ref{kind: refIteration}
	lists := [][]*spec.Step{s.spec.Setup, s.spec.User.OnStart, s.spec.User.OnStop, s.spec.Teardown}
	for _, sc := range s.spec.Scenarios {
		lists = append(lists, sc.OnStart, sc.Steps)
	}
	for _, steps := range lists {
		s.declareSteps(steps)
	}
}

func (s *Set) declareSteps(steps []*spec.Step) {
	for _, st := range steps {
		if st.ForEach != nil {
			s.declareSlot(st.ForEach.Var)
		}
		for _, c := range st.Capture {
			s.declareSlot(c.Name)
		}
		s.declareSteps(st.Parallel)
	}
}

func (s *Set) declareSlot(name string) {
	old := s.names[name]
	if old.kind == refSlot {
		return
	}
	s.names[name] = ref{kind: refSlot, index: s.slots, value: old.value}
	s.slots++
}

// constant says whether a name has the same value for every user: it is a
// variable or secret, and nothing is ever captured under it.
func (s *Set) constant(name string) bool {
	r, ok := s.names[name]
	return ok && r.kind == refConstant
}

// Lookup gives a template the value of a name: see rule.Env. Below a captured
// object or array a.b and a.0 name its members.
func (u *user) Lookup(name string) (rule.Value, bool) {
	if r, ok := u.set.names[name]; ok {
		return u.resolve(r)
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '.' {
			continue
		}
		if r, ok := u.set.names[name[:i]]; ok {
			v, ok := u.resolve(r)
			if !ok {
				return nil, false
			}
			return member(v, name[i+1:])
		}
	}
	return nil, false
}

func (u *user) resolve(r ref) (rule.Value, bool) {
	switch r.kind {
	case refSlot:
		if s := &u.slots[r.index]; s.set {
			return s.value, true
		}
		if s := &u.set.shared[r.index]; s.set {
			return s.value, true
		}
		return r.value, r.value != nil
	case refColumn:
		row := u.rows[r.index]
		if r.column >= len(row) {
			return nil, false
		}
		return row[r.column], true
	case refUserID:
		return u.id, true
	case refIteration:
		return u.number, u.number >= 0
	default:
		return r.value, true
	}
}

// member walks down a captured value.
func member(v rule.Value, path string) (rule.Value, bool) {
	for more := true; more; {
		var name string
		name, path, more = strings.Cut(path, ".")
		switch t := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = t[name]; !ok {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// Uint64 is the user's seeded generator: see rule.Env.
func (u *user) Uint64() uint64 { return u.random.Uint64() }

// Next counts seq(name): see rule.Env.
func (u *user) Next(name string) int64 { return u.set.next(name) }

// capture keeps a value under a name.
func (u *user) capture(name string, v rule.Value) {
	u.slots[u.set.names[name].index] = slot{v, true}
}
