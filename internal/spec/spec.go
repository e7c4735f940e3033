// Package spec turns a TOML file into a Spec, or into every problem in it, each
// with its line and column.
package spec

import (
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A Pos is a place in the spec file; Line and Column count from 1, Column in
// characters.
type Pos struct{ Line, Column int }

// A Spec is a load spec, complete and checked: defaults filled in, profile and
// overrides applied, expressions compiled, files read.
type Spec struct {
	File        string // as the user named it
	Name        string
	Description string
	Profile     string
	Fingerprint string            // of all that shapes the numbers
	Parts       map[string]string // fingerprint of each section

	Target    Target
	Vars      map[string]any // string, int64, float64, bool
	Secrets   map[string]string
	HTTP      HTTP
	Metrics   []result.Metric
	Load      plan.Plan // tracks refer to Scenarios by index
	User      User
	Setup     []*Step
	Teardown  []*Step
	Scenarios []*Scenario // those with weight 0 left out
	Feeds     []*Feed
	Gate      Gate
	StopWhen  []Limit // [load] stop_when: ends the load without failing
	Observe   []Observe
	Diagnose  Diagnose

	Warnings []Problem

	secrets []string // values to mask, sorted
}

// Target is [target].
type Target struct {
	URL        string // scheme://host[:port][/prefix], no trailing slash
	AllowHosts []string
	Ready      *Ready // nil: connect once
}

// Ready is [target.ready]: what is waited for before the load.
type Ready struct {
	Step        *Step
	Timeout     time.Duration
	Every       time.Duration
	Consecutive int
}

// HTTP is [http].
type HTTP struct {
	Version        string // "auto", "1.1", "2", "h2c"
	Timeout        time.Duration
	ConnectTimeout time.Duration
	Redirects      int
	KeepAlive      bool
	Shared         bool // connections = "shared"
	MaxConnections int
	Compression    bool
	Cookies        string // "user", "iteration", "off"
	BodyLimit      int64
	UserAgent      string
	Proxy          string // "env", "off" or a URL
	IP             string // "any", "4", "6"
	Resolve        map[string]string
	Headers        []Pair
	Auth           Auth
	TLS            TLS
}

// A Pair is one name and its template: a header, query or form field.
type Pair struct {
	Name  string
	Value *rule.Template
}

// Auth is [http.auth]: at most one is set.
type Auth struct {
	BasicUser, BasicPassword *rule.Template
	Bearer                   *rule.Template
	OAuth2                   *OAuth2
}

// OAuth2 is the client credentials grant (RFC 6749 section 4.4).
type OAuth2 struct {
	TokenURL, ClientID, ClientSecret *rule.Template
	Scopes                           []string
	Audience                         string
}

// TLS is [http.tls]. CA, Cert and Key hold the files' contents (PEM).
type TLS struct {
	CA, Cert, Key []byte
	ServerName    string
	MinVersion    string // "1.2" or "1.3"
	Insecure      bool
}

// User is [user].
type User struct {
	Think        Think
	Pace         time.Duration
	PerIteration bool // lifetime = "iteration"
	OnStart      []*Step
	OnStop       []*Step
}

// A Think is a pause: fixed when Dist is "", else drawn.
type Think struct {
	Dist     string        // "", "uniform", "normal", "exponential"
	Min, Max time.Duration // uniform; fixed: both the same
	Mean, SD time.Duration // normal; exponential: Mean
}

// A Scenario is one [[scenario]].
type Scenario struct {
	Name    string
	Pos     Pos
	Think   *Think // nil: the user's
	Pace    *time.Duration
	Tags    map[string]string
	OnStart []*Step
	Steps   []*Step
}

// A Step is one request (or several in parallel), wherever it stands.
type Step struct {
	Index     int // into Catalog().Steps; -1 for setup, teardown, ready and a step that is only `parallel`
	Pos       Pos
	Name      string
	Method    string
	URL       *rule.Template // path (joined to the target) or absolute URL
	Query     []Pair
	Headers   []Pair
	Body      *Body // nil: none
	Expect    []StatusRange
	Control   bool
	Checks    []Check
	Capture   []Capture
	Record    []Record
	Think     Think
	Timeout   time.Duration // 0: [http] timeout
	Redirects int           // -1: [http] redirects
	If        *rule.Check
	Repeat    int
	ForEach   *ForEach
	Parallel  []*Step
	OnFailure string // "continue", "end-iteration", "end-user", "stop-run"
	Tags      map[string]string
}

// A StatusRange is statuses From..To that are expected, both included.
type StatusRange struct{ From, To int }

// A Body is what a step sends.
type Body struct {
	Kind        string     // "json", "form", "multipart", "graphql", "body", "body_file"
	ContentType string     // "" when a header sets it
	JSON        *rule.JSON // json, graphql: a document with templates in it
	Form        []Pair
	Parts       []Part
	Text        *rule.Template // body
	File        []byte         // body_file
}

// A Part is one part of a multipart body.
type Part struct {
	Name     string
	Value    *rule.Template // nil: a file
	FileName string
	Type     string
	Content  []byte
}

// A Check is one assertion of a step.
type Check struct {
	Index int // into Catalog().Checks
	Name  string
	Rule  *rule.Check
}

// A Capture keeps a value of the answer under a name.
type Capture struct {
	Name   string
	Source *rule.Source
}

// A Record adds to a custom metric: the truth of Check, or the value of Source
// or Number.
type Record struct {
	Metric int // into Spec.Metrics
	Check  *rule.Check
	Source *rule.Source
	Number *float64
}

// ForEach is for_each = "x in list".
type ForEach struct{ Var, List string }

// A Feed is one [data.NAME], read and cast.
type Feed struct {
	Name    string
	Columns []string
	Rows    [][]rule.Value
	Order   string // "sequential", "random", "shuffle", "unique"
	Per     string // "iteration", "user", "run"
	AtEnd   string // "loop", "stop"
}

// Gate is [gate].
type Gate struct {
	Thresholds  []Limit
	Compare     []Compare
	Per         string // "total", "scenario", "step"
	Baseline    string // "merge-base", "branch:NAME", "tag:NAME" or "none"
	Rounds      int
	Confirm     int
	Confidence  float64 // 0.95
	MinRequests int64
}

// A Limit is one absolute limit.
type Limit struct {
	Pos    Pos
	Rule   *rule.Limit
	Abort  bool
	After  time.Duration
	Window time.Duration // 0: the whole run
	Warn   bool
}

// A Compare is one rule against the baseline.
type Compare struct {
	Pos  Pos
	Rule *rule.Compare
	Per  string // "" : the gate's
	Warn bool
}

// Observe is one [[observe]]: where the target's own numbers are read.
type Observe struct {
	Pos     Pos
	Kind    string // "scrape", "prometheus", "command", "log"
	Source  string // scrape: a URL, or a path of the target's host
	Every   time.Duration
	Headers []Pair
	Pattern string // "" : none
	Series  []Series
}

// A Series is one series of an Observe.
type Series struct {
	Role  string
	Query string     // prometheus: PromQL
	Expr  *rule.Expr // scrape: what to read from the page
	Unit  unit.Base  // of the numbers, as far as the limit or the expression says
	Limit float64    // capacity; 0: none
}

// Diagnose is [diagnose].
type Diagnose struct {
	Disable, FailOn []string
	CPUHigh, CPULow float64
}

// A Problem is one mistake (or warning) in a spec.
type Problem struct {
	File    string
	Pos     Pos
	Message string // one sentence, no trailing stop: what is wrong
	Hint    string // what to do next; "" when the message says it
	Source  string // the line, for showing it
	Width   int    // characters to underline
}
