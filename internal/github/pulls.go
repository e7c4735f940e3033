package github

import (
	"context"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

const pullRead = "pull-requests: read"

// A Pull is a pull request, as GitHub's API has it now: the event file of a re-run
// has it as it was.
type Pull struct {
	Number   int
	Author   string   // login
	Body     string   // foreign
	Labels   []string // names
	HeadSHA  string
	HeadRef  string
	HeadRepo string // owner/name; "" when a fork was deleted
	BaseSHA  string
	BaseRef  string
	// How many of each there are, as PullNumber tells; 0 of a pull request that was
	// found in a list.
	Comments, Commits int
}

// PullFrom finds the open pull request of a branch of headRepo ("owner/name")
// that stands at headSHA now. All three must be the same: what a workflow_run
// event says of itself is the only thing that nobody could make up. Nil: none is
// open, or it has moved on.
func (c *Client) PullFrom(ctx context.Context, headRepo, headRef, headSHA string) (*Pull, error) {
	doing := "looking for the pull request of " + short(headSHA)
	owner, _, ok := strings.Cut(headRepo, "/")
	if !ok || headRef == "" || headSHA == "" {
		return nil, fmt.Errorf("%s: the event does not say where it comes from", doing)
	}
	list, _, err := c.gh.PullRequests.List(ctx, c.owner, c.repo, &gh.PullRequestListOptions{
		State: "open", Head: owner + ":" + headRef, ListOptions: gh.ListOptions{PerPage: 100},
	})
	if err != nil {
		return nil, explain(doing, pullRead, err)
	}
	for _, x := range list {
		p := pullOf(x)
		if strings.EqualFold(p.HeadRepo, headRepo) && p.HeadRef == headRef && p.HeadSHA == headSHA {
			return p, nil
		}
	}
	return nil, nil
}

// PullWith finds the open pull request whose head is the given commit; of
// several the newest. Nil: none.
func (c *Client) PullWith(ctx context.Context, headSHA string) (*Pull, error) {
	list, _, err := c.gh.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.repo, headSHA, &gh.ListOptions{PerPage: 100})
	if err != nil {
		return nil, explain("looking for the pull request of "+short(headSHA), pullRead, err)
	}
	var found *Pull
	for _, x := range list {
		if p := pullOf(x); x.GetState() == "open" && p.HeadSHA == headSHA && (found == nil || p.Number > found.Number) {
			found = p
		}
	}
	return found, nil
}

// PullMerged finds the merged pull request that brought a commit of a branch, by a
// merge, a squash or a rebase. Nil: none did.
func (c *Client) PullMerged(ctx context.Context, commit string) (*Pull, error) {
	list, _, err := c.gh.PullRequests.ListPullRequestsWithCommit(ctx, c.owner, c.repo, commit, &gh.ListOptions{PerPage: 100})
	if err != nil {
		return nil, explain("looking for the pull request of "+short(commit), pullRead, err)
	}
	for _, x := range list {
		if x.MergedAt != nil {
			return pullOf(x), nil
		}
	}
	return nil, nil
}

// PullNumber reads one pull request, open or not.
func (c *Client) PullNumber(ctx context.Context, number int) (*Pull, error) {
	x, _, err := c.gh.PullRequests.Get(ctx, c.owner, c.repo, number)
	if err != nil {
		return nil, explain(fmt.Sprintf("reading #%d", number), pullRead, err)
	}
	return pullOf(x), nil
}

func pullOf(x *gh.PullRequest) *Pull {
	p := &Pull{
		Number: x.GetNumber(), Author: x.GetUser().GetLogin(), Body: x.GetBody(), HeadSHA: sha(x.GetHead().GetSHA()), HeadRef: x.GetHead().GetRef(), HeadRepo: x.GetHead().GetRepo().GetFullName(),
		BaseSHA: sha(x.GetBase().GetSHA()), BaseRef: x.GetBase().GetRef(), Comments: x.GetComments(), Commits: x.GetCommits(),
	}
	for _, l := range x.Labels {
		p.Labels = append(p.Labels, l.GetName())
	}
	return p
}
