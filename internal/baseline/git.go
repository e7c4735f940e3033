package baseline

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	// gitTries is how often a write is made when other writers win. Simulated with
	// twenty writers that begin at once, twelve lose none
	// (docs/decisions/0021-baselines-on-a-branch-by-api.md).
	gitTries = 12
	// The wait after a lost race is random under a ceiling that doubles from the
	// first to the most.
	gitWait     = 500 * time.Millisecond
	gitWaitMost = 30 * time.Second
	// maxGitTree bounds what a branch may hold, packed.
	maxGitTree = 256 << 20
)

// A Git is a store on a branch of its own of any git repository, written with the
// git program: no checkout, no history of other branches, and any number of
// writers at once. The branch begins as an orphan and is created when absent.
type Git struct {
	Remote string   // a URL, host:path, or an absolute path
	Branch string   // short name
	Env    []string // as os.Environ: PATH, proxies, SSH agent; see Credentials

	wait time.Duration // first wait after a lost race; 0: gitWait
}

// NewGit checks remote and branch; it runs nothing.
func NewGit(remote, branch string, env []string) (*Git, error) {
	switch {
	case remote == "" || strings.HasPrefix(remote, "-") || strings.ContainsAny(remote, "\n\r\x00"):
		return nil, fmt.Errorf("%q names no git remote; write git:https://host/repo.git, git:host:path or git:/path", remote)
	case strings.Contains(remote, "::"):
		return nil, fmt.Errorf("git remote helpers such as %q are not used; write an https, ssh or file address", remote[:strings.Index(remote, "::")+2])
	case !gitBranch(branch):
		return nil, fmt.Errorf("%q is no name for a branch of baselines; write letters, digits, and - _ . / between them", branch)
	}
	g := &Git{Remote: remote, Branch: branch, Env: env}
	if _, err := g.access(); err != nil {
		return nil, err
	}
	return g, nil
}

// gitBranch is stricter than git check-ref-format.
func gitBranch(s string) bool {
	if s == "" || len(s) > 200 || strings.Contains(s, "..") || strings.Contains(s, "//") || strings.Contains(s, "/.") || strings.HasSuffix(s, ".lock") {
		return false
	}
	if strings.ContainsAny(s[:1], "/.-") || strings.ContainsAny(s[len(s)-1:], "/.") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./", r)
	})
}

// String is how users read the store, with no credentials in it.
func (g *Git) String() string { return "branch " + g.Branch + " of " + bareRemote(g.Remote) }

// Open fetches the newest commit of the branch and shows its files.
func (g *Git) Open(ctx context.Context) (fs.FS, error) {
	var files fs.FS = emptyFS{}
	err := g.session(ctx, func(r *gitRun) error {
		commit, err := g.fetch(ctx, r)
		if err != nil || commit == "" {
			return err
		}
		// As git has the files: no line ends of this system.
		packed, err := r.git(ctx, nil, "-c", "core.autocrlf=false", "-c", "core.eol=lf", "archive", "--format=zip", commit)
		if err != nil {
			return err
		}
		if len(packed) > maxGitTree {
			return fmt.Errorf("it holds more than %d MiB; prune it", maxGitTree>>20)
		}
		files, err = zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", g, err)
	}
	return files, nil
}

// Edit makes one commit of the changes and pushes it, unless another writer was
// first: then all is fetched and made again, up to 12 times with growing, random
// waits.
func (g *Git) Edit(ctx context.Context, message string, edit Edit) error {
	err := g.session(ctx, func(r *gitRun) error {
		var made []Change // by the try before, whose answer may have been lost
		var err error
		for try := 1; try <= gitTries; try++ {
			if try > 1 {
				if err := g.pause(ctx, try-1); err != nil {
					return err
				}
			}
			made, err = g.try(ctx, r, message, edit, made)
			if err == nil || !gitRace(err) {
				return err
			}
		}
		return fmt.Errorf("not saved after %d tries, as other jobs were faster each time; the verdict stands: run the job again to save (%w)", gitTries, err)
	})
	if err != nil {
		return fmt.Errorf("writing to the %s: %w", g, err)
	}
	return nil
}

// try makes one try, and returns the changes that it made.
func (g *Git) try(ctx context.Context, r *gitRun, message string, edit Edit, before []Change) ([]Change, error) {
	parent, err := g.fetch(ctx, r)
	if err != nil {
		return before, err
	}
	var names []string
	if parent != "" {
		if names, err = r.names(ctx, parent); err != nil {
			return before, err
		}
	}
	if len(before) > 0 && arrived(names, before) {
		return before, nil
	}
	if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, root) }) {
		return nil, fmt.Errorf("it holds other files (%s); name a branch that is for baselines only", names[0])
	}
	changes, err := edit(names)
	if err != nil || len(changes) == 0 {
		return changes, err
	}
	commit, err := r.commit(ctx, parent, message, changes)
	if err != nil {
		return changes, err
	}
	_, err = r.git(ctx, nil, "push", "--porcelain", "--no-verify", "--", r.remote, commit+":refs/heads/"+g.Branch)
	return changes, err
}

// CanWrite asks the server whether it would take a commit, and leaves none.
func (g *Git) CanWrite(ctx context.Context) error {
	err := g.session(ctx, func(r *gitRun) error {
		parent, err := g.fetch(ctx, r)
		if err != nil {
			return err
		}
		commit, err := r.commit(ctx, parent, "try", []Change{{Path: root + "/try"}})
		if err != nil {
			return err
		}
		_, err = r.git(ctx, nil, "push", "--porcelain", "--no-verify", "--dry-run", "--", r.remote, commit+":refs/heads/"+g.Branch)
		return err
	})
	if err != nil {
		return fmt.Errorf("trying to write to the %s: %w", g, err)
	}
	return nil
}

// arrived tells whether all changes are in place.
func arrived(names []string, changes []Change) bool {
	for _, c := range changes {
		if slices.Contains(names, c.Path) == c.Remove {
			return false
		}
	}
	return true
}

// fetch gets the newest commit of the branch, without history; "" when there is
// no such branch.
func (g *Git) fetch(ctx context.Context, r *gitRun) (string, error) {
	_, err := r.git(ctx, nil, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force", "--",
		r.remote, "refs/heads/"+g.Branch+":refs/loadline/at")
	if failed := (*gitError)(nil); errors.As(err, &failed) && strings.Contains(failed.said, "couldn't find remote ref") {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	out, err := r.git(ctx, nil, "rev-parse", "--verify", "refs/loadline/at^{commit}")
	return strings.TrimSpace(string(out)), err
}

// pause waits after the given lost try, counted from 1: full jitter.
func (g *Git) pause(ctx context.Context, try int) error {
	first := g.wait
	if first == 0 {
		first = gitWait
	}
	timer := time.NewTimer(first/5 + rand.N(min(first<<min(try-1, 16), gitWaitMost)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// session runs f with an empty repository to work in, and removes it.
func (g *Git) session(ctx context.Context, f func(*gitRun) error) error {
	a, err := g.access()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "loadline-git-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of the system's temporary ones
	r := &gitRun{dir: dir, access: a}
	if _, err := r.git(ctx, nil, "init", "--quiet", "--bare", "--template="); err != nil {
		return err
	}
	return f(r)
}

// emptyFS is a store that is not there yet.
type emptyFS struct{}

func (emptyFS) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
