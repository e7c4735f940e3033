package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// lineageOf reads a spec's baseline = "branch:X" or "tag:X": the name, and how
// many of its first parents count. A release is the one commit that was tagged.
func lineageOf(ref string) (name string, most int) {
	if name, ok := strings.CutPrefix(ref, "tag:"); ok {
		return name, 1
	}
	return strings.TrimPrefix(ref, "branch:"), firstParents
}

// localLineage lists the commits of a branch or tag that the checkout has.
func localLineage(ctx context.Context, env *Env, ref string) ([]string, error) {
	name, most := lineageOf(ref)
	full := []string{"refs/tags/" + name}
	if strings.HasPrefix(ref, "branch:") {
		full = []string{"refs/remotes/origin/" + name, "refs/heads/" + name}
	}
	for _, r := range full {
		if all, err := firstParentsIn(ctx, env, r, most); err == nil {
			return all, nil
		}
	}
	kind, _, _ := strings.Cut(ref, ":")
	return nil, fmt.Errorf("the checkout has no %s %s; fetch it first: git fetch --depth=%d origin %s", kind, name, firstParents, full[len(full)-1])
}

// localAncestors are the commits of the target branch up to where a pull request
// of another CI left it, as far as the checkout knows them. nil: all count.
func (s *ciStore) localAncestors(ctx context.Context) []string {
	b := s.build
	if b.PR == 0 {
		return nil
	}
	base := b.Base
	if base == "" && b.Target != "" && b.Commit != "" {
		out, err := checkout(ctx, s.env, "merge-base", "refs/remotes/origin/"+b.Target, b.Commit)
		if err == nil {
			base = out
		}
	}
	if base == "" {
		return nil
	}
	all, err := firstParentsIn(ctx, s.env, base, firstParents)
	if err != nil { // a shallow checkout that ends before it
		return []string{base}
	}
	return all
}

// firstParentsIn lists a commit of the checkout and its first parents, newest
// first, as far back as the checkout goes.
func firstParentsIn(ctx context.Context, env *Env, rev string, most int) ([]string, error) {
	out, err := checkout(ctx, env, "rev-list", "--first-parent", "--max-count="+strconv.Itoa(most), rev+"^{commit}", "--")
	if err != nil {
		return nil, err
	}
	all := strings.Fields(out)
	if len(all) == 0 {
		return nil, errors.New("no commits")
	}
	return all, nil
}

// checkout asks git about the checkout that this process runs in.
func checkout(ctx context.Context, env *Env, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = env.Dir, env.Environ()
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
