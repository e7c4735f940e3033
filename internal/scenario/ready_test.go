package scenario

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// TestReady waits for a target that comes up after some tries.
func TestReady(t *testing.T) {
	t.Parallel()
	refused := wire.Response{Kind: wire.Refused, Err: errors.New("connection refused by 127.0.0.1:80")}
	ok := wire.Response{Status: 200, Body: []byte(`{"commit":"abc"}`)}
	old := wire.Response{Status: 200, Body: []byte(`{"commit":"old"}`)}
	hang := wire.Response{Status: 200, Times: wire.Times{Done: time.Hour}}
	tests := []struct {
		name        string
		answers     []wire.Response // the last goes on
		consecutive int
		took        time.Duration
		want        string // "": ready
	}{
		{"at once", []wire.Response{ok}, 1, 0, ""},
		{"after some tries", []wire.Response{refused, refused, {Status: 503}, old, ok}, 1, 8 * time.Second, ""},
		{"three in a row", []wire.Response{ok, ok, old, ok}, 3, 10 * time.Second, ""},
		{"never there", []wire.Response{refused}, 1, 20 * time.Second, "the target was not ready within 20s: GET /healthz (10 tries): connection refused by 127.0.0.1:80 (LL10); look at its log, or raise target.ready.timeout"},
		{"another status", []wire.Response{{Status: 503}}, 1, 20 * time.Second, "the target was not ready within 20s: GET /healthz (10 tries): status 503, expected 2xx (LL10); look at its log, or raise target.ready.timeout"},
		{"another commit", []wire.Response{old}, 1, 20 * time.Second, `the target was not ready within 20s: GET /healthz (10 tries): the check "serves it" did not hold ($.commit == abc) (LL10); look at its log, or raise target.ready.timeout`},
		{"hanging", []wire.Response{hang}, 1, 20 * time.Second, "the target was not ready within 20s: GET /healthz (1 try): no answer (LL10); look at its log, or raise target.ready.timeout"},
		{"not often enough", []wire.Response{ok}, 30, 20 * time.Second, "the target was not ready within 20s: GET /healthz (10 tries): it was ready 10 times in a row, and 30 are asked for (LL10); look at its log, or raise target.ready.timeout"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := -1
				tg := &target{answer: func(*wire.Request) wire.Response {
					n = min(n+1, len(tt.answers)-1)
					return tt.answers[n]
				}}
				s := newSpec(newStep(t, "GET /"))
				s.Target.Ready = &spec.Ready{
					Step: newStep(t, "GET /healthz", index(-1), check("serves it", "$.commit == abc")), Timeout: 20 * time.Second, Every: 2 * time.Second, Consecutive: tt.consecutive,
				}
				start := time.Now()
				err := compile(t, s, tg).Ready(t.Context())
				got := ""
				if not, ok := errors.AsType[*NotReady](err); ok {
					got = not.Reason
				} else if err != nil {
					t.Fatalf("Ready: %v, which is not a NotReady", err)
				}
				if got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if !strings.HasPrefix(tg.log[0], "renew") {
					t.Errorf("the first try is not on a connection of its own: %v", tg.log)
				}
			})
		})
	}
}

func TestReadyConnects(t *testing.T) {
	t.Parallel()
	tg := &target{}
	if err := compile(t, newSpec(newStep(t, "GET /")), tg).Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	if diff := cmp.Diff(tg.log, []string{"connect", "close #1"}); diff != "" {
		t.Errorf("a target without [target.ready] is sent something (-got +want):\n%s", diff)
	}
	tg.down = errors.New("connection refused by api.test:80")
	err := compile(t, newSpec(newStep(t, "GET /")), tg).Ready(t.Context())
	if want := "the target http://api.test cannot be reached: connection refused by api.test:80 (LL10); start it, or correct target.url (--target)"; err == nil || err.Error() != want {
		t.Errorf("Ready: %v\nwant: %s", err, want)
	}
}

// TestReadyInterrupted: a cancelled context is not the target's fault.
func TestReadyInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSpec(newStep(t, "GET /"))
		s.Target.Ready = &spec.Ready{Step: newStep(t, "GET /healthz", index(-1)), Timeout: time.Hour, Every: time.Second, Consecutive: 1}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(90500*time.Millisecond, cancel)
		tg := &target{answer: answerWith(503, "")}
		err := compile(t, s, tg).Ready(ctx)
		var not *NotReady
		if !errors.Is(err, context.Canceled) || errors.As(err, &not) || len(tg.requests()) != 91 {
			t.Errorf("Ready: %v (%T) after %d requests", err, err, len(tg.requests()))
		}
	})
}

// TestSetupAndTeardown: what setup captures every user has, and teardown; a
// failure of setup ends it, one of teardown does not.
func TestSetupAndTeardown(t *testing.T) {
	t.Parallel()
	newOne := func() *spec.Spec {
		s := newSpec(newStep(t, "GET /use/{{ fixture }}"))
		s.Setup = []*spec.Step{newStep(t, "POST /a", index(-1), capture("fixture", "$.id")), newStep(t, "POST /b/{{ fixture }}", index(-1), check("fine", "$.fine == true"))}
		s.Teardown = []*spec.Step{newStep(t, "DELETE /a/{{ fixture }}", index(-1)), newStep(t, "DELETE /b", index(-1))}
		s.Setup[1].Pos.Line, s.Teardown[0].Pos.Line = 12, 20
		return s
	}
	tests := []struct {
		name            string
		answer          func(*wire.Request) wire.Response
		setup, teardown string
		want            string
	}{
		{"fine", answerWith(200, `{"id":"f","fine":true}`), "", "", "/a /b/f /use/f /a/f /b"},
		{
			"a check", answerWith(200, `{"id":"f","fine":false}`),
			`setup failed: POST /b/{{ fixture }} (line 12): the check "fine" did not hold ($.fine == true); the load was not started`, "", "/a /b/f",
		},
		{
			"a status in teardown", func(r *wire.Request) wire.Response {
				if r.Method == "DELETE" {
					return wire.Response{Status: 404}
				}
				return answerWith(200, `{"id":"f","fine":true}`)(r)
			}, "", "teardown failed: DELETE /a/{{ fixture }} (line 20): status 404, expected 2xx\nteardown failed: DELETE /b (line 0): status 404, expected 2xx", "/a /b/f /use/f /a/f /b",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tg := &target{answer: tt.answer}
			set := compile(t, newOne(), tg)
			text := func(err error) string {
				if err == nil {
					return ""
				}
				return err.Error()
			}
			err := set.Setup(t.Context())
			if got := text(err); got != tt.setup {
				t.Errorf("setup: %s\nwant:  %s", got, tt.setup)
			}
			if err == nil {
				b := &book{}
				set.newUser(0, b).Iterate(t.Context(), load.Iteration{})
				if len(b.samples) != 1 || len(b.checks) != 0 {
					t.Errorf("recorded %d samples and %v, want the step alone", len(b.samples), b.checks)
				}
				if got := text(set.Teardown(t.Context())); got != tt.teardown {
					t.Errorf("teardown: %s\nwant:     %s", got, tt.teardown)
				}
			}
			if got := paths(tg.requests()); got != tt.want {
				t.Errorf("sent %s, want %s", got, tt.want)
			}
		})
	}
}

func withOAuth(t testing.TB) *spec.Spec {
	s := newSpec(newStep(t, "GET /a"), newStep(t, "GET /b/{{ user.id }}"))
	s.Secrets = map[string]string{"secret": "s/1"}
	s.HTTP.Auth = spec.Auth{OAuth2: &spec.OAuth2{
		TokenURL: tmpl(t, "https://login.test/token"), ClientID: tmpl(t, "ci"), ClientSecret: tmpl(t, "{{ secret }}"),
		Scopes: []string{"orders", "read"}, Audience: "api",
	}}
	return s
}

// TestOAuth2 fetches a token before the load and renews it in the background.
func TestOAuth2(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n int // of tokens; the fetches are one after the other
		var broken guarded[bool]
		var form guarded[string]
		tg := &target{answer: func(r *wire.Request) wire.Response {
			switch {
			case r.Path != "/token":
				return wire.Response{Status: 200}
			case broken.get():
				return wire.Response{Status: 500}
			}
			n++
			form.set(string(r.Body))
			return wire.Response{Status: 200, Body: fmt.Appendf(nil, `{"access_token":"t%d","token_type":"bearer","expires_in":100}`, n)}
		}}
		set := compile(t, withOAuth(t), tg)
		if err := set.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := "grant_type=client_credentials&scope=orders%20read&audience=api"; form.get() != want {
			t.Errorf("form %q, want %q", form.get(), want)
		}
		u := set.newUser(0, &book{})
		sent := func() string {
			u.Iterate(t.Context(), load.Iteration{})
			header, _ := tg.last()
			return header[0]
		}
		for _, step := range []struct {
			wait   time.Duration
			broken bool
			want   string
		}{
			{0, false, "t1"},
			{74 * time.Second, false, "t1"},
			{2 * time.Second, false, "t2"},
			{60 * time.Second, true, "t2"},
			{20 * time.Second, true, "t2"},  // could not be renewed at 150 s
			{10 * time.Second, false, "t3"}, // tried again
		} {
			broken.set(step.broken)
			time.Sleep(step.wait)
			synctest.Wait()
			if got := sent(); got != "Authorization: Bearer "+step.want {
				t.Errorf("after %v more: %s, want %s", step.wait, got, step.want)
			}
		}
		set.Close() // the goroutine ends, or the bubble would say so
	})
}

// TestOAuth2Client: the client goes in a header, and in the form where a server
// does not take that.
func TestOAuth2Client(t *testing.T) {
	t.Parallel()
	var form string
	tg := &target{answer: func(r *wire.Request) wire.Response {
		for _, h := range r.Header {
			if h.Name == "Authorization" {
				raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(h.Value, "Basic "))
				if string(raw) != "ci:s%2F1" {
					t.Errorf("basic %q", raw)
				}
				return wire.Response{Status: 401, Body: []byte(`{"error":"invalid_client"}`)}
			}
		}
		form = string(r.Body)
		return wire.Response{Status: 200, Body: []byte(`{"access_token":"t"}`)}
	}}
	set := compile(t, withOAuth(t), tg)
	if err := set.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(form, "&client_id=ci&client_secret=s%2F1") || set.auth.current().value != "Bearer t" {
		t.Errorf("form %q, token %q", form, set.auth.current().value)
	}
}

func TestOAuth2Fails(t *testing.T) {
	t.Parallel()
	tests := []struct {
		answer wire.Response
		want   string
	}{
		{wire.Response{Status: 401}, "status 401; check client_id and client_secret"},
		{wire.Response{Status: 200, Body: []byte("<html>")}, "the answer has no access_token"},
		{wire.Response{Kind: wire.DNS, Err: errors.New("cannot resolve login.test: no such host")}, "cannot resolve login.test: no such host"},
	}
	for _, tt := range tests {
		tg := &target{answer: func(*wire.Request) wire.Response { return tt.answer }}
		err := compile(t, withOAuth(t), tg).Ready(t.Context())
		want := "the token of http.auth.oauth2 could not be fetched from https://login.test/token: " + tt.want
		var not *NotReady
		if !errors.As(err, &not) || not.Reason != want {
			t.Errorf("Ready: %v\nwant:  %s", err, want)
		}
	}
}
