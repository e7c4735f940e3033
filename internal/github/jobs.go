package github

import (
	"context"
	"fmt"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const (
	checksRead = "checks: read"
	// maxJobPages bounds the search among the jobs of a run, at 100 a page: one
	// matrix has 256 at most.
	maxJobPages = 3
)

// JobName is what GitHub calls the job that this process is a step of: its
// `name:`, followed by the values of its matrix, which no variable of the
// environment tells. Among the jobs of this attempt it is the one that goes on on
// the runner of that name, or the only one that goes on. "": it cannot be told.
func (c *Client) JobName(ctx context.Context, run int64, attempt int, runner string) (string, error) {
	doing := fmt.Sprintf("looking for the name of this job among those of run %d", run)
	opts := &gh.ListOptions{PerPage: 100}
	var mine, going []string
	for range maxJobPages {
		page, resp, err := c.gh.Actions.ListWorkflowJobsAttempt(ctx, c.owner, c.repo, run, int64(max(attempt, 1)), opts)
		if err != nil {
			return "", explain(doing, actionsRead, err)
		}
		for _, j := range page.Jobs {
			if j.GetStatus() != "in_progress" {
				continue
			}
			going = append(going, j.GetName())
			if runner != "" && j.GetRunnerName() == runner {
				mine = append(mine, j.GetName())
			}
		}
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	switch {
	case len(mine) == 1:
		return mine[0], nil
	case len(mine) == 0 && len(going) == 1:
		return going[0], nil
	}
	return "", nil
}

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
