package cli

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// creeping stores 44 runs of the main branch, in which GET /1 becomes by percent
// slower with each merge after the 25th, and returns a run that follows.
func creeping(t *testing.T, dir string, by float64) *result.Summary {
	t.Helper()
	src := sim.New(sim.Target{Class: sim.Quiet}, 3)
	var last *result.Summary
	for i := range 45 {
		last = src.Run(sim.Change{Step: 1, By: float64(max(i-24, 0)) * math.Log1p(by)})
		if i == 44 {
			break
		}
		if _, err := baseline.Dir(dir).Put(last); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

// TestTrendIsWatched: on the main branch what crept is said, with the commit at
// which it likely began; elsewhere, and on a flat history, nothing is.
func TestTrendIsWatched(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		by     float64
		update string
		want   string
	}{
		{"creep", 0.01, "always", "GET /1 p50 has become slower bit by bit"},
		{"faster", -0.01, "always", "faster bit by bit"},
		{"flat", 0, "always", ""},
		{"not on main", 0.01, "never", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			head := creeping(t, dir, tt.by)
			in := &ciInputs{update: tt.update}
			c := &ciRun{in: in, store: &ciStore{in: in, event: &github.Event{}, store: baseline.Dir(dir)}}
			m := &measurement{spec: &spec.Spec{Name: "sim"}, base: []*result.Summary{head}, verdict: verdict.Verdict{Head: head}}
			c.watchTrend(context.Background(), []*measurement{m})
			var said []string
			for _, w := range m.verdict.Warnings {
				said = append(said, w.Message)
			}
			all := strings.Join(said, "\n")
			if tt.want == "" && all != "" || !strings.Contains(all, tt.want) {
				t.Errorf("said %q, want %q", all, tt.want)
			}
			if tt.want != "" && (len(m.verdict.Trend) == 0 || m.verdict.Trend[0].From == "") {
				t.Errorf("trend %+v", m.verdict.Trend)
			}

			var out bytes.Buffer
			env := &Env{Stdout: &out, Stderr: &out, Dir: dir, Environ: func() []string { return nil }, Getenv: func(string) (string, bool) { return "", false }}
			if code := Run(t.Context(), env, []string{"baseline", "show", "--baseline-dir", dir}); code != ExitPass {
				t.Fatalf("baseline show: %d: %s", code, out.String())
			}
			if shown := strings.Contains(out.String(), "Trend over the stored runs"); shown != (tt.by != 0) {
				t.Errorf("baseline show:\n%s", out.String())
			}
		})
	}
}
