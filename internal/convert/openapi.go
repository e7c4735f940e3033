package convert

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
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
	if o.Max <= 0 {
		o.Max = openAPISteps
	}
	title := ""
	if doc.Info != nil {
		title = doc.Info.Title + " " + doc.Info.Version
	}
	d := newDraft(o, "A load spec made of the OpenAPI description "+strings.TrimSpace(o.Source+" ("+strings.TrimSpace(title)+")")+" by `loadline import openapi`.")
	if d.opts.Name == "" && doc.Info != nil {
		d.opts.Name = doc.Info.Title
	}
	d.server(doc.Servers)
	d.security(doc)
	d.operations(doc)
	return d.write(w)
}

func loadOpenAPI(text []byte) (*openapi3.T, error) {
	head := text[:min(len(text), 4<<10)]
	switch {
	case bytes.Contains(head, []byte(`"swagger"`)) || bytes.HasPrefix(head, []byte("swagger:")) || bytes.Contains(head, []byte("\nswagger:")):
		return nil, badInput("convert it first, for example with https://converter.swagger.io", "this is Swagger 2.0, and OpenAPI 3 is wanted")
	case !bytes.Contains(text, []byte("openapi")):
		return nil, badInput(`it begins with "openapi: 3.x"`, "this is not an OpenAPI description")
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	switch {
	case err != nil && strings.Contains(err.Error(), "external reference"):
		return nil, badInput("bundle it into one file first, for example with `npx @redocly/cli bundle`", "it refers to other files")
	case err != nil:
		return nil, badInput("check the description with a linter", "it cannot be read (%s)", firstLine(err.Error()))
	case doc.Paths.Len() == 0:
		return nil, badInput("it describes nothing to send", "it has no paths")
	}
	return doc, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return shorten(line)
}

// server takes the first server as the target and names the others.
func (d *draft) server(servers openapi3.Servers) {
	for i, s := range servers {
		if s == nil {
			continue
		}
		text := s.URL
		for _, name := range sortedNames(s.Variables) {
			if v := s.Variables[name]; v != nil {
				text = strings.ReplaceAll(text, "{"+name+"}", v.Default)
			}
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
func (d *draft) security(doc *openapi3.T) {
	if doc.Components == nil {
		return
	}
	schemes := doc.Components.SecuritySchemes
	wanted := map[string]bool{}
	for _, requirement := range doc.Security {
		for name := range requirement {
			wanted[name] = true
		}
	}
	done := false
	for _, name := range sortedNames(schemes) {
		ref := schemes[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		if done || !wanted[name] {
			d.lose("the security scheme " + shorten(name) + " (" + ref.Value.Type + "): see `loadline explain http.auth`")
			continue
		}
		done = d.scheme(ref.Value)
		if !done {
			d.lose("the security scheme " + shorten(name) + " (" + ref.Value.Type + "): loadline has no key for it")
		}
	}
}

func (d *draft) scheme(s *openapi3.SecurityScheme) bool {
	bearer := func() { d.auth = []entry{{"bearer", quote(d.hide("api_token", "\x00bearer")), ""}} }
	switch {
	case s.Type == "http" && strings.EqualFold(s.Scheme, "basic"):
		value, _ := tomlValue(object{{"user", "${API_USER:-" + unset + "}"}, {"password", d.hide("api_password", "\x00basic")}})
		d.auth = []entry{{"basic", value, ""}}
	case s.Type == "http" && strings.EqualFold(s.Scheme, "bearer"):
		bearer()
	case s.Type == "apiKey" && s.In == "header" && headerName(s.Name):
		d.headers = append(d.headers, field{s.Name, []string{d.hide("api_key", "\x00header")}})
	case s.Type == "oauth2" && s.Flows != nil && s.Flows.ClientCredentials != nil:
		u, err := parseURL(s.Flows.ClientCredentials.TokenURL)
		if err != nil {
			bearer()
			return true
		}
		value, _ := tomlValue(object{
			{"token_url", literal(u.String())}, {"client_id", "${CLIENT_ID:-" + unset + "}"}, {"client_secret", d.hide("client_secret", "\x00oauth2")},
		})
		d.auth = []entry{{"oauth2", value, ""}}
	case s.Type == "oauth2" || s.Type == "openIdConnect":
		bearer()
	default:
		return false
	}
	return true
}

// An operation is one method of one path.
type operation struct {
	path, method string
	op           *openapi3.Operation
	params       openapi3.Parameters
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

func (d *draft) operations(doc *openapi3.T) {
	var all []*operation
	paths := doc.Paths.Map()
	for _, path := range sortedNames(paths) {
		item := paths[path]
		if item == nil {
			continue
		}
		byMethod := item.Operations()
		for _, method := range sortedNames(byMethod) {
			if op := byMethod[method]; op != nil {
				all = append(all, newOperation(path, method, op, item.Parameters))
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

func newOperation(path, method string, op *openapi3.Operation, shared openapi3.Parameters) *operation {
	o := &operation{path: path, method: method, op: op}
	for _, p := range append(slices.Clone(op.Parameters), shared...) {
		if p == nil || p.Value == nil || slices.ContainsFunc(o.params, func(q *openapi3.ParameterRef) bool {
			return q.Value.Name == p.Value.Name && q.Value.In == p.Value.In
		}) {
			continue
		}
		o.params = append(o.params, p)
		if !p.Value.Required && p.Value.In != "path" {
			continue
		}
		o.required++
		if _, known := parameterValue(p.Value); !known {
			o.missing = append(o.missing, p.Value.Name)
		}
	}
	return o
}

// group is the scenario of an operation: its first tag, or the first word of its
// path.
func (o *operation) group() string {
	if len(o.op.Tags) > 0 {
		return literalName(o.op.Tags[0])
	}
	word, _, _ := strings.Cut(strings.TrimPrefix(o.path, "/"), "/")
	return literalName(strings.Trim(word, "{}"))
}

func (d *draft) operation(o *operation) *step {
	s := &step{method: o.method, off: !o.reads() || len(o.missing) > 0}
	if o.op.Summary != "" {
		s.notes = append(s.notes, firstLine(o.op.Summary))
	}
	if o.op.Deprecated {
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
	d.requestBody(s, o.op.RequestBody)
	d.responses(s, o.op.Responses)
	return s
}

// filledPath is the path with a value for each {parameter}.
func (o *operation) filledPath() string {
	path := o.path
	for _, p := range o.params {
		if p.Value.In != "path" {
			continue
		}
		text, _ := parameterValue(p.Value)
		path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", strings.ReplaceAll(cleanPath(text), "/", "%2F"))
	}
	path, _, _ = strings.Cut(path, "#")
	path, _, _ = strings.Cut(path, "?")
	return path
}

// parameters writes those that are required, and names the others.
func (d *draft) parameters(s *step, o *operation) {
	var optional []string
	for _, p := range o.params {
		v := p.Value
		text, _ := parameterValue(v)
		switch {
		case v.In == "path":
		case !v.Required:
			optional = append(optional, v.Name+" ("+v.In+")")
		case v.In == "query" && plainText(v.Name) && v.Name != "" && plainText(text):
			s.query = addField(s.query, v.Name, d.hideField(v.Name, text))
		case v.In == "header":
			if f, note := d.requestHeader(v.Name, text); note == "" && !hasField(s.headers, v.Name) {
				s.headers = append(s.headers, f)
				continue
			}
			s.notes = append(s.notes, "Left out: the header "+shorten(v.Name))
		default:
			s.notes = append(s.notes, "Left out: the "+v.In+" parameter "+shorten(v.Name))
		}
	}
	if len(optional) > 0 {
		s.notes = append(s.notes, "It also takes "+shorten(strings.Join(optional, ", ")))
	}
}

// parameterValue is a value for a parameter; known is false for one that is only
// of the right type.
func parameterValue(p *openapi3.Parameter) (text string, known bool) {
	v, known := p.Example, p.Example != nil
	for _, name := range sortedNames(p.Examples) {
		if ex := p.Examples[name]; !known && ex != nil && ex.Value != nil && ex.Value.Value != nil {
			v, known = ex.Value.Value, true
		}
	}
	if !known {
		schema := p.Schema
		for _, name := range sortedNames(p.Content) {
			if m := p.Content[name]; schema == nil && m != nil {
				schema = m.Schema
			}
		}
		v, known = sample(schema, 0)
	}
	return scalar(ordered(v, 0)), known
}

// requestBody writes a body in JSON or as a form, by its example or its schema.
func (d *draft) requestBody(s *step, ref *openapi3.RequestBodyRef) {
	if ref == nil || ref.Value == nil || len(ref.Value.Content) == 0 {
		return
	}
	content := ref.Value.Content
	for _, kind := range sortedNames(content) {
		media := content[kind]
		if media == nil {
			continue
		}
		v, _ := mediaValue(media)
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
	s.notes = append(s.notes, "It takes a body of "+shorten(strings.Join(sortedNames(content), ", "))+": write body or body_file.")
}

// responses writes what is expected of the answer.
func (d *draft) responses(s *step, responses *openapi3.Responses) {
	var codes []int
	all := responses.Map()
	for _, name := range sortedNames(all) {
		code, err := strconv.Atoi(name)
		if err != nil || code < 200 || code > 299 {
			continue
		}
		codes = append(codes, code)
		if ref := all[name]; len(s.checks) == 0 && ref != nil && ref.Value != nil {
			s.checks = responseChecks(ref.Value.Content)
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
func responseChecks(content openapi3.Content) []string {
	for _, kind := range sortedNames(content) {
		if !strings.HasPrefix(strings.ToLower(kind), "application/json") || content[kind] == nil {
			continue
		}
		ref := content[kind].Schema
		switch {
		case ref == nil || ref.Value == nil:
		case ref.Value.Type.Is("array"):
			return []string{"$ is array"}
		case ref.Value.Type.Is("object"):
			var out []string
			for _, name := range ref.Value.Required {
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
