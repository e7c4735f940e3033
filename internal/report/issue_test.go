package report

import (
	"regexp"
	"strings"
	"testing"
)

// TestTrackingIssueText: what the issue says in each state, with names that try to
// be more than names.
func TestTrackingIssueText(t *testing.T) {
	t.Parallel()
	full := TrackingIssue{
		Spec: "api", Environment: "staging", Profile: "soak", Branch: "main", HeadSHA: "8a1e38dc97aa11", RunURL: "https://github.com/octo/shop/actions/runs/1",
		Reproduce: "loadline run perf/api.toml --profile soak", HelpURL: "https://example.test/help",
		Alarms: []Alarm{
			{What: "GET /orders p95", Came: "+12 % bit by bit", Since: "0123456789abcdef"},
			{What: "latency.p95 < 200ms", Came: "231 ms", Since: ""},
			{What: "GET /x | <img src=x onerror=alert(1)> `@everyone` [a](javascript:b)\n# c p50", Came: "+30 % <b>", Since: "</td>"},
		},
		More: 3,
	}
	known, over := full, full
	known.Known = true
	over.Alarms, over.More = nil, 0
	for name, page := range map[string]TrackingIssue{"open": full, "known": known, "over": over} {
		text := page.Markdown()
		golden(t, "markdown/issue-"+name+".md", []byte("# "+page.Title()+"\n\n"+text))
		bare := regexp.MustCompile("`[^`]*`").ReplaceAllString(text, "") // what is no code
		for _, bad := range []string{"<img", "<b>", "</td>", "\n# c", "@"} {
			if strings.Contains(bare, bad) {
				t.Errorf("%s: %q stands in\n%s", name, bad, text)
			}
		}
	}
}
