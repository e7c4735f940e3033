//go:build unix

package cli

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// observing is a side whose spec asks for these things of a target.
func observing(t *testing.T, name, target, asks string) *side {
	t.Helper()
	text := "[target]\nurl = \"" + target + "\"\n[load]\nusers = 1\niterations = 1\n[[scenario]]\nname = \"a\"\n[[scenario.step]]\nrequest = \"GET /\"\n" + asks
	s, problems := spec.Parse(spec.Input{File: "spec.toml", Text: []byte(text)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	env := &Env{
		Stderr: &bytes.Buffer{}, Dir: t.TempDir(), Getenv: os.LookupEnv,
		Environ: func() []string { return append(os.Environ(), "INPUT_TOKEN=ghs_1234") },
	}
	return &side{name: name, spec: s, env: env, mask: newMask(nil)}
}

// once observes for one reading of each source.
func observeOnce(t *testing.T, exec bool, sides ...*side) []result.Observed {
	t.Helper()
	o, err := observeTarget(t.Context(), sides[0].env, sides, exec)
	if err != nil {
		t.Fatal(err)
	}
	o.close()
	run := &result.Run{Started: time.Now()}
	o.add(run)
	return run.Observed
}

func TestCommandsNeedAllowExec(t *testing.T) {
	t.Parallel()
	s := observing(t, "head", "http://127.0.0.1:1", `[[observe]]
command = "touch ran; echo 3"
series = { n = {} }
[[observe]]
log = "app.log"
pattern = "x"
series = { lines = {} }
`)
	ran := filepath.Join(s.env.Dir, "ran")
	for _, o := range observeOnce(t, false, s) {
		if o.Fault != "it needs --allow-exec (in the Action, the input allow-exec)" || o.Missed != 1 {
			t.Errorf("without the flag: %+v", o)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Fatal("the command was run")
	}
	all := observeOnce(t, true, s)
	if len(all[0].Readings) != 1 || all[0].Readings[0].Value != 3 || !strings.HasPrefix(all[1].Fault, filepath.Join(s.env.Dir, "app.log")+": no such file") {
		t.Errorf("with the flag: %+v", all)
	}
}

func TestCommandsDoNotSeeInputs(t *testing.T) {
	t.Parallel()
	s := observing(t, "head", "http://127.0.0.1:1", "")
	out, err := printed(t.Context(), s.env, `echo "token=$INPUT_TOKEN path=${PATH:+set} in $(pwd)"`)
	if want := "token= path=set in " + s.env.Dir + "\n"; err != nil || string(out) != want {
		t.Errorf("%q (%v), want %q", out, err, want)
	}
}

func TestCommandThatFails(t *testing.T) {
	t.Parallel()
	s := observing(t, "head", "http://127.0.0.1:1", "")
	for line, want := range map[string]string{
		"echo first >&2; echo no such thing >&2; exit 7": "the command failed (exit status 7): no such thing",
		"exit 3": "the command failed (exit status 3)",
	} {
		if _, err := printed(t.Context(), s.env, line); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

// A command that takes too long is ended with all that it started.
func TestCommandThatHangs(t *testing.T) {
	t.Parallel()
	s := observing(t, "head", "http://127.0.0.1:1", "")
	told := filepath.Join(s.env.Dir, "child")
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() {
		_, err := printed(ctx, s.env, "sleep 1000 & echo $! > tmp && mv tmp child; wait")
		over <- err
	}()
	var pid int
	eventually(t, "the command says which child it started", func() bool {
		text, err := os.ReadFile(told)
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		return err == nil
	})
	cancel()
	if err := <-over; err == nil {
		t.Error("it ended well")
	}
	eventually(t, "its child is gone", func() bool { return ended(pid) })
}

// What a command leaves behind ends with it: there would be one more at each
// reading. That it holds the command's output is no fault of the number.
func TestCommandThatLeavesSomething(t *testing.T) {
	t.Parallel()
	s := observing(t, "head", "http://127.0.0.1:1", "")
	for _, output := range []string{"", " >&- 2>&-"} {
		out, err := printed(t.Context(), s.env, "sleep 1000"+output+" & echo $!")
		if err != nil {
			t.Errorf("%q: %v", output, err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "its child is gone", func() bool { return ended(pid) })
	}
}

// eventually waits for what other processes bring about.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 20 s it does not hold that %s", what)
		}
	}
}

// Wherever a page leads, nothing but its own host is asked.
func TestMetricsStayOnTheirHost(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	leads := httptest.NewServer(http.RedirectHandler(other.URL+"/latest/meta-data", http.StatusFound))
	t.Cleanup(leads.Close)
	// The target itself may be reached by the load; metrics are elsewhere.
	s := observing(t, "head", other.URL, "[[observe]]\nscrape = \""+leads.URL+"/metrics\"\nseries = { x = { expr = \"x\" } }\n")
	got := observeOnce(t, false, s)
	if asked.Load() != 0 || got[0].Missed != 1 || !strings.Contains(got[0].Fault, "it leads to another host, which is never asked") {
		t.Errorf("%d requests there; %+v", asked.Load(), got[0])
	}
}

// Pages of the target are read of each side of a paired run, everything else once;
// each side is told of its own and of what is shared, all of it, once.
func TestObservePaired(t *testing.T) {
	t.Parallel()
	page := func(text string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	shared := page("queue 9\n")
	asks := "[[observe]]\nscrape = \"/metrics\"\nseries = { heap = { expr = \"heap\" } }\n[[observe]]\nscrape = \"" + shared + "\"\nseries = { queue = { expr = \"queue\" } }\n"
	base, head := observing(t, "base", page("heap 1\n"), asks), observing(t, "head", page("heap 2\n"), asks)
	o, err := observeTarget(t.Context(), head.env, []*side{base, head}, false)
	if err != nil {
		t.Fatal(err)
	}
	o.close()
	told := func(arm string) (all []string) {
		iv := &result.Interval{Second: result.Second{At: time.Second}}
		o.tell(arm, iv)
		for _, seen := range iv.Observed {
			for _, r := range seen.Readings {
				all = append(all, seen.Role+" "+seen.Arm+" "+strconv.FormatFloat(r.Value, 'f', -1, 64)+" at "+r.At.String())
			}
		}
		return all
	}
	got := [][]string{told("base"), told("base"), told("head"), told("head")}
	want := [][]string{{"heap base 1 at 1s", "queue  9 at 1s"}, nil, {"heap head 2 at 1s", "queue  9 at 1s"}, nil}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("told (-got +want):\n%s", diff)
	}
}

// Roles with one fault are one note; what was read more often than not is none.
func TestObserverNotes(t *testing.T) {
	t.Parallel()
	o := &observer{lines: map[string]int{"cpu": 12, "heap": 12, "queue": 20, "up": 30}}
	got := o.notes(&result.Run{Observed: []result.Observed{
		{Role: "cpu", Arm: "head", Missed: 3, Fault: "it answered with status 503"},
		{Role: "heap", Missed: 3, Fault: "it answered with status 503"},
		{Role: "queue", Missed: 2, Readings: make([]result.Reading, 1), Fault: "no answer in time"},
		{Role: "up", Missed: 2, Readings: make([]result.Reading, 2), Fault: "no answer in time"},
	}})
	const remedy = "see [[observe]] of the spec; the run itself is as good without"
	want := []verdict.Reason{
		{Code: "not-observed", Line: 12, Message: "the target's cpu (head), heap could not be read: it answered with status 503", Remedy: remedy},
		{Code: "not-observed", Line: 20, Message: "the target's queue could not be read: no answer in time", Remedy: remedy},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("notes (-got +want):\n%s", diff)
	}
	many := &result.Run{}
	for i := range 40 {
		many.Observed = append(many.Observed, result.Observed{Role: "r" + strconv.Itoa(i), Missed: 1, Fault: "no answer in time"})
	}
	if got := o.notes(many); len(got) != 1 || got[0].Message != "the target's r0, r1, r2, r3, r4, r5 and 34 more could not be read: no answer in time" {
		t.Errorf("many roles: %+v", got)
	}
	if n := (*observer)(nil).notes(&result.Run{}); n != nil {
		t.Errorf("nobody observed: %v", n)
	}
}
