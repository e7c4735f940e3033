package github

import (
	"context"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const checksRead = "checks: read"

// JobConclusion is what the job called name came to when it last ran on a
// commit: "success", "failure", "cancelled" and so on; "" when it has not, or
// not yet. A job is called as its `name:` says, else by its id. Only jobs of
// GitHub Actions count: whoever may write checks can make one of any name.
func (c *Client) JobConclusion(ctx context.Context, commit, name string) (string, error) {
	list, _, err := c.gh.Checks.ListCheckRunsForRef(ctx, c.owner, c.repo, commit, &gh.ListCheckRunsOptions{
		CheckName: &name, Filter: new("latest"), ListOptions: gh.ListOptions{PerPage: 100},
	})
	if err != nil {
		return "", explain("looking for the job "+name+" on "+short(commit), checksRead, err)
	}
	var conclusion string
	var last time.Time
	for _, run := range list.CheckRuns {
		at := run.GetStartedAt().Time
		if run.GetName() == name && run.GetApp().GetSlug() == "github-actions" && run.GetStatus() == "completed" && !at.Before(last) {
			conclusion, last = run.GetConclusion(), at
		}
	}
	return conclusion, nil
}
