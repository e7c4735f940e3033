// Package live says each second how a run goes, while it goes on: to a terminal,
// to a log, to a page, to a collector of metrics. All of them are told the same
// Row. It draws nothing and knows no file; what the run came to at its end is
// for result.
package live

import (
	"maps"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// The phases of a run, in their order.
const (
	Waiting = "waiting" // for the target to be ready
	Setup   = "setup"   // what the spec asks for before the load
	Load    = "load"
	Done    = "done" // the load is over; what was running comes to its end
)

// A Row is what there is to say in one second. It is finished when it is
// published: nobody changes it, so all who watch may share it. Its JSON form is
// what the live page is sent; units are in the names, as in the result file.
//
// Three rates belong together: arrivals asked for, iterations begun, and
// requests that ended, which are more where an iteration has several steps.
type Row struct {
	Title string `json:"title"` // what runs: the name of the spec, or a URL; foreign text
	Phase string `json:"phase"`
	Note  string `json:"note,omitempty"` // what a phase waits for, foreign text
	Arm   string `json:"arm,omitempty"`  // "base" or "head" in a paired run

	TimeS    float64 `json:"t_s"`       // start of the second, since the start of the load
	ElapsedS float64 `json:"elapsed_s"` // end of it
	PlannedS float64 `json:"planned_s"` // of the whole load
	LeftS    float64 `json:"left_s"`    // 0 when it takes longer than planned
	Capped   bool    `json:"capped"`    // it may end earlier, with its iterations
	Stage    Stage   `json:"stage"`
	Measured bool    `json:"measured"` // this second counts

	Open       bool    `json:"open"`             // some arrivals are scheduled
	Asked      float64 `json:"asked_per_s"`      // arrivals asked for in this second; 0 in the closed model
	Started    int64   `json:"started_per_s"`    // iterations begun
	Requests   int64   `json:"requests_per_s"`   // requests that ended
	Failed     int64   `json:"failed_per_s"`     // of them
	Dropped    int64   `json:"dropped_per_s"`    // arrivals beyond max_users
	Users      int     `json:"users"`            // at work
	UsersAsked float64 `json:"users_asked"`      // closed model: as planned
	InFlight   int     `json:"in_flight"`        // iterations running
	Latency    Latency `json:"latency_us"`       // of the last seconds
	LatencyOfS float64 `json:"latency_window_s"` // which are so many

	Status map[int]int64    `json:"status"` // answers of this second
	Errors map[string]int64 `json:"errors"`

	Total  Total  `json:"total"`
	Steps  []Step `json:"steps"` // as in the catalog
	Health Health `json:"generator"`
	Target []Told `json:"target"` // its own metrics, in the order in which they first told something
}

// A Told is what a metric of the target last said.
type Told struct {
	Role   string    `json:"role"` // foreign text
	Arm    string    `json:"arm,omitempty"`
	TimeS  float64   `json:"t_s"`     // when it was read, since the start of the load; less than 0 before it
	EveryS float64   `json:"every_s"` // how often it is asked for
	Value  float64   `json:"value"`
	Unit   unit.Base `json:"unit,omitempty"`
	Limit  float64   `json:"limit,omitempty"` // capacity, in that unit; 0: none
}

// Latency is in µs, within 1 %; 0 where nothing was answered.
type Latency struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
}

// A Stage is where in its plan a run is. In a load of several tracks it is that
// of the first one that is measured now.
type Stage struct {
	Name  string  `json:"name"`
	Track string  `json:"track,omitempty"` // "" for the common load
	K     int     `json:"k"`               // counts from 1, within its track
	N     int     `json:"n"`
	LeftS float64 `json:"left_s"`
}

// Total is what there was since the start of the load, warm-up included.
type Total struct {
	Requests int64            `json:"requests"`
	Failed   int64            `json:"failed"`
	Dropped  int64            `json:"dropped"`
	Started  int64            `json:"started"`
	Checks   int64            `json:"checks_failed"`
	Status   map[int]int64    `json:"status"`
	Errors   map[string]int64 `json:"errors"`
}

// A Step is one step of the catalog.
type Step struct {
	Scenario string  `json:"scenario"`
	Name     string  `json:"name"`
	Requests int64   `json:"requests_per_s"` // ended in this second
	Failed   int64   `json:"failed_per_s"`
	Latency  Latency `json:"latency_us"` // of the last seconds, as that of the row
	Total    int64   `json:"total_requests"`
	Bad      int64   `json:"total_failed"`
}

// Health is the state of the generator in this second.
type Health struct {
	CPUPercent   float64 `json:"cpu_percent"` // of the CPUs that it may use
	LagP99us     int64   `json:"lag_p99_us"`  // lateness of arrivals that is its own
	StealPercent float64 `json:"steal_percent"`
	StealKnown   bool    `json:"steal_known"`
	GCPauseUs    int64   `json:"gc_pause_us"`
	NoPorts      int64   `json:"no_ports"`
	Busy         bool    `json:"busy"` // see result.Health.Busy
	Late         bool    `json:"late"` // see result.Health.Late
}

// A Feed turns what load says each second into rows. One goroutine uses it.
type Feed struct {
	Title string // of its rows

	arm     string
	plan    plan.Plan
	planned time.Duration
	catalog result.Catalog
	firsts  []int // of each track, its first stage among all
	open    bool
	total   Total
	steps   []Step
	target  []Told
}

// NewFeed makes the feed of a run, or of one side of a paired one, which has no
// stages. planned is how long the load will take, 0: as the plan says.
func NewFeed(p plan.Plan, c result.Catalog, arm string, planned time.Duration) *Feed {
	f := &Feed{arm: arm, plan: p, planned: planned, catalog: c, steps: make([]Step, len(c.Steps))}
	if planned == 0 {
		f.planned = p.Duration()
	}
	n := 0
	for _, t := range p.Tracks {
		f.firsts = append(f.firsts, n)
		n += len(t.Stages)
		f.open = f.open || t.Open
	}
	for i, s := range c.Steps {
		f.steps[i] = Step{Scenario: s.Scenario, Name: s.Name}
	}
	f.total.Status, f.total.Errors = map[int]int64{}, map[string]int64{}
	return f
}

// Phase is a row of a time without load.
func (f *Feed) Phase(phase, note string) *Row {
	row := f.row()
	row.Phase, row.Note = phase, note
	return row
}

func (f *Feed) row() *Row {
	return &Row{
		Title: f.Title, Phase: Load, Arm: f.arm, Open: f.open, PlannedS: f.planned.Seconds(), LeftS: f.planned.Seconds(),
		Capped: f.plan.Counted(), Status: map[int]int64{}, Errors: map[string]int64{},
		Total: f.total.clone(), Steps: append([]Step(nil), f.steps...), Health: Health{},
		Target: append([]Told{}, f.target...),
	}
}

// Second is the row of one second, which may be used for as long as one likes;
// the Interval is not kept.
func (f *Feed) Second(iv *result.Interval) *Row {
	f.count(iv)
	s := &iv.Second
	row := f.row()
	row.TimeS = s.At.Seconds()
	end := s.At + time.Second
	row.ElapsedS, row.LeftS = end.Seconds(), max(f.planned-end, 0).Seconds()
	row.Stage, row.Measured = f.stage(s), s.Measured
	row.Asked, row.Users, row.InFlight = s.Rate, s.Users, s.InFlight
	row.UsersAsked = f.usersAsked(s.At + time.Second/2)
	row.Requests, row.Failed, row.Dropped = s.Completed, s.Failed, s.Dropped
	row.Status, row.Errors = cloneCounts(s.Status), cloneCounts(s.Errors)
	for _, flow := range iv.Flows {
		row.Started += flow.Started
	}
	row.Latency, row.LatencyOfS = latency(iv.Recent.All), iv.Recent.Length.Seconds()
	row.Health = health(&s.Health)
	if f.arm == "" && s.At >= f.planned {
		row.Phase = Done // what was running comes to its end
	}
	return row
}

// count adds a second to the totals, and makes the steps those of it.
func (f *Feed) count(iv *result.Interval) {
	for i := range f.steps {
		f.steps[i].Requests, f.steps[i].Failed, f.steps[i].Latency = 0, 0, Latency{}
		if i < len(iv.Recent.Steps) {
			f.steps[i].Latency = latency(iv.Recent.Steps[i])
		}
	}
	for _, c := range iv.Cells {
		if c.Key.Step >= len(f.steps) {
			continue
		}
		step := &f.steps[c.Key.Step]
		step.Requests += c.Count
		step.Total += c.Count
		if c.Key.Failed {
			step.Failed += c.Count
			step.Bad += c.Count
		}
	}
	for i := range iv.Observed {
		f.tell(&iv.Observed[i])
	}
	t, s := &f.total, &iv.Second
	t.Requests += s.Completed
	t.Failed += s.Failed
	t.Dropped += s.Dropped
	for _, flow := range iv.Flows {
		t.Started += flow.Started
	}
	for _, tally := range iv.Tallies {
		t.Checks += tally.Failed
	}
	for status, n := range s.Status {
		t.Status[status] += n
	}
	for kind, n := range s.Errors {
		t.Errors[kind] += n
	}
}

// tell keeps the last reading of a metric.
func (f *Feed) tell(o *result.Observed) {
	if len(o.Readings) == 0 {
		return
	}
	last := o.Readings[len(o.Readings)-1]
	told := Told{
		Role: o.Role, Arm: o.Arm, TimeS: last.At.Seconds(), EveryS: o.Every.Seconds(), Value: last.Value, Unit: o.Unit, Limit: o.Limit,
	}
	i := slices.IndexFunc(f.target, func(t Told) bool { return t.Role == o.Role && t.Arm == o.Arm })
	if i < 0 {
		f.target = append(f.target, told)
		return
	}
	f.target[i] = told
}

// stage is where in its track a second lies.
func (f *Feed) stage(s *result.Second) Stage {
	if f.arm != "" {
		return Stage{}
	}
	for i, t := range slices.Backward(f.plan.Tracks) {
		if k := s.Stage - f.firsts[i]; k >= 0 && k < len(t.Stages) {
			end := t.Start
			for _, st := range t.Stages[:k+1] {
				end += st.Duration
			}
			return Stage{
				Name: t.Stages[k].Name, Track: t.Name, K: k + 1, N: len(t.Stages),
				LeftS: max(end-s.At-time.Second, 0).Seconds(),
			}
		}
	}
	return Stage{}
}

// usersAsked is how many users the closed tracks ask for at a moment.
func (f *Feed) usersAsked(at time.Duration) float64 {
	users := 0.0
	for _, t := range f.plan.Tracks {
		if !t.Open {
			users += t.LevelAt(at - t.Start)
		}
	}
	return users / float64(max(f.plan.Parts, 1))
}

func latency(f result.RecentFigures) Latency { return Latency{f.P50, f.P95, f.P99} }

func health(h *result.Health) Health {
	return Health{
		CPUPercent: h.CPU * 100, LagP99us: h.LagP99.Microseconds(),
		StealPercent: max(h.Steal, 0) * 100, StealKnown: h.Steal >= 0,
		GCPauseUs: h.GCPause.Microseconds(), NoPorts: h.NoPorts,
		Busy: h.Busy(), Late: h.Late(),
	}
}

func (t *Total) clone() Total {
	c := *t
	c.Status, c.Errors = cloneCounts(t.Status), cloneCounts(t.Errors)
	return c
}

// cloneCounts is a copy that is never nil: JSON has {} for none.
func cloneCounts[K comparable](from map[K]int64) map[K]int64 {
	to := make(map[K]int64, len(from))
	maps.Copy(to, from)
	return to
}
