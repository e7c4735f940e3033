package github

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

func talk(t *testing.T, c *Client) *Conversation {
	t.Helper()
	got, err := c.Conversation(t.Context(), 7, "api/staging")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// What a comment hides comes back to the next run, is kept by runs that say nothing
// of it, and goes when one says so. Nobody else's comment hides anything for us.
func TestHidden(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.AddComments(7, 150, "alice", "chatter %d")
	forged := comment(9, 9, "mine")
	forged.Hidden = []byte("forged")
	s.AddComments(7, 1, "mallory", forged.text())
	c := client(t, s)
	if got := talk(t, c); got.Hidden != nil || len(got.Remarks) != 150 {
		t.Fatalf("got %q and %d remarks", got.Hidden, len(got.Remarks))
	}
	secret := []byte("--> <script>\x00\n" + strings.Repeat("x", 100))
	first := comment(1, 1, "one")
	first.Hidden = secret
	post(t, c, first)
	body := s.Comments(7, bot)[0].Body
	if got := talk(t, c); !bytes.Equal(got.Hidden, secret) || strings.Count(body, "-->") != 2 {
		t.Errorf("got %q of\n%s", got.Hidden, body)
	}
	post(t, c, comment(2, 1, "two"))
	known := talk(t, c)
	if !bytes.Equal(known.Hidden, secret) {
		t.Errorf("a run that says nothing of it lost it: %q", known.Hidden)
	}
	third := comment(3, 1, "three")
	third.Hidden, third.Known = []byte{}, known
	before := len(s.Calls())
	post(t, c, third)
	if calls := s.Calls()[before:]; slices.ContainsFunc(calls, func(x string) bool { return strings.HasPrefix(x, "GET") && strings.Contains(x, "/comments") }) {
		t.Errorf("it was looked for again: %v", calls)
	}
	if got := talk(t, c); got.Hidden != nil {
		t.Errorf("still there: %q", got.Hidden)
	}
	fourth := comment(4, 1, "four")
	fourth.Hidden = make([]byte, MaxHidden+1)
	if _, err := c.PostComment(t.Context(), fourth); err == nil {
		t.Error("too much was hidden")
	}
	fourth.Hidden = make([]byte, MaxHidden)
	if n := len(fourth.hidden()); n > HiddenLine {
		t.Errorf("the line has %d bytes, more than %d", n, HiddenLine)
	}
}

func FuzzParseHidden(f *testing.F) {
	m := comment(1, 1, "body")
	m.Hidden = []byte("x")
	f.Add(m.text())
	f.Fuzz(func(t *testing.T, body string) {
		if data := parseHidden(body); len(data) > MaxHidden || data != nil && len(data) == 0 {
			t.Errorf("got %d bytes", len(data))
		}
	})
}

func TestPeople(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	s.People.Levels = map[string]string{"ann": "admin", "max": "maintain", "will": "write", "rita": "read", "nobody": "none"}
	for i := range 250 {
		s.People.Labelings = append(s.People.Labelings, githubtest.Labeling{Issue: 7, Label: "docs", By: "ann", At: at.Add(time.Duration(i) * time.Second)})
		s.People.Commits = append(s.People.Commits, githubtest.PullCommit{Pull: 7, SHA: headSHA, Message: "m", Author: "ann"})
	}
	s.People.Labelings = slices.Insert(s.People.Labelings, 20,
		githubtest.Labeling{Issue: 7, Label: "perf", By: "ann", At: at},
		githubtest.Labeling{Issue: 7, Label: "perf", By: "ann", At: at, Off: true},
		githubtest.Labeling{Issue: 7, Label: "perf", By: "will", At: at.Add(time.Hour)},
		githubtest.Labeling{Issue: 8, Label: "perf", By: "rita", At: at.Add(2 * time.Hour)})
	c := client(t, s)
	got, ok, err := c.Labeled(t.Context(), 7, "perf")
	if want := (Labeling{By: "will", At: at.Add(time.Hour)}); err != nil || !ok || got.By != want.By || !got.At.Equal(want.At) {
		t.Errorf("got %+v, %v, %v, want %+v", got, ok, err, want)
	}
	if _, ok, err := c.Labeled(t.Context(), 7, "never"); ok || err != nil {
		t.Errorf("a label that nobody put on: %v, %v", ok, err)
	}
	for login, want := range map[string]bool{"ann": true, "max": true, "will": true, "rita": false, "nobody": false, "app[bot]": false} {
		if may, err := c.MayWrite(t.Context(), login); err != nil || may != want {
			t.Errorf("%s: got %v, %v, want %v", login, may, err, want)
		}
	}
	if list, err := c.PullCommits(t.Context(), 7); err != nil || len(list) != 250 || list[0].Author != "ann" {
		t.Errorf("%d commits, %v", len(list), err)
	}
}
