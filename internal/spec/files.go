package spec

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// How large the files that a spec names may be. They are held in memory for the
// whole run: a feed takes about four times its size there.
const (
	maxDataFile = 32 << 20
	maxBodyFile = 16 << 20
	maxTLSFile  = 1 << 20
)

// files reads what a spec names below its folder, each file once.
type files struct {
	fs   fs.FS
	dir  string // as a message names the folder
	read map[string]file
}

type file struct {
	content []byte
	problem string
	hint    string
}

// get reads a file. A problem is in words, without the file's name.
func (f *files) get(name string, most int64) file {
	if got, ok := f.read[name]; ok {
		return got
	}
	got := f.open(name, most)
	f.read[name] = got
	return got
}

func (f *files) open(name string, most int64) file {
	clean := path.Clean(name)
	switch {
	case name == "":
		return file{problem: "is no path", hint: "write a path relative to the spec"}
	case strings.Contains(name, `\`):
		return file{problem: `has "\" in it`, hint: `write paths with "/"`}
	case strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':':
		return file{problem: "is an absolute path", hint: "files are read only below the spec's folder: write a path relative to the spec"}
	case clean == ".." || strings.HasPrefix(clean, "../"):
		return file{problem: "leads out of the spec's folder", hint: "files are read only below it"}
	case !fs.ValidPath(clean):
		return file{problem: "is no path", hint: "write a path relative to the spec"}
	case f.fs == nil:
		return file{problem: "cannot be read", hint: "the spec came without its folder"}
	}
	content, err := readAll(f.fs, clean, most)
	var tooLarge *sizeError
	switch {
	case err == nil:
		return file{content: content}
	case errors.As(err, &tooLarge):
		return file{problem: "is too large: it has " + unit.Size(tooLarge.size), hint: "files of this kind may have " + unit.Size(most) + ", as they are kept in memory"}
	case errors.Is(err, fs.ErrNotExist):
		return file{problem: "no such file", hint: "looked in " + f.dir + ": paths are relative to the spec"}
	case errors.Is(err, fs.ErrPermission):
		return file{problem: "may not be read", hint: "check its permissions"}
	case strings.Contains(err.Error(), "escapes"): // os.Root has no error value of its own for it
		return file{problem: "leads out of the spec's folder", hint: "files are read only below it, also through symlinks"}
	default:
		return file{problem: "cannot be read: " + bare(err), hint: "name a plain file below the spec's folder"}
	}
}

// bare is an error without the path that the message already names.
func bare(err error) string {
	if e := new(fs.PathError); errors.As(err, &e) {
		return e.Err.Error()
	}
	return err.Error()
}

type sizeError struct{ size int64 }

func (e *sizeError) Error() string { return "too large" }

func readAll(fsys fs.FS, name string, most int64) (content []byte, err error) {
	info, err := fs.Stat(fsys, name) // before opening: that would wait at a pipe
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > most:
		return nil, &sizeError{info.Size()}
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	// The file may grow meanwhile, and some have no true size.
	content, err = io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, &sizeError{int64(len(content))}
	}
	return content, err
}

// file reads the file behind a key.
func (b *builder) file(t *table, name string, most int64) (fileName string, content []byte, ok bool) {
	n, _ := t.row(name, fileKind)
	fileName, ok = t.text(name)
	if !ok {
		return "", nil, false
	}
	got := b.files.get(fileName, most)
	if got.problem != "" {
		sep := " "
		if got.problem == "no such file" {
			sep = ": "
		}
		b.bad(n, got.hint, "%s%s%s", fileName, sep, got.problem)
		return "", nil, false
	}
	return fileName, got.content, true
}
