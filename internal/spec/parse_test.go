package spec

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// exampleEnv is what the examples need to be set.
var exampleEnv = map[string]string{
	"BASE_URL":              "https://staging.example.com",
	"STAGING_CLIENT_SECRET": "hunter2-client",
	"METRICS_URL":           "https://staging.example.com/metrics",
	"PROMETHEUS_URL":        "https://prometheus.example.com",
}

// exampleFiles are the files that the examples name.
var exampleFiles = fstest.MapFS{
	"customers.csv":        {Data: []byte("id,name\n1,Ada\n2,Bob\n")},
	"fixtures.json":        {Data: []byte(`{"orders":3}`)},
	"cat.jpg":              {Data: []byte("\xff\xd8cat")},
	"certs/ca.pem":         {Data: []byte("ca")},
	"certs/client.pem":     {Data: []byte("cert")},
	"certs/client-key.pem": {Data: []byte("key")},
}

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// parse reads a spec in which nothing may be wrong.
func parse(t *testing.T, text string, change ...func(*Input)) *Spec {
	t.Helper()
	in := Input{File: "x.toml", Text: []byte(text), FS: exampleFiles, Env: lookup(exampleEnv)}
	for _, c := range change {
		c(&in)
	}
	s, problems := Parse(in)
	for _, p := range problems {
		t.Error(p)
	}
	if s == nil {
		t.FailNow()
	}
	return s
}

func examples(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/examples/*.toml")
	if err != nil || len(files) < 9 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	out := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = string(text)
	}
	return out
}

func TestExamples(t *testing.T) {
	t.Parallel()
	for name, text := range examples(t) {
		t.Run(name, func(t *testing.T) {
			s := parse(t, text)
			for _, w := range s.Warnings {
				t.Log(w)
			}
			for _, profile := range []string{"smoke", "soak", "spike", "breakpoint", "closed", "each", "limit"} {
				if strings.Contains(text, "[profile."+profile+".") {
					parse(t, text, func(in *Input) { in.Profile = profile })
				}
			}
		})
	}
}

var _ fs.FS = exampleFiles
