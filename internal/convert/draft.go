package convert

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A draft is a spec in the making. Texts in it are as a spec has them: literal
// text of a source goes through literal first.
type draft struct {
	opts     Options
	intro    []string // comments at the top
	lost     []string // what could not be carried over, in the order it was met
	host     string   // for the name
	target   string   // URL; "" when the source does not say it
	hosts    []string // target.allow_hosts
	vars     []entry
	secrets  []secret
	feeds    []feed
	http     []entry
	headers  []field // [http.headers]
	auth     []entry // [http.auth]
	tls      []entry
	load     []entry
	loadNote []string
	user     []entry
	setup    []*step
	teardown []*step
	walks    []*walk
	limits   []string
	profiles []profile
	names    map[string]bool // taken by variables, secrets, feeds
}

// An entry is one line, key = value, with the value in TOML.
type entry struct {
	key, value string
	note       string // a comment behind it
}

// A field is one name with its values, which are templates.
type field struct {
	name   string
	values []string
}

// A secret is a value that a spec takes from the environment.
type secret struct{ name, variable, value string }

// A feed is one [data.NAME].
type feed struct {
	name    string
	entries []entry
	notes   []string
}

// A profile is one [profile.NAME].
type profile struct {
	name   string
	target string
	load   []entry
	notes  []string
}

// A walk is one [[scenario]].
type walk struct {
	name    string
	notes   []string
	entries []entry
	steps   []*step
}

// A step is one [[scenario.step]], or a comment between them when it has no
// request and no parallel steps.
type step struct {
	notes    []string
	off      bool // written as a comment
	name     string
	method   string
	path     string // of the target, or a whole URL; a template
	query    []field
	headers  []field
	body     body
	expect   string // in TOML; "" leaves the default
	checks   []string
	capture  []field
	think    string
	timeout  string
	repeat   int
	forEach  string
	follow   string // redirects, in TOML
	parallel []*step
}

// A body is what a step sends: exactly one kind.
type body struct {
	kind  string  // "", "json", "form", "multipart", "body"
	value any     // json: with strings that are templates
	form  []field // form, multipart
	text  string  // body: a template
}

func newDraft(o Options, intro ...string) *draft {
	return &draft{opts: o, intro: intro, names: map[string]bool{}}
}

// lose notes what is not in the spec. A thing is noted once.
func (d *draft) lose(what string) {
	if !slices.Contains(d.lost, what) {
		d.lost = append(d.lost, what)
	}
}

// literal writes text so that the spec reads it back alike: neither a variable
// of the environment nor a template begins in it.
func literal(text string) string {
	text = strings.ReplaceAll(text, "{{", "{{ '{{' }}")
	return strings.ReplaceAll(text, "${", "$${")
}

// reserved are names that mean something else within {{ }}.
var reserved = []string{
	"true", "false", "null", "iteration", "user", "uuid", "random_int", "random_float", "random_string",
	"pick", "now", "unix", "unix_ms", "seq",
}

// identifier makes a name that can stand in {{ }} of any text.
func identifier(text, without string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
	}
	name := strings.TrimRight(b.String(), "_")
	if len(name) > 60 {
		name = name[:60]
	}
	switch {
	case name == "":
		return without
	case name[0] >= '0' && name[0] <= '9', slices.Contains(reserved, name):
		return "v_" + name
	}
	return name
}

// unique gives name, or name with the first number that makes it free.
func unique(name string, taken func(string) bool) string {
	for i, try := 2, name; ; i++ {
		if !taken(try) {
			return try
		}
		try = name + "_" + strconv.Itoa(i)
	}
}

// claim takes a free name for a variable, a secret or a feed.
func (d *draft) claim(name string) string {
	name = unique(name, func(n string) bool { return d.names[n] })
	d.names[name] = true
	return name
}

// site takes the target from the first URL of a source.
func (d *draft) site(u *url.URL) {
	if d.target == "" {
		d.target = origin(u)
		d.host = u.Hostname()
	}
}

// origin is scheme://host[:port] in lower case, without the scheme's own port.
func origin(u *url.URL) string {
	host := strings.ToLower(u.Host)
	scheme := strings.ToLower(u.Scheme)
	if port := u.Port(); port == "80" && scheme == "http" || port == "443" && scheme == "https" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}

// parseURL reads an absolute http or https URL.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	text = withoutUser(text)
	switch {
	case err != nil:
		return nil, badInput("write https://host/path", "%s is not a URL", strconv.Quote(shorten(text)))
	case !strings.EqualFold(u.Scheme, "http") && !strings.EqualFold(u.Scheme, "https"):
		return nil, badInput("loadline speaks http and https", "%s is not a URL with http:// or https://", strconv.Quote(shorten(text)))
	case u.Hostname() == "" || strings.ContainsFunc(u.Host, oddInHost) || badPort(u):
		return nil, badInput("write https://host/path", "%s has no host", strconv.Quote(shorten(text)))
	}
	return u, nil
}

// withoutUser hides the credentials of a URL, for messages.
func withoutUser(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	if scheme := strings.Index(text, "://"); scheme >= 0 && scheme < at {
		return text[:scheme+3] + "***" + text[at:]
	}
	return "***" + text[at:]
}

func badPort(u *url.URL) bool {
	p := u.Port()
	if p == "" {
		return strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.Atoi(p)
	return err != nil || n < 1 || n > 65535
}

// oddInHost finds what no host name has: letters beyond ASCII must be written in
// Punycode, as browsers and curl send them.
func oddInHost(r rune) bool {
	return r <= ' ' || r > 'z' || strings.ContainsRune(`"'<>\^{|}*%$&(),;=!@`, r) || r == '`'
}

// where gives path and query of a URL for a step. A host that is not the
// target's is named in the path, and said to be.
func (d *draft) where(u *url.URL) (path string, query []field, foreign bool) {
	path = cleanPath(rawPath(u))
	if path == "" {
		path = "/"
	}
	if fields, ok := queryFields(u.RawQuery); ok {
		query = d.hideFields(fields)
	} else {
		path += "?" + cleanPath(u.RawQuery)
	}
	if foreign = origin(u) != d.target; foreign {
		path = origin(u) + path
	}
	return d.hideShapes(path), query, foreign
}

// rawPath is the path as it was written. EscapedPath would take a %2F for a slash
// as soon as something else in the path is not escaped as it should be.
func rawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// cleanPath encodes what may not stand in the target of a request (RFC 3986).
func cleanPath(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 {
			b.WriteString("%" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// queryFields takes a query, or a form, apart. ok is false when putting it
// together again would not give the same.
func queryFields(text string) (out []field, ok bool) {
	if text == "" {
		return nil, true
	}
	for part := range strings.SplitSeq(text, "&") {
		name, value, has := strings.Cut(part, "=")
		n, errName := url.QueryUnescape(name)
		v, errValue := url.QueryUnescape(value)
		if !has || errName != nil || errValue != nil || n == "" || !plainText(n) || !plainText(v) {
			return nil, false
		}
		out = addField(out, n, v)
	}
	return out, true
}

// addField adds a value, which is literal text so far, under its name.
func addField(fields []field, name, value string) []field {
	for i := range fields {
		if fields[i].name == name {
			fields[i].values = append(fields[i].values, value)
			return fields
		}
	}
	return append(fields, field{name, []string{value}})
}

// plainText says whether a text is UTF-8 without control characters but for
// white space.
func plainText(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f
	}) < 0
}

// shorten cuts a text for a comment or a message.
func shorten(text string) string {
	const most = 120
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most]) + "..."
}
