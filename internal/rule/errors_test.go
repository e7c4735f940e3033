package rule

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// TestErrors shows what people get wrong, and what they are told. Each line of
// testdata/mistakes.txt is "KIND: EXPRESSION"; testdata/errors.txt shows the place
// and the words for it.
func TestErrors(t *testing.T) {
	t.Parallel()
	in, err := os.ReadFile("testdata/mistakes.txt")
	if err != nil {
		t.Fatal(err)
	}
	parse := map[string]func(string) error{
		"check":    func(s string) error { _, err := ParseCheck(s); return err },
		"limit":    func(s string) error { _, err := ParseLimit(s, own); return err },
		"compare":  func(s string) error { _, err := ParseCompare(s, own); return err },
		"source":   func(s string) error { _, err := ParseSource(s); return err },
		"template": func(s string) error { _, err := ParseTemplate(s); return err },
	}
	var out bytes.Buffer
	for line := range strings.Lines(string(in)) {
		line = strings.TrimSuffix(line, "\n")
		kind, text, ok := strings.Cut(line, ": ")
		if !ok || parse[kind] == nil {
			t.Fatalf("testdata/mistakes.txt: %q is not KIND: EXPRESSION", line)
		}
		err := parse[kind](text)
		if err == nil {
			t.Errorf("%s: no error", line)
			continue
		}
		goodError(t, text, err)
		e := err.(*Error) //nolint:errorlint // goodError looked
		caret := strings.Repeat(" ", utf8.RuneCountInString(kind+": "+text[:e.Offset])) + "^"
		fmt.Fprintf(&out, "%s\n%s\n    %s\n    %s\n\n", line, caret, e.Error(), e.Hint)
	}
	const file = "testdata/errors.txt"
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out.String(), string(want)); diff != "" {
		t.Errorf("%s (-got +want, -update rewrites it):\n%s", file, diff)
	}
}
