package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A load that is longer than the workflow allows ends when that time is over, and
// says so.
func TestMaxDurationEndsTheRun(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	g := newGround(t)
	g.writeSpec(strings.Replace(jobSpec, "[[scenario]]", "[user]\nthink = \"20ms\"\n[[scenario]]", 1)) // of 60 s
	code, log, summary := g.run("ci", "push", push(strings.Repeat("a", 40)), "INPUT_BASE_URL", target.URL, "BASE_URL", target.URL, "INPUT_MAX_DURATION", "300ms", "INPUT_READY_TIMEOUT", "200ms")
	if code != ExitInvalid || !strings.Contains(log, "max-duration of 300ms was over") || !strings.Contains(summary, "max-duration") {
		t.Errorf("status %d, want %d\n%.3000s\nsummary: %.2000s", code, ExitInvalid, log, summary)
	}
}

// Addresses carry keys: what is kept and shown of one has none.
func TestAddressesAreShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://preview.test/a?x-vercel-protection-bypass=KEY": "https://preview.test/a",
		"https://user:KEY@staging.test:8443/b#KEY":              "https://staging.test:8443/b",
		"http://127.0.0.1:8080":                                 "http://127.0.0.1:8080",
		"http://[::1":                                           "", // no address is shown whole that cannot be read
	} {
		if got := bareURL(in); got != want {
			t.Errorf("bareURL(%q) = %q, want %q", in, got, want)
		}
	}
	g := newGround(t)
	g.writeSpec(jobSpec)
	code, log, summary := g.run("ci", "push", push(strings.Repeat("a", 40)), "INPUT_BASE_URL", "http://127.0.0.1:1/?bypass=K3Y", "BASE_URL", "http://127.0.0.1:1", "INPUT_READY_TIMEOUT", "1ms")
	if strings.Contains(log+summary, "K3Y") {
		t.Errorf("status %d, and the key is shown:\n%s\n%s", code, log, summary)
	}
}

// A pull request that takes a limit out of its spec is told so; from a fork the
// limit of the base branch holds all the same, in its own job too.
func TestAPullRequestsOwnLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, repo string
		want       verdict.Outcome
		told       string
	}{
		{"of the repository", githubtest.Repo, verdict.NoBaseline, "this pull request changes what the spec allows"},
		{"of a fork", "mallory/shop", verdict.Threshold, "it comes from a fork, so the base branch's rules were used"},
	} {
		g := newGround(t)
		strict := strings.Replace(jobSpec, "latency.p99 < 1s", "latency.p99 < 1ms", 1)
		base := g.hub.Commit("main", "strict", map[string]string{"perf/api.toml": strict})
		g.hub.SetRef("patch", base)
		head := g.hub.Commit("patch", "lax", map[string]string{"perf/api.toml": jobSpec})
		g.hub.Pulls = []githubtest.Pull{{Number: 7, HeadRepo: tt.repo, HeadRef: "patch", HeadSHA: head, BaseRef: "main", BaseSHA: base}}
		file, err := result.Read(bytes.NewReader(measured(t, head, 1, nil)))
		if err != nil {
			t.Fatal(err)
		}
		m, _ := g.whole("pull_request", pullEvent(7, tt.repo, head, base), file.Run, nil)
		if m.verdict.Outcome != tt.want || !strings.Contains(told(m), tt.told) {
			t.Errorf("%s: outcome %s, want %s, with %q:\n%s", tt.name, m.verdict.Outcome, tt.want, tt.told, told(m))
		}
	}
}
