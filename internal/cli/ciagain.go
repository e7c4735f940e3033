package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
)

const (
	// skipLabel on a pull request switches the gate off, and the check says so.
	skipLabel = "loadline:skip"
	// maxArtifacts is how many uploads of one commit are looked through for a result
	// of these specs: other jobs may use the same name.
	maxArtifacts = 3
)

// readPull reads the pull request as it is now: a re-run has the old event, and a
// comment's event says nothing of its commits.
func (c *ciRun) readPull(ctx context.Context) error {
	if c.client == nil || !c.event.OnPullRequest() {
		return nil
	}
	pull, err := c.client.PullNumber(ctx, c.event.PR)
	if err != nil {
		if c.event.Name == github.EventIssueComment {
			return err
		}
		c.note("%v. Labels are not known.", err)
		return nil
	}
	c.pull = pull
	if c.event.Name == github.EventIssueComment {
		c.event = c.event.Of(pull)
	}
	return nil
}

// skippedBy says who switched the gate off for this pull request; "" when nobody
// did who may.
func (c *ciRun) skippedBy(ctx context.Context) string {
	if c.pull == nil || !slices.Contains(c.pull.Labels, skipLabel) {
		return ""
	}
	by, ok, err := c.client.Labeled(ctx, c.pull.Number, skipLabel)
	if err == nil && ok {
		ok, err = c.client.MayWrite(ctx, by.By)
	}
	switch {
	case err != nil:
		c.note("The label %s does not count: %v", skipLabel, err)
	case !ok:
		c.note("The label %s does not count: %s may not write to this repository.", skipLabel, cmp.Or(by.By, "who put it on"))
	default:
		return by.By
	}
	return ""
}

// skip ends a run that a label switched off: no load and no verdict; the check, the
// summary and a comment that is there say so.
func (c *ciRun) skip(ctx context.Context, by string) (Exit, error) {
	text := fmt.Sprintf("⚪ **loadline** was skipped: %s put the label `%s` on. Nothing was measured, and nothing was judged.\n", report.Escape(by), skipLabel)
	fmt.Fprintf(c.env.Stderr, "loadline: skipped: %s put the label %s on\n", by, skipLabel)
	c.openChecks(ctx)
	c.closeChecks(ctx, github.Neutral, "skipped by the label "+skipLabel, text)
	if c.in.comment != "never" {
		_, err := c.client.PostComment(ctx, github.Comment{
			PR: c.event.PR, Key: c.keyOfSpecs(), Run: c.event.RunID, Attempt: c.event.RunAttempt, SHA: c.event.HeadSHA, Body: text, OnlyEdit: true,
		})
		if err != nil {
			c.note("%v", err)
		}
	}
	err := errors.Join(c.actions.Summary(text), c.actions.Output("verdict", "skipped"), c.actions.Output("exit-code", "0"))
	for _, k := range c.checks {
		err = errors.Join(err, c.actions.Output("check-run-url", k.URL))
	}
	return ExitPass, err
}

// keyOfSpecs is key before there are measurements.
func (c *ciRun) keyOfSpecs() string {
	var all []*measurement
	for _, s := range c.specs {
		run := &result.Run{Profile: s.Profile}
		run.Environment.Label = c.in.envLabel
		all = append(all, &measurement{spec: s, run: run})
	}
	return c.key(all)
}

// commanded says whether the comment of the event has a command for us.
func (c *ciRun) commanded() bool {
	commands, mistakes := rule.Commands(c.event.Comment)
	return c.event.PR > 0 && c.in.accept[rule.ViaComment] && len(commands)+len(mistakes) > 0
}

// decideAgain takes what an earlier run measured of this commit, where the event
// changed nothing but what is accepted: seconds, and no load. Nil when it did
// change more, or when there is no such result: then it is to be measured.
func (c *ciRun) decideAgain(ctx context.Context) ([]*measurement, error) {
	byComment := c.event.Name == github.EventIssueComment
	if c.client == nil || !byComment && !c.event.Relabeled() {
		return nil, nil
	}
	all, err := c.savedOfCommit(ctx)
	switch {
	case all != nil && err == nil:
		fmt.Fprintf(c.env.Stderr, "loadline: decided again from the saved result of %s; no load was sent\n", shortSHA(c.event.HeadSHA))
		return all, nil
	case err == nil:
		err = fmt.Errorf("no result of %s is saved as %s", shortSHA(c.event.HeadSHA), strings.Join(c.in.artifacts, ", "))
	}
	if byComment { // its job has the default branch's code
		return nil, fmt.Errorf("%w; let the pull request's own job measure it, then comment again", err)
	}
	c.note("%v, so it is measured.", err)
	return nil, nil
}

// savedOfCommit looks for results of all our specs in what was uploaded for the
// commit; nil when there are none.
func (c *ciRun) savedOfCommit(ctx context.Context) ([]*measurement, error) {
	for _, name := range c.in.artifacts {
		list, err := c.client.CommitArtifacts(ctx, c.event.HeadSHA, name)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(a github.Artifact) bool { return !c.ours(a) })
		for _, a := range list[:min(len(list), maxArtifacts)] {
			archive, err := c.client.Download(ctx, a)
			if err != nil {
				return nil, err
			}
			all, err := c.fromArchive(ctx, archive)
			if err != nil {
				return nil, fmt.Errorf("the artifact %s: %w", name, err)
			}
			if all != nil {
				return all, nil
			}
		}
	}
	return nil, nil
}

// ours says whether an upload may be what this pull request's own job measured. A
// commit of the repository can stand in a fork too, and be measured there against
// another base.
func (c *ciRun) ours(a github.Artifact) bool {
	return c.event.Fork || c.event.RepoID == 0 || a.HeadRepositoryID == 0 || a.HeadRepositoryID == c.event.RepoID
}

// fromArchive makes the measurements of all our specs; nil when one is missing. What
// a fork's run uploaded is a stranger's: it is judged from its numbers, by the base
// branch's rules. Of our own the verdict stands as it was measured, with all that
// it took into account.
func (c *ciRun) fromArchive(ctx context.Context, archive *github.Archive) ([]*measurement, error) {
	runs, err := c.readArchive(archive)
	if err != nil {
		return nil, err
	}
	var all []*measurement
	for _, s := range c.specs {
		at := slices.IndexFunc(runs, func(r *result.Run) bool { return c.isOf(r, s) })
		if at < 0 {
			return nil, nil
		}
		var m *measurement
		if c.event.Fork {
			m, err = c.judge(ctx, runs[at], c.trusted(ctx))
		} else {
			m, err = c.asMeasured(archive, s)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// isOf reports whether a saved run is one of a spec, as this job would measure it.
func (c *ciRun) isOf(r *result.Run, s *spec.Spec) bool {
	// A checkout of the pull request has the spec that was measured; after a comment
	// it is the default branch that is checked out.
	same := r.Fingerprint == s.Fingerprint || c.event.Name == github.EventIssueComment
	return same && r.Spec == s.Name && r.Environment.Label == c.in.envLabel && r.Profile == s.Profile && !r.Interrupted
}

// asMeasured reads a result with its verdict.
func (c *ciRun) asMeasured(archive *github.Archive, s *spec.Spec) (*measurement, error) {
	for _, name := range archive.Names() {
		if path.Base(name) != resultFile {
			continue
		}
		data, err := archive.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := result.Read(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m, err := fromFile(name, file)
		if err != nil {
			return nil, err
		}
		if c.isOf(m.run, s) {
			m.spec, m.mask = s, newMask(s.SecretValues())
			return m, nil
		}
	}
	return nil, fmt.Errorf("no result of %s in it has a verdict", s.Name)
}
