package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/report"
)

// Profiles that an event asks for when the workflow names none, in specs that
// have them.
const (
	soakProfile  = "soak"  // schedule
	smokeProfile = "smoke" // merge_group
)

// settle finds out what the event leaves open: which pull request it belongs to,
// which profile it asks for, and whether there is anything to measure. done says
// that the job is at its end, with the status code.
func (c *ciRun) settle(ctx context.Context) (code Exit, done bool, err error) {
	e := c.event
	switch {
	case e.Name == github.EventIssueComment && !c.commanded():
		code, err = c.nothing(ExitPass, "The comment has no command for loadline: nothing to do.")
		return code, true, err
	case e.Deleted:
		code, err = c.nothing(ExitPass, "The push deleted its branch: nothing to measure.")
		return code, true, err
	case e.Name == github.EventWorkflowRun && e.OtherEvent == github.EventPullRequest:
		return ExitUsage, true, usagef("this job runs after a pull request's, with rights that its code must not have; publish with loadline-ci/loadline/report, which measures nothing (LL40)")
	case e.Name == github.EventDeploymentStatus && e.State != "success":
		code, err = c.nothing(ExitPass, "The deployment is "+shown(e.State)+": nothing to measure yet.")
		return code, true, err
	case e.Name == github.EventDeploymentStatus:
		c.findPull(ctx)
	case e.Name == github.EventMergeGroup:
		return c.queued(ctx)
	case e.Name == github.EventSchedule:
		c.prefer = soakProfile
	}
	return ExitPass, false, nil
}

// findPull asks which pull request a deployed commit is the head of. That it
// cannot be told costs the comment, not the verdict.
func (c *ciRun) findPull(ctx context.Context) {
	pull, err := c.client.PullWith(ctx, c.event.HeadSHA)
	switch {
	case err != nil:
		c.note("%v", err)
	case pull == nil:
		c.log.Info("no open pull request has this commit as its head", "commit", c.event.HeadSHA)
	default:
		c.event = c.event.Of(pull)
	}
}

// queued decides on a merge queue's commit. Its pull request was measured on its
// own head, by this very job: what that came to counts again, with no load. Where
// there is nothing of the kind, the spec's limits are judged with a short load.
func (c *ciRun) queued(ctx context.Context) (code Exit, done bool, err error) {
	number, conclusion, head, job := c.event.PR, "", "", c.event.Job
	if number > 0 {
		job = c.jobName(ctx)
		pull, err := c.client.PullNumber(ctx, number)
		if err == nil {
			head = pull.HeadSHA
			conclusion, err = c.client.JobConclusion(ctx, head, job)
		}
		if err != nil {
			c.note("%v", err)
		}
	}
	said := fmt.Sprintf("The job %s ended with %s on the head of #%d (%s): that stands, and nothing is measured again.", job, conclusion, number, shortSHA(head))
	switch conclusion {
	case "success":
		code, err := c.nothing(ExitPass, said)
		return code, true, err
	case "failure", "timed_out", "startup_failure", "action_required":
		code, err := c.nothing(ExitRegression, said)
		return code, true, err
	}
	c.note("No finished job %s is known on the head of this queue's pull request, so the limits are judged with a short load, and nothing is compared. For the other way the job needs `checks: read` and `pull-requests: read`, and `actions: read` if it has a `name:` or a matrix.", job)
	c.prefer = smokeProfile
	c.in.baseline = place{kind: "none"}
	return ExitPass, false, c.openStore()
}

// jobName is what GitHub calls this job. Where the list of the run's jobs may not
// be read, it is the job's id, which is right for a job without a `name:` and
// without a matrix.
func (c *ciRun) jobName(ctx context.Context) string {
	name, err := c.client.JobName(ctx, c.event.RunID, c.event.RunAttempt, c.event.Runner)
	if err != nil {
		c.log.Info("this job is looked for by its id", "reason", err)
	}
	return cmp.Or(name, c.event.Job)
}

// profile is the one to measure a spec with: the workflow's, else the one that
// the event asks for, if the spec has it.
func (c *ciRun) profile(file string) string {
	if c.in.profile != "" || c.prefer == "" {
		return c.in.profile
	}
	if known, ok := c.profiles[file]; ok {
		return known
	}
	found := ""
	// A mistake is found by the first reading too, as it looks at every profile.
	if _, err := readSpec(c.env, file, c.flags("")); err == nil {
		if _, err := readSpec(c.env, file, c.flags(c.prefer)); err == nil {
			found = c.prefer
		}
	}
	if c.profiles == nil {
		c.profiles = map[string]string{}
	}
	c.profiles[file] = found
	return found
}

// flags stand over a spec as the workflow asks.
func (c *ciRun) flags(profile string) *measureFlags {
	return &measureFlags{
		set: pflag.NewFlagSet("ci", pflag.ContinueOnError), target: c.target(), profile: profile, env: c.in.envLabel,
		paired: c.paired(), allowExec: c.in.exec,
	}
}

// deploymentTarget marks a base-url that is the address of a deployment.
const deploymentTarget = "deployment:"

// target is the address to measure: the workflow's, else the deployment's that
// the event tells of. One that is waited for has a stand-in until it is known.
func (c *ciRun) target() string {
	switch {
	case c.deployed != "":
		return c.deployed
	case strings.HasPrefix(c.in.baseURL, deploymentTarget):
		return "https://deployment.invalid"
	case c.in.baseURL == "":
		return c.event.EnvironmentURL
	}
	return c.in.baseURL
}

// awaitDeployment waits for the deployment that base-url names, and takes its
// address from then on.
func (c *ciRun) awaitDeployment(ctx context.Context) error {
	environment, ok := strings.CutPrefix(c.in.baseURL, deploymentTarget)
	switch {
	case !ok:
		return nil
	case environment == "":
		return usagef("input base-url is %q: name the environment, as in deployment:preview", c.in.baseURL)
	case c.client == nil:
		return usagef("input base-url is %q: deployments are GitHub's; elsewhere give the address itself", c.in.baseURL)
	}
	c.log.Info("waiting for the deployment", "environment", environment, "commit", c.commit(), "at most", c.in.readyTimeout)
	url, err := c.client.WaitDeployment(ctx, c.commit(), environment, c.in.readyTimeout)
	if err != nil {
		return fmt.Errorf("%w (LL10)", err)
	}
	if _, err := getRequest(url); err != nil {
		return fmt.Errorf("the deployment's address: %v", err) //nolint:errorlint // no mistake in the usage of loadline
	}
	c.deployed = strings.TrimRight(url, "/")
	return nil
}

// nothing ends a job in which nothing is measured, and says why.
func (c *ciRun) nothing(code Exit, why string) (Exit, error) {
	c.note("%s", why)
	return code, c.actionsOnly(func() error {
		err := errors.Join(c.actions.Output("verdict", "skipped"), c.actions.Output("exit-code", strconv.Itoa(int(code))))
		if c.in.summary == "never" {
			return err
		}
		return errors.Join(err, c.actions.Summary("**loadline** "+report.Escape(why)+"\n"))
	})
}
