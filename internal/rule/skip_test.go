package rule

import (
	"strings"
	"testing"
)

// FuzzSkip holds the skipping by eight bytes against one by single bytes, at
// every offset from a word's border.
func FuzzSkip(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,{"b":"}]"}],"c":"\"}"} tail`, `[[[[[[[[[[]]]]]]]]]],`, `["` + strings.Repeat("é{", 20) + `"]`, `["\\"]`, `["\\\"]"]`, `[}`, `{"a`, `["x\`,
		`[` + strings.Repeat(`{"id":1,"s":"[["},`, 10) + `{}]`, "[\xff\xdb\xfb\xa2\xdc]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) == 0 || body[0] != '{' && body[0] != '[' {
			return
		}
		want := skipSlowly(body)
		for pad := range 9 {
			b := append([]byte(strings.Repeat(" ", pad)), body...)
			got := skipContainer(b, pad)
			if got >= 0 {
				got -= pad
			}
			if got != want {
				t.Fatalf("%q behind %d blanks ends at %d, want %d", body, pad, got, want)
			}
		}
	})
}

func skipSlowly(b []byte) int {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func BenchmarkSkip(b *testing.B) {
	body := []byte(`[` + strings.Repeat(`{"id":17,"sku":"SKU-0017","name":"a thing with a name","price":26.99,"tags":["red","sale"]},`, 21) + `{}]`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if skipContainer(body, 0) != len(body) {
			b.Fatal("does not end")
		}
	}
}
