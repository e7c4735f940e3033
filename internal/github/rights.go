package github

import (
	"context"
	"errors"
	"net/http"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// A Right is one line of a permissions block, and whether the token has it.
type Right struct {
	Name  string // "contents: write"
	Known bool   // false: the probe could not tell
	Has   bool
	Why   string // what GitHub said, when it is not there or not known
}

// Rights asks GitHub what the token may do, one call each, and leaves nothing
// behind: where a right to write is asked for, what is sent is refused for its
// content, after the right was found to be there. pr is an open pull request; 0
// leaves the right to comment unknown.
func (c *Client) Rights(ctx context.Context, pr int) []Right {
	one := gh.ListOptions{PerPage: 1}
	read := func(name string, ask func() error) Right { return rightOf(name, ask(), 0) }
	all := []Right{
		read(contentsRead, func() error {
			_, _, err := c.gh.Git.ListMatchingRefs(ctx, c.owner, c.repo, &gh.ReferenceListOptions{Ref: "heads/loadline", ListOptions: one})
			return err
		}),
		// An object of git's that nothing names is swept away by itself.
		read(contentsWrite, func() error {
			_, _, err := c.gh.Git.CreateBlob(ctx, c.owner, c.repo, &gh.Blob{Content: new("loadline"), Encoding: new("utf-8")})
			return err
		}),
	}
	comment := Right{Name: "pull-requests: write", Why: "no pull request is at hand to ask about"}
	if pr > 0 {
		// Longer than GitHub takes.
		_, _, err := c.gh.Issues.CreateComment(ctx, c.owner, c.repo, pr, &gh.IssueComment{Body: new(strings.Repeat("x", 65_537))})
		comment = rightOf(comment.Name, err, http.StatusUnprocessableEntity)
	}
	// A commit that there is not.
	_, _, err := c.gh.Checks.CreateCheckRun(ctx, c.owner, c.repo, gh.CreateCheckRunOptions{Name: "loadline", HeadSHA: strings.Repeat("0", 40)})
	return append(all, comment, rightOf(checksRight, err, http.StatusUnprocessableEntity),
		read("actions: read", func() error {
			_, _, err := c.gh.Actions.ListRepositoryWorkflowRuns(ctx, c.owner, c.repo, &gh.ListWorkflowRunsOptions{ListOptions: one})
			return err
		}),
		read("deployments: read", func() error {
			_, _, err := c.gh.Repositories.ListDeployments(ctx, c.owner, c.repo, &gh.DeploymentsListOptions{ListOptions: one})
			return err
		}))
}

// rightOf reads an answer: refused is the status that says that the right is
// there and the content is not right; 0: success alone does.
func rightOf(name string, err error, refused int) Right {
	r := Right{Name: name, Known: true}
	switch s := status(err); {
	case err == nil, s != 0 && s == refused:
		r.Has = true
	case s == http.StatusForbidden, s == http.StatusNotFound, s == http.StatusUnauthorized:
		var limit *gh.RateLimitError
		var abuse *gh.AbuseRateLimitError
		if errors.As(err, &limit) || errors.As(err, &abuse) {
			r.Known = false
		}
		r.Why = said(err)
	default:
		r.Known, r.Why = false, said(err)
	}
	return r
}
