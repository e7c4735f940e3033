package scenario

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Ready waits for the target, as [target.ready] says; without one it connects
// once. It also fetches the first token of oauth2, which needs Close in the end.
// The error is a *NotReady, or that of ctx.
func (s *Set) Ready(ctx context.Context) error {
	if s.auth != nil {
		if err := s.auth.start(ctx); err != nil {
			return s.notReady(ctx, "%s", err)
		}
	}
	u := s.newUser(-1, unrecorded{})
	defer u.lanes[0].session.Close()
	if s.ready == nil {
		if err := u.lanes[0].session.Connect(ctx, s.target.scheme, s.target.host); err != nil {
			return s.notReady(ctx, "the target %s cannot be reached: %s (LL10); start it, or correct target.url (--target)", s.spec.Target.URL, err)
		}
		return nil
	}
	return s.poll(ctx, u)
}

// shortestEvery keeps a target that is coming up from being busy with saying that
// it is not there yet.
const shortestEvery = 100 * time.Millisecond

// poll asks until the target answered as it should, so many times in a row.
func (s *Set) poll(ctx context.Context, u *user) error {
	ready := s.spec.Target.Ready
	limited, cancel := context.WithTimeout(ctx, ready.Timeout)
	defer cancel()
	var last error
	tries, good := 0, 0
	for left := ready.Timeout; left > 0 && limited.Err() == nil; {
		err := u.try(limited, s.ready)
		tries++
		good++
		switch {
		case err == nil:
		case limited.Err() == nil:
			good, last = 0, err
		case last == nil: // what was cut off says nothing, unless it is all there is
			good, last = 0, errors.New("no answer")
		}
		if good >= max(1, ready.Consecutive) {
			return nil
		}
		end, _ := limited.Deadline()
		left = time.Until(end)
		every := max(ready.Every, shortestEvery)
		u.pause(limited, min(left, every))
		left -= every // no try in the moment in which the time is over
	}
	if last == nil {
		last = fmt.Errorf("it was ready %d times in a row, and %d are asked for", good, ready.Consecutive)
	}
	return s.notReady(ctx, "the target was not ready within %s: %s %s (%s): %s (LL10); look at its log, or raise target.ready.timeout",
		unit.FormatDuration(ready.Timeout), s.ready.spec.Method, s.ready.spec.URL.Text(), tried(tries), last)
}

func tried(n int) string {
	if n == 1 {
		return "1 try"
	}
	return fmt.Sprintf("%d tries", n)
}

// try sends the request once, on a new connection: an old one may lead to the
// instance that is about to go.
func (u *user) try(ctx context.Context, st *step) error {
	l := u.lanes[0]
	l.session.Renew()
	req, err := l.fill(u, st.message)
	if err != nil {
		return err
	}
	l.session.Do(ctx, req, &l.resp)
	u.judge(context.WithoutCancel(ctx), st, l, req)
	return l.failure
}

// notReady is the error for a run that cannot begin; where ctx is at its end that
// is the cause.
func (s *Set) notReady(ctx context.Context, format string, args ...any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &NotReady{s.mask(fmt.Sprintf(format, args...))}
}

// Setup runs the steps of [[setup]], in order; what they capture every user has.
// The error is a *NotReady, or that of ctx.
func (s *Set) Setup(ctx context.Context) error { return s.runSetup(ctx, nil) }

func (s *Set) runSetup(ctx context.Context, trace *tracer) error {
	if len(s.setup) == 0 {
		return nil
	}
	u := s.background(trace)
	defer u.lanes[0].session.Close()
	if !u.draws(s.setupFeeds) {
		return s.notReady(ctx, "setup needs a row, and the data has none left")
	}
	for _, st := range s.setup {
		u.bad = false
		if end := u.step(ctx, st); u.bad || end != goOn {
			return s.notReady(ctx, "setup failed: %s (line %d): %s; the load was not started", st.spec.Name, st.spec.Pos.Line, u.why())
		}
	}
	copy(s.shared, u.slots)
	return nil
}

// Teardown runs the steps of [[teardown]], all of them whatever fails. The error
// says what did.
func (s *Set) Teardown(ctx context.Context) error { return s.runTeardown(ctx, nil) }

func (s *Set) runTeardown(ctx context.Context, trace *tracer) error {
	if len(s.teardown) == 0 {
		return nil
	}
	u := s.background(trace)
	defer u.lanes[0].session.Close()
	var errs []error
	if !u.draws(s.teardownFeeds) {
		errs = append(errs, errors.New("teardown needs a row, and the data has none left"))
	}
	for _, st := range s.teardown {
		u.bad = false
		if end := u.step(ctx, st); u.bad || end != goOn {
			errs = append(errs, errors.New(s.mask(fmt.Sprintf("teardown failed: %s (line %d): %s", st.spec.Name, st.spec.Pos.Line, u.why()))))
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	return errors.Join(errs...)
}

// background is a user that is not measured.
func (s *Set) background(trace *tracer) *user {
	u := s.newUser(-1, unrecorded{})
	u.trace = trace
	u.due = time.Time{}
	return u
}

// why is what went wrong last.
func (u *user) why() error {
	for _, l := range u.lanes {
		if l.failure != nil {
			return l.failure
		}
	}
	return errors.New("it was cut off")
}

// failure puts a request that went wrong into words; nil when none of it did.
func failure(st *step, l *lane, check *spec.Check, missing string) error {
	r := &l.resp
	switch {
	case r.Err != nil:
		return r.Err
	case !expected(st.spec.Expect, r.Status):
		return fmt.Errorf("status %d, expected %s", r.Status, expectText(st.spec.Expect))
	case check != nil && check.Name != check.Rule.Text():
		return fmt.Errorf("the check %q did not hold (%s)", check.Name, check.Rule.Text())
	case check != nil:
		return fmt.Errorf("the check %q did not hold", check.Name)
	case missing != "":
		return fmt.Errorf("nothing in the answer to capture as %q", missing)
	default:
		return nil
	}
}
