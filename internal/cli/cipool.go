package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// mostAttempts is how many earlier attempts are read, the newest: each costs a call.
const mostAttempts = 6

// earlier reads what earlier attempts of this workflow run measured of the same
// commit and spec, from what they uploaded. A re-run then adds to what is known
// instead of throwing the dice again. What cannot be read is said, and this
// attempt is judged alone.
func (c *ciRun) earlier(ctx context.Context, m *measurement) ([]*result.Summary, []verdict.Reason) {
	if c.client == nil || c.event.RunAttempt <= 1 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	var all []*result.Summary
	var bad []string
	for _, name := range c.in.artifacts {
		found, err := c.attempts(ctx, name, m)
		all = append(all, found...)
		if err != nil {
			bad = append(bad, err.Error())
		}
	}
	switch {
	case len(bad) > 0:
		return all, []verdict.Reason{{
			Code:    "attempts-unread",
			Message: "not every earlier attempt could be read, so it does not count here: " + strings.Join(bad, "; "),
			Remedy:  "give the job the right actions: read, and upload the folder " + outDir + " as " + c.in.artifacts[0] + " in every attempt",
		}}
	case len(all) == 0:
		return nil, []verdict.Reason{{
			Code:    "attempts-unread",
			Message: fmt.Sprintf("this is attempt %d, and no result of an earlier one is saved, so it was judged alone", c.event.RunAttempt),
			Remedy:  "upload the folder " + outDir + " as " + c.in.artifacts[0] + " in every attempt, also of a job that fails",
		}}
	}
	return all, nil
}

// attempts reads the uploads of this workflow run under one name.
func (c *ciRun) attempts(ctx context.Context, name string, m *measurement) ([]*result.Summary, error) {
	list, err := c.client.RunArtifacts(ctx, c.event.RunID, name)
	if err != nil {
		return nil, err
	}
	var all []*result.Summary
	for _, a := range list[:min(len(list), mostAttempts, max(c.spare(c.callsToPublish()), 1))] {
		runs, err := c.attemptIn(ctx, a, m)
		if err != nil {
			return all, err
		}
		all = append(all, runs...)
	}
	return all, nil
}

// attemptIn reads one upload, and of it the runs of this measurement's spec.
func (c *ciRun) attemptIn(ctx context.Context, a github.Artifact, m *measurement) ([]*result.Summary, error) {
	archive, err := c.client.Download(ctx, a)
	if err != nil {
		return nil, err
	}
	runs, err := c.readArchive(archive)
	if err != nil {
		return nil, fmt.Errorf("the artifact %s: %w", a.Name, err)
	}
	at := slices.IndexFunc(runs, func(r *result.Run) bool {
		return r.Spec == m.run.Spec && r.Profile == m.run.Profile && r.Environment.Label == m.run.Environment.Label
	})
	if at < 0 || runs[at].Mode == "paired" {
		return nil, nil
	}
	return attempt(&result.File{Run: runs[at], Again: c.further[runs[at]]})
}
