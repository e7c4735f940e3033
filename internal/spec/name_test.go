package spec

import (
	"strconv"
	"strings"
	"testing"
)

// ValidName and the parser agree on what a name is.
func TestValidName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"api": true, "team/api v2.1_x-y": true, strings.Repeat("x", 80): true,
		"": false, " api": false, "api ": false, strings.Repeat("x", 81): false, "äpi": false, "a|b": false, "a\nb": false,
		"../api": false, "a/../b": false, "./a": false, "a//b": false, "/a": false, "a/": false, "@everyone": false, "..": false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("ValidName(%q) is %v", name, got)
		}
		_, problems := Parse(Input{File: "x.toml", Text: []byte("name = " + strconv.Quote(name) + "\n[target]\nurl = \"http://127.0.0.1:1\"\n[load]\nusers = 1\nduration = \"1s\"\n[[scenario]]\nname = \"s\"\n[[scenario.step]]\nrequest = \"GET /\"\n")})
		if ok := len(problems) == 0; ok != want {
			t.Errorf("a spec of the name %q: problems %v, want none: %v", name, problems, want)
		}
	}
}
