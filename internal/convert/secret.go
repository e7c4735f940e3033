package convert

import (
	"regexp"
	"slices"
	"strings"
)

// secretName finds names of headers, parameters and fields whose values are
// credentials.
var secretName = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|^x-.*auth|session[_-]?id|^sid$|csrf|xsrf|^cookie$|signature|^sig$|^key$|credential)`)

// tokenShape finds values that are credentials whatever they are called: those
// of GitHub, OpenAI, AWS, Slack, Stripe, and JSON Web Tokens.
var tokenShape = regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|sk-[A-Za-z0-9_-]{20,}|[sr]k_(live|test)_[A-Za-z0-9]{16,}|AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]*)?)`)

// unset is what a secret is as long as nobody has set its variable: the spec is
// valid, and the target refuses it.
const unset = "set-me"

// hide keeps a value as a secret and gives the template that stands for it. The
// same value is one secret.
func (d *draft) hide(name, value string) string {
	for _, s := range d.secrets {
		if s.value == value {
			return "{{ " + s.name + " }}"
		}
	}
	id := d.claim(strings.ToLower(identifier(name, "secret")))
	variable := strings.ToUpper(id)
	if !slices.ContainsFunc([]string{"TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY"}, func(w string) bool { return strings.Contains(variable, w) }) {
		variable += "_SECRET" // so that its value is masked wherever it is read
	}
	d.secrets = append(d.secrets, secret{id, variable, value})
	return "{{ " + id + " }}"
}

// hideField gives the template for a value under a name: a secret when either
// looks like one, else the text itself.
func (d *draft) hideField(name, value string) string {
	if value != "" && secretName.MatchString(name) {
		return d.hide(name, value)
	}
	return d.hideShapes(value)
}

// hideShapes puts secrets in the place of what looks like one in a text.
func (d *draft) hideShapes(text string) string {
	var b strings.Builder
	for {
		at := tokenShape.FindStringIndex(text)
		if at == nil {
			b.WriteString(literal(text))
			return b.String()
		}
		b.WriteString(literal(text[:at[0]]))
		b.WriteString(d.hide("token", text[at[0]:at[1]]))
		text = text[at[1]:]
	}
}

func (d *draft) hideFields(fields []field) []field {
	for i := range fields {
		for j, v := range fields[i].values {
			fields[i].values[j] = d.hideField(fields[i].name, v)
		}
	}
	return fields
}

// schemes are the words before the credentials of an Authorization header that
// say nothing secret (RFC 9110 section 11.1).
var schemes = regexp.MustCompile(`(?i)^(bearer|basic|token|digest|apikey|negotiate|jwt) +`)

// header gives the template of a header's value.
func (d *draft) header(name, value string) string {
	if !secretName.MatchString(name) || value == "" {
		return d.hideShapes(value)
	}
	id := name
	scheme := ""
	if strings.HasSuffix(strings.ToLower(name), "authorization") {
		id = "token"
		if scheme = schemes.FindString(value); scheme != "" {
			value = value[len(scheme):]
			if strings.EqualFold(strings.TrimSpace(scheme), "basic") {
				id = "basic_credentials"
			}
		}
	}
	if value == "" {
		return literal(scheme)
	}
	return scheme + d.hide(id, value)
}

// value gives a JSON document with its strings as templates, and those that are
// credentials as secrets. name is that of the member it stands in.
func (d *draft) value(name string, v any) any {
	switch v := v.(type) {
	case string:
		return d.hideField(name, v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = d.value(name, v[i])
		}
		return out
	case object:
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{literalKey(m.name), d.value(m.name, m.value)}
		}
		return out
	}
	return v
}

// literalKey is literal for the name of a member, in which variables of the
// environment are not filled in.
func literalKey(name string) string { return strings.ReplaceAll(name, "{{", "{{ '{{' }}") }

// maskComment hides the draft's secrets in what is said about them.
func (d *draft) maskComment(text string) string {
	for _, s := range d.secrets {
		if len(s.value) >= 4 {
			text = strings.ReplaceAll(text, s.value, "***")
		}
	}
	return tokenShape.ReplaceAllString(text, "***")
}
