package github

import (
	"context"
	"fmt"

	gh "github.com/google/go-github/v60/github"
)

const contentsRead = "contents: read"

// MergeBase is the commit at which head left base, by GitHub's own compare, so
// a checkout of depth 1 is enough. base and head are branches or SHAs.
func (c *Client) MergeBase(ctx context.Context, base, head string) (string, error) {
	cmp, _, err := c.gh.Repositories.CompareCommits(ctx, c.owner, c.repo, base, head, &gh.ListOptions{PerPage: 1})
	if err != nil {
		return "", explain(fmt.Sprintf("finding the merge base of %s and %s", short(base), short(head)), contentsRead, err)
	}
	if s := sha(cmp.GetMergeBaseCommit().GetSHA()); s != "" {
		return s, nil
	}
	return "", fmt.Errorf("finding the merge base of %s and %s: they have none", short(base), short(head))
}

// FirstParents lists commit (or the one that a branch or tag names) and its first parents, newest first, at most n of
// them (1 to 100). It costs one call, which reads the last 100 commits of any
// parent: where merges bring many commits each, fewer than n may be among them.
func (c *Client) FirstParents(ctx context.Context, commit string, n int) ([]string, error) {
	list, _, err := c.gh.Repositories.ListCommits(ctx, c.owner, c.repo, &gh.CommitsListOptions{
		SHA: commit, ListOptions: gh.ListOptions{PerPage: 100},
	})
	if err != nil {
		return nil, explain("listing the commits before "+short(commit), contentsRead, err)
	}
	parent := map[string]string{}
	for _, x := range list {
		if len(x.Parents) > 0 {
			parent[x.GetSHA()] = x.Parents[0].GetSHA()
		} else {
			parent[x.GetSHA()] = ""
		}
	}
	var out []string
	at := commit
	if len(list) > 0 && !shaForm.MatchString(commit) { // a branch or a tag
		at = list[0].GetSHA()
	}
	for at != "" && len(out) < n {
		next, known := parent[at]
		if !known {
			break
		}
		out = append(out, at)
		at = next
	}
	return out, nil
}

// short is a SHA as people read it; other names stay whole.
func short(name string) string {
	if shaForm.MatchString(name) {
		return name[:10]
	}
	return name
}
