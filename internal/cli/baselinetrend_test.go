package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// TestTrendsOfTheStore: the list of stored runs says what crept, for each load that
// has runs enough; one run that is shown says how many it takes.
func TestTrendsOfTheStore(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		by         float64
		runs       int // 0: as many as creeping stores
		list, show string
	}{
		{"creep", 0.01, 0, "\nsim on , 0 CPUs\nTrend over the stored runs: GET /1 p50 has become slower bit by bit", "GET /1 p50 has become slower"},
		{"flat", 0, 0, "Trend: nothing crept over the newest 44 stored runs.", "nothing crept"},
		{"few runs", 0, 3, "", "Trend: needs 25 stored runs of one load and machine; there are 3."},
		{"one run", 0, 1, "", "there is 1."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.runs == 0 {
				creeping(t, dir, tt.by)
			}
			src := sim.New(sim.Target{Class: sim.Quiet}, 3)
			for range tt.runs {
				if _, err := baseline.Dir(dir).Put(src.Run()); err != nil {
					t.Fatal(err)
				}
			}
			say := func(command string) string {
				t.Helper()
				var out bytes.Buffer
				env := &Env{Stdout: &out, Stderr: &out, Dir: dir, Environ: func() []string { return nil }, Getenv: func(string) (string, bool) { return "", false }}
				if code := Run(t.Context(), env, []string{"baseline", command, "--baseline-dir", dir}); code != ExitPass {
					t.Fatalf("baseline %s: %d: %s", command, code, out.String())
				}
				return out.String()
			}
			list, show := say("list"), say("show")
			if !strings.Contains(list, tt.list) || tt.list == "" && strings.Contains(list, "Trend") {
				t.Errorf("list says no %q:\n%s", tt.list, list)
			}
			if !strings.Contains(show, tt.show) {
				t.Errorf("show says no %q:\n%s", tt.show, show)
			}
		})
	}
}
