package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// checkTime is how long one check run may take to open, and to complete.
const checkTime = 20 * time.Second

// A check is the check run of one spec.
type check struct {
	*github.CheckRun
	spec string // its name
	done bool
}

// openChecks opens a check run for each spec, before the load. One that cannot be
// opened is said, and changes nothing.
func (c *ciRun) openChecks(ctx context.Context) {
	if !c.wantsChecks() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime*time.Duration(len(c.specs)))
	defer cancel()
	for _, s := range c.specs {
		run, err := c.client.StartCheck(ctx, c.checkName(s.Name), c.commit(), c.event.RunURL())
		if err != nil {
			if c.in.checkRun == "true" {
				c.note("%v", err)
			} else {
				c.log.Info("no check run", "reason", err)
			}
			return
		}
		c.checks = append(c.checks, &check{CheckRun: run, spec: s.Name})
	}
}

// wantsChecks says whether there is to be a check run beside the job's own: by
// itself only after a comment, whose job GitHub shows on the default branch.
func (c *ciRun) wantsChecks() bool {
	if c.client == nil || c.commit() == "" {
		return false
	}
	return c.in.checkRun == "true" || c.in.checkRun == "auto" && c.event.Name == github.EventIssueComment
}

// checkName is what a required check is matched by, so it holds nothing that
// changes from run to run.
func (c *ciRun) checkName(spec string) string {
	where := []string{c.in.envLabel}
	if c.in.profile != "" {
		where = append(where, c.in.profile)
	}
	return fmt.Sprintf("loadline / %s (%s)", spec, strings.Join(where, ", "))
}

// completeChecks ends the check runs of what was measured.
func (c *ciRun) completeChecks(ctx context.Context, all []*measurement, pages []*report.Page, hide func(string) string) {
	for i, m := range all {
		k := c.checkOf(m.spec.Name)
		if k == nil {
			continue
		}
		var b strings.Builder
		err := report.Markdown(&b, report.Comment{Budget: report.CommentBudget}, pages[i])
		if err != nil {
			b.WriteString(pages[i].Headline())
		}
		c.complete(ctx, k, github.CheckResult{
			Conclusion: c.conclusion(m), Title: hide(pages[i].Headline()), Summary: hide(b.String()), Annotations: c.remarks(pages[i], hide),
		})
	}
}

func (c *ciRun) checkOf(spec string) *check {
	for _, k := range c.checks {
		if k.spec == spec && !k.done {
			return k
		}
	}
	return nil
}

func (c *ciRun) complete(ctx context.Context, k *check, res github.CheckResult) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if err := k.Complete(ctx, res); err != nil {
		c.note("%v", err)
		return
	}
	k.done = true
}

// closeChecks ends every check run that is still open, whatever became of the run:
// an open one would keep a pull request waiting for ever.
func (c *ciRun) closeChecks(ctx context.Context, conclusion github.Conclusion, title, why string) {
	for _, k := range c.checks {
		if !k.done {
			c.complete(context.WithoutCancel(ctx), k, github.CheckResult{Conclusion: conclusion, Title: title, Summary: why})
		}
	}
}

// conclusion is what an outcome is to a check: what fails the job fails it, and
// what says nothing is neutral.
func (c *ciRun) conclusion(m *measurement) github.Conclusion {
	switch {
	case m.run.Interrupted && !m.saved:
		return github.Cancelled
	case exitOf(m.verdict.Outcome, c.in.failOn) != ExitPass:
		return github.Failure
	case m.verdict.Outcome == verdict.Pass, m.verdict.Outcome == verdict.Accepted:
		return github.Success
	default:
		return github.Neutral
	}
}

// checkURL is the check run of a measurement; "" where there is none.
func (c *ciRun) checkURL(m *measurement) string {
	for _, k := range c.checks {
		if k.spec == m.spec.Name {
			return k.URL
		}
	}
	return ""
}
