package scenario

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A target plays the other side of every session of a set.
type target struct {
	answer func(req *wire.Request) wire.Response // nil: 200 without a body
	down   error                                 // of connecting

	mu     sync.Mutex
	log    []string // "METHOD URL", and what sessions were told
	header []string // "Name: value" of the last request
	body   string   // of the last request
	number int      // of sessions
}

func (t *target) session() Session {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	return &fakeSession{target: t, name: fmt.Sprint("#", t.number)}
}

func (t *target) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = append(t.log, fmt.Sprintf(format, args...))
}

// requests are the lines of the log that are requests.
func (t *target) requests() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, l := range t.log {
		if strings.Contains(l, "://") {
			out = append(out, l)
		}
	}
	return out
}

// last is the header and body of the last request.
func (t *target) last() (header []string, body string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.header, t.body
}

// A guarded value is shared with a server's goroutine.
type guarded[T any] struct {
	mu sync.Mutex
	v  T
}

func (g *guarded[T]) set(v T) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.v = v
}

func (g *guarded[T]) get() T {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.v
}

type fakeSession struct {
	target *target
	name   string
}

func (f *fakeSession) Do(ctx context.Context, req *wire.Request, resp *wire.Response) {
	t := f.target
	start := time.Now()
	t.mu.Lock()
	t.log = append(t.log, req.Method+" "+req.Scheme+"://"+req.Host+req.Path)
	t.header = nil
	for _, h := range req.Header {
		t.header = append(t.header, h.Name+": "+h.Value)
	}
	t.body = string(req.Body)
	t.mu.Unlock()
	*resp = wire.Response{Status: 200, Proto: "1.1"}
	if t.answer != nil {
		*resp = t.answer(req)
	}
	if !req.KeepBody {
		resp.BodySize, resp.Body = int64(len(resp.Body)), nil
	}
	if resp.Kind == wire.None && resp.Proto == "" {
		resp.Proto = "1.1"
	}
	took := resp.Times.Done
	resp.Times = wire.Times{Start: start, FirstByte: took, Done: took}
	if took > 0 {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			*resp = wire.Response{Kind: wire.Timeout, Err: ctx.Err(), Times: wire.Times{Start: start, Done: time.Since(start)}}
		}
	}
}

func (f *fakeSession) Connect(context.Context, string, string) error {
	f.target.note("connect")
	return f.target.down
}
func (f *fakeSession) NewIteration() {}

func (f *fakeSession) Open(context.Context, string, string) error { return nil }
func (f *fakeSession) Renew()                                     { f.target.note("renew %s", f.name) }

func (f *fakeSession) Sibling() Session {
	f.target.note("sibling of %s", f.name)
	return f.target.session()
}
func (f *fakeSession) Close() { f.target.note("close %s", f.name) }

// answerWith makes a target's answer out of a status and a body.
func answerWith(status int, body string) func(*wire.Request) wire.Response {
	return func(*wire.Request) wire.Response {
		return wire.Response{Status: status, Body: []byte(body), BodySize: int64(len(body))}
	}
}

// A book takes down what a user records.
type book struct {
	mu         sync.Mutex
	samples    []load.Sample
	checks     []string
	metrics    []string
	iterations []string
}

func (b *book) Request(s *load.Sample) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.samples = append(b.samples, *s)
}
func (b *book) Check(check, _ int, ok bool) { b.checks = append(b.checks, fmt.Sprint(check, ok)) }
func (b *book) Metric(metric int, value float64, isTrue bool) {
	b.metrics = append(b.metrics, fmt.Sprint(metric, value, isTrue))
}

func (b *book) Iteration(scenario, _ int, took time.Duration, completed bool) {
	b.iterations = append(b.iterations, fmt.Sprint(scenario, took, completed))
}

// The functions below write a spec as a TOML file would.

func tmpl(t testing.TB, text string) *rule.Template {
	t.Helper()
	out, err := rule.ParseTemplate(text)
	if err != nil {
		t.Fatalf("template %q: %v", text, err)
	}
	return out
}

// A key sets a key of a step.
type key func(t testing.TB, s *spec.Step)

func newStep(t testing.TB, request string, keys ...key) *spec.Step {
	t.Helper()
	method, url, _ := strings.Cut(request, " ")
	s := &spec.Step{
		Name: request, Method: method, URL: tmpl(t, url), Repeat: 1, Redirects: -1,
		Expect: []spec.StatusRange{{From: 200, To: 299}}, OnFailure: "continue",
	}
	for _, k := range keys {
		k(t, s)
	}
	return s
}

func check(name, text string) key {
	return func(t testing.TB, s *spec.Step) {
		c, err := rule.ParseCheck(text)
		if err != nil {
			t.Fatalf("check %q: %v", text, err)
		}
		s.Checks = append(s.Checks, spec.Check{Index: len(s.Checks), Name: name, Rule: c})
	}
}

func capture(name, source string) key {
	return func(t testing.TB, s *spec.Step) {
		c, err := rule.ParseSource(source)
		if err != nil {
			t.Fatalf("source %q: %v", source, err)
		}
		s.Capture = append(s.Capture, spec.Capture{Name: name, Source: c})
	}
}

func when(text string) key {
	return func(t testing.TB, s *spec.Step) {
		c, err := rule.ParseCheck(text)
		if err != nil {
			t.Fatalf("if %q: %v", text, err)
		}
		s.If = c
	}
}

func record(metric int, what string) key {
	return func(t testing.TB, s *spec.Step) {
		r := spec.Record{Metric: metric}
		var err error
		if r.Source, err = rule.ParseSource(what); err != nil {
			r.Source = nil
			if r.Check, err = rule.ParseCheck(what); err != nil {
				t.Fatalf("record %q: %v", what, err)
			}
		}
		s.Record = append(s.Record, r)
	}
}

func fixed(d time.Duration) spec.Think { return spec.Think{Min: d, Max: d} }

func think(d time.Duration) key { return func(_ testing.TB, s *spec.Step) { s.Think = fixed(d) } }
func repeat(n int) key          { return func(_ testing.TB, s *spec.Step) { s.Repeat = n } }
func onFailure(word string) key { return func(_ testing.TB, s *spec.Step) { s.OnFailure = word } }
func index(n int) key           { return func(_ testing.TB, s *spec.Step) { s.Index = n } }

func forEach(name, list string) key {
	return func(_ testing.TB, s *spec.Step) { s.ForEach = &spec.ForEach{Var: name, List: list} }
}

func header(name, value string) key {
	return func(t testing.TB, s *spec.Step) {
		s.Headers = append(s.Headers, spec.Pair{Name: name, Value: tmpl(t, value)})
	}
}

func query(name, value string) key {
	return func(t testing.TB, s *spec.Step) {
		s.Query = append(s.Query, spec.Pair{Name: name, Value: tmpl(t, value)})
	}
}

func withBody(b *spec.Body) key { return func(_ testing.TB, s *spec.Step) { s.Body = b } }

func jsonBody(v any) key {
	return func(t testing.TB, s *spec.Step) {
		doc, err := rule.NewJSON(v)
		if err != nil {
			t.Fatalf("json %v: %v", v, err)
		}
		s.Body = &spec.Body{Kind: "json", ContentType: "application/json", JSON: doc}
	}
}

func parallel(steps ...*spec.Step) key {
	return func(_ testing.TB, s *spec.Step) { s.Parallel = steps }
}

// newSpec is a spec with one scenario of the steps.
func newSpec(steps ...*spec.Step) *spec.Spec {
	return &spec.Spec{
		Target:    spec.Target{URL: "http://api.test"},
		Load:      plan.Plan{Seed: 1},
		Scenarios: []*spec.Scenario{{Name: "main", Steps: steps}},
	}
}

func compile(t testing.TB, s *spec.Spec, tg *target) *Set {
	t.Helper()
	set, err := Compile(s, tg.session, Options{})
	if err != nil {
		t.Fatalf("Compile: %v", err)
	}
	t.Cleanup(set.Close)
	return set
}

// iterate runs iterations of the first scenario with one user and closes it.
func iterate(t testing.TB, s *spec.Spec, tg *target, n int) *book {
	t.Helper()
	b := &book{}
	u := compile(t, s, tg).newUser(0, b)
	for i := range n {
		if u.Iterate(t.Context(), load.Iteration{Number: int64(i)}) != load.Continue {
			break
		}
	}
	u.Close(t.Context())
	return b
}

func contextWithTimeout(t testing.TB, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
