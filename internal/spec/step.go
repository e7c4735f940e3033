package spec

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// A stepPlace is where steps stand, and what they share there.
type stepPlace struct {
	list     string // "setup", "step", "on_start", ...: for messages
	scope    *scope
	unnamed  bool // setup, teardown: no catalog, so no index, and names may repeat
	names    map[string]*node
	parallel bool
}

// steps reads a list of steps. Each sees what those before it captured.
func (b *builder) steps(nodes []*node, at stepPlace) []*Step {
	var out []*Step
	for _, n := range nodes {
		out = append(out, b.step(b.open(n, "step"), at))
	}
	return out
}

// goesWithRequest are the keys that say nothing in a step of steps.
var goesWithRequest = []string{
	"query", "headers", "json", "form", "multipart", "graphql", "body", "body_file",
	"expect", "control", "checks", "capture", "record", "timeout", "redirects",
}

func (b *builder) step(t *table, at stepPlace) *Step {
	s := &Step{Index: -1, Pos: b.src.pos(t.n.key.start), Redirects: -1, Repeat: 1}
	before := at.scope
	item := b.forEach(t, s, before)
	if item != "" {
		at.scope = before.inner()
		at.scope.names[item] = &binding{what: "item", node: t.n.kid("for_each"), used: true}
	}
	s.If = b.check(t, "if", at.scope)
	s.Repeat = int(t.integer("repeat"))
	if item != "" && t.has("repeat") {
		b.badKey(t.n.kid("repeat"), "choose one", "this step has for_each and repeat")
	}
	s.Think = b.think(t, Think{})
	s.OnFailure = t.word("on_failure")
	s.Tags = b.tags(t)
	if t.has("parallel") {
		b.parallel(t, s, at)
	} else {
		b.request(t, s, at)
	}
	before.adopt(at.scope, item)
	return s
}

// parallel reads a step that is several sent together.
func (b *builder) parallel(t *table, s *Step, at stepPlace) {
	n, _ := t.row("parallel", tablesKind)
	if at.parallel {
		b.badKey(n, "list all steps in one [[...parallel]]", "parallel steps cannot have parallel steps")
		return
	}
	if r := t.n.kid("request"); r != nil {
		b.badKey(r, "move the request into a [[...parallel]] of its own", "this step has request and parallel")
	}
	for _, name := range goesWithRequest {
		if k := t.n.kid(name); k != nil {
			b.badKey(k, "move it into the [[...parallel]] it is for", "%s goes with a request, and this step has parallel", name)
		}
	}
	s.Name = t.textOr("name", "parallel")
	nodes := t.tables("parallel")
	if len(nodes) == 0 && n.kind == listNode {
		b.badKey(n, "write one in [[...parallel]]", "parallel has no steps")
	}
	var after []*scope
	for _, k := range nodes {
		inner := at
		inner.parallel = true
		inner.scope = at.scope.inner() // none sees what another captures meanwhile
		s.Parallel = append(s.Parallel, b.step(b.open(k, "step"), inner))
		after = append(after, inner.scope)
	}
	for _, sc := range after {
		at.scope.adopt(sc, "")
	}
}

func (b *builder) request(t *table, s *Step, at stepPlace) {
	sc := at.scope
	n, k := t.row("request", requestKind)
	if n == nil {
		if !t.meant("request") {
			b.badKey(t.n, `write request = "GET /path"`, "this step has no request")
		}
	} else if text, ok := b.templateString(n, k); ok {
		s.Method, s.URL, s.Name = b.requestLine(n, text, sc)
	}
	b.stepName(t, s, at)
	if !at.unnamed {
		s.Index = b.nextStep
		b.nextStep++
	}
	s.Query = t.pairs("query", sc)
	s.Headers = b.headers(t, sc)
	s.Body = b.body(t, s, sc)
	s.Expect = b.expect(t)
	s.Control = t.boolean("control")
	if at.unnamed && t.has("control") {
		b.badKey(t.n.kid("control"), "leave it out", "control goes with steps that are measured, and %s is not", at.list)
	}
	s.Timeout = t.duration("timeout")
	if t.has("redirects") {
		s.Redirects = int(t.integer("redirects"))
	}
	s.Checks = b.checks(t, sc, at.unnamed)
	s.Capture = b.captures(t, s, sc)
	s.Record = b.records(t)
	if r := t.n.kid("record"); r != nil && at.unnamed {
		b.badKey(r, "leave it out", "record goes with steps that are measured, and %s is not", at.list)
	}
}

// stepName gives the step its name, which must be its own in the scenario.
func (b *builder) stepName(t *table, s *Step, at stepPlace) {
	n := t.n.kid("name")
	if name, ok := t.text("name"); ok {
		if strings.TrimSpace(name) == "" || len(name) > 200 || strings.ContainsFunc(name, isControl) {
			b.bad(n, "", "name is %s: want 1 to 200 characters in one line", quote(name))
		}
		s.Name = name
	} else {
		n = t.n.kid("request")
	}
	if s.Name == "" {
		b.notSure("step", "check")
	}
	if at.unnamed || s.Name == "" || n == nil {
		return
	}
	if first := at.names[s.Name]; first != nil {
		hint := "give one of them a name of its own"
		b.report(n, n.val, hint, "the step %s is there already, at line %d", quote(s.Name), b.src.pos(first.key.start).Line)
		return
	}
	at.names[s.Name] = t.n
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// methods that requests usually have. Another one may be written, if it does
// not look like a slip.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

// requestLine reads "METHOD /path" and gives the name that the step has without
// another: the line as written, without its query.
func (b *builder) requestLine(n *node, text string, sc *scope) (method string, target *rule.Template, name string) {
	text = strings.TrimSpace(text)
	method, rest, two := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	upper := strings.ToUpper(method)
	switch {
	case !two && (strings.HasPrefix(text, "/") || strings.Contains(text, "://")):
		b.bad(n, `write "GET `+text+`"`, "request %s has no method", quote(text))
		return "", nil, ""
	case !two:
		b.bad(n, `write "GET /path"`, "request %s has no path", quote(text))
		return "", nil, ""
	case method != upper && slices.Contains(methods, upper):
		b.bad(n, `write "`+upper+" "+rest+`"`, "methods are written in capitals")
		return "", nil, ""
	case !plainMethod(method):
		b.bad(n, `write "GET /path"`, "%s is not a method", quote(method))
		return "", nil, ""
	case method == "CONNECT":
		b.bad(n, "choose another method", "CONNECT asks for a tunnel, which is not a request to measure")
		return "", nil, ""
	case !slices.Contains(methods, method) && rule.Nearest(method, methods) != "":
		b.report(n, b.place(n, strings.Index(b.textOf(n), method)), didYouMean(rule.Nearest(method, methods)), "unknown method %q", method)
		return "", nil, ""
	}
	at := strings.LastIndex(b.textOf(n), rest)
	path, found := outside(rest, "?#")
	switch {
	case !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "{{") && !httpURL(rest):
		b.report(n, b.place(n, at), `write "`+method+` /path" or "`+method+` https://..."`, "%s is neither a path nor a URL", quote(rest))
		return "", nil, ""
	case found == '#':
		b.report(n, b.place(n, at+len(path)), "leave it out: it is never sent", "the path has a fragment, %s", quote(rest[len(path):]))
	}
	out := b.parseTemplate(n, rest, at, sc)
	if blank, found := outside(rest, " \t"); found != 0 && out != nil {
		b.report(n, b.place(n, at+len(blank)), "write %20", "the path has a blank in it")
	}
	if strings.ContainsFunc(rest, isControl) {
		b.bad(n, "take it out", "request has a control character in it")
		return "", nil, ""
	}
	b.checkHost(n, rest, at)
	if name, ok := b.shown(n); ok { // what stands for a secret is not filled in in a name
		_, rest, _ = strings.Cut(strings.TrimSpace(name), " ")
		path, _ = outside(strings.TrimSpace(rest), "?#")
	}
	return method, out, method + " " + path
}

// textOf is the text of a node with its variables filled in, as far as they are
// set. Places are offsets in it.
func (b *builder) textOf(n *node) string {
	out, _ := expand(stringOf(n), b.env, nil, func(variable) {})
	return out
}

func plainMethod(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && c != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

func httpURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// outside cuts text at the first of the bytes in stop that is not within {{ }};
// found is that byte, or 0.
func outside(text, stop string) (before string, found byte) {
	for i := 0; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "{{") {
			if end := strings.Index(text[i:], "}}"); end > 0 {
				i += end + 1
				continue
			}
		}
		if strings.IndexByte(stop, text[i]) >= 0 {
			return text[:i], text[i]
		}
	}
	return text, 0
}

// checkHost refuses a URL to a host that is neither the target nor allowed. A
// host that is filled in at run time is checked then.
func (b *builder) checkHost(n *node, text string, at int) {
	if !httpURL(text) || b.hosts == nil {
		return
	}
	authority, _ := outside(text[strings.Index(text, "//")+2:], "/?#")
	if strings.Contains(authority, "{{") {
		return
	}
	u, err := url.Parse(text[:strings.Index(text, "//")+2] + authority)
	switch {
	case err != nil || u.Host == "":
		b.report(n, b.place(n, at), `write "https://host/path"`, "%s is not a URL", quote(text))
	case u.User != nil:
		b.report(n, b.place(n, at), "write them in [http.auth]", "the URL has credentials in it")
	case !allows(b.hosts, u):
		b.badValue(n, b.textOf(n), authority, "add it to target.allow_hosts", "request goes to %s, which is not the target", u.Host)
	}
}

// allows says whether one of the hosts, each host or host:port, is that of the URL.
func allows(hosts []string, u *url.URL) bool {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	for _, h := range hosts {
		if strings.EqualFold(h, u.Hostname()) || strings.EqualFold(h, joinPort(u.Hostname(), port)) {
			return true
		}
	}
	return false
}

func joinPort(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// expect reads the statuses that are no failure.
func (b *builder) expect(t *table) []StatusRange {
	n, k := t.row("expect", expectKind)
	if n == nil {
		return []StatusRange{{200, 299}}
	}
	items := []*node{n}
	if n.kind == listNode {
		items = n.kids
		if len(items) == 0 {
			b.bad(n, "", "expect is an empty list: want %s", k.want())
		}
	}
	var out []StatusRange
	for _, item := range items {
		if s, ok := b.status(item, k); ok {
			out = append(out, s)
		}
	}
	return out
}

func (b *builder) status(n *node, k *key) (StatusRange, bool) {
	code, ok := n.value.(int64)
	text := strconv.FormatInt(code, 10)
	if !ok {
		if _, isText := n.value.(string); !isText {
			b.wrongKind(n, k)
			return StatusRange{}, false
		}
		if text, ok = b.text(n); !ok {
			return StatusRange{}, false
		}
		if len(text) == 3 && text[0] >= '1' && text[0] <= '5' && text[1:] == "xx" {
			from := int(text[0]-'0') * 100
			return StatusRange{from, from + 99}, true
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !wholeVariable(n) {
			hint := ""
			if err == nil {
				hint = "write it without quotes, " + text
			} else if len(text) == 3 && text[0] >= '1' && text[0] <= '5' && strings.EqualFold(text[1:], "xx") {
				hint = "write " + strconv.Quote(strings.ToLower(text))
			}
			b.bad(n, hint, "expect is %s: want %s", quote(text), k.want())
			return StatusRange{}, false
		}
		code = v
	}
	if code < 100 || code > 599 {
		b.bad(n, "", "expect is %s: want a status from 100 to 599", text)
		return StatusRange{}, false
	}
	return StatusRange{int(code), int(code)}, true
}
