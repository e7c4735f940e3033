// Package verdict judges runs against rules and a baseline, and says why. It
// writes no prose for a page: report does.
package verdict

import (
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// An Outcome is what a run comes to.
type Outcome string

// The outcomes, as CONTRACT names them in the result file.
const (
	Pass         Outcome = "pass"
	Accepted     Outcome = "accepted"
	Regression   Outcome = "regression"
	Threshold    Outcome = "threshold"
	Inconclusive Outcome = "inconclusive"
	Invalid      Outcome = "invalid"
	NoBaseline   Outcome = "no-baseline"
)

// A Call is what is said of one step and metric.
type Call string

// The calls.
const (
	Slower    Call = "slower" // or worse: more errors, less throughput
	Faster    Call = "faster"
	Unchanged Call = "unchanged"
	NotSure   Call = "not-sure"
	NotJudged Call = "not-judged"
)

// A Verdict holds all that a reader could ask.
type Verdict struct {
	Outcome  Outcome       `json:"outcome"`
	Reasons  []Reason      `json:"reasons"`
	Findings []Finding     `json:"findings"`
	Limits   []LimitResult `json:"-"` // written as thresholds[]
	Warnings []Reason      `json:"warnings,omitempty"`
	Base     *Base         `json:"base,omitempty"`     // nil: nothing to compare with
	Trend    []Creep       `json:"trend,omitempty"`    // on the main branch: what crept over many runs
	Together *Together     `json:"together,omitempty"` // nil: one run decided

	// History is what the rows that were called came to before.
	History []History `json:"history,omitempty"`

	// Head is the run in the form that a baseline keeps, with what this verdict
	// knows of it: Unfit when it must not be stored, Restart on rows whose level
	// changed. Nil when the run could not be summarized.
	Head *result.Summary `json:"-"`
	// Confirm is true when something looks worse, and a further run of the same
	// commit, handed in with Input.Again, would tell more: on a fresh machine to
	// settle it, on this one to take back what was called and has passed.
	Confirm bool `json:"-"`
}

// Together says of how many runs of one commit the verdict is.
type Together struct {
	Runs     int `json:"runs"`
	Attempts int `json:"attempts"` // of the job: runs that one of them made again count as one
	Rounds   int `json:"rounds"`
}

// A Reason is a cause of the outcome, with what to do next.
type Reason struct {
	Code    string `json:"code"`    // stable, for scripts: "generator-busy", "no-baseline", "environment", ...
	Message string `json:"message"` // one sentence with the numbers
	Remedy  string `json:"remedy,omitempty"`
	Line    int    `json:"line,omitempty"` // in the spec
}

// A Base says what the run was compared with.
type Base struct {
	Runs     int     `json:"runs"`
	Commit   string  `json:"commit,omitempty"` // newest
	Started  string  `json:"started,omitempty"`
	Weekday  string  `json:"weekday,omitempty"` // the runs were chosen by: "Monday"
	Relative bool    `json:"relative"`          // judged relative to the other steps of the same run
	Common   float64 `json:"common_percent"`    // how far all steps moved together

	// What the run could see, for the one sentence of a pass; 0: not said.
	NothingAbovePercent float64 `json:"nothing_above_percent,omitempty"` // 95 % sure that no p50 to p95 rose more than this
	VisiblePercent      float64 `json:"visible_percent,omitempty"`       // half of p50 to p95 would have been called had they risen by this
	// The same in time: the largest such rise, and the middle one that would have
	// been called. Of routes that take a millisecond the percents are huge and say
	// little.
	NothingAboveUs    float64 `json:"nothing_above_us,omitempty"`
	VisibleUs         float64 `json:"visible_us,omitempty"`
	FalseAlarmPercent float64 `json:"false_alarm_percent,omitempty"` // share of unchanged pull requests that the rule would blame, at most
}

// A Finding is one step and metric, judged. For "errors" the percents are
// percentage points, as shares may start from none; limits and noise carry no
// sign, whichever direction is worse.
type Finding struct {
	Scenario string  `json:"scenario,omitempty"`
	Step     string  `json:"step"`   // "" for a whole scenario, or with no scenario for the whole run
	Metric   string  `json:"metric"` // "p50", "p95", "p99", "errors", "throughput"
	Base     float64 `json:"base"`   // µs for latency, share for errors, per second for throughput
	Head     float64 `json:"head"`
	// ChangePercent is what is judged: in relative mode the change beyond that
	// of the other steps. RawPercent is head against base as measured.
	ChangePercent float64   `json:"change_percent"`
	RawPercent    float64   `json:"raw_percent"`
	LowPercent    float64   `json:"low_percent"`
	HighPercent   float64   `json:"high_percent"`
	LimitPercent  float64   `json:"limit_percent"`  // a change beyond this is called
	NoisePercent  float64   `json:"noise_percent"`  // the part of the limit that is this run's noise
	Rule          string    `json:"rule,omitempty"` // the spec's compare rule, as written
	Call          Call      `json:"call"`
	Evidence      *Evidence `json:"evidence,omitempty"` // what the call rests on; nil: nothing was compared
	Why           string    `json:"why,omitempty"`      // for not-judged and not-sure: the cause
	Remedy        string    `json:"remedy,omitempty"`
	Warn          bool      `json:"warn,omitempty"` // the rule only warns
	Line          int       `json:"line,omitempty"`
	// Accepted is what lets a slower row pass; nil: nothing does.
	Accepted *rule.Acceptance `json:"accepted,omitempty"`
}

// A LimitResult is one absolute limit, judged.
type LimitResult struct {
	Limit string  `json:"limit"`
	Value float64 `json:"value"`
	OK    bool    `json:"ok"`
	Warn  bool    `json:"warn,omitempty"`
	Line  int     `json:"line,omitempty"`
	Shown string  `json:"shown"` // value with its unit
}
