package spec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/plan"
)

// small is a spec around a part that a test is about.
func small(part string) string {
	return "[target]\nurl = \"https://api.example.com\"\n\n" + part + "\n[[scenario]]\nname = \"list\"\n  [[scenario.step]]\n  request = \"GET /users\"\n"
}

func s(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func TestPlan(t *testing.T) {
	t.Parallel()
	one := []plan.Share{{Scenario: 0, Weight: 1}}
	for _, tt := range []struct {
		name, load string
		want       plan.Track
	}{
		{"absent", "", plan.Track{
			Stages: []plan.Stage{{Name: "main", Duration: s(600), From: 1, To: 1, Measure: true}}, Iterations: 1, GracefulStop: s(30),
		}},
		{"closed", "users = 50\nduration = \"2m\"\nspawn_rate = \"10/s\"", plan.Track{
			Stages: []plan.Stage{{Name: "main", Duration: s(120), From: 50, To: 50, Measure: true}}, SpawnRate: 10, GracefulStop: s(30),
		}},
		{"counted", "users = 5\niterations = 20", plan.Track{
			Stages: []plan.Stage{{Name: "main", Duration: s(600), From: 5, To: 5, Measure: true}}, Iterations: 20, GracefulStop: s(30),
		}},
		{"counted each", "users = 5\niterations_per_user = 4\nduration = \"1m\"", plan.Track{
			Stages: []plan.Stage{{Name: "main", Duration: s(60), From: 5, To: 5, Measure: true}}, IterationsPerUser: 4, GracefulStop: s(30),
		}},
		{"open", "rate = \"300/m\"\nduration = \"90s\"\nwarmup = \"15s\"\narrivals = \"poisson\"\ngraceful_stop = \"5s\"", plan.Track{
			Open: true,
			Stages: []plan.Stage{
				{Name: "warmup", Duration: s(15), From: 5, To: 5},
				{Name: "main", Duration: s(90), From: 5, To: 5, Measure: true},
			},
			MaxUsers: 100, Poisson: true, GracefulStop: s(5),
		}},
		{"max_users by default", "rate = \"80/s\"\nduration = \"90s\"", plan.Track{
			Open: true, Stages: []plan.Stage{{Name: "main", Duration: s(90), From: 80, To: 80, Measure: true}}, MaxUsers: 800, GracefulStop: s(30),
		}},
		{"max_users at most", "rate = \"80000/s\"\nduration = \"90s\"", plan.Track{
			Open: true, Stages: []plan.Stage{{Name: "main", Duration: s(90), From: 80000, To: 80000, Measure: true}}, MaxUsers: 20_000, GracefulStop: s(30),
		}},
		{"max_users as written", "rate = \"80/s\"\nduration = \"90s\"\nmax_users = 7", plan.Track{
			Open: true, Stages: []plan.Stage{{Name: "main", Duration: s(90), From: 80, To: 80, Measure: true}}, MaxUsers: 7, GracefulStop: s(30),
		}},
		{"stages of users", "stages = [\n{ ramp_to = 10, duration = \"30s\" },\n{ users = 50, duration = \"2m\", name = \"hold\" },\n{ ramp_to = 0, duration = \"30s\", measure = false },\n]", plan.Track{
			Stages: []plan.Stage{
				{Name: "stage-1", Duration: s(30), From: 0, To: 10, Measure: true},
				{Name: "hold", Duration: s(120), From: 50, To: 50, Measure: true},
				{Name: "stage-3", Duration: s(30), From: 50, To: 0},
			},
			GracefulStop: s(30),
		}},
		{"stages of rates", "stages = [\n{ rate = \"10/s\", duration = \"0s\" },\n{ ramp_to = \"50/s\", duration = \"1m\" },\n]", plan.Track{
			Open: true,
			Stages: []plan.Stage{
				{Name: "stage-1", From: 10, To: 10, Measure: true},
				{Name: "stage-2", Duration: s(60), From: 10, To: 50, Measure: true},
			},
			MaxUsers: 500, GracefulStop: s(30),
		}},
		{"staircase", "staircase = { from = \"10/s\", to = \"30/s\", by = \"10/s\", every = \"20s\" }\nwarmup = \"5s\"", plan.Track{
			Open: true,
			Stages: []plan.Stage{
				{Name: "warmup", Duration: s(5), From: 10, To: 10},
				{Name: "10/s", Duration: s(20), From: 10, To: 10, Measure: true},
				{Name: "20/s", Duration: s(20), From: 20, To: 20, Measure: true},
				{Name: "30/s", Duration: s(20), From: 30, To: 30, Measure: true},
			},
			MaxUsers: 300, GracefulStop: s(30),
		}},
		{"staircase that ends between steps", "staircase = { from = 1, to = 4, by = 2, every = \"20s\" }", plan.Track{
			Stages: []plan.Stage{
				{Name: "1 users", Duration: s(20), From: 1, To: 1, Measure: true},
				{Name: "3 users", Duration: s(20), From: 3, To: 3, Measure: true},
				{Name: "4 users", Duration: s(20), From: 4, To: 4, Measure: true},
			},
			GracefulStop: s(30),
		}},
		{"steps of a tenth", "staircase = { from = \"0.1/s\", to = \"0.3/s\", by = \"0.1/s\", every = \"20s\" }", plan.Track{
			Open: true,
			Stages: []plan.Stage{
				{Name: "0.1/s", Duration: s(20), From: 0.1, To: 0.1, Measure: true},
				{Name: "0.2/s", Duration: s(20), From: 0.2, To: 0.2, Measure: true},
				{Name: "0.3/s", Duration: s(20), From: 0.3, To: 0.3, Measure: true},
			},
			MaxUsers: 100, GracefulStop: s(30),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := small("")
			if tt.load != "" {
				text = small("[load]\n" + tt.load + "\n")
			}
			got := parse(t, text).Load
			tt.want.Shares = one
			if diff := cmp.Diff(plan.Plan{Seed: 1, Tracks: []plan.Track{tt.want}}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTracks(t *testing.T) {
	t.Parallel()
	text := `
[target]
url = "https://api.example.com/"
[load]
users = 10
duration = "1m"
seed = 7
[[scenario]]
name = "a"
weight = 3
  [[scenario.step]]
  request = "GET /a"
[[scenario]]
name = "off"
weight = 0
  [[scenario.step]]
  request = "GET /off"
[[scenario]]
name = "own"
start = "5s"
load = { rate = "2/s", duration = "30s" }
  [[scenario.step]]
  request = "GET /own"
[[scenario]]
name = "fixed"
users = 4
  [[scenario.step]]
  request = "GET /fixed"
`
	spec := parse(t, text)
	want := plan.Plan{Seed: 7, Tracks: []plan.Track{
		{
			Stages:       []plan.Stage{{Name: "main", Duration: s(60), From: 10, To: 10, Measure: true}},
			Shares:       []plan.Share{{Scenario: 0, Weight: 3}, {Scenario: 2, Weight: 1, Users: 4}},
			GracefulStop: s(30),
		},
		{
			Name: "own", Start: s(5), Open: true,
			Stages:   []plan.Stage{{Name: "main", Duration: s(30), From: 2, To: 2, Measure: true}},
			Shares:   []plan.Share{{Scenario: 1, Weight: 1}},
			MaxUsers: 100, GracefulStop: s(30),
		},
	}}
	if diff := cmp.Diff(want, spec.Load); diff != "" {
		t.Error(diff)
	}
	if got := spec.Catalog().Scenarios; !cmp.Equal(got, []string{"a", "own", "fixed"}) {
		t.Errorf("scenarios %q", got)
	}
	if spec.Target.URL != "https://api.example.com" {
		t.Errorf("target %q keeps its slash", spec.Target.URL)
	}
	only := parse(t, text, func(in *Input) { in.Scenario = "off" })
	if diff := cmp.Diff([]plan.Share{{Scenario: 0, Weight: 1}}, only.Load.Tracks[0].Shares); diff != "" || len(only.Load.Tracks) != 1 || only.Scenarios[0].Name != "off" {
		t.Errorf("--scenario off: %+v", only.Load)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	open := small("[load]\nrate = \"80/s\"\nduration = \"90s\"\nwarmup = \"15s\"\nmax_users = 50\n[vars]\nlimit = 20\nregion = \"eu\"\n")
	stages := small("[load]\nstages = [{ rate = \"40/s\", duration = \"30s\" }]\n")
	for _, tt := range []struct {
		name, text string
		flags      Overrides
		want       func(*Spec) any
		value      any
	}{
		{"target", open, Overrides{Target: "http://127.0.0.1:8080/v1/"}, func(s *Spec) any { return s.Target.URL }, "http://127.0.0.1:8080/v1"},
		{"target without one in the file", "[[scenario]]\nname = \"x\"\n[[scenario.step]]\nrequest = \"GET /\"\n", Overrides{Target: "http://x"}, func(s *Spec) any { return s.Target.URL }, "http://x"},
		{"users for a rate", open, Overrides{Users: "5"}, func(s *Spec) any { return s.Load.Tracks[0].Stages[1] }, plan.Stage{Name: "main", Duration: s(90), From: 5, To: 5, Measure: true}},
		{"rate", open, Overrides{Rate: "5/s"}, func(s *Spec) any { return s.Load.Tracks[0].Stages[1].From }, 5.0},
		{"rate for stages", stages, Overrides{Rate: "5/s", Duration: "3s"}, func(s *Spec) any { return s.Load.Tracks[0].Stages }, []plan.Stage{{Name: "main", Duration: s(3), From: 5, To: 5, Measure: true}}},
		{"duration", open, Overrides{Duration: "3s"}, func(s *Spec) any { return s.Load.Tracks[0].Stages[1].Duration }, s(3)},
		{"users where there is no load", small(""), Overrides{Users: "3", Duration: "1s"}, func(s *Spec) any { return s.Load.Tracks[0].Stages[0].From }, 3.0},
		{"seed", open, Overrides{Seed: "9"}, func(s *Spec) any { return s.Load.Seed }, int64(9)},
		{"variables keep their type", open, Overrides{Vars: map[string]string{"limit": "7", "region": "us"}}, func(s *Spec) any { return s.Vars }, map[string]any{"limit": int64(7), "region": "us"}},
		{"no second filling in", open, Overrides{Vars: map[string]string{"region": "${HOME}"}}, func(s *Spec) any { return s.Vars["region"] }, "${HOME}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.want(parse(t, tt.text, func(in *Input) { in.Overrides = tt.flags }))
			if diff := cmp.Diff(tt.value, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProfile(t *testing.T) {
	t.Parallel()
	text := small(`
[http]
timeout = "5s"
redirects = 3
[http.auth]
basic = { user = "a", password = "${CI_PASSWORD}" }
[load]
rate = "80/s"
duration = "90s"
[gate]
thresholds = ["errors < 1%", "latency.p99 < 1s"]
confirm = 2
[profile.smoke.load]
users = 1
iterations = 20
[profile.smoke.http]
timeout = "9s"
[profile.smoke.http.auth]
bearer = "${CI_TOKEN}"
[profile.smoke.gate]
thresholds = ["errors < 5%"]
[profile.other.target]
url = "${NOT_SET_HERE}"
`)
	env := func(in *Input) {
		in.Env = lookup(map[string]string{"CI_PASSWORD": "hunter2pass", "CI_TOKEN": "hunter2token"})
	}
	base := parse(t, text, env)
	smoke := parse(t, text, env, func(in *Input) { in.Profile = "smoke" })
	if base.Load.Tracks[0].Open != true || smoke.Load.Tracks[0].Open || smoke.Load.Tracks[0].Iterations != 20 {
		t.Error("load is not replaced whole")
	}
	if smoke.HTTP.Timeout != s(9) || smoke.HTTP.Redirects != 3 || base.HTTP.Timeout != s(5) {
		t.Error("tables are not merged key by key")
	}
	if smoke.HTTP.Auth.BasicUser != nil || smoke.HTTP.Auth.Bearer == nil {
		t.Error("auth is not replaced whole")
	}
	if len(smoke.Gate.Thresholds) != 1 || smoke.Gate.Confirm != 2 {
		t.Error("lists are not replaced")
	}
	if smoke.Profile != "smoke" || smoke.Fingerprint == base.Fingerprint {
		t.Error("the profile has the fingerprint of the file")
	}
	if diff := cmp.Diff([]string{"hunter2pass", "hunter2token"}, smoke.SecretValues()); diff != "" {
		t.Error(diff)
	}
}
