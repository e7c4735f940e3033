package spec

import (
	"strings"
	"testing"
)

// TestNotYetIsSaid holds that what is accepted and not acted on is remarked on,
// each at its line.
func TestNotYetIsSaid(t *testing.T) {
	t.Parallel()
	text := `[target]
url = "http://127.0.0.1:1"
[[scenario]]
name = "a"
  [[scenario.step]]
  request = "GET /"
[gate]
confirm = 2
rounds = 3
[[observe]]
scrape = "http://127.0.0.1:1/metrics"
series = { cpu = { expr = "x", limit = 1 } }
[diagnose]
cpu_high = "80%"
`
	s, problems := Parse(Input{File: "x.toml", Text: []byte(text)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, w := range s.Warnings {
		if strings.Contains(w.Message, "not yet acted on") {
			got = append(got, w.String())
		}
	}
	want := []string{"x.toml:13:1: [diagnose]"}
	if len(got) != len(want) {
		t.Fatalf("got %q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("warning %d is %q, want it to begin with %q", i, got[i], want[i])
		}
	}
}
