package spec

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// brokenEnv and brokenFiles are the world of the broken specs.
var brokenEnv = map[string]string{"WORD": "many", "EMPTY": "", "CI_SECRET": "hunter2word"}

var brokenFiles = func() fstest.MapFS {
	files := fstest.MapFS{
		"empty.csv":     {Data: []byte("")},
		"header.csv":    {Data: []byte("id,name\n")},
		"ragged.csv":    {Data: []byte("\xef\xbb\xbfid,name\r\n1,Ada\r\n2\r\n")},
		"quote.csv":     {Data: []byte("id,name\n1,Ada \"the first\"\n")},
		"twice.csv":     {Data: []byte("id,id\n1,2\n")},
		"latin1.csv":    {Data: []byte("id\ncaf\xe9\n")},
		"customers.dat": {Data: []byte("id\n1\n")},
		"object.json":   {Data: []byte("{\n\"id\": 1}")},
		"broken.json":   {Data: []byte("[\n{\"id\": 1},\n{\"id\": }\n]")},
		"broken.jsonl":  {Data: []byte("{\"id\": 1}\n\n[1]\n")},
		"open.csv":      {Data: []byte("id\n1\n\"2\n")},
		"more.json":     {Data: []byte("[{\"id\": 1}] [2]")},
		"null.json":     {Data: []byte("[{\"id\": 1}, null]")},
		"noname.csv":    {Data: []byte("id,\n1,2\n")},
		"huge.csv":      {Data: make([]byte, maxDataFile+1)},
	}
	maps.Copy(files, exampleFiles)
	return files
}()

// brokenInput reads the flags of a broken spec from its first lines, "#: name=value".
func brokenInput(name string, text []byte) Input {
	in := Input{File: name, Text: text, FS: brokenFiles, Env: lookup(brokenEnv)}
	for line := range strings.Lines(string(text)) {
		setting, ok := strings.CutPrefix(line, "#: ")
		if !ok {
			break
		}
		key, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
		switch key {
		case "profile":
			in.Profile = value
		case "target":
			in.Target = value
		case "users":
			in.Users = value
		case "rate":
			in.Rate = value
		case "duration":
			in.Duration = value
		case "scenario":
			in.Scenario = value
		case "seed":
			in.Seed = value
		default:
			in.Vars = map[string]string{strings.TrimPrefix(key, "var:"): value}
		}
	}
	return in
}

// TestBroken holds what is said about each broken spec.
func TestBroken(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/broken/*.toml")
	if err != nil || len(files) < 150 {
		t.Fatalf("found %d broken specs, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, problems := Parse(brokenInput(filepath.Base(file), text))
			if s != nil || len(problems) == 0 {
				t.Fatal("no problem found")
			}
			var out bytes.Buffer
			for _, p := range problems {
				if err := p.WriteExcerpt(&out); err != nil {
					t.Fatal(err)
				}
				checkProblem(t, p)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".txt", out.Bytes())
		})
	}
}

// checkProblem holds what is true of every problem.
func checkProblem(t *testing.T, p Problem) {
	t.Helper()
	if p.Message == "" || strings.HasSuffix(p.Message, ".") || strings.Contains(p.String(), "%!") {
		t.Errorf("bad message %q", p.Message)
	}
	if p.Pos.Line > 0 && (p.Pos.Column < 1 || p.Width < 1 || p.Pos.Column > len([]rune(p.Source))+1) {
		t.Errorf("place %+v, width %d is not in the line %q", p.Pos, p.Width, p.Source)
	}
	if p.Pos.Line == 0 && !strings.HasPrefix(p.File, "--") && !strings.Contains(p.Message, "more not shown") {
		t.Errorf("%s: no place", p)
	}
	for _, secret := range []string{"hunter2word", "hunter2secret"} {
		if strings.Contains(p.String()+p.Source, secret) {
			t.Errorf("%s: shows a secret", p)
		}
	}
	if p.Hint == "" && !strings.Contains(p.Message, ": want ") {
		t.Errorf("%s: does not say what to do next", p)
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
