package cli

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the shortest value that is masked: a shorter one would blot out
// digits and syllables everywhere and hide nothing that could not be guessed.
const minSecret = 4

// masked stands where a secret stood.
const masked = "***"

// A mask hides secret values, in the forms in which they may turn up.
type mask struct{ replace *strings.Replacer }

// newMask makes a mask for the given values and their usual encodings.
func newMask(secrets []string) mask {
	var forms []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s),
			base64.StdEncoding.EncodeToString([]byte(s)), base64.RawStdEncoding.EncodeToString([]byte(s)),
			base64.URLEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)))
		if j, err := json.Marshal(s); err == nil {
			forms = append(forms, strings.Trim(string(j), `"`))
		}
	}
	slices.Sort(forms)
	forms = slices.Compact(forms)
	// The longest first: a secret may be part of another's encoded form.
	slices.SortStableFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, f := range forms {
		pairs = append(pairs, f, masked)
	}
	return mask{strings.NewReplacer(pairs...)}
}

// String is s with every secret replaced.
func (m mask) String(s string) string {
	if m.replace == nil {
		return s
	}
	return m.replace.Replace(s)
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
