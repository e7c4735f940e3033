package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// checkOutputs finds out before the load, not after it, whether every file
// that was asked for can be written.
func checkOutputs(env *Env, outs []output) error {
	flags := map[string]string{}
	for _, o := range outs {
		name := env.path(o.file)
		if other, twice := flags[name]; twice {
			return usagef("%s and %s both name %s: name a file for each", other, o.flag, o.file)
		}
		flags[name] = o.flag
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			return usagef("%s %s: is a folder; name a file", o.flag, o.file)
		case err == nil && !info.Mode().IsRegular():
			continue // a pipe or a device, which is written to as it is
		}
		f, err := os.CreateTemp(filepath.Dir(name), ".loadline-*")
		if err != nil {
			return usagef("%s %s: cannot write there (%w); nothing was sent; name another file", o.flag, o.file, cause(err))
		}
		err = f.Close()
		if err := errors.Join(err, os.Remove(f.Name())); err != nil {
			return usagef("%s %s: %w", o.flag, o.file, cause(err))
		}
	}
	return nil
}

// writeOutput writes one file whole or not at all: an earlier file of that name
// stays until the new one is complete. When that fails (a full disk), the data
// is saved in the temporary folder instead, and the error says where.
func writeOutput(env *Env, o output, data []byte) error {
	err := writeWhole(env.path(o.file), data)
	if err == nil {
		return nil
	}
	saved, errSaved := rescue(o.file, data)
	if errSaved != nil {
		return fmt.Errorf("%s %s: %w, nor to %s: free some space and run again; the figures are above", o.flag, o.file, cause(err), os.TempDir())
	}
	return fmt.Errorf("%s %s: %w; saved as %s instead: free some space and copy it", o.flag, o.file, cause(err), saved)
}

// writeWhole writes data to a new file beside name and renames it. What name
// links to is what is replaced; a pipe or a device is written to as it is.
func writeWhole(name string, data []byte) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".loadline-*")
	if err != nil {
		return err
	}
	_, err = bytes.NewReader(data).WriteTo(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func rescue(name string, data []byte) (string, error) {
	f, err := os.CreateTemp("", "loadline-*-"+filepath.Base(name))
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if errClose := f.Close(); err == nil {
		err = errClose
	}
	if err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// cause is what a person wants to know of a file error.
func cause(err error) error {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("no such folder")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("no permission")
	case errors.Is(err, syscall.ENOSPC):
		return errors.New("the disk is full")
	case errors.As(err, &path):
		return path.Err
	}
	return err
}
