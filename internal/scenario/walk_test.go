package scenario

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// paths are the requests of a log without method and host.
func paths(log []string) string {
	var out []string
	for _, l := range log {
		if _, rest, ok := strings.Cut(l, "http://api.test"); ok {
			out = append(out, rest)
		}
	}
	return strings.Join(out, " ")
}

// TestOutcomes holds what is recorded of one answer, and whether the next step
// runs.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	refused := wire.Response{Kind: wire.Refused, Err: errors.New("connection refused")}
	tests := []struct {
		name    string
		answer  wire.Response
		keys    []key
		want    load.Sample // status, kind, failed, checks, capture
		checks  []string
		metrics []string
		next    bool
	}{
		{name: "as expected", answer: wire.Response{Status: 204}, want: load.Sample{Status: 204}, next: true},
		{name: "a status that is not", answer: wire.Response{Status: 302}, want: load.Sample{Status: 302, Failed: true}, next: true},
		{
			name: "a check that does not hold", answer: wire.Response{Status: 200, Body: []byte(`{"a":1}`)},
			keys: []key{check("one", "$.a == 1"), check("two", "$.a == 2")},
			want: load.Sample{Status: 200, ChecksFailed: true}, checks: []string{"0 true", "1 false"}, next: true,
		},
		{
			name: "no answer: no check holds, whatever it asks", answer: refused,
			keys: []key{check("fast", "latency < 1s"), check("no body", "$.a not exists")},
			want: load.Sample{Kind: wire.Refused, Failed: true, ChecksFailed: true}, checks: []string{"0 false", "1 false"}, next: true,
		},
		{
			name: "nothing to capture", answer: wire.Response{Status: 200, Body: []byte(`{}`)},
			keys: []key{capture("id", "$.id")},
			want: load.Sample{Status: 200, CaptureError: true},
		},
		{
			name: "no answer to capture from: the failure is its own", answer: refused,
			keys: []key{capture("id", "status")},
			want: load.Sample{Kind: wire.Refused, Failed: true},
		},
		{
			name: "records", answer: wire.Response{Status: 409, Body: []byte(`{"total": 12.5, "n": "3", "t": "x"}`)},
			keys: []key{
				record(0, "status == 409"), record(0, "status == 200"), record(1, "status == 409"), record(1, "status == 200"),
				record(1, "$.n"), record(2, "$.total"), record(2, "$.t"), record(2, "$.gone"), record(3, "status"), record(0, "checks == failed"),
			},
			want:    load.Sample{Status: 409, Failed: true},
			metrics: []string{"0 1 true", "0 0 false", "1 1 false", "1 3 false", "2 12.5 false", "3 409 false", "0 0 false"},
			next:    true,
		},
		{
			name: "records of a request without an answer: only checks", answer: refused,
			keys:    []key{record(0, "checks == failed"), record(1, "checks == failed"), record(2, "$.total"), record(3, "status")},
			want:    load.Sample{Kind: wire.Refused, Failed: true},
			metrics: []string{"0 1 true", "1 1 false"},
			next:    true,
		},
		{name: "on_failure: end-iteration", answer: wire.Response{Status: 500}, keys: []key{onFailure("end-iteration")}, want: load.Sample{Status: 500, Failed: true}},
		{
			name: "on_failure, and a check failed", answer: wire.Response{Status: 200}, keys: []key{onFailure("end-iteration"), check("c", "status == 201")},
			want: load.Sample{Status: 200, ChecksFailed: true}, checks: []string{"0 false"},
		},
		{name: "on_failure, and nothing failed", answer: wire.Response{Status: 200}, keys: []key{onFailure("stop-run")}, want: load.Sample{Status: 200}, next: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tg := &target{answer: func(*wire.Request) wire.Response { return tt.answer }}
			s := newSpec(newStep(t, "GET /a", tt.keys...), newStep(t, "GET /b"))
			s.Metrics = []result.Metric{{Name: "r", Kind: "rate"}, {Name: "c", Kind: "counter"}, {Name: "t", Kind: "trend"}, {Name: "g", Kind: "gauge"}}
			b := iterate(t, s, tg, 1)
			if diff := cmp.Diff(b.samples[0], tt.want, cmpopts.IgnoreFields(load.Sample{}, "Times", "Proto")); diff != "" {
				t.Errorf("sample (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(b.checks, tt.checks); diff != "" {
				t.Errorf("checks (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(b.metrics, tt.metrics); diff != "" {
				t.Errorf("metrics (-got +want):\n%s", diff)
			}
			if got := len(tg.requests()) == 2; got != tt.next {
				t.Errorf("the next step ran: %v, want %v", got, tt.next)
			}
			if want := "0 0s " + map[bool]string{true: "true", false: "false"}[tt.next]; len(b.iterations) != 1 || !strings.HasSuffix(b.iterations[0], want[4:]) {
				t.Errorf("iterations %v, want completed = %v", b.iterations, tt.next)
			}
		})
	}
}

func TestOnFailureReachesLoad(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]load.Next{
		"continue": load.Continue, "end-iteration": load.Continue, "end-user": load.EndUser, "stop-run": load.StopRun,
	} {
		tg := &target{answer: answerWith(500, "")}
		u := compile(t, newSpec(newStep(t, "GET /a", onFailure(word))), tg).newUser(0, &book{})
		if got := u.Iterate(t.Context(), load.Iteration{}); got != want {
			t.Errorf("on_failure = %q: %v, want %v", word, got, want)
		}
	}
}

// TestFlow holds which requests are sent, in order.
func TestFlow(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"/list": `{"ids":["a","b"],"objects":[{"id":1},{"id":2}],"empty":[],"text":"x"}`,
		"/two":  `{"ok":false}`,
	}
	tests := []struct {
		name  string
		steps []*spec.Step
		n     int
		want  string
	}{
		{"repeat", []*spec.Step{newStep(t, "GET /a", repeat(3)), newStep(t, "GET /b")}, 1, "/a /a /a /b"},
		{
			"for_each over texts, then objects", []*spec.Step{
				newStep(t, "GET /list", capture("ids", "$.ids"), capture("objects", "$.objects")),
				newStep(t, "GET /i/{{ id }}", forEach("id", "ids")),
				newStep(t, "GET /o/{{ o.id }}", forEach("o", "objects"), repeat(2)),
			}, 1, "/list /i/a /i/b /o/1 /o/1 /o/2 /o/2",
		},
		{
			"for_each with an if on its element", []*spec.Step{
				newStep(t, "GET /list", capture("objects", "$.objects")),
				newStep(t, "GET /o/{{ o.id }}", forEach("o", "objects"), when("{{ o.id }} > 1")),
				newStep(t, "", parallel(newStep(t, "GET /p/{{ o.id }}", forEach("o", "objects"), when("{{ o.id }} < 2")))),
			}, 1, "/list /o/2 /p/1",
		},
		{
			"for_each over nothing",
			[]*spec.Step{newStep(t, "GET /list", capture("empty", "$.empty")), newStep(t, "GET /{{ e }}", forEach("e", "empty")), newStep(t, "GET /z")},
			1, "/list /z",
		},
		{
			"for_each over what is no list ends the iteration",
			[]*spec.Step{newStep(t, "GET /list", capture("text", "$.text")), newStep(t, "GET /{{ e }}", forEach("e", "text")), newStep(t, "GET /z")},
			1, "/list",
		},
		{
			"if, on the answer before", []*spec.Step{
				newStep(t, "GET /first", when("status == 200")), // nothing before it
				newStep(t, "GET /two"),
				newStep(t, "GET /no", when("$.ok == true")),
				newStep(t, "GET /yes", when("$.ok == false")),
				newStep(t, "GET /left", when("{{ region }} == 'eu'")),
				newStep(t, "GET /right", when("{{ region }} == 'us'")),
			}, 2, "/two /yes /left /two /yes /left",
		},
		{
			"a captured value is gone in the next iteration", []*spec.Step{
				newStep(t, "GET /list", when("{{ iteration }} == 0"), capture("text", "$.text")),
				newStep(t, "GET /{{ text }}"),
			}, 2, "/list /x",
		},
		{
			"parallel", []*spec.Step{
				newStep(t, "GET /list", capture("ids", "$.ids")),
				newStep(t, "", parallel(newStep(t, "GET /p"), newStep(t, "GET /skip", when("status == 500")), newStep(t, "GET /{{ id }}", forEach("id", "ids"), repeat(2)))),
				newStep(t, "GET /z"),
			}, 1, "/list /a /a /b /b /p /z",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tg := &target{answer: func(r *wire.Request) wire.Response {
				return wire.Response{Status: 200, Body: []byte(bodies[r.Path])}
			}}
			s := newSpec(tt.steps...)
			s.Vars = map[string]any{"region": "eu"}
			iterate(t, s, tg, tt.n)
			got := tg.requests()
			if strings.HasPrefix(tt.name, "parallel") && len(got) > 6 {
				slices.Sort(got[1:6]) // these go out side by side
			}
			if diff := cmp.Diff(paths(got), tt.want); diff != "" {
				t.Errorf("requests (-got +want):\n%s", diff)
			}
		})
	}
}

// TestUnfilled: a request with a value that is missing is not sent, and not lost.
func TestUnfilled(t *testing.T) {
	t.Parallel()
	tg := &target{}
	b := iterate(t, newSpec(
		newStep(t, "GET /a", when("status == 500"), capture("id", "$.id")),
		newStep(t, "GET /{{ id }}", index(7)),
		newStep(t, "GET /z"),
	), tg, 1)
	want := []load.Sample{{Step: 7, Failed: true, CaptureError: true}}
	if diff := cmp.Diff(b.samples, want, cmpopts.IgnoreFields(load.Sample{}, "Times")); diff != "" {
		t.Errorf("samples (-got +want):\n%s", diff)
	}
	if len(tg.requests()) != 0 {
		t.Errorf("sent %v", tg.requests())
	}
}

// TestUnfilledGroup: it is no step that is counted, so its first request is.
func TestUnfilledGroup(t *testing.T) {
	t.Parallel()
	group := newStep(t, "", index(-1), forEach("x", "gone"), parallel(newStep(t, "GET /p", index(3)), newStep(t, "GET /q", index(4))))
	b := iterate(t, newSpec(group, newStep(t, "GET /z")), &target{}, 1)
	if len(b.samples) != 1 || b.samples[0].Step != 3 || !b.samples[0].CaptureError {
		t.Errorf("samples %+v", b.samples)
	}
}

// TestDue: the first request that an arrival causes is due when the arrival was;
// those after it were not due at any moment.
func TestDue(t *testing.T) {
	t.Parallel()
	due := time.Now()
	due2 := due.Add(time.Second)
	s := newSpec(
		newStep(t, "GET /never", when("status == 500")),
		newStep(t, "", parallel(newStep(t, "GET /p"), newStep(t, "GET /q"))),
		newStep(t, "GET /b", repeat(2)),
	)
	s.User.OnStart = []*spec.Step{newStep(t, "POST /login", index(9))}
	b := &book{}
	u := compile(t, s, &target{}).newUser(0, b)
	u.Iterate(t.Context(), load.Iteration{Number: 0, Due: due})
	u.Iterate(t.Context(), load.Iteration{Number: 1, Due: due2})
	var got []time.Time
	for _, s := range b.samples {
		got = append(got, s.Due)
	}
	none := time.Time{}
	if diff := cmp.Diff(got, []time.Time{due, none, none, none, none, due2, due2, none, none}); diff != "" {
		t.Errorf("due (-got +want):\n%s", diff)
	}
}

// TestParallelTime: requests side by side take as long as the longest, on
// connections of their own.
func TestParallelTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tg := &target{answer: func(r *wire.Request) wire.Response {
			return wire.Response{Status: 200, Times: wire.Times{Done: map[string]time.Duration{"/a": time.Second, "/b": 3 * time.Second, "/c": 2 * time.Second}[r.Path]}}
		}}
		start := time.Now()
		b := iterate(t, newSpec(newStep(t, "", parallel(newStep(t, "GET /a"), newStep(t, "GET /b"), newStep(t, "GET /c")))), tg, 2)
		if got := time.Since(start); got != 6*time.Second {
			t.Errorf("took %v, want 6s", got)
		}
		if len(b.samples) != 6 || tg.number != 3 {
			t.Errorf("%d samples over %d sessions, want 6 over 3", len(b.samples), tg.number)
		}
	})
}

// TestParallelThink: the step ends when the last of its branches is over, think
// included.
func TestParallelThink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tg := &target{answer: func(r *wire.Request) wire.Response {
			return wire.Response{Status: 200, Times: wire.Times{Done: map[string]time.Duration{"/a": time.Second, "/b": 3 * time.Second}[r.Path]}}
		}}
		start := time.Now()
		iterate(t, newSpec(newStep(t, "", parallel(newStep(t, "GET /a", think(4*time.Second)), newStep(t, "GET /b", think(time.Second))))), tg, 1)
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("took %v, want 5s", got)
		}
	})
}

func TestPauses(t *testing.T) {
	t.Parallel()
	pace := 10 * time.Second
	tests := []struct {
		name string
		set  func(s *spec.Spec)
		want time.Duration // of three iterations of 1 s
	}{
		{"none", func(*spec.Spec) {}, 3 * time.Second},
		{"the user's think", func(s *spec.Spec) { s.User.Think = fixed(2 * time.Second) }, 9 * time.Second},
		{"the scenario's goes before", func(s *spec.Spec) {
			s.User.Think = fixed(time.Minute)
			none := fixed(0)
			s.Scenarios[0].Think = &none
		}, 3 * time.Second},
		{"pace", func(s *spec.Spec) { s.User.Pace = 5 * time.Second }, 15 * time.Second},
		{"the scenario's pace, which is shorter than think", func(s *spec.Spec) {
			s.Scenarios[0].Pace = &pace
			s.Scenarios[0].Think = &spec.Think{Min: 20 * time.Second}
		}, 63 * time.Second},
		{"a step's think, each time", func(s *spec.Spec) {
			s.Scenarios[0].Steps[0].Think = fixed(time.Second)
			s.Scenarios[0].Steps[0].Repeat = 2
		}, 12 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tg := &target{answer: func(*wire.Request) wire.Response {
					return wire.Response{Status: 200, Times: wire.Times{Done: time.Second}}
				}}
				s := newSpec(newStep(t, "GET /a"))
				tt.set(s)
				start := time.Now()
				b := iterate(t, s, tg, 3)
				if got := time.Since(start); got != tt.want {
					t.Errorf("took %v, want %v", got, tt.want)
				}
				want := "0 1s true"
				if s.Scenarios[0].Steps[0].Repeat == 2 {
					want = "0 4s true"
				}
				if b.iterations[0] != want {
					t.Errorf("recorded %q, want %q: pauses after the iteration are not its time", b.iterations[0], want)
				}
			})
		})
	}
}

// TestPauseDistributions draws many pauses and looks at their means and limits.
func TestPauseDistributions(t *testing.T) {
	t.Parallel()
	const n = 20000
	tests := []struct {
		name     string
		think    spec.Think
		min, max time.Duration
		mean     time.Duration
	}{
		{"fixed", fixed(time.Second), time.Second, time.Second, time.Second},
		{"uniform", spec.Think{Dist: "uniform", Min: time.Second, Max: 3 * time.Second}, time.Second, 3 * time.Second, 2 * time.Second},
		{"normal", spec.Think{Dist: "normal", Mean: 2 * time.Second, SD: 500 * time.Millisecond}, 0, 5 * time.Second, 2 * time.Second},
		{"normal, cut at zero", spec.Think{Dist: "normal", Mean: 0, SD: time.Second}, 0, 10 * time.Second, 399 * time.Millisecond},
		{"exponential", spec.Think{Dist: "exponential", Mean: time.Second}, 0, time.Minute, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			draw := func() []time.Duration {
				u := compile(t, newSpec(newStep(t, "GET /")), &target{}).newUser(3, &book{})
				out := make([]time.Duration, n)
				for i := range out {
					out[i] = u.draw(&tt.think)
				}
				return out
			}
			got := draw()
			var sum time.Duration
			for _, d := range got {
				sum += d
			}
			if mean := sum / n; mean < tt.mean*97/100 || mean > tt.mean*103/100 {
				t.Errorf("mean %v, want %v", mean, tt.mean)
			}
			if lo, hi := slices.Min(got), slices.Max(got); lo < tt.min || hi > tt.max {
				t.Errorf("from %v to %v, want %v to %v", lo, hi, tt.min, tt.max)
			}
			if !slices.Equal(got, draw()) {
				t.Error("the same seed draws other pauses")
			}
		})
	}
}

// TestStopCutsPauses: when the load ends no pause goes on, but steps still run.
func TestStopCutsPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tg := &target{}
		s := newSpec(newStep(t, "GET /a", think(time.Hour)), newStep(t, "GET /b", think(time.Hour)), newStep(t, "GET /c"))
		s.User.Think, s.User.Pace = fixed(time.Hour), time.Hour
		b := &book{}
		u := compile(t, s, tg).newUser(0, b)
		stop := make(chan struct{})
		start := time.Now()
		time.AfterFunc(time.Minute, func() { close(stop) })
		if next := u.Iterate(t.Context(), load.Iteration{Stop: stop}); next != load.Continue {
			t.Errorf("next %v", next)
		}
		if got := time.Since(start); got != time.Minute || paths(tg.requests()) != "/a /b /c" {
			t.Errorf("sent %v in %v, want all in 1m", tg.requests(), got)
		}
		if diff := cmp.Diff(b.iterations, []string{"0 1m0s true"}); diff != "" {
			t.Error(diff)
		}
	})
}

// TestGracefulStopOver: what the end of the context cuts off is not recorded.
func TestGracefulStopOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tg := &target{answer: func(*wire.Request) wire.Response {
			return wire.Response{Status: 200, Times: wire.Times{Done: time.Minute}}
		}}
		s := newSpec(newStep(t, "GET /a"), newStep(t, "GET /b"))
		s.User.OnStop = []*spec.Step{newStep(t, "GET /bye")}
		b := &book{}
		u := compile(t, s, tg).newUser(0, b)
		ctx, cancel := contextWithTimeout(t, 90*time.Second)
		defer cancel()
		u.Iterate(ctx, load.Iteration{})
		u.Close(ctx)
		if len(b.samples) != 1 || len(b.iterations) != 0 || paths(tg.requests()) != "/a /b" {
			t.Errorf("%d samples, iterations %v, sent %v", len(b.samples), b.iterations, tg.requests())
		}
	})
}
