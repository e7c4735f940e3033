package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

const gatedSpec = `name = "api"
[target]
url = "http://127.0.0.1:8080"
[load]
rate = "160/s"
duration = "60s"
[[scenario]]
name = "walk"
  [[scenario.step]]
  request = "GET /a"
  [[scenario.step]]
  request = "GET /b"
[gate]
compare = ["latency.p50 within 10%", "latency.p95 within 10%", "errors within 0.5pp"]
`

// TestGateSaysTheSame: `loadline gate` on the result of a CI run, in which several
// attempts were judged together and rows were accepted, comes to what the CI run
// came to: the same outcome, findings and reasons, from the file alone.
func TestGateSaysTheSame(t *testing.T) {
	t.Parallel()
	const commit = "8a1e38d0f3c21b9a5d6e7f8091a2b3c4d5e6f708"
	for _, tt := range []struct {
		name     string
		first    float64 // by how much GET /b takes longer, in the first attempt and in this one
		second   float64
		accepted []string
		want     verdict.Outcome
		exit     Exit
	}{
		{"nothing moved", 1, 1, nil, verdict.Pass, ExitPass},
		{"slower in both attempts", 2.5, 2.4, nil, verdict.Regression, ExitRegression},
		{"slower in the first attempt only: that one counts too", 4, 1, nil, verdict.Regression, ExitRegression},
		{"slower and accepted", 2.5, 2.4, []string{"GET /b p50 +170% because signed", "GET /b p95 +170% because signed"}, verdict.Accepted, ExitPass},
		{"slower, one row of two accepted", 2.5, 2.4, []string{"GET /b p50 +170% because signed"}, verdict.Regression, ExitRegression},
		{"slower than accepted", 2.5, 2.4, []string{"GET /b p50 +20% because signed", "GET /b p95 +170% because signed"}, verdict.Regression, ExitRegression},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var out bytes.Buffer
			env := &Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: io.Discard, Dir: dir, Environ: func() []string { return nil }, Getenv: func(string) (string, bool) { return "", false }}
			write := func(name string, data []byte) {
				t.Helper()
				name = filepath.Join(dir, filepath.FromSlash(name))
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("api.toml", []byte(gatedSpec))
			flags := &measureFlags{}
			flags.add(pflag.NewFlagSet("gate", pflag.ContinueOnError))
			s, err := readSpec(env, "api.toml", flags)
			if err != nil {
				t.Fatal(err)
			}
			started := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
			attemptOf := func(commit string, by float64) *result.Run {
				t.Helper()
				file, err := result.Read(bytes.NewReader(measured(t, commit, by, nil)))
				if err != nil {
					t.Fatal(err)
				}
				started = started.Add(time.Hour)
				file.Run.File, file.Run.Fingerprint, file.Run.Started = "api.toml", s.Fingerprint, started
				return file.Run
			}
			summary := func(r *result.Run, again bool) *result.Summary {
				t.Helper()
				sum, err := result.Summarize(r)
				if err != nil {
					t.Fatal(err)
				}
				sum.Again = again
				return sum
			}
			store := baseline.Dir(filepath.Join(dir, "baselines"))
			for i := range 6 {
				if _, err := store.Put(summary(attemptOf(strings.Repeat(string(rune('1'+i)), 40), 1+0.01*float64(i%3)), false)); err != nil {
					t.Fatal(err)
				}
			}
			var list []rule.Acceptance
			for _, text := range tt.accepted {
				a, err := rule.ParseAcceptance(text)
				if err != nil {
					t.Fatal(err)
				}
				a.Via = rule.ViaFile
				list = append(list, a)
			}
			if len(list) > 0 {
				data, err := baseline.EncodeAccepted(list)
				if err != nil {
					t.Fatal(err)
				}
				write("baselines/"+baseline.AcceptedFile, data)
			}

			// The CI run: an earlier attempt, this one, and what this job measured again.
			earlier := summary(attemptOf(commit, tt.first), false)
			m := &measurement{spec: s, run: attemptOf(commit, tt.second)}
			m.further = []*result.Summary{summary(attemptOf(commit, tt.second), true), earlier}
			in := verdict.Input{Run: m.run, Gate: gate(s), Again: m.further}
			find, err := (&measureFlags{baselineDir: "baselines"}).finder(env)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.compareWith(t.Context(), job{store: find}, &in); err != nil {
				t.Fatal(err)
			}
			m.verdict = verdict.Judge(in)
			c := &ciRun{env: env, in: &ciInputs{accept: map[rule.Via]bool{rule.ViaFile: true}, dir: "baselines"}, actions: github.NewActions(io.Discard, env.get)}
			c.accept(t.Context(), []*measurement{m})
			if m.verdict.Outcome != tt.want {
				t.Fatalf("the CI run: %s, %v; want %s", m.verdict.Outcome, m.verdict.Reasons, tt.want)
			}
			var file bytes.Buffer
			if err := writeResult(&file, m.run, &m.verdict, m.further); err != nil {
				t.Fatal(err)
			}
			write("result.json", file.Bytes())

			if code := Run(t.Context(), env, []string{"gate", "result.json", "--json", "again.json", "--quiet"}); code != tt.exit {
				t.Errorf("gate exits with %d, want %d: %s", code, tt.exit, out.String())
			}
			ci, again := verdictIn(t, dir, "result.json"), verdictIn(t, dir, "again.json")
			if diff := cmp.Diff(ci, again); diff != "" {
				t.Errorf("gate says something else than the CI run did (-ci +gate):\n%s", diff)
			}
			if tt.want != verdict.Pass && !slices.ContainsFunc(m.verdict.Warnings, func(r verdict.Reason) bool { return r.Code == "pooled" }) {
				t.Errorf("nothing says that attempts were judged together: %v", m.verdict.Warnings)
			}
		})
	}
}

// verdictIn reads the verdict of a result file as JSON has it.
func verdictIn(t *testing.T, dir, name string) map[string]any {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := result.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(file.Verdict, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
