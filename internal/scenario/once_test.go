package scenario

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestOnce shows one iteration of each scenario. Secrets, and what was captured
// under the name of one, appear nowhere.
func TestOnce(t *testing.T) {
	t.Parallel()
	tg := &target{answer: func(r *wire.Request) wire.Response {
		switch {
		case r.Path == "/login":
			return wire.Response{
				Status: 200, Body: []byte(`{"access_token":"tok-4711","user":{"name":"Ann"}}`), BodySize: 48,
				Header: []wire.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "Set-Cookie", Value: "sid=c00kie; Path=/"}},
			}
		case r.Path == "/photo":
			return wire.Response{Status: 200, Body: []byte("\xff\xd8\x00"), BodySize: 3, Header: []wire.Field{{Name: "Content-Type", Value: "image/jpeg"}}}
		case r.Path == "/long":
			return wire.Response{Status: 200, Body: []byte(strings.Repeat("0123456789é", 400)), BodySize: 4800}
		case strings.HasPrefix(r.Path, "/items"):
			return wire.Response{Status: 503, Body: []byte("first\r\nsecond"), BodySize: 13}
		case r.Path == "/gone":
			return wire.Response{Kind: wire.Refused, Err: errors.New("connection refused by api.test:80")}
		}
		return wire.Response{Status: 204}
	}}
	s := newSpec(
		newStep(t, "GET /items/{{ name.name }}", header("Authorization", "Bearer {{ token }}"), query("key", "{{ pw }}"),
			check("is fine", "status == 200"), check("latency < 1s", "latency < 1s")),
		newStep(t, "GET /skipped", when("{{ region }} == 'us'")),
		newStep(t, "GET /photo"),
		newStep(t, "GET /long"),
		newStep(t, "GET /gone", capture("id", "$.id")),
	)
	s.Scenarios[0].Name = "list"
	s.Scenarios = append(s.Scenarios, &spec.Scenario{Name: "never filled", Steps: []*spec.Step{newStep(t, "GET /{{ nothing }}")}})
	s.Vars, s.Secrets = map[string]any{"region": "eu"}, map[string]string{"pw": "s3cret"}
	s.User.OnStart = []*spec.Step{newStep(t, "POST /login", jsonBody(map[string]any{"password": "{{ pw }}"}), capture("token", "$.access_token"), capture("name", "$.user"))}
	s.Setup = []*spec.Step{newStep(t, "POST /fixtures")}
	s.Teardown = []*spec.Step{newStep(t, "DELETE /fixtures")}
	mask := func(text string) string { return strings.ReplaceAll(text, "s3cret", "***") }
	set, err := Compile(s, tg.session, Options{Mask: mask})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	bad, err := set.Once(t.Context(), &out)
	if err != nil || bad != 3 {
		t.Errorf("Once: %d bad, %v; want 3 and no error", bad, err)
	}
	for _, secret := range []string{"s3cret", "tok-4711", "c00kie"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("the output shows %q", secret)
		}
	}
	golden(t, "testdata/once.txt", out.Bytes())
}

// TestOnceStops: without setup there is nothing to show.
func TestOnceStops(t *testing.T) {
	t.Parallel()
	tg := &target{answer: answerWith(500, "")}
	s := newSpec(newStep(t, "GET /"))
	s.Setup = []*spec.Step{newStep(t, "POST /fixtures")}
	var out bytes.Buffer
	_, err := compile(t, s, tg).Once(t.Context(), &out)
	var not *NotReady
	if !errors.As(err, &not) || paths(tg.requests()) != "/fixtures" {
		t.Errorf("Once: %v, sent %v", err, tg.requests())
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(want)); diff != "" {
		t.Errorf("%s (-got +want, -update rewrites it):\n%s", file, diff)
	}
}
