package github

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

const bot = "github-actions[bot]"

func comment(run int64, attempt int, body string) Comment {
	return Comment{PR: 7, Key: "api/staging", Run: run, Attempt: attempt, SHA: headSHA, Body: body}
}

func post(t *testing.T, c *Client, m Comment) Posted {
	t.Helper()
	p, err := c.PostComment(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bodies(s *githubtest.Server, login string) []string {
	var out []string
	for _, x := range s.Comments(7, login) {
		_, text, _ := strings.Cut(x.Body, "\n")
		out = append(out, text)
	}
	return out
}

func TestCommentIsEditedInPlace(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.AddComments(7, 120, "alice", "chatter %d")
	c := client(t, s)
	first := post(t, c, comment(1, 1, "one"))
	s.AddComments(7, 120, "bob", "more %d")
	second := post(t, c, comment(1, 2, "two"))
	third := post(t, c, comment(2, 1, "three"))
	if first.Action != PostedNew || second.Action != PostedEdit || third.Action != PostedEdit {
		t.Errorf("got %v, %v, %v", first.Action, second.Action, third.Action)
	}
	if first.URL == "" || first.URL != second.URL || second.URL != third.URL {
		t.Errorf("URLs %q %q %q", first.URL, second.URL, third.URL)
	}
	if diff := cmp.Diff(bodies(s, bot), []string{"three"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if !strings.HasPrefix(s.Comments(7, bot)[0].Body, "<!-- loadline v1 key=api/staging run=2.1 sha="+headSHA+" -->\n") {
		t.Errorf("no marker first: %q", s.Comments(7, bot)[0].Body)
	}
	if n := len(bodies(s, "alice")) + len(bodies(s, "bob")); n != 240 {
		t.Errorf("%d comments of others, want 240", n)
	}
}

func TestOlderRunDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	for _, m := range []Comment{comment(4, 9, "older run"), comment(5, 1, "older attempt")} {
		s := githubtest.New()
		c := client(t, s)
		post(t, c, comment(5, 2, "newest"))
		p := post(t, c, m)
		if p.Action != PostedSuperseded || p.URL == "" {
			t.Errorf("%s: got %+v", m.Body, p)
		}
		if got := s.Comments(7, bot); len(got) != 1 || got[0].Edits != 0 {
			t.Errorf("%s: the comment was touched: %+v", m.Body, got)
		}
	}
}

func TestKeysAndPullRequestsAreApart(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	c := client(t, s)
	post(t, c, comment(1, 1, "staging"))
	other := comment(1, 1, "preview")
	other.Key = "api/preview --> <b>"
	post(t, c, other)
	post(t, c, other)
	elsewhere := comment(1, 1, "another pull request")
	elsewhere.PR = 8
	post(t, c, elsewhere)
	if diff := cmp.Diff(bodies(s, bot), []string{"staging", "preview"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if n := len(s.Comments(8, bot)); n != 1 {
		t.Errorf("%d comments on #8", n)
	}
}

// Somebody may plant our marker: what others wrote is never edited.
func TestPlantedMarker(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Installation = true
	s.AddComments(7, 1, "mallory", comment(99, 1, "").marker()+"\nplanted")
	post(t, client(t, s), comment(1, 1, "ours"))
	if diff := cmp.Diff(bodies(s, "mallory"), []string{"planted"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if diff := cmp.Diff(bodies(s, bot), []string{"ours"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

// A personal token is asked who it is; an app's may not ask, and finds its
// earlier comment by the login that its new one got.
func TestOtherLogins(t *testing.T) {
	t.Parallel()
	for _, installation := range []bool{false, true} {
		s := githubtest.New()
		s.Login, s.Installation = "perf-robot", installation
		c := client(t, s)
		post(t, c, comment(1, 1, "one"))
		post(t, c, comment(2, 1, "two"))
		if diff := cmp.Diff(bodies(s, "perf-robot"), []string{"two"}); diff != "" {
			t.Errorf("installation %v: got - want +\n%s", installation, diff)
		}
	}
}

// Jobs that look at the same moment each post a comment: the oldest stays, with
// the newest run's text.
func TestRacingComments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		rival := comment(3, 1, "")
		s.Before = func(r *http.Request) *githubtest.Fault {
			if r.Method == http.MethodPost {
				s.Before = nil
				s.AddComments(7, 1, bot, rival.marker()+"\nrival")
			}
			return nil
		}
		if p := post(t, client(t, s), comment(4, 1, "ours")); p.Action != PostedEdit {
			t.Errorf("newer: got %v", p.Action)
		}
		if diff := cmp.Diff(bodies(s, bot), []string{"ours"}); diff != "" {
			t.Errorf("newer: got - want +\n%s", diff)
		}

		s = githubtest.New()
		s.AddComments(7, 1, bot, comment(1, 1, "").marker()+"\nold")
		s.AddComments(7, 1, bot, comment(5, 1, "").marker()+"\nnewest")
		s.AddComments(7, 1, bot, comment(2, 1, "").marker()+"\nold too")
		if p := post(t, client(t, s), comment(4, 1, "ours")); p.Action != PostedSuperseded {
			t.Errorf("older: got %v", p.Action)
		}
		if diff := cmp.Diff(bodies(s, bot), []string{"newest"}); diff != "" {
			t.Errorf("older: got - want +\n%s", diff)
		}
	})
}

// A comment whose answer was lost is found, not posted twice.
func TestLostAnswerToComment(t *testing.T) {
	t.Parallel()
	for _, f := range []githubtest.Fault{{Drop: true, After: true}, {Status: 502, After: true}, {Drop: true}, {Status: 502}} {
		t.Run(fmt.Sprintf("after %v drop %v", f.After, f.Drop), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := githubtest.New()
				s.Before = times(1, "POST", "/comments", f)
				p := post(t, client(t, s), comment(1, 1, "ours"))
				if p.URL == "" {
					t.Error("no URL")
				}
				if diff := cmp.Diff(bodies(s, bot), []string{"ours"}); diff != "" {
					t.Errorf("got - want +\n%s", diff)
				}
			})
		})
	}
}

func TestOnlyEdit(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	c := client(t, s)
	m := comment(1, 1, "quiet")
	m.OnlyEdit = true
	if p := post(t, c, m); p.Action != PostedNothing || p.URL != "" {
		t.Errorf("got %+v", p)
	}
	post(t, c, comment(2, 1, "loud"))
	m.Run = 3
	if p := post(t, c, m); p.Action != PostedEdit {
		t.Errorf("got %+v", p)
	}
	if diff := cmp.Diff(bodies(s, bot), []string{"quiet"}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

func TestCommentRefused(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Read = true
	_, err := client(t, s).PostComment(t.Context(), comment(1, 1, "x"))
	want := "commenting on #7: 403: the token may not do this, which is normal for forks and Dependabot; elsewhere give the job `permissions: { pull-requests: write }` (LL30)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	s = githubtest.New()
	c := client(t, s)
	room := MaxComment - len(comment(1, 1, "").marker()) - 1
	if _, err := c.PostComment(t.Context(), comment(1, 1, strings.Repeat("é", room/2+1))); err == nil {
		t.Error("a text too long was posted")
	}
	if c.Calls() != 0 {
		t.Error("it was sent")
	}
	post(t, c, comment(1, 1, strings.Repeat("x", room)))
}

func TestCommentCalls(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.AddComments(7, 120, "alice", "chatter %d")
	c := client(t, s)
	post(t, c, comment(1, 1, "one"))
	// Two pages, the comment, and a look for a rival in the last ten minutes.
	if got := c.Calls(); got > 5 {
		t.Errorf("a new comment costs %d calls:\n%s", got, strings.Join(s.Calls(), "\n"))
	}
	before := c.Calls()
	post(t, c, comment(2, 1, "two"))
	if got := c.Calls() - before; got != 3 {
		t.Errorf("an edit costs %d calls, want 3", got)
	}
}

func FuzzMarker(f *testing.F) {
	f.Add("api/staging", int64(9871234567), 2, "8a1e38dc97", "### body")
	f.Add("a b--><x\n%2F=", int64(0), 0, "", "")
	f.Fuzz(func(t *testing.T, key string, run int64, attempt int, sha, body string) {
		want := Comment{Key: key, Run: run, Attempt: attempt, SHA: sha}
		line := want.marker()
		if strings.ContainsAny(line, "\n\r") || strings.Count(line, "-->") != 1 {
			t.Fatalf("marker breaks out: %q", line)
		}
		for _, text := range []string{line + "\n" + body, line + "\r\n" + body} {
			got, ok := parseMarker(text)
			if ok != (key != "") {
				t.Fatalf("parsed %v: %q", ok, text)
			}
			if diff := cmp.Diff(got, want); ok && diff != "" {
				t.Errorf("got - want +\n%s", diff)
			}
		}
		if m, ok := parseMarker(body); ok && !strings.HasPrefix(body, markerHead) {
			t.Errorf("%q is no marker, got %+v", body, m)
		}
	})
}

func TestParseMarkerRefuses(t *testing.T) {
	t.Parallel()
	good := comment(1, 2, "").marker()
	if _, ok := parseMarker(good); !ok {
		t.Fatalf("%s does not parse", good)
	}
	if m, ok := parseMarker(strings.Replace(good, " sha", " later=x sha", 1)); !ok || m.Run != 1 {
		t.Errorf("a field of a later version: got %+v, %v", m, ok)
	}
	bad := []string{
		"", "text\n" + good, " " + good, good + "x", "<!-- loadline v1 -->", "<!-- loadline v2 key=a run=1.1 sha=x -->",
		"<!-- loadline v1 key=a run=1 sha=x -->", "<!-- loadline v1 key=a run=x.1 sha=x -->", "<!-- loadline v1 key=%zz run=1.1 -->",
	}
	if i := slices.IndexFunc(bad, func(s string) bool { _, ok := parseMarker(s); return ok }); i >= 0 {
		t.Errorf("%q parses", bad[i])
	}
}
