package baseline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
)

// A Dir is a store in a folder, which may not exist yet.
type Dir string

// FS is the store for reading.
func (d Dir) FS() fs.FS { return os.DirFS(string(d)) }

// Open shows the folder.
func (d Dir) Open(context.Context) (fs.FS, error) { return d.FS(), nil }

// Find returns the newest runs that may be compared with.
func (d Dir) Find(q Query) (*Found, error) { return Find(d.FS(), q) }

// Put stores a run and returns the file's path within the store. The file
// appears whole or not at all, and no other file is touched: a full disk or a
// crash in the middle loses nothing. The error wraps ErrUnfit when the run must
// not become a baseline.
func (d Dir) Put(s *result.Summary) (string, error) {
	name, data, err := Encode(s)
	if err != nil {
		return "", err
	}
	return name, d.add(name, data)
}

func (d Dir) add(name string, data []byte) error {
	if err := write(filepath.Join(string(d), filepath.FromSlash(name)), data, (*os.File).Write); err != nil {
		return fmt.Errorf("storing baseline in %s: %w; what was stored before is untouched", d, err)
	}
	return nil
}

// Edit makes changes one after the other, the additions first. Any number of
// processes may edit a shared folder at once, with no lock: a file comes in by a
// rename, under a name that no other run has, and what another writer has pruned
// already is gone all the same.
func (d Dir) Edit(_ context.Context, _ string, edit Edit) error {
	names, err := d.names()
	if err != nil {
		return err
	}
	changes, err := edit(names)
	if err != nil {
		return err
	}
	for _, c := range changes {
		if !c.Remove {
			if err := d.add(c.Path, c.Data); err != nil {
				return err
			}
		}
	}
	for _, c := range changes {
		if !c.Remove {
			continue
		}
		if err := os.Remove(filepath.Join(string(d), filepath.FromSlash(c.Path))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("pruning baselines: %w", err)
		}
	}
	return nil
}

// names lists the files of the store. What is neither ours nor a run is left out.
func (d Dir) names() ([]string, error) {
	var names []string
	err := fs.WalkDir(d.FS(), root, func(name string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // pruned by another writer since its folder was read
		}
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing baselines: %w", err)
	}
	return names, nil
}

// write makes a file by way of a temporary one beside it. put stands for
// (*os.File).Write, so that a test can be a full disk.
func write(name string, data []byte, put func(*os.File, []byte) (int, error)) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = put(f, data)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes a rename last through a power cut. Some file systems cannot
// sync a folder; the file is there all the same.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = f.Sync()
	return f.Close()
}

// An Entry is one file of a store, as List shows it.
type Entry struct {
	Record
	Err error // why it cannot be read; then Summary is nil
}

// List reads every run of a store, newest first within each spec and machine.
func List(store fs.FS) ([]Entry, error) {
	dirs, err := fs.ReadDir(store, root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing baselines: %w", err)
	}
	var all []Entry
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		names, err := newest(store, path.Join(root, d.Name()))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			s, err := readFile(store, name)
			all = append(all, Entry{Record{name, s}, err})
		}
	}
	return all, nil
}

// Surplus names the files beyond the newest keep of each spec and machine, given
// all names of a store.
func Surplus(names []string, keep int) []string {
	folders := map[string][]string{}
	for _, name := range names {
		dir, file := path.Split(name)
		if strings.HasPrefix(dir, root+"/") && isRun(file) {
			folders[dir] = append(folders[dir], name)
		}
	}
	var all []string
	for _, runs := range folders {
		// Names begin with the time.
		slices.Sort(runs)
		all = append(all, runs[:max(len(runs)-max(keep, 0), 0)]...)
	}
	slices.Sort(all)
	return all
}
