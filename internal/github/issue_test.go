package github

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

func issue(run int64, open bool, body, hidden string) Issue {
	return Issue{Title: "loadline: api got worse on main", Open: open, Comment: Comment{Key: "track/api/staging", Run: run, Attempt: 1, SHA: headSHA, Body: body, Hidden: []byte(hidden)}}
}

// track finds the issue and writes over it, as a job does.
func track(t *testing.T, c *Client, m Issue) Posted {
	t.Helper()
	was, err := c.Tracking(t.Context(), m.Key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Track(t.Context(), was, m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTrackingIssueIsOne(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	c := client(t, s)
	opened := track(t, c, issue(1, true, "one", "a"))
	edited := track(t, c, issue(3, true, "two", "b"))
	older := track(t, c, issue(2, true, "late", "c"))
	if opened.Action != PostedNew || edited.Action != PostedEdit || older.Action != PostedSuperseded || opened.URL == "" || edited.URL != opened.URL || older.URL != opened.URL {
		t.Errorf("got %+v, %+v, %+v", opened, edited, older)
	}
	was, err := c.Tracking(t.Context(), "track/api/staging")
	if err != nil || was == nil || string(was.Hidden) != "b" || !was.Open {
		t.Errorf("found %+v, %v", was, err)
	}
	track(t, c, issue(4, false, "well again", ""))
	all := s.Issues()
	if len(all) != 1 || all[0].State != "closed" || all[0].Reason != "completed" || !strings.HasSuffix(all[0].Body, "\nwell again") || len(all[0].Labels) != 1 || all[0].Labels[0] != IssueLabel {
		t.Errorf("issues %+v", all)
	}
	if track(t, c, issue(5, true, "again", "d")); s.Issues()[0].State != "open" {
		t.Errorf("not opened again: %+v", s.Issues())
	}
	other := issue(6, true, "another spec", "")
	other.Key = "track/web"
	if p := track(t, c, other); p.Action != PostedNew {
		t.Errorf("another key: %+v", p)
	}
}

// What somebody from outside wrote is never ours, though it has marker and label;
// a personal token's issue of before is.
func TestTrackingIssueOfWhom(t *testing.T) {
	t.Parallel()
	body := issue(99, true, "", "").marker() + "\nplanted"
	for _, tt := range []struct {
		name string
		by   githubtest.Issue
		ours bool
	}{
		{"a stranger", githubtest.Issue{Login: "mallory", Type: "User", Association: "NONE"}, false},
		{"a contributor", githubtest.Issue{Login: "mallory", Type: "User", Association: "CONTRIBUTOR"}, false},
		{"a member", githubtest.Issue{Login: "robot", Type: "User", Association: "MEMBER"}, true},
		{"an app", githubtest.Issue{Login: "robot[bot]", Type: "Bot", Association: "NONE"}, true},
	} {
		s := githubtest.New()
		tt.by.Labels, tt.by.Body = []string{IssueLabel}, body
		s.AddIssue(tt.by)
		was, err := client(t, s).Tracking(t.Context(), "track/api/staging")
		if err != nil || (was != nil) != tt.ours {
			t.Errorf("%s: found %+v, %v", tt.name, was, err)
		}
	}
}

// An answer that is lost does not open a second issue; a refusal is said.
func TestTrackingIssueFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []bool{true, false} {
			s := githubtest.New()
			s.Before = times(1, http.MethodPost, "/issues", githubtest.Fault{Drop: true, After: after})
			if p := track(t, client(t, s), issue(1, true, "one", "")); p.Action != PostedNew || len(s.Issues()) != 1 {
				t.Errorf("done %v: %+v, %d issues", after, p, len(s.Issues()))
			}
		}
		s := githubtest.New()
		s.Read = true
		_, err := client(t, s).Track(t.Context(), nil, issue(1, true, "one", ""))
		if err == nil || !MayNot(err) || !strings.Contains(err.Error(), "issues: write") {
			t.Errorf("refused: %v", err)
		}
	})
}
