package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/unit"
)

// Schema names the format of the result file. Fields may be added to it; one
// that changes its meaning or goes away makes a new number.
const (
	Schema       = "loadline/result/1"
	schemaPrefix = "loadline/result/"
)

// MaxFileSize bounds what Read takes in: a result of 100 steps and an hour is
// about 20 MB.
const MaxFileSize = 256 << 20

// ErrNewer is in the error of Read when the file's format is newer than this
// program.
var ErrNewer = errors.New("written by a newer loadline: update loadline, or measure again with this one")

// A File is a run with what was judged of it. Verdict and Thresholds are JSON
// values that this package passes through.
type File struct {
	Run        *Run
	Verdict    json.RawMessage
	Thresholds json.RawMessage
	// Again holds further runs of the same commit that the verdict rests on, in the
	// form that baselines keep: those that the job made again, and earlier attempts.
	Again []*Summary
}

// Write writes the file form of f as one indented JSON object.
func Write(w io.Writer, f *File) error {
	doc, err := encode(f)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(doc)
}

// Read reads a result file. Its errors say what is wrong and what to do; the
// caller adds the file's name.
func Read(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("larger than %d MiB: not a result of loadline", MaxFileSize>>20)
	}
	if err := CheckSchema(data, Schema); err != nil {
		return nil, err
	}
	var doc fileDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("damaged (%w): measure again", err)
	}
	run, err := doc.decode()
	if err != nil {
		return nil, fmt.Errorf("damaged (%w): measure again", err)
	}
	again, err := readAgain(doc.Again)
	if err != nil {
		return nil, err
	}
	return &File{Run: run, Verdict: doc.Verdict, Thresholds: doc.Thresholds, Again: again}, nil
}

// readAgain reads the further runs of a file.
func readAgain(texts []json.RawMessage) ([]*Summary, error) {
	var all []*Summary
	for i, text := range texts {
		s, err := ReadSummary(fmt.Sprintf("again[%d]", i), bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// CheckSchema says whether data is a whole JSON object whose "schema" is want
// ("loadline/KIND/N"). The error tells a truncated file from a foreign one and
// from one of a newer loadline (ErrNewer).
func CheckSchema(data []byte, want string) error {
	kind := want[:strings.LastIndexByte(want, '/')+1]
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("empty: the run that wrote it was cut off; measure again")
	}
	var head struct {
		Schema string `json:"schema"`
	}
	err := json.Unmarshal(data, &head)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(bytes.TrimRight(data, " \r\n\t"))):
		return fmt.Errorf("cut off after %d bytes: measure again", len(data))
	case errors.As(err, &syntax):
		return fmt.Errorf("not JSON (byte %d: %w): measure again", syntax.Offset, err)
	case err != nil:
		return fmt.Errorf("not a %sN file (%w)", kind, err)
	case head.Schema == want:
		return nil
	}
	var have, known int
	if n, _ := fmt.Sscanf(head.Schema, kind+"%d", &have); n == 1 {
		if n, _ := fmt.Sscanf(want, kind+"%d", &known); n == 1 && have > known {
			return fmt.Errorf("format %q: %w", head.Schema, ErrNewer)
		}
	}
	return fmt.Errorf("not a file of this kind: schema is %q, wanted %q", head.Schema, want)
}

type fileDoc struct {
	Schema     string               `json:"schema"`
	Verdict    json.RawMessage      `json:"verdict"`
	Run        runDoc               `json:"run"`
	Total      figuresDoc           `json:"total"`
	Steps      []stepDoc            `json:"steps"`
	Thresholds json.RawMessage      `json:"thresholds"`
	Metrics    map[string]metricDoc `json:"metrics"`
	Series     []secondDoc          `json:"series"`
	Rounds     []roundDoc           `json:"rounds"`
	Scenarios  []string             `json:"scenarios"`
	Stages     []stageDoc           `json:"stages"`
	Cells      []cellDoc            `json:"cells"`
	Flows      []flowDoc            `json:"flows"`
	Observed   []observedDoc        `json:"observed,omitempty"`
	Again      []json.RawMessage    `json:"again,omitempty"`
	Iteration  payload              `json:"iteration_hdr,omitempty"`
}

type runDoc struct {
	Tool        string            `json:"tool"`
	Spec        string            `json:"spec"`
	File        string            `json:"file,omitempty"`
	Profile     string            `json:"profile,omitempty"`
	Fingerprint string            `json:"fingerprint"`
	Parts       map[string]string `json:"parts,omitempty"`
	Commit      string            `json:"commit,omitempty"`
	Target      string            `json:"target"`
	Seed        int64             `json:"seed"`
	Started     time.Time         `json:"started"`
	DurationS   float64           `json:"duration_s"`
	MeasuredS   float64           `json:"measured_s"`
	Mode        string            `json:"mode"`
	Open        bool              `json:"open_model"`
	Environment environmentDoc    `json:"environment"`
	Generator   generatorDoc      `json:"generator"`
	Stopped     string            `json:"stopped,omitempty"`
	Interrupted bool              `json:"interrupted,omitempty"`
	NotReady    string            `json:"not_ready,omitempty"`
	Changes     []changeDoc       `json:"changes,omitempty"`
	Shard       *shardDoc         `json:"shard,omitempty"`
}

// A changeDoc has one of Rate and Users.
type changeDoc struct {
	T     float64  `json:"t_s"`
	Track string   `json:"track,omitempty"`
	Rate  *float64 `json:"rate_per_s,omitempty"`
	Users *float64 `json:"users,omitempty"`
}

type shardDoc struct {
	Index  int             `json:"index"`
	Of     int             `json:"of"`
	Limits []shardLimitDoc `json:"limits,omitempty"`
}

type shardLimitDoc struct {
	Limit   string  `json:"limit"`
	Warn    bool    `json:"warn,omitempty"`
	Line    int     `json:"line,omitempty"`
	AfterS  float64 `json:"after_s,omitempty"`
	WindowS float64 `json:"window_s,omitempty"`
	Broken  bool    `json:"broken,omitempty"`
	AtS     float64 `json:"at_s,omitempty"`
	Value   float64 `json:"value,omitempty"`
}

type environmentDoc struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Label  string `json:"label"`
	Image  string `json:"image,omitempty"`
	Kernel string `json:"kernel,omitempty"`
}

type lagDoc struct {
	P50 int64 `json:"p50"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

type generatorDoc struct {
	CPUPercent    float64 `json:"cpu_percent"`
	CPUMaxPercent float64 `json:"cpu_max_percent"`
	Lag           lagDoc  `json:"lag_us"`
	Dropped       int64   `json:"dropped"`
	StealPercent  float64 `json:"steal_percent"` // -1: unknown
	GCPauseMax    int64   `json:"gc_pause_max_us"`
	NoPorts       int64   `json:"no_ports"`
	BusySeconds   int     `json:"busy_seconds"`
	LateSeconds   int     `json:"late_seconds"`
	Seconds       int     `json:"seconds"`
}

type quantilesDoc struct {
	P50  int64   `json:"p50"`
	P90  int64   `json:"p90"`
	P95  int64   `json:"p95"`
	P99  int64   `json:"p99"`
	P999 int64   `json:"p999"`
	Max  int64   `json:"max"`
	Mean float64 `json:"mean"`
}

type figuresDoc struct {
	Requests int64            `json:"requests"`
	Failed   int64            `json:"failed"`
	Dropped  int64            `json:"dropped"`
	Rate     float64          `json:"rate_per_s"`
	Latency  quantilesDoc     `json:"latency_us"`
	Service  quantilesDoc     `json:"service_us"`
	Status   map[int]int64    `json:"status"`
	Errors   map[string]int64 `json:"errors,omitempty"`
	In       int64            `json:"bytes_in"`
	Out      int64            `json:"bytes_out"`
}

type stepDoc struct {
	Scenario string            `json:"scenario"`
	Name     string            `json:"name"`
	Method   string            `json:"method,omitempty"`
	Role     Role              `json:"role,omitempty"`
	Control  bool              `json:"control,omitempty"`
	Line     int               `json:"line,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
	figuresDoc
	Phases phasesDoc  `json:"phases_us"`
	HDR    phasesHDR  `json:"phases_hdr"`
	Checks []checkDoc `json:"checks"`
}

// phasesDoc holds the mean of each phase over the requests in which it happened.
type phasesDoc struct {
	DNS     float64 `json:"dns"`
	Connect float64 `json:"connect"`
	TLS     float64 `json:"tls"`
	TTFB    float64 `json:"ttfb"`
	Body    float64 `json:"body"`
}

type phasesHDR struct {
	DNS     payload `json:"dns,omitempty"`
	Connect payload `json:"connect,omitempty"`
	TLS     payload `json:"tls,omitempty"`
	TTFB    payload `json:"ttfb,omitempty"`
	Body    payload `json:"body,omitempty"`
	Queue   payload `json:"queue,omitempty"`
}

type checkDoc struct {
	Name    string     `json:"name"`
	Passed  int64      `json:"passed"`
	Failed  int64      `json:"failed"`
	ByStage []tallyDoc `json:"by_stage,omitempty"`
}

type tallyDoc struct {
	Stage  int   `json:"stage"`
	Passed int64 `json:"passed"`
	Failed int64 `json:"failed"`
}

type metricDoc struct {
	Kind  string  `json:"kind"`
	Count int64   `json:"count"`
	True  int64   `json:"true,omitempty"`
	Sum   float64 `json:"sum"`
	Min   float64 `json:"min"`
	Max   float64 `json:"max"`
	Last  float64 `json:"last"`
	HDR   payload `json:"hdr,omitempty"`
}

type secondDoc struct {
	T         float64          `json:"t_s"`
	Length    float64          `json:"length_s,omitempty"`
	Rest      bool             `json:"rest,omitempty"`
	Stage     int              `json:"stage"`
	Measured  bool             `json:"measured"`
	Users     int              `json:"users"`
	InFlight  int              `json:"in_flight"`
	Rate      float64          `json:"rate_asked"`
	Offered   int64            `json:"offered"`
	Dropped   int64            `json:"dropped"`
	Completed int64            `json:"completed"`
	Failed    int64            `json:"failed"`
	Status    map[int]int64    `json:"status"`
	Errors    map[string]int64 `json:"errors,omitempty"`
	Latency   struct {
		P50 int64 `json:"p50"`
		P95 int64 `json:"p95"`
		P99 int64 `json:"p99"`
	} `json:"latency_us"`
	healthDoc
}

type healthDoc struct {
	Lag     int64   `json:"lag"` // p99, µs
	LagP50  int64   `json:"lag_p50"`
	CPU     float64 `json:"cpu_percent"`
	Steal   float64 `json:"steal_percent"`
	GCPause int64   `json:"gc_pause_us"`
	FDs     int     `json:"fds"`
	NoPorts int64   `json:"no_ports,omitempty"`
}

type roundDoc struct {
	Index    int     `json:"round"`
	Arm      string  `json:"arm"`
	Block    int     `json:"block"`
	Restarts int     `json:"restarts,omitempty"`
	StartS   float64 `json:"start_s"`
	LengthS  float64 `json:"length_s"`
	Offered  int64   `json:"offered"`
	Dropped  int64   `json:"dropped"`
	Excluded string  `json:"excluded,omitempty"`
	healthDoc
	Steps []roundStepDoc `json:"steps"`
}

type roundStepDoc struct {
	Step     int              `json:"step"`
	Requests int64            `json:"requests"`
	Failed   int64            `json:"failed"`
	Errored  int64            `json:"errored"`
	Status   map[int]int64    `json:"status"`
	Errors   map[string]int64 `json:"errors,omitempty"`
	HDR      string           `json:"latency_hdr,omitempty"`
}

type stageDoc struct {
	Name    string `json:"name"`
	Track   string `json:"track,omitempty"`
	Measure bool   `json:"measure"`
}

type cellDoc struct {
	Step    int     `json:"step"`
	Stage   int     `json:"stage"`
	Status  int     `json:"status"`
	Error   string  `json:"error,omitempty"`
	Proto   string  `json:"proto,omitempty"`
	Failed  bool    `json:"failed,omitempty"`
	Checks  bool    `json:"checks_failed,omitempty"`
	Count   int64   `json:"count"`
	In      int64   `json:"bytes_in"`
	Out     int64   `json:"bytes_out"`
	Latency payload `json:"latency_hdr,omitempty"`
	Service payload `json:"service_hdr,omitempty"`
}

type flowDoc struct {
	Scenario  int   `json:"scenario"`
	Stage     int   `json:"stage"`
	Offered   int64 `json:"offered"`
	Started   int64 `json:"started"`
	Completed int64 `json:"completed"`
	Cut       int64 `json:"cut"`
	Dropped   int64 `json:"dropped"`
}

type observedDoc struct {
	Role     string       `json:"role"`
	Arm      string       `json:"arm,omitempty"`
	Source   string       `json:"source"`
	Unit     unit.Base    `json:"unit,omitempty"`
	Limit    float64      `json:"limit,omitempty"`
	EveryS   float64      `json:"every_s"`
	Readings []readingDoc `json:"readings"`
	Missed   int          `json:"missed,omitempty"`
	Fault    string       `json:"fault,omitempty"`
}

type readingDoc struct {
	T     float64 `json:"t_s"` // less than 0 before the load
	Value float64 `json:"value"`
}

// A payload is a histogram as HdrHistogram V2, compressed, in base64.
type payload string

func pack(h *hdr.Histogram) (payload, error) {
	if h == nil || h.TotalCount() == 0 {
		return "", nil
	}
	b, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
	return payload(b), err
}

func (p payload) unpack() (*hdr.Histogram, error) {
	if p == "" {
		return nil, nil
	}
	return DecodeHistogram([]byte(p))
}

// DecodeHistogram reads an HdrHistogram V2 compressed payload (base64). A
// payload that is damaged, or that this format never writes, is an error.
func DecodeHistogram(b []byte) (h *hdr.Histogram, err error) {
	defer func() {
		// The decoder trusts lengths inside the payload.
		if p := recover(); p != nil {
			h, err = nil, fmt.Errorf("histogram: %v", p)
		}
	}()
	h, err = hdr.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	if h.HighestTrackableValue() > math.MaxInt32*1000 {
		return nil, errors.New("histogram: range larger than this format writes")
	}
	return h, nil
}
