package load

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A Recorder takes down what a user did. Each user has its own; a user that
// sends several requests at once may use it from several goroutines.
//
// Recording costs some tens of nanoseconds and allocates nothing: an entry goes
// into a small buffer, which whoever fills it empties into the books. Entries
// made after the graceful stop are left out, as the requests were cut off.
type Recorder struct {
	buffer *buffer
	cut    *atomic.Bool // the graceful stop of the track is over

	stage    int  // of the iteration that runs
	reported bool // Iteration was called for it
}

// Request records one request that ended.
//
// It counts in the cell that its step, stage, status, error and outcome name.
// Latency is the time from Due to the last byte, or, where Due is zero, from the
// first byte sent; service time is from the first byte sent (from the start of
// the request when none was). Both are recorded for complete responses and, as
// the time that passed, for timeouts. Other failures have neither: a target that
// refuses at once must not look fast.
func (r *Recorder) Request(s *Sample) {
	if r.cut.Load() {
		return
	}
	e := entry{
		key: cellKey{
			step: uint16(s.Step), stage: uint16(s.Stage), status: uint16(s.Status),
			kind: uint8(s.Kind), proto: protoCode(s.Proto),
			capture: s.CaptureError, failed: s.Failed, checks: s.ChecksFailed,
		},
		in: s.In, out: s.Out, noPort: s.NoPort,
	}
	t := &s.Times
	if s.Status != 0 || s.Kind == wire.Timeout {
		e.service = micros(t.Done - t.Sent)
		e.latency = e.service
		if !s.Due.IsZero() {
			e.latency = micros(t.Start.Sub(s.Due) + t.Done)
		}
	}
	if s.Status != 0 {
		e.ttfb = micros(t.FirstByte - t.Sent)
		e.body = micros(t.Done - t.FirstByte)
	}
	e.dns, e.connect, e.tls = phase(t.DNS), phase(t.Connect), phase(t.TLS)
	if !s.Due.IsZero() {
		e.queue = micros(t.Start.Sub(s.Due))
	}
	r.buffer.request(&e)
}

// Check records whether a check of an answer held; check is an index into
// result.Catalog.Checks.
func (r *Recorder) Check(check, stage int, ok bool) {
	r.mark(mark{kind: markCheck, index: uint32(check), stage: uint16(stage), ok: ok})
}

// Metric records one sample of a custom metric, an index into
// result.Catalog.Metrics: its value, and for a rate whether it was true. Samples
// from stages that are not measured are left out.
func (r *Recorder) Metric(metric int, value float64, isTrue bool) {
	r.mark(mark{kind: markMetric, index: uint32(metric), stage: uint16(r.stage), ok: isTrue, value: math.Float64bits(value)})
}

// Iteration records the end of the iteration that runs: how long its steps took,
// the pause after it not counted, and whether it came to its end. A user calls
// it once for each iteration; without it the iteration counts as started only.
func (r *Recorder) Iteration(scenario, stage int, took time.Duration, completed bool) {
	if r.cut.Load() {
		return
	}
	r.reported = true
	r.buffer.mark(mark{kind: markEnded, index: uint32(scenario), stage: uint16(stage), ok: completed, value: uint64(micros(took))})
}

// begin records the start of an iteration that was due lag ago.
func (r *Recorder) begin(scenario, stage int, lag time.Duration) {
	r.stage, r.reported = stage, false
	r.buffer.mark(mark{kind: markStarted, index: uint32(scenario), stage: uint16(stage), ok: true, value: uint64(micros(lag))})
}

// beginClosed records the start of an iteration that was not due at any moment.
func (r *Recorder) beginClosed(scenario, stage int) {
	r.stage, r.reported = stage, false
	r.buffer.mark(mark{kind: markBegun, index: uint32(scenario), stage: uint16(stage)})
}

// end counts the iteration as cut off when the graceful stop came before its
// end.
func (r *Recorder) end(scenario, stage int) {
	if r.cut.Load() && !r.reported {
		r.buffer.mark(mark{kind: markCut, index: uint32(scenario), stage: uint16(stage)})
	}
}

func (r *Recorder) mark(m mark) {
	if !r.cut.Load() {
		r.buffer.mark(m)
	}
}

func micros(d time.Duration) uint32 { return uint32(result.Micros(d)) }

// phase is 0 for a phase that did not happen.
func phase(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return micros(d)
}

// An entry is a Sample in the form that is buffered. Times are µs; 0 is none.
type entry struct {
	key     cellKey
	noPort  bool
	latency uint32
	service uint32
	dns     uint32
	connect uint32
	tls     uint32
	ttfb    uint32
	body    uint32
	queue   uint32
	in, out int64
}

// A mark is anything else that is recorded.
type mark struct {
	value uint64
	index uint32 // of a scenario, check or metric
	stage uint16
	kind  markKind
	ok    bool
}

type markKind uint8

const (
	markOffered markKind = iota // an arrival was due; ok: it was not dropped
	markStarted                 // an arrival was begun, value µs late
	markBegun                   // a closed user began an iteration
	markEnded                   // an iteration took value µs; ok: it was completed
	markCut
	markCheck
	markMetric
)

// A buffer collects the entries of several users. Its lock is held for some ten
// nanoseconds, or for some ten microseconds by the user that fills it.
type buffer struct {
	mu      sync.Mutex
	ledger  *ledger
	entries []entry
	marks   []mark
	_       [64]byte // keeps the locks of two buffers on different cache lines
}

// batch is how many entries a buffer holds: enough that the lock of the books
// is rarely wanted, few enough that emptying delays a user by microseconds.
const batch = 256

func newBuffer(l *ledger) *buffer {
	return &buffer{ledger: l, entries: make([]entry, 0, batch), marks: make([]mark, 0, 2*batch)}
}

func (b *buffer) request(e *entry) {
	b.mu.Lock()
	b.entries = append(b.entries, *e)
	if len(b.entries) == cap(b.entries) {
		b.empty()
	}
	b.mu.Unlock()
}

func (b *buffer) mark(m mark) {
	b.mu.Lock()
	b.marks = append(b.marks, m)
	if len(b.marks) == cap(b.marks) {
		b.empty()
	}
	b.mu.Unlock()
}

func (b *buffer) flush() {
	b.mu.Lock()
	b.empty()
	b.mu.Unlock()
}

// empty is called with the lock held.
func (b *buffer) empty() {
	b.ledger.post(b.entries, b.marks)
	b.entries, b.marks = b.entries[:0], b.marks[:0]
}
