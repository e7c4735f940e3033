package spec

import (
	"regexp"
	"strings"
	"testing"
)

// TestReference holds docs/spec.md, which is made from the key table.
func TestReference(t *testing.T) {
	t.Parallel()
	got := Reference()
	golden(t, "../../docs/spec.md", got)
	if strings.Contains(string(got), "<!--") {
		t.Error("a placeholder is left")
	}
	for i := range keyTable {
		for _, k := range keyTable[i].keys {
			if keyTable[i].name != "profile" && !strings.Contains(string(got), "| `"+k.name+"` |") {
				t.Errorf("%s.%s is not in the reference", keyTable[i].name, k.name)
			}
		}
	}
}

// TestReferenceExamples parses every example of the reference.
func TestReferenceExamples(t *testing.T) {
	t.Parallel()
	found := 0
	for _, m := range regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(Reference()), -1) {
		text := m[1]
		if !strings.Contains(text, "[target]") {
			text = "target = { url = \"https://api.example.com\" }\n" + text
		}
		if !strings.Contains(text, "[[scenario]]") {
			text += "\n[[scenario]]\nname = \"x\"\n[[scenario.step]]\nrequest = \"GET /users\"\n"
		}
		parse(t, text)
		found++
	}
	if found < 15 {
		t.Errorf("found %d examples", found)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, what := range []string{
		"", "load.duration", "scenario[0].step[2].expect", "data.customers.file", "target.ready", "[http.auth]", "stage", "thresholds", "think", "latency",
		"profile.smoke.load.users", "load.duraton", "vus", "nothing like it",
	} {
		text, err := Explain(what)
		if err != nil {
			text = "error: " + err.Error() + "\n"
		}
		b.WriteString("$ explain " + what + "\n" + text + "\n")
	}
	golden(t, "testdata/explain.txt", []byte(b.String()))
	// Every key and table can be asked for.
	for i := range keyTable {
		for _, k := range keyTable[i].keys {
			if _, err := Explain(k.name); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
		}
	}
}
