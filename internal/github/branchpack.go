package github

import (
	"bytes"
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
)

// A pack is a file beside others that holds what the newest of them hold, so that
// reading them costs one call where it would cost one each. It is made anew with
// every write to its folder, in the same commit, and it is a copy, nothing more:
// what is read of it is known by the name that git gives to its content, so one
// that is stale or damaged costs calls and never tells anything wrong.
const (
	packName = ".pack"
	// maxPacked is how many files one holds, and maxPack how many bytes.
	maxPacked = 64
	maxPack   = 2 << 20
)

// ErrSpared says that a file was not fetched because Spare's number is used up.
var ErrSpared = errors.New("left out to spare calls to GitHub")

// Spare lets at most n more files be fetched one by one; packs do not count. A
// negative number, as at first, sets no limit.
func (b *Branch) Spare(n int) { b.singles = n }

// unpack reads the pack of a folder, once. That there is none, or none that can be
// read, is no error.
func (b *Branch) unpack(ctx context.Context, at *snapshot, dir string) {
	pack, ok := at.packs[dir]
	if !ok || b.opened[pack.SHA] || pack.Size > MaxFile {
		return
	}
	b.opened[pack.SHA] = true
	data, _, err := b.c.gh.Git.GetBlobRaw(ctx, b.c.owner, b.c.repo, pack.SHA)
	if err != nil {
		b.c.log.Info("a pack of files could not be read", "branch", b.name, "folder", dir, "reason", err)
	}
	for _, content := range splitPack(data) {
		b.read[blobSHA(content)] = content
	}
}

// packs are the changes that keep the packs of the folders that are written to in
// step. What the newest files hold is taken from the changes, from the pack before
// and from what was read already; nothing else is fetched for it.
func (b *Branch) packs(ctx context.Context, at *snapshot, changes []Change) []Change {
	var dirs []string
	for _, c := range changes {
		if dir := path.Dir(c.Path); dir != "." && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	var out []Change
	for _, c := range changes {
		b.read[blobSHA(c.Data)] = c.Data
	}
	for _, dir := range dirs {
		b.unpack(ctx, at, dir)
		name := path.Join(dir, packName)
		contents := b.newest(at, dir, changes)
		switch _, had := at.packs[dir]; {
		case len(contents) > 0:
			data := joinPack(contents)
			b.opened[blobSHA(data)] = true // all that it holds is known
			out = append(out, Change{Path: name, Data: data})
		case had:
			out = append(out, Change{Path: name, Remove: true})
		}
	}
	return out
}

// newest are the contents of a folder's newest files after the changes, as far as
// they are known, oldest first, so that the next pack begins as this one does and
// git stores little of it anew. Names of runs begin with the time.
func (b *Branch) newest(at *snapshot, dir string, changes []Change) [][]byte {
	known := map[string][]byte{} // by path; nil: there, and not known
	for _, f := range at.files {
		if path.Dir(f.Path) == dir {
			known[f.Path] = b.read[f.SHA]
		}
	}
	for _, c := range changes {
		switch {
		case path.Dir(c.Path) != dir:
		case c.Remove:
			delete(known, c.Path)
		default:
			known[c.Path] = c.Data
		}
	}
	var names []string
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	var out [][]byte
	size := 0
	for _, name := range slices.Backward(names) {
		data := known[name]
		if data == nil {
			continue
		}
		if size += len(data) + 16; len(out) == maxPacked || size > maxPack {
			break
		}
		out = append(out, data)
	}
	slices.Reverse(out)
	return out
}

// joinPack writes contents one after the other, each behind a line with its length.
func joinPack(contents [][]byte) []byte {
	var out []byte
	for _, c := range contents {
		out = strconv.AppendInt(out, int64(len(c)), 10)
		out = append(out, '\n')
		out = append(out, c...)
		out = append(out, '\n')
	}
	return out
}

// splitPack reads what joinPack wrote, as far as it is whole. The slices are parts
// of data.
func splitPack(data []byte) (contents [][]byte) {
	for len(data) > 0 && len(contents) < maxPacked {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		n, err := strconv.Atoi(string(line))
		if !ok || err != nil || n < 0 || n >= len(rest) || rest[n] != '\n' {
			return contents
		}
		contents = append(contents, rest[:n:n])
		data = rest[n+1:]
	}
	return contents
}
