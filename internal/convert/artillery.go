package convert

import (
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Artillery writes a spec for an Artillery script in YAML or JSON
// (https://www.artillery.io/docs/reference/test-script).
func Artillery(w io.Writer, r io.Reader, o Options) error {
	text, err := readAll(r)
	if err != nil {
		return err
	}
	doc, err := parseYAML(text)
	if err != nil {
		return badInput("check it with a YAML linter", "it cannot be read (%s)", firstLine(err.Error()))
	}
	top, ok := doc.(object)
	if !ok || top.get("config") == nil && top.get("scenarios") == nil {
		return badInput("it has config and scenarios", "this is not an Artillery script")
	}
	s := &script{
		draft: newDraft(o, "A load spec made of the Artillery script "+o.Source+" by `loadline import artillery`."),
		known: map[string]bool{}, aliases: map[string]string{}, lists: map[string]bool{},
	}
	if o.Max <= 0 {
		s.opts.Max = 200
	}
	s.user = []entry{{"lifetime", `"iteration"`, "every arrival is a new user, as in Artillery; leave it out for users who stay"}}
	s.http = []entry{{"redirects", "10", "Artillery follows them"}}
	for _, m := range top {
		switch m.name {
		case "config", "scenarios", "before", "after":
		default:
			s.lose(shorten(m.name) + ": " + shorten(compact(m.value)))
		}
	}
	config, _ := top.get("config").(object)
	s.config(config)
	s.setup = s.hooks(top.get("before"))
	s.scenarios(top.get("scenarios"))
	s.teardown = s.hooks(top.get("after"))
	return s.write(w)
}

// A script is an Artillery script on its way into a draft.
type script struct {
	*draft
	aliases map[string]string // Artillery's name of a value, to what stands in {{ }} for it
	known   map[string]bool   // names of values that this place can use, beside aliases
	lists   map[string]bool   // captured names that for_each may walk over
	steps   int               // so far
	here    []field           // captured by the step that is being read: name and source
	place   string            // "setup" where there are no rows
}

func (s *script) config(config object) {
	for _, m := range config {
		switch m.name {
		case "target":
			s.draftTarget(m.value)
		case "phases", "environments": // after the rest
		case "variables":
			s.variables(m.value)
		case "payload":
			s.payloads(m.value)
		case "defaults":
			s.defaults(m.value)
		case "http":
			s.httpConfig(m.value)
		case "tls":
			s.tlsConfig(m.value)
		case "ensure":
			s.ensure(m.value)
		case "plugins":
			s.plugins(m.value)
		case "processor":
			s.lose("processor " + shorten(compact(m.value)) + ": loadline runs no code of the script's; see the comments where a function was called")
		default:
			s.lose("config." + shorten(m.name) + ": " + shorten(compact(m.value)))
		}
	}
	if phases := config.get("phases"); phases != nil {
		s.load = s.phases(phases)
	} else {
		s.loadNote = []string{"The script has no phases, with which Artillery sends one user: a load to begin with."}
	}
	s.environments(config.get("environments"))
}

// draftTarget reads config.target, which may come from the environment.
func (s *script) draftTarget(v any) {
	text, _ := v.(string)
	u, err := parseURL(text)
	if err != nil {
		s.lose("config.target " + shorten(compact(v)) + ": set BASE_URL, or write it in [target]")
		return
	}
	s.target = origin(u) + strings.TrimRight(cleanPath(u.EscapedPath()), "/")
	s.host = u.Hostname()
}

// variables reads config.variables: a list is a feed of one column.
func (s *script) variables(v any) {
	all, _ := v.(object)
	for _, m := range all {
		id := s.claim(identifier(m.name, "variable"))
		rows, isList := m.value.([]any)
		switch {
		case secretName.MatchString(m.name) && !isList && m.value != nil:
			delete(s.names, id)
			s.aliases[m.name] = bare(s.hide(m.name, scalar(m.value)))
		case isList && len(rows) > 0:
			f := feed{name: id}
			items := make([]any, 0, len(rows))
			for _, row := range rows {
				items = append(items, object{{"value", literalValue(plainScalar(row))}})
			}
			text, ok := tomlValue(items)
			if !ok || id == "user" {
				s.lose("config.variables." + shorten(m.name) + ": " + shorten(compact(m.value)))
				continue
			}
			f.entries = []entry{{"rows", text, ""}, {"order", `"random"`, ""}}
			s.feeds = append(s.feeds, f)
			s.aliases[m.name] = id + ".value"
		default:
			text, ok := tomlValue(constantValue(plainScalar(m.value)))
			if !ok {
				text = `""`
				s.lose("config.variables." + shorten(m.name) + ": " + shorten(compact(m.value)))
			}
			s.vars = append(s.vars, entry{id, text, ""})
			s.aliases[m.name] = id
		}
	}
}

// bare is the name in a template of nothing else.
func bare(template string) string {
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(template, "{{"), "}}"))
}

// plainScalar is a value that a variable can have: documents become their text.
func plainScalar(v any) any {
	switch v := v.(type) {
	case []any, object:
		return compact(v)
	case nil:
		return ""
	default:
		return v
	}
}

// literalValue escapes the texts of a value that templates are filled in, or not.
func literalValue(v any) any {
	if text, ok := v.(string); ok {
		return strings.ReplaceAll(text, "${", "$${")
	}
	return v
}

// constantValue is a value in [vars], where {{ is an error.
func constantValue(v any) any {
	if text, ok := v.(string); ok {
		return strings.ReplaceAll(strings.ReplaceAll(text, "{{", "{ {"), "${", "$${")
	}
	return v
}

// defaults reads config.defaults or its older place config.http.defaults.
func (s *script) defaults(v any) {
	all, _ := v.(object)
	for _, m := range all {
		if m.name == "headers" {
			headers, _ := m.value.(object)
			s.headers = append(s.headers, s.requestHeaders(headers)...)
			continue
		}
		s.lose("config.defaults." + shorten(m.name) + ": " + shorten(compact(m.value)))
	}
}

func (s *script) httpConfig(v any) {
	all, _ := v.(object)
	for _, m := range all {
		text := scalar(m.value)
		switch m.name {
		case "timeout":
			if d, ok := seconds(text, 600); ok {
				s.http = append(s.http, entry{"timeout", quote(d), ""})
				continue
			}
		case "pool":
			if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= 100_000 {
				s.http = append(s.http, entry{"connections", `"shared"`, ""}, entry{"max_connections", strconv.Itoa(n), ""})
				continue
			}
		case "defaults":
			s.defaults(m.value)
			continue
		}
		s.lose("config.http." + shorten(m.name) + ": " + shorten(compact(m.value)))
	}
}

func (s *script) tlsConfig(v any) {
	all, _ := v.(object)
	for _, m := range all {
		if m.name == "rejectUnauthorized" && m.value == false {
			s.tls = []entry{{"insecure", "true", ""}}
			continue
		}
		s.lose("config.tls." + shorten(m.name) + ": " + shorten(compact(m.value)))
	}
}

func (s *script) plugins(v any) {
	all, _ := v.(object)
	for _, m := range all {
		switch m.name {
		case "expect", "metrics-by-endpoint": // both are built in
		case "ensure":
			s.ensure(m.value)
		default:
			s.lose("the plugin " + shorten(m.name))
		}
	}
}

// ensured are Artillery's names of what its thresholds are about.
var ensured = regexp.MustCompile(`^(?:http\.response_time\.)?(p50|p75|p90|p95|p99|p999|min|max|median|mean)$`)

// ensure reads config.ensure: thresholds, and the older short forms.
func (s *script) ensure(v any) {
	all, _ := v.(object)
	for _, m := range all {
		switch m.name {
		case "thresholds":
			items, _ := m.value.([]any)
			for _, item := range items {
				o, _ := item.(object)
				for _, t := range o {
					s.threshold(t.name, t.value)
				}
			}
		case "maxErrorRate":
			if share, err := strconv.ParseFloat(scalar(m.value), 64); err == nil && share >= 0 && share <= 100 {
				s.limits = append(s.limits, "failed <= "+strconv.FormatFloat(share, 'f', -1, 64)+"%")
				continue
			}
			s.lose("ensure.maxErrorRate: " + shorten(compact(m.value)))
		default:
			s.threshold(m.name, m.value)
		}
	}
}

func (s *script) threshold(name string, v any) {
	match := ensured.FindStringSubmatch(name)
	ms, err := strconv.ParseFloat(scalar(v), 64)
	if match == nil || err != nil || !(ms > 0) || ms > 1e7 {
		s.lose("ensure: " + shorten(name) + " " + shorten(compact(v)))
		return
	}
	stat := map[string]string{"median": "p50", "mean": "avg", "p999": "p99.9"}[match[1]]
	if stat == "" {
		stat = match[1]
	}
	s.limits = append(s.limits, "latency."+stat+" <= "+strconv.FormatFloat(ms, 'f', -1, 64)+"ms")
}

// environments become profiles.
func (s *script) environments(v any) {
	all, _ := v.(object)
	for _, m := range all {
		o, _ := m.value.(object)
		p := profile{name: identifier(m.name, "environment"), notes: []string{"Artillery's environment " + shorten(m.name) + ": loadline run --profile " + identifier(m.name, "environment")}}
		for _, e := range o {
			switch e.name {
			case "target":
				u, err := parseURL(scalar(e.value))
				if err == nil {
					p.target = origin(u) + strings.TrimRight(cleanPath(u.EscapedPath()), "/")
					continue
				}
			case "phases":
				if p.load = s.phases(e.value); p.load != nil {
					continue
				}
			}
			p.notes = append(p.notes, "Left out: "+shorten(e.name)+": "+shorten(compact(e.value)))
		}
		if slices.ContainsFunc(s.profiles, func(q profile) bool { return q.name == p.name }) || p.target == "" && p.load == nil {
			s.lose("the environment " + shorten(m.name) + ": " + shorten(compact(m.value)))
			continue
		}
		s.profiles = append(s.profiles, p)
	}
}

// phases become stages; nil when they hold no load.
func (s *script) phases(v any) []entry {
	items, _ := v.([]any)
	var rows []string
	level, peak, most := 0.0, 0.0, 0
	names := map[string]bool{}
	for _, item := range items {
		p, ok := item.(object)
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(scalar(p.get("maxVusers"))); err == nil && n > 0 && n <= 100_000 {
			most = max(most, n)
		}
		rows = append(rows, s.phase(p, &level, &peak, names)...)
	}
	if len(rows) == 0 || peak <= 0 {
		if len(items) > 0 {
			s.lose("config.phases: " + shorten(compact(v)))
		}
		return nil
	}
	out := []entry{{"stages", "[\n  " + strings.Join(rows, ",\n  ") + ",\n]", ""}}
	if most > 0 {
		out = append(out, entry{"max_users", strconv.Itoa(most), "maxVusers"})
	}
	return out
}

// phase writes one phase as one or two stages. level is the rate that the one
// before it ended at.
func (s *script) phase(p object, level, peak *float64, names map[string]bool) []string {
	lost := func() []string {
		s.lose("a phase: " + shorten(compact(p)))
		return nil
	}
	for _, m := range p {
		if !slices.Contains([]string{"duration", "arrivalRate", "arrivalCount", "rampTo", "pause", "maxVusers", "name"}, m.name) {
			s.lose("phases: " + shorten(m.name) + " " + shorten(compact(m.value)))
		}
	}
	name := ""
	if text := scalar(p.get("name")); text != "" {
		text = unique(literalName(text), func(n string) bool { return names[n] })
		names[text] = true
		name = "name = " + quote(text) + ", "
	}
	if pause := p.get("pause"); pause != nil {
		ms, ok := duration(pause)
		if !ok {
			return lost()
		}
		*level = 0
		return []string{"{ " + name + `rate = "0/s", duration = "` + milliseconds(ms) + `" }`}
	}
	ms, ok := duration(p.get("duration"))
	if !ok {
		return lost()
	}
	rate, hasRate := arrivals(p.get("arrivalRate"))
	to, ramps := arrivals(p.get("rampTo"))
	n, counts := arrivals(p.get("arrivalCount"))
	switch {
	case ramps:
		var out []string
		if rate != *level {
			out = append(out, `{ rate = "`+rateText(rate)+`", duration = "0s" }`)
		}
		*level, *peak = to, max(*peak, rate, to)
		return append(out, "{ "+name+`ramp_to = "`+rateText(to)+`", duration = "`+milliseconds(ms)+`" }`)
	case counts:
		rate = n / float64(ms) * 1000
		if rate > maxRate {
			return lost()
		}
	case !hasRate:
		return lost()
	}
	*level, *peak = rate, max(*peak, rate)
	return []string{"{ " + name + `rate = "` + rateText(rate) + `", duration = "` + milliseconds(ms) + `" }`}
}

const maxRate = 1e6 // a second, of a spec

// rateText writes a rate without rounding where a second has a whole number, or
// a minute, or an hour.
func rateText(perSecond float64) string {
	for _, per := range []struct {
		unit    string
		seconds float64
	}{{"s", 1}, {"m", 60}, {"h", 3600}} {
		n := perSecond * per.seconds
		if rounded := math.Round(n); math.Abs(n-rounded) < 1e-9*max(1, n) && n < 1e15 {
			return strconv.FormatFloat(rounded, 'f', -1, 64) + "/" + per.unit
		}
	}
	return strconv.FormatFloat(math.Round(perSecond*1e6)/1e6, 'f', -1, 64) + "/s"
}

func arrivals(v any) (float64, bool) {
	f, err := strconv.ParseFloat(scalar(v), 64)
	return f, err == nil && f >= 0 && f <= maxRate
}

var longDuration = regexp.MustCompile(`(?i)^\s*(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)?\s*$`)

// duration reads a number of seconds, or a text with a unit, in milliseconds.
// A day is the most that a spec takes.
func duration(v any) (ms int64, ok bool) {
	m := longDuration.FindStringSubmatch(scalar(v))
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, false
	}
	per := 1000.0
	switch unit := strings.ToLower(m[2]); {
	case strings.HasPrefix(unit, "ms"), strings.HasPrefix(unit, "milli"):
		per = 1
	case strings.HasPrefix(unit, "m"):
		per = 60_000
	case strings.HasPrefix(unit, "h"):
		per = 3_600_000
	}
	total := math.Round(n * per)
	return int64(total), total >= 1 && total <= 24*3_600_000
}

// payloads reads config.payload: a CSV file, or several.
func (s *script) payloads(v any) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		p, ok := item.(object)
		if !ok {
			s.lose("config.payload: " + shorten(compact(item)))
			continue
		}
		s.payload(p)
	}
}

func (s *script) payload(p object) {
	path := scalar(p.get("path"))
	base := path[strings.LastIndexAny(path, `/\`)+1:]
	base, _, _ = strings.Cut(base, ".")
	id := s.claim(identifier(base, "rows"))
	if id == "user" { // {{ user.id }} is built in
		id = s.claim("users")
	}
	f := feed{name: id}
	columns := []string{}
	fields, _ := p.get("fields").([]any)
	row := object{}
	for _, c := range fields {
		name := strings.TrimSpace(scalar(c))
		column := identifier(name, "column")
		if name == "" || slices.Contains(columns, column) {
			continue
		}
		columns = append(columns, column)
		value := unset
		if secretName.MatchString(name) {
			value = "${" + strings.ToUpper(column) + ":-" + unset + "}"
		}
		row = append(row, member{column, value})
		s.aliases[name] = id + "." + column
	}
	if len(row) == 0 {
		row = object{{"column", unset}}
	}
	rows, _ := tomlValue([]any{row})
	f.notes = []string{
		"The rows of " + shorten(path) + ". Its first line must name the columns" + shorten(named(columns)) + "; then put it beside this",
		"spec and write, in the place of rows: file = " + quote(literal(base+".csv")),
	}
	f.entries = []entry{{"rows", rows, "stands in for the file"}}
	switch order := scalar(p.get("order")); order {
	case "sequence":
	case "", "random":
		f.entries = append(f.entries, entry{"order", `"random"`, ""})
	default:
		s.lose("payload.order: " + shorten(order))
	}
	for _, m := range p {
		if !slices.Contains([]string{"path", "fields", "order", "skipHeader"}, m.name) {
			f.notes = append(f.notes, "Left out: "+shorten(m.name)+": "+shorten(compact(m.value)))
		}
	}
	s.feeds = append(s.feeds, f)
}

// named lists columns in brackets; nothing when there are none.
func named(columns []string) string {
	if len(columns) == 0 {
		return ""
	}
	return " (" + strings.Join(columns, ",") + ")"
}
