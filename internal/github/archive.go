package github

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
)

const (
	// maxArchiveFiles is more than the folder of a run with 200 specs has.
	maxArchiveFiles = 1000
	// maxArchiveName is what file systems allow for a whole path in the least case.
	maxArchiveName = 255
	// maxUnpacked bounds what all files come to, and so each, in bytes.
	maxUnpacked = 64 << 20
	// maxRatio is how much shorter a file may have become. Our JSON and HTML come
	// to a tenth or a twentieth; a bomb of deflate to a thousandth.
	maxRatio = 100
	// smallFile is a size at which no ratio matters: a file of one repeated byte
	// may be honest.
	smallFile = 64 << 10
)

// An Archive is a zip in memory whose list of files has been looked at whole. It
// is read, never unpacked: nothing in it becomes a file.
type Archive struct {
	files map[string]*zip.File
}

// OpenArchive checks a zip that anybody may have made: its names, their number,
// the sizes that it states. The error is a sentence without the caller's context.
func OpenArchive(data []byte) (*Archive, error) {
	if len(data) > MaxArtifact {
		return nil, tooLarge(int64(len(data)))
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are looked at below, in any case
		return nil, errors.New("it is no whole zip; the upload was cut off, or is not of loadline")
	}
	if len(r.File) > maxArchiveFiles {
		return nil, fmt.Errorf("it has %d files, and %d are the most; upload the folder loadline-out and nothing else", len(r.File), maxArchiveFiles)
	}
	a := &Archive{files: map[string]*zip.File{}}
	seen := map[string]bool{}
	var unpacked uint64
	for _, f := range r.File {
		if err := checkEntry(f); err != nil {
			return nil, err
		}
		// Some file systems, and so some readers, take these for the same.
		name := strings.TrimSuffix(f.Name, "/")
		key := strings.ToLower(name)
		if seen[key] {
			return nil, fmt.Errorf("it has the name %s twice, so what stands there is not certain; it is not read", oneName(name))
		}
		seen[key] = true
		if unpacked += f.UncompressedSize64; unpacked > maxUnpacked { // each is checked before: no overflow
			return nil, fmt.Errorf("unpacked it would have over %d MiB; it is not read", maxUnpacked>>20)
		}
		if f.Mode().IsRegular() {
			a.files[name] = f
		}
	}
	return a, nil
}

// checkEntry looks at what a zip states about one of its files.
func checkEntry(f *zip.File) error {
	name := strings.TrimSuffix(f.Name, "/")
	switch {
	case len(name) > maxArchiveName, !fs.ValidPath(name), name == ".", strings.ContainsAny(name, `\:`), oneLine(name, maxArchiveName) != name:
		return fmt.Errorf("it has a file named %s, which is no plain path inside it; it is not read", oneName(f.Name))
	case !f.Mode().IsRegular() && !f.Mode().IsDir():
		return fmt.Errorf("%s in it is a link or a device, not a file; it is not read", oneName(name))
	case f.Flags&1 != 0:
		return fmt.Errorf("%s in it is encrypted; it is not read", oneName(name))
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("%s in it is packed in a way that is not known; it is not read", oneName(name))
	case f.UncompressedSize64 > maxUnpacked:
		return fmt.Errorf("%s in it would have over %d MiB unpacked; it is not read", oneName(name), maxUnpacked>>20)
	case f.UncompressedSize64 > smallFile && f.UncompressedSize64/maxRatio > f.CompressedSize64:
		return fmt.Errorf("%s in it is packed over %d times, as no result is; it is not read", oneName(name), maxRatio)
	}
	return nil
}

// Names lists the files, sorted, with slashes.
func (a *Archive) Names() []string { return slices.Sorted(maps.Keys(a.files)) }

// ReadFile unpacks one file in memory. Its stated size and checksum must hold.
func (a *Archive) ReadFile(name string) ([]byte, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("it has no file %s; upload the folder loadline-out as it is", oneName(name))
	}
	broken := fmt.Errorf("%s in it is damaged or is not what the zip says; upload it again", oneName(name))
	r, err := f.Open()
	if err != nil {
		return nil, broken
	}
	defer r.Close()                                                           //nolint:errcheck // opened for reading
	data, err := io.ReadAll(io.LimitReader(r, int64(f.UncompressedSize64)+1)) // at most maxUnpacked
	if err != nil || uint64(len(data)) != f.UncompressedSize64 {
		return nil, broken
	}
	return data, nil
}
