package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/loadline-ci/loadline"

// floors is the plan of ARCHITECTURE.md, ground first. A package imports ours
// only from floors below its own, never sideways. When this test fails, the
// import is wrong or the plan is; if the plan, change this table and
// ARCHITECTURE.md together and say why.
var floors = [][]string{
	{"internal/unit", "internal/stat", "internal/wire", "internal/github", "internal/pipeline"},
	{"internal/plan", "internal/rule", "internal/result"},
	{"internal/spec", "internal/convert", "internal/load", "internal/live", "internal/baseline", "internal/verdict", "internal/observe"},
	{"internal/scenario", "internal/report", "internal/ui", "internal/otlp"},
	{"internal/cli"},
	{"cmd/loadline"},
}

// testHelpers are packages that only tests import; they stand under the
// package they imitate.
var testHelpers = []string{
	"internal/load/loadtest",
	"internal/github/githubtest",
	"internal/wire/wiretest",
	"internal/verdict/sim",
}

// calm rooms are handed readers, writers and values; they touch no file, no
// network and no log.
var (
	calm    = []string{"unit", "stat", "plan", "rule", "result", "spec", "convert", "live", "verdict", "report"}
	outside = []string{"os", "net", "net/http", "log/slog"}
)

// modules says which room may import which outside module.
var modules = map[string][]string{
	"charm.land/bubbletea/v2":                 {"cli"},
	"github.com/BurntSushi/toml":              {"spec"},
	"github.com/HdrHistogram/hdrhistogram-go": {"result", "load", "verdict", "baseline", "report", "cli"},
	"github.com/getkin/kin-openapi":           {"convert"},
	"github.com/oasdiff/yaml3":                {"convert"},
	"github.com/google/go-github/v60":         {"github"},
	"github.com/sethvargo/go-githubactions":   {"github"},
	"github.com/spf13/pflag":                  {"cli"},
	"go.opentelemetry.io/otel":                {"otlp"},
	"github.com/prometheus/common":            {"observe"},
	"golang.org/x/net":                        {"wire"},
	"golang.org/x/sys":                        {"wire", "load", "cli"},
	"golang.org/x/term":                       {"cli"},
	"gonum.org/v1/gonum":                      {"stat"},
}

func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for i, rooms := range floors {
		for _, room := range rooms {
			floor[room] = i + 1
		}
	}
	for _, f := range goFiles(t) {
		room := path.Dir(f.name)
		if slices.Contains(testHelpers, room) || room == "internal" {
			continue
		}
		own, ok := floor[room]
		if !ok {
			t.Errorf("%s: package %s has no floor: give it one in internal/floors_test.go and ARCHITECTURE.md", f.name, room)
			continue
		}
		for _, imp := range f.imports {
			checkImport(t, f.name, room, own, floor, imp)
		}
	}
}

func checkImport(t *testing.T, file, room string, own int, floor map[string]int, imp importAt) {
	t.Helper()
	base := path.Base(room)
	if slices.Contains(calm, base) && slices.Contains(outside, imp.path) {
		t.Errorf("%s:%d: %s is a calm room and imports %q: hand it a reader, a writer or a value", file, imp.line, room, imp.path)
	}
	if ours, ok := strings.CutPrefix(imp.path, module+"/"); ok {
		other, known := floor[ours]
		switch {
		case !known:
			t.Errorf("%s:%d: imports %s, which has no floor", file, imp.line, ours)
		case other >= own:
			t.Errorf("%s:%d: %s (floor %d) imports %s (floor %d): only floors below", file, imp.line, room, own, ours, other)
		}
		return
	}
	if !strings.Contains(strings.SplitN(imp.path, "/", 2)[0], ".") {
		return // standard library
	}
	for mod, rooms := range modules {
		if imp.path == mod || strings.HasPrefix(imp.path, mod+"/") {
			if !slices.Contains(rooms, base) {
				t.Errorf("%s:%d: %s may not import %s: only %v", file, imp.line, room, mod, rooms)
			}
			return
		}
	}
	t.Errorf("%s:%d: imports %s: an outside module that no room is down for", file, imp.line, imp.path)
}

// TestFloorsAreNotStale fails when the tables name what is no longer there.
func TestFloorsAreNotStale(t *testing.T) {
	have, used := map[string]bool{}, map[string]bool{}
	for _, f := range goFiles(t) {
		have[path.Dir(f.name)] = true
		for _, imp := range f.imports {
			used[imp.path] = true
		}
	}
	for i, rooms := range floors {
		for _, room := range rooms {
			if !have[room] {
				t.Errorf("floor %d names %s, which holds no Go file", i+1, room)
			}
		}
	}
	for mod := range modules {
		if !slices.ContainsFunc(keys(used), func(p string) bool { return p == mod || strings.HasPrefix(p, mod+"/") }) {
			t.Errorf("module table names %s, which nothing imports", mod)
		}
	}
}

func keys(m map[string]bool) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	return all
}

type goFile struct {
	name    string // from the module's root, with slashes
	imports []importAt
}

type importAt struct {
	path string
	line int
}

// goFiles reads the imports of every non-test file. It reads them itself: the
// test cache cannot see what a child process reads.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var files []goFile
	fset := token.NewFileSet()
	for _, top := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "testdata" {
				return filepath.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			parsed, err := parser.ParseFile(fset, name, text, parser.ImportsOnly)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, name)
			if err != nil {
				return err
			}
			f := goFile{name: filepath.ToSlash(rel)}
			for _, imp := range parsed.Imports {
				p, err := strconv.Unquote(imp.Path.Value)
				if err != nil {
					return err
				}
				f.imports = append(f.imports, importAt{p, fset.Position(imp.Pos()).Line})
			}
			files = append(files, f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) < 20 {
		t.Fatalf("found %d Go files: the walk is broken", len(files))
	}
	return files
}
