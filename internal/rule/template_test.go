package rule

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testEnv() *env {
	return &env{values: map[string]Value{
		"token": "t&=é", "n": int64(42), "f": 1.5, "big": 1e21, "yes": true, "none": nil, "list": []any{int64(1), "a"}, "object": map[string]any{"k": "<v>"},
		"customers.id": "c-1", "user.id": int64(7), "text": "say \"hi\"\n\\", "num": "12", "frac": "12.7", "recursive": "{{ token }}", "bad": "a\xffb", "max": int64(3), "my-var": "dash",
	}}
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", ""},
		{"plain }} text { {", "plain }} text { {"},
		{"{{ token }}", "t&=é"},
		{"{{token}}", "t&=é"},
		{"a{{ n }}b{{ n }}c", "a42b42c"},
		{"{{ customers.id }}/{{ user.id }}/{{ my-var }}", "c-1/7/dash"},
		{"{{ f }} {{ big }} {{ yes }} {{ none }}", "1.5 1e+21 true null"},
		{"{{ list }}", `[1,"a"]`},
		{"{{ object }}", `{"k":"\u003cv\u003e"}`},
		{"{{ recursive }}", "{{ token }}"},
		{"{{ '{{' }} {{ \"it's }}\" }}", "{{ it's }}"},
		{"{{ 5 }} {{ -1.5 }} {{ true }} {{ null }}", "5 -1.5 true null"},
		// Filters.
		{"{{ token | upper }} {{ 'ÀB' | lower }}", "T&=É àb"},
		{"{{ token | urlencode }}", "t%26%3D%C3%A9"},
		{"{{ 'a:b' | base64 }}", "YTpi"},
		{"{{ 'ab' | hex }}", "6162"},
		{"{{ 'abc' | md5 }}", "900150983cd24fb0d6963f7d28e17f72"},
		{"{{ 'abc' | sha256 }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		// RFC 4231, test case 2.
		{"{{ 'what do ya want for nothing?' | hmac_sha256('Jefe') }}", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"{{ 'x' | hmac_sha256(num) }}", "1b1071a1c386e98595b143535dc3e504b4bfaaca152efa45005aa2661cb303bc"},
		{"{{ text | json }}", `"say \"hi\"\n\\"`},
		{"{{ n | json }} {{ none | json }}", "42 null"},
		{"{{ num | int }} {{ frac | int }} {{ f | int }}", "12 12 1"},
		{"{{ n | string | json }}", `"42"`},
		{"{{ n | string | base64 | lower }}", "ndi="},
		// Functions of one value.
		{"{{ random_int(5, 5) }} {{ random_int(max, max) }}", "5 3"},
		{"{{ random_float(2, 2) }}", "2"},
		{"{{ pick('a') }} {{ pick(n) }}", "a 42"},
		{"{{ random_string(0) }}", ""},
		{"{{ seq(a) }} {{ seq('a') }} {{ seq(b) }}", "1 2 1"},
	}
	for _, tt := range tests {
		tmpl, err := ParseTemplate(tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got, err := tmpl.Append([]byte("> "), testEnv())
		if string(got) != "> "+tt.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", tt.text, got, err, "> "+tt.want)
		}
	}
}

// TestTemplateErrors: what only a run can find; dst stays as it was.
func TestTemplateErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a {{ gone }}":                  `"gone" has no value here`,
		"a {{ n | hmac_sha256(gone) }}": `"gone" has no value here`,
		"a {{ token | int }}":           "not a number",
		"a {{ random_int(n, 1) }}":      "random_int needs two whole numbers, the smaller first",
		"a {{ random_int(token, 1) }}":  "random_int needs two whole numbers, the smaller first",
		"a {{ random_float(n, 1) }}":    "random_float needs two numbers, the smaller first",
		"a {{ random_string(token) }}":  "random_string needs a length from 0 to 65536",
		"a {{ now(gone) }}":             `"gone" has no value here`,
		"a {{ pick(gone) }}":            `"gone" has no value here`,
	} {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got, err := tmpl.Append([]byte("> "), testEnv())
		if err == nil || err.Error() != want || string(got) != "> " {
			t.Errorf("%s: %q, %v; want %s", text, got, err, want)
		}
		doc, err := NewJSON(map[string]any{"a": text, "b": strings.TrimPrefix(text, "a ")})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := doc.Append([]byte("> "), testEnv()); err == nil || err.Error() != want || string(got) != "> " {
			t.Errorf("%s in JSON: %q, %v; want %s", text, got, err, want)
		}
	}
}

func TestTemplateValue(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Value{
		"{{ n }}": int64(42), "{{ f }}": 1.5, "{{ yes }}": true, "{{ none }}": nil, "{{ n }} ": "42 ", "{{ n | string }}": "42", "{{ num | int }}": int64(12), "x": "x", "": "",
	} {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tmpl.Value(testEnv()); got != want || err != nil {
			t.Errorf("%q: %#v, %v; want %#v", text, got, err, want)
		}
	}
}

func TestTemplateNames(t *testing.T) {
	t.Parallel()
	tmpl, err := ParseTemplate("a{{ x }} {{ f.col | hmac_sha256(key) }} {{ pick(y, 'z', 1) }} {{ seq(s) }} {{ uuid() }}")
	if err != nil {
		t.Fatal(err)
	}
	want := []Name{{"x", 4}, {"f.col", 12}, {"key", 32}, {"y", 48}}
	if diff := cmp.Diff(tmpl.Names(), want); diff != "" {
		t.Errorf("names (-got +want):\n%s", diff)
	}
	for text, want := range map[string]bool{"{{ a }}{{ b | upper }}": true, "": true, "{{ uuid() }}": false, "{{ a }} {{ now() }}": false} {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := tmpl.Pure(); got != want {
			t.Errorf("%q is pure: %v, want %v", text, got, want)
		}
	}
	if text, ok := mustTemplate(t, "a }} b").Literal(); !ok || text != "a }} b" {
		t.Errorf("Literal: %q, %v", text, ok)
	}
	if _, ok := mustTemplate(t, "a{{ b }}").Literal(); ok {
		t.Error("a template with {{ }} is a literal")
	}
}

func mustTemplate(t testing.TB, text string) *Template {
	t.Helper()
	tmpl, err := ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// TestRandom holds the forms and limits of what is random, and that it follows
// from the generator.
func TestRandom(t *testing.T) {
	t.Parallel()
	for text, form := range map[string]string{
		"{{ uuid() }}":            `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"{{ random_string(12) }}": `^[A-Za-z0-9]{12}$`,
		"{{ random_int(-2, 2) }}": `^(-[12]|[012])$`,
		"{{ random_int(-9223372036854775808, 9223372036854775807) }}": `^-?[0-9]+$`,
		"{{ random_float(0.5, 0.75) }}":                               `^0\.[567][0-9]*$`,
		"{{ pick('a', n, true) }}":                                    `^(a|42|true)$`,
	} {
		tmpl, re := mustTemplate(t, text), regexp.MustCompile(form)
		a, b := testEnv(), testEnv()
		seen := map[string]bool{}
		for range 200 {
			x, err := tmpl.Append(nil, a)
			if err != nil || !re.Match(x) {
				t.Errorf("%s: %q, %v", text, x, err)
				break
			}
			if y, _ := tmpl.Append(nil, b); string(x) != string(y) {
				t.Errorf("%s: %q and %q from the same generator", text, x, y)
				break
			}
			seen[string(x)] = true
		}
		if len(seen) < 3 {
			t.Errorf("%s gives only %v", text, seen)
		}
	}
}

func TestNow(t *testing.T) {
	t.Parallel()
	before := time.Now().UTC().Truncate(time.Second)
	for text, layout := range map[string]string{
		"{{ now() }}": time.RFC3339, "{{ now('rfc3339nano') }}": time.RFC3339Nano, "{{ now('rfc1123') }}": "Mon, 02 Jan 2006 15:04:05 MST",
		"{{ now('2006-01-02T15:04:05Z') }}": time.RFC3339, "{{ now('datetime') }}": time.DateTime,
	} {
		out, err := mustTemplate(t, text).Append(nil, testEnv())
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(layout, string(out))
		if err != nil || at.Before(before) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s: %s, %v", text, out, err)
		}
	}
	for text, unit := range map[string]int64{"{{ unix() }}": 1, "{{ unix_ms() }}": 1000} {
		v, err := mustTemplate(t, text).Value(testEnv())
		n, ok := v.(int64)
		if err != nil || !ok || n < before.Unix()*unit || n > (time.Now().Unix()+1)*unit {
			t.Errorf("%s: %v, %v", text, v, err)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		doc  any
		want string
	}{
		{"kinds", map[string]any{"s": "x", "i": int64(1), "f": 1.0, "b": false, "n": nil, "a": []any{"x", int64(2)}, "t": []map[string]any{{"k": "v"}}}, `{"a":["x",2],"b":false,"f":1,"i":1,"n":null,"s":"x","t":[{"k":"v"}]}`},
		{"escapes", []any{"<&>\"\\\n\t\x01é\u2028", "bad\xff"}, `["<&>\"\\\n\t\u0001é` + "\u2028" + `","bad` + "\ufffd" + `"]`},
		{"exactly one keeps its type", []any{"{{ n }}", "{{ f }}", "{{ yes }}", "{{ none }}", "{{ list }}", "{{ object }}", "{{ token }}", "{{ num | int }}", "{{ n | string }}"}, `[42,1.5,true,null,[1,"a"],{"k":"\u003cv\u003e"},"t&=é",12,"42"]`},
		{"more is text", []any{"{{ n }}!", "{{ n }}{{ n }}", " {{ yes }}", "{{ list }}."}, `["42!","4242"," true","[1,\"a\"]."]`},
		{"text is escaped", []any{"{{ text }}", "a {{ text }}", "{{ bad }}"}, `["say \"hi\"\n\\","a say \"hi\"\n\\","a` + "\ufffd" + `b"]`},
		{"calls", []any{"{{ random_int(1, 1) }}", "{{ random_string(0) }}", "{{ pick('a') }}", "{{ seq(x) }}", "{{ 'a' | base64 }}"}, `[1,"","a",1,"YQ=="]`},
		{"names of members", map[string]any{"{{ n }}": int64(1), "a {{ text }}": int64(2)}, `{"a say \"hi\"\n\\":2,"42":1}`},
		{"time", time.Date(2024, 5, 1, 2, 3, 4, 5e6, time.UTC), `"2024-05-01T02:03:04.005Z"`},
		{"text at the top", "{{ n }}", `42`},
	}
	for _, tt := range tests {
		doc, err := NewJSON(tt.doc)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := doc.Append([]byte("> "), testEnv())
		if err != nil || tt.name != "names of members" && string(got) != "> "+tt.want {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
		if !json.Valid(got[2:]) {
			t.Errorf("%s: %s is not JSON", tt.name, got)
		}
		if tt.name == "names of members" {
			var a, b any
			if json.Unmarshal(got[2:], &a) != nil || json.Unmarshal([]byte(tt.want), &b) != nil || !cmp.Equal(a, b) {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
		}
	}
	for _, bad := range []any{func() {}, []any{make(chan int)}, map[string]any{"a": struct{}{}}, 1 / zero(), "{{ open"} {
		if _, err := NewJSON(bad); err == nil {
			t.Errorf("NewJSON(%v): no error", bad)
		}
	}
	doc, err := NewJSON(map[string]any{"a": "{{ x | hmac_sha256(y) }}", "b": "z"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc.Names(), []Name{{"x", 3}, {"y", 19}}); diff != "" || !doc.Pure() {
		t.Errorf("names (-got +want):\n%s", diff)
	}
	if got := doc.Text(); got != `{"a":"{{ x | hmac_sha256(y) }}","b":"z"}` {
		t.Errorf("Text: %s", got)
	}
	if _, ok := doc.Literal(); ok {
		t.Error("a document with templates is a literal")
	}
}

func zero() float64 { return 0 }

// TestFillAllocs: filling in allocates nothing but what filters make.
func TestFillAllocs(t *testing.T) {
	e := testEnv()
	doc, err := NewJSON(map[string]any{"a": "{{ uuid() }}", "b": "{{ n }}", "c": "x {{ token }}", "d": "{{ text }}", "e": "{{ random_int(1, 9) }}"})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { dst, _ = doc.Append(dst[:0], e) }); n > 1 { // one escape
		t.Errorf("a document: %v allocations", n)
	}
	for _, text := range []string{"/orders/{{ token }}/{{ n }}", "{{ uuid() }}", "{{ random_string(8) }}-{{ random_float(0, 1) }}", "{{ now() }} {{ unix_ms() }}", "{{ pick('a', n) }}"} {
		tmpl := mustTemplate(t, text)
		if n := testing.AllocsPerRun(100, func() { dst, _ = tmpl.Append(dst[:0], e) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	a := sample()
	tests := []struct {
		source string
		want   Value
		number float64 // 0: none
	}{
		{"$.status", "ok", 0},
		{"$.n", int64(5), 5},
		{"$.half", 0.5, 0.5},
		{"$.big", int64(9007199254740993), 9007199254740992},
		{"$.none", nil, 0},
		{"$.yes", true, 0},
		{"$.five", "5", 5},
		{"$.quote", `it's "so"`, 0},
		{"$.empty", "", 0},
		{"$.list", []any{int64(1), "two", nil}, 0},
		{"$.object", map[string]any{"k": int64(1)}, 0},
		{"$.items[*].sku", []any{"A-1", "B-2"}, 0},
		{"$.items[0].price", 9.5, 9.5},
		{"$..tags", []any{[]any{"x"}, []any{}}, 0},
		{"header content-type", "application/json", 0},
		{"header X-Left", "12", 12},
		{"cookie sid", "c1", 0},
		{"status", int64(201), 201},
		{`regex "sku": "(\w)-(\d)"`, "A", 0},
		{`regex 'B-\d'`, "B-2", 0},
		{`regex "price": (\S+)\b`, "9.5", 9.5},
	}
	for _, tt := range tests {
		s, err := ParseSource(tt.source)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		got, ok := s.Value(a)
		if diff := cmp.Diff(got, tt.want); diff != "" || !ok {
			t.Errorf("%s: %v (-got +want):\n%s", tt.source, ok, diff)
		}
		if n, ok := s.Number(a); n != tt.number || ok != (tt.number != 0) {
			t.Errorf("%s as a number: %v, %v; want %v", tt.source, n, ok, tt.number)
		}
		if want := !strings.HasPrefix(tt.source, "header") && tt.source != "status" && tt.source != "cookie sid"; s.NeedsBody() != want {
			t.Errorf("%s needs the body: %v", tt.source, !want)
		}
	}
	for _, text := range []string{"$.gone", "$.items[*].gone", "header X-Gone", "cookie gone", "regex nowhere", "regex (x)?status", "$.n.x"} {
		s, err := ParseSource(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if v, ok := s.Value(a); ok {
			t.Errorf("%s: %v, want nothing", text, v)
		}
		if v, ok := s.Number(a); ok {
			t.Errorf("%s as a number: %v, want nothing", text, v)
		}
	}
	if s, _ := ParseSource("body"); s != nil {
		if v, ok := s.Value(&Answer{Body: []byte("hi")}); !ok || v != "hi" {
			t.Errorf("body: %v, %v", v, ok)
		}
		if v, ok := s.Value(&Answer{}); ok {
			t.Errorf("body of no answer: %v", v)
		}
	}
}

func FuzzParseTemplate(f *testing.F) {
	for _, s := range []string{
		"a {{ b }} c", "{{ x.y | hmac_sha256(key) | base64 }}", "{{ pick('}}', \"{{\", 1, true) }}", "{{ random_int(1, 2) }}", "{{ now('date') }}", "{{", "{{ }}", "{{ 'a", "{{ -1e5 | int }}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tmpl, err := ParseTemplate(text)
		if err != nil {
			goodError(t, text, err)
			return
		}
		if tmpl.Text() != text {
			t.Fatalf("%q prints as %q", text, tmpl.Text())
		}
		for _, n := range tmpl.Names() {
			if !strings.HasPrefix(text[n.Offset:], n.Name) {
				t.Fatalf("%q: the name %q is not at %d", text, n.Name, n.Offset)
			}
		}
		e := testEnv()
		out, err := tmpl.Append(nil, e)
		if literal, ok := tmpl.Literal(); ok && (err != nil || literal != text || string(out) != text) {
			t.Fatalf("the literal %q makes %q, %v", text, out, err)
		}
		doc, err := NewJSON([]any{text, map[string]any{text: text}})
		if err != nil {
			t.Fatalf("%q is a template, and in JSON it is not: %v", text, err)
		}
		if out, err := doc.Append(nil, e); err == nil && !json.Valid(out) {
			t.Fatalf("%q makes %q, which is not JSON", text, out)
		}
		if !json.Valid([]byte(doc.Text())) {
			t.Fatalf("the document of %q prints as %q", text, doc.Text())
		}
		for _, p := range tmpl.parts {
			if p.expr == nil {
				continue
			}
			again, err := ParseTemplate("{{ " + p.expr.String() + " }}")
			if err != nil || again.parts[0].expr.String() != p.expr.String() {
				t.Fatalf("%q prints as %q, which reads as %v, %v", text, p.expr, again, err)
			}
		}
	})
}

func FuzzParseSource(f *testing.F) {
	for _, s := range []string{"$.a[0]", "header ETag", "cookie sid", `regex csrf="(\w+)"`, "regex ' a '' b '", "status", "body"} {
		f.Add(s)
	}
	a := sample()
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSource(text)
		if err != nil {
			goodError(t, text, err)
			return
		}
		again, err := ParseSource(s.Text())
		if err != nil || again.Text() != s.Text() {
			t.Fatalf("%q prints as %q, which reads as %v, %v", text, s.Text(), again, err)
		}
		got, ok := s.Value(a)
		want, wantOK := again.Value(a)
		if ok != wantOK || !cmp.Equal(got, want) {
			t.Fatalf("%q gives %v, %v; %q gives %v, %v", text, got, ok, s.Text(), want, wantOK)
		}
		s.Number(a)
	})
}
