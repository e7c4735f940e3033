package cli

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// minSecret is the shortest value that is masked: a shorter one would blot out
// digits and syllables everywhere and hide nothing that could not be guessed.
const minSecret = 4

// masked stands where a secret stood.
const masked = "***"

// A mask hides secret values, in the forms in which they may turn up.
type mask struct {
	forms   *regexp.Regexp    // of all secrets, however their characters are written
	encoded *strings.Replacer // in base64 and hexadecimal
}

// newMask makes a mask for the given values and their usual encodings.
func newMask(secrets []string) mask {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return len(s) < minSecret })
	if len(secrets) == 0 {
		return mask{}
	}
	// The longest first: a secret may be part of another, or of its encoded form.
	longest := func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }
	slices.SortFunc(secrets, longest)
	var patterns, encoded []string
	for _, s := range secrets {
		for _, cased := range []string{s, strings.ToUpper(s), strings.ToLower(s)} {
			encoded = append(encoded, hex.EncodeToString([]byte(cased)), strings.ToUpper(hex.EncodeToString([]byte(cased))))
			encoded = append(encoded, inBase64(cased)...)
		}
		if len(s) > maxPattern {
			encoded = append(encoded, s, url.QueryEscape(s), url.PathEscape(s))
			continue
		}
		patterns = append(patterns, pattern(s))
	}
	slices.SortFunc(encoded, longest)
	var pairs []string
	for _, f := range slices.Compact(encoded) {
		pairs = append(pairs, f, masked)
	}
	m := mask{encoded: strings.NewReplacer(pairs...)}
	if len(patterns) > 0 {
		m.forms = regexp.MustCompile("(?i)" + strings.Join(patterns, "|")) // made of quoted text: it compiles
	}
	return m
}

// maxPattern is the longest secret that is looked for in all its forms, in bytes;
// of a longer one, such as a certificate, only the usual ones are.
const maxPattern = 4 << 10

// pattern matches a secret whichever of its characters are escaped, and how: in a
// URL, in JSON, in JSON within JSON (a target that sends back what it was sent),
// in HTML, in Markdown. Letters and digits are never escaped; their case may be
// another, as `upper` and `lower` make it.
func pattern(secret string) string {
	var b strings.Builder
	for _, r := range secret {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
			continue
		}
		forms := []string{regexp.QuoteMeta(string(r))}
		var percent, unicode strings.Builder
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&percent, "%%(?:25)*%02x", c) // %2F, and %252F when done twice
		}
		forms = append(forms, percent.String(), fmt.Sprintf("&(?:amp;)*#(?:%d|x0*%x);", r, r))
		for _, u := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&unicode, `\\+u%04x`, u)
		}
		forms = append(forms, unicode.String())
		switch r {
		case ' ':
			forms = append(forms, `\+`, `%(?:25)*2b`)
		case '\n', '\r', '\t', '\b', '\f':
			forms = append(forms, `\\+`+map[rune]string{'\n': "n", '\r': "r", '\t': "t", '\b': "b", '\f': "f"}[r])
		case '<', '>', '&', '"', '\'':
			name := map[rune]string{'<': "lt", '>': "gt", '&': "amp", '"': "quot", '\'': "apos"}[r]
			forms = append(forms, "&(?:amp;)*"+name+";")
		}
		b.WriteString(`\\*(?:` + strings.Join(forms, "|") + ")") // JSON and Markdown put backslashes before it
	}
	return b.String()
}

// inBase64 is a text in base64, alone and as a part of something longer, as the
// password of "user:password" is: it may begin at any of the three bytes that
// four characters stand for. The characters that its neighbours have a share in
// are left out.
func inBase64(s string) []string {
	var out []string
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		out = append(out, enc.EncodeToString([]byte(s)))
	}
	for shift := range 3 {
		whole := (shift + len(s)) / 3 * 3 // what ends with the secret's last whole group
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			padded := append(make([]byte, shift), s...)
			text := enc.EncodeToString(padded[:whole])
			if first := (shift*8 + 5) / 6; len(text)-first >= minEncoded {
				out = append(out, text[first:])
			}
		}
	}
	return out
}

// minEncoded is the shortest part of an encoded form that is masked.
const minEncoded = 6

// String is s with every secret replaced.
func (m mask) String(s string) string {
	if m.forms != nil {
		s = m.forms.ReplaceAllLiteralString(s, masked)
	}
	if m.encoded != nil {
		s = m.encoded.Replace(s)
	}
	return s
}

// Error is err with every secret replaced in its text. Its chain stays.
func (m mask) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := m.String(err.Error()); text != err.Error() {
		return maskedError{text, err}
	}
	return err
}

type maskedError struct {
	text string
	err  error
}

func (e maskedError) Error() string { return e.text }
func (e maskedError) Unwrap() error { return e.err }
