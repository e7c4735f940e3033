package convert

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/spec"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// readers are the four importers, by the folder of their sources in testdata.
var readers = map[string]func(io.Writer, io.Reader, Options) error{
	"curl": Curl, "openapi": OpenAPI, "har": HAR, "artillery": Artillery,
}

// parsed reads an imported spec as `loadline validate` does, with nothing set in
// the environment.
func parsed(t testing.TB, text string) *spec.Spec {
	t.Helper()
	s, problems := spec.Parse(spec.Input{File: "imported.toml", Text: []byte(text)})
	for _, p := range problems {
		t.Errorf("the spec has a problem: %s", p)
	}
	if t.Failed() {
		t.Fatalf("in the spec:\n%s", text)
	}
	return s
}

// TestGolden reads every source of testdata and compares what comes of it.
// Whatever it is, the spec has no mistakes and no warning of a secret in it, and
// none of the planted secrets is anywhere in it, comments included.
func TestGolden(t *testing.T) {
	t.Parallel()
	for kind, read := range readers {
		files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("testdata/%s: %d files, %v", kind, len(files), err)
		}
		for _, file := range files {
			if filepath.Ext(file) == ".toml" {
				continue
			}
			t.Run(kind+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				golden(t, file, read)
			})
		}
	}
}

func golden(t *testing.T, file string, read func(io.Writer, io.Reader, Options) error) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := read(&out, bytes.NewReader(source), Options{Source: filepath.Base(file)}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "pl4nted") {
		t.Errorf("a secret is in the spec:\n%s", out.String())
	}
	s := parsed(t, out.String())
	for _, w := range s.Warnings {
		if strings.Contains(w.Message, "stands in the file") {
			t.Errorf("a secret stands in the spec: %s", w)
		}
	}
	want := strings.TrimSuffix(file, filepath.Ext(file)) + ".toml"
	if *update {
		if err := os.WriteFile(want, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), out.String()); diff != "" {
		t.Errorf("go test ./internal/convert -update writes it anew (-have +want):\n%s", diff)
	}
}

// TestRefused holds what is said about sources that are none.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, kind, source, want string }{
		{"empty", "har", " \n", "it is empty"},
		{"not UTF-8", "curl", "curl http://\xff", "it is not UTF-8: save it as UTF-8"},
		{"no command", "curl", "wget http://example.com", `there is no curl command with a URL in it: write it like "curl https://example.com/orders"`},
		{"no URL", "curl", "curl -s", `the curl command has no URL: write it like "curl https://example.com/orders"`},
		{"another protocol", "curl", "curl ftp://example.com/x", `"ftp://example.com/x" is not a URL with http:// or https://: loadline speaks http and https`},
		{"open quote", "curl", "curl 'http://example.com", `a quote that begins at "'http://example.com" does not end: copy the whole command`},
		{"swagger", "openapi", `{"swagger": "2.0", "info": {}}`, "this is Swagger 2.0, and OpenAPI 3 is wanted: convert it first, for example with https://converter.swagger.io"},
		{"another document", "openapi", `{"a": 1}`, `this is not an OpenAPI description: it begins with "openapi: 3.x"`},
		{"no paths", "openapi", `{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {}}`, "it has no paths: it describes nothing to send"},
		{"another file", "openapi", `{"openapi": "3.0.0", "info": {"title": "x", "version": "1"}, "paths": {"/a": {"$ref": "other.json"}}}`, "it refers to other files: bundle it into one file first, for example with `npx @redocly/cli bundle`"},
		{"not a recording", "har", `[]`, "it is not a HAR file (json: cannot unmarshal array into Go value of type convert.har): export it from the network panel of a browser"},
		{"nothing recorded", "har", `{"log": {}}`, "it has no requests in log.entries: record something, then export it again"},
		{"not a script", "artillery", "a: 1", "this is not an Artillery script: it has config and scenarios"},
		{"not YAML", "artillery", "a: [", "it cannot be read (yaml: line 1: did not find expected node content): check it with a YAML linter"},
		{"too many aliases", "artillery", bomb(), "it cannot be read (it has too many values): check it with a YAML linter"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := readers[tt.kind](io.Discard, strings.NewReader(tt.source), Options{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// bomb is a small YAML document with 10^7 values.
func bomb() string {
	var b strings.Builder
	b.WriteString("config: &a0 [x]\n")
	for i := 1; i < 8; i++ {
		name := string(rune('0' + i))
		before := "*a" + string(rune('0'+i-1))
		b.WriteString("k" + name + ": &a" + name + " [" + strings.Join(slices.Repeat([]string{before}, 10), ", ") + "]\n")
	}
	return b.String()
}

// fuzz holds that a source either is refused or becomes a spec without mistakes.
func fuzz(f *testing.F, kind string) {
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if source, err := os.ReadFile(file); err == nil && filepath.Ext(file) != ".toml" {
			f.Add(string(source))
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		var out bytes.Buffer
		if readers[kind](&out, strings.NewReader(source), Options{}) == nil {
			parsed(t, out.String())
		}
	})
}

func FuzzCurl(f *testing.F) {
	for _, seed := range []string{
		`curl 'https://a.test/x?a=${B}&b={{c}}' -H 'X-A: ${x} {{ y }}'`,
		"curl -sSLku me:pw --json '{\"a\":null,\"b\":[1,2.50,1e400],\"${x}\":\"{{y}}\"}' a.test",
		"curl $'https://a.test/\\u00e9\\x41' -d a=b&&curl b.test -F a=b -F 'f=@x.png;type=image/png'",
		`curl -d '{"a": "b"}' http://u:p@a.test:8080/p%20q/%zz`,
	} {
		f.Add(seed)
	}
	fuzz(f, "curl")
}

func FuzzOpenAPI(f *testing.F)   { fuzz(f, "openapi") }
func FuzzHAR(f *testing.F)       { fuzz(f, "har") }
func FuzzArtillery(f *testing.F) { fuzz(f, "artillery") }
