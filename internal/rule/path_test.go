package rule

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

func parsePath(text string) (*path, error) {
	p := &parser{text: text}
	out, err := p.path()
	if err != nil {
		return nil, err
	}
	if !p.done() {
		return nil, p.fail(p.pos, "-", "left over")
	}
	return out, nil
}

func docOf(text string) *doc { return &doc{b: []byte(text)} }

// TestPaths takes values out of documents, in the order of the document.
func TestPaths(t *testing.T) {
	t.Parallel()
	const doc = ` {"a" : {"b":[10,{"c":"x"},[1,2]]}, "é":1, "q\"\\":2, "\u0041b":3, "n":null,
		"deep":{"a":1,"x":[{"a":{"a":2}},{"b":3}]}, "e":{}, "f":[] , "s":"{\"a\":[}" , "last":-1.5e3}`
	tests := []struct {
		path string
		want string // the values, as JSON
	}{
		{"$.a.b[0]", `[10]`},
		{"$.a.b[-1]", `[[1,2]]`},
		{"$.a.b[-3]", `[10]`},
		{"$.a.b[-4]", `[]`},
		{"$.a.b[3]", `[]`},
		{"$.a.b[1].c", `["x"]`},
		{"$.a.b.c", `[]`},
		{"$.a[0]", `[]`},
		{"$.é", `[1]`},
		{`$['q"\\']`, `[2]`},
		{`$["q\"\\"]`, `[2]`},
		{"$.Ab", `[3]`},
		{"$.n", `[null]`},
		{"$.last", `[-1500]`},
		{"$.s", `["{\"a\":[}"]`},
		{"$.e", `[{}]`},
		{"$.e.x", `[]`},
		{"$.f[0]", `[]`},
		{"$.f[*]", `[]`},
		{"$.a.b[*]", `[10,{"c":"x"},[1,2]]`},
		{"$.a.*", `[[10,{"c":"x"},[1,2]]]`},
		{"$.deep..a", `[1,{"a":2},2]`},
		{"$..c", `["x"]`},
		{"$..[0]", `[10,1,{"a":{"a":2}}]`},
		{"$.a..[*]", `[[10,{"c":"x"},[1,2]],10,{"c":"x"},[1,2],"x",1,2]`},
		{"$.last.x", `[]`},
		{"$['gone']", `[]`},
	}
	for _, tt := range tests {
		p, err := parsePath(tt.path)
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		got := values(t, p, []byte(doc))
		var want []any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i] = ints(want[i])
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.path, diff)
		}
		raw, ok := docOf(doc).find(p)
		if ok != (len(want) > 0) {
			t.Errorf("%s: find says %v", tt.path, ok)
		}
		if !ok {
			continue
		}
		v, _ := rawVal(raw)
		if first, _ := v.value(); !reflect.DeepEqual(first, want[0]) {
			t.Errorf("%s: find gives %v, want %v", tt.path, first, want[0])
		}
	}
}

// ints turns the whole numbers below v from float64 into int64, as decode does
// for those that are written without a point.
func ints(v any) any {
	switch v := v.(type) {
	case float64:
		if v == float64(int64(v)) && v != -1500 {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = ints(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = ints(v[k])
		}
	}
	return v
}

func values(t *testing.T, p *path, doc []byte) []any {
	t.Helper()
	out := []any{}
	docOf(string(doc)).each(p, func(raw []byte) bool {
		v, ok := rawVal(raw)
		if !ok {
			t.Errorf("%s gives %s, which is no value", p, raw)
		}
		x, ok := v.value()
		if !ok {
			t.Errorf("%s gives %s, which is not JSON", p, raw)
		}
		out = append(out, x)
		return true
	})
	return out
}

// TestCutBody: what came whole before the cut is found, what did not is missing.
func TestCutBody(t *testing.T) {
	t.Parallel()
	const doc = `{"a":12,"b":"text","c":[1,{"d":true}],"e":{"f":null}}`
	complete := map[string]string{"$.a": `"a":12,`, "$.b": `"b":"text"`, "$.c[0]": `[1,`, "$.c[1].d": `true}`, "$.c": `true}]`, "$.c[*]": `[1,`, "$..d": `true}`, "$.c[-1]": `true}]`, "$.e.f": `null}`, "$.e": `null}}`, "$": `null}}}`}
	complete["$"] = doc
	for text, until := range complete {
		p, err := parsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		end := strings.Index(doc, until) + len(until)
		if until == `null}}` {
			end = len(doc) - 1
		}
		for cut := range len(doc) + 1 {
			if _, ok := docOf(doc[:cut]).find(p); ok != (cut >= end) {
				t.Errorf("%s in %s: found %v", text, doc[:cut], ok)
			}
		}
	}
}

// TestCutValue: that something exists, and of what type it is, shows at its
// beginning.
func TestCutValue(t *testing.T) {
	t.Parallel()
	a := &Answer{Body: []byte(`{"items":[1,2`)}
	for check, want := range map[string]bool{
		"$.items exists": true, "$.items is array": true, "$.items is object": false, "$ is object": true, "$.items not exists": false,
		"count($.items) >= 0": false, "$.items contains 1": false, "$.items[0] == 1": true, "$.items[1] exists": true, "$.items[1] == 2": false, "$.items[2] exists": false,
	} {
		c, err := ParseCheck(check)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Holds(a, nil); got != want {
			t.Errorf("%s in %s: %v, want %v", check, a.Body, got, want)
		}
	}
}

// TestNoJSON: bodies that are no JSON have no values, and harm nothing.
func TestNoJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", " ", "<html>", "{", "[", "]", "}", "{]", "[}", `{"a"`, `{"a":`, `{"a" 1}`, `{a:1}`, `{"a":}`, `[,]`, `{,}`, `"`, `"\`, `{"a":"\`, "nul", "\x00", `{"a":nul}`, `{"a":tru`, `{"a":-}`,
		strings.Repeat("[", 1<<16), strings.Repeat(`{"a":`, 1<<14),
	} {
		for _, text := range []string{"$.a", "$[0]", "$[-1]", "$..a", "$[*]"} {
			c, err := ParseCheck(text + " is number")
			if err != nil {
				t.Fatal(err)
			}
			if c.Holds(&Answer{Body: []byte(body)}, nil) {
				t.Errorf("%s is a number in %.20q", text, body)
			}
		}
	}
	for body, want := range map[string]bool{"5": true, " 5 ": true, "5 6": true, "x": false} {
		c, _ := ParseCheck("$ == 5")
		if got := c.Holds(&Answer{Body: []byte(body)}, nil); got != want {
			t.Errorf("$ == 5 in %q: %v, want %v", body, got, want)
		}
	}
}

// TestDeepBody: a body of nothing but brackets must not keep us busy.
func TestDeepBody(t *testing.T) {
	t.Parallel()
	body := []byte(strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000))
	p, err := parsePath("$..a")
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	docOf(string(body)).each(p, func([]byte) bool { steps++; return true })
	if _, ok := docOf(string(body)).find(p); ok || steps != 0 {
		t.Error("found something in brackets")
	}
}

// FuzzPath holds our walk over the bytes against ojg's over the decoded document:
// both see the same values. Ours gives them in the order of the document; ojg has
// lost that for objects, so both are sorted.
func FuzzPath(f *testing.F) {
	for _, p := range []string{"$.a.b[0]", "$['a']['b c']", "$..a", "$.a[*]", "$[-1]", "$..[*]", "$.*", "$"} {
		for _, d := range []string{`{"a":{"b":[1,2,{"a":"x"}]},"b c":null}`, `[1,[2,[3]],{"a":{"a":[]}}]`, `"\u00e9\\"`, `{"a":1.5e3,"b c":-0,"":true}`} {
			f.Add(p, []byte(d))
		}
	}
	f.Fuzz(func(t *testing.T, text string, doc []byte) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		again, err := parsePath(p.String())
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%q prints as %q, which reads as %v, %v", text, p, again, err)
		}
		docOf(string(doc)).find(p) // whatever the document, no panic
		if !json.Valid(doc) || unlike(doc) {
			return
		}
		decoded, err := oj.Parse(doc)
		if err != nil {
			return // ojg is stricter than encoding/json in places
		}
		var want []string
		for _, v := range oracle(p).Get(decoded) {
			want = append(want, canonical(v))
		}
		var got []string
		docOf(string(doc)).each(p, func(raw []byte) bool {
			v, err := oj.Parse(raw)
			if err != nil {
				t.Fatalf("%s in %q gives %q: %v", p, doc, raw, err)
			}
			got = append(got, canonical(v))
			return true
		})
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%s in %q gives %q; ojg gives %q", p, doc, got, want)
		}
	})
}

// oracle is the path as ojg's.
func oracle(p *path) jp.Expr {
	x := jp.R()
	for _, s := range p.segs {
		if s.deep {
			x = x.D()
		}
		switch {
		case s.all:
			x = x.W()
		case s.named:
			x = x.C(s.name)
		default:
			x = x.N(s.index)
		}
	}
	return x
}

// canonical writes a decoded value with sorted members.
func canonical(v any) string { return oj.JSON(v, &oj.Options{Sort: true}) }

// unlike says that two readers may differ on a document: it has a name twice in
// an object, is nested too deep for "..", or has text that is not UTF-8.
func unlike(doc []byte) bool {
	d := json.NewDecoder(strings.NewReader(string(doc)))
	if strings.ToValidUTF8(string(doc), "") != string(doc) || strings.Contains(string(doc), `\u`) {
		return true
	}
	var names []map[string]bool // of each object that is open; nil for arrays
	key := false
	for {
		tok, err := d.Token()
		if err != nil {
			return len(names) > 0
		}
		switch tok {
		case json.Delim('{'):
			names, key = append(names, map[string]bool{}), true
		case json.Delim('['):
			names, key = append(names, nil), false
		case json.Delim('}'), json.Delim(']'):
			names = names[:len(names)-1]
			key = len(names) > 0 && names[len(names)-1] != nil
		default:
			if key {
				in, name := names[len(names)-1], fmt.Sprint(tok)
				if in[name] {
					return true
				}
				in[name] = true
			}
			key = !key && len(names) > 0 && names[len(names)-1] != nil
		}
		if len(names) > maxDepth/2 {
			return true
		}
	}
}

// TestManyPaths: what one path learnt about a document does not lead another
// astray, and a new body is not taken for the one before it.
func TestManyPaths(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"first":1`)
	for i := range 20 {
		fmt.Fprintf(&body, `,"list%d":[%s{"n":%d}],"after%d":%d`, i, strings.Repeat(`{"pad":"]}"},`, 20), i, i, i)
	}
	body.WriteString("}")
	a := &Answer{Body: []byte(body.String())}
	for range 2 {
		for i := range 20 {
			for path, want := range map[string]Value{
				fmt.Sprintf("$.after%d", i): int64(i), fmt.Sprintf("$.list%d[-1].n", i): int64(i), fmt.Sprintf("$.list%d[20].n", i): int64(i), "$.first": int64(1),
			} {
				s, err := ParseSource(path)
				if err != nil {
					t.Fatal(err)
				}
				if got, ok := s.Value(a); !ok || got != want {
					t.Errorf("%s: %v, %v; want %v", path, got, ok, want)
				}
			}
		}
	}
	s, _ := ParseSource("$.after3")
	a.Body = append(a.Body[:0], `{"list0":[1],"after3":"new"}`...)
	a.Reset()
	if got, ok := s.Value(a); !ok || got != "new" {
		t.Errorf("after a new body: %v, %v", got, ok)
	}
}
