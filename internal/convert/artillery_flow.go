package convert

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// maxUnroll is how often a loop around several requests is written out.
const maxUnroll = 5

// hooks reads before or after: what is sent once.
func (s *script) hooks(v any) []*step {
	hook, _ := v.(object)
	s.place = "setup"
	defer func() { s.place = "" }()
	return s.flow(hook.get("flow"))
}

func (s *script) scenarios(v any) {
	items, _ := v.([]any)
	names := map[string]bool{}
	before := map[string]bool{}
	for name := range s.known {
		before[name] = true
	}
	for _, item := range items {
		o, ok := item.(object)
		if !ok {
			continue
		}
		s.known, s.lists = map[string]bool{}, map[string]bool{}
		for name := range before {
			s.known[name] = true
		}
		w := s.scenario(o)
		w.name = unique(literalName(w.name), func(n string) bool { return names[n] })
		names[w.name] = true
		s.walks = append(s.walks, w)
	}
	s.known = before // what scenarios capture stays in them
	active := slices.ContainsFunc(s.walks, func(w *walk) bool {
		return slices.ContainsFunc(w.steps, func(st *step) bool { return st.method != "" || len(st.parallel) > 0 })
	})
	s.walks = withSteps(s.walks, active)
	weighted := slices.ContainsFunc(s.walks, func(w *walk) bool {
		return !slices.ContainsFunc(w.entries, func(e entry) bool { return e.key == "weight" && e.value == "0" })
	})
	if !weighted {
		for _, w := range s.walks {
			w.entries = nil
		}
	}
}

func (s *script) scenario(o object) *walk {
	w := &walk{name: scalar(o.get("name"))}
	if w.name == "" {
		w.name = "scenario " + strconv.Itoa(len(s.walks)+1)
	}
	for _, m := range o {
		switch m.name {
		case "name", "flow":
		case "weight":
			weight, err := strconv.ParseFloat(scalar(m.value), 64)
			if text, ok := tomlNumber(scalar(m.value)); ok && err == nil && weight >= 0 && weight <= 1e6 {
				w.entries = []entry{{"weight", text, ""}}
				continue
			}
			w.notes = append(w.notes, "Left out: weight: "+shorten(compact(m.value)))
		case "engine":
			if engine := scalar(m.value); engine != "http" && engine != "" {
				w.steps = []*step{{notes: []string{"The scenario " + shorten(w.name) + " used the engine " + shorten(engine) + ", and loadline speaks HTTP: " + shorten(compact(o.get("flow")))}}}
				return w
			}
		default:
			w.notes = append(w.notes, "Left out: "+shorten(m.name)+": "+shorten(compact(m.value)))
		}
	}
	w.steps = s.flow(o.get("flow"))
	return w
}

// flow reads the steps of a scenario.
func (s *script) flow(v any) []*step {
	items, _ := v.([]any)
	var out []*step
	for i, item := range items {
		if s.steps >= s.opts.Max {
			s.lose(count(len(items)-i, "step") + " beyond the first " + strconv.Itoa(s.opts.Max) + "; --max N takes more")
			break
		}
		o, ok := item.(object)
		if !ok {
			out = append(out, noted("Left out: "+shorten(compact(item))))
			continue
		}
		out = s.item(out, o)
	}
	return out
}

// noted is a comment between steps.
func noted(text string) *step { return &step{notes: []string{text}} }

// item reads one item of a flow, which has one key that says what it is.
func (s *script) item(out []*step, o object) []*step {
	for _, m := range o {
		switch m.name {
		case "get", "post", "put", "patch", "delete", "head", "options":
			s.steps++
			args, ok := m.value.(object)
			if !ok {
				return append(out, noted("Left out: "+shorten(compact(o))))
			}
			return append(out, s.request(strings.ToUpper(m.name), args))
		case "think":
			return s.think(out, m.value)
		case "loop":
			return append(out, s.loop(o)...)
		case "parallel":
			return append(out, s.together(m.value))
		case "log":
			return append(out, noted("Left out: log "+shorten(scalar(m.value))))
		case "function":
			return append(out, noted("Left out: the function "+shorten(scalar(m.value))+" was called here."))
		}
	}
	return append(out, noted("Left out: "+shorten(compact(o))))
}

// think pauses after the step before.
func (s *script) think(out []*step, v any) []*step {
	ms, ok := duration(v)
	if ok && len(out) > 0 {
		last := out[len(out)-1]
		if last.think == "" && (last.method != "" || len(last.parallel) > 0) && last.repeat < 2 && last.forEach == "" {
			last.think = milliseconds(ms)
			return out
		}
	}
	return append(out, noted("Left out: think "+shorten(compact(v))))
}

func (s *script) together(v any) *step {
	out := &step{}
	for _, inner := range s.flow(v) {
		if inner.method == "" || len(inner.parallel) > 0 {
			out.notes = append(out.notes, inner.notes...)
			continue
		}
		out.parallel = append(out.parallel, inner)
	}
	return out
}

// loop writes a loop around one request as repeat or for_each, and a short one
// around several as often as it says.
func (s *script) loop(o object) []*step {
	n, err := strconv.Atoi(scalar(o.get("count")))
	over := scalar(o.get("over"))
	list, known := s.aliases[over]
	forEach := known && s.lists[list]
	if forEach {
		s.aliases["$loopElement"] = "item"
		s.known["item"] = true
	}
	before := s.steps
	steps := s.flow(o.get("loop"))
	delete(s.aliases, "$loopElement")
	sent := s.steps - before
	single := sent == 1 && len(steps) == 1 && len(steps[0].parallel) == 0 && steps[0].repeat == 0 && steps[0].forEach == ""
	switch {
	case forEach && single:
		steps[0].forEach = "item in " + list
	case err == nil && n > 1 && n <= 10_000 && single:
		steps[0].repeat = n
	case err == nil && n > 1 && n <= maxUnroll && s.steps+sent*(n-1) <= s.opts.Max:
		s.steps += sent * (n - 1)
		return slices.Repeat(steps, n)
	case err == nil && n == 1:
	default:
		rest := object{}
		for _, m := range o {
			if m.name != "loop" {
				rest = append(rest, m)
			}
		}
		steps = append([]*step{noted("A loop over these steps was here: " + shorten(compact(rest)))}, steps...)
	}
	return steps
}

func (s *script) request(method string, args object) *step {
	st := &step{method: method, name: scalar(args.get("name"))}
	s.here = nil
	s.address(st, args)
	s.captures(st, args) // first: what is expected may be about what is captured
	for _, m := range args {
		if st.body.kind != "" && slices.Contains([]string{"json", "form", "formData", "body"}, m.name) {
			st.notes = append(st.notes, "Left out: "+m.name+", beside another body")
			continue
		}
		switch m.name {
		case "url", "uri", "name", "capture":
		case "headers":
			headers, _ := m.value.(object)
			for _, f := range s.requestHeaders(headers) {
				st.addHeader(f)
			}
		case "json":
			st.body = body{kind: "json", value: s.value("", m.value)}
			if _, ok := tomlValue(st.body.value); !ok && !hasField(st.headers, "Content-Type") {
				st.setContentType("application/json")
			}
		case "form", "formData":
			s.form(st, m.name, m.value)
		case "body":
			if text, ok := m.value.(string); ok {
				st.body = body{kind: "body", text: s.template("", text)}
				continue
			}
			st.body = body{kind: "json", value: s.value("", m.value)}
		case "qs":
			fields, _ := m.value.(object)
			for _, f := range fields {
				if f.name != "" {
					st.query = addField(st.query, f.name, s.template(f.name, scalar(f.value)))
				}
			}
		case "cookie":
			cookies, _ := m.value.(object)
			var pairs []string
			for _, c := range cookies {
				pairs = append(pairs, c.name+"="+scalar(c.value))
			}
			if f, note := s.headerOf("Cookie", strings.Join(pairs, "; ")); note == "" && len(pairs) > 0 {
				st.addHeader(f)
			}
		case "auth":
			s.auth(st, m.value)
		case "expect":
			s.expects(st, m.value)
		case "match":
			s.match(st, m.value)
		case "followRedirect":
			if m.value == false {
				st.follow = "0"
			}
		case "gzip":
		default:
			st.notes = append(st.notes, "Left out: "+shorten(m.name)+": "+shorten(compact(m.value)))
		}
	}
	for _, c := range s.here {
		s.known[c.name] = true
	}
	return st
}

// addHeader adds a header, or notes that there is one of that name.
func (st *step) addHeader(f field) {
	if hasField(st.headers, f.name) {
		st.notes = append(st.notes, "Left out: a second header "+shorten(f.name))
		return
	}
	st.headers = append(st.headers, f)
}

// address reads the URL: a path of the target, or a whole URL.
func (s *script) address(st *step, args object) {
	text := scalar(args.get("url"))
	if text == "" {
		text = scalar(args.get("uri"))
	}
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		if u, err := parseURL(text); err == nil && !strings.Contains(text, "{{") {
			u.User = nil
			s.site(u)
			foreign := false
			if st.path, st.query, foreign = s.where(u); foreign {
				host := origin(u)[strings.Index(origin(u), "//")+2:]
				if !slices.Contains(s.hosts, host) {
					s.hosts = append(s.hosts, host)
				}
			}
			return
		}
		st.notes = append(st.notes, "The URL was "+shorten(text)+".")
		text = "/"
	}
	path, _, _ := strings.Cut(text, "#")
	path, query, has := strings.Cut(path, "?")
	st.path = s.pathTemplate(path)
	if !strings.HasPrefix(st.path, "/") {
		st.path = "/" + st.path
	}
	if !has {
		return
	}
	fields, ok := queryFields(query)
	if !ok {
		st.path += "?" + s.pathTemplate(query)
		return
	}
	for _, f := range fields {
		for _, v := range f.values {
			st.query = addField(st.query, f.name, s.template(f.name, v))
		}
	}
}

func (s *script) form(st *step, name string, v any) {
	fields, _ := v.(object)
	kind := map[string]string{"form": "form", "formData": "multipart"}[name]
	for _, f := range fields {
		file, isFile := f.value.(object)
		switch {
		case f.name == "" || hasExact(st.body.form, f.name):
			continue
		case isFile && file.get("fromFile") != nil:
			path := scalar(file.get("fromFile"))
			st.notes = append(st.notes, "It sent the file "+shorten(path)+" as "+shorten(f.name)+". Put it beside this spec and write, in multipart: "+key(f.name)+" = { file = "+quote(literal(shorten(path)))+" }")
			st.body.form = append(st.body.form, field{f.name, []string{literal("(the contents of " + shorten(path) + ")")}})
			continue
		}
		st.body.form = append(st.body.form, field{f.name, []string{s.template(f.name, scalar(f.value))}})
	}
	if len(st.body.form) > 0 {
		st.body.kind = kind
	}
}

// auth writes basic credentials, for all requests if nothing stands there yet.
func (s *script) auth(st *step, v any) {
	o, _ := v.(object)
	user, password := scalar(o.get("user")), scalar(o.get("pass"))
	if o.get("username") != nil {
		user, password = scalar(o.get("username")), scalar(o.get("password"))
	}
	if user == "" {
		st.notes = append(st.notes, "Left out: auth")
		return
	}
	value, _ := tomlValue(object{{"user", s.template("", user)}, {"password", s.template("password", password)}})
	switch {
	case strings.Contains(value, "{{") && s.usesCaptures(user+password):
		st.notes = append(st.notes, "Left out: auth, which used what the script captured: write an Authorization header")
	case len(s.draft.auth) == 0:
		s.draft.auth = []entry{{"basic", value, ""}}
		st.notes = append(st.notes, "Its credentials stand in [http.auth], and so go with every request.")
	case s.draft.auth[0].value != value:
		st.notes = append(st.notes, "Left out: auth with other credentials than [http.auth]")
	}
}

func (s *script) usesCaptures(text string) bool {
	for _, m := range artilleryTemplate.FindAllStringSubmatch(text, -1) {
		name, ok := s.aliases[strings.TrimSpace(m[1])]
		if ok && (s.known[name] || strings.Contains(name, ".")) {
			return true
		}
	}
	return false
}

// captures reads capture: one, or a list.
func (s *script) captures(st *step, args object) {
	v := args.get("capture")
	items, isList := v.([]any)
	if !isList && v != nil {
		items = []any{v}
	}
	for _, item := range items {
		o, _ := item.(object)
		as := scalar(o.get("as"))
		source := ""
		for _, m := range o {
			text := scalar(m.value)
			switch m.name {
			case "json":
				source = jsonPath(text)
			case "header":
				source = "header " + text
			case "regexp":
				if strings.Contains(scalar(o.get("flags")), "i") {
					text = "(?i)" + text
				}
				source = "regex '" + strings.ReplaceAll(text, "'", "''") + "'"
			}
		}
		if group := scalar(o.get("group")); group != "" && group != "1" {
			source = ""
		}
		if _, err := rule.ParseSource(source); err != nil || as == "" || strings.Contains(source, "${") {
			st.notes = append(st.notes, "Left out: capture "+shorten(compact(o)))
			continue
		}
		if o.get("strict") == false {
			st.notes = append(st.notes, "capture "+shorten(as)+" was not strict; here no match ends the iteration.")
		}
		id, had := s.aliases[as]
		if !had || strings.Contains(id, ".") || s.isConstant(id) {
			id = s.claim(identifier(as, "captured"))
		}
		if hasExact(st.capture, id) {
			continue
		}
		s.aliases[as] = id
		s.lists[id] = strings.HasPrefix(source, "$")
		st.capture = append(st.capture, field{id, []string{source}})
		s.here = append(s.here, field{id, []string{source}})
	}
}

func (s *script) isConstant(id string) bool {
	return slices.ContainsFunc(s.vars, func(e entry) bool { return e.key == id }) ||
		slices.ContainsFunc(s.secrets, func(x secret) bool { return x.name == id })
}

// jsonPath gives a path of Artillery's with the $ that ours begin with.
func jsonPath(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "$"):
		return text
	case strings.HasPrefix(text, "["):
		return "$" + text
	}
	return "$." + text
}
