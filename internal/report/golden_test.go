package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files; read the diff before committing")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (-want +got):\n%s", path, cmp.Diff(string(want), string(got)))
	}
}

func TestMarkdownGolden(t *testing.T) {
	t.Parallel()
	for _, name := range outcomes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			marker := "<!-- loadline v1 key=api/staging run=9871234567.2 sha=8a1e38dc97 -->"
			if err := Markdown(&b, Comment{Marker: marker}, samplePage(name)); err != nil {
				t.Fatal(err)
			}
			if b.Len() > CommentBudget {
				t.Errorf("%d bytes, budget is %d", b.Len(), CommentBudget)
			}
			golden(t, "markdown/"+name+".md", b.Bytes())
		})
	}
}
