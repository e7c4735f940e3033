package scenario

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// TestWireOptions: every setting of [http] reaches the wire.
func TestWireOptions(t *testing.T) {
	t.Parallel()
	s := newSpec()
	s.Vars = map[string]any{"login": "login.test"}
	s.Target = spec.Target{URL: "https://api.test:8443/v1", AllowHosts: []string{"cdn.test"}}
	s.HTTP = spec.HTTP{
		Version: "2", Timeout: time.Second, ConnectTimeout: 2 * time.Second, KeepAlive: false, Compression: false, UserAgent: "ua",
		BodyLimit: 5, Cookies: "off", Shared: true, MaxConnections: 7, Resolve: map[string]string{"a:1": "b:2"}, IP: "4", Proxy: "off",
		TLS:  spec.TLS{CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key"), ServerName: "sni", MinVersion: "1.3", Insecure: true},
		Auth: spec.Auth{OAuth2: &spec.OAuth2{TokenURL: tmpl(t, "https://{{ login }}/token")}},
	}
	got, err := WireOptions(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Options{
		Version: "2", Timeout: time.Second, ConnectTimeout: 2 * time.Second, NoKeepAlive: true, NoCompression: true, UserAgent: "ua",
		BodyLimit: 5, Cookies: "off", Shared: true, MaxConnections: 7, Resolve: map[string]string{"a:1": "b:2"}, IP: "4", Proxy: "off",
		Hosts: []string{"api.test:8443", "cdn.test", "login.test"},
		TLS:   wire.TLSOptions{CA: []byte("ca"), Cert: []byte("cert"), Key: []byte("key"), ServerName: "sni", MinVersion: "1.3", Insecure: true},
	}
	if diff := cmp.Diff(got, want, cmpopts.IgnoreFields(wire.Options{}, "Env")); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// TestCompileErrors: what a spec that was put together by hand can have wrong.
func TestCompileErrors(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]func(s *spec.Spec){
		`target.url "api.test" is not a URL`: func(s *spec.Spec) { s.Target.URL = "api.test" },
		`http.auth: oauth2 is fetched before the load: it can name variables and secrets only`: func(s *spec.Spec) {
			s.HTTP.Auth.OAuth2 = &spec.OAuth2{TokenURL: tmpl(t, "/token"), ClientID: tmpl(t, "{{ user.id }}"), ClientSecret: tmpl(t, "x")}
		},
		"http.headers.X: not a number": func(s *spec.Spec) { s.HTTP.Headers = []spec.Pair{{Name: "X", Value: tmpl(t, "{{ v | int }}")}} },
		`step "GET /{{ v | int }}": not a number`: func(s *spec.Spec) {
			s.Scenarios[0].Steps = []*spec.Step{newStep(t, "GET /{{ v | int }}")}
		},
	} {
		s := newSpec(newStep(t, "GET /"))
		s.Vars = map[string]any{"v": "text"}
		set(s)
		if _, err := Compile(s, (&target{}).session, Options{}); err == nil || err.Error() != want {
			t.Errorf("Compile: %v\nwant:    %s", err, want)
		}
	}
}

// TestSharedRequests: what is the same each time is put together once for all
// users; what is filled in belongs to one.
func TestSharedRequests(t *testing.T) {
	t.Parallel()
	var sent []*wire.Request
	tg := &target{answer: func(r *wire.Request) wire.Response {
		sent = append(sent, r)
		return wire.Response{Status: 200}
	}}
	set := compile(t, newSpec(newStep(t, "GET /a"), newStep(t, "GET /{{ iteration }}")), tg)
	for id := range 2 {
		set.newUser(id, &book{}).Iterate(t.Context(), load.Iteration{Number: int64(id)})
	}
	want := []string{"GET http://api.test/a", "GET http://api.test/0", "GET http://api.test/a", "GET http://api.test/1"}
	if diff := cmp.Diff(want, tg.requests()); diff != "" {
		t.Fatal(diff)
	}
	if sent[0] != sent[2] || sent[1] == sent[3] {
		t.Errorf("got requests %p %p %p %p, want the first and third to be one, and the others not", sent[0], sent[1], sent[2], sent[3])
	}
}

// TestShardsTakeTurns: rows of data and numbers of a sequence are dealt out over
// the shards of a load, so that all together have each once.
func TestShardsTakeTurns(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"sequential", "unique", "shuffle"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			rows := make([][]rule.Value, 7)
			for i := range rows {
				rows[i] = []rule.Value{i}
			}
			draw := func(p plan.Plan, n int) (all []int) {
				f := newFeed(&spec.Feed{Rows: rows, Order: order}, p, 0)
				for range n {
					if row, ok := f.row(nil); ok {
						all = append(all, row[0].(int))
					}
				}
				return all
			}
			whole := draw(plan.Plan{Seed: 4}, 21)
			shards := make([]int, len(whole))
			for i := range 3 {
				for j, row := range draw(plan.Plan{Seed: 4}.Shard(i, 3), 7) {
					shards[3*j+i] = row
				}
			}
			if d := cmp.Diff(whole, shards); d != "" {
				t.Errorf("rows (-whole +shards in turn):\n%s", d)
			}
		})
	}
	var numbers []int64
	for i := range 2 {
		set := &Set{spec: &spec.Spec{Load: plan.Plan{}.Shard(i, 2)}, sequences: map[string]int64{}}
		numbers = append(numbers, set.next("a"), set.next("a"))
	}
	if d := cmp.Diff([]int64{1, 3, 2, 4}, numbers); d != "" {
		t.Errorf("sequence (-want +got):\n%s", d)
	}
}
