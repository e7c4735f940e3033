package cli

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
)

// After a label the result that this very pull request's job saved is decided on,
// with no load: never one of another commit, of another spec, or of a fork that has
// the same commit.
func TestDecidedAgainFromItsOwnUpload(t *testing.T) {
	t.Parallel()
	head, base, other := strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 40)
	const target = "http://127.0.0.1:1" // nothing listens: that it is asked shows that a load was to be sent
	for _, tt := range []struct {
		name, commit string
		repo         int64
		change       func(*result.Run)
		code         Exit
		want         string
	}{
		{"its own", head, githubtest.RepoID, nil, ExitPass, "decided again from the saved result of aaaaaaa; no load was sent"},
		{"of a fork that has the commit", head, githubtest.RepoID + 1, nil, ExitInvalid, "no result of aaaaaaa is saved as loadline-result, so it is measured"},
		{"of another commit", other, githubtest.RepoID, nil, ExitInvalid, "no result of aaaaaaa is saved"},
		{"of the spec as it was", head, githubtest.RepoID, func(r *result.Run) { r.Fingerprint = "older" }, ExitInvalid, "no result of aaaaaaa is saved"},
		{"of a run that was cut short", head, githubtest.RepoID, func(r *result.Run) { r.Interrupted = true }, ExitInvalid, "no result of aaaaaaa is saved"},
	} {
		g := newGround(t)
		g.writeSpec(strings.Replace(jobSpec, "${BASE_URL}", target, 1))
		s, err := readSpec(&Env{Dir: g.dir, Getenv: func(string) (string, bool) { return "", false }}, "loadline.toml", &measureFlags{set: pflag.NewFlagSet("", pflag.ContinueOnError)})
		if err != nil {
			t.Fatal(err)
		}
		saved := measured(t, tt.commit, 1, func(r *result.Run) {
			r.File, r.Fingerprint = "loadline.toml", s.Fingerprint
			if tt.change != nil {
				tt.change(r)
			}
		})
		g.hub.AddArtifact(githubtest.Artifact{Run: 400, Name: "loadline-result", HeadSHA: tt.commit, Zip: githubtest.Zip("result.json", string(saved))})
		g.hub.Pulls = []githubtest.Pull{{Number: 7, HeadRepo: githubtest.Repo, HeadRef: "patch", HeadSHA: head, BaseRef: "main", BaseSHA: base}}
		payload := pullEvent(7, githubtest.Repo, head, base)
		payload["action"], payload["label"] = "labeled", map[string]any{"name": "docs"}
		payload["repository"].(map[string]any)["id"] = tt.repo
		code, log, _ := g.run("ci", "pull_request", payload, "INPUT_READY_TIMEOUT", "1ms")
		if code != tt.code || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%.3000s", tt.name, code, tt.code, tt.want, log)
		}
	}
}
