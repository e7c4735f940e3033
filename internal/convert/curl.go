package convert

import (
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Curl writes a spec for one or more curl commands, a step for each. A command
// is read as a shell would: as it was copied out of a browser, or typed.
func Curl(w io.Writer, r io.Reader, o Options) error {
	text, err := readAll(r)
	if err != nil {
		return err
	}
	commands, err := splitShell(string(text))
	if err != nil {
		return err
	}
	return curl(w, commands, o)
}

// CurlArgs is Curl for one command whose words a shell has taken apart already.
func CurlArgs(w io.Writer, words []string, o Options) error {
	return curl(w, []shellCommand{{words: words}}, o)
}

func curl(w io.Writer, commands []shellCommand, o Options) error {
	most := o.Max
	if most <= 0 {
		most = 200
	}
	d := newDraft(o, "A load spec made of "+count(len(commands), "curl command")+" by `loadline import curl`.")
	scenario := &walk{name: "main"}
	for _, c := range commands {
		s, err := d.curlCommand(c)
		if err != nil {
			return err
		}
		if s == nil {
			continue
		}
		if len(scenario.steps) == most {
			d.lose("commands beyond the first " + strconv.Itoa(most) + ": --max takes more")
			break
		}
		scenario.steps = append(scenario.steps, s...)
	}
	if len(scenario.steps) == 0 {
		return badInput(`write it like "curl https://example.com/orders"`, "there is no curl command with a URL in it")
	}
	d.walks = []*walk{scenario}
	return d.write(w)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// curlWithValue are the options that take a value, by their long names, as of
// curl 8 (https://curl.se/docs/manpage.html). All others take none.
var curlWithValue = strings.Fields(`
abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode
delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine
etag-compare etag-save expect100-timeout form form-string ftp-account ftp-alternative-to-user ftp-method ftp-port
ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip header hostpubmd5 hostpubsha256 hsts interface
ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options
mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir
parallel-max pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert proxy-capath
proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser
proxy-user proxy1.0 pubkey quote random-file range rate referer request request-target resolve retry retry-delay
retry-max-time sasl-authzid service-name socks4 socks4a socks5 socks5-gssapi-service socks5-hostname speed-limit
speed-time stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers tlsauthtype tlspassword tlsuser
trace trace-ascii trace-config unix-socket upload-file url url-query user user-agent variable vlan-priority write-out`)

// curlShort are the one-letter options and their long names.
var curlShort = map[byte]string{
	'0': "http1.0", '1': "tlsv1", '2': "sslv2", '3': "sslv3", '4': "ipv4", '6': "ipv6", 'a': "append", 'A': "user-agent",
	'b': "cookie", 'B': "use-ascii", 'c': "cookie-jar", 'C': "continue-at", 'd': "data", 'D': "dump-header", 'e': "referer",
	'E': "cert", 'f': "fail", 'F': "form", 'g': "globoff", 'G': "get", 'h': "help", 'H': "header", 'i': "show-headers",
	'I': "head", 'j': "junk-session-cookies", 'J': "remote-header-name", 'k': "insecure", 'K': "config", 'l': "list-only",
	'L': "location", 'm': "max-time", 'M': "manual", 'n': "netrc", 'N': "no-buffer", 'o': "output", 'O': "remote-name",
	'p': "proxytunnel", 'P': "ftp-port", 'q': "disable", 'Q': "quote", 'r': "range", 'R': "remote-time", 's': "silent",
	'S': "show-error", 't': "telnet-option", 'T': "upload-file", 'u': "user", 'U': "proxy-user", 'v': "verbose",
	'V': "version", 'w': "write-out", 'x': "proxy", 'X': "request", 'y': "speed-time", 'Y': "speed-limit", 'z': "time-cond",
	'Z': "parallel", '#': "progress-bar", ':': "next",
}

// A curlOption is one option as given.
type curlOption struct{ name, value string }

// curlOptions takes the words behind "curl" apart. A URL is the option url.
func curlOptions(words []string) (out []curlOption) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		value := func() string {
			if i++; i < len(words) {
				return words[i]
			}
			return ""
		}
		switch {
		case strings.HasPrefix(word, "--") && len(word) > 2:
			name := word[2:]
			o := curlOption{name: name}
			if slices.Contains(curlWithValue, name) {
				o.value = value()
			}
			out = append(out, o)
		case strings.HasPrefix(word, "-") && len(word) > 1 && word != "--":
			for j := 1; j < len(word); j++ {
				name, known := curlShort[word[j]]
				if !known {
					name = word[j : j+1]
				}
				if !slices.Contains(curlWithValue, name) {
					out = append(out, curlOption{name: name})
					continue
				}
				v := word[j+1:]
				if v == "" {
					v = value()
				}
				out = append(out, curlOption{name, v})
				break
			}
		case word != "--":
			out = append(out, curlOption{"url", word})
		}
	}
	return out
}

// A curlRequest is what the options of one command come to.
type curlRequest struct {
	d         *draft
	urls      []string
	method    string
	headers   []field
	data      []string // pieces of the body, joined by &
	kind      string   // of the body: "data", "json", "form", ""
	query     []string // --url-query
	get, head bool
	parts     []field
	notes     []string
}

func (d *draft) curlCommand(c shellCommand) ([]*step, error) {
	words := c.words
	at := slices.IndexFunc(words, func(w string) bool { return w == "curl" || strings.HasSuffix(w, "/curl") || w == "curl.exe" })
	if at < 0 {
		if len(words) > 0 {
			d.lose("not a curl command: " + shorten(words[0]))
		}
		return nil, nil
	}
	r := &curlRequest{d: d}
	if c.after != "" {
		d.lose("what happens to curl's output: " + shorten(c.after))
	}
	for _, e := range c.expands {
		r.notes = append(r.notes, "A shell would have filled in "+shorten(e)+": write the value, or {{ name }} with a variable of [vars].")
	}
	var left []string
	for _, o := range curlOptions(words[at+1:]) {
		if !r.option(o) {
			left = append(left, "--"+o.name)
		}
	}
	if len(left) > 0 {
		slices.Sort(left)
		d.lose("options of curl that say nothing about the request, or that loadline has no key for: " + strings.Join(slices.Compact(left), ", "))
	}
	if len(r.urls) == 0 {
		return nil, badInput(`write it like "curl https://example.com/orders"`, "the curl command has no URL")
	}
	var steps []*step
	for _, u := range r.urls {
		s, err := r.step(u)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// option takes one option in; false when there is no place for it in a spec.
func (r *curlRequest) option(o curlOption) bool {
	switch o.name {
	case "url":
		r.urls = append(r.urls, o.value)
	case "request":
		r.method = o.value
	case "get":
		r.get = true
	case "head":
		r.head = true
	case "header":
		r.header(o.value)
	case "user-agent":
		r.set("User-Agent", o.value)
	case "referer":
		r.set("Referer", strings.TrimSuffix(o.value, ";auto"))
	case "cookie":
		r.cookie(o.value)
	case "oauth2-bearer":
		r.set("Authorization", "Bearer "+o.value)
	case "user":
		r.user(o.value)
	case "data", "data-ascii", "data-raw", "data-binary", "json":
		r.dataOption(o)
	case "data-urlencode":
		r.urlencoded(o.value)
	case "url-query":
		r.query = append(r.query, strings.TrimPrefix(o.value, "+"))
	case "form", "form-string":
		r.formPart(o)
	case "upload-file":
		if r.method == "" {
			r.method = "PUT"
		}
		r.file(o.name, o.value)
	default:
		return r.d.curlTransport(o)
	}
	return true
}

// curlTransport takes in the options about how requests are sent, which a spec
// says once for all.
func (d *draft) curlTransport(o curlOption) bool {
	set := func(entries *[]entry, key, value string) {
		if !slices.ContainsFunc(*entries, func(e entry) bool { return e.key == key }) {
			*entries = append(*entries, entry{key: key, value: value})
		}
	}
	switch o.name {
	case "insecure":
		set(&d.tls, "insecure", "true")
	case "tlsv1.3":
		set(&d.tls, "min_version", `"1.3"`)
	case "tlsv1.2", "compressed", "silent", "show-error", "verbose": // the default, or only about curl's own output
		return o.name == "tlsv1.2" || o.name == "compressed"
	case "location", "location-trusted":
		set(&d.http, "redirects", "10")
		if o.name == "location-trusted" {
			d.lose("--location-trusted: credentials stay on the first host")
		}
	case "max-redirs":
		n, err := strconv.Atoi(o.value)
		if err != nil || n < 0 || n > 20 {
			return false
		}
		d.http = slices.DeleteFunc(d.http, func(e entry) bool { return e.key == "redirects" })
		set(&d.http, "redirects", strconv.Itoa(n))
	case "max-time", "connect-timeout":
		text, ok := seconds(o.value, 600)
		if !ok {
			return false
		}
		set(&d.http, map[string]string{"max-time": "timeout", "connect-timeout": "connect_timeout"}[o.name], quote(text))
	case "http1.1", "http2", "http2-prior-knowledge":
		set(&d.http, "version", map[string]string{"http1.1": `"1.1"`, "http2": `"2"`, "http2-prior-knowledge": `"h2c"`}[o.name])
	case "ipv4", "ipv6":
		set(&d.http, "ip", quote(strings.TrimPrefix(o.name, "ipv")))
	default:
		if slices.Contains(curlWithValue, o.name) && o.value != "" && !secretOption(o.name) {
			d.lose("--" + o.name + " " + shorten(o.value))
			return true
		}
		return false
	}
	return true
}

// secretOption says whether the value of an option is not for showing.
func secretOption(name string) bool {
	return strings.Contains(name, "user") || strings.Contains(name, "pass") || strings.HasPrefix(name, "proxy") ||
		strings.HasPrefix(name, "socks") || name == "preproxy" || name == "cert" || name == "variable" || name == "mail-auth"
}

// seconds writes a number of seconds as a duration, from 1ms to most seconds.
func seconds(text string, most float64) (string, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(f >= 0.001) || f > most {
		return "", false
	}
	return milliseconds(int64(f*1000 + 0.5)), true
}

// milliseconds writes a duration in its largest whole unit.
func milliseconds(ms int64) string {
	if ms%1000 == 0 {
		return strconv.FormatInt(ms/1000, 10) + "s"
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

// set sets a header that is not there yet.
func (r *curlRequest) set(name, value string) {
	if value != "" && !hasField(r.headers, name) {
		r.addHeader(name, value)
	}
}

func hasField(fields []field, name string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// addHeader adds a header that a spec may set, and notes one that it may not.
func (r *curlRequest) addHeader(name, value string) {
	f, note := r.d.requestHeader(name, value)
	if note != "" {
		r.d.lose(note)
		return
	}
	for i := range r.headers {
		if strings.EqualFold(r.headers[i].name, name) {
			r.headers[i].values = append(r.headers[i].values, f.values...)
			return
		}
	}
	r.headers = append(r.headers, f)
}

// requestHeader gives a header for a step; note says why there is none.
func (d *draft) requestHeader(name, value string) (f field, note string) {
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch lower := strings.ToLower(name); {
	case !headerName(name):
		return f, "a header whose name is none: " + shorten(name)
	case lower == "content-length" || lower == "transfer-encoding" || lower == "connection":
		return f, "the header " + name + ": loadline sets it itself"
	case lower == "host":
		return f, "the header Host, " + shorten(value) + ": loadline sends the target's"
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) || !plainText(value):
		return f, "the header " + name + ": it has a control character in it"
	}
	return field{name, []string{d.header(name, value)}}, ""
}

// headerName says whether s is a token of RFC 9110 section 5.6.2.
func headerName(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) < 200
}

func (r *curlRequest) header(text string) {
	if strings.HasPrefix(text, "@") {
		r.d.lose("-H " + shorten(text) + ": headers that stand in a file")
		return
	}
	name, value, ok := strings.Cut(text, ":")
	switch {
	case !ok && strings.HasSuffix(text, ";"): // curl's way to send one without value
		r.addHeader(strings.TrimSuffix(text, ";"), "")
	case !ok:
		r.d.lose("-H without a colon: " + shorten(name))
	case strings.TrimSpace(value) == "":
		r.d.lose("the removal of the header " + shorten(name))
	default:
		r.addHeader(name, value)
	}
}

func (r *curlRequest) cookie(text string) {
	if !strings.Contains(text, "=") {
		if text != "" {
			r.d.lose("-b " + shorten(text) + ": cookies that stand in a file; loadline keeps those it is sent")
		}
		return
	}
	r.addHeader("Cookie", text)
}

// user sets the credentials for all requests.
func (r *curlRequest) user(text string) {
	if len(r.d.auth) > 0 {
		r.d.lose("a second -u: [http.auth] holds for all requests")
		return
	}
	r.d.basic(text)
}

// basic writes [http.auth] for user:password.
func (d *draft) basic(text string) {
	name, password, _ := strings.Cut(text, ":")
	secret := d.hide("password", password)
	value, _ := tomlValue(object{{"user", literal(strings.ToValidUTF8(name, ""))}, {"password", secret}})
	d.auth = []entry{{key: "basic", value: value}}
}

func (r *curlRequest) dataOption(o curlOption) {
	value := o.value
	if strings.HasPrefix(value, "@") && o.name != "data-raw" {
		r.file(o.name, value[1:])
		return
	}
	r.data = append(r.data, value)
	r.kind = "data"
	if o.name == "json" {
		r.kind = "json"
		r.set("Content-Type", "application/json")
		r.set("Accept", "application/json")
	}
}

// file notes a body that stands in a file, which need not be there yet.
func (r *curlRequest) file(option, name string) {
	r.notes = append(r.notes,
		"curl sent the file "+shorten(name)+" (--"+option+"). Put it beside this spec and write:",
		"body_file = "+quote(literal(shorten(name))))
	if r.method == "" {
		r.method = "POST"
	}
	if option == "json" {
		r.set("Content-Type", "application/json")
	}
}

// urlencoded follows curl's five forms of --data-urlencode.
func (r *curlRequest) urlencoded(text string) {
	name, value, has := strings.Cut(text, "=")
	switch {
	case strings.HasPrefix(text, "@") || !has && strings.Contains(text, "@"):
		r.file("data-urlencode", text[strings.IndexByte(text, '@')+1:])
		return
	case has && name != "":
		text = name + "=" + url.QueryEscape(value)
	case has:
		text = url.QueryEscape(value)
	default:
		text = url.QueryEscape(text)
	}
	r.data = append(r.data, text)
	if r.kind == "" {
		r.kind = "data"
	}
}

// formPart reads one part of a multipart form.
func (r *curlRequest) formPart(o curlOption) {
	name, value, ok := strings.Cut(o.value, "=")
	if !ok || name == "" || !plainText(name) {
		r.d.lose("--form " + shorten(o.value))
		return
	}
	r.kind = "form"
	if o.name == "form" && (strings.HasPrefix(value, "@") || strings.HasPrefix(value, "<")) {
		file, params, _ := strings.Cut(value[1:], ";")
		kind := ""
		if t, isType := strings.CutPrefix(params, "type="); isType {
			kind, _, _ = strings.Cut(t, ";")
		}
		part := `{ file = ` + quote(literal(shorten(file)))
		if kind != "" {
			part += `, type = ` + quote(literal(shorten(kind)))
		}
		r.notes = append(r.notes, "curl sent the file "+shorten(file)+" as "+name+". Put it beside this spec and write, in multipart: "+key(name)+" = "+part+" }")
		r.addPart(name, literal("(the contents of "+shorten(file)+")"))
		return
	}
	if o.name == "form" {
		if text, params, has := strings.Cut(value, ";type="); has {
			value = text
			r.d.lose("the type of the part " + name + ": " + shorten(params))
		}
	}
	if !plainText(value) {
		r.d.lose("the part " + name + ": it has a control character in it")
		return
	}
	r.addPart(name, r.d.hideField(name, value))
}

func (r *curlRequest) addPart(name, value string) {
	if hasExact(r.parts, name) {
		r.d.lose("a second part of the name " + name)
		return
	}
	r.parts = append(r.parts, field{name, []string{value}})
}

func hasExact(fields []field, name string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.name == name })
}

// step makes the step for one URL.
func (r *curlRequest) step(text string) (*step, error) {
	if !strings.Contains(text, "://") {
		text = "http://" + text // as curl does
	}
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	d := r.d
	d.site(u)
	if u.User != nil && len(d.auth) == 0 {
		password, _ := u.User.Password()
		d.basic(u.User.Username() + ":" + password)
	}
	u.User = nil
	method := r.verb() // may add a note
	s := &step{notes: slices.Clone(r.notes), headers: slices.Clone(r.headers), method: method}
	extra := slices.Clone(r.query)
	if r.get {
		extra = append(extra, r.data...)
	}
	if len(extra) > 0 {
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+strings.Join(extra, "&"), "&")
	}
	foreign := false
	s.path, s.query, foreign = d.where(u)
	if foreign && !slices.Contains(d.hosts, u.Host) {
		d.hosts = append(d.hosts, strings.TrimPrefix(strings.TrimPrefix(origin(u), "http://"), "https://"))
		slices.Sort(d.hosts)
		d.hosts = slices.Compact(d.hosts)
	}
	if !r.get {
		r.setBody(s)
	}
	return s, nil
}

// verb is the method that curl would use.
func (r *curlRequest) verb() string {
	method := strings.ToUpper(r.method)
	switch {
	case method != "" && !knownMethods[method]:
		r.notes = append(r.notes, "The method was "+shorten(r.method)+".")
		return "GET"
	case method != "":
		return method
	case r.head:
		return "HEAD"
	case r.get || r.kind == "":
		return "GET"
	}
	return "POST"
}

var knownMethods = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE", "REPORT", "SEARCH", "QUERY"} {
		m[name] = true
	}
	return m
}()

// setBody gives the step the body of the command in the form that reads best.
func (r *curlRequest) setBody(s *step) {
	if r.kind == "form" {
		s.body = body{kind: "multipart", form: r.parts}
		s.headers = withoutContentType(s.headers)
		if len(r.data) > 0 {
			r.d.lose("--data beside --form: a request has one body")
		}
		if len(r.parts) == 0 {
			s.body = body{}
		}
		return
	}
	if r.kind == "" {
		return
	}
	text := strings.Join(r.data, map[string]string{"json": "", "data": "&"}[r.kind])
	r.d.setBody(s, text, contentType(s.headers), true)
}

// withoutContentType leaves Content-Type to the kind of body, which says it.
func withoutContentType(fields []field) []field {
	return slices.DeleteFunc(slices.Clone(fields), func(f field) bool { return strings.EqualFold(f.name, "Content-Type") })
}

// setContentType sets the header, in the place of one that was empty.
func (s *step) setContentType(kind string) {
	s.headers = append(withoutContentType(s.headers), field{"Content-Type", []string{kind}})
}

func contentType(headers []field) string {
	for _, h := range headers {
		if strings.EqualFold(h.name, "content-type") && len(h.values) > 0 {
			return h.values[0]
		}
	}
	return ""
}

// setBody gives a step a body by its content type. Without one, form says
// whether the sender took it for a form, as curl does.
func (d *draft) setBody(s *step, text, contentType string, form bool) {
	base, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	base = strings.TrimSpace(base)
	switch {
	case !plainText(text):
		s.notes = append(s.notes, "The body was binary ("+count(len(text), "byte")+"). Put it into a file beside this spec and write: body_file = \"NAME\"")
		return
	case base == "application/json" || strings.HasSuffix(base, "+json"):
		if v, err := parseJSON(text); err == nil {
			s.body = body{kind: "json", value: d.value("", v)}
			if _, ok := tomlValue(s.body.value); ok && base == "application/json" {
				s.headers = withoutContentType(s.headers) // json says it
			} else if !ok && !hasField(s.headers, "Content-Type") {
				s.setContentType("application/json")
			}
			return
		}
		s.notes = append(s.notes, "The body says it is JSON, and is not.")
	case base == "application/x-www-form-urlencoded" || base == "" && form:
		if fields, ok := queryFields(text); ok && len(fields) > 0 {
			s.body = body{kind: "form", form: d.hideFields(fields)}
			s.headers = withoutContentType(s.headers)
			return
		}
		if base == "" {
			if _, err := parseJSON(text); err == nil {
				s.notes = append(s.notes, "This looks like JSON, and without -H 'Content-Type: application/json' curl sends it as a form.")
			}
			s.setContentType("application/x-www-form-urlencoded")
		}
	case base == "" && text != "":
		s.setContentType("application/octet-stream")
	}
	s.body = body{kind: "body", text: d.hideShapes(text)}
}

// sortedNames are the keys of a map in order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
