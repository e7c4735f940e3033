package scenario

import (
	"encoding/base64"
	"strings"
	"sync/atomic"
	"time"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/wire"
)

// A message is a compiled request: what is the same each time, and what is
// filled in.
type message struct {
	method string
	same   bool // nothing but the token is filled in: all users send the same request
	shared atomic.Pointer[shared]

	url     text
	written bool   // nothing in url is filled in
	link    bool   // url begins with a value: perhaps one that the target gave
	query   []pair // what the URL says itself comes before

	header []headerFill
	body   body

	timeout   time.Duration
	redirects int
	keepBody  bool
}

// A shared request is what all users send for a message that is the same each
// time.
type shared struct {
	request wire.Request
	stamp   uint64 // of the token in it
}

// A text is known beforehand or a template.
type text struct {
	known string
	fill  *rule.Template // nil: known
}

func (t *text) append(dst []byte, env rule.Env) ([]byte, error) {
	if t.fill == nil {
		return append(dst, t.known...), nil
	}
	return t.fill.Append(dst, env)
}

// A pair is a name and a value, both encoded when known.
type pair struct {
	name  string
	value text
}

// A headerFill is one header field.
type headerFill struct {
	name   string
	value  text
	prefix string // before the value
	base64 bool   // the value is encoded so: basic authentication
	own    bool   // for the target's own host only: credentials
	token  bool   // the value is that of oauth2
}

func (h *headerFill) render(l *lane, u *user) (string, error) {
	if h.token {
		return h.prefix + u.set.auth.current().value, nil
	}
	if h.value.fill == nil {
		return h.value.known, nil
	}
	var err error
	if l.scratch, err = h.value.fill.Append(l.scratch[:0], u); err != nil {
		return "", err
	}
	if h.base64 {
		return h.prefix + base64.StdEncoding.EncodeToString(l.scratch), nil
	}
	return h.prefix + string(l.scratch), nil
}

// fill makes the request of m ready to be sent on lane l.
func (l *lane) fill(u *user, m *message) (*wire.Request, error) {
	if !m.same || u.trace != nil {
		req := &l.request
		err := m.build(req, l, u)
		req.Changed()
		return req, err
	}
	var stamp uint64
	if u.set.auth != nil {
		stamp = u.set.auth.current().stamp
	}
	if s := m.shared.Load(); s != nil && s.stamp == stamp {
		return &s.request, nil
	}
	s := &shared{stamp: stamp}
	if err := m.build(&s.request, l, u); err != nil {
		return nil, err
	}
	m.shared.Store(s) // several users may do so at first; each is as good
	return &s.request, nil
}

// build fills in every part of a request.
func (m *message) build(req *wire.Request, l *lane, u *user) error {
	req.Method, req.Timeout, req.Redirects = m.method, m.timeout, m.redirects
	req.KeepBody = m.keepBody || u.trace != nil
	if err := m.buildURL(req, l, u); err != nil {
		return err
	}
	own := req.Host == u.set.target.host
	req.Header = req.Header[:0]
	for i := range m.header {
		h := &m.header[i]
		if h.own && !own {
			continue
		}
		v, err := h.render(l, u)
		if err != nil {
			return err
		}
		req.Header = append(req.Header, wire.Field{Name: h.name, Value: v})
	}
	if !m.body.filled() {
		req.Body = m.body.known // shared by all users
		return nil
	}
	var err error
	l.body, err = m.body.append(l.body[:0], u)
	req.Body = l.body
	return err
}

func (m *message) buildURL(req *wire.Request, l *lane, u *user) error {
	b, err := m.url.append(l.scratch[:0], u)
	if err != nil {
		return err
	}
	at, path := locate(u.set.target, string(b), m.link)
	req.Scheme, req.Host = at.scheme, at.host
	b = appendPath(b[:0], path, m.link || m.written)
	for i := range m.query {
		q := &m.query[i]
		if i == 0 && !strings.Contains(path, "?") {
			b = append(b, '?')
		} else {
			b = append(b, '&')
		}
		b = append(append(b, q.name...), '=')
		if b, err = q.value.appendEncoded(b, u); err != nil {
			return err
		}
	}
	req.Path = string(b)
	l.scratch = b
	return nil
}

// appendEncoded writes the value percent-encoded.
func (t *text) appendEncoded(dst []byte, env rule.Env) ([]byte, error) {
	if t.fill == nil {
		return append(dst, t.known...), nil // encoded beforehand
	}
	plain, err := t.fill.Append(nil, env)
	return rule.AppendQuery(dst, plain), err
}

// locate says where a request text goes: below the target, or to a URL of its
// own. A link may come from the target, as Location does, and then has the
// target's prefix already.
func locate(target origin, text string, link bool) (origin, string) {
	for _, scheme := range []string{"http", "https"} {
		rest, ok := strings.CutPrefix(text, scheme+"://")
		if !ok {
			continue
		}
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		return origin{scheme: scheme, host: strings.ToLower(rest[:end])}, rest[end:]
	}
	if link && target.prefix != "" && strings.HasPrefix(text, target.prefix) {
		if rest := text[len(target.prefix):]; rest == "" || strings.IndexByte("/?#", rest[0]) >= 0 {
			return target, text
		}
	}
	return target, target.prefix + text
}

// appendPath writes a path and query as it may go on the wire: from '/', and with
// what may not stand there percent-encoded. The fragment of a whole URL is cut off;
// elsewhere # came from a value, and what follows it must not be lost.
func appendPath(dst []byte, path string, whole bool) []byte {
	if path == "" || path[0] != '/' {
		dst = append(dst, '/')
	}
	for i := range len(path) {
		c := path[i]
		switch {
		case c == '#' && whole:
			return dst
		case c == '#' || c <= ' ' || c >= 0x7f || c == '"' || c == '<' || c == '>':
			const hex = "0123456789ABCDEF"
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
