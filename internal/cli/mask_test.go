package cli

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzMask holds that a secret is hidden however it is written: none of its
// forms, in any surroundings, keeps more of it than what its neighbours share.
func FuzzMask(f *testing.F) {
	f.Add(`p4ss/w+rd"é`)
	f.Add("line\nbreak\ttab <&'> end")
	f.Add(`back\slash \" {{ x }} $.*+?()[]^|`)
	f.Add("Pa55 wörd 😀 %41")
	f.Fuzz(func(t *testing.T, secret string) {
		if len(secret) < 12 || len(secret) > 200 || !utf8.ValidString(secret) {
			t.Skip()
		}
		m := newMask([]string{secret})
		for form, text := range forms(t, secret) {
			if got := m.String("x=" + text + ";"); got != "x=***;" {
				t.Errorf("%s: %q of %q became %q", form, text, secret, got)
			}
		}
		for _, before := range []string{"", "u:", "ab:"} {
			whole := base64.StdEncoding.EncodeToString([]byte(before + secret))
			if got := m.String(whole); len(got) > 12 || !strings.Contains(got, masked) {
				t.Errorf("%s%s in base64, %s, became %s", before, secret, whole, got)
			}
		}
	})
}

func forms(t *testing.T, secret string) map[string]string {
	t.Helper()
	quoted := func(s string) string {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSuffix(strings.TrimPrefix(string(text), `"`), `"`)
	}
	return map[string]string{
		"plain": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "query twice": url.QueryEscape(url.QueryEscape(secret)),
		"JSON": quoted(secret), "JSON in JSON": quoted(quoted(secret)), "HTML": html.EscapeString(secret), "JSON in HTML": html.EscapeString(quoted(secret)),
		"hex": hex.EncodeToString([]byte(secret)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
}

func TestMaskLeavesTheRest(t *testing.T) {
	t.Parallel()
	m := newMask([]string{"hunter2-token", "abc", "", strings.Repeat("long", 2<<10)})
	const text = "a page with base64 aGVsbG8gd29ybGQ= and 6869, abc, hunter2, HUNTER2-TOKE"
	if got := m.String(text); got != text {
		t.Errorf("got %q", got)
	}
	if got := m.String("a " + strings.Repeat("long", 2<<10) + " b HUNTER2-Token"); got != "a *** b ***" {
		t.Errorf("got %q", got)
	}
}
