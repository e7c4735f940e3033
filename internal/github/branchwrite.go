package github

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	gh "github.com/google/go-github/v60/github"
)

const (
	contentsWrite = "contents: write"
	// writeTries is how often a write is made, when other writers win. With 8, 6
	// writes of 36,000 were lost when twenty writers began at once (calls of 0.05
	// to 0.6 s, simulated); with 12, none of 24,000.
	writeTries = 12
	// maxInline is the largest file sent within the tree; a larger one, or one
	// that is not text, goes as a blob before it, which costs a call.
	maxInline = 1 << 20
)

// A Change puts a file on a Branch, or takes one off.
type Change struct {
	Path   string // with slashes, from the branch's root
	Data   []byte
	Remove bool
}

// An Edit says what to change, given the files that are there. It is asked anew
// on every try, so what it derives from them is never stale. No change: nothing
// is written.
type Edit func(files []File) ([]Change, error)

// Write makes one commit of the changes and moves the branch to it, unless
// another writer moved it in between: then everything is read and made again, up
// to 12 times with growing, random waits. The branch is created when it is not
// there. It returns the commit that holds the changes.
func (b *Branch) Write(ctx context.Context, message string, edit Edit) (string, error) {
	doing := "writing to the branch " + b.name
	var done []Change // of the try before, whose answer may have been lost
	var err error
	for try := 1; try <= writeTries; try++ {
		if try > 1 {
			wait := backoff(try - 1)
			b.c.log.Info("GitHub write is tried again", "branch", b.name, "reason", err, "wait", wait, "try", try)
			if err := sleep(ctx, wait); err != nil {
				return "", fmt.Errorf("%s: %w", doing, err)
			}
		}
		var at *snapshot
		if at, err = b.head(ctx); err == nil {
			err = b.list(ctx, at)
		}
		if err == nil && len(done) > 0 && at.has(done) {
			b.at = at
			return at.commit, nil
		}
		var commit string
		if err == nil {
			commit, done, err = b.commit(ctx, at, message, edit)
		}
		if err == nil {
			return commit, nil
		}
		if !raced(err) {
			return "", explain(doing, contentsWrite, err)
		}
	}
	return "", &Error{
		Code: CodeBranchBusy, Doing: doing, Status: status(err), Err: err,
		Cause:  fmt.Sprintf("not saved after %d tries, the last of which said %q", writeTries, said(err)),
		Remedy: "the verdict stands; run the job again to save",
	}
}

// commit makes one try. It returns the changes it tried, for the next one to
// look whether they arrived after all.
func (b *Branch) commit(ctx context.Context, at *snapshot, message string, edit Edit) (string, []Change, error) {
	changes, err := edit(at.files)
	if err != nil {
		return "", nil, final{err}
	}
	if len(changes) == 0 {
		b.at = at
		return at.commit, nil, nil
	}
	if err := b.baseTree(ctx, at); err != nil {
		return "", changes, err
	}
	all := slices.Concat(changes, b.packs(ctx, at, changes))
	entries, err := b.entries(ctx, all)
	if err != nil {
		return "", changes, err
	}
	tree, _, err := b.c.gh.Git.CreateTree(ctx, b.c.owner, b.c.repo, at.tree, entries)
	if err != nil {
		return "", changes, err
	}
	next := &gh.Commit{Message: &message, Tree: &gh.Tree{SHA: tree.SHA}}
	if at.commit != "" {
		next.Parents = []*gh.Commit{{SHA: &at.commit}}
	}
	made, _, err := b.c.gh.Git.CreateCommit(ctx, b.c.owner, b.c.repo, next, nil)
	if err != nil {
		return "", changes, err
	}
	ref := &gh.Reference{Ref: new("refs/heads/" + b.name), Object: &gh.GitObject{SHA: made.SHA}}
	if at.commit == "" {
		_, _, err = b.c.gh.Git.CreateRef(ctx, b.c.owner, b.c.repo, ref)
	} else {
		_, _, err = b.c.gh.Git.UpdateRef(ctx, b.c.owner, b.c.repo, ref, false)
	}
	if err != nil {
		return "", changes, err
	}
	b.at = at.after(all)
	b.at.commit, b.at.tree = made.GetSHA(), tree.GetSHA()
	return made.GetSHA(), nil, nil
}

// baseTree asks for the tree of the commit to build on.
func (b *Branch) baseTree(ctx context.Context, at *snapshot) error {
	if at.commit == "" || at.tree != "" {
		return nil
	}
	commit, _, err := b.c.gh.Git.GetCommit(ctx, b.c.owner, b.c.repo, at.commit)
	if err != nil {
		return err
	}
	at.tree = commit.GetTree().GetSHA()
	return nil
}

// entries turns changes into what the API takes.
func (b *Branch) entries(ctx context.Context, changes []Change) ([]*gh.TreeEntry, error) {
	var out []*gh.TreeEntry
	for _, c := range changes {
		if !cleanPath(c.Path) {
			return nil, final{fmt.Errorf("%q is no path for a file on a branch", c.Path)}
		}
		e := &gh.TreeEntry{Path: &c.Path, Mode: new("100644"), Type: new("blob")}
		switch {
		case c.Remove: // neither content nor SHA: taken off
		case len(c.Data) <= maxInline && utf8.Valid(c.Data) && !bytes.ContainsRune(c.Data, 0):
			e.Content = new(string(c.Data))
		default:
			blob, _, err := b.c.gh.Git.CreateBlob(ctx, b.c.owner, b.c.repo, &gh.Blob{
				Content: new(base64.StdEncoding.EncodeToString(c.Data)), Encoding: new("base64"),
			})
			if err != nil {
				return nil, err
			}
			e.SHA = blob.SHA
		}
		out = append(out, e)
	}
	return out, nil
}

func cleanPath(p string) bool {
	return p != "" && p == path.Clean(p) && !path.IsAbs(p) && p != "." && p != ".." && !strings.HasPrefix(p, "../") &&
		!strings.Contains("/"+strings.ToLower(p)+"/", "/.git/") && utf8.ValidString(p) && !strings.ContainsAny(p, "\\\x00\n\r")
}

// after is a snapshot with changes made to it, so that it need not be listed anew.
func (s *snapshot) after(changes []Change) *snapshot {
	next := &snapshot{files: slices.Clone(s.files), packs: maps.Clone(s.packs), listed: true}
	if next.packs == nil {
		next.packs = map[string]File{}
	}
	for _, c := range changes {
		f := File{Path: c.Path, SHA: blobSHA(c.Data), Size: len(c.Data)}
		i, there := slices.BinarySearchFunc(next.files, c.Path, func(f File, p string) int { return strings.Compare(f.Path, p) })
		switch pack := path.Base(c.Path) == packName; {
		case pack && c.Remove:
			delete(next.packs, path.Dir(c.Path))
		case pack:
			next.packs[path.Dir(c.Path)] = f
		case c.Remove && there:
			next.files = slices.Delete(next.files, i, i+1)
		case there:
			next.files[i] = f
		case !c.Remove:
			next.files = slices.Insert(next.files, i, f)
		}
	}
	return next
}

// has says whether all changes are in place.
func (s *snapshot) has(changes []Change) bool {
	have := map[string]string{}
	for _, f := range s.files {
		have[f.Path] = f.SHA
	}
	for _, c := range changes {
		switch at, is := have[c.Path]; {
		case c.Remove && is, !c.Remove && at != blobSHA(c.Data):
			return false
		}
	}
	return true
}

// raced says whether a failed write may succeed when all of it is made again.
func raced(err error) bool {
	if f := (final{}); errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	switch s := status(err); {
	case s == 0: // no answer: it may have arrived or not
		return true
	case s >= 500 && s != http.StatusNotImplemented:
		return true
	case s == http.StatusConflict || s == http.StatusUnprocessableEntity:
		// "Update is not a fast forward", "Reference already exists", "Object does
		// not exist": GitHub's copies can lag by half a minute. A rule of the
		// repository will not change its mind.
		return !strings.Contains(err.Error(), "rule violations") && !strings.Contains(err.Error(), "protected")
	case s == http.StatusNotFound: // what was just read or made is not there yet
		return true
	}
	return false
}

// said is the shortest true account of an error.
func said(err error) string {
	if status(err) != 0 {
		return message(err)
	}
	return err.Error()
}
