package rule

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// env is an Env of fixed values; its generator counts up in large steps.
type env struct {
	values map[string]Value
	random uint64
	seq    map[string]int64
}

func (e *env) Lookup(name string) (Value, bool) {
	v, ok := e.values[name]
	return v, ok
}

func (e *env) Uint64() uint64 {
	e.random += 0x9e3779b97f4a7c15
	return e.random
}

func (e *env) Next(name string) int64 {
	if e.seq == nil {
		e.seq = map[string]int64{}
	}
	e.seq[name]++
	return e.seq[name]
}

func sample() *Answer {
	header := map[string]string{"content-type": "application/json", "x-left": "12", "x-empty": ""}
	return &Answer{
		Status: 201, Latency: 120 * time.Millisecond, TTFB: 80 * time.Millisecond, Proto: "1.1", Size: 2048,
		Body: []byte(`{
			"status": "ok", "n": 5, "big": 9007199254740993, "half": 0.5, "yes": true, "none": null, "five": "5",
			"commit": "1234567", "quote": "it's \"so\"", "date": "2024-05-01", "empty": "", "a.b": {"c d": 1},
			"items": [{"sku": "A-1", "price": 9.5, "tags": ["x"]}, {"sku": "B-2", "price": 20, "tags": []}],
			"list": [1, "two", null], "nothing": [], "object": {"k": 1}, "words": "red green"
		}`),
		Header: func(name string) (string, bool) {
			v, ok := header[strings.ToLower(name)]
			return v, ok
		},
		Cookie: func(name string) (string, bool) { return "c1", name == "sid" },
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	values := map[string]Value{
		"region": "eu", "n": int64(5), "f": 0.5, "on": true, "none": nil, "list": []any{int64(1), "two"}, "object": map[string]any{"k": int64(1)},
		"sku": "A-1", "quoted": "it's",
	}
	tests := []struct {
		check string
		want  bool
	}{
		// The answer as a whole.
		{"status == 201", true},
		{"status != 200", true},
		{"status == 2xx", true},
		{"status != 2xx", false},
		{"status == 5xx", false},
		{"status < 300", true},
		{"status >= 201", true},
		{"status > 201", false},
		{"status in [200, 201]", true},
		{"status in [4xx, 5xx]", false},
		{"status not in [4xx, 5xx]", true},
		{"latency < 200ms", true},
		{"latency < 120ms", false},
		{"latency <= 120ms", true},
		{"latency == 0.12s", true},
		{"ttfb > 79ms", true},
		{"size < 2KiB", false},
		{"size <= 2KiB", true},
		{"size == 2048", true},
		{"proto == 1.1", true},
		{"proto != 2", true},
		{"proto in [1.0, 2]", false},
		{"checks == passed", true},
		{"checks != passed", false},
		{"checks == failed", false},
		// Header and cookies.
		{"header Content-Type contains json", true},
		{"header content-type == application/json", true},
		{"header Content-Type not contains xml", true},
		{"header X-Left > 9", true},
		{"header X-Left == 12", true},
		{"header X-Left == 12.0", false}, // text is compared as written
		{"header X-Left < abc", true},    // by bytes, as the value is no number
		{"header X-Empty exists", true},
		{"header X-Empty == ''", true},
		{"header X-Empty > 0", false},
		{"header X-Gone exists", false},
		{"header X-Gone not exists", true},
		{"header X-Gone != a", false},
		{"header X-Gone not contains a", false},
		{"cookie sid == c1", true},
		{"cookie other exists", false},
		// The body as text.
		{"body contains 'A-1'", true},
		{"body not contains Traceback", true},
		{`body matches "sku":\s+"B-\d"`, true},
		{"body not matches ^x", true},
		{"body == ''", false},
		// JSON: types and equality.
		{"$.status == ok", true},
		{"$.status == 'ok'", true},
		{`$.status == "ok"`, true},
		{"$.status != 'ok'", false},
		{"$.n == 5", true},
		{"$.n == 5.0", true},
		{"$.n == '5'", false}, // a number is not a text
		{"$.five == 5", true}, // an unquoted word may be either
		{"$.five == '5'", true},
		{"$.five == 5.0", false},
		{"$.commit == 1234567", true},
		{"$.big == 9007199254740993", true},
		{"$.big == 9007199254740992", false}, // beyond what a float holds
		{"$.half == 0.5", true},
		{"$.half == 5e-1", true},
		{"$.half < 1", true},
		{"$.n >= 5", true},
		{"$.n > 5", false},
		{"$.yes == true", true},
		{"$.yes == 'true'", false},
		{"$.yes != false", true},
		{"$.none == null", true},
		{"$.none == 'null'", false},
		{"$.none exists", true},
		{"$.n != null", true},
		{"$.empty == ''", true},
		{"$.empty contains ''", true},
		{"$.quote == 'it''s \"so\"'", true},
		{"$.date > 2024-04-30", true},
		{"$.date < 2024-04-30", false},
		{"$.status > 5", false},
		{"$.yes > 0", false},
		{"$.object == x", false},
		{"$.words contains 'd g'", true},
		{"$.words in [blue, 'red green']", true},
		{"$.n in [4, 5]", true},
		{"$.n not in [4, 5]", false},
		{"$.words matches ^red", true},
		{"$.n matches ^5$", true},
		{"$.n is number", true},
		{"$.half is number", true},
		{"$.five is string", true},
		{"$.yes is bool", true},
		{"$.none is null", true},
		{"$.items is array", true},
		{"$ is object", true},
		{"$.n is string", false},
		{"$.gone is null", false},
		// A missing value is false, whatever is asked.
		{"$.gone == 1", false},
		{"$.gone != 1", false},
		{"$.gone not in [1]", false},
		{"$.gone not contains x", false},
		{"$.gone not matches x", false},
		{"$.gone exists", false},
		{"$.gone not exists", true},
		{"$.n.deeper exists", false},
		// Paths.
		{"$.items[0].sku == 'A-1'", true},
		{"$.items[-1].sku == 'B-2'", true},
		{"$.items[2] exists", false},
		{"$['a.b']['c d'] == 1", true},
		{"$..sku contains 'B-2'", true},
		{"$.items[*].sku contains 'A-1'", true},
		{"$.items[*].sku contains 'A'", false}, // an equal value, not a part of one
		{"$.items[*].sku not contains 'C'", true},
		{"$.items[*].price > 9", true},
		{"$.items[*].price > 10", false},
		{"$.items[*].sku matches ^[AB]", true},
		{"$.items[*].sku matches ^A", false},
		{"$.items[*].price is number", true},
		{"$.items[*].gone exists", false},
		{"$.items[*].gone not exists", true},
		{"$.items[*].gone == 1", false},
		{"$.items[*].gone not contains 1", false},
		{"$.nothing[*] > 1", false},
		{"$.list contains two", true},
		{"$.list contains 1", true},
		{"$.list contains null", true},
		{"$.list not contains 2", true},
		{"$.object contains k", true},
		{"$.object contains 1", false},
		{"$.items[*].tags contains x", false}, // one of the arrays is not equal to x
		{"$.items[0].tags contains x", true},
		{"count($.items) == 2", true},
		{"count($.items) in [2, 3]", true},
		{"count($.object) == 1", true},
		{"count($.nothing) == 0", true},
		{"count($.items[*]) == 2", true},
		{"count($..tags[*]) == 1", true},
		{"count($.gone) == 0", false},
		{"count($.gone[*]) == 0", true},
		{"count($.n) >= 0", false},
		{"count($.items) == {{ n }}", false},
		// Templates.
		{"{{ region }} == eu", true},
		{"{{ region }} in [eu, us]", true},
		{"{{ region | upper }} == EU", true},
		{"{{ n }} >= 5", true},
		{"{{ n }} is number", true},
		{"{{ f }} == 0.5", true},
		{"{{ on }} == true", true},
		{"{{ none }} == null", true},
		{"{{ list }} contains two", true},
		{"{{ list }} contains 3", false},
		{"{{ object }} contains k", true},
		{"{{ object }} is object", true},
		{"{{ gone }} exists", false},
		{"{{ gone }} not exists", true},
		{"$.n == {{ n }}", true},
		{"$.five == {{ n }}", true},
		{"$.five == '{{ n }}'", true},
		{"$.n == '{{ n }}'", false},
		{"$.items[*].sku contains '{{ sku }}'", true},
		{"$.status == '{{ gone }}'", false},
		{"$.status != '{{ gone }}'", true}, // nothing equals a value that is not there
		{"$.quote contains '{{ quoted }}'", true},
		{"$.items[0].sku == {{ pick('A-1', 'A-1') }}", true},
	}
	for _, tt := range tests {
		c, err := ParseCheck(tt.check)
		if err != nil {
			t.Errorf("%s: %v", tt.check, err)
			continue
		}
		if got := c.Holds(sample(), &env{values: values}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.check, got, tt.want)
		}
		again, err := ParseCheck(c.Text())
		if err != nil || again.Text() != c.Text() {
			t.Errorf("%s: Text is %q, which reads as %v, %v", tt.check, c.Text(), again, err)
			continue
		}
		if got := again.Holds(sample(), &env{values: values}); got != tt.want {
			t.Errorf("%s, written as %s: %v, want %v", tt.check, c.Text(), got, tt.want)
		}
	}
}

// TestNoAnswer: of a request that had no answer, only absence holds.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	for check, want := range map[string]bool{
		"status == 200": false, "status != 200": false, "body contains x": false, "proto == 2": false,
		"$.a exists": false, "$.a not exists": true, "header X not exists": true, "count($.a) == 0": false,
	} {
		c, err := ParseCheck(check)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Holds(&Answer{}, nil); got != want {
			t.Errorf("%s: %v, want %v", check, got, want)
		}
	}
}

func TestNeedsBody(t *testing.T) {
	t.Parallel()
	for check, want := range map[string]bool{
		"status == 200": false, "size > 1KB": false, "header X exists": false, "cookie x exists": false, "{{ a }} == 1": false, "checks == failed": false,
		"body contains x": true, "$.a exists": true, "count($.a) > 1": true,
	} {
		c, err := ParseCheck(check)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.NeedsBody(); got != want {
			t.Errorf("%s: %v, want %v", check, got, want)
		}
	}
}

// TestCheckAllocs: judging an answer allocates nothing.
func TestCheckAllocs(t *testing.T) {
	a := sample()
	e := &env{values: map[string]Value{"n": int64(5)}}
	for _, text := range []string{
		"status == 2xx", "latency < 1s", "$.status == 'ok'", "$.items[1].price >= 20", "count($.items) == 2", "$.items[*].sku contains 'B-2'",
		"header Content-Type contains json", "body contains Traceback", "$.words matches ^red", "$..price > 1", "{{ n }} == 5", "$.n in [4, 5]",
	} {
		c, err := ParseCheck(text)
		if err != nil {
			t.Fatal(err)
		}
		a.Header = func(string) (string, bool) { return "application/json", true }
		if n := testing.AllocsPerRun(100, func() { c.Holds(a, e) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", text, n)
		}
	}
}

func FuzzParseCheck(f *testing.F) {
	for _, s := range []string{
		"status == 200", "status in [200, 2xx]", "latency < 500ms", "$.items[0]['a b'] == 'it''s'", "count($..x) >= 1", "header Location exists",
		"body not contains 'a {{ b }} c'", "body matches '^a''b$'", "{{ a | upper }} == x", "$.a is number", "checks == failed", "$.a == {{ pick('}}', \"'\") }}",
	} {
		f.Add(s)
	}
	a := sample()
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCheck(text)
		if err != nil {
			goodError(t, text, err)
			return
		}
		e := func() *env { return &env{values: map[string]Value{"a": "x"}} }
		holds := c.Holds(a, e())
		again, err := ParseCheck(c.Text())
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, c.Text(), err)
		}
		if again.Text() != c.Text() {
			t.Fatalf("%q prints as %q, and that as %q", text, c.Text(), again.Text())
		}
		if !strings.Contains(text, "unix") && !strings.Contains(text, "now") && again.Holds(a, e()) != holds {
			t.Fatalf("%q holds: %v; %q does not", text, holds, c.Text())
		}
	})
}

// goodError checks that an error can be shown: with a place in the text, and
// words.
func goodError(t *testing.T, text string, err error) {
	t.Helper()
	e, ok := err.(*Error) //nolint:errorlint // the contract is this very type
	switch {
	case !ok:
		t.Fatalf("%q: %T is not an *Error", text, err)
	case e.Text != text:
		t.Fatalf("%q: the error is about %q", text, e.Text)
	case e.Offset < 0 || e.Offset > len(text):
		t.Fatalf("%q: offset %d", text, e.Offset)
	case e.Msg == "" || e.Hint == "":
		t.Fatalf("%q: message %q, hint %q", text, e.Msg, e.Hint)
	}
}

func TestCheckNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"status == 200":                         nil,
		"{{ a | hmac_sha256(k) }} == {{ b.c }}": {"a", "k", "b.c"},
		"$.x in ['{{ a }}', 5, {{ b }}]":        {"a", "b"},
	} {
		c, err := ParseCheck(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range c.Names() {
			got = append(got, n.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
