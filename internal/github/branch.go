package github

import (
	"context"
	"crypto/sha1" //nolint:gosec // git names its objects so
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"
)

// MaxFile is the largest file that Read fetches, in bytes.
const MaxFile = 16 << 20

// A Branch is a branch used as a folder of files, written through the Git Data
// API: no checkout, no push, and history of its own (an orphan). It is not safe
// for concurrent use in one process; any number of processes may write at once.
type Branch struct {
	c    *Client
	name string
	at   *snapshot // the newest one seen; nil: none yet

	read    map[string][]byte // contents by git's name of them
	opened  map[string]bool   // packs, by the same
	singles int               // see Spare
}

// A File is a file of a Branch.
type File struct {
	Path string // with slashes, from the branch's root
	SHA  string // git's name of its content
	Size int    // bytes
}

// A snapshot is the branch at one commit.
type snapshot struct {
	commit string          // "": the branch does not exist
	tree   string          // "": not asked for yet
	files  []File          // sorted by path; without packs
	packs  map[string]File // by folder
	listed bool
}

// Branch names a branch to keep files on. The repository's default branch is
// refused.
func (c *Client) Branch(name string) (*Branch, error) {
	name = strings.TrimPrefix(name, "refs/heads/")
	if !branchName(name) {
		return nil, fmt.Errorf("%q is no name for a branch; check the `baseline-branch` input", name)
	}
	if name == c.defaultBranch {
		return nil, fmt.Errorf("%s is the default branch, and files are kept on a branch of their own; check the `baseline-branch` input", name)
	}
	return &Branch{c: c, name: name, read: map[string][]byte{}, opened: map[string]bool{}, singles: -1}, nil
}

// branchName is stricter than git check-ref-format: what it lets pass needs no
// escaping in a URL either.
func branchName(s string) bool {
	if s == "" || len(s) > 200 || strings.Contains(s, "..") || strings.Contains(s, "//") || strings.HasSuffix(s, ".lock") {
		return false
	}
	if strings.ContainsAny(s[:1], "/.-") || strings.ContainsAny(s[len(s)-1:], "/.") || strings.Contains(s, "/.") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./", r)
	})
}

// Name is the branch's short name.
func (b *Branch) Name() string { return b.name }

// Files lists the files whose path begins with prefix, sorted by path. A branch
// that does not exist has none. The branch is read once, with two calls; every
// later listing shows that same commit, until Write moves on.
func (b *Branch) Files(ctx context.Context, prefix string) ([]File, error) {
	if b.at == nil {
		at, err := b.head(ctx)
		if err != nil {
			return nil, explain("reading the branch "+b.name, contentsRead, err)
		}
		b.at = at
	}
	if err := b.list(ctx, b.at); err != nil {
		return nil, explain("listing the branch "+b.name, contentsRead, err)
	}
	var out []File
	for _, f := range b.at.files {
		if strings.HasPrefix(f.Path, prefix) {
			out = append(out, f)
		}
	}
	return out, nil
}

// Read returns a file that Files listed. The first one of a folder with a pack
// costs a call, and so does each that no pack holds; what was read is kept. The
// error wraps ErrSpared when no call may be made for it.
func (b *Branch) Read(ctx context.Context, f File) ([]byte, error) {
	doing := fmt.Sprintf("reading %s on the branch %s", f.Path, b.name)
	if f.Size > MaxFile {
		return nil, fmt.Errorf("%s: it has %d bytes, more than %d", doing, f.Size, MaxFile)
	}
	if data, ok := b.read[f.SHA]; ok {
		return data, nil
	}
	if b.at != nil {
		b.unpack(ctx, b.at, path.Dir(f.Path))
	}
	if data, ok := b.read[f.SHA]; ok {
		return data, nil
	}
	if b.singles == 0 {
		return nil, fmt.Errorf("%s: %w", doing, ErrSpared)
	}
	b.singles = max(b.singles-1, -1)
	data, _, err := b.c.gh.Git.GetBlobRaw(ctx, b.c.owner, b.c.repo, f.SHA)
	if err != nil {
		return nil, explain(doing, contentsRead, err)
	}
	if blobSHA(data) != f.SHA {
		return nil, fmt.Errorf("%s: what came is not what git has there; run the job again", doing)
	}
	b.read[f.SHA] = data
	return data, nil
}

// head asks where the branch is now. What is known of that commit is kept.
func (b *Branch) head(ctx context.Context) (*snapshot, error) {
	ref, _, err := b.c.gh.Git.GetRef(ctx, b.c.owner, b.c.repo, "heads/"+b.name)
	if status(err) == http.StatusNotFound {
		return &snapshot{listed: true}, nil
	}
	if err != nil {
		return nil, err
	}
	commit := ref.GetObject().GetSHA()
	if b.at != nil && b.at.commit == commit {
		return b.at, nil
	}
	return &snapshot{commit: commit}, nil
}

// list fills in the files of a snapshot.
func (b *Branch) list(ctx context.Context, at *snapshot) error {
	if at.listed {
		return nil
	}
	from := or(at.tree, at.commit)
	tree, _, err := b.c.gh.Git.GetTree(ctx, b.c.owner, b.c.repo, from, true)
	if err != nil {
		return err
	}
	if tree.GetTruncated() { // beyond 100,000 entries or 7 MB
		return final{fmt.Errorf("the branch %s has more files than GitHub lists at once; prune it, or name another in `baseline-branch`", b.name)}
	}
	at.files, at.packs = files(tree)
	at.listed = true
	return nil
}

// files sorts out what a tree holds: files, and packs of them by their folder.
func files(tree *gh.Tree) (out []File, packs map[string]File) {
	packs = map[string]File{}
	for _, e := range tree.Entries {
		f := File{Path: e.GetPath(), SHA: e.GetSHA(), Size: e.GetSize()}
		switch {
		case e.GetType() != "blob":
		case path.Base(f.Path) == packName:
			packs[path.Dir(f.Path)] = f
		default:
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out, packs
}

// blobSHA is the name that git gives to a file's content.
func blobSHA(data []byte) string {
	h := sha1.New() //nolint:gosec // git names its objects so
	h.Write(fmt.Appendf(nil, "blob %d\x00", len(data)))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}
