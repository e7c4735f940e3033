package github

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/github/githubtest"
)

const store = "loadline-data"

func branchOf(t *testing.T, s *githubtest.Server) *Branch {
	t.Helper()
	b, err := client(t, s).Branch(store)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func add(path, text string) Edit {
	return func([]File) ([]Change, error) { return []Change{{Path: path, Data: []byte(text)}}, nil }
}

func TestBranch(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Commit("main", "code", map[string]string{"main.go": "package main"})
	b := branchOf(t, s)
	if files, err := b.Files(t.Context(), ""); err != nil || len(files) != 0 {
		t.Fatalf("before the first write: got %v, %v", files, err)
	}
	if _, err := b.Write(t.Context(), "first", add("v1/api/default/1.json", "one")); err != nil {
		t.Fatal(err)
	}
	// The second writer, as another process would, prunes while it adds.
	b = branchOf(t, s)
	commit, err := b.Write(t.Context(), "second", func(files []File) ([]Change, error) {
		changes := []Change{{Path: "v1/api/default/2.json", Data: []byte("two")}, {Path: "v1/web/default/1.bin", Data: []byte{0xff, 0}}}
		for _, f := range files {
			changes = append(changes, Change{Path: f.Path, Remove: true})
		}
		return changes, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"v1/api/default/2.json": "two", "v1/api/default/.pack": "3\ntwo\n",
		"v1/web/default/1.bin": "\xff\x00", "v1/web/default/.pack": "2\n\xff\x00\n",
	}
	if diff := cmp.Diff(s.Files(store), want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if diff := cmp.Diff(s.Log(store), []string{"second", "first"}); diff != "" {
		t.Errorf("the branch is not an orphan with two commits: got - want +\n%s", diff)
	}
	files, err := b.Files(t.Context(), "v1/api/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files, []File{{Path: "v1/api/default/2.json", SHA: blobSHA([]byte("two")), Size: 3}}); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	data, err := b.Read(t.Context(), files[0])
	if err != nil || string(data) != "two" {
		t.Errorf("got %q, %v", data, err)
	}
	if same, err := b.Write(t.Context(), "nothing", func([]File) ([]Change, error) { return nil, nil }); err != nil || same != commit {
		t.Errorf("no change: got %s, %v, want %s", same, err, commit)
	}
}

func TestBranchCalls(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	for i := range 10 {
		s.Commit(store, "run", map[string]string{fmt.Sprintf("v1/api/default/%d.json", i): "{}" + strings.Repeat(" ", i)})
	}
	b := branchOf(t, s)
	files, err := b.Files(t.Context(), "v1/api/")
	if err != nil || len(files) != 10 {
		t.Fatalf("got %v, %v", files, err)
	}
	for _, f := range files {
		if _, err := b.Read(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Files(t.Context(), "v1/web/"); err != nil {
		t.Fatal(err)
	}
	if got := b.c.Calls(); got != 12 {
		t.Errorf("reading ten runs costs %d calls, want 12", got)
	}
	before := b.c.Calls()
	if _, err := b.Write(t.Context(), "run", add("v1/api/default/x.json", "{}")); err != nil {
		t.Fatal(err)
	}
	if got := b.c.Calls() - before; got != 5 {
		t.Errorf("writing after reading costs %d calls, want 5:\n%s", got, strings.Join(s.Calls(), "\n"))
	}
}

// Twenty writers begin at once, each call takes a tenth of a second or so, and
// nothing is lost. The waits are random, so several rounds are played.
func TestTwentyWriters(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		synctest.Test(t, func(t *testing.T) {
			s := githubtest.New()
			s.Before = func(*http.Request) *githubtest.Fault {
				time.Sleep(50*time.Millisecond + rand.N(100*time.Millisecond))
				return nil
			}
			var wg sync.WaitGroup
			for i := range 20 {
				b := branchOf(t, s)
				wg.Go(func() {
					if _, err := b.Write(t.Context(), "run", add(fmt.Sprintf("v1/%d.json", i), "{}")); err != nil {
						t.Errorf("round %d, writer %d: %v", round, i, err)
					}
				})
			}
			wg.Wait()
			if got := len(s.Files(store)); got != 20+1 { // and the pack of them
				t.Errorf("round %d: %d files, want 20 and a pack", round, got)
			}
			if got := len(s.Log(store)); got != 20 {
				t.Errorf("round %d: %d commits, want 20", round, got)
			}
		})
	}
}

// What a lost or late answer hides is found on the branch, and not made twice.
func TestBranchFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		method  string
		path    string
		f       githubtest.Fault
		commits int
	}{
		{"ref moved, answer lost", "PATCH", "/git/refs/", githubtest.Fault{Drop: true, After: true}, 2},
		{"ref moved, 502", "PATCH", "/git/refs/", githubtest.Fault{Status: 502, After: true}, 2},
		{"ref not moved, 502", "PATCH", "/git/refs/", githubtest.Fault{Status: 502}, 2},
		{"not a fast forward", "PATCH", "/git/refs/", githubtest.Fault{Status: 422, Body: `{"message":"Update is not a fast forward"}`}, 2},
		{"409", "PATCH", "/git/refs/", githubtest.Fault{Status: 409}, 2},
		{"tree lags", "POST", "/git/trees", githubtest.Fault{Status: 422, Body: `{"message":"base_tree is not a valid tree oid"}`}, 2},
		{"commit lags", "GET", "/git/commits/", githubtest.Fault{Status: 404}, 2},
		{"patience", "PATCH", "/git/refs/", githubtest.Fault{Status: 403, Header: map[string]string{"Retry-After": "3"}}, 2},
		{"tree lost", "POST", "/git/trees", githubtest.Fault{Drop: true, After: true}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := githubtest.New()
				first := s.Commit(store, "first", map[string]string{"a": "a"})
				s.Before = times(1, tt.method, tt.path, tt.f)
				commit, err := branchOf(t, s).Write(t.Context(), "second", add("b", "b"))
				if err != nil {
					t.Fatal(err)
				}
				if commit == first || commit == "" {
					t.Errorf("commit %q", commit)
				}
				if diff := cmp.Diff(s.Files(store), map[string]string{"a": "a", "b": "b"}); diff != "" {
					t.Errorf("got - want +\n%s", diff)
				}
				if got := len(s.Log(store)); got != tt.commits {
					t.Errorf("%d commits, want %d", got, tt.commits)
				}
			})
		})
	}
}

// A rival creates the branch, or moves it, just before: both commits stay, and
// the edit sees the rival's file.
func TestRivalWriter(t *testing.T) {
	t.Parallel()
	for _, exists := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := githubtest.New()
			method := http.MethodPost
			if exists {
				s.Commit(store, "first", map[string]string{"a": "a"})
				method = http.MethodPatch
			}
			s.Before = func(r *http.Request) *githubtest.Fault {
				if r.Method == method && strings.Contains(r.URL.Path, "/git/refs") {
					s.Before = nil
					s.Commit(store, "rival", map[string]string{"rival": "r"})
				}
				return nil
			}
			var seen []int
			_, err := branchOf(t, s).Write(t.Context(), "ours", func(files []File) ([]Change, error) {
				seen = append(seen, len(files))
				return []Change{{Path: "ours", Data: []byte("o")}}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(seen) != 2 || seen[1] != seen[0]+1 {
				t.Errorf("the edit saw %v files", seen)
			}
			if diff := cmp.Diff(s.Log(store)[:2], []string{"ours", "rival"}); diff != "" {
				t.Errorf("got - want +\n%s", diff)
			}
		})
	}
}

func TestBranchGivesUp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		f     githubtest.Fault
		tries int
		code  string
		want  string
	}{
		{"always beaten", githubtest.Fault{Status: 422, Body: `{"message":"Update is not a fast forward"}`}, 12, CodeBranchBusy, `not saved after 12 tries, the last of which said "Update is not a fast forward"`},
		{"read-only", githubtest.Fault{Status: 403, Body: `{"message":"Resource not accessible by integration"}`}, 1, CodeReadOnly, "contents: write"},
		{"a rule", githubtest.Fault{Status: 422, Body: `{"message":"Repository rule violations found\n\nCannot update this protected ref."}`}, 1, "", "422: Repository rule violations found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := githubtest.New()
				s.Commit(store, "first", map[string]string{"a": "a"})
				tries := 0
				s.Before = func(r *http.Request) *githubtest.Fault {
					if r.Method != http.MethodPatch {
						return nil
					}
					tries++
					return &tt.f
				}
				began := time.Now()
				_, err := branchOf(t, s).Write(t.Context(), "second", add("b", "b"))
				var e *Error
				if !errors.As(err, &e) || e.Code != tt.code || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q with code %q", err, tt.want, tt.code)
				}
				if tries != tt.tries {
					t.Errorf("%d tries, want %d", tries, tt.tries)
				}
				if took := time.Since(began); took > 5*time.Minute {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestBranchStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := githubtest.New()
		s.Commit(store, "first", map[string]string{"a": "a"})
		s.Before = times(99, "PATCH", "/git/refs/", githubtest.Fault{Status: 409})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := branchOf(t, s).Write(ctx, "second", add("b", "b")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	s := githubtest.New()
	sorry := errors.New("sorry")
	b := branchOf(t, s)
	if _, err := b.Write(t.Context(), "x", func([]File) ([]Change, error) { return nil, sorry }); !errors.Is(err, sorry) {
		t.Errorf("got %v", err)
	}
	if got := b.c.Calls(); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

func TestBranchNames(t *testing.T) {
	t.Parallel()
	c := client(t, githubtest.New())
	for _, name := range []string{"loadline-data", "ci/load_line.2", "refs/heads/x", "A"} {
		if _, err := c.Branch(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", "main", "refs/heads/main", "../x", "a..b", "a b", "/a", "a/", "a//b", "-a", ".a", "a/.b", "a.lock", "a?b", "a\nb", "é", strings.Repeat("a", 201)} {
		if _, err := c.Branch(name); err == nil {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestBranchPaths(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"", "/a", "../a", "a/../../b", "a//b", "a/", ".", "x/.git/config", ".GIT/x", "a\nb", `a\b`, "\xff"} {
		s := githubtest.New()
		if _, err := branchOf(t, s).Write(t.Context(), "x", add(path, "text")); err == nil {
			t.Errorf("%q is accepted", path)
		}
		if s.Files(store) != nil {
			t.Errorf("%q: something was written", path)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	s.Commit(store, "x", map[string]string{"a": "a"})
	b := branchOf(t, s)
	if _, err := b.Read(t.Context(), File{Path: "a", SHA: blobSHA([]byte("a")), Size: MaxFile + 1}); err == nil || b.c.Calls() != 0 {
		t.Errorf("too large: got %v after %d calls", err, b.c.Calls())
	}
	s.Before = times(1, "GET", "/git/blobs/", githubtest.Fault{Status: 200, Body: "b"})
	if _, err := b.Read(t.Context(), File{Path: "a", SHA: blobSHA([]byte("a")), Size: 1}); err == nil || !strings.Contains(err.Error(), "not what git has") {
		t.Errorf("another file's content: got %v", err)
	}
}

func TestBranchFS(t *testing.T) {
	t.Parallel()
	s := githubtest.New()
	b := branchOf(t, s)
	none, err := b.FS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadDir(none, "v1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no branch: got %v", err)
	}
	s.Commit(store, "x", map[string]string{"README.md": "hello", "v1/api/1.json": "one", "v1/api/2.json": "two", "v1/api-x/1.json": "one"})
	b = branchOf(t, s)
	all, err := b.FS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if b.c.Calls() != 2 {
		t.Errorf("listing costs %d calls, want 2", b.c.Calls())
	}
	if err := fstest.TestFS(all, "README.md", "v1/api/1.json", "v1/api/2.json", "v1/api-x/1.json"); err != nil {
		t.Error(err)
	}
	if got := b.c.Calls(); got != 2+3 { // two of the four files are equal
		t.Errorf("reading all, many times, costs %d calls, want 5", got)
	}
	s.Before = times(1, "GET", "/git/blobs/", githubtest.Fault{Status: 404})
	fresh, err := branchOf(t, s).FS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(fresh, "README.md"); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a file that cannot be fetched: got %v", err)
	}
}
