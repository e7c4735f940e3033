package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/live"
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/wire"
)

func benchCommand() command {
	return command{
		name:    "bench",
		args:    "URL",
		summary: "an ad-hoc load with no spec, on the same engine",
		example: "loadline bench http://127.0.0.1:8080/orders --connections 50 --duration 10s",
		flags: func(fs *pflag.FlagSet) runFunc {
			b := &bench{}
			fs.IntVarP(&b.connections, "connections", "c", 50, "`N` connections, each a user that sends one request after the other")
			fs.StringVarP(&b.rate, "rate", "r", "", "arrivals, `R` such as 1000/s, whatever the target does (open model); connections are then as many as it takes, at most --connections if given")
			fs.DurationVarP(&b.duration, "duration", "d", 10*time.Second, "length `D` of the load")
			fs.StringVarP(&b.method, "method", "X", "", "request `METHOD` (default GET, POST with --body)")
			fs.StringArrayVarP(&b.headers, "header", "H", nil, "header `'Name: value'` (may be given again)")
			fs.StringVarP(&b.body, "body", "b", "", "`BODY` to send; @FILE reads it from a file")
			fs.StringVar(&b.http, "http", "auto", "`VERSION` of HTTP: auto, 1.1, 2 or h2c")
			fs.DurationVar(&b.timeout, "timeout", 30*time.Second, "most time `D` for one request")
			fs.BoolVar(&b.insecure, "insecure", false, "accept any certificate")
			fs.BoolVar(&b.json, "json", false, "print one JSON object as the last line")
			b.data.add(fs)
			addOTLP(fs, &b.otlp)
			fs.BoolVar(&b.quiet, "quiet", false, "no progress")
			return func(ctx context.Context, env *Env, args []string) (Exit, error) {
				if err := exactly(args, "URL"); err != nil {
					return ExitUsage, err
				}
				b.capped = fs.Changed("connections")
				return b.run(ctx, env, args[0])
			}
		},
	}
}

// A bench is what the flags of the command ask for.
type bench struct {
	connections        int
	capped             bool // connections was asked for, also with a rate
	rate, method, body string
	headers            []string
	duration, timeout  time.Duration
	http               string
	insecure           bool
	json, quiet        bool
	data               dataFlags
	otlp               string
}

func (b *bench) run(ctx context.Context, env *Env, target string) (Exit, error) {
	if err := checkOutputs(env, b.data.outputs()); err != nil {
		return ExitUsage, err
	}
	if !strings.Contains(target, "://") {
		target = "http://" + target
	}
	req, err := b.request(env, target)
	if err != nil {
		return ExitUsage, err
	}
	p, err := b.plan()
	if err != nil {
		return ExitUsage, err
	}
	client, err := wire.NewClient(wire.Options{
		Timeout: b.timeout, ConnectTimeout: b.timeout, Version: b.http, NoCompression: true,
		UserAgent: "loadline/" + version(), Cookies: "off", Proxy: "env", Env: env.get,
		TLS: wire.TLSOptions{Insecure: b.insecure},
	})
	if err != nil {
		return ExitUsage, usageError{err}
	}
	defer client.Close()
	if err := reach(ctx, client, req); err != nil {
		return ExitInvalid, err
	}
	names := result.Catalog{Scenarios: []string{"bench"}, Steps: []result.Step{{Scenario: "bench", Name: req.Method + " " + req.Path, Method: req.Method}}}
	hub, feed := &live.Hub{}, live.NewFeed(p, names, "", 0)
	feed.Title = req.Method + " " + bareURL(target)
	watched, done := watchRun(env, hub, b.quiet)
	sent, err := sendMetrics(ctx, watched, hub, b.otlp, "bench")
	if err != nil {
		done()
		return ExitUsage, err
	}
	run, err := load.Run(ctx, p, func(_ int, rec *load.Recorder) load.User {
		return &benchUser{session: client.NewSession(), rec: rec, req: req}
	}, load.Options{
		Prepare: true,
		Catalog: names,
		Each: func(iv *result.Interval) string {
			hub.Publish(feed.Second(iv))
			return ""
		},
	})
	done()
	sent()
	if err != nil {
		return ExitInvalid, err
	}
	run.Target, run.Mode, run.Tool = bareURL(target), "single", version()
	if err := b.data.write(env, report.New(&verdict.Verdict{}, run, report.Context{Version: version()}, nil)); err != nil {
		return ExitInvalid, err
	}
	if err := report.Bench(env.Stdout, run, b.intro(target), report.Terminal{
		Width: env.Terminal.Width, Colour: env.Terminal.Color, Unicode: env.Terminal.Unicode,
	}); err != nil {
		return ExitInvalid, err
	}
	if b.json {
		if err := benchLine(env, run); err != nil {
			return ExitInvalid, err
		}
	}
	switch {
	case run.Interrupted:
		return ExitInterrupted, nil
	case len(run.AdHocFaults()) > 0:
		return ExitInvalid, nil // the report says why
	}
	return ExitPass, nil
}

// reach opens a connection beforehand, so that a wrong address is said at once
// and not counted ten thousand times.
func reach(ctx context.Context, client *wire.Client, req *wire.Request) error {
	s := client.NewSession()
	defer s.Close()
	if err := s.Connect(ctx, req.Scheme, req.Host); err != nil {
		return fmt.Errorf("%w; is the target running?", err)
	}
	return nil
}

func (b *bench) intro(target string) string {
	how := plural(b.connections, "connection") + ", closed model"
	if b.rate != "" {
		how = b.rate + ", open model"
	}
	return fmt.Sprintf("%s for %s at %s", unit.Duration(b.duration), how, bareURL(target))
}

// request is what every user sends.
func (b *bench) request(env *Env, target string) (*wire.Request, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("%q is not a URL: write it like http://127.0.0.1:8080/path", target)
	}
	req := &wire.Request{Method: b.method, Scheme: u.Scheme, Host: u.Host, Path: u.RequestURI()}
	if u.User != nil {
		password, _ := u.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		req.Header = append(req.Header, wire.Field{Name: "Authorization", Value: "Basic " + credentials})
	}
	if req.Body, err = b.bodyBytes(env); err != nil {
		return nil, err
	}
	if req.Method == "" {
		req.Method = map[bool]string{true: "POST", false: "GET"}[req.Body != nil]
	}
	for _, h := range b.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, usagef("--header %q: write it like 'Accept: application/json'", h)
		}
		req.Header = append(req.Header, wire.Field{Name: name, Value: strings.TrimSpace(value)})
	}
	return req, nil
}

func (b *bench) bodyBytes(env *Env) ([]byte, error) {
	if b.body == "" {
		return nil, nil
	}
	name, file := strings.CutPrefix(b.body, "@")
	if !file {
		return []byte(b.body), nil
	}
	data, err := os.ReadFile(env.path(name))
	if err != nil {
		return nil, usagef("--body %s: %w", b.body, missing(err))
	}
	return data, nil
}

// plan is the load that the flags ask for.
func (b *bench) plan() (plan.Plan, error) {
	track := plan.Track{
		Shares: []plan.Share{{Weight: 1}}, GracefulStop: min(b.timeout, 5*time.Second),
		Stages: []plan.Stage{{Name: "bench", Duration: b.duration, Measure: true}},
	}
	level := float64(b.connections)
	if b.rate != "" {
		r, err := unit.ParseRate(b.rate)
		if err != nil {
			return plan.Plan{}, usagef("--rate: %w", err)
		}
		track.Open, level = true, r
		if b.capped {
			track.MaxUsers = b.connections
		}
	} else if b.connections < 1 || b.connections > 100_000 {
		return plan.Plan{}, usagef("--connections %d: 1 to 100000 are allowed", b.connections)
	}
	if b.duration <= 0 {
		return plan.Plan{}, usageError{errors.New("--duration must be more than 0")}
	}
	track.Stages[0].From, track.Stages[0].To = level, level
	p := plan.Plan{Seed: 1, Tracks: []plan.Track{track}}
	if err := p.Validate(); err != nil {
		return p, usageError{err}
	}
	return p, nil
}

// A benchUser sends the same request again and again on one connection.
type benchUser struct {
	session *wire.Session
	rec     *load.Recorder
	req     *wire.Request // all users send the same
	resp    wire.Response
	sample  load.Sample
}

// Prepare opens the connection. That it cannot is told by the first request.
func (u *benchUser) Prepare(ctx context.Context) {
	_ = u.session.Open(ctx, u.req.Scheme, u.req.Host)
}

// Iterate sends one request.
func (u *benchUser) Iterate(ctx context.Context, it load.Iteration) load.Next {
	u.session.Do(ctx, u.req, &u.resp)
	r := &u.resp
	u.sample = load.Sample{
		Stage: it.Stage, Due: it.Due, Status: r.Status, Kind: r.Kind,
		Failed: r.Kind != wire.None || r.Status >= 400, NoPort: r.Err != nil && load.OutOfPorts(r.Err),
		Proto: r.Proto, Times: r.Times, In: r.In, Out: r.Out,
	}
	u.rec.Request(&u.sample)
	return load.Continue
}

// Close closes the connection.
func (u *benchUser) Close(context.Context) { u.session.Close() }

// benchLine prints the one line that scripts read.
func benchLine(env *Env, run *result.Run) error {
	f := run.Total()
	q := f.Latency
	type latency struct {
		P50  int64 `json:"p50"`
		P90  int64 `json:"p90"`
		P95  int64 `json:"p95"`
		P99  int64 `json:"p99"`
		P999 int64 `json:"p999"`
		Max  int64 `json:"max"`
	}
	line, err := json.Marshal(struct {
		Requests int64   `json:"requests"`
		Failed   int64   `json:"failed"`
		Rate     float64 `json:"rate_per_s"`
		Latency  latency `json:"latency_us"`
		Dropped  int64   `json:"dropped,omitempty"` // arrivals for which no connection was free
	}{f.Requests, f.Failed, f.PerSecond, latency{q.P50, q.P90, q.P95, q.P99, q.P999, q.Max}, f.Dropped})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s\n", line)
	return err
}
