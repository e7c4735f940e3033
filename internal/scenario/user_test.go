package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/wire"
)

// TestLives holds the order of on_start, iterations and on_stop.
func TestLives(t *testing.T) {
	t.Parallel()
	login := newStep(t, "POST /login", capture("token", "$.token"))
	logout := newStep(t, "POST /logout/{{ token }}")
	cart := newStep(t, "POST /cart/{{ token }}", capture("cart", "$.cart"))
	item := newStep(t, "GET /item/{{ cart }}", capture("cart", "$.next"))
	other := newStep(t, "GET /other/{{ token }}")
	tests := []struct {
		name       string
		iterations []int // scenarios
		set        func(s *spec.Spec)
		status     map[string]int
		want       string
		next       load.Next
	}{
		{
			name: "once per user, once per scenario", iterations: []int{0, 1, 0, 1},
			want: "/login /cart/T /item/C /other/T /item/C /other/T /logout/T",
		},
		{
			name: "every iteration a new user", iterations: []int{0, 0},
			set:  func(s *spec.Spec) { s.User.PerIteration = true },
			want: "/login /cart/T /item/C /logout/T /login /cart/T /item/C /logout/T",
		},
		{name: "no iterations, no on_start", want: ""},
		{
			name: "a failed on_start ends the user", iterations: []int{0},
			status: map[string]int{"/login": 500}, next: load.EndUser, want: "/login",
		},
		{
			name: "that of a scenario too, and on_stop runs", iterations: []int{0},
			status: map[string]int{"/cart/T": 500}, next: load.EndUser, want: "/login /cart/T /logout/T",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tg := &target{answer: func(r *wire.Request) wire.Response {
				status := tt.status[r.Path]
				if status == 0 {
					status = 200
				}
				return wire.Response{Status: status, Body: []byte(`{"token":"T","cart":"C","next":"N"}`)}
			}}
			s := newSpec(item)
			s.Scenarios[0].OnStart = []*spec.Step{cart}
			s.Scenarios = append(s.Scenarios, &spec.Scenario{Name: "other", Steps: []*spec.Step{other}})
			s.User.OnStart, s.User.OnStop = []*spec.Step{login}, []*spec.Step{logout}
			if tt.set != nil {
				tt.set(s)
			}
			u := compile(t, s, tg).newUser(0, &book{})
			var next load.Next
			for i, scenario := range tt.iterations {
				next = u.Iterate(t.Context(), load.Iteration{Scenario: scenario, Number: int64(i)})
			}
			u.Close(t.Context())
			if diff := cmp.Diff(paths(tg.requests()), tt.want); diff != "" {
				t.Errorf("requests (-got +want):\n%s", diff)
			}
			if next != tt.next {
				t.Errorf("next %v, want %v", next, tt.next)
			}
			if tg.log[len(tg.log)-1] != "close #1" {
				t.Errorf("the session was not closed: %v", tg.log)
			}
			if renewed := slices.Contains(tg.log, "renew #1"); renewed != s.User.PerIteration {
				t.Errorf("renewed %v, want %v", renewed, s.User.PerIteration)
			}
		})
	}
}

// TestUserID: users count from 1; where each iteration is a new user it has a new id.
func TestUserID(t *testing.T) {
	t.Parallel()
	for _, per := range []bool{false, true} {
		s := newSpec(newStep(t, "GET /{{ user.id }}/{{ iteration }}"))
		s.User.PerIteration = per
		tg := &target{}
		iterate(t, s, tg, 3)
		want := "/1/0 /1/1 /1/2"
		if per {
			want = "/1/0 /2/1 /3/2"
		}
		if got := paths(tg.requests()); got != want {
			t.Errorf("per iteration %v: %s, want %s", per, got, want)
		}
	}
}

// TestSeed: what is random in an iteration depends on the seed and its number,
// not on which user walks it, or in what order.
func TestSeed(t *testing.T) {
	t.Parallel()
	run := func(seed int64, users int, order []int64) map[string]bool {
		s := newSpec(newStep(t, "GET /{{ iteration }}/{{ random_int(0, 1000000) }}/{{ uuid() }}"))
		s.Load.Seed = seed
		tg := &target{}
		set := compile(t, s, tg)
		var all []*user
		for i := range users {
			all = append(all, set.newUser(i, &book{}))
		}
		for i, n := range order {
			all[i%users].Iterate(t.Context(), load.Iteration{Number: n})
		}
		out := map[string]bool{}
		for _, r := range tg.requests() {
			out[r] = true
		}
		return out
	}
	a, b := run(1, 1, []int64{0, 1, 2, 3}), run(1, 3, []int64{3, 1, 0, 2})
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the same seed, other users (-one +three):\n%s", diff)
	}
	if c := run(2, 1, []int64{0, 1, 2, 3}); cmp.Equal(a, c) {
		t.Error("another seed gives the same values")
	}
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	rows := func(n int) (out [][]rule.Value) {
		for i := range n {
			out = append(out, []rule.Value{int64(i)})
		}
		return out
	}
	tests := []struct {
		name             string
		feed             spec.Feed
		users, per, rows int // iterations per user, in turn
		want             string
		next             load.Next
	}{
		{"sequential, round and round", spec.Feed{Order: "sequential", Per: "iteration", AtEnd: "loop"}, 2, 3, 4, "0 1 2 3 0 1", load.Continue},
		{"sequential, to the end", spec.Feed{Order: "sequential", Per: "iteration", AtEnd: "stop"}, 1, 5, 3, "0 1 2", load.EndUser},
		{"per user", spec.Feed{Order: "sequential", Per: "user", AtEnd: "loop"}, 2, 3, 4, "0 1 0 1 0 1", load.Continue},
		{"per run", spec.Feed{Order: "sequential", Per: "run", AtEnd: "loop"}, 2, 2, 4, "0 0 0 0", load.Continue},
		{"unique, per user", spec.Feed{Order: "unique", Per: "user", AtEnd: "stop"}, 3, 2, 2, "0 1 0 1", load.EndUser},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.feed.Name, tt.feed.Columns, tt.feed.Rows = "d", []string{"id"}, rows(tt.rows)
			s := newSpec(newStep(t, "GET /{{ d.id }}"))
			s.Feeds = []*spec.Feed{&tt.feed}
			tg := &target{}
			set := compile(t, s, tg)
			var users []*user
			for i := range tt.users {
				users = append(users, set.newUser(i, &book{}))
			}
			var next load.Next
			for i := range tt.per {
				for j, u := range users {
					next = u.Iterate(t.Context(), load.Iteration{Number: int64(i*tt.users + j)})
				}
			}
			if got := strings.ReplaceAll(paths(tg.requests()), "/", ""); got != tt.want {
				t.Errorf("rows %s, want %s", got, tt.want)
			}
			if next != tt.next {
				t.Errorf("the last iteration: %v, want %v", next, tt.next)
			}
		})
	}
}

// TestFeedEndsOpenLoad: in the open model each arrival would bring a new user.
func TestFeedEndsOpenLoad(t *testing.T) {
	t.Parallel()
	s := newSpec(newStep(t, "GET /{{ d.id }}"))
	s.Feeds = []*spec.Feed{{Name: "d", Columns: []string{"id"}, Rows: [][]rule.Value{{"a"}}, Order: "unique", Per: "iteration", AtEnd: "stop"}}
	u := compile(t, s, &target{}).newUser(0, &book{})
	for i, want := range []load.Next{load.Continue, load.StopRun} {
		if got := u.Iterate(t.Context(), load.Iteration{Number: int64(i), Due: time.Now()}); got != want {
			t.Errorf("iteration %d: %v, want %v", i, got, want)
		}
	}
}

// TestShuffle: each pass has every row once, in another order, the same for the
// same seed. Random rows depend on the iteration alone.
func TestShuffle(t *testing.T) {
	t.Parallel()
	const n = 50
	run := func(order string, seed int64) []string {
		f := &spec.Feed{Name: "d", Columns: []string{"id"}, Order: order, Per: "iteration", AtEnd: "loop"}
		for i := range n {
			f.Rows = append(f.Rows, []rule.Value{fmt.Sprint(i)})
		}
		s := newSpec(newStep(t, "GET /{{ d.id }}"))
		s.Feeds, s.Load.Seed = []*spec.Feed{f}, seed
		tg := &target{}
		iterate(t, s, tg, 2*n)
		return tg.requests()
	}
	got := run("shuffle", 1)
	first, second := slices.Clone(got[:n]), slices.Clone(got[n:])
	if slices.Equal(first, second) {
		t.Error("both passes have the same order")
	}
	slices.Sort(first)
	slices.Sort(second)
	if !slices.Equal(first, second) || len(slices.Compact(first)) != n {
		t.Errorf("a pass does not have every row once:\n%v\n%v", first, second)
	}
	if !slices.Equal(got, run("shuffle", 1)) || slices.Equal(got, run("shuffle", 2)) {
		t.Error("the order does not follow from the seed")
	}
	if random := run("random", 1); !slices.Equal(random, run("random", 1)) || len(slices.Compact(slices.Sorted(slices.Values(random)))) < n/2 {
		t.Errorf("random rows: %v", random)
	}
}

// TestSeq counts over all users.
func TestSeq(t *testing.T) {
	t.Parallel()
	tg := &target{}
	set := compile(t, newSpec(newStep(t, "GET /{{ seq(a) }}/{{ seq('b') }}/{{ seq(a) }}")), tg)
	for i := range 2 {
		set.newUser(i, &book{}).Iterate(t.Context(), load.Iteration{Number: int64(i)})
	}
	if got := paths(tg.requests()); got != "/1/1/2 /3/2/4" {
		t.Errorf("sent %s", got)
	}
}
