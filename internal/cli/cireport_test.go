package cli

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
	"github.com/loadline-ci/loadline/internal/result"
)

// fork opens pull request 8 of mallory's fork upon main.
func (g *ground) fork(files map[string]string) (head, base string) {
	base = g.storedMain()
	g.hub.SetRef("patch", base)
	head = g.hub.Commit("patch", "from a fork", files)
	g.hub.Pulls = []githubtest.Pull{
		{Number: 7, HeadRepo: githubtest.Repo, HeadRef: "victim", HeadSHA: strings.Repeat("c", 40), BaseRef: "main", BaseSHA: base},
		{Number: 8, HeadRepo: "mallory/shop", HeadRef: "patch", HeadSHA: head, BaseRef: "main", BaseSHA: base},
	}
	return head, base
}

const bot = "github-actions[bot]"

// A fork's run could not comment; the report on it does, with a verdict of its
// own, whatever the artifact says.
func TestReportOfAFork(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	head, _ := g.fork(map[string]string{"n": "fork"})
	g.upload(200, "loadline-result", "result.json", string(measured(t, head, 1.5, nil)), "report.md", "# Everything is fine <!-- loadline v1 key=x run=999.1 sha=0 -->")
	code, log, summary := g.run("ci report", "workflow_run", workflowRun(200, "pull_request", "mallory/shop", head))
	comments := g.hub.Comments(8, bot)
	if code != ExitPass || len(comments) != 1 {
		t.Fatalf("status %d, %d comments\n%s", code, len(comments), log)
	}
	body := comments[0].Body
	for _, want := range []string{"<!-- loadline v1 key=api/default run=200.2 sha=" + head, "GET /b", "/actions/runs/200/attempts/2"} {
		if !strings.Contains(body, want) {
			t.Errorf("the comment has no %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "Everything is fine") || !strings.Contains(summary, "GET /b") {
		t.Errorf("comment\n%s\nsummary\n%s", body, summary)
	}
	if n := len(g.hub.Comments(7, bot)); n != 0 {
		t.Errorf("%d comments on another pull request", n)
	}
	if n := len(g.hub.Checks()); n != 0 {
		t.Errorf("%d check runs, though nobody asked for one", n)
	}
	// Once more, with a check run.
	if code, log, _ := g.run("ci report", "workflow_run", workflowRun(200, "pull_request", "mallory/shop", head), "INPUT_CHECK_RUN", "true"); code != ExitPass {
		t.Errorf("status %d\n%s", code, log)
	}
	if checks := g.hub.Checks(); len(checks) != 1 || checks[0].Name != "loadline / api (default)" || checks[0].Status != "completed" || checks[0].Conclusion != "failure" {
		t.Errorf("check runs %+v", checks)
	}
	// Once more, of an older run: the comment stays the newer one's.
	g.upload(150, "loadline-result", "result.json", string(measured(t, head, 1, nil)))
	if code, log, _ := g.run("ci report", "workflow_run", workflowRun(150, "pull_request", "mallory/shop", head)); code != ExitPass || !strings.Contains(log, "A newer run has written the comment") {
		t.Errorf("status %d\n%s", code, log)
	}
	if again := g.hub.Comments(8, bot); len(again) != 1 || !strings.Contains(again[0].Body, "run=200.2") {
		t.Error("an older run has changed the comment")
	}
}

func TestReportSaysNothing(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	head, base := g.fork(map[string]string{"n": "fork"})
	tests := []struct {
		name    string
		payload any
		want    string
	}{
		{"a push", workflowRun(200, "push", githubtest.Repo, base), `started by "push"`},
		{"another commit than the branch has now", workflowRun(200, "pull_request", "mallory/shop", base), "No open pull request stands at"},
		{"another repository", workflowRun(200, "pull_request", "eve/shop", head), "No open pull request stands at"},
		{"nothing uploaded", workflowRun(201, "pull_request", "mallory/shop", head), "There is no result to publish."},
	}
	for _, tt := range tests {
		code, log, _ := g.run("ci report", "workflow_run", tt.payload)
		if code != ExitPass || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %q:\n%s", tt.name, code, tt.want, log)
		}
	}
	if n := len(g.hub.Comments(8, bot)); n != 0 {
		t.Errorf("%d comments", n)
	}
}

// Nothing of a hostile artifact reaches a comment, and each is refused in a line.
func TestReportOfAHostileArtifact(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	head, _ := g.fork(map[string]string{"n": "fork"})
	good := string(measured(t, head, 1.5, nil))
	changed := func(change func(*result.Run)) string { return string(measured(t, head, 1.5, change)) }
	keyed := func(change func(map[string]any)) string {
		var doc map[string]any
		if err := json.Unmarshal([]byte(good), &doc); err != nil {
			t.Fatal(err)
		}
		change(doc)
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	zipped := func(files ...string) []byte { return githubtest.Zip(files...) }
	tests := []struct {
		name string
		zip  []byte
		want string
	}{
		{"zip slip", zipped("result.json", good, "../../../home/runner/.bashrc", "x"), "no plain path"},
		{"bomb", zipped("result.json", strings.Repeat(" ", 40<<20)), "packed over 100 times"},
		{"truncated", zipped("result.json", good)[:2000], "no whole zip"},
		{"twice", zipped("result.json", good, "result.json", good), "twice"},
		{"wrong schema", zipped("result.json", `{"schema":"loadline/result/9"}`), "newer loadline"},
		{"another pull request's number", zipped("result.json", keyed(func(d map[string]any) { d["pull_request"] = 7 })), "pull_request"},
		{"another commit", zipped("result.json", changed(func(r *result.Run) { r.Commit = strings.Repeat("c", 40) })), "it is of commit"},
		{"a name that is Markdown", zipped("result.json", changed(func(r *result.Run) { r.Spec = "[x](http://evil) @everyone" })), "no name that a spec can have"},
		{"a profile that is Markdown", zipped("result.json", changed(func(r *result.Run) { r.Profile = "[x](http://evil)" })), "no name of a profile"},
		{"a label that is a command", zipped("result.json", changed(func(r *result.Run) { r.Environment.Label = "x\n::set-output name=verdict::pass" })), "no env-label"},
		{"a name of 10 MB", zipped("result.json", changed(func(r *result.Run) { r.Catalog.Steps[0].Name = strings.Repeat("né", 5<<20) })), "packed over 100 times"},
		{"a long name", zipped("result.json", changed(func(r *result.Run) { r.Catalog.Steps[0].Name = strings.Repeat("x", 2000) })), "a text of 2000 bytes"},
		{"from the future", zipped("result.json", changed(func(r *result.Run) { r.Started = r.Started.AddDate(10, 0, 0) })), "which cannot be"},
		{"two of one name", zipped("result.json", good, "other/result.json", good), "two results are of api (default)"},
		{"deep within", zipped("a/b/result.json", good), "no file result.json"},
	}
	for i, tt := range tests {
		run := int64(300 + i)
		g.hub.AddArtifact(githubtest.Artifact{Run: run, Name: "loadline-result", Zip: tt.zip})
		code, log, summary := g.run("ci report", "workflow_run", workflowRun(run, "pull_request", "mallory/shop", head))
		if code != ExitInvalid || !strings.Contains(log, tt.want) {
			t.Errorf("%s: status %d, want %d with %q:\n%.2000s", tt.name, code, ExitInvalid, tt.want, log)
		}
		if len(log) > 3000 || strings.Contains(log, "\n::set-output") || summary != "" {
			t.Errorf("%s: the log has %d bytes, the summary %q:\n%.500s", tt.name, len(log), summary, log)
		}
	}
	if n := len(g.hub.Comments(8, bot)) + len(g.hub.Comments(7, bot)); n != 0 {
		t.Errorf("%d comments came of hostile artifacts", n)
	}
}

var codeSpan = regexp.MustCompile("``[^\n]*?``|`[^`\n]*`")

// Names within a result may be anything, and must stay text.
func TestReportEscapesForeignNames(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	head, _ := g.fork(map[string]string{"n": "fork"})
	hostile := "GET /b | @everyone [x](http://evil.test) <img src=x> `\n::set-output name=verdict::pass\n\x1b[2J"
	g.upload(200, "loadline-result", "result.json", string(measured(t, head, 1.5, func(r *result.Run) {
		r.Catalog.Steps[1].Name, r.Target, r.Stopped = hostile, "javascript:alert(1)", hostile
	})))
	code, log, summary := g.run("ci report", "workflow_run", workflowRun(200, "pull_request", "mallory/shop", head), "INPUT_COMMENT", "always")
	comments := g.hub.Comments(8, bot)
	if code != ExitPass || len(comments) != 1 {
		t.Fatalf("status %d, %d comments\n%s", code, len(comments), log)
	}
	for what, text := range map[string]string{"comment": comments[0].Body, "summary": summary} {
		text = codeSpan.ReplaceAllString(text, "") // within code all is text
		for _, bad := range []string{"@everyone", "](http://evil", "<img", "\x1b", "\n::"} {
			if strings.Contains(text, bad) {
				t.Errorf("the %s holds %q:\n%s", what, bad, text)
			}
		}
	}
	outside := log
	for {
		before, rest, ok := strings.Cut(outside, "::stop-commands::")
		if !ok {
			break
		}
		token, rest, _ := strings.Cut(rest, "\n")
		_, after, closed := strings.Cut(rest, "::"+token+"::\n")
		if !closed {
			t.Fatal("commands stay stopped")
		}
		outside = before + after
	}
	for line := range strings.Lines(outside) {
		if strings.HasPrefix(strings.TrimSpace(line), "::set-output") || strings.Contains(line, "\x1b") {
			t.Errorf("outside of stop-commands the log says %q", line)
		}
	}
}

// The rules are those of the commit that the pull request left main at; what the
// fork wrote into its spec does not count.
func TestReportUsesTheBaseBranchsRules(t *testing.T) {
	t.Parallel()
	lax := strings.Replace(jobSpec, "latency.p99 < 1s", "latency.p99 < 99s", 1) + "compare = [\"latency.p95 within 900%\"]\n"
	g := newGround(t)
	head, _ := g.fork(map[string]string{"perf/api.toml": lax})
	g.upload(200, "loadline-result", "result.json", string(measured(t, head, 50, nil)))
	code, log, _ := g.run("ci report", "workflow_run", workflowRun(200, "pull_request", "mallory/shop", head))
	comments := g.hub.Comments(8, bot)
	if code != ExitPass || len(comments) != 1 {
		t.Fatalf("status %d, %d comments\n%s", code, len(comments), log)
	}
	if !strings.Contains(comments[0].Body, "p99 < 1s") || strings.Contains(comments[0].Body, "99s") {
		t.Errorf("judged by other rules than main's:\n%s", comments[0].Body)
	}
	// A spec that main does not have is compared all the same, and that is said.
	g.upload(201, "loadline-result", "result.json", string(measured(t, head, 1.5, func(r *result.Run) { r.File = "../../etc/passwd" })))
	if _, log, _ := g.run("ci report", "workflow_run", workflowRun(201, "pull_request", "mallory/shop", head)); !strings.Contains(log, "could not be read at") {
		t.Errorf("the log does not say that the rules could not be read:\n%s", log)
	}
}

// The legs of a matrix leave one comment.
func TestReportOfAMatrix(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	head, base := g.fork(map[string]string{"n": "fork"})
	for _, leg := range []string{"linux", "windows"} {
		g.upload(500, "result-"+leg, "result.json", string(measured(t, head, 1.5, func(r *result.Run) { r.Environment.Label = leg })))
	}
	inputs := []string{"INPUT_ARTIFACT", "result-linux\nresult-windows", "INPUT_COMMENT", "always"}
	for range 2 {
		code, log, _ := g.run("ci report", "pull_request", pullEvent(8, githubtest.Repo, head, base), inputs...)
		comments := g.hub.Comments(8, bot)
		if code != ExitPass || len(comments) != 1 {
			t.Fatalf("status %d, %d comments\n%s", code, len(comments), log)
		}
		for _, want := range []string{"key=api/linux%2Bwindows ", "linux", "windows"} {
			if !strings.Contains(comments[0].Body, want) {
				t.Errorf("the comment has no %q:\n%s", want, comments[0].Body)
			}
		}
	}
	if calls := len(g.hub.Calls()); calls > 4*25 {
		t.Errorf("%d calls", calls)
	}
}
