package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/scenario"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A side is base or head of a paired run, or the target of a single one: a spec
// aimed at its URL and, where there is a start command, the program that answers
// there.
type side struct {
	name    string // "base" or "head"
	spec    *spec.Spec
	env     *Env
	command string
	option  string        // what the command was given by: "--base-start", "the input start"
	hosts   []string      // when set: no other host may be reached
	wait    time.Duration // the longest to wait for it, where [target.ready] says nothing; 0: as ab does
	mask    mask

	version string // header that must name commit before the load; "": none
	commit  string

	set      *scenario.Set // of this series
	closeSet func()
	program  *deployment
	setUp    bool
}

// NewUser makes users of whatever series is under way.
func (s *side) newUser(id int, rec *load.Recorder) load.User { return s.set.NewUser(id, rec) }

// open starts the program, waits until it is ready, and sets it up. The error is
// a *scenario.NotReady with the side's name, or that of ctx, or a usageError.
func (s *side) open(ctx context.Context) error {
	var err error
	if s.set, s.closeSet, err = compile(s.env, s.spec, s.hosts, s.mask); err != nil {
		return usageError{s.mask.Error(err)}
	}
	if s.command != "" {
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	if err := s.ready(ctx); err != nil {
		return s.named(err)
	}
	s.setUp = true
	return s.named(s.set.Setup(ctx))
}

// named puts the side's name before what is said of it.
func (s *side) named(err error) error {
	if not, ok := errors.AsType[*scenario.NotReady](err); ok {
		return &scenario.NotReady{Reason: s.name + ": " + not.Reason}
	}
	return err
}

// start runs the start command, unless something answers at the URL already: it
// would be measured instead, or keep the port from the program.
func (s *side) start(ctx context.Context) error {
	if s.listens() {
		return &scenario.NotReady{Reason: fmt.Sprintf("%s: something answers at %s before the command of %s was run; stop it, or leave the command out",
			s.name, bareURL(s.spec.Target.URL), s.option)}
	}
	var err error
	if s.program, err = deploy(ctx, s.env, s.name, s.command); err != nil {
		return usagef("%s: %w", s.option, err)
	}
	return nil
}

func hostPort(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port), nil
}

// startEvery is how often a program that comes up is tried for a connection, and
// startTime how long, where nobody says.
const (
	startEvery = 100 * time.Millisecond
	startTime  = 2 * time.Minute
)

// ready waits for the target, and for the version that it should run.
func (s *side) ready(ctx context.Context) error {
	deadline := time.Now().Add(cmp.Or(s.wait, startTime))
	if err := s.answers(ctx); err != nil || s.version == "" {
		return err
	}
	return s.awaitVersion(ctx, deadline)
}

// answers waits for the target, as long as its program runs.
func (s *side) answers(ctx context.Context) error {
	if s.program == nil {
		return awaitTarget(ctx, s.spec, s.set, s.wait)
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case <-s.program.gone:
			cancel(errEnded)
		case <-over:
		}
	}()
	most := cmp.Or(s.wait, startTime)
	deadline := time.Now().Add(most)
	for {
		err := s.set.Ready(waiting)
		var not *scenario.NotReady
		switch {
		case errors.Is(err, errEnded) || err != nil && s.program.ended() != "":
			s.program.show(s.env.Stderr, s.mask)
			return &scenario.NotReady{Reason: fmt.Sprintf(
				"the start command ended (%s) before anything was ready at %s; it must stay in the foreground; see the end of its output", s.program.ended(), bareURL(s.spec.Target.URL))}
		case err == nil || !errors.As(err, &not):
			return err
		case s.spec.Target.Ready != nil || time.Until(deadline) < 0:
			s.program.show(s.env.Stderr, s.mask)
			if s.spec.Target.Ready == nil {
				return &scenario.NotReady{Reason: fmt.Sprintf("nothing listened at %s within %s of the start command; see the end of its output, or set [target.ready]",
					bareURL(s.spec.Target.URL), unit.FormatDuration(most))}
			}
			return err
		}
		select {
		case <-waiting.Done():
		case <-time.After(startEvery):
		}
	}
}

var errEnded = errors.New("the start command ended")

// clean runs the spec's teardown. What could not be cleaned up is said, and so
// is a program that ended by itself.
func (s *side) clean(ctx context.Context) (notes []verdict.Reason) {
	if !s.setUp {
		return nil
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownTime)
	defer cancel()
	if err := s.set.Teardown(clean); err != nil {
		notes = append(notes, verdict.Reason{Code: "teardown", Message: s.name + ": " + s.mask.String(err.Error())})
	}
	return append(notes, s.ended()...)
}

// gone says how the program ended, once nothing answers any more; "" otherwise. One
// that left something behind which answers is only a bad start command.
func (s *side) gone() string {
	if s.program == nil {
		return ""
	}
	how := s.program.ended()
	if how == "" || s.listens() {
		return ""
	}
	return how
}

// stopped is gone as the reason why a run ended.
func (s *side) stopped() string {
	if how := s.gone(); how != "" {
		return fmt.Sprintf("the %s's program ended (%s) while it was measured", s.name, how)
	}
	return ""
}

// listens says whether something takes connections at the URL.
func (s *side) listens() bool {
	address, err := hostPort(s.spec.Target.URL)
	if err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", address, time.Second) //nolint:noctx // a second at most
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// ended says that the program ended by itself while it was measured.
func (s *side) ended() []verdict.Reason {
	if s.program == nil {
		return nil
	}
	how := s.program.ended()
	if how == "" {
		return nil
	}
	s.program.show(s.env.Stderr, s.mask)
	return []verdict.Reason{{
		Code: "program-ended", Message: fmt.Sprintf("the %s's start command ended (%s) while it was measured", s.name, how),
		Remedy: "see the end of its output",
	}}
}

// stop stops the program and forgets the series.
func (s *side) stop() {
	if s.closeSet != nil {
		s.closeSet()
	}
	if s.program != nil {
		s.program.stop()
	}
	s.set, s.closeSet, s.program, s.setUp = nil, nil, nil, false
}
