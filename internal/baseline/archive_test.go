package baseline

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
)

func all(*result.Summary) bool { return true }

// archive exports the runs 0 to n-1.
func archive(t testing.TB, n int) []byte {
	t.Helper()
	d := Dir(t.TempDir())
	for i := range n {
		if _, err := d.Put(stored(i)); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if got, _, err := Export(&b, d.FS(), "v1", all); err != nil || got != n {
		t.Fatalf("exported %d, %v, want %d", got, err, n)
	}
	return b.Bytes()
}

func TestExportImport(t *testing.T) {
	t.Parallel()
	from := Dir(t.TempDir())
	for i := range 4 {
		put(t, from, stored(i))
	}
	other := stored(7)
	other.Spec = "another"
	put(t, from, other)
	var b, again bytes.Buffer
	wanted := func(s *result.Summary) bool { return s.Spec == "api smoke" }
	if n, damaged, err := Export(&b, from.FS(), "v1", wanted); n != 4 || len(damaged) != 0 || err != nil {
		t.Fatalf("exported %d, %v, %v", n, damaged, err)
	}
	if _, _, err := Export(&again, from.FS(), "v1", wanted); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Errorf("the same runs make other bytes, or %v", err)
	}

	to := Dir(t.TempDir())
	put(t, to, stored(2))
	put(t, to, stored(9))
	for _, want := range []Imported{{Added: 3, Had: 1}, {Added: 0, Had: 4}} {
		got, err := Import(t.Context(), to, bytes.NewReader(b.Bytes()))
		if err != nil || got != want {
			t.Errorf("imported %+v, %v, want %+v", got, err, want)
		}
	}
	found := find(t, to, stored(0))
	if len(found.Records) != 5 || len(found.Skipped) != 0 {
		t.Errorf("after the import: %+v", found)
	}
	if diff := cmp.Diff(stored(1), found.Records[3].Summary); diff != "" {
		t.Error(diff)
	}
}

func TestExportLeavesOutWhatIsDamaged(t *testing.T) {
	t.Parallel()
	name, data, err := Encode(stored(1))
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(name, "20260304T0501", "20260304T0601", 1)
	store := fstest.MapFS{name: {Data: data}, bad: {Data: data[:40]}}
	n, damaged, err := Export(io.Discard, store, "v1", all)
	if n != 1 || len(damaged) != 1 || damaged[0].File != bad || err != nil {
		t.Errorf("got %d, %v, %v", n, damaged, err)
	}
}

// packed is a gzipped tar of name and content in turn.
func packed(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zip := gzip.NewWriter(&b)
	files := tar.NewWriter(zip)
	for i := 0; i < len(parts); i += 2 {
		kind := byte(tar.TypeReg)
		name, link := parts[i], ""
		if name, link, _ = strings.Cut(name, " -> "); link != "" {
			kind = tar.TypeSymlink
		}
		h := &tar.Header{Name: name, Linkname: link, Typeflag: kind, Mode: 0o644, Size: int64(len(parts[i+1]))}
		if err := files.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(files, parts[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const bombMost = 1 << 20

// TestImportRefuses: foreign, damaged and hostile archives end in one sentence,
// and nothing of them is stored.
func TestImportRefuses(t *testing.T) {
	t.Parallel()
	name, data, err := Encode(stored(1))
	if err != nil {
		t.Fatal(err)
	}
	run := string(data)
	head := func(n int) string { return fmt.Sprintf(`{"schema":"loadline/archive/1","tool":"v1","runs":%d}`, n) }
	good := archive(t, 3)
	turned := bytes.Clone(good)
	turned[len(turned)/2] ^= 0x40
	unfitText := strings.Replace(run, `"rows"`, `"unfit": "the generator was late", "rows"`, 1)

	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no archive of baselines"},
		{"text", []byte("hello"), "no archive of baselines"},
		{"a gzip of something", packed(t)[:0], "no archive of baselines"},
		{"another tar", packed(t, "README", "x"), "no archive of baselines"},
		{"an empty tar", packed(t), "no archive of baselines"},
		{"a later format", packed(t, manifestName, `{"schema":"loadline/archive/2"}`), "newer"},
		{"another format", packed(t, manifestName, `{"schema":"x"}`), "the archive: "},
		{"cut off", good[:len(good)/2], "ends too early"},
		{"a bit turned", turned, ""},
		{"fewer runs than it says", packed(t, manifestName, head(2), name, run), "says that it has 2 runs, and it has 1"},
		{"a way out", packed(t, manifestName, head(1), "v1/../../etc/cron.d/x.json", run), "no run of a store"},
		{"an absolute path", packed(t, manifestName, head(1), "/"+name, run), "no run of a store"},
		{"a link", packed(t, manifestName, head(1), name+" -> /etc/passwd", ""), "no run of a store"},
		{"an escape sequence", packed(t, manifestName, head(1), "\x1b[2J", run), `"\x1b[2J"`},
		{"the wrong folder", packed(t, manifestName, head(1), strings.Replace(name, "api", "abi", 1), run), "of another spec"},
		{"the wrong time", packed(t, manifestName, head(1), strings.Replace(name, "/2026", "/2027", 1), run), "of another spec, machine or time"},
		{"twice the same", packed(t, manifestName, head(2), name, run, name, run), "twice"},
		{"a damaged run", packed(t, manifestName, head(1), name, run[:90]), "cut off"},
		{"an unfit run", packed(t, manifestName, head(1), name, unfitText), "no fit baseline"},
		{"a bomb", packed(t, manifestName, head(1), name, strings.Repeat(" ", bombMost+1)), "more than 1 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			to := Dir(t.TempDir())
			_, err := importUpTo(t.Context(), to, bytes.NewReader(c.data), bombMost)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := fs.Stat(to.FS(), "v1"); err == nil {
				t.Error("something was stored")
			}
		})
	}
}

// FuzzArchive: whatever comes, reading ends, and what it takes it takes twice.
func FuzzArchive(f *testing.F) {
	name, data, err := Encode(stored(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(archive(f, 2))
	f.Add(packed(f, manifestName, `{"schema":"loadline/archive/1","runs":1}`, name, string(data)))
	f.Add(packed(f, "../x", "y"))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, in []byte) {
		runs, err := readArchive(bytes.NewReader(in), maxArchiveBytes)
		if err != nil {
			return
		}
		to := Dir(t.TempDir())
		for _, want := range []Imported{{Added: len(runs)}, {Had: len(runs)}} {
			got, err := Import(t.Context(), to, bytes.NewReader(in))
			if err != nil || got != want {
				t.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
		}
		entries, err := List(to.FS())
		if err != nil || len(entries) != len(runs) {
			t.Fatalf("listed %d, %v, want %d", len(entries), err, len(runs))
		}
	})
}
