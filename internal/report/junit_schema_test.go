package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

// What is written passes xmllint (libxml2) by our own schema, which is stricter than
// both in common use, and by those that are named in LOADLINE_JUNIT_XSD.
func TestJUnitIsValid(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("needs xmllint: run .ci/test")
	}
	folder := t.TempDir()
	add := func(name string, text []byte) string {
		path := filepath.Join(folder, name+".xml")
		must(os.WriteFile(path, text, 0o600))
		return path
	}
	var files []string
	for name, p := range junitPages() {
		var b bytes.Buffer
		must(p.JUnit(&b))
		files = append(files, add(name, b.Bytes()))
	}
	slices.Sort(files)
	// A schema that takes anything would prove nothing.
	refused := `<testsuites><testsuite name="a" tests="1" failures="0" errors="0" time="soon"/></testsuites>`
	wrong := add("refused", []byte(refused))

	for _, xsd := range append([]string{filepath.Join("testdata", "junit", "junit.xsd")}, filepath.SplitList(os.Getenv("LOADLINE_JUNIT_XSD"))...) {
		lint := func(files ...string) (string, error) {
			out, err := exec.CommandContext(t.Context(), path, append([]string{"--noout", "--nonet", "--schema", xsd}, files...)...).CombinedOutput()
			return string(out), err
		}
		if out, err := lint(files...); err != nil {
			t.Errorf("%s: %v\n%s", xsd, err, out)
		} else if n := strings.Count(out, " validates\n"); n != len(files) {
			t.Errorf("%s: xmllint validated %d of %d documents:\n%s", xsd, n, len(files), out)
		}
		if out, err := lint(wrong); err == nil {
			t.Errorf("%s takes %s: %s", xsd, refused, out)
		}
	}
}
