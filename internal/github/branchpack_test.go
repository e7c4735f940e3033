package github

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

// run is the path and the text of the i-th stored run.
func run(i int) (name, text string) {
	return fmt.Sprintf("v1/api/%03d.json", i), fmt.Sprintf(`{"run":%d}`, i)
}

// written makes a branch by n writers, one after the other.
func written(t *testing.T, s *githubtest.Server, n int) {
	t.Helper()
	for i := range n {
		name, text := run(i)
		if _, err := branchOf(t, s).Write(t.Context(), "run", add(name, text)); err != nil {
			t.Fatal(err)
		}
	}
}

// readAll reads the branch as another process would.
func readAll(t *testing.T, b *Branch) (texts map[string]string, err error) {
	t.Helper()
	files, err := b.FS(t.Context())
	if err != nil {
		return nil, err
	}
	texts = map[string]string{}
	return texts, fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		texts[name] = string(data)
		return err
	})
}

func runs(n int) map[string]string {
	want := map[string]string{}
	for i := range n {
		name, text := run(i)
		want[name] = text
	}
	return want
}

// However many runs are stored, one call more than listing them reads them all.
func TestPackSavesCalls(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	written(t, s, 40)
	b := branchOf(t, s)
	b.Spare(0)
	got, err := readAll(t, b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, runs(40)); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if n := b.c.Calls(); n != 3 {
		t.Errorf("%d calls, want 3: branch, tree, pack", n)
	}
	// A writer that has not read costs one call more for the pack, and the next
	// write of the same process neither lists nor unpacks anew.
	b = branchOf(t, s)
	for i, most := range []int{7, 4} {
		before := b.c.Calls()
		name, text := run(40 + i)
		if _, err := b.Write(t.Context(), "run", add(name, text)); err != nil {
			t.Fatal(err)
		}
		if n := b.c.Calls() - before; n != most {
			t.Errorf("write %d: %d calls, want %d", i, n, most)
		}
	}
	if got, err := readAll(t, b); err != nil || len(got) != 42 {
		t.Errorf("after writing: %d files, %v", len(got), err)
	}
}

// A pack tells nothing that git does not vouch for, and what it does not hold is
// fetched.
func TestPackIsBelievedByNameAlone(t *testing.T) {
	t.Parallel()
	const pack = "v1/api/" + packName
	whole := func(s *githubtest.Server) string { return s.Files(store)[pack] }
	for _, tt := range []struct {
		name  string
		spoil func(s *githubtest.Server) string
		calls int // beside branch, tree and pack
	}{
		{"untouched", whole, 0},
		{"a text changed", func(s *githubtest.Server) string { return strings.Replace(whole(s), `{"run":3}`, `{"run":9}`, 1) }, 1},
		{"cut in the middle", func(s *githubtest.Server) string { p := whole(s); return p[:len(p)/2] }, 3},
		{"of other files", func(*githubtest.Server) string { return string(joinPack([][]byte{[]byte("x"), []byte("y")})) }, 5},
		{"no pack at all", func(*githubtest.Server) string { return "\x00\n-1\n" }, 5},
		{"a length that is none", func(*githubtest.Server) string { return "99999999999999999999\nx\n" }, 5},
	} {
		s := githubtest.New()
		written(t, s, 5)
		s.Commit(store, "by hand", map[string]string{pack: tt.spoil(s)})
		b := branchOf(t, s)
		got, err := readAll(t, b)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(got, runs(5)); diff != "" {
			t.Errorf("%s: got - want +\n%s", tt.name, diff)
		}
		if n := b.c.Calls() - 3; n != tt.calls {
			t.Errorf("%s: %d files were fetched, want %d", tt.name, n, tt.calls)
		}
	}
	// One that cannot be had is none.
	s := githubtest.New()
	written(t, s, 5)
	s.Before = times(1, "GET", "/git/blobs/", githubtest.Fault{Status: 404})
	if got, err := readAll(t, branchOf(t, s)); err != nil || len(got) != 5 {
		t.Errorf("no answer: %d files, %v", len(got), err)
	}
}

// What writers of an earlier version left is taken up as far as it was read.
func TestPackGrows(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	for i := range 6 {
		name, text := run(i)
		s.Commit(store, "run", map[string]string{name: text})
	}
	b := branchOf(t, s)
	files, err := b.Files(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	b.Spare(3)
	for i, f := range slices.Backward(files) {
		_, err := b.Read(t.Context(), f)
		if spared := errors.Is(err, ErrSpared); spared != (i < 3) || !spared && err != nil {
			t.Errorf("file %d: %v", i, err)
		}
	}
	name, text := run(6)
	if _, err := b.Write(t.Context(), "run", add(name, text)); err != nil {
		t.Fatal(err)
	}
	if n := len(splitPack([]byte(s.Files(store)["v1/api/"+packName]))); n != 4 {
		t.Errorf("the pack holds %d files, want the 3 that were read and the new one", n)
	}
	b = branchOf(t, s)
	b.Spare(0)
	if _, err := readAll(t, b); !errors.Is(err, ErrSpared) {
		t.Errorf("got %v, want that older ones are left out", err)
	}
	b.Spare(-1)
	if got, err := readAll(t, b); err != nil || len(got) != 7 {
		t.Errorf("%d files, %v", len(got), err)
	}
}

// The pack has bounds, and goes with its files.
func TestPackBounds(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	written(t, s, maxPacked+5)
	contents := splitPack([]byte(s.Files(store)["v1/api/"+packName]))
	_, oldest := run(5)
	if len(contents) != maxPacked || string(contents[0]) != oldest {
		t.Errorf("%d files, the oldest of which is %s; want %d from %s", len(contents), contents[0], maxPacked, oldest)
	}
	big := strings.Repeat("x", maxPack/3)
	for i := range 5 {
		if _, err := branchOf(t, s).Write(t.Context(), "big", add(fmt.Sprintf("v1/big/%d.json", i), fmt.Sprint(i)+big)); err != nil {
			t.Fatal(err)
		}
	}
	if p := s.Files(store)["v1/big/"+packName]; len(p) > maxPack || len(splitPack([]byte(p))) != 2 {
		t.Errorf("a pack of %d bytes holds %d large files, want 2", len(p), len(splitPack([]byte(p))))
	}
	_, err := branchOf(t, s).Write(t.Context(), "prune", func(files []File) (all []Change, _ error) {
		for _, f := range files {
			if f.Path != "v1/api/000.json" {
				all = append(all, Change{Path: f.Path, Remove: true})
			}
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	name, text := run(0)
	if diff := cmp.Diff(s.Files(store), map[string]string{name: text}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

// Writers who collide pack what the others wrote too.
func TestPackOfRivals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		written(t, s, 2)
		s.Before = func(*http.Request) *githubtest.Fault {
			time.Sleep(time.Duration(50+rand.N(100)) * time.Millisecond)
			return nil
		}
		done := make(chan error)
		for i := range 6 {
			b := branchOf(t, s)
			name, text := run(2 + i)
			go func() { _, err := b.Write(t.Context(), "run", add(name, text)); done <- err }()
		}
		for range 6 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := len(splitPack([]byte(s.Files(store)["v1/api/"+packName]))); n != 8 {
			t.Errorf("the pack holds %d files, want 8", n)
		}
	})
}

func FuzzPack(f *testing.F) {
	f.Add([]byte("3\nabc\n0\n\n2\nxy\n"), []byte("a"), []byte(""))
	f.Add([]byte("-1\n"), []byte("1\nx\n"), []byte("\n"))
	f.Fuzz(func(t *testing.T, data, a, b []byte) {
		total := 0
		for _, c := range splitPack(data) {
			total += len(c) + 2
		}
		if total > len(data) {
			t.Errorf("%d bytes were read out of %d", total, len(data))
		}
		got := splitPack(joinPack([][]byte{a, b}))
		if len(got) != 2 || !bytes.Equal(got[0], a) || !bytes.Equal(got[1], b) {
			t.Errorf("got %q, want %q and %q", got, a, b)
		}
	})
}
