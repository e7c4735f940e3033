// Package load sends users off when they are due and records what came of it.
// It knows no rule and no screen, and HTTP only through what a User records.
package load

import (
	"context"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A User is one virtual user. One goroutine at a time calls its methods.
type User interface {
	// Iterate walks one iteration to its end, think time and pace included, and
	// records each request in the Recorder it was made with. When it.Stop is
	// closed no new pause should begin: think time is cut short, the steps of
	// the iteration still run. When ctx is done the graceful stop is over: what
	// is still recorded is left out, unless the cause is ErrOverran.
	Iterate(ctx context.Context, it Iteration) Next
	// Close runs what the spec asks for at the end of a user (on_stop) and
	// closes its connections. ctx is done when there is no time for more
	// requests. Close is called once, also for users that never iterated.
	Close(ctx context.Context)
}

// A Preparer is a User that can be made ready before work for it is due, so that
// a fast load does not begin with a burst of handshakes.
type Preparer interface {
	// Prepare opens what the user will need; a failure shows again with its
	// first request.
	Prepare(ctx context.Context)
}

// An Iteration is one walk of a scenario that is due.
type Iteration struct {
	Scenario int             // index into the spec's scenarios
	Number   int64           // counts from 0; no two of the run, all shards included, have the same
	Stage    int             // index into result.Run.Stages
	Due      time.Time       // when it should have started; zero in the closed model
	Stop     <-chan struct{} // closed when the load ends
}

// Next is what a user wants after an iteration.
type Next uint8

// What may come after an iteration.
const (
	Continue Next = iota
	EndUser       // this user is done (closed model: not replaced)
	StopRun       // the whole run ends, as on_failure = "stop-run" asks
)

// A Sample is one request that ended. Recorder.Request copies it.
type Sample struct {
	Step         int       // index into result.Run.Steps
	Stage        int       // of the iteration
	Due          time.Time // zero: latency counts from when it was sent
	Status       int       // 0: no complete response
	Kind         wire.Kind
	CaptureError bool // a capture found nothing: error=capture
	Failed       bool // no complete response, or a status not in `expect`
	ChecksFailed bool // at least one check did not hold
	NoPort       bool // it failed for want of a local port or descriptor: see OutOfPorts
	Proto        string
	Times        wire.Times
	In, Out      int64
}

// Options is what a run needs beside its plan.
type Options struct {
	Catalog result.Catalog // the names behind the indexes that users record
	// Round is the length of a round; 0: a twelfth of the measured time,
	// between 250 ms and 5 s (1 s where iterations end the load). Rounds get
	// twice as long, and again, rather than more than 360.
	Round time.Duration
	// Each is called once a second with what that second brought; a non-empty
	// answer stops the run and is kept as the reason. The Interval is valid
	// during the call only.
	Each func(*result.Interval) (stop string)
	// Prepare makes the users that a fast open track will want at once, and has
	// those that are Preparers get ready, before the load begins.
	Prepare bool
	// Control may stop the run or change its level while it goes on; nil: nobody
	// will. Paired runs take none.
	Control *Control
	// Sleep makes open tracks wait for their arrivals with the timers of package
	// time alone. It is for tests in a synctest bubble, whose clock neither a
	// timerfd nor a spinning goroutine follows.
	Sleep bool
}

// NewUser makes user number id; ids begin at 0, and none is given twice in a
// run. It is called on the user's own goroutine, so several calls may run at
// once.
type NewUser func(id int, rec *Recorder) User
