package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/result"
)

const (
	// branchRing is how many stored runs a comparison reads from a branch: each
	// costs a call, and a whole run of the Action may make 25.
	branchRing = 12
	// branchKeep is how many runs of a spec and machine stay on the branch.
	branchKeep = 200
	// firstParents is how far back from the merge base a stored run may lie.
	firstParents = 100
)

// A ciStore finds and keeps the baselines of one CI run.
type ciStore struct {
	in     *ciInputs
	env    *Env
	event  github.Event
	client *github.Client // nil: no token, no GitHub
	branch *github.Branch // nil unless the store is a branch
}

func newCIStore(env *Env, in *ciInputs, e github.Event, client *github.Client) (*ciStore, error) {
	s := &ciStore{in: in, env: env, event: e, client: client}
	if in.baseline != "branch" || client == nil {
		return s, nil
	}
	b, err := client.Branch(in.branch)
	if err != nil {
		return nil, usageError{err}
	}
	s.branch = b
	return s, nil
}

// find looks for stored runs to compare with, where the workflow said they are.
func (s *ciStore) find(ctx context.Context, q baseline.Query) (*baseline.Found, error) {
	switch {
	case s.in.baseline == "none":
		return &baseline.Found{Miss: &baseline.Miss{Code: "no-baseline", Message: "the workflow sets baseline: none"}}, nil
	case s.in.baseline == "file":
		return s.findFile()
	case s.branch == nil: // a folder, also where GitHub cannot be reached
		return baseline.Dir(s.env.path(s.in.dir)).Find(q)
	}
	q.Max = branchRing
	q.Commits = s.ancestors(ctx)
	store, err := s.branch.FS(ctx)
	if err != nil {
		return nil, err
	}
	return baseline.Find(store, q)
}

// ancestors are the commits of the base branch up to where the pull request left
// it: what main did since is not the pull request's doing. nil: all count.
func (s *ciStore) ancestors(ctx context.Context) []string {
	if !s.event.OnPullRequest() || s.event.BaseSHA == "" || s.event.HeadSHA == "" {
		return nil
	}
	base, err := s.client.MergeBase(ctx, s.event.BaseSHA, s.event.HeadSHA)
	if err != nil {
		// A rewritten history; the base's tip is the next best.
		base = s.event.BaseSHA
	}
	known, err := s.client.FirstParents(ctx, base, firstParents)
	if err != nil {
		// The merge base itself is known, and the most wanted of them all.
		return []string{base}
	}
	return known
}

// findFile takes a result file as the only stored run. Whether it may be
// compared with is the verdict's to say.
func (s *ciStore) findFile() (*baseline.Found, error) {
	file, err := readResult(s.env, s.in.baselineFile)
	if err != nil {
		return nil, err
	}
	sum, err := result.Summarize(file.Run)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.in.baselineFile, err)
	}
	return &baseline.Found{Records: []baseline.Record{{File: s.in.baselineFile, Summary: sum}}}, nil
}

// mayUpdate says whether this event may change the baseline.
func (s *ciStore) mayUpdate() bool {
	switch s.in.update {
	case "never":
		return false
	case "always":
		switch s.event.Name {
		case github.EventMergeGroup, github.EventWorkflowRun, github.EventDeploymentStatus: // of code that is not on a branch yet
			return false
		}
		return !s.event.OnPullRequest()
	}
	return s.event.OnDefaultBranch()
}

// keep stores a run. Which one may be stored is baseline's to say.
func (s *ciStore) keep(ctx context.Context, sum *result.Summary) (string, error) {
	if s.branch == nil || s.in.baseline != "branch" {
		if s.in.baseline == "none" || s.in.baseline == "file" {
			return "", nil
		}
		return baseline.Dir(s.env.path(s.in.dir)).Put(sum)
	}
	name, data, err := baseline.Encode(sum)
	if err != nil {
		return "", err
	}
	message := fmt.Sprintf("baseline: %s at %s", sum.Spec, dash(shortSHA(sum.Commit)))
	_, err = s.branch.Write(ctx, message, func(files []github.File) ([]github.Change, error) {
		changes := []github.Change{{Path: name, Data: data}}
		var names []string
		for _, f := range files {
			names = append(names, f.Path)
		}
		for _, f := range baseline.Surplus(names, branchKeep) {
			changes = append(changes, github.Change{Path: f, Remove: true})
		}
		return changes, nil
	})
	return name, err
}

// unfit says whether a store refused a run because of what it measured.
func unfit(err error) bool { return errors.Is(err, baseline.ErrUnfit) }
