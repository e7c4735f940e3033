package scenario

import (
	"strings"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A lane is what one request at a time needs, kept to be used again: the user's
// own, and one for each request that it sends beside that.
type lane struct {
	session Session
	request wire.Request // for what is filled in
	body    []byte
	scratch []byte

	resp    wire.Response
	answer  rule.Answer
	sample  load.Sample
	failure error // what went wrong last; for users that are not measured
}

func newLane(session Session) *lane {
	l := &lane{session: session}
	l.answer.Header = l.header
	l.answer.Cookie = l.cookie
	return l
}

// header is rule.Answer.Header. Several fields of a name are joined, as RFC 9110
// section 5.3 has it.
func (l *lane) header(name string) (string, bool) {
	value, found := "", false
	for i := range l.resp.Header {
		f := &l.resp.Header[i]
		if len(f.Name) != len(name) || !strings.EqualFold(f.Name, name) {
			continue
		}
		if found {
			value += ", " + f.Value
		} else {
			value, found = f.Value, true
		}
	}
	return value, found
}

// cookie is rule.Answer.Cookie: what the answer sets.
func (l *lane) cookie(name string) (string, bool) {
	for i := range l.resp.Header {
		f := &l.resp.Header[i]
		if !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		pair, _, _ := strings.Cut(f.Value, ";")
		if n, v, ok := strings.Cut(pair, "="); ok && strings.TrimSpace(n) == name {
			v = strings.TrimSpace(v)
			if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
				v = v[1 : len(v)-1]
			}
			return v, true
		}
	}
	return "", false
}
