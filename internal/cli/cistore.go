package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/pipeline"
	"github.com/loadline-ci/loadline/internal/result"
)

// firstParents is how far back from the merge base a stored run may lie.
const firstParents = 100

// A ciStore finds and keeps the baselines of one CI run.
type ciStore struct {
	in     *ciInputs
	env    *Env
	event  *github.Event  // that of the CI run, which may come to stand for another
	build  pipeline.Build // of another CI; event is empty then
	client *github.Client // nil: no token, no GitHub
	place  place
	store  baseline.Store // nil where nothing can be stored: a file, or none
	base   string         // of left, once it is known
	// singles is how many stored runs may be fetched from a branch one by one, for
	// one comparison; nil: any number.
	singles func() int
}

func newCIStore(env *Env, in *ciInputs, e *github.Event, client *github.Client) (*ciStore, error) {
	s := &ciStore{in: in, env: env, event: e, client: client, place: in.baseline}
	if e.Name == "" {
		s.build = pipeline.Detect(env.get)
	}
	var err error
	switch {
	case s.place.kind == "branch" && client != nil:
		var b *github.Branch
		b, err = client.Branch(in.branch)
		s.store = branchStore{b}
	case s.place.kind == "branch": // where GitHub cannot be reached
		s.store = baseline.Dir(env.path(in.dir))
	case s.place.kind == "dir", s.place.kind == "git":
		s.store, _, err = openPlace(env, s.place, in.dir)
	}
	if err != nil {
		return nil, usageError{err}
	}
	return s, nil
}

// find looks for stored runs to compare with, where the workflow said they are.
func (s *ciStore) find(ctx context.Context, q baseline.Query) (*baseline.Found, error) {
	if s.store == nil {
		return findWithout(s.env, s.place)
	}
	q.Weekdays = s.event.Name == github.EventSchedule
	if q.Commits == nil {
		q.Commits = s.ancestors(ctx)
	}
	files, err := s.store.Open(ctx)
	if err != nil {
		return nil, err
	}
	if b, calls := s.store.(branchStore); calls && s.singles != nil {
		b.Spare(s.singles())
	}
	found, err := baseline.Find(files, q)
	if err != nil {
		return nil, err
	}
	// Those are as good as any, and only too many.
	found.Skipped = slices.DeleteFunc(found.Skipped, func(x baseline.Skipped) bool { return errors.Is(x.Err, github.ErrSpared) })
	return found, nil
}

// ancestors are the commits of the base branch up to where the pull request left
// it: what main did since is not the pull request's doing. nil: all count.
func (s *ciStore) ancestors(ctx context.Context) []string {
	if s.client == nil {
		return s.localAncestors(ctx)
	}
	if !s.event.ForPull() || s.event.BaseSHA == "" || s.event.HeadSHA == "" {
		return nil
	}
	base := s.left(ctx)
	known, err := s.client.FirstParents(ctx, base, firstParents)
	if err != nil {
		// The merge base itself is known, and the most wanted of them all.
		return []string{base}
	}
	return known
}

// left is the commit at which the pull request left its base branch.
func (s *ciStore) left(ctx context.Context) string {
	if s.base == "" {
		var err error
		if s.base, err = s.client.MergeBase(ctx, s.event.BaseSHA, s.event.HeadSHA); err != nil {
			// A rewritten history; the base's tip is the next best.
			s.base = s.event.BaseSHA
		}
	}
	return s.base
}

// lineage are the commits of a branch or tag that a spec compares with.
func (s *ciStore) lineage(ctx context.Context, ref string) ([]string, error) {
	if s.client == nil {
		return localLineage(ctx, s.env, ref)
	}
	name, most := lineageOf(ref)
	return s.client.FirstParents(ctx, name, most)
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
		return !s.event.ForPull() && s.build.PR == 0
	}
	return s.event.OnDefaultBranch() || s.event.Name == github.EventSchedule || s.build.OnDefaultBranch()
}

// takes says whether this event may store this run, if any: what runs on a
// schedule is kept under the key of a profile, so that it is compared with its
// like, and never mixes with what pushes left.
func (s *ciStore) takes(sum *result.Summary) bool {
	return s.event.Name != github.EventSchedule || sum.Profile != "" || s.in.update == "always"
}

// keep stores a run. Which one may be stored is baseline's to say.
func (s *ciStore) keep(ctx context.Context, sum *result.Summary) (string, error) {
	if s.store == nil {
		return "", nil
	}
	return put(ctx, s.store, sum)
}

// unfit says whether a store refused a run because of what it measured.
func unfit(err error) bool { return errors.Is(err, baseline.ErrUnfit) }
