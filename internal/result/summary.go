package result

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A Summary is a run in a few kilobytes: what a baseline keeps of it, and what
// the verdict compares.
type Summary struct {
	Tool        string
	Spec        string // name in the spec
	File        string
	Profile     string
	Fingerprint string
	Parts       map[string]string // fingerprint of each section of the spec
	Commit      string
	Attempt     string // the CI run and attempt that measured it; "" outside CI
	Started     time.Time
	Measured    time.Duration
	Open        bool
	Environment Environment
	// Steal is the share of the CPU that the host took from this machine, as a
	// trimmed mean over rounds, like the figures; -1: unknown.
	Steal float64
	// Again is set on a run that the same job made right after the one before it:
	// it draws neither a new machine nor a new deployment, only another minute.
	Again bool
	// Unfit says why the run must never serve as a baseline; "" when it may.
	Unfit string
	// Rows holds the total first, then each scenario that has a name, then each
	// step in the order of the spec. Total and scenarios sum up the steps of
	// iterations, not those of on_start and on_stop.
	Rows []Row
}

// A Scope says what a row sums up.
type Scope string

// The scopes, widest first, as [gate] per names them.
const (
	ScopeTotal    Scope = "total"
	ScopeScenario Scope = "scenario"
	ScopeStep     Scope = "step"
)

// A Row is one step, one scenario or the total of a run.
type Row struct {
	Scope    Scope
	Scenario string // "" for the total and for steps of [user]
	Step     string // "" unless Scope is ScopeStep
	Control  bool   // a request that no change should move
	Line     int    // in the spec file; 0: unknown

	Requests int64 // that ended
	Failed   int64
	Errored  int64 // failed, or with a check that did not hold
	Status   map[int]int64
	Errors   map[string]int64

	// Rounds had requests of this row; in BadRounds at least one was Errored.
	Rounds, BadRounds int
	// ErrorShare is the trimmed mean over rounds of the share that was Errored.
	ErrorShare Figure
	// Rate is the location over rounds of the logarithm of the throughput:
	// requests per second, or, when arrivals were scheduled, requests per arrival.
	Rate Figure
	// Latency holds a Quantile for each of SummaryQuantiles that the successful
	// requests suffice for, in that order.
	Latency []Quantile

	// Restart is set where the level of the row is known to have changed with
	// this run, by a regression that was accepted or an improvement: older runs
	// still tell of the noise, but no longer of the level.
	Restart bool
	// Accepted is why a regression of the row was accepted with this run; "" when
	// none was.
	Accepted string
}

// A Figure is a location over the rounds of a run.
type Figure struct {
	Y, SE float64
	K     int // chunks of rounds behind it; 0: there is no figure
}

// A Quantile is one latency quantile of a row.
type Quantile struct {
	Q      float64 // 0.95
	Figure         // of ln(µs), over chunks
	N      int64   // successful requests
	Micros int64   // of the whole run, for showing
}

// What Run.Stopped begins with when the run itself ended it.
const (
	StopWhen   = "stop_when " // a condition of stop_when: such a run is complete
	LimitBroke = "the limit " // a limit with abort: the rest is missing
)

// SummaryQuantiles are the latency quantiles that a Summary keeps.
var SummaryQuantiles = []float64{0.50, 0.90, 0.95, 0.99}

// A RowKey identifies a row within any run of the same spec.
type RowKey struct {
	Scope          Scope
	Scenario, Step string
}

// Key identifies the row within any run of the same spec.
func (r *Row) Key() RowKey { return RowKey{r.Scope, r.Scenario, r.Step} }

// Quantile returns the row's quantile q; false when the summary has none.
func (r *Row) Quantile(q float64) (Quantile, bool) {
	for _, have := range r.Latency {
		if math.Abs(have.Q-q) < 1e-9 {
			return have, true
		}
	}
	return Quantile{}, false
}

// Row finds a row; nil when the run had none.
func (s *Summary) Row(k RowKey) *Row {
	for i := range s.Rows {
		if s.Rows[i].Key() == k {
			return &s.Rows[i]
		}
	}
	return nil
}

// Summarize makes the compact form of a run: of all its rounds, or in a paired
// run of those of the head. Rounds that are excluded do not count. An error
// means that a histogram of the run is damaged.
func Summarize(r *Run) (*Summary, error) {
	arm := ""
	if r != nil && r.Mode == "paired" {
		arm = "head"
	}
	return SummarizeArm(r, arm)
}

// SummarizeArm is Summarize for one arm of a paired run: "base" or "head".
func SummarizeArm(r *Run, arm string) (*Summary, error) {
	if r == nil {
		return nil, errors.New("no run to summarize")
	}
	s := &Summary{
		Tool: r.Tool, Spec: r.Spec, File: r.File, Profile: r.Profile, Fingerprint: r.Fingerprint, Parts: r.Parts,
		Commit: r.Commit, Started: r.Started.UTC().Truncate(time.Millisecond), Measured: r.Measured, Open: r.Open,
		Environment: r.Environment, Steal: r.Generator.Steal,
	}
	switch faults := r.Faults(); {
	case len(faults) > 0:
		s.Unfit = faults[0].Message
	case r.Stopped != "" && !strings.HasPrefix(r.Stopped, StopWhen):
		s.Unfit = "it ended before its time: " + r.Stopped
	case r.Shard.Index > 0:
		s.Unfit = fmt.Sprintf("it is only shard %d of %d of its load", r.Shard.Index, r.Shard.Of)
	case len(r.Changes) > 0:
		s.Unfit = "its load was changed by hand while it ran"
	}
	rows := rowsOf(&r.Catalog)
	var stolen []float64
	for i := range r.Rounds {
		round := &r.Rounds[i]
		if round.Arm != arm || round.Excluded != "" {
			continue
		}
		if err := addRound(rows, round, r.Open); err != nil {
			return nil, fmt.Errorf("round %d of the run: %w", round.Index, err)
		}
		if round.Health.Steal >= 0 {
			stolen = append(stolen, round.Health.Steal)
		}
	}
	if f := figure(stolen); f.K > 0 {
		s.Steal = f.Y
	}
	for i := range rows {
		s.Rows = append(s.Rows, rows[i].finish())
	}
	return s, nil
}

// A gathering row collects rounds until finish boils them down.
type gathering struct {
	Row
	steps  []int // of the catalog
	shares []float64
	rates  []float64
	rounds [][]bar // latency of the successful requests
}

func rowsOf(c *Catalog) []gathering {
	total := gathering{Row: Row{Scope: ScopeTotal}}
	var scenarios, steps []gathering
	for i, st := range c.Steps {
		steps = append(steps, gathering{
			Row:   Row{Scope: ScopeStep, Scenario: st.Scenario, Step: st.Name, Control: st.Control, Line: st.Line},
			steps: []int{i},
		})
		if st.Role != RoleStep {
			continue
		}
		total.steps = append(total.steps, i)
		if st.Scenario == "" {
			continue
		}
		at := slices.IndexFunc(scenarios, func(g gathering) bool { return g.Scenario == st.Scenario })
		if at < 0 {
			at = len(scenarios)
			scenarios = append(scenarios, gathering{Row: Row{Scope: ScopeScenario, Scenario: st.Scenario}})
		}
		scenarios[at].steps = append(scenarios[at].steps, i)
	}
	return slices.Concat([]gathering{total}, scenarios, steps)
}

func addRound(rows []gathering, round *Round, open bool) error {
	bars := make(map[int][]bar, len(round.Steps))
	for i := range round.Steps {
		st := &round.Steps[i]
		b, err := st.bars()
		if err != nil {
			return fmt.Errorf("step %d: %w", st.Step, err)
		}
		bars[st.Step] = b
	}
	for i := range rows {
		rows[i].add(round, bars, open)
	}
	return nil
}

// add counts what one round brought to the row. Rounds without a request of the
// row count for its throughput only.
func (g *gathering) add(round *Round, bars map[int][]bar, open bool) {
	var requests, errored int64
	var parts [][]bar
	for i := range round.Steps {
		st := &round.Steps[i]
		if !slices.Contains(g.steps, st.Step) {
			continue
		}
		requests += st.Requests
		errored += max(st.Errored, st.Failed)
		g.Failed += st.Failed
		g.Status = addCounts(g.Status, st.Status)
		g.Errors = addCounts(g.Errors, st.Errors)
		if len(bars[st.Step]) > 0 {
			parts = append(parts, bars[st.Step])
		}
	}
	g.Requests += requests
	g.Errored += errored
	if per := roundBasis(round, open); per > 0 {
		// Half a request stands for none: the logarithm stays finite, and low.
		g.rates = append(g.rates, math.Log(math.Max(float64(requests), 0.5)/per))
	}
	if requests == 0 {
		return
	}
	g.Rounds++
	if errored > 0 {
		g.BadRounds++
	}
	g.shares = append(g.shares, float64(errored)/float64(requests))
	g.rounds = append(g.rounds, merged(parts))
}

// roundBasis is what the requests of a round are counted per: its arrivals when
// they were scheduled, else its seconds.
func roundBasis(round *Round, open bool) float64 {
	if open {
		return float64(round.Offered)
	}
	return round.Length.Seconds()
}

func addCounts[K cmp.Ordered](sum, more map[K]int64) map[K]int64 {
	for k, n := range more {
		if sum == nil {
			sum = map[K]int64{}
		}
		sum[k] += n
	}
	return sum
}

func (g *gathering) finish() Row {
	row := g.Row
	row.ErrorShare = figure(g.shares)
	if row.Requests > 0 {
		row.Rate = figure(g.rates)
	}
	row.Latency = quantiles(g.rounds)
	return row
}
