package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
)

// withAgain gives a result file a run that its job made again.
func withAgain(t *testing.T, text []byte) []byte {
	t.Helper()
	file, err := result.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	s, err := result.Summarize(file.Run)
	if err != nil {
		t.Fatal(err)
	}
	s.Again = true
	earlier, err := result.Summarize(file.Run) // an attempt that it was itself judged with
	if err != nil {
		t.Fatal(err)
	}
	file.Again = []*result.Summary{s, earlier}
	var b bytes.Buffer
	if err := result.Write(&b, file); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEarlierAttempts(t *testing.T) {
	t.Parallel()
	const commit = "8a1e38d0f3c21b9a5d6e7f8091a2b3c4d5e6f708"
	for _, tt := range []struct {
		name    string
		attempt string
		uploads [][]string // of run 500, files and texts
		want    string     // "" or "again" for each run
		note    string
	}{
		{"the first attempt", "1", [][]string{{"result.json", string(measured(t, commit, 1, nil))}}, "", ""},
		{"a second one", "2", [][]string{{"result.json", string(measured(t, commit, 1, nil)), "report.md", "#"}}, "run", ""},
		{
			"a third one, the first of which measured again", "3",
			[][]string{{"result.json", string(withAgain(t, measured(t, commit, 1, nil)))}, {"result.json", string(measured(t, commit, 1, nil))}},
			"run run again", "",
		},
		{"several specs", "2", [][]string{{"api/result.json", string(measured(t, commit, 1, nil)), "other/result.json", string(measured(t, commit, 1, func(r *result.Run) { r.Spec = "other" }))}}, "run", ""},
		{"nothing was uploaded", "2", nil, "", "this is attempt 2, and no result of an earlier one is saved"},
		{"of another spec", "2", [][]string{{"result.json", string(measured(t, commit, 1, func(r *result.Run) { r.Spec = "other" }))}}, "", "no result of an earlier one"},
		{"of another commit", "2", [][]string{{"result.json", string(measured(t, "1111111", 1, nil))}}, "", "it is of commit"},
		{"damaged", "2", [][]string{{"result.json", "{"}}, "", "not every earlier attempt could be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := newGround(t)
			for _, files := range tt.uploads {
				g.upload(500, "loadline-result", files...)
			}
			payload, err := json.Marshal(push(commit))
			if err != nil {
				t.Fatal(err)
			}
			event := filepath.Join(g.dir, "event.json")
			if err := os.WriteFile(event, payload, 0o600); err != nil {
				t.Fatal(err)
			}
			vars := map[string]string{
				"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": event, "GITHUB_REPOSITORY": githubtest.Repo, "GITHUB_SHA": commit,
				"GITHUB_API_URL": g.api, "GITHUB_WORKSPACE": g.dir, "GITHUB_RUN_ID": "500", "GITHUB_RUN_ATTEMPT": tt.attempt, "INPUT_TOKEN": "x",
			}
			var out bytes.Buffer
			env := &Env{
				Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Dir: g.dir, Environ: func() []string { return nil },
				Getenv: func(k string) (string, bool) { v, ok := vars[k]; return v, ok },
			}
			c := &ciRun{env: env, actions: github.NewActions(env.Stdout, env.get), out: outDir}
			if err := c.prepare(); err != nil {
				t.Fatal(err)
			}
			mine, err := result.Read(bytes.NewReader(measured(t, commit, 1, nil)))
			if err != nil {
				t.Fatal(err)
			}
			found, notes := c.earlier(t.Context(), &measurement{run: mine.Run})
			var got []string
			for _, s := range found {
				got = append(got, map[bool]string{true: "again", false: "run"}[s.Again])
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q (%v)", got, tt.want, notes)
			}
			if len(notes) > 0 != (tt.note != "") || tt.note != "" && !strings.Contains(notes[0].Message, tt.note) {
				t.Errorf("notes %v, want %q", notes, tt.note)
			}
		})
	}
}
