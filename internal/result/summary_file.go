package result

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"
)

// SummarySchema names the format of a stored Summary.
const SummarySchema = "loadline/baseline/1"

// maxSummarySize bounds what ReadSummary takes in: 100 steps are about 40 kB.
const maxSummarySize = 64 << 20

type summaryDoc struct {
	Schema      string            `json:"schema"`
	Tool        string            `json:"tool"`
	Spec        string            `json:"spec"`
	File        string            `json:"file,omitempty"`
	Profile     string            `json:"profile,omitempty"`
	Fingerprint string            `json:"fingerprint"`
	Parts       map[string]string `json:"parts,omitempty"`
	Commit      string            `json:"commit,omitempty"`
	Attempt     string            `json:"attempt,omitempty"`
	Started     time.Time         `json:"started"`
	MeasuredS   float64           `json:"measured_s"`
	Open        bool              `json:"open_model"`
	Environment environmentDoc    `json:"environment"`
	Steal       *float64          `json:"steal_percent,omitempty"` // absent: unknown
	Again       bool              `json:"again,omitempty"`
	Unfit       string            `json:"unfit,omitempty"`
	Rows        []rowDoc          `json:"rows"`
}

type rowDoc struct {
	Scope    Scope                  `json:"scope"`
	Scenario string                 `json:"scenario,omitempty"`
	Step     string                 `json:"step,omitempty"`
	Control  bool                   `json:"control,omitempty"`
	Line     int                    `json:"line,omitempty"`
	Restart  bool                   `json:"restart,omitempty"`
	Accepted string                 `json:"accepted,omitempty"`
	Requests int64                  `json:"requests"`
	Failed   int64                  `json:"failed"`
	Errored  int64                  `json:"errored"`
	Status   map[int]int64          `json:"status,omitempty"`
	Errors   map[string]int64       `json:"errors,omitempty"`
	Rounds   int                    `json:"rounds"`
	Bad      int                    `json:"bad_rounds"`
	Share    *figureDoc             `json:"error_share,omitempty"`
	Rate     *figureDoc             `json:"ln_rate,omitempty"`
	N        int64                  `json:"successes,omitempty"`
	Latency  map[string]quantileDoc `json:"ln_latency,omitempty"`
}

type figureDoc struct {
	Y  float64 `json:"y"`
	SE float64 `json:"se"`
	K  int     `json:"k"`
}

type quantileDoc struct {
	figureDoc
	Micros int64 `json:"us"`
}

// Encode writes the summary as JSON, one row a line so that differences between
// two of them can be read.
func (s *Summary) Encode(w io.Writer) error {
	doc := summaryDoc{
		Schema: SummarySchema, Tool: s.Tool, Spec: s.Spec, File: s.File, Profile: s.Profile,
		Fingerprint: s.Fingerprint, Parts: s.Parts, Commit: s.Commit, Attempt: s.Attempt,
		Started: s.Started.UTC().Round(0), MeasuredS: s.Measured.Seconds(), Open: s.Open,
		Environment: environmentDoc(s.Environment), Again: s.Again, Unfit: s.Unfit, Rows: []rowDoc{},
	}
	if s.Steal >= 0 {
		percent := rounded(100 * finite(s.Steal))
		doc.Steal = &percent
	}
	head, err := json.MarshalIndent(doc, "", " ")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(bytes.TrimSuffix(head, []byte("[]\n}")))
	b.WriteByte('[')
	for i := range s.Rows {
		line, err := json.Marshal(encodeRow(&s.Rows[i]))
		if err != nil {
			return err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n  ")
		b.Write(line)
	}
	b.WriteString("\n ]\n}\n")
	_, err = w.Write(b.Bytes())
	return err
}

func quantileName(q float64) string { return fmt.Sprintf("p%g", math.Round(q*1e4)/100) }

func encodeRow(r *Row) rowDoc {
	doc := rowDoc{
		Scope: r.Scope, Scenario: r.Scenario, Step: r.Step, Control: r.Control, Line: r.Line, Restart: r.Restart, Accepted: r.Accepted,
		Requests: r.Requests, Failed: r.Failed, Errored: r.Errored, Status: r.Status, Errors: r.Errors,
		Rounds: r.Rounds, Bad: r.BadRounds, Share: encodeFigure(r.ErrorShare), Rate: encodeFigure(r.Rate),
	}
	for _, q := range r.Latency {
		if doc.Latency == nil {
			doc.Latency = map[string]quantileDoc{}
		}
		doc.N = q.N
		doc.Latency[quantileName(q.Q)] = quantileDoc{*encodeFigure(q.Figure), q.Micros}
	}
	return doc
}

// mostRounds is far beyond what any run is cut into: a week of rounds of 5 s has
// 121,000. The tests of error rates take as long as there are rounds.
const mostRounds = 1 << 20

func encodeFigure(f Figure) *figureDoc {
	if f.K == 0 {
		return nil
	}
	return &figureDoc{finite(f.Y), finite(f.SE), f.K}
}

// ReadSummary reads a stored summary. name is what its errors call it; they end
// with what to do next.
func ReadSummary(name string, r io.Reader) (*Summary, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSummarySize+1))
	if err != nil {
		return nil, fmt.Errorf("reading baseline %s: %w", name, err)
	}
	if len(data) > maxSummarySize {
		return nil, fmt.Errorf("reading baseline %s: larger than %d MiB, so not a baseline of loadline: remove it", name, maxSummarySize>>20)
	}
	if err := CheckSchema(data, SummarySchema); err != nil {
		return nil, fmt.Errorf("reading baseline %s: %w", name, err)
	}
	var doc summaryDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("reading baseline %s: damaged (%w): remove it, or store that run again", name, err)
	}
	s, err := doc.decode()
	if err != nil {
		return nil, fmt.Errorf("reading baseline %s: damaged (%w): remove it, or store that run again", name, err)
	}
	return s, nil
}

func (d *summaryDoc) decode() (*Summary, error) {
	s := &Summary{
		Tool: d.Tool, Spec: d.Spec, File: d.File, Profile: d.Profile, Fingerprint: d.Fingerprint, Parts: d.Parts,
		Commit: d.Commit, Attempt: d.Attempt, Started: d.Started.UTC(), Measured: seconds(d.MeasuredS), Open: d.Open,
		Environment: Environment(d.Environment), Steal: -1, Again: d.Again, Unfit: d.Unfit,
	}
	if d.Steal != nil {
		if *d.Steal < 0 || *d.Steal > 100 {
			return nil, fmt.Errorf("steal_percent %g: out of range", *d.Steal)
		}
		s.Steal = *d.Steal / 100
	}
	if s.Fingerprint == "" || s.Started.IsZero() {
		return nil, fmt.Errorf("fingerprint or start time missing")
	}
	seen := map[RowKey]bool{}
	for i := range d.Rows {
		row, err := d.Rows[i].decode()
		if err != nil {
			return nil, fmt.Errorf("rows[%d]: %w", i, err)
		}
		if seen[row.Key()] {
			return nil, fmt.Errorf("rows[%d]: a second row for %s %q %q", i, row.Scope, row.Scenario, row.Step)
		}
		seen[row.Key()] = true
		s.Rows = append(s.Rows, row)
	}
	return s, nil
}

func (d *rowDoc) decode() (Row, error) {
	row := Row{
		Scope: d.Scope, Scenario: d.Scenario, Step: d.Step, Control: d.Control, Line: d.Line, Restart: d.Restart, Accepted: d.Accepted,
		Requests: d.Requests, Failed: d.Failed, Errored: d.Errored, Status: d.Status, Errors: d.Errors,
		Rounds: d.Rounds, BadRounds: d.Bad,
	}
	switch d.Scope {
	case ScopeTotal, ScopeScenario, ScopeStep:
	default:
		return row, fmt.Errorf("scope %q is none of total, scenario, step", d.Scope)
	}
	if d.Requests < 0 || d.Failed < 0 || d.Failed > d.Errored || d.Errored > d.Requests || d.Bad < 0 || d.Bad > d.Rounds || d.Rounds > mostRounds {
		return row, fmt.Errorf("counts that cannot be: %d requests, %d failed, %d errored, %d of %d rounds bad",
			d.Requests, d.Failed, d.Errored, d.Bad, d.Rounds)
	}
	var err error
	if row.ErrorShare, err = d.Share.decode(0, 1); err != nil {
		return row, fmt.Errorf("error_share: %w", err)
	}
	if row.Rate, err = d.Rate.decode(-100, 100); err != nil {
		return row, fmt.Errorf("ln_rate: %w", err)
	}
	for _, q := range SummaryQuantiles {
		have, ok := d.Latency[quantileName(q)]
		if !ok {
			continue
		}
		f, err := have.decode(0, math.Log(2*MaxMicros))
		if err != nil {
			return row, fmt.Errorf("ln_latency.%s: %w", quantileName(q), err)
		}
		row.Latency = append(row.Latency, Quantile{Q: q, Figure: f, N: d.N, Micros: have.Micros})
	}
	return row, nil
}

func (d *figureDoc) decode(low, high float64) (Figure, error) {
	if d == nil {
		return Figure{}, nil
	}
	if d.Y < low || d.Y > high || d.SE < 0 || d.SE > 100 || d.K < 1 {
		return Figure{}, fmt.Errorf("y %g, se %g, k %d: out of range", d.Y, d.SE, d.K)
	}
	return Figure(*d), nil
}
