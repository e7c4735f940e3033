package github

import "log/slog"

// A Token is a secret that GitHub accepts in an Authorization header. Printing,
// logging or marshalling one shows only that it is there.
type Token string

const hiddenToken = "[token]"

// String hides the token.
func (t Token) String() string {
	if t == "" {
		return ""
	}
	return hiddenToken
}

// GoString hides the token from %#v.
func (t Token) GoString() string { return `github.Token("` + t.String() + `")` }

// LogValue hides the token from slog.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText hides the token from encoding/json and its kin.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
