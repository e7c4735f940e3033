package spec

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// constants reads [vars] and [secrets], and gives the scope of those and the feeds.
func (b *builder) constants(top *table) *scope {
	sc := newScope(b.feeds)
	b.spec.Vars, b.spec.Secrets = map[string]any{}, map[string]string{}
	if n, k := top.row("vars", scalarsKind); n != nil {
		b.eachKey(n, k, func(item *node) {
			b.variableName(item)
			sc.names[item.name] = &binding{what: "variable", node: item}
			switch v := item.value.(type) {
			case string:
				if s, ok := b.text(item); ok {
					b.constant(item, s)
					b.spec.Vars[item.name] = s
					if secretKey(item.name) {
						b.secrets[s] = true
					}
				}
			case int64, float64, bool:
				if b.finite(item) {
					b.spec.Vars[item.name] = v
				}
			default:
				b.bad(item, "", "%s is %s: want a string, a number, true or false", item.name, item.written(""))
			}
		})
	}
	for name, value := range top.strings("secrets") {
		b.secrets[value] = true
		b.spec.Secrets[name] = value
	}
	if n := top.n.kid("secrets"); n != nil && n.kind == tableNode {
		for _, item := range n.kids {
			b.variableName(item)
			b.constant(item, stringOf(item))
			if first := sc.names[item.name]; first != nil {
				b.badKey(item, "give one of them another name", "%s is in [vars] already, at line %d", item.name, b.src.pos(first.node.key.start).Line)
			}
			sc.names[item.name] = &binding{what: "secret", node: item}
		}
	}
	return sc
}

// constant refuses templates in a constant: what is filled in is never searched
// for more.
func (b *builder) constant(n *node, text string) {
	if i := strings.Index(text, "{{"); i >= 0 {
		b.report(n, b.place(n, i), "write the {{ }} where the value is used", "%s is a constant: {{ }} is not filled in here", n.name)
	}
}

// target reads [target]. Steps may then name its host and those it allows.
func (b *builder) target(t *table, sc *scope) {
	text, ok := t.text("url")
	switch {
	case ok:
		b.targetURL(t.n.kid("url"), text)
	case t.n == nil && b.root.kid("target") != nil: // is no table, which is reported
	case t.n == nil:
		b.problems = append(b.problems, b.ofFile(`write [target] with url = "https://...", or pass --target`, "no [target]"))
	case !t.has("url"):
		b.badKey(t.n, `write url = "https://...", or pass --target`, "[target] has no url")
	}
	n, k := t.row("allow_hosts", textsKind)
	if n != nil {
		b.each(n, k, func(item *node) {
			s, ok := b.string(item, k)
			if !ok {
				return
			}
			if hint := hostHint(s); hint != "" {
				b.bad(item, hint, "%s is not a host", quote(s))
				return
			}
			b.spec.Target.AllowHosts = append(b.spec.Target.AllowHosts, s)
			if b.hosts != nil {
				b.hosts = append(b.hosts, s)
			}
		})
	}
	if t.has("ready") {
		b.ready(t.table("ready"), sc.outside("[target.ready]"))
	}
}

// ofFile is a problem of the file as a whole.
func (b *builder) ofFile(hint, message string) Problem {
	return Problem{File: b.src.file, Pos: Pos{1, 1}, Message: message, Hint: hint, Width: 1}
}

func (b *builder) targetURL(n *node, text string) {
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "{{"):
		b.bad(n, "use ${NAME}, which is filled in when the file is read", "{{ }} is not filled in here")
	case err != nil:
		b.bad(n, `write "https://host/path"`, "url %s is not a URL: %s", quote(text), bareURLError(err))
	case !httpURL(text):
		hint := `write "https://` + strings.TrimPrefix(text, "//") + `"`
		if u.Scheme != "" && strings.Contains(text, "://") {
			hint = "loadline speaks http and https"
		}
		b.bad(n, hint, "url %s does not begin with http:// or https://", quote(text))
	case u.Hostname() == "":
		b.bad(n, `write "https://host/path"`, "url %s has no host", quote(text))
	case u.User != nil:
		b.bad(n, "write them in [http.auth], from the environment", "url has credentials in it")
	case u.RawQuery != "" || u.ForceQuery:
		bare, _, _ := strings.Cut(text, "?") // a query may be a key
		b.bad(n, "write it in the steps, query = {...}", "url %s has a query", quote(bare))
	case u.Fragment != "" || strings.Contains(text, "#"):
		b.bad(n, "leave it out", "url %s has a fragment", quote(text))
	case !validPort(u):
		b.bad(n, "a port is from 1 to 65535", "url %s has no valid port", quote(text))
	default:
		b.spec.Target.URL = strings.TrimRight(text, "/")
		b.hosts = []string{joinPort(u.Hostname(), portOf(u))}
	}
}

func bareURLError(err error) string {
	if e, ok := err.(*url.Error); ok { //nolint:errorlint // url.Parse gives this very type
		return e.Err.Error()
	}
	return err.Error()
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

func validPort(u *url.URL) bool {
	if strings.HasSuffix(u.Host, ":") {
		return false
	}
	p, err := strconv.Atoi(portOf(u))
	return err == nil && p >= 1 && p <= 65535
}

// hostHint says what is wrong with host or host:port; "" when nothing is.
func hostHint(s string) string {
	u, err := url.Parse("http://" + s)
	switch {
	case strings.Contains(s, "://"):
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			return "write " + strconv.Quote(u.Host)
		}
		return "write a host, without http://"
	case strings.Contains(s, "*"):
		return "patterns are not allowed: list the hosts"
	case err != nil || u.Host != s || u.Hostname() == "" || !validPort(u):
		return `write "cdn.example.com" or "cdn.example.com:8443"`
	default:
		return ""
	}
}

// ready reads [target.ready].
func (b *builder) ready(t *table, sc *scope) {
	if t.n == nil {
		return
	}
	t.need("request")
	r := &Ready{Timeout: t.duration("timeout"), Every: t.duration("every"), Consecutive: int(t.integer("consecutive"))}
	s := &Step{Index: -1, Pos: b.src.pos(t.n.key.start), Redirects: -1, Repeat: 1, OnFailure: "continue"}
	if n, k := t.row("request", requestKind); n != nil {
		if text, ok := b.templateString(n, k); ok {
			s.Method, s.URL, s.Name = b.requestLine(n, text, sc)
		}
	}
	s.Headers = b.headers(t, sc)
	s.Expect = b.expect(t)
	s.Checks = b.checks(t, sc, true)
	r.Step = s
	b.spec.Target.Ready = r
}

// headers reads the headers of a table.
func (b *builder) headers(t *table, sc *scope) []Pair {
	out := t.pairs("headers", sc)
	n := t.n.kid("headers")
	if n == nil || n.kind != tableNode {
		return out
	}
	seen := map[string]bool{}
	for _, h := range n.kids {
		switch lower := strings.ToLower(h.name); {
		case !headerName(h.name):
			b.badKey(h, "use letters, digits and -", "%s is not a name of a header", quote(h.name))
		case seen[lower]:
			b.badKey(h, "write a list of values", "the header %s is there twice: capitals make no difference", h.name)
		case lower == "content-length" || lower == "transfer-encoding" || lower == "connection":
			b.badKey(h, "leave it out", "the header %s is loadline's own to set", h.name)
		default:
			seen[lower] = true
		}
		b.noteHeader(h)
	}
	for _, p := range out {
		if text, ok := p.Value.Literal(); ok && strings.ContainsFunc(text, func(r rune) bool { return isControl(r) && r != '\t' }) {
			b.badKey(n.kid(p.Name), "take it out", "the header %s has a line break or control character in it", p.Name)
		}
	}
	return out
}

// headerName says whether s is a token of RFC 9110 section 5.6.2.
func headerName(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// noteHeader keeps the literal credentials of a header, to be masked.
func (b *builder) noteHeader(h *node) {
	switch strings.ToLower(h.name) {
	case "authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token":
		b.noteLiteral(b.textOf(h))
	}
}

// noteLiteral keeps the longest word of a text outside {{ }} as a secret: the
// token of "Bearer token".
func (r *reader) noteLiteral(text string) {
	t, err := rule.ParseTemplate(text)
	if err != nil {
		return
	}
	literal, ok := t.Literal()
	if !ok {
		return
	}
	longest := ""
	for word := range strings.FieldsSeq(literal) {
		if len(word) > len(longest) {
			longest = word
		}
	}
	if longest != "" {
		r.secrets[longest] = true
	}
}

// http reads [http].
func (b *builder) http(t *table, sc *scope) {
	if b.root.kid("setup") != nil || b.root.kid("teardown") != nil || b.root.kid("target").kid("ready") != nil {
		sc = sc.outside("[[setup]], [[teardown]] and [target.ready], which send these too")
	}
	h := &b.spec.HTTP
	*h = HTTP{
		Version:        t.word("version"),
		Timeout:        t.duration("timeout"),
		ConnectTimeout: t.duration("connect_timeout"),
		Redirects:      int(t.integer("redirects")),
		KeepAlive:      t.boolean("keep_alive"),
		Shared:         t.word("connections") == "shared",
		MaxConnections: int(t.integer("max_connections")),
		Compression:    t.boolean("compression"),
		Cookies:        t.word("cookies"),
		BodyLimit:      t.size("body_limit"),
		UserAgent:      t.textOr("user_agent", b.userAgent()),
		Proxy:          b.proxy(t),
		IP:             t.word("ip"),
		Resolve:        b.resolveTable(t),
	}
	if h.MaxConnections > 0 && !h.Shared {
		b.badKey(t.n.kid("max_connections"), `write connections = "shared" too, or leave max_connections out`, "max_connections goes with shared connections")
	}
	if strings.ContainsFunc(h.UserAgent, isControl) {
		b.bad(t.n.kid("user_agent"), "take it out", "user_agent has a control character in it")
	}
	h.Headers = b.headers(t, sc)
	b.defaults = headerNames{}
	b.defaults.add(h.Headers)
	if t.has("auth") {
		h.Auth = b.auth(t.table("auth"), sc)
	}
	h.TLS = b.tls(t.table("tls"))
}

func (b *builder) userAgent() string {
	if b.in.Version == "" {
		return "loadline"
	}
	return "loadline/" + b.in.Version
}

func (b *builder) proxy(t *table) string {
	s, ok := t.text("proxy")
	if !ok || s == "env" || s == "off" {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || !httpURL(s) && !strings.HasPrefix(s, "socks5://") || u.Hostname() == "" {
		b.bad(t.n.kid("proxy"), `write "env", "off" or a URL`, "proxy is %s", quote(s))
		return s
	}
	return s
}

func (b *builder) resolveTable(t *table) map[string]string {
	out := t.strings("resolve")
	n := t.n.kid("resolve")
	for from, to := range out {
		item := n.kid(from)
		if hostHint(from) != "" || !strings.Contains(from, ":") {
			b.badKey(item, `write "host:port" = "address:port"`, "%s is not host:port", quote(from))
		}
		if _, err := netip.ParseAddrPort(to); err != nil {
			b.bad(item, `write an IP address and a port, "10.0.0.7:443"`, "%s is not address:port", quote(to))
		}
	}
	return out
}

func (b *builder) auth(t *table, sc *scope) Auth {
	var a Auth
	if t.n == nil {
		return a
	}
	switch t.oneOf("basic", "bearer", "oauth2") {
	case "basic":
		basic := t.table("basic")
		basic.need("user", "password")
		a.BasicUser, a.BasicPassword = basic.template("user", sc), basic.template("password", sc)
		b.noteSecretKey(basic, "password")
	case "bearer":
		a.Bearer = t.template("bearer", sc)
		b.noteSecretKey(t, "bearer")
	case "oauth2":
		a.OAuth2 = b.oauth2(t.table("oauth2"), sc.outside("[http.auth]: the token is fetched once"))
	default:
		b.badKey(t.n, "write basic, bearer or oauth2", "[http.auth] is empty")
	}
	return a
}

// noteSecretKey keeps the literal value of a key, to be masked.
func (b *builder) noteSecretKey(t *table, name string) {
	if n := t.n.kid(name); n != nil {
		b.noteLiteral(b.textOf(n))
	}
}

func (b *builder) oauth2(t *table, sc *scope) *OAuth2 {
	t.need("token_url", "client_id", "client_secret")
	o := &OAuth2{
		TokenURL:     t.template("token_url", sc),
		ClientID:     t.template("client_id", sc),
		ClientSecret: t.template("client_secret", sc),
		Scopes:       t.texts("scopes"),
		Audience:     t.textOr("audience", ""),
	}
	b.noteSecretKey(t, "client_secret")
	if o.TokenURL != nil {
		if text, ok := o.TokenURL.Literal(); ok {
			if u, err := url.Parse(text); err != nil || !httpURL(text) || u.Hostname() == "" {
				b.bad(t.n.kid("token_url"), `write "https://..."`, "token_url %s is not a URL", quote(text))
			}
		}
	}
	return o
}

func (b *builder) tls(t *table) TLS {
	s := TLS{
		ServerName: t.textOr("server_name", ""),
		MinVersion: t.word("min_version"),
		Insecure:   t.boolean("insecure"),
	}
	for _, f := range []struct {
		key  string
		into *[]byte
	}{{"ca", &s.CA}, {"cert", &s.Cert}, {"key", &s.Key}} {
		if _, content, ok := b.file(t, f.key, maxTLSFile); ok {
			*f.into = content
		}
	}
	switch {
	case t.has("cert") && !t.has("key"):
		b.badKey(t.n.kid("cert"), "a client certificate needs its key", "[http.tls] has cert and no key")
	case t.has("key") && !t.has("cert"):
		b.badKey(t.n.kid("key"), "a key needs its certificate", "[http.tls] has key and no cert")
	}
	if s.Insecure {
		b.warn(t.n.kid("insecure"), t.n.kid("insecure").key, "trust the target's certificate with ca instead", "insecure = true trusts any certificate")
	}
	return s
}
