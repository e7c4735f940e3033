package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// maxFilesAt is how many files one FilesAt fetches: each is a call, and a whole
// run may make 25.
const maxFilesAt = 8

// FilesAt shows the repository's files at a commit, a branch or a tag, without a
// checkout. Each file is fetched with one call when it is first opened, MaxFile
// bytes at most; folders cannot be listed. ctx is used for all calls.
func (c *Client) FilesAt(ctx context.Context, ref string) fs.FS {
	return &commitFS{ctx: ctx, c: c, ref: ref, read: map[string]fetched{}}
}

// commitFS keeps the context that it was made with, as io/fs has none.
type commitFS struct {
	ctx  context.Context
	c    *Client
	ref  string
	read map[string]fetched
}

// A fetched file, or why there is none.
type fetched struct {
	data []byte
	err  error
}

// Open fetches a file.
func (f *commitFS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	got, ok := f.read[name]
	if !ok {
		if len(f.read) >= maxFilesAt {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("more than %d files are not fetched", maxFilesAt)}
		}
		got.data, got.err = f.c.contents(f.ctx, name, f.ref)
		f.read[name] = got
	}
	if got.err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: got.err}
	}
	return &openFile{branchInfo{name, int64(len(got.data)), false}, bytes.NewReader(got.data)}, nil
}

// contents reads one file in GitHub's raw form, which has the larger limit. A
// file that is not there is fs.ErrNotExist.
func (c *Client) contents(ctx context.Context, name, ref string) ([]byte, error) {
	var escaped []string
	for part := range strings.SplitSeq(path.Clean(name), "/") {
		escaped = append(escaped, url.PathEscape(part))
	}
	doing := fmt.Sprintf("reading %s at %s", oneLine(name, maxArchiveName), short(ref))
	req, err := c.gh.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/contents/%s?%s", c.owner, c.repo, strings.Join(escaped, "/"), url.Values{"ref": {ref}}.Encode()), nil)
	if err != nil {
		return nil, explain(doing, contentsRead, err)
	}
	req.Header.Set("Accept", "application/vnd.github.raw+json")
	var data limited
	_, err = c.gh.Do(ctx, req, &data)
	switch {
	case status(err) == http.StatusNotFound:
		return nil, fs.ErrNotExist
	case errors.Is(err, errTooMuch):
		return nil, fmt.Errorf("%s: it has more than %d bytes", doing, MaxFile)
	case err != nil:
		return nil, explain(doing, contentsRead, err)
	}
	return data.b.Bytes(), nil
}

// limited takes MaxFile bytes. The buffer is no embedded one: its ReadFrom would
// know no limit.
type limited struct{ b bytes.Buffer }

var errTooMuch = errors.New("too much")

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > MaxFile {
		return 0, errTooMuch
	}
	return l.b.Write(p)
}
