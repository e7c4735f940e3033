package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A step is a compiled spec.Step.
type step struct {
	spec     *spec.Step
	message  *message // nil: only parallel
	parallel []*step
	after    outcome  // on_failure
	looks    bool     // it has checks, captures or records
	misses   []misses // of its records; nil when none reads from the answer
}

// walk runs steps in order, to the first that ends the iteration or more.
func (u *user) walk(ctx context.Context, steps []*step) outcome {
	for _, st := range steps {
		if end := u.step(ctx, st); end != goOn {
			return end
		}
	}
	return goOn
}

// step runs one step as often as it says.
func (u *user) step(ctx context.Context, st *step) outcome {
	if st.spec.ForEach == nil {
		return u.maybe(ctx, st)
	}
	list, err := u.list(st.spec.ForEach.List)
	if err != nil {
		return u.unfilled(st, err)
	}
	for _, element := range list {
		u.capture(st.spec.ForEach.Var, element)
		if end := u.maybe(ctx, st); end != goOn {
			return end
		}
	}
	return goOn
}

// maybe runs a step if its `if` holds, which is asked before each element of a
// for_each and can name it, but not before each repeat.
func (u *user) maybe(ctx context.Context, st *step) outcome {
	if !u.wanted(st) {
		if u.trace != nil {
			u.trace.skipped(st)
		}
		return goOn
	}
	return u.repeat(ctx, st)
}

// wanted judges the `if` of a step on the answer before it.
func (u *user) wanted(st *step) bool {
	switch {
	case st.spec.If == nil:
		return true
	case u.last == nil:
		return st.spec.If.Holds(&rule.Answer{}, u)
	default:
		return st.spec.If.Holds(&u.last.answer, u)
	}
}

func (u *user) repeat(ctx context.Context, st *step) outcome {
	for range max(1, st.spec.Repeat) {
		if ctx.Err() != nil {
			return endIteration
		}
		var end outcome
		if len(st.parallel) > 0 {
			end = u.together(ctx, st)
		} else {
			end = u.one(ctx, st)
		}
		if end != goOn {
			return end
		}
		if t := &st.spec.Think; t.Dist != "" || t.Min > 0 {
			u.pause(ctx, u.draw(t))
		}
	}
	return goOn
}

// one sends the request of a step and deals with the answer.
func (u *user) one(ctx context.Context, st *step) outcome {
	l := u.lanes[0]
	req, err := l.fill(u, st.message)
	if err != nil {
		return u.unfilled(st, err)
	}
	l.sample.Due, u.due = u.due, time.Time{}
	l.session.Do(ctx, req, &l.resp)
	return u.judge(ctx, st, l, req)
}

// judge works out what an answer means: expected or not, checks, captures,
// records. It is the only place that records a request.
func (u *user) judge(ctx context.Context, st *step, l *lane, req *wire.Request) outcome {
	r, s, a := &l.resp, &l.sample, &l.answer
	if r.Kind != wire.None && ctx.Err() != nil && !errors.Is(context.Cause(ctx), load.ErrOverran) {
		return endIteration // cut off: not the target's doing
	}
	s.Step, s.Stage, s.Status, s.Kind, s.Proto = st.spec.Index, u.stage, r.Status, r.Kind, r.Proto
	s.Times, s.In, s.Out = r.Times, r.In, r.Out
	s.Failed = r.Kind != wire.None || !expected(st.spec.Expect, r.Status)
	s.NoPort = r.Kind == wire.Connect && load.OutOfPorts(r.Err)
	u.last = l
	var broken *spec.Check
	missing := ""
	if st.looks || u.set.ifs {
		a.Reset()
		a.Status, a.Proto, a.Size, a.Body = r.Status, r.Proto, r.BodySize, r.Body
		a.Latency, a.TTFB = r.Times.Done-r.Times.Sent, r.Times.FirstByte-r.Times.Sent
		broken = u.check(st, l)
		a.ChecksFailed = broken != nil || r.Kind != wire.None
		missing = u.captures(st, l)
	}
	s.ChecksFailed = broken != nil
	s.CaptureError = missing != "" && r.Kind == wire.None
	if st.spec.Index >= 0 {
		u.rec.Request(s)
	}
	u.records(st, l)
	if u.aside {
		l.failure = failure(st, l, broken, missing)
	}
	if u.trace != nil {
		u.trace.answered(u, st, req, l, missing)
	}
	return u.verdict(st, s.Failed || s.ChecksFailed, missing != "")
}

// verdict is what a step comes to: what on_failure says, and the end of the
// iteration where a value is missing that later steps would need.
func (u *user) verdict(st *step, bad, missing bool) outcome {
	switch {
	case missing:
		u.bad = true
		return max(st.after, endIteration)
	case bad:
		u.bad = true
		return st.after
	default:
		return goOn
	}
}

func expected(ranges []spec.StatusRange, status int) bool {
	for _, r := range ranges {
		if status >= r.From && status <= r.To {
			return true
		}
	}
	return false
}

// check asserts what the step asks of its answer, and gives the first check that
// did not hold. Of a request without an answer none does, not even one that asks
// for less than some time.
func (u *user) check(st *step, l *lane) (broken *spec.Check) {
	for i := range st.spec.Checks {
		c := &st.spec.Checks[i]
		ok := l.resp.Kind == wire.None && c.Rule.Holds(&l.answer, u)
		if st.spec.Index >= 0 {
			u.rec.Check(c.Index, u.stage, ok)
		}
		if !ok && broken == nil {
			broken = c
		}
	}
	return broken
}

// captures takes values out of the answer, and gives the name of the first that
// is not there.
func (u *user) captures(st *step, l *lane) (missing string) {
	for i := range st.spec.Capture {
		c := &st.spec.Capture[i]
		v, ok := rule.Value(nil), false
		if l.resp.Kind == wire.None {
			v, ok = c.Source.Value(&l.answer)
		}
		if ok {
			u.capture(c.Name, v)
		} else if missing == "" {
			missing = c.Name
		}
	}
	return missing
}

// records adds to custom metrics. A check counts for requests without an answer
// too, or a rate of errors would leave out the worst of them; a number that is not
// there is no sample.
func (u *user) records(st *step, l *lane) {
	for i := range st.spec.Record {
		r := &st.spec.Record[i]
		kind := u.set.spec.Metrics[r.Metric].Kind
		n, ok := u.sample(r, l)
		if l.resp.Kind == wire.None && !u.aside {
			st.looked(i, r, ok)
		}
		if !ok || kind == "counter" && n == 0 {
			continue
		}
		u.rec.Metric(r.Metric, n, kind == "rate" && n != 0)
	}
}

// sample is what a record comes to; ok is false when there is nothing to add.
func (u *user) sample(r *spec.Record, l *lane) (n float64, ok bool) {
	switch {
	case r.Check != nil:
		return truth(r.Check.Holds(&l.answer, u)), true
	case r.Number != nil:
		return *r.Number, true
	case l.resp.Kind != wire.None:
		return 0, false
	default:
		return r.Source.Number(&l.answer)
	}
}

func truth(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

// unfilled deals with a request that could not be filled in, as a value in it is
// missing: it counts as one with error=capture, and the iteration ends.
func (u *user) unfilled(st *step, err error) outcome {
	l := u.lanes[0]
	measured := st
	if len(st.parallel) > 0 {
		measured = st.parallel[0] // the step itself is none that is counted
	}
	if measured.spec.Index >= 0 {
		s := load.Sample{Step: measured.spec.Index, Stage: u.stage, Failed: true, CaptureError: true, Times: wire.Times{Start: time.Now()}}
		u.rec.Request(&s)
	}
	l.failure = err
	if u.trace != nil {
		u.trace.unfilled(st, err)
	}
	return u.verdict(st, true, true)
}

func expectText(ranges []spec.StatusRange) string {
	words := make([]string, len(ranges))
	for i, r := range ranges {
		switch {
		case r.From == r.To:
			words[i] = fmt.Sprint(r.From)
		case r.From%100 == 0 && r.To == r.From+99:
			words[i] = fmt.Sprintf("%dxx", r.From/100)
		default:
			words[i] = fmt.Sprintf("%d-%d", r.From, r.To)
		}
	}
	return strings.Join(words, " or ")
}
