package convert

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
)

// openAPISteps is how many operations are written by default: so many as a
// person reads through. The rest is listed.
const openAPISteps = 20

// openAPIListed is how many of those left out are named one by one.
const openAPIListed = 40

// OpenAPI writes a spec for an OpenAPI 3 description in JSON or YAML. First come
// the GET operations that need nothing to be known, then those whose parameters
// have an example; then, as comments, those that write: whether a load may
// change data is for a person to say.
func OpenAPI(w io.Writer, r io.Reader, o Options) error {
	text, err := readAll(r)
	if err != nil {
		return err
	}
	doc, err := loadOpenAPI(text)
	if err != nil {
		return err
	}
	top, info := doc.top(), doc.top().get("info")
	if o.Max <= 0 {
		o.Max = openAPISteps
	}
	title := info.get("title").text() + " " + scalar(info.get("version").value)
	d := newDraft(o, "A load spec made of the OpenAPI description "+strings.TrimSpace(o.Source+" ("+strings.TrimSpace(title)+")")+" by `loadline import openapi`.")
	if d.opts.Name == "" {
		d.opts.Name = info.get("title").text()
	}
	d.server(top.get("servers"))
	d.security(top)
	d.operations(top.get("paths"))
	if doc.err != nil {
		return doc.err
	}
	return d.write(w)
}

func loadOpenAPI(text []byte) (*description, error) {
	head := text[:min(len(text), 4<<10)]
	switch {
	case bytes.Contains(head, []byte(`"swagger"`)) || bytes.HasPrefix(head, []byte("swagger:")) || bytes.Contains(head, []byte("\nswagger:")):
		return nil, badInput("convert it first, for example with https://converter.swagger.io", "this is Swagger 2.0, and OpenAPI 3 is wanted")
	case !bytes.Contains(text, []byte("openapi")):
		return nil, badInput(`it begins with "openapi: 3.x"`, "this is not an OpenAPI description")
	}
	doc, err := parseDescription(text)
	switch {
	case err != nil:
		return nil, badInput("check the description with a linter", "it cannot be read (%s)", firstLine(err.Error()))
	case !doc.top().get("openapi").there():
		return nil, badInput(`it begins with "openapi: 3.x"`, "this is not an OpenAPI description")
	case len(pathsOf(doc.top().get("paths"))) == 0:
		return nil, badInput("it describes nothing to send", "it has no paths")
	}
	return doc, nil
}

// pathsOf are the paths; what else stands beside them are extensions.
func pathsOf(paths node) []string {
	return slices.DeleteFunc(paths.names(), func(name string) bool { return !strings.HasPrefix(name, "/") })
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return shorten(line)
}

// server takes the first server as the target and names the others.
func (d *draft) server(servers node) {
	for i, s := range servers.items() {
		text := s.get("url").text()
		variables := s.get("variables")
		for _, name := range variables.names() {
			text = strings.ReplaceAll(text, "{"+name+"}", scalar(variables.get(name).get("default").value))
		}
		u, err := parseURL(text)
		switch {
		case d.target != "" || i > 0 && err != nil:
			d.lose("another server: " + shorten(text))
		case err != nil && strings.HasPrefix(text, "/"):
			d.target = "http://127.0.0.1:8080" + strings.TrimRight(cleanPath(text), "/")
			d.lose("the host: the description only says " + shorten(text) + "; set BASE_URL")
		case err != nil:
			d.lose("the server " + shorten(text) + ": it is not a URL")
		default:
			d.host = u.Hostname()
			d.target = origin(u) + strings.TrimRight(cleanPath(u.EscapedPath()), "/")
		}
	}
}

// security writes the first scheme that the description asks for.
func (d *draft) security(top node) {
	schemes := top.get("components").get("securitySchemes")
	wanted := map[string]bool{}
	for _, requirement := range top.get("security").items() {
		for _, name := range requirement.names() {
			wanted[name] = true
		}
	}
	done := false
	for _, name := range schemes.names() {
		scheme := schemes.get(name)
		kind := scheme.get("type").text()
		if !scheme.there() {
			continue
		}
		if done || !wanted[name] {
			d.lose("the security scheme " + shorten(name) + " (" + shorten(kind) + "): see `loadline explain http.auth`")
			continue
		}
		done = d.scheme(kind, scheme)
		if !done {
			d.lose("the security scheme " + shorten(name) + " (" + shorten(kind) + "): loadline has no key for it")
		}
	}
}

func (d *draft) scheme(kind string, s node) bool {
	bearer := func() { d.auth = []entry{{"bearer", quote(d.hide("api_token", "\x00bearer")), ""}} }
	http, name := s.get("scheme").text(), s.get("name").text()
	tokens := s.get("flows").get("clientCredentials")
	switch {
	case kind == "http" && strings.EqualFold(http, "basic"):
		value, _ := tomlValue(object{{"user", "${API_USER:-" + unset + "}"}, {"password", d.hide("api_password", "\x00basic")}})
		d.auth = []entry{{"basic", value, ""}}
	case kind == "http" && strings.EqualFold(http, "bearer"):
		bearer()
	case kind == "apiKey" && s.get("in").text() == "header" && headerName(name):
		d.headers = append(d.headers, field{name, []string{d.hide("api_key", "\x00header")}})
	case kind == "oauth2" && tokens.there():
		u, err := parseURL(tokens.get("tokenUrl").text())
		if err != nil {
			bearer()
			return true
		}
		value, _ := tomlValue(object{
			{"token_url", literal(u.String())}, {"client_id", "${CLIENT_ID:-" + unset + "}"}, {"client_secret", d.hide("client_secret", "\x00oauth2")},
		})
		d.auth = []entry{{"oauth2", value, ""}}
	case kind == "oauth2" || kind == "openIdConnect":
		bearer()
	default:
		return false
	}
	return true
}

// An operation is one method of one path.
type operation struct {
	path, method string
	op           node
	params       []node
	missing      []string // required parameters whose value nobody can guess
	required     int
}

func (o *operation) reads() bool { return o.method == "GET" || o.method == "HEAD" }

// rank orders operations by how little must be known to send them.
func (o *operation) rank() int {
	switch {
	case o.reads() && o.required == 0:
		return 0
	case o.reads() && len(o.missing) == 0:
		return 1
	case o.reads():
		return 2
	}
	return 3
}

// methods are those that a path may describe.
var methods = []string{"connect", "delete", "get", "head", "options", "patch", "post", "put", "trace"}

func (d *draft) operations(paths node) {
	var all []*operation
	for _, path := range pathsOf(paths) {
		item := paths.get(path)
		for _, method := range methods {
			if op := item.get(method); op.there() {
				all = append(all, newOperation(path, strings.ToUpper(method), op, item.get("parameters")))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *operation) int { return cmp.Compare(a.rank(), b.rank()) })
	chosen, rest := all, []*operation(nil)
	if len(all) > d.opts.Max {
		chosen, rest = all[:d.opts.Max], all[d.opts.Max:]
	}
	walks := map[string]*walk{}
	active := false
	for _, o := range chosen {
		name := o.group()
		if walks[name] == nil {
			walks[name] = &walk{name: name}
			d.walks = append(d.walks, walks[name])
		}
		s := d.operation(o)
		active = active || !s.off
		walks[name].steps = append(walks[name].steps, s)
	}
	d.walks = withSteps(d.walks, active)
	d.listRest(rest)
}

// withSteps sees that every scenario has a step that is sent: what has none is
// added, as comments, to the one before.
func withSteps(walks []*walk, active bool) []*walk {
	if !active {
		walks = append([]*walk{{name: "main", steps: []*step{{
			notes:  []string{"No operation could be sent as it stands; this request stands in for them."},
			method: "GET", path: "/",
		}}}}, walks...)
	}
	var out []*walk
	var early []*step
	for _, w := range walks {
		on := slices.ContainsFunc(w.steps, func(s *step) bool { return !s.off && (s.method != "" || len(s.parallel) > 0) })
		switch {
		case on:
			w.steps = append(early, w.steps...)
			early = nil
			out = append(out, w)
		case len(out) > 0:
			last := out[len(out)-1]
			last.steps = append(last.steps, w.steps...)
		default:
			early = append(early, w.steps...)
		}
	}
	return out
}

func newOperation(path, method string, op, shared node) *operation {
	o := &operation{path: path, method: method, op: op}
	for _, p := range append(op.get("parameters").items(), shared.items()...) {
		name, in := p.get("name").text(), p.get("in").text()
		if !p.there() || slices.ContainsFunc(o.params, func(q node) bool {
			return q.get("name").text() == name && q.get("in").text() == in
		}) {
			continue
		}
		o.params = append(o.params, p)
		if !p.get("required").yes() && in != "path" {
			continue
		}
		o.required++
		if _, known := parameterValue(p); !known {
			o.missing = append(o.missing, name)
		}
	}
	return o
}

// group is the scenario of an operation: its first tag, or the first word of its
// path.
func (o *operation) group() string {
	if tags := o.op.get("tags").texts(); len(tags) > 0 {
		return literalName(tags[0])
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(o.path, "/"), "/")
	return literalName(strings.Trim(word, "{}"))
}

func (d *draft) operation(o *operation) *step {
	s := &step{method: o.method, off: !o.reads() || len(o.missing) > 0}
	if summary := o.op.get("summary").text(); summary != "" {
		s.notes = append(s.notes, firstLine(summary))
	}
	if o.op.get("deprecated").yes() {
		s.notes = append(s.notes, "deprecated")
	}
	switch {
	case !o.reads():
		s.notes = append(s.notes, "It writes: take the # away if a load may.")
	case len(o.missing) > 0:
		s.notes = append(s.notes, "It needs values for "+shorten(strings.Join(o.missing, ", "))+".")
	}
	if strings.Contains(o.path, "{") {
		s.name = o.method + " " + o.path
	}
	s.path = cleanPath(o.filledPath())
	if s.path == "" || s.path[0] != '/' {
		s.path = "/" + s.path
	}
	s.path = d.hideShapes(s.path)
	d.parameters(s, o)
	d.requestBody(s, o.op.get("requestBody").get("content"))
	d.responses(s, o.op.get("responses"))
	return s
}

// filledPath is the path with a value for each {parameter}.
func (o *operation) filledPath() string {
	path := o.path
	for _, p := range o.params {
		if p.get("in").text() != "path" {
			continue
		}
		text, _ := parameterValue(p)
		path = strings.ReplaceAll(path, "{"+p.get("name").text()+"}", strings.ReplaceAll(cleanPath(text), "/", "%2F"))
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	return path
}

// parameters writes those that are required, and names the others.
func (d *draft) parameters(s *step, o *operation) {
	var optional []string
	for _, p := range o.params {
		name, in := p.get("name").text(), p.get("in").text()
		text, _ := parameterValue(p)
		switch {
		case in == "path":
		case !p.get("required").yes():
			optional = append(optional, name+" ("+in+")")
		case in == "query" && plainText(name) && name != "" && plainText(text):
			s.query = addField(s.query, name, d.hideField(name, text))
		case in == "header":
			if f, note := d.requestHeader(name, text); note == "" && !hasField(s.headers, name) {
				s.headers = append(s.headers, f)
				continue
			}
			s.notes = append(s.notes, "Left out: the header "+shorten(name))
		default:
			s.notes = append(s.notes, "Left out: the "+shorten(in)+" parameter "+shorten(name))
		}
	}
	if len(optional) > 0 {
		s.notes = append(s.notes, "It also takes "+shorten(strings.Join(optional, ", ")))
	}
}

// parameterValue is a value for a parameter; known is false for one that is only
// of the right type.
func parameterValue(p node) (text string, known bool) {
	v, known := example(p)
	if !known {
		schema, content := p.get("schema"), p.get("content")
		for _, kind := range content.names() {
			if !schema.there() {
				schema = content.get(kind).get("schema")
			}
		}
		v, known = sample(schema, 0)
	}
	return scalar(v), known
}

// requestBody writes a body in JSON or as a form, by its example or its schema.
func (d *draft) requestBody(s *step, content node) {
	kinds := content.names()
	if len(kinds) == 0 {
		return
	}
	for _, kind := range kinds {
		v, _ := mediaValue(content.get(kind))
		base, _, _ := strings.Cut(strings.ToLower(kind), ";")
		switch base {
		case "application/json":
			s.body = body{kind: "json", value: d.value("", v)}
			if _, ok := tomlValue(s.body.value); !ok {
				s.setContentType("application/json")
			}
			return
		case "application/x-www-form-urlencoded", "multipart/form-data":
			doc, _ := v.(object)
			form := body{kind: "form"}
			if base == "multipart/form-data" {
				form.kind = "multipart"
			}
			for _, m := range doc {
				if m.name != "" && plainText(m.name) {
					form.form = append(form.form, field{m.name, []string{d.hideField(m.name, scalar(m.value))}})
				}
			}
			if len(form.form) > 0 {
				s.body = form
				return
			}
		}
	}
	s.notes = append(s.notes, "It takes a body of "+shorten(strings.Join(kinds, ", "))+": write body or body_file.")
}

// responses writes what is expected of the answer.
func (d *draft) responses(s *step, responses node) {
	var codes []int
	for _, name := range responses.names() {
		code, err := strconv.Atoi(name)
		if err != nil || code < 200 || code > 299 {
			continue
		}
		codes = append(codes, code)
		if len(s.checks) == 0 {
			s.checks = responseChecks(responses.get(name).get("content"))
		}
	}
	if len(codes) > 1 {
		s.checks = nil // the answers are of several kinds
	}
	if len(codes) > 0 && (len(codes) > 1 || codes[0] != 200) {
		s.expect = status(codes)
	}
}

// responseChecks are checks that every answer of a schema meets.
func responseChecks(content node) []string {
	for _, kind := range content.names() {
		if !strings.HasPrefix(strings.ToLower(kind), "application/json") {
			continue
		}
		schema := content.get(kind).get("schema")
		switch typeOf(schema) {
		case "array":
			return []string{"$ is array"}
		case "object":
			var out []string
			for _, name := range schema.get("required").texts() {
				if shorthand(name) && len(out) < 3 {
					out = append(out, "$."+name+" exists")
				}
			}
			return slices.Compact(slices.Sorted(slices.Values(out)))
		}
	}
	return nil
}

// shorthand says whether a name may follow the dot of a JSON path, in ASCII.
func shorthand(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// listRest names the operations that were left out.
func (d *draft) listRest(rest []*operation) {
	if len(rest) == 0 {
		return
	}
	byMethod := map[string]int{}
	for _, o := range rest {
		byMethod[o.method]++
	}
	var counts []string
	for _, method := range sortedNames(byMethod) {
		counts = append(counts, strconv.Itoa(byMethod[method])+" "+method)
	}
	d.lose(count(len(rest), "operation") + " beyond the first " + strconv.Itoa(d.opts.Max) + " (" + strings.Join(counts, ", ") + "); --max N takes more")
	for i, o := range rest {
		if i == openAPIListed {
			d.lose("  and " + strconv.Itoa(len(rest)-i) + " more")
			return
		}
		d.lose("  " + shorten(o.method+" "+o.path))
	}
}
