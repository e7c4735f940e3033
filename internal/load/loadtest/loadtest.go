// Package loadtest has users for tests of load and of what builds on it. They
// send nothing: their requests sleep, so that in a synctest bubble hours of load
// take a moment.
package loadtest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// An Answer is what a target says to a request.
type Answer struct {
	Took   time.Duration
	Status int // 0: no complete response
	Kind   wire.Kind
}

// Users makes users whose iterations are one request to a fake target. The zero
// value is a target that answers 200 after a millisecond.
type Users struct {
	// Target answers a request sent at a moment.
	Target func(sent time.Time, it load.Iteration) Answer
	// Think is the pause after each request.
	Think time.Duration
	// Next is what a user wants after an iteration.
	Next func(id int, it load.Iteration) load.Next

	// Made and Closed count users, Began iterations.
	Made, Closed, Began atomic.Int64
}

// New is a load.NewUser.
func (u *Users) New(id int, rec *load.Recorder) load.User {
	u.Made.Add(1)
	return &user{users: u, id: id, rec: rec}
}

type user struct {
	users *Users
	id    int
	rec   *load.Recorder
}

func (u *user) Iterate(ctx context.Context, it load.Iteration) load.Next {
	u.users.Began.Add(1)
	start := time.Now()
	answer := Answer{Took: time.Millisecond, Status: 200}
	if u.users.Target != nil {
		answer = u.users.Target(start, it)
	}
	if !pause(ctx, answer.Took, nil) {
		answer.Status, answer.Kind = 0, wire.Timeout
	}
	took := time.Since(start)
	u.rec.Request(&load.Sample{
		Stage: it.Stage, Due: it.Due, Status: answer.Status, Kind: answer.Kind,
		Failed: answer.Status != 200, Proto: "1.1", In: 100, Out: 10,
		Times: wire.Times{Start: start, FirstByte: took, Done: took},
	})
	u.rec.Iteration(it.Scenario, it.Stage, took, answer.Status != 0)
	pause(ctx, u.users.Think, it.Stop)
	if u.users.Next != nil {
		return u.users.Next(u.id, it)
	}
	return load.Continue
}

func (u *user) Close(context.Context) { u.users.Closed.Add(1) }

// pause sleeps, unless ctx or stop is done before.
func pause(ctx context.Context, d time.Duration, stop <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
		return false
	case <-ctx.Done():
		return false
	}
}

// Catalog is a catalog of so many scenarios with one step, the same for all,
// that Users record.
func Catalog(scenarios ...string) result.Catalog {
	return result.Catalog{
		Scenarios: scenarios,
		Steps:     []result.Step{{Name: "GET /", Method: "GET"}},
	}
}
