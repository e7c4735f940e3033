package github

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/action.md")

// action is the part of action.yml that these tests read.
type action struct {
	Inputs  yaml.Node
	Outputs yaml.Node
	Runs    struct {
		Using string
		Steps []step
	}
}

type step struct {
	ID               string
	Shell            string
	Run              string
	WorkingDirectory string `yaml:"working-directory"`
	Env              map[string]string
	Uses             string
}

// actionFiles are action.yml and its two sub-actions, with what the code says of them.
var actionFiles = []struct {
	folder  string
	inputs  []Input
	outputs []Output
}{
	{".", Inputs(), Outputs()},
	{"report", ReportInputs(), ReportOutputs()},
	{"store", StoreInputs(), StoreOutputs()},
}

func readAction(t *testing.T, folder string) action {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", folder, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// pairs reads a mapping in its order; its values must be mappings of strings.
func pairs(t *testing.T, n yaml.Node) (names []string, values []map[string]string) {
	t.Helper()
	for i := 0; i+1 < len(n.Content); i += 2 {
		var v map[string]string
		if err := n.Content[i+1].Decode(&v); err != nil {
			t.Fatal(err)
		}
		names, values = append(names, n.Content[i].Value), append(values, v)
	}
	return names, values
}

// Each action.yml states what the code takes, with the same words and defaults.
func TestActionStatesInputsAndOutputs(t *testing.T) {
	t.Parallel()
	for _, of := range actionFiles {
		a := readAction(t, of.folder)
		var inputs []Input
		names, values := pairs(t, a.Inputs)
		for i, name := range names {
			inputs = append(inputs, Input{name, values[i]["default"], values[i]["description"]})
		}
		if diff := cmp.Diff(inputs, of.inputs); diff != "" {
			t.Errorf("%s: inputs: action.yml - code +\n%s", of.folder, diff)
		}
		var outputs []Output
		names, values = pairs(t, a.Outputs)
		for i, name := range names {
			outputs = append(outputs, Output{name, values[i]["description"]})
			if got, want := values[i]["value"], "${{ steps.run.outputs."+name+" }}"; got != want {
				t.Errorf("%s: output %s: value %q, want %q", of.folder, name, got, want)
			}
		}
		if diff := cmp.Diff(outputs, of.outputs); diff != "" {
			t.Errorf("%s: outputs: action.yml - code +\n%s", of.folder, diff)
		}
	}
}

var expression = regexp.MustCompile(`^\$\{\{ inputs\.([a-z-]+) \}\}$`)

// Every input reaches a step, under the name that Actions.Input looks for, and
// nothing that a user wrote stands in a script.
func TestActionMapsEveryInput(t *testing.T) {
	t.Parallel()
	for _, of := range actionFiles {
		t.Run(of.folder, func(t *testing.T) {
			t.Parallel()
			mapsEveryInput(t, readAction(t, of.folder), of.inputs)
		})
	}
}

func mapsEveryInput(t *testing.T, a action, inputs []Input) {
	t.Helper()
	used := map[string]bool{}
	for _, s := range a.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("step %s: an expression in its script: %s", s.ID, s.Run)
		}
		if s.Uses != "" {
			t.Errorf("step %s: nested actions are downloaded even when they are not used", s.ID)
		}
		if s.Shell != "bash" {
			t.Errorf("step %s: shell %q, want bash, which all three systems have", s.ID, s.Shell)
		}
		if m := expression.FindStringSubmatch(s.WorkingDirectory); m != nil {
			used[m[1]] = true
		}
		for name, value := range s.Env {
			m := expression.FindStringSubmatch(value)
			if m == nil {
				continue
			}
			used[m[1]] = true
			a := NewActions(nil, func(k string) string { return map[string]string{name: "set"}[k] })
			if a.Input(m[1]) != "set" {
				t.Errorf("step %s: %s does not carry the input %s", s.ID, name, m[1])
			}
		}
	}
	for _, in := range inputs {
		if !used[in.Name] {
			t.Errorf("the input %s reaches no step", in.Name)
		}
		delete(used, in.Name)
	}
	for name := range used {
		t.Errorf("a step uses the input %s, which does not exist", name)
	}
}

// The tables in docs/action.md are written from the code.
func TestActionIsDocumented(t *testing.T) {
	t.Parallel()
	var inputs, outputs strings.Builder
	inputs.WriteString("| Input | Default | Meaning |\n|---|---|---|\n")
	for _, in := range Inputs() {
		def := ""
		if in.Default != "" {
			def = "`" + in.Default + "`"
		}
		fmt.Fprintf(&inputs, "| `%s` | %s | %s |\n", in.Name, def, in.Meaning)
	}
	outputs.WriteString("| Output | Meaning |\n|---|---|\n")
	for _, out := range Outputs() {
		fmt.Fprintf(&outputs, "| `%s` | %s |\n", out.Name, out.Meaning)
	}
	file := filepath.Join("..", "..", "docs", "action.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	for name, table := range map[string]string{"inputs": inputs.String(), "outputs": outputs.String()} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		before, rest, ok := strings.Cut(text, begin)
		have, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("docs/action.md has no place for the %s between %q and %q", name, begin, end)
		}
		if diff := cmp.Diff(have, table); diff != "" && !*update {
			t.Errorf("docs/action.md: %s - code + (go test ./internal/github -update rewrites it)\n%s", name, diff)
		}
		text = before + begin + table + end + after
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d`)

// What our own workflows use is pinned by hash, with the version beside it, and
// their rights begin at read.
func TestWorkflowsArePinned(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", ".github", "workflows", "*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range slices.Collect(strings.Lines(string(data))) {
			_, use, ok := strings.Cut(line, "uses: ")
			if use = strings.TrimSpace(use); ok && use != "./" && !pinned.MatchString(use) {
				t.Errorf("%s:%d: %s is not pinned by its hash and version", filepath.Base(file), i+1, use)
			}
		}
		var w struct{ Permissions map[string]string }
		if err := yaml.Unmarshal(data, &w); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		if diff := cmp.Diff(w.Permissions, map[string]string{"contents": "read"}); diff != "" {
			t.Errorf("%s: permissions: got - want +\n%s", filepath.Base(file), diff)
		}
	}
}
