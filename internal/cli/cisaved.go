package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

const (
	// resultFile is what a run leaves in its folder, and all that is read of an
	// artifact.
	resultFile = "result.json"
	// maxSaved is how many results one job publishes or stores.
	maxSaved = 50
	// oldestResult is the oldest that is taken from an artifact: GitHub re-runs
	// jobs for 30 days, and keeps artifacts for 90.
	oldestResult = 91 * 24 * time.Hour
)

// savedResults reads the results that a workflow run uploaded under the names of
// the input `artifact`. Of each name the newest counts: a re-run uploads again.
func (c *ciRun) savedResults(ctx context.Context, run int64) ([]*result.Run, error) {
	var all []*result.Run
	for _, name := range c.in.artifacts {
		list, err := c.client.RunArtifacts(ctx, run, name)
		if err != nil {
			return nil, err
		}
		if len(list) == 0 {
			c.note("Run %d has no artifact named %s. Upload the folder %s with that name, or set the input `artifact`.", run, name, outDir)
			continue
		}
		archive, err := c.client.Download(ctx, list[0])
		if err != nil {
			return nil, err
		}
		runs, err := c.readArchive(archive)
		if err != nil {
			return nil, fmt.Errorf("the artifact %s: %w", name, err)
		}
		all = append(all, runs...)
	}
	if len(all) > maxSaved {
		return nil, fmt.Errorf("there are %d results, and %d are the most for one job", len(all), maxSaved)
	}
	seen := map[string]bool{}
	for _, run := range all {
		key := run.Spec + " (" + run.Environment.Label + ")"
		if seen[key] {
			return nil, fmt.Errorf("two results are of %s; give each leg of a matrix an `env-label` of its own", key)
		}
		seen[key] = true
	}
	return all, nil
}

// readArchive reads result.json, or that of each of several specs, and nothing
// else.
func (c *ciRun) readArchive(archive *github.Archive) ([]*result.Run, error) {
	var runs []*result.Run
	for _, name := range archive.Names() {
		if path.Base(name) != resultFile || strings.Count(name, "/") > 1 {
			continue
		}
		data, err := archive.ReadFile(name)
		if err != nil {
			return nil, err
		}
		file, err := result.ReadStrict(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := c.checkSaved(file.Run); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		runs = append(runs, file.Run)
		if c.further == nil {
			c.further = map[*result.Run][]*result.Summary{}
		}
		c.further[file.Run] = file.Again
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("it has no file %s; upload the folder %s as it is", resultFile, outDir)
	}
	return runs, nil
}

// checkSaved holds a result to what is known of the run that should have made it.
func (c *ciRun) checkSaved(run *result.Run) error {
	now := time.Now()
	switch {
	case run.Commit != c.event.HeadSHA:
		return fmt.Errorf("it is of commit %s, and the run was of %s", shown(shortSHA(run.Commit)), shortSHA(c.event.HeadSHA))
	case run.Started.After(now.Add(time.Hour)) || run.Started.Before(now.Add(-oldestResult)):
		return fmt.Errorf("it says that it began at %s, which cannot be", run.Started.UTC().Format(time.RFC3339))
	case !spec.ValidName(run.Spec):
		return fmt.Errorf("%s is no name that a spec can have", shown(run.Spec))
	case run.Profile != "" && !spec.ValidName(run.Profile):
		return fmt.Errorf("%s is no name of a profile", shown(run.Profile))
	case checkLabel(run.Environment.Label) != nil:
		return fmt.Errorf("%s is no env-label", shown(run.Environment.Label))
	}
	return nil
}

// judge makes a verdict of a saved run, as if it had been measured here: from its
// numbers, the rules that the spec has at ref, and the stored runs. Nothing that
// the result says of itself counts.
func (c *ciRun) judge(ctx context.Context, run *result.Run, ref string) (*measurement, error) {
	m := &measurement{run: run, further: c.further[run], saved: true}
	in := verdict.Input{Run: run, Again: m.further}
	s, err := c.specAt(ctx, ref, run.File, run.Profile, run.Target)
	switch {
	case err == nil && s.Name == run.Spec:
		m.spec, in.Gate = s, gate(s)
	case err == nil:
		err = fmt.Errorf("its name is %s there", s.Name)
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it is not there")
	}
	if err != nil {
		m.spec = &spec.Spec{Name: run.Spec, File: run.File}
		in.Gate.Compare = usualRules()
		in.Notes = append(in.Notes, verdict.Reason{
			Code:    "base-spec",
			Message: fmt.Sprintf("%s could not be read at %s (%v), so no limit was judged, and the comparison is by the default rules", shown(run.File), shortSHA(ref), err),
			Remedy:  "merge the spec first, or see this run's own job",
		})
	}
	if err := m.compareWith(ctx, job{store: c.store.find}, &in); err != nil {
		return nil, err
	}
	m.verdict = verdict.Judge(in)
	return m, nil
}

// usualRules are the rules of comparison of a spec that states none.
func usualRules() []verdict.Compare {
	var all []verdict.Compare
	for _, text := range spec.DefaultCompare {
		if r, err := rule.ParseCompare(text, rule.Own{}); err == nil { // each compiles: spec's own tests see to it
			all = append(all, verdict.Compare{Rule: r})
		}
	}
	return all
}

// shown is a foreign text as a message may quote it.
func shown(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return fmt.Sprintf("%+q", s)
}
