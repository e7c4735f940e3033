package convert

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// wide is how long a line may get before a table gets a header of its own.
const wide = 110

// write writes the spec.
func (d *draft) write(w io.Writer) error {
	p := &printer{mask: d.maskComment}
	for _, line := range d.intro {
		p.comment(line)
	}
	p.comment("Check it with `loadline validate`, try one iteration with `loadline run FILE --once --debug`.")
	if len(d.lost) > 0 {
		p.comment("")
		p.comment("Not carried over:")
		for _, line := range d.lost {
			p.comment("- " + line)
		}
	}
	p.entries("", []entry{{key: "name", value: quote(d.specName())}})
	d.writeTarget(p)
	d.writeValues(p)
	d.writeLoad(p)
	p.steps("setup", "", d.setup, nil)
	for _, walk := range d.walks {
		p.walk(walk)
	}
	p.steps("teardown", "", d.teardown, nil)
	d.writeGate(p)
	for _, prof := range d.profiles {
		p.profile(prof)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// specName makes a name that a spec may have (1-80 characters of A-Z a-z 0-9
// . _ / - and blanks) of what the source is called.
func (d *draft) specName() string {
	name := d.opts.Name
	if name == "" {
		name = d.host
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._/- ", r):
			return r
		}
		return '-'
	}, name)
	name = strings.Trim(name, "-. /")
	if len(name) > 80 {
		name = strings.TrimRight(name[:80], "-. /")
	}
	if name == "" {
		return "imported"
	}
	return name
}

func (d *draft) writeTarget(p *printer) {
	p.header("target", "")
	url := d.target
	note := ""
	if url == "" {
		url, note = "http://127.0.0.1:8080", "not said by the source: write it here, or set BASE_URL"
	}
	lines := []entry{{"url", quote("${BASE_URL:-" + url + "}"), note}}
	if len(d.hosts) > 0 {
		lines = append(lines, entry{"allow_hosts", list(d.hosts), ""})
	}
	p.entries("", lines)
}

// writeValues writes what is said once for all requests.
func (d *draft) writeValues(p *printer) {
	if len(d.vars) > 0 {
		p.header("vars", "")
		p.entries("", d.vars)
	}
	if len(d.secrets) > 0 {
		p.blank()
		p.comment("Set these variables before a run; their values are masked in every output.")
		p.line("[secrets]")
		var lines []entry
		for _, s := range d.secrets {
			lines = append(lines, entry{s.name, quote("${" + s.variable + ":-" + unset + "}"), ""})
		}
		p.entries("", lines)
	}
	for _, f := range d.feeds {
		p.blank()
		for _, n := range f.notes {
			p.comment(n)
		}
		p.line("[data." + key(f.name) + "]")
		p.entries("", f.entries)
	}
	if len(d.http) > 0 {
		p.header("http", "")
		p.entries("", d.http)
	}
	p.fields("http.headers", "", d.headers)
	for _, t := range []struct {
		name  string
		lines []entry
	}{{"http.auth", d.auth}, {"http.tls", d.tls}} {
		if len(t.lines) > 0 {
			p.header(t.name, "")
			p.entries("", t.lines)
		}
	}
}

// writeLoad writes the load: the source's own, or a small one to begin with.
func (d *draft) writeLoad(p *printer) {
	p.blank()
	for _, n := range d.loadNote {
		p.comment(n)
	}
	load := d.load
	if load == nil {
		load = []entry{
			{"rate", `"10/s"`, "iterations due per second (open model); `users = 10` instead keeps ten users at work"},
			{"duration", `"60s"`, ""},
			{"warmup", `"15s"`, "driven, not measured"},
		}
	}
	p.line("[load]")
	p.entries("", load)
	if len(d.user) > 0 {
		p.header("user", "")
		p.entries("", d.user)
	}
}

func (d *draft) writeGate(p *printer) {
	p.header("gate", "")
	limits := d.limits
	if limits == nil {
		limits = []string{"errors < 1%"}
	}
	if len(limits) == 1 {
		p.entries("", []entry{{"thresholds", list(limits), ""}})
	} else {
		p.line("thresholds = [")
		for _, l := range limits {
			p.line("  " + quote(l) + ",")
		}
		p.line("]")
	}
	p.comment("Against main's runs the default tolerances hold; your own:")
	p.comment(`compare = ["latency.p95 within 10% or 5ms"]`)
}

// A printer writes TOML. With off, every line is a comment.
type printer struct {
	b    strings.Builder
	off  bool
	mask func(string) string
}

func (p *printer) line(text string) {
	if p.off {
		indent := len(text) - len(strings.TrimLeft(text, " "))
		text = text[:indent] + "# " + strings.ReplaceAll(text[indent:], "\n", "\n# ") // a block of text has lines of its own
	}
	p.b.WriteString(text + "\n")
}

func (p *printer) blank() { p.b.WriteByte('\n') }

// comment writes one line of comment; what cannot stand in one is taken out.
func (p *printer) comment(text string) { p.indented("", text) }

func (p *printer) indented(indent, text string) {
	text = strings.ToValidUTF8(p.mask(text), "\ufffd")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	p.b.WriteString(strings.TrimRight(indent+"# "+text, " ") + "\n")
}

func (p *printer) header(name, indent string) {
	if !p.off {
		p.blank()
	}
	p.line(indent + "[" + name + "]")
}

// entries writes lines with their "=" below each other.
func (p *printer) entries(indent string, lines []entry) {
	width := 0
	for _, l := range lines {
		if n := utf8.RuneCountInString(key(l.key)); n <= 24 {
			width = max(width, n)
		}
	}
	for _, l := range lines {
		k := key(l.key)
		text := indent + k + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(k))) + " = " + l.value
		if l.note != "" {
			text += "   # " + strings.Map(func(r rune) rune {
				if r < ' ' || r == 0x7f {
					return ' '
				}
				return r
			}, p.mask(l.note))
		}
		p.line(text)
	}
}

// fields writes a table of fields under a header of its own.
func (p *printer) fields(name, indent string, fields []field) {
	if len(fields) == 0 {
		return
	}
	p.header(name, indent)
	var lines []entry
	for _, f := range fields {
		lines = append(lines, entry{f.name, fieldValue(f), ""})
	}
	p.entries(indent, lines)
}

func fieldValue(f field) string {
	if len(f.values) == 1 {
		return quote(f.values[0])
	}
	return list(f.values)
}

func list(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// inline writes fields as a table on one line.
func inline(fields []field) string {
	items := make([]string, len(fields))
	for i, f := range fields {
		items[i] = key(f.name) + " = " + fieldValue(f)
	}
	return "{ " + strings.Join(items, ", ") + " }"
}

func (p *printer) walk(w *walk) {
	p.blank()
	for _, n := range w.notes {
		p.comment(n)
	}
	p.line("[[scenario]]")
	p.entries("", append([]entry{{"name", quote(literalName(w.name)), ""}}, w.entries...))
	p.steps("scenario.step", "  ", w.steps, map[string]bool{})
}

// literalName is a name in one line of at most 200 bytes, as a spec wants it.
func literalName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\ufffd"))
	name = strings.TrimSpace(name)
	for len(name) > 150 {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	if name == "" {
		name = "main"
	}
	return strings.ReplaceAll(name, "${", "$${")
}

// steps writes a list of steps. names are those taken in the scenario; nil
// where names may repeat.
func (p *printer) steps(table, indent string, steps []*step, names map[string]bool) {
	for _, s := range steps {
		p.step(table, indent, s, names)
	}
}

func (p *printer) step(table, indent string, s *step, names map[string]bool) {
	p.blank()
	for _, n := range s.notes {
		p.indented(indent, n)
	}
	if s.method == "" && len(s.parallel) == 0 {
		return
	}
	p.off = s.off
	p.line(indent + "[[" + table + "]]")
	if len(s.parallel) > 0 {
		p.entries(indent, p.together(s))
		for _, inner := range s.parallel {
			p.step(table+".parallel", indent+"  ", inner, names)
		}
	} else {
		lines, tables := s.entries(names)
		p.entries(indent, lines)
		for _, t := range tables {
			p.header(table+"."+t.name, indent+"  ")
			p.entries(indent+"  ", t.lines)
		}
	}
	p.off = false
}

// together are the lines of a step of steps.
func (p *printer) together(s *step) []entry {
	var lines []entry
	if s.name != "" {
		lines = append(lines, entry{"name", quote(literalName(s.name)), ""})
	}
	if s.think != "" {
		lines = append(lines, entry{"think", quote(s.think), ""})
	}
	return lines
}

// A subTable is a table of a step that is too long for one line.
type subTable struct {
	name  string
	lines []entry
}

// entries are the lines of a step with a request, and the tables below it.
func (s *step) entries(names map[string]bool) (lines []entry, tables []subTable) {
	add := func(k, v string) { lines = append(lines, entry{k, v, ""}) }
	fields := func(k string, fields []field) {
		if len(fields) == 0 {
			return
		}
		if text := inline(fields); len(text) < wide {
			add(k, text)
			return
		}
		t := subTable{name: k}
		for _, f := range fields {
			t.lines = append(t.lines, entry{f.name, fieldValue(f), ""})
		}
		tables = append(tables, t)
	}
	if name := s.ownName(names); name != "" {
		add("name", quote(name))
	}
	add("request", quote(s.method+" "+s.path))
	if s.forEach != "" {
		add("for_each", quote(s.forEach))
	}
	if s.repeat > 1 {
		add("repeat", strconv.Itoa(s.repeat))
	}
	fields("query", s.query)
	fields("headers", s.headers)
	switch s.body.kind {
	case "json":
		s.json(add, &tables)
	case "form", "multipart":
		fields(s.body.kind, s.body.form)
	case "body":
		add("body", block(s.body.text))
	}
	if s.expect != "" {
		add("expect", s.expect)
	}
	if len(s.checks) > 0 {
		add("checks", list(s.checks))
	}
	fields("capture", s.capture)
	if s.think != "" {
		add("think", quote(s.think))
	}
	if s.timeout != "" {
		add("timeout", quote(s.timeout))
	}
	if s.follow != "" {
		add("redirects", s.follow)
	}
	return lines, tables
}

// json writes a document: on one line, as a table, or, where TOML cannot say it,
// as text.
func (s *step) json(add func(k, v string), tables *[]subTable) {
	text, ok := tomlValue(s.body.value)
	doc, isObject := s.body.value.(object)
	switch {
	case !ok:
		add("body", block(unescapedKeys(s.body.value)))
	case len(text) < wide || !isObject || len(doc) == 0:
		add("json", text)
	default:
		t := subTable{name: "json"}
		for _, m := range doc {
			v, _ := tomlValue(m.value)
			t.lines = append(t.lines, entry{m.name, v, ""})
		}
		*tables = append(*tables, t)
	}
}

// unescapedKeys is a document as the text of a body, in which variables of the
// environment are filled in everywhere, also in the names of members.
func unescapedKeys(v any) string { return compact(escapeNames(v)) }

func escapeNames(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = escapeNames(v[i])
		}
		return out
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{strings.ReplaceAll(m.name, "${", "$${"), escapeNames(m.value)}
		}
		return out
	}
	return v
}

// ownName is the name to write: one that was chosen, or one that keeps the step
// apart from another with the same request. "" leaves the default.
func (s *step) ownName(names map[string]bool) string {
	def, _, _ := strings.Cut(s.method+" "+s.path, "?")
	name := s.name
	if name != "" {
		name = literalName(name)
	}
	if names == nil || s.off {
		return name
	}
	shown := name
	if shown == "" {
		shown = def
	}
	if !names[shown] {
		names[shown] = true
		return name
	}
	base := literalName(strings.ReplaceAll(shown, "$${", "${"))
	for i := 2; ; i++ {
		try := fmt.Sprintf("%s (%d)", base, i)
		if !names[try] {
			names[try] = true
			return try
		}
	}
}

// block writes a text over several lines where it has several, so that it can
// be read. A literal block of TOML has no escapes: what needs one is quoted.
func block(text string) string {
	odd := strings.Contains(text, "'''") || strings.HasSuffix(text, "'") || strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\t' || r == 0x7f
	})
	if odd || !strings.Contains(text, "\n") {
		return quote(text)
	}
	return "'''\n" + text + "'''"
}

func (p *printer) profile(prof profile) {
	p.blank()
	for _, n := range prof.notes {
		p.comment(n)
	}
	if prof.target != "" {
		p.line("[profile." + key(prof.name) + ".target]")
		p.entries("", []entry{{"url", quote(prof.target), ""}})
	}
	if len(prof.load) > 0 {
		if prof.target != "" {
			p.blank()
		}
		p.line("[profile." + key(prof.name) + ".load]")
		p.entries("", prof.load)
	}
}

// status writes statuses for expect; "" when they are what is expected anyway.
func status(codes []int) string {
	slices.Sort(codes)
	codes = slices.Compact(codes)
	codes = slices.DeleteFunc(codes, func(c int) bool { return c < 100 || c > 599 })
	switch {
	case len(codes) == 0:
		return ""
	case len(codes) == 1:
		return strconv.Itoa(codes[0])
	}
	items := make([]string, len(codes))
	for i, c := range codes {
		items[i] = strconv.Itoa(c)
	}
	return "[" + strings.Join(items, ", ") + "]"
}
