// Package result is what one run measured, and its versioned file form. It
// holds counts and HdrHistograms; it judges nothing.
package result

import (
	"cmp"
	"strconv"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Histogram limits: latencies are recorded in microseconds, from 1 µs to 60 s.
// A longer one is recorded as 60 s. Three significant digits keep a value within
// 0.1 %; phases need only two (1 %).
const (
	MinMicros   = 1
	MaxMicros   = 60_000_000
	Digits      = 3
	PhaseDigits = 2
)

// NewHistogram makes an empty latency histogram with the limits above.
func NewHistogram() *hdr.Histogram { return hdr.New(MinMicros, MaxMicros, Digits) }

// Micros is d as a histogram value: whole microseconds, within the limits.
func Micros(d time.Duration) int64 {
	return min(max(d.Microseconds(), MinMicros), MaxMicros)
}

// A Role says where a step stands in a user's life.
type Role string

// The roles of a step.
const (
	RoleStep    Role = ""         // a step of an iteration
	RoleOnStart Role = "on_start" // once per user, outside iterations
	RoleOnStop  Role = "on_stop"
)

// A Step identifies one step of the spec: what a row of a report is about.
type Step struct {
	Scenario string // "" for a [user] step
	Name     string
	Method   string
	Role     Role
	Control  bool // a request no change should move
	Line     int  // in the spec file; 0: unknown
	Tags     map[string]string
}

// A Stage is a stretch of the load, as recorded.
type Stage struct {
	Name    string
	Track   string // "" for the common load
	Measure bool
}

// A Check is one named assertion of a step.
type Check struct {
	Step int
	Name string
}

// A Metric is a custom metric of the spec.
type Metric struct {
	Name string
	Kind string // "rate", "counter", "trend", "gauge"
}

// A Catalog is the names behind the indexes that users record. load fills in
// Stages from the plan.
type Catalog struct {
	Scenarios []string
	Steps     []Step
	Stages    []Stage
	Checks    []Check
	Metrics   []Metric
}

// A Key names the requests that one Cell counts: any selector of the spec is a
// union of cells.
type Key struct {
	Step   int
	Stage  int
	Status int    // 0: no complete response
	Error  string // "" or timeout, connect, refused, reset, tls, dns, body, protocol, blocked, capture
	Proto  string // "1.1", "2", "" when no response
	Failed bool   // no complete response, or a status not in `expect`
	Checks bool   // at least one check did not hold
}

// Errored reports whether the requests of the key count as errors: they failed,
// or a check did not hold, or a capture found nothing.
func (k Key) Errored() bool { return k.Failed || k.Checks || k.Error == "capture" }

// Compare is the order of the cells of a run: by step and stage first.
func (k Key) Compare(o Key) int {
	return cmp.Or(
		cmp.Compare(k.Step, o.Step), cmp.Compare(k.Stage, o.Stage), cmp.Compare(k.Status, o.Status),
		cmp.Compare(k.Error, o.Error), cmp.Compare(k.Proto, o.Proto),
		cmp.Compare(flagged(k.Failed), flagged(o.Failed)), cmp.Compare(flagged(k.Checks), flagged(o.Checks)))
}

// flagged is 1 of what is so, for an order.
func flagged(is bool) int {
	if is {
		return 1
	}
	return 0
}

// A Cell is what came of the requests of one Key. A request without a complete
// response has no latency, but for a timeout, which counts with the time it
// took: a dead target must not look fast, a hanging one must not look gone.
type Cell struct {
	Key     Key
	Count   int64
	In, Out int64          // bytes
	Latency *hdr.Histogram // µs from due (open model) or sent; nil when empty
	Service *hdr.Histogram // µs from sent; nil when empty
}

// Phases are a step's phases (µs, two digits), each counting only the requests
// in which it happened. Nil when it never did.
type Phases struct {
	DNS, Connect, TLS, TTFB, Body, Queue *hdr.Histogram
}

// A Tally counts how often one check held, in one stage.
type Tally struct {
	Check, Stage   int
	Passed, Failed int64
}

// A Value is what a custom metric came to.
type Value struct {
	Metric         int
	Count          int64 // samples
	True           int64 // rate: samples that were true
	Sum            float64
	Min, Max, Last float64
	Hist           *hdr.Histogram // trend: values times 1000, within 1..60e9
}

// A Flow counts what was asked of one scenario in one stage.
type Flow struct {
	Scenario, Stage int
	Offered         int64 // arrivals that were due (open), iterations begun (closed)
	Started         int64
	Completed       int64 // iterations that reached their end
	Cut             int64 // iterations cut off by the graceful stop: not counted elsewhere
	Dropped         int64 // arrivals beyond max_users
}

// A Change is a level that was set by hand while the load ran, and held until the
// end of its track.
type Change struct {
	At    time.Duration // since the start of the run
	Track string        // "" for the common load
	Open  bool          // Level is arrivals per second; else users
	Level float64
}

// A Second is one row of the series.
type Second struct {
	At        time.Duration // start of the row, since the start of the run
	Length    time.Duration // of the load in it: a second, less where the load ended, more where rows were joined; 0: a second
	Rest      bool          // the load was over: what was running came to its end
	Stage     int
	Measured  bool
	Users     int     // at work
	InFlight  int     // iterations running
	Rate      float64 // asked: arrivals per second; 0 in the closed model
	Offered   int64   // arrivals due, or iterations begun
	Dropped   int64
	Completed int64 // requests that ended
	Failed    int64
	Status    map[int]int64
	Errors    map[string]int64
	P50       int64 // µs latency in this second
	P95       int64
	P99       int64
	Health    Health
}

// Health is the generator's own state in one second or round.
type Health struct {
	CPU     float64       // share of the CPUs this process may use, 0 to 1
	LagP50  time.Duration // lateness of arrivals for which the generator is to blame
	LagP99  time.Duration
	Steal   float64       // share of CPU time the hypervisor took; -1: unknown
	GCPause time.Duration // longest
	FDs     int           // open descriptors; -1: unknown
	NoPorts int64         // connects that failed for want of a local port or descriptor
}

// Busy says that the generator used over 80 % of the CPU that it may use: what it
// measured may be its own delay.
func (h *Health) Busy() bool { return h.CPU > 0.8 }

// Late says that it sent requests more than 10 ms late through its own fault, by
// the p99 of its lag.
func (h *Health) Late() bool { return h.LagP99 > 10*time.Millisecond }

// A Round is a short stretch of measured load on one arm, the unit that the
// verdict counts with.
type Round struct {
	Index    int
	Arm      string // "" in a single run; "base" or "head" in a paired one
	Block    int    // paired: rounds of one block share their arrival schedule
	Restarts int    // paired: how often both sides were restarted before it
	Start    time.Duration
	Length   time.Duration
	Offered  int64
	Dropped  int64
	Health   Health
	Steps    []RoundStep // in catalog order; steps without requests left out
	Excluded string      // why the verdict must not use it; "" otherwise
}

// A RoundStep is one step within a round.
type RoundStep struct {
	Step     int
	Requests int64
	Failed   int64
	Errored  int64 // failed, or with a check that did not hold; at least Failed
	Status   map[int]int64
	Errors   map[string]int64
	// Latency is the HdrHistogram V2 compressed payload (base64) of the latency
	// of the successful requests, µs; nil when there were none.
	Latency []byte
}

// An Environment says where a run was made. Key covers only what does not
// change from minute to minute on one machine.
type Environment struct {
	OS, Arch string
	CPU      string // model name
	Cores    int
	Label    string // the user's own: staging, preview, runner class
	Image    string // recorded, not in the key
	Kernel   string // recorded, not in the key
}

// Key names the environment for finding a baseline that may be compared.
func (e Environment) Key() string {
	return e.OS + "/" + e.Arch + "/" + e.CPU + "/" + strconv.Itoa(e.Cores) + "/" + e.Label
}

// A Generator sums up the generator's health over the measured time.
type Generator struct {
	CPU            float64       // mean share of the CPUs, 0 to 1
	CPUMax         float64       // highest second
	LagP50, LagP99 time.Duration // lateness that is the generator's own
	LagMax         time.Duration
	Steal          float64 // mean; -1 unknown
	GCPauseMax     time.Duration
	NoPorts        int64
	BusySeconds    int // see Health.Busy
	LateSeconds    int // see Health.Late
	Seconds        int // measured seconds
}

// A Run is what one run measured.
type Run struct {
	Tool        string // loadline's version
	Spec        string // name in the spec: part of the baseline key
	File        string // path of the spec
	Profile     string
	Fingerprint string            // of all in the spec that shapes the numbers
	Parts       map[string]string // fingerprint of each section, to say what changed
	Commit      string            // under test; "" unknown
	Target      string            // URL without query and credentials
	Seed        int64
	Started     time.Time
	Duration    time.Duration // of the whole load
	Measured    time.Duration // of its measured part
	Mode        string        // "single" or "paired"
	Open        bool          // some arrivals were scheduled (open model)
	Environment Environment
	Generator   Generator

	// Stopped says why the run ended before its time: "" when it did not.
	// Interrupted is true when that was a signal or a cancelled context.
	Stopped     string
	Interrupted bool
	// Changes are those that a person made while the load ran: such a run is
	// compared with nothing, and nothing with it.
	Changes []Change
	// NotReady says why the run could not begin: target not ready, setup failed.
	NotReady string
	Shard    Shard // zero: the run was all of its load

	Catalog Catalog
	Cells   []Cell
	Phases  []Phases // by step
	Tallies []Tally
	Values  []Value
	Flows   []Flow
	// Iteration is the time of whole iterations, µs; nil when none ended.
	Iteration *hdr.Histogram
	Series    []Second
	Rounds    []Round
	Observed  []Observed // the target's own metrics, as the spec asks for them
}

// An Interval is what one second brought.
type Interval struct {
	Second  Second
	Recent  Recent
	Cells   []Cell
	Tallies []Tally
	Values  []Value
	Flows   []Flow
	// Observed has the readings that came in since the interval before. load knows
	// none: whoever reads the target adds them.
	Observed []Observed
}

// Recent is what the last few seconds came to, for people who watch a run: a
// single second has too few requests for a percentile.
type Recent struct {
	Length time.Duration // as the run is young: less than 5 s
	All    RecentFigures
	Steps  []RecentFigures // by step of the catalog
}

// RecentFigures are counts and latency percentiles (µs, within 1 %) of the last
// few seconds; 0 where nothing was answered.
type RecentFigures struct {
	Requests, Failed int64
	P50, P95, P99    int64
}
