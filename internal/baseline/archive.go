package baseline

import (
	"archive/tar"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// ArchiveSchema names the format of an archive: a gzipped tar whose first file,
// loadline-baselines.json, says so, followed by the runs under the paths that
// they have in a store.
const ArchiveSchema = "loadline/archive/1"

const manifestName = "loadline-baselines.json"

// What an archive may hold. A store prunes to 200 runs of some ten kilobytes for
// each spec and machine, so these are far away; they keep a bomb from filling the
// memory.
const (
	maxArchiveBytes = 256 << 20 // unpacked
	maxArchiveRuns  = 20_000
	maxManifest     = 64 << 10
)

type manifest struct {
	Schema string `json:"schema"`
	Tool   string `json:"tool"`
	Runs   int    `json:"runs"`
}

// Export writes the runs of a store for which want is true to an archive, and
// returns how many there are. The same runs make the same bytes. Files that
// cannot be read are left out and returned.
func Export(w io.Writer, store fs.FS, tool string, want func(*result.Summary) bool) (int, []Entry, error) {
	entries, err := List(store)
	if err != nil {
		return 0, nil, err
	}
	var names []string
	var damaged []Entry
	for _, e := range entries {
		switch {
		case e.Err != nil:
			damaged = append(damaged, e)
		case want(e.Summary):
			names = append(names, e.File)
		}
	}
	if len(names) > maxArchiveRuns {
		return 0, nil, fmt.Errorf("%d runs are more than the %d that an archive holds: prune first, or export one spec at a time", len(names), maxArchiveRuns)
	}
	slices.Sort(names)
	head, err := json.Marshal(manifest{ArchiveSchema, tool, len(names)})
	if err != nil {
		return 0, nil, err
	}
	zip := gzip.NewWriter(w)
	files := tar.NewWriter(zip)
	err = addFile(files, manifestName, append(head, '\n'))
	for _, name := range names {
		if err != nil {
			break
		}
		var data []byte
		if data, err = fs.ReadFile(store, name); err == nil {
			err = addFile(files, name, data)
		}
	}
	if err == nil {
		err = errors.Join(files.Close(), zip.Close())
	}
	if err != nil {
		return 0, nil, fmt.Errorf("writing the archive: %w", err)
	}
	return len(names), damaged, nil
}

func addFile(files *tar.Writer, name string, data []byte) error {
	h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := files.WriteHeader(h); err != nil {
		return err
	}
	_, err := files.Write(data)
	return err
}

// An Imported says what an import did.
type Imported struct {
	Added int // runs that the store did not have
	Had   int // runs that it had already
}

// Import adds the runs of an archive to a store. The whole archive is read and
// checked before anything is stored: one that is foreign, damaged or made to harm
// is refused as a whole. Runs that the store has are left as they are.
func Import(ctx context.Context, to Store, archive io.Reader) (Imported, error) {
	return importUpTo(ctx, to, archive, maxArchiveBytes)
}

func importUpTo(ctx context.Context, to Store, archive io.Reader, most int64) (Imported, error) {
	runs, err := readArchive(archive, most)
	if err != nil {
		return Imported{}, err
	}
	var did Imported
	err = to.Edit(ctx, fmt.Sprintf("import %d runs", len(runs)), func(names []string) ([]Change, error) {
		var changes []Change
		for _, run := range runs {
			if !slices.Contains(names, run.Path) {
				changes = append(changes, run)
			}
		}
		did = Imported{Added: len(changes), Had: len(runs) - len(changes)}
		return changes, nil
	})
	return did, err
}

// readArchive reads and checks every run of an archive, of at most so many bytes
// when unpacked.
func readArchive(r io.Reader, most int64) ([]Change, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return nil, errors.New("this is no archive of baselines: it is not gzipped; make one with loadline baseline export")
	}
	plain := &bounded{r: zip, most: most, left: most}
	files := tar.NewReader(plain)
	head, err := readManifest(files)
	if err != nil {
		return nil, plain.explain(err)
	}
	var runs []Change
	seen := map[string]bool{}
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, plain.explain(err)
		}
		run, err := readRun(files, h)
		switch {
		case err != nil:
			return nil, plain.explain(err)
		case seen[run.Path]:
			return nil, fmt.Errorf("the archive has %s twice; export it again", run.Path)
		case len(runs) == maxArchiveRuns:
			return nil, fmt.Errorf("the archive has more than %d runs; export one spec at a time", maxArchiveRuns)
		}
		seen[run.Path] = true
		runs = append(runs, run)
	}
	// To the end, where the checksum is.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, plain.explain(err)
	}
	if len(runs) != head.Runs {
		return nil, fmt.Errorf("the archive says that it has %d runs, and it has %d; export it again", head.Runs, len(runs))
	}
	return runs, nil
}

func readManifest(files *tar.Reader) (m manifest, err error) {
	foreign := errors.New("this is no archive of baselines; make one with loadline baseline export")
	h, err := files.Next()
	switch {
	case errors.Is(err, io.EOF), err == nil && (h.Name != manifestName || h.Typeflag != tar.TypeReg || h.Size > maxManifest):
		return m, foreign
	case errors.Is(err, tar.ErrHeader):
		return m, foreign
	case err != nil:
		return m, err
	}
	data, err := io.ReadAll(files)
	if err != nil {
		return m, err
	}
	if err := result.CheckSchema(data, ArchiveSchema); err != nil {
		return m, fmt.Errorf("the archive: %w", err)
	}
	if json.Unmarshal(data, &m) != nil {
		return m, foreign
	}
	return m, nil
}

// runPath is what Encode makes, so that nothing else can come in.
var runPath = regexp.MustCompile(`^v1/[a-z0-9][a-z0-9.-]{1,120}/[0-9]{8}T[0-9]{6}Z-[a-z0-9][a-z0-9.-]{1,120}\.json$`)

// readRun reads one run, which must lie where a store would have put it.
func readRun(files *tar.Reader, h *tar.Header) (Change, error) {
	if h.Typeflag != tar.TypeReg || !runPath.MatchString(h.Name) || strings.Contains(h.Name, "..") {
		return Change{}, fmt.Errorf("the archive has %q, which is no run of a store; nothing was imported", clip(h.Name))
	}
	data, err := io.ReadAll(files)
	if err != nil {
		return Change{}, err
	}
	s, err := result.ReadSummary(h.Name, bytes.NewReader(data))
	if err != nil {
		return Change{}, fmt.Errorf("in the archive: %w", err)
	}
	dir, file := path.Split(h.Name)
	switch {
	case s.Unfit != "":
		return Change{}, fmt.Errorf("the archive has %s, which is no fit baseline: %s; nothing was imported", h.Name, s.Unfit)
	case dir != path.Join(root, folder(s.Spec, s.Profile, s.Environment))+"/", !strings.HasPrefix(file, stamp(s)):
		return Change{}, fmt.Errorf("the archive has %s, which is of another spec, machine or time than its name says; nothing was imported", h.Name)
	}
	return Change{Path: h.Name, Data: data}, nil
}

// clip keeps a foreign name from filling the screen; %q does the escaping.
func clip(s string) string { return s[:min(len(s), 80)] }

// bounded stops reading where no archive of ours goes on.
type bounded struct {
	r          io.Reader
	most, left int64 // bytes
	over       bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.over = true
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// explain says what a failed read means.
func (b *bounded) explain(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case b.over:
		return fmt.Errorf("the archive unpacks to more than %d MiB; nothing was imported: export one spec at a time", b.most>>20)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the archive ends too early; nothing was imported: copy or export it again")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, tar.ErrHeader), errors.As(err, &corrupt):
		return errors.New("the archive is damaged; nothing was imported: copy or export it again")
	}
	return err
}
