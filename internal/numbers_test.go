package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// forPrograms are the files that may write a fraction themselves, as programs
// read it there: data formats, coordinates of a drawing, an output of the Action.
var forPrograms = map[string]bool{
	"report/csv.go": true, "report/hlog.go": true, "report/openmetrics.go": true, "report/junit.go": true,
	"report/html_steps.go": true, "report/live.go": true, "report/markdown_details.go": true, "report/plot.go": true,
	"cli/cipublish.go": true,
}

// Every number that people read is written by unit, so that the same value reads
// the same everywhere.
func TestUnitWritesTheNumbers(t *testing.T) {
	t.Parallel()
	fraction := regexp.MustCompile(`%[0-9+]*\.?[0-9]*[feg]\b|%\.[0-9]+v|FormatFloat`)
	used := map[string]bool{}
	for _, room := range []string{"report", "cli", "ui"} {
		files, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", room, err, len(files))
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			found := fraction.FindString(string(text))
			name = filepath.ToSlash(name)
			used[name] = found != ""
			if found != "" && !forPrograms[name] {
				t.Errorf("%s: %q writes a number: let unit do it, or say in forPrograms that a program reads it", name, found)
			}
		}
	}
	for name := range forPrograms {
		if !used[name] {
			t.Errorf("%s writes no number any more: take it out of forPrograms", name)
		}
	}
}
