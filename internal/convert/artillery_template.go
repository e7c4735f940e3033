package convert

import (
	"regexp"
	"strings"
)

// artilleryTemplate is one {{ }} of a script.
var artilleryTemplate = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

var (
	environmentName = regexp.MustCompile(`^\$(?:env|environment|processEnvironment)\.([A-Za-z_]\w*)$`)
	randomNumber    = regexp.MustCompile(`^\$randomNumber\(\s*(-?\d{1,15})\s*,\s*(-?\d{1,15})\s*\)$`)
	randomText      = regexp.MustCompile(`^\$randomString\(\s*(\d{0,4})\s*\)$`)
)

// template gives a text of the script as a template of ours. name is what the
// value is called; a credential becomes a secret.
func (s *script) template(name, text string) string {
	if !artilleryTemplate.MatchString(text) {
		if strings.EqualFold(name, "authorization") {
			return s.header(name, text)
		}
		return s.hideField(name, text)
	}
	return s.fill(text, s.hideShapes)
}

// fill puts our templates in the place of the script's, and what outside makes
// of it in the place of the text between them.
func (s *script) fill(text string, outside func(string) string) string {
	var b strings.Builder
	for {
		at := artilleryTemplate.FindStringSubmatchIndex(text)
		if at == nil {
			b.WriteString(outside(text))
			return b.String()
		}
		b.WriteString(outside(text[:at[0]]))
		b.WriteString("{{ " + s.expression(text[at[2]:at[3]]) + " }}")
		text = text[at[1]:]
	}
}

// pathTemplate is template for a path, in which blanks and the like are encoded.
func (s *script) pathTemplate(text string) string {
	return s.fill(text, func(part string) string { return s.hideShapes(cleanPath(part)) })
}

// expression gives what stands in {{ }} for an expression of the script. One
// that has no counterpart becomes a variable that is there to be filled in.
func (s *script) expression(text string) string {
	text = strings.TrimSpace(text)
	if id, ok := s.aliases[text]; ok && s.usable(id) {
		return id
	}
	if m := environmentName.FindStringSubmatch(text); m != nil {
		return s.environment(m[1])
	}
	if m := randomNumber.FindStringSubmatch(text); m != nil && !strings.HasPrefix(m[2], "-") {
		return "random_int(" + trimZeros(m[1]) + ", " + trimZeros(m[2]) + ")"
	}
	if m := randomText.FindStringSubmatch(text); m != nil {
		if n := trimZeros(m[1]); n != "0" {
			return "random_string(" + n + ")"
		}
		return "random_string(10)"
	}
	switch strings.TrimSuffix(text, "()") {
	case "$uuid":
		return "uuid()"
	case "$timestamp":
		return "unix_ms()"
	}
	return s.placeholder(text)
}

func trimZeros(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "0"
	}
	return sign + digits
}

// usable says whether a name has a value at this place: variables and secrets
// everywhere, rows where there are users, captures after they were made.
func (s *script) usable(id string) bool {
	if s.isConstant(id) || s.known[id] {
		return true
	}
	return strings.Contains(id, ".") && s.place != "setup"
}

// environment is a variable that takes its value from the environment.
func (s *script) environment(name string) string {
	for _, x := range s.secrets {
		if x.variable == name {
			return x.name
		}
	}
	for _, v := range s.vars {
		if v.value == quote("${"+name+":-"+unset+"}") {
			return v.key
		}
	}
	id := s.claim(strings.ToLower(identifier(name, "variable")))
	if secretName.MatchString(name) {
		s.secrets = append(s.secrets, secret{name: id, variable: name, value: "\x00" + name})
		return id
	}
	s.vars = append(s.vars, entry{id, quote("${" + name + ":-" + unset + "}"), ""})
	return id
}

// placeholder is a variable for what only code of the script knew.
func (s *script) placeholder(text string) string {
	key := "\x00" + text
	if id, ok := s.aliases[key]; ok {
		return id
	}
	id := s.claim(identifier(text, "value"))
	s.aliases[key] = id
	s.vars = append(s.vars, entry{id, quote(unset), "stands in for {{ " + shorten(text) + " }}, which the script worked out"})
	return id
}

// value gives a document of the script with templates of ours.
func (s *script) value(name string, v any) any {
	switch v := v.(type) {
	case string:
		return s.template(name, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = s.value(name, v[i])
		}
		return out
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{literalKey(m.name), s.value(m.name, m.value)}
		}
		return out
	}
	return v
}

// requestHeaders gives the headers of a table.
func (s *script) requestHeaders(headers object) []field {
	var out []field
	for _, h := range headers {
		f, note := s.headerOf(h.name, scalar(h.value))
		switch {
		case note != "":
			s.lose(note)
		case !hasField(out, h.name):
			out = append(out, f)
		}
	}
	return out
}

// headerOf is requestHeader for a value with templates.
func (s *script) headerOf(name, value string) (f field, note string) {
	f, note = newDraft(Options{}).requestHeader(name, artilleryTemplate.ReplaceAllString(value, "x"))
	if note != "" {
		return f, note
	}
	return field{f.name, []string{s.template(name, strings.TrimSpace(value))}}, ""
}
