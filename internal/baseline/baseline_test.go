package baseline

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
)

// stored makes run number i, one a minute.
func stored(i int) *result.Summary {
	return &result.Summary{
		Tool: "v1", Spec: "api smoke", Profile: "ci", Fingerprint: "f1", Parts: map[string]string{"load": "a", "scenario": "b"},
		Commit: fmt.Sprintf("%07dabc", i), Attempt: fmt.Sprintf("%d.1", 8000+i),
		Started: time.Date(2026, 3, 4, 5, i, 0, 0, time.UTC),
		Environment: result.Environment{
			OS: "linux", Arch: "amd64", CPU: "Xeon", Cores: 2, Label: "staging",
		},
		Rows: []result.Row{{Scope: result.ScopeStep, Step: "GET /", Requests: int64(100 + i), Rounds: 12}},
	}
}

func put(t *testing.T, d Dir, s *result.Summary) string {
	t.Helper()
	name, err := d.Put(s)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func find(t *testing.T, d Dir, s *result.Summary) *Found {
	t.Helper()
	found, err := d.Find(QueryFor(s))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPathsAreSafeAndTellRunsApart(t *testing.T) {
	t.Parallel()
	safe := regexp.MustCompile(`^v1/[a-z0-9][a-z0-9.-]*-[0-9a-f]{6}-[a-z0-9.-]+-[0-9a-f]{6}/20260304T050000Z-[a-z0-9]+-[a-z0-9.-]+\.json$`)
	seen := map[string]string{}
	for name, change := range map[string]func(*result.Summary){
		"plain":         func(*result.Summary) {},
		"odd spec":      func(s *result.Summary) { s.Spec = "../../etc/ Päß:w|d\x00" },
		"dots":          func(s *result.Summary) { s.Spec, s.Profile = "..", "." },
		"no names":      func(s *result.Summary) { s.Spec, s.Profile, s.Commit, s.Attempt = "", "", "", "" },
		"long":          func(s *result.Summary) { s.Spec = strings.Repeat("x", 500) },
		"longer":        func(s *result.Summary) { s.Spec = strings.Repeat("x", 501) },
		"other label":   func(s *result.Summary) { s.Environment.Label = "preview" },
		"other CPU":     func(s *result.Summary) { s.Environment.CPU = "EPYC" },
		"moved border":  func(s *result.Summary) { s.Spec, s.Profile = "api", "smoke ci" },
		"other run":     func(s *result.Summary) { s.Attempt = "9000.2" },
		"outside CI":    func(s *result.Summary) { s.Attempt = "" },
		"outside CI, 2": func(s *result.Summary) { s.Attempt, s.Rows[0].Requests = "", 5 },
	} {
		s := stored(0)
		change(s)
		path, _, err := Encode(s)
		if err != nil {
			t.Fatal(err)
		}
		if !safe.MatchString(path) || !fs.ValidPath(path) || strings.Contains(path, "..") {
			t.Errorf("%s: path %q", name, path)
		}
		if other, twice := seen[path]; twice {
			t.Errorf("%s and %s share the path %s", name, other, path)
		}
		seen[path] = name
	}
}

func TestPutFindPrune(t *testing.T) {
	t.Parallel()
	d := Dir(filepath.Join(t.TempDir(), "not", "there", "yet"))
	if found := find(t, d, stored(0)); found.Miss == nil || found.Miss.Code != "no-baseline" {
		t.Fatalf("an empty store: %+v", found)
	}
	for _, i := range []int{3, 1, 40, 2} {
		put(t, d, stored(i))
	}
	if again := put(t, d, stored(3)); !strings.Contains(again, "8003.1") {
		t.Errorf("path of a run stored again: %s", again)
	}
	found := find(t, d, stored(9))
	var got []int64
	for _, s := range found.Summaries() {
		got = append(got, s.Rows[0].Requests)
	}
	if diff := cmp.Diff([]int64{140, 103, 102, 101}, got); diff != "" || found.Miss != nil || len(found.Skipped) > 0 {
		t.Errorf("newest first: %s; %+v %+v", diff, found.Miss, found.Skipped)
	}
	if diff := cmp.Diff(stored(40), found.Records[0].Summary); diff != "" {
		t.Error(diff)
	}

	q := QueryFor(stored(9))
	q.Max = 2
	if few, err := d.Find(q); err != nil || len(few.Records) != 2 {
		t.Errorf("at most two: %+v, %v", few, err)
	}

	gone, err := Prune(t.Context(), d, 3)
	if err != nil || len(gone) != 1 || !strings.Contains(gone[0], "8001.1") {
		t.Errorf("pruned %v, %v", gone, err)
	}
	if found := find(t, d, stored(9)); len(found.Records) != 3 {
		t.Errorf("%d runs left, want 3", len(found.Records))
	}
	if gone, err := Prune(t.Context(), Dir(t.TempDir()), 3); err != nil || len(gone) != 0 {
		t.Errorf("pruning nothing: %v, %v", gone, err)
	}
}

func TestRing(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	for i := range 40 {
		put(t, d, stored(i))
	}
	if found := find(t, d, stored(50)); len(found.Records) != Ring || found.Records[0].Rows[0].Requests != 139 {
		t.Errorf("%d runs, newest %d", len(found.Records), found.Records[0].Rows[0].Requests)
	}
}

// Two runs that began in one second lay in the order of their commits' names.
func TestNewestWithinASecond(t *testing.T) {
	t.Parallel()
	for _, commits := range [][2]string{{"aaaaaaa", "bbbbbbb"}, {"bbbbbbb", "aaaaaaa"}} {
		d := Dir(t.TempDir())
		older, newer := stored(1), stored(1)
		older.Commit, newer.Commit = commits[0], commits[1]
		newer.Started = older.Started.Add(300 * time.Millisecond)
		put(t, d, newer)
		put(t, d, older)
		if got := find(t, d, newer).Records; len(got) != 2 || got[0].Commit != newer.Commit {
			t.Errorf("the newest of %d is %s, want %s", len(got), got[0].Commit, newer.Commit)
		}
	}
}

func TestMisses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, code, message string
		change              func(*result.Summary)
	}{
		{"other load", "spec-changed", "(load)", func(s *result.Summary) {
			s.Fingerprint, s.Parts = "f2", map[string]string{"load": "X", "scenario": "b"}
		}},
		{"a new section", "spec-changed", "(data, scenario)", func(s *result.Summary) {
			s.Fingerprint, s.Parts = "f2", map[string]string{"load": "a", "data": "c"}
		}},
		{"other machine", "environment", `CPU "Xeon", now "EPYC"; cores "2", now "4"`, func(s *result.Summary) { s.Environment.CPU, s.Environment.Cores = "EPYC", 4 }},
		{"other label", "environment", `environment "staging", now "preview"`, func(s *result.Summary) { s.Environment.Label = "preview" }},
		{"other spec", "no-baseline", "no run of this spec", func(s *result.Summary) { s.Spec = "shop" }},
		{"other profile", "no-baseline", "no run of this spec", func(s *result.Summary) { s.Profile = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := Dir(t.TempDir())
			put(t, d, stored(1))
			put(t, d, stored(2))
			head := stored(3)
			c.change(head)
			found := find(t, d, head)
			if len(found.Records) > 0 || found.Miss == nil || found.Miss.Code != c.code || !strings.Contains(found.Miss.Message, c.message) || found.Miss.Remedy == "" {
				t.Errorf("found %+v, miss %+v; want %s: ...%s...", found.Records, found.Miss, c.code, c.message)
			}
		})
	}
}

// TestDamagedFiles: a file that cannot be used is named and passed over; the
// rest of the ring is found. Nothing but damaged files is no baseline, and says so.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	good := put(t, d, stored(5))
	_, data, err := Encode(stored(6))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(string(d), filepath.FromSlash(filepath.Dir(good)))
	elsewhere := stored(7)
	elsewhere.Environment.Cores = 64
	_, moved, err := Encode(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string]string{
		"20260304T060000Z-1-1.json": string(data[:len(data)/2]),
		"20260304T060100Z-1-1.json": "",
		"20260304T060200Z-1-1.json": "\x00\xff garbage",
		"20260304T060300Z-1-1.json": strings.Replace(string(data), "baseline/1", "baseline/2", 1),
		"20260304T060400Z-1-1.json": string(moved),
		"20260304T060500Z-1-1.json": strings.Replace(string(data), `"rows"`, `"unfit":"the generator was late","rows"`, 1),
	}
	for name, text := range damaged {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What a crash may leave, and what people put there, is no run.
	for _, name := range []string{".new-123", "README.md"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "20270101T000000Z-dir.json"), 0o700); err != nil {
		t.Fatal(err)
	}

	found := find(t, d, stored(9))
	if len(found.Records) != 1 || found.Records[0].File != good {
		t.Errorf("found %+v", found.Records)
	}
	var named []string
	for _, s := range found.Skipped {
		named = append(named, filepath.Base(s.File))
		if s.Reason == "" {
			t.Errorf("%s: no reason", s.File)
		}
	}
	if len(named) != len(damaged) {
		t.Errorf("skipped %v", named)
	}

	if err := os.Remove(filepath.Join(string(d), filepath.FromSlash(good))); err != nil {
		t.Fatal(err)
	}
	if found := find(t, d, stored(9)); found.Miss == nil || found.Miss.Code != "unreadable" || !strings.Contains(found.Miss.Message, "6 skipped") {
		t.Errorf("only damaged files: %+v", found.Miss)
	}

	entries, err := List(d.FS())
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for _, e := range entries {
		if e.Err != nil {
			broken++
		}
	}
	if len(entries) != 6 || broken != 4 {
		t.Errorf("list: %d entries, %d broken", len(entries), broken)
	}
}

func TestUnfitRunsAreNotStored(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	s := stored(1)
	s.Unfit = "the run was interrupted after 3 s"
	if _, err := d.Put(s); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "interrupted after 3 s") {
		t.Errorf("unfit: %v", err)
	}
	if _, err := d.Put(&result.Summary{}); !errors.Is(err, ErrUnfit) {
		t.Errorf("nothing: %v", err)
	}
	if left := files(t, string(d)); len(left) > 0 {
		t.Errorf("files: %v", left)
	}
}

// TestFullDisk: a write that fails half-way leaves what was there, and nothing else.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "v1", "k", "a.json")
	if err := write(name, []byte("before"), (*os.File).Write); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	err := write(name, []byte("after"), func(f *os.File, b []byte) (int, error) {
		n, err := f.Write(b[:2])
		return n, errors.Join(full, err)
	})
	if !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff([]string{"v1/k/a.json"}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if got, _ := os.ReadFile(name); string(got) != "before" {
		t.Errorf("the file holds %q", got)
	}

	// A store that cannot be made at all.
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Dir(file).Put(stored(1)); err == nil || !strings.Contains(err.Error(), "untouched") {
		t.Errorf("a store that is a file: %v", err)
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// TestFindInAnyFS: the same tree in memory, as a branch would hand it out.
func TestFindInAnyFS(t *testing.T) {
	t.Parallel()
	store := fstest.MapFS{}
	for i := range 3 {
		name, data, err := Encode(stored(i))
		if err != nil {
			t.Fatal(err)
		}
		store[name] = &fstest.MapFile{Data: data}
	}
	found, err := Find(store, QueryFor(stored(9)))
	if err != nil || len(found.Records) != 3 {
		t.Errorf("found %+v, %v", found, err)
	}
	q := QueryFor(stored(9))
	q.Commits = []string{stored(1).Commit, stored(7).Commit}
	if found, err := Find(store, q); err != nil || len(found.Records) != 1 || found.Records[0].Commit != stored(1).Commit {
		t.Errorf("of two commits: %+v, %v", found, err)
	}
	q.Commits = []string{}
	if found, err := Find(store, q); err != nil || found.Miss == nil || found.Miss.Code != "later-commits" {
		t.Errorf("of no commit: %+v, %v", found, err)
	}
	names := slices.Collect(maps.Keys(store))
	if old := Surplus(names, 2); len(old) != 1 || !strings.Contains(old[0], "8000.1") {
		t.Errorf("surplus %v", old)
	}
	if all := Surplus(names, -1); len(all) != 3 {
		t.Errorf("surplus of all: %v", all)
	}
}

// TestWeekdays: a run is compared with those of its own weekday once three are
// stored that it may be compared with, and with all of them before.
func TestWeekdays(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	head := stored(0)
	head.Started = time.Date(2026, 3, 30, 4, 0, 0, 0, time.UTC) // a Monday
	for day := range 22 {                                       // of them the 2nd, 9th and 16th are Mondays
		s := stored(day)
		s.Started = time.Date(2026, 3, 1+day, 4, 0, 0, 0, time.UTC)
		put(t, d, s)
	}
	for _, tt := range []struct {
		name    string
		q       func(*Query)
		runs    int
		weekday string
	}{
		{"by weekday", func(q *Query) { q.Weekdays = true }, 3, "Monday"},
		{"all", func(*Query) {}, 22, ""},
		{"too few of that day", func(q *Query) { q.Weekdays, q.Commits = true, []string{"0000001abc", "0000002abc", "0000008abc"} }, 3, ""},
		{"of another load", func(q *Query) { q.Weekdays, q.Fingerprint = true, "f2" }, 0, ""},
	} {
		q := QueryFor(head)
		tt.q(&q)
		found, err := d.Find(q)
		if err != nil || len(found.Records) != tt.runs || found.Weekday != tt.weekday {
			t.Errorf("%s: %d runs, %q, %v; want %d, %q", tt.name, len(found.Records), found.Weekday, err, tt.runs, tt.weekday)
		}
	}
}
