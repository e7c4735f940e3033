package githubtest

import (
	"fmt"
	"net/http"
	"slices"
)

// An Issue is one that is no pull request.
type Issue struct {
	Number                     int
	Title, Body, State, Reason string
	Labels                     []string
	Login, Type, Association   string
	Edits                      int
}

// Issues are the issues, oldest first.
func (s *Server) Issues() []Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Issue
	for _, x := range s.issues {
		out = append(out, *x)
	}
	return out
}

// AddIssue opens one as somebody, and gives it the next number.
func (s *Server) AddIssue(x Issue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addIssue(x)
}

func (s *Server) addIssue(x Issue) *Issue {
	s.next++
	x.Number, x.State = int(s.next), "open"
	s.issues = append(s.issues, &x)
	return &x
}

// SetIssue opens or closes one, as a person would.
func (s *Server) SetIssue(number int, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.issues {
		if x.Number == number {
			x.State = state
		}
	}
}

func (s *Server) issueJSON(x *Issue) map[string]any {
	labels := []map[string]any{}
	for _, l := range x.Labels {
		labels = append(labels, map[string]any{"name": l})
	}
	return map[string]any{
		"number": x.Number, "title": x.Title, "body": x.Body, "state": x.State, "labels": labels,
		"user": map[string]any{"login": x.Login, "type": x.Type}, "author_association": x.Association,
		"html_url": fmt.Sprintf("https://github.com/%s/issues/%d", Repo, x.Number),
	}
}

// listIssues knows one label and every state, newest first, as GitHub does.
func (s *Server) listIssues(c *call) {
	list := []map[string]any{}
	for _, x := range slices.Backward(s.issues) {
		if slices.Contains(x.Labels, c.r.URL.Query().Get("labels")) {
			list = append(list, s.issueJSON(x))
		}
	}
	from, to := c.page(len(list))
	c.answer(http.StatusOK, list[from:to])
}

func (s *Server) createIssue(c *call) {
	x := Issue{Title: c.str("title"), Body: c.str("body"), Login: s.Login, Type: "Bot", Association: "NONE"}
	for _, l := range c.in["labels"].([]any) {
		x.Labels = append(x.Labels, l.(string))
	}
	c.answer(http.StatusCreated, s.issueJSON(s.addIssue(x)))
}

func (s *Server) editIssue(c *call) {
	for _, x := range s.issues {
		if int64(x.Number) == c.num() {
			x.Title, x.Body, x.State, x.Reason = c.str("title"), c.str("body"), c.str("state"), c.str("state_reason")
			x.Edits++
			c.answer(http.StatusOK, s.issueJSON(x))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}
