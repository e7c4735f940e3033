package spec

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/rule"
)

// TestEveryKeyIsRead holds that each row of the key table is read by the code
// that makes a Spec: a key that is accepted and then ignored would be worse than
// one that is refused. It also reads every default of the table.
func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	for _, text := range append([]string{
		small("[user]\nthink = { dist = \"normal\", mean = \"1s\", sd = \"1s\" }\n[http.auth]\nbearer = \"{{ user.id }}\"\n[[scenario]]\nname = \"u\"\nusers = 1\npace = \"1s\"\n[[scenario.step]]\nrequest = \"POST /u\"\ngraphql = { query = \"{ a }\", operation = \"a\", variables = {} }\n"),
		examples(t)["ci-gate.toml"], examples(t)["seed-k6-stages.toml"],
	}, examples(t)["full-reference.toml"]) {
		src := newSource("x.toml", []byte(text))
		root := decodeTree(t, src)
		for _, profile := range []string{"", "smoke", "closed", "each", "limit"} {
			if profile != "" && root.kid("profile").kid(profile) == nil {
				continue
			}
			r := &reader{
				src: src, env: lookup(exampleEnv), files: &files{fs: exampleFiles, read: map[string]file{}}, secrets: map[string]bool{}, usedNames: map[string]bool{},
				hadRead: func(section, key string) { read[section+"."+key] = true },
			}
			b := newBuilder(r, Input{})
			b.build(root, profile)
			for _, p := range r.problems {
				t.Log(p)
			}
		}
	}
	for _, sec := range keyTable {
		for _, k := range sec.keys {
			if sec.name != "profile" && sec.name+"."+k.name != ".profile" && !read[sec.name+"."+k.name] {
				t.Errorf("no code reads %s.%s", sec.name, k.name)
			}
			if k.help == "" && sec.name != "profile" {
				t.Errorf("%s.%s has no help", sec.name, k.name)
			}
			if k.of != "" {
				sectionOf(k.of)
			}
		}
	}
}

func decodeTree(t *testing.T, src *source) *node {
	t.Helper()
	data := map[string]any{}
	if _, err := toml.Decode(string(src.text), &data); err != nil {
		t.Fatal(err)
	}
	return newNode("", nil, data, marks(src.text), src.text)
}

var sameSpec = cmp.Options{
	cmp.AllowUnexported(Spec{}),
	cmp.Comparer(func(a, b *rule.Template) bool { return (a == nil) == (b == nil) && (a == nil || a.Text() == b.Text()) }),
	cmp.Comparer(func(a, b *rule.Check) bool { return (a == nil) == (b == nil) && (a == nil || a.Text() == b.Text()) }),
	cmp.Comparer(func(a, b *rule.Source) bool { return (a == nil) == (b == nil) && (a == nil || a.Text() == b.Text()) }),
	cmp.Comparer(func(a, b *rule.JSON) bool { return (a == nil) == (b == nil) && (a == nil || a.Text() == b.Text()) }),
	cmp.Comparer(func(a, b *rule.Expr) bool { return (a == nil) == (b == nil) && (a == nil || a.String() == b.String()) }),
	cmp.Comparer(func(a, b *rule.Limit) bool { return a.Text == b.Text }),
	cmp.Comparer(func(a, b *rule.Compare) bool { return a.Text == b.Text }),
}

func TestDeterministic(t *testing.T) {
	t.Parallel()
	for name, text := range examples(t) {
		first := parse(t, text)
		for range 5 {
			if diff := cmp.Diff(first, parse(t, text), sameSpec); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
	for _, name := range []string{"everything-wrong", "profile-key", "check-syntax"} {
		text, err := os.ReadFile("testdata/broken/" + name + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		_, first := Parse(brokenInput(name, text))
		for range 5 {
			_, again := Parse(brokenInput(name, text))
			if diff := cmp.Diff(first, again); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// shuffled writes a spec of blocks in another order, and the lines of each
// block too, with comments between them.
func shuffled(blocks []string, rng *rand.Rand) string {
	blocks = append([]string(nil), blocks...)
	rng.Shuffle(len(blocks), func(i, j int) { blocks[i], blocks[j] = blocks[j], blocks[i] })
	var b strings.Builder
	for _, block := range blocks {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		keys := lines[1:]
		if !strings.Contains(block, "[[scenario.step]]") {
			rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		}
		fmt.Fprintf(&b, "%s # %d\n", lines[0], rng.IntN(100))
		for _, k := range keys {
			fmt.Fprintf(&b, "  %s  # %d\n\n", k, rng.IntN(100))
		}
	}
	return b.String()
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	blocks := []string{
		"[target]\nurl = \"https://api.example.com\"\nallow_hosts = [\"a.example.com\"]",
		"[vars]\nregion = \"eu\"\nn = 5",
		"[secrets]\npin = \"${CI_PIN:-x}\"",
		"[http]\ntimeout = \"5s\"\nredirects = 3\nheaders = { X-Commit = \"${COMMIT:-none}\", Accept = \"a\" }",
		"[load]\nrate = \"80/s\"\nduration = \"90s\"\nwarmup = \"15s\"\nmax_users = 50",
		"[user]\nthink = \"1s..3s\"",
		"[data.d]\nfile = \"customers.csv\"",
		"[gate]\nthresholds = [\"errors < 1%\"]\nper = \"step\"",
		"[[scenario]]\nname = \"list\"\nweight = 2\n[[scenario.step]]\nrequest = \"GET /users/{{ region }}/{{ d.id }}/{{ n }}\"\nchecks = [\"status == 200\"]\njson = { pin = \"{{ pin }}\", a = 1 }",
	}
	base := parse(t, strings.Join(blocks, "\n"))
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		text := shuffled(blocks, rng)
		if got := parse(t, text); got.Fingerprint != base.Fingerprint {
			t.Fatalf("order and comments change the fingerprint:\n%s\n%s", text, cmp.Diff(base.Parts, got.Parts))
		}
	}
	for _, tt := range []struct{ name, old, new, part string }{
		{"another limit", "errors < 1%", "errors < 2%", ""},
		{"another URL", "https://api", "http://staging", ""},
		{"another host", "a.example.com", "b.example.com", ""},
		{"another secret", "CI_PIN:-x", "OTHER:-y", ""},
		{"another spelling of a duration", `"90s"`, `"1m30s"`, ""},
		{"another spelling of a rate", `"80/s"`, `"800/10s"`, ""},
		{"a default written down", "redirects = 3", "redirects = 3\nkeep_alive = true\nbody_limit = \"1024KiB\"\nconnections = \"per-user\"", ""},
		{"a default of a step written down", "checks =", "expect = [\"2xx\"]\nrepeat = 1\nthink = \"0s\"\nchecks =", ""},
		{"tables of nothing", "per = \"step\"", "per = \"step\"\n[diagnose]\n[http.tls]\nmin_version = \"1.2\"\n[metrics]", ""},
		{"a scenario's empty tags", "weight = 2", "weight = 2\ntags = {}\non_start = []", ""},
		{"a seed", "max_users = 50", "max_users = 50\nseed = 9", ""},
		{"a record", "per = \"step\"", "per = \"total\"\n[metrics]\nx = \"rate\"", ""},
		{"another rate", `"80/s"`, `"81/s"`, "load"},
		{"no warm-up", `"15s"`, `"0s"`, "load"},
		{"another timeout", `"5s"`, `"6s"`, "http"},
		{"another header", "Accept = \"a\"", "Accept = \"b\"", "http"},
		{"another pause", "1s..3s", "1s..4s", "user"},
		{"another variable", "region = \"eu\"", "region = \"us\"", "vars"},
		{"another weight", "weight = 2", "weight = 3", "scenario.list"},
		{"another path", "GET /users", "GET /people", "scenario.list"},
		{"another check", "status == 200", "status == 201", "scenario.list"},
		{"another body", "a = 1", "a = 2", "scenario.list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Join(blocks, "\n")
			if !strings.Contains(text, tt.old) {
				t.Fatalf("the spec has no %s", tt.old)
			}
			got := parse(t, strings.ReplaceAll(text, tt.old, tt.new))
			var changed []string
			for _, name := range sortedKeys(got.Parts) {
				if got.Parts[name] != base.Parts[name] {
					changed = append(changed, name)
				}
			}
			if strings.Join(changed, " ") != tt.part || (got.Fingerprint == base.Fingerprint) != (tt.part == "") {
				t.Errorf("changed parts %v, want %q", changed, tt.part)
			}
		})
	}
	bare, full := parse(t, small("")), parse(t, "setup = []\n"+small("[vars]\n[http]\ntimeout = \"30s\"\n[user]\nthink = \"0s\"\nlifetime = \"run\"\n"))
	if bare.Fingerprint != full.Fingerprint {
		t.Errorf("defaults written down change the fingerprint: %s", cmp.Diff(bare.Parts, full.Parts))
	}
	commit := parse(t, strings.Join(blocks, "\n"), func(in *Input) { in.Env = lookup(map[string]string{"COMMIT": "abc"}) })
	if commit.Fingerprint != base.Fingerprint {
		t.Error("the environment of a run changes the fingerprint")
	}
	rate := parse(t, strings.Join(blocks, "\n"), func(in *Input) { in.Rate = "5/s" })
	if rate.Fingerprint == base.Fingerprint {
		t.Error("--rate does not change the fingerprint")
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/examples/*.toml", "testdata/broken/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text, "")
		}
	}
	f.Add([]byte(small("[profile.x.load]\nusers = 1\niterations = 1\n")), "x")
	f.Fuzz(func(t *testing.T, text []byte, profile string) {
		env := map[string]string{"BASE_URL": "http://x", "WORD": "many", "CI_SECRET": "hunter2word"}
		in := Input{File: "f.toml", Text: text, FS: brokenFiles, Env: lookup(env), Profile: profile}
		s, problems := Parse(in)
		if (s == nil) != (len(problems) > 0) {
			t.Fatalf("spec %v with %d problems", s != nil, len(problems))
		}
		if len(problems) > MaxProblems+1 {
			t.Fatalf("%d problems", len(problems))
		}
		for _, p := range problems {
			if err := p.WriteExcerpt(&strings.Builder{}); err != nil || p.Message == "" || strings.Contains(p.String(), "\n") {
				t.Fatalf("%q, %v", p.String(), err)
			}
		}
		if s != nil {
			s.Catalog()
		}
	})
}

func FuzzFeed(f *testing.F) {
	for name, file := range brokenFiles {
		if len(file.Data) < 1<<10 {
			f.Add(file.Data, name)
		}
	}
	f.Add([]byte("[{\"a\": {\"b\": [1, 2.5e300, 1e999, null]}}]"), "x.json")
	f.Fuzz(func(t *testing.T, content []byte, name string) {
		feed := &Feed{Name: "d"}
		var err error
		switch filepath.Ext(name) {
		case ".json":
			err = readJSON(feed, content)
		case ".jsonl":
			err = readJSONL(feed, content)
		default:
			err = readCSV(feed, content, ',', len(name)%2 == 0)
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		for _, row := range feed.Rows {
			if len(row) != len(feed.Columns) {
				t.Fatalf("%d values for %d columns", len(row), len(feed.Columns))
			}
			for _, v := range row {
				switch v := v.(type) {
				case nil, bool, int64, string, []any, map[string]any:
				case float64:
					if v != v || v > 1e308 || v < -1e308 {
						t.Fatalf("value %v", v)
					}
				default:
					t.Fatalf("value %v of type %T", v, v)
				}
			}
		}
	})
}

// manySteps is a spec of n steps with checks, captures and bodies.
func manySteps(n int) []byte {
	var b strings.Builder
	b.WriteString("[target]\nurl = \"https://api.example.com\"\n[load]\nrate = \"5/s\"\nduration = \"10s\"\n")
	for i := range n {
		if i%50 == 0 {
			fmt.Fprintf(&b, "[[scenario]]\nname = \"s%d\"\n", i)
		}
		fmt.Fprintf(&b, "  [[scenario.step]]\n  request = \"POST /things/%d\"\n  headers = { X-Id = \"{{ uuid() }}\", Accept = \"application/json\" }\n  json = { id = %d, name = \"n {{ user.id }}\", tags = [\"a\", \"b\"] }\n  checks = [\"status == 201\", \"$.id exists\", \"latency < 500ms\"]\n  capture = { id%d = \"$.id\" }\n", i, i, i)
	}
	return []byte(b.String())
}

func BenchmarkParse5000Steps(b *testing.B) {
	text := manySteps(5000)
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := Parse(Input{File: "big.toml", Text: text}); len(problems) > 0 {
			b.Fatal(problems[0])
		}
	}
}

// TestWrongKinds puts a value of another kind behind every key of the example
// that has them all, and a key nobody knows beside it. Whatever comes of it is
// told at its line, and nothing panics.
func TestWrongKinds(t *testing.T) {
	t.Parallel()
	wrong := []string{"5", "-1", "2.5", `""`, `"x"`, `"{{ x }}"`, `"${X}"`, "true", "[]", "{}", "[{}]", `["x"]`, "{ x = 1 }", "1979-05-27", "[[1]]", "nan"}
	src := newSource("x.toml", []byte(examples(t)["full-reference.toml"]))
	root := decodeTree(t, src)
	i := 0
	var each func(n *node)
	each = func(n *node) {
		for _, k := range n.kids {
			if k.val != k.key && k.val.end > k.val.start {
				i++
				value := wrong[i%len(wrong)]
				text := string(src.text[:k.val.start]) + value + string(src.text[k.val.end:])
				s, problems := Parse(Input{File: "x.toml", Text: []byte(text), FS: exampleFiles, Env: lookup(exampleEnv)})
				if s == nil && len(problems) == 0 {
					t.Errorf("%s = %s: neither a spec nor a problem", pathOf(k), value)
				}
			}
			each(k)
		}
	}
	each(root)
	if i < 200 {
		t.Errorf("tried %d values", i)
	}
}
