package github

import (
	"context"
	"fmt"
	"time"

	gh "github.com/google/go-github/v60/github"
)

const (
	deploymentsRead = "deployments: read"
	// A deployment is asked after less and less often, and never so often that a
	// wait of any length costs more than about fifteen calls of the 25 a run may make.
	deploymentFirst = 5 * time.Second
	deploymentMost  = time.Minute
	deploymentAsks  = 8
)

// A NotDeployed says that a deployment did not come up in time.
type NotDeployed struct {
	Environment string
	Commit      string
	Waited      time.Duration
	Last        string // what was seen last: "no deployment", "in_progress", ...
}

// Error says what was waited for and what was seen last.
func (e *NotDeployed) Error() string {
	return fmt.Sprintf("the environment %s has no finished deployment of %s: waited %v, last seen: %s; see that the deployment runs for this commit, or raise `ready-timeout`",
		e.Environment, short(e.Commit), e.Waited.Round(time.Second), e.Last)
}

// WaitDeployment waits until a deployment of a commit to an environment has
// succeeded, and returns its address. One that failed may be followed by another,
// so it is waited for too. The error is a *NotDeployed after timeout, and at once
// when there is no address to come.
func (c *Client) WaitDeployment(ctx context.Context, commit, environment string, timeout time.Duration) (string, error) {
	doing := "waiting for the deployment to " + environment
	began := time.Now()
	most := max(deploymentMost, timeout/deploymentAsks)
	not := &NotDeployed{Environment: environment, Commit: commit, Last: "no deployment of this commit"}
	var id int64
	for every := deploymentFirst; ; every = min(every*3/2, most) {
		if id == 0 {
			found, err := c.deployment(ctx, commit, environment)
			if err != nil {
				return "", explain(doing, deploymentsRead, err)
			}
			id = found
		}
		if id != 0 {
			at, err := c.deploymentStatus(ctx, id)
			if err != nil {
				return "", explain(doing, deploymentsRead, err)
			}
			not.Last = or(at.GetState(), "a deployment without a status")
			switch at.GetState() {
			case "success":
				if url := or(at.GetEnvironmentURL(), at.GetTargetURL()); url != "" {
					return url, nil
				}
				not.Last = "success, but with no environment_url"
				not.Waited = time.Since(began)
				return "", not
			case "error", "failure", "inactive":
				id = 0 // another one may follow
			}
		}
		left := timeout - time.Since(began)
		if left <= 0 {
			not.Waited = time.Since(began)
			return "", not
		}
		if err := sleep(ctx, min(every, left)); err != nil {
			return "", fmt.Errorf("%s: %w", doing, err)
		}
	}
}

// deployment is the newest of a commit to an environment; 0: none.
func (c *Client) deployment(ctx context.Context, commit, environment string) (int64, error) {
	list, _, err := c.gh.Repositories.ListDeployments(ctx, c.owner, c.repo, &gh.DeploymentsListOptions{
		SHA: commit, Environment: environment, ListOptions: gh.ListOptions{PerPage: 30},
	})
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, d := range list {
		if sha(d.GetSHA()) == commit && d.GetEnvironment() == environment {
			newest = max(newest, d.GetID())
		}
	}
	return newest, nil
}

// deploymentStatus is the newest status; nil when there is none yet.
func (c *Client) deploymentStatus(ctx context.Context, id int64) (*gh.DeploymentStatus, error) {
	list, _, err := c.gh.Repositories.ListDeploymentStatuses(ctx, c.owner, c.repo, id, &gh.ListOptions{PerPage: 30})
	if err != nil {
		return nil, err
	}
	var newest *gh.DeploymentStatus
	for _, s := range list {
		if newest == nil || s.GetID() > newest.GetID() {
			newest = s
		}
	}
	return newest, nil
}
