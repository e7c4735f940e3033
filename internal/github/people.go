package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const (
	// maxPullCommits is how many commits of a pull request GitHub lists.
	// https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request
	maxPullCommits = 250
	// maxEventPages bounds the search for a label's event, at 100 a page.
	maxEventPages = 10
)

// A Commit is one of a pull request.
type Commit struct {
	SHA     string
	Message string
	Author  string // login, or the name in the commit where GitHub knows none
}

// PullCommits lists the commits of a pull request, oldest first; GitHub tells of
// 250 at most.
func (c *Client) PullCommits(ctx context.Context, number int) ([]Commit, error) {
	opts := &gh.ListOptions{PerPage: 100}
	var out []Commit
	for len(out) < maxPullCommits {
		page, resp, err := c.gh.PullRequests.ListCommits(ctx, c.owner, c.repo, number, opts)
		if err != nil {
			return nil, explain(fmt.Sprintf("listing the commits of #%d", number), pullRead, err)
		}
		for _, x := range page {
			out = append(out, Commit{
				SHA: x.GetSHA(), Message: x.GetCommit().GetMessage(),
				Author: or(x.GetAuthor().GetLogin(), x.GetCommit().GetAuthor().GetName()),
			})
		}
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	return out, nil
}

// A Labeling is somebody's putting a label on.
type Labeling struct {
	By string
	At time.Time
}

// Labeled says who put a label on last. ok is false when the events do not tell:
// then nobody is known to have.
func (c *Client) Labeled(ctx context.Context, number int, label string) (l Labeling, ok bool, err error) {
	doing := fmt.Sprintf("finding out who put the label %s on #%d", label, number)
	// The oldest come first, and the one that counts is the last.
	first, resp, err := c.events(ctx, number, 1)
	if err != nil {
		return Labeling{}, false, explain(doing, pullRead, err)
	}
	last := max(resp.LastPage, 1)
	for page := last; page >= 1 && page > last-maxEventPages; page-- {
		list := first
		if page > 1 {
			if list, _, err = c.events(ctx, number, page); err != nil {
				return Labeling{}, false, explain(doing, pullRead, err)
			}
		}
		for _, e := range slices.Backward(list) {
			if e.GetEvent() == "labeled" && e.GetLabel().GetName() == label {
				return Labeling{By: e.GetActor().GetLogin(), At: e.GetCreatedAt().Time}, e.GetActor().GetLogin() != "", nil
			}
		}
	}
	return Labeling{}, false, nil
}

func (c *Client) events(ctx context.Context, number, page int) ([]*gh.IssueEvent, *gh.Response, error) {
	return c.gh.Issues.ListIssueEvents(ctx, c.owner, c.repo, number, &gh.ListOptions{Page: page, PerPage: 100})
}

// MayWrite says whether a user may write to the repository, by the level that
// GitHub itself gives: an author's association says nothing about rights.
func (c *Client) MayWrite(ctx context.Context, login string) (bool, error) {
	level, _, err := c.gh.Repositories.GetPermissionLevel(ctx, c.owner, c.repo, login)
	if status(err) == http.StatusNotFound { // an app, or an account that is gone
		return false, nil
	}
	if err != nil {
		return false, explain("asking what "+login+" may do", "metadata: read", err)
	}
	switch level.GetPermission() {
	case "admin", "maintain", "write":
		return true, nil
	}
	return false, nil
}

// RunCreated is when a workflow run was started first: a re-run keeps it. Its
// commit existed then.
func (c *Client) RunCreated(ctx context.Context, run int64) (time.Time, error) {
	r, _, err := c.gh.Actions.GetWorkflowRunByID(ctx, c.owner, c.repo, run)
	if err != nil {
		return time.Time{}, explain(fmt.Sprintf("reading run %d", run), actionsRead, err)
	}
	if r.GetCreatedAt().IsZero() {
		return time.Time{}, errors.New("GitHub does not say when the run was created")
	}
	return r.GetCreatedAt().Time, nil
}
