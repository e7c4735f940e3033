package spec

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

// keyList gives the keys of the marks as MetaData.Keys gives the library's, so
// that the second reading of a text can be held against the first.
func keyList(m *mark, prefix toml.Key) []string {
	var keys []string
	for _, item := range m.items {
		keys = append(keys, keyList(item, prefix)...)
	}
	for _, name := range m.order {
		key := append(slices.Clip(prefix), name)
		k := m.kids[name]
		keys = append(keys, key.String())
		keys = append(keys, keyList(k, key)...)
	}
	return keys
}

// pathOf names the value as a person would look for it: scenario[0].step[2].request.
func pathOf(n *node) string {
	switch {
	case n.parent == nil:
		return ""
	case n.parent.kind == listNode:
		return pathOf(n.parent) + "[" + strconv.Itoa(slices.Index(n.parent.kids, n)) + "]"
	case n.parent.parent == nil:
		return n.name
	default:
		return pathOf(n.parent) + "." + n.name
	}
}

// agree checks that marks and library saw the same keys and the same strings.
func agree(t *testing.T, text []byte) {
	t.Helper()
	data := map[string]any{}
	meta, err := toml.Decode(string(text), &data)
	if err != nil {
		return
	}
	listed := map[string]bool{}
	for _, k := range meta.Keys() {
		for i := range k { // [a.b] lists no key a, marks do
			listed[k[:i+1].String()] = true
		}
	}
	root := marks(text)
	got := map[string]bool{}
	for _, k := range keyList(root, nil) {
		got[k] = true
	}
	for k := range got {
		if !listed[k] {
			t.Errorf("marks have key %s, the library has not", k)
		}
	}
	for k := range listed {
		if !got[k] {
			t.Errorf("the library has key %s, marks have not", k)
		}
	}
	agreeValues(t, text, newNode("", nil, data, root, text))
}

func agreeValues(t *testing.T, text []byte, n *node) {
	t.Helper()
	for _, k := range n.kids {
		agreeValues(t, text, k)
	}
	if s, ok := n.value.(string); ok {
		literal := text[n.val.start:n.val.end]
		var from []int
		if got := decode(literal, func(i int) { from = append(from, i) }); got != s {
			t.Errorf("%s: the literal %s reads as %q, the library says %q", pathOf(n), literal, got, s)
		}
		if len(from) != len(s) {
			t.Errorf("%s: %d places for %d bytes", pathOf(n), len(from), len(s))
		}
	}
}

var tricky = []string{
	"a = 1\n[b]\nc.d.'e f' = \"x\"\n[[g]]\nh = [1, [2, 3], {i = 4, j.k = 5}]\n[[g]]\n[g.l]\nm = 1\n",
	"a = \"\"\"\nx \\\n   y\\u00e9\"\"\"\"\nb = '''\nz''''\n",
	"'' = 1\n\"\" . \"a.b\" = 2\n",
	"a = [ # comment ]\n 1, # two\n 2,\n]\nb = 1979-05-27 07:32:00 # date\nc = {}\nd = []\n",
	"a.b = 1\na.c = 2\n[x.y]\nz = 1\n[x]\nw = 2\n",
	"[[a.b]]\nc = 1\n[[a.b]]\nc = 2\n[a.b.d]\ne = 3\n[[a.b.f]]\n[[a.b.f]]\ng = 1\n",
	"a = \"x\\\"y\"\r\nb = '''\r\n1\r\n2'''\r\nc = \"\"\"\r\n1\r\n2 \\\r\n 3\"\"\"",
	"a = { b = 1,\n c = 2, # comment\n}\n",
	"a = \"\\e\\x41\\U0001F600\"\n",
}

func TestMarksAgreeWithTheLibrary(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/examples/*.toml")
	if err != nil || len(files) < 9 {
		t.Fatalf("found %d examples, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			agree(t, text)
			agree(t, []byte(strings.ReplaceAll(string(text), "\n", "\r\n")))
		})
	}
	for _, text := range tricky {
		agree(t, []byte(text))
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	text := "[target]\nurl = \"http://é/\"\n[[scenario]]\n  [[scenario.step]]\n  request = \"GET /\"\n  [[scenario.step]]\n  name = 'é', \n"
	text = strings.Replace(text, ", ", "", 1) + "  json = { a = [1, { b = 2 }] }\n"
	var data map[string]any
	if _, err := toml.Decode(text, &data); err != nil {
		t.Fatal(err)
	}
	src := newSource("x.toml", []byte(text))
	got := map[string][2]Pos{}
	var walk func(n *node)
	walk = func(n *node) {
		if n.parent != nil {
			got[pathOf(n)] = [2]Pos{src.pos(n.key.start), src.pos(n.val.start)}
		}
		for _, k := range n.kids {
			walk(k)
		}
	}
	walk(newNode("", nil, data, marks(src.text), src.text))
	want := map[string][2]Pos{
		"target":                          {{1, 1}, {1, 1}},
		"target.url":                      {{2, 1}, {2, 7}},
		"scenario":                        {{3, 1}, {3, 1}},
		"scenario[0]":                     {{3, 1}, {3, 1}},
		"scenario[0].step":                {{4, 3}, {4, 3}},
		"scenario[0].step[0]":             {{4, 3}, {4, 3}},
		"scenario[0].step[0].request":     {{5, 3}, {5, 13}},
		"scenario[0].step[1]":             {{6, 3}, {6, 3}},
		"scenario[0].step[1].name":        {{7, 3}, {7, 10}},
		"scenario[0].step[1].json":        {{8, 3}, {8, 10}},
		"scenario[0].step[1].json.a":      {{8, 12}, {8, 16}},
		"scenario[0].step[1].json.a[0]":   {{8, 17}, {8, 17}},
		"scenario[0].step[1].json.a[1]":   {{8, 20}, {8, 20}},
		"scenario[0].step[1].json.a[1].b": {{8, 22}, {8, 26}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzMarks(f *testing.F) {
	for _, text := range tricky {
		f.Add([]byte(text))
	}
	files, _ := filepath.Glob("testdata/examples/*.toml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) { agree(t, newSource("", text).text) })
}
