package github

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// FS shows the branch as a file system, as it is now. Listing costs nothing
// more; a file is read when it is first opened. ctx is used for all of them.
func (b *Branch) FS(ctx context.Context) (fs.FS, error) {
	files, err := b.Files(ctx, "")
	if err != nil {
		return nil, err
	}
	return &branchFS{ctx: ctx, b: b, files: files}, nil
}

// branchFS is a tree of files read on demand. io/fs has no contexts, so it
// keeps the one that it was made with.
type branchFS struct {
	ctx   context.Context
	b     *Branch
	files []File // sorted by path
}

// Open opens a file or a folder.
func (f *branchFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	for _, x := range f.files {
		if x.Path != name {
			continue
		}
		data, err := f.b.Read(f.ctx, x)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &openFile{branchInfo{x.Path, int64(x.Size), false}, bytes.NewReader(data)}, nil
	}
	entries := f.entries(name)
	if len(entries) == 0 && name != "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openDir{branchInfo{name, 0, true}, entries}, nil
}

// entries are what lies directly in a folder, sorted by name.
func (f *branchFS) entries(dir string) []fs.DirEntry {
	prefix := dir + "/"
	if dir == "." {
		prefix = ""
	}
	var out []fs.DirEntry
	seen := map[string]bool{}
	for _, x := range f.files {
		rest, ok := strings.CutPrefix(x.Path, prefix)
		if !ok {
			continue
		}
		name, _, nested := strings.Cut(rest, "/")
		if !seen[name] {
			seen[name] = true
			out = append(out, fs.FileInfoToDirEntry(branchInfo{prefix + name, int64(x.Size), nested}))
		}
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out
}

type branchInfo struct {
	path string
	size int64
	dir  bool
}

func (i branchInfo) Name() string       { return path.Base(i.path) }
func (i branchInfo) ModTime() time.Time { return time.Time{} } // git keeps none
func (i branchInfo) IsDir() bool        { return i.dir }
func (i branchInfo) Sys() any           { return nil }

func (i branchInfo) Size() int64 {
	if i.dir {
		return 0
	}
	return i.size
}

func (i branchInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openFile struct {
	branchInfo
	*bytes.Reader
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o.branchInfo, nil }
func (o *openFile) Close() error               { return nil }
func (o *openFile) Size() int64                { return o.branchInfo.Size() }

type openDir struct {
	branchInfo
	rest []fs.DirEntry
}

func (o *openDir) Stat() (fs.FileInfo, error) { return o.branchInfo, nil }
func (o *openDir) Close() error               { return nil }

func (o *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: o.path, Err: fs.ErrInvalid}
}

// ReadDir follows fs.ReadDirFile.
func (o *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(o.rest) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(o.rest) {
		n = len(o.rest)
	}
	out := o.rest[:n]
	o.rest = o.rest[n:]
	return out, nil
}
