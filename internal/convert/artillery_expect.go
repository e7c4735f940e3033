package convert

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// expects reads expect: a table, or a list of tables.
func (s *script) expects(st *step, v any) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		o, _ := item.(object)
		for _, m := range o {
			if !s.expectation(st, m.name, m.value) {
				st.notes = append(st.notes, "Left out: expect "+shorten(m.name)+" "+shorten(compact(m.value)))
			}
		}
	}
}

// expectation takes one in; false when loadline has no check for it.
func (s *script) expectation(st *step, name string, v any) bool {
	text := scalar(v)
	switch name {
	case "statusCode":
		return expectStatus(st, v)
	case "contentType":
		if text == "json" {
			text = "application/json"
		}
		return s.check(st, "header Content-Type contains "+quoted(literal(text)))
	case "hasProperty":
		return s.check(st, jsonPath(text)+" exists")
	case "notHasProperty":
		return s.check(st, jsonPath(text)+" not exists")
	case "hasHeader":
		return s.check(st, "header "+text+" exists")
	case "headerEquals":
		pair, _ := v.([]any)
		if len(pair) != 2 {
			return false
		}
		return s.check(st, "header "+scalar(pair[0])+" == "+s.operand(pair[1]))
	case "matchesRegexp":
		return s.check(st, "body matches '"+strings.ReplaceAll(strings.ReplaceAll(text, "'", "''"), "${", "$${")+"'")
	case "equals":
		pair, _ := v.([]any)
		if len(pair) != 2 {
			return false
		}
		return s.equal(st, scalar(pair[0]), pair[1]) || s.equal(st, scalar(pair[1]), pair[0])
	}
	return false
}

func expectStatus(st *step, v any) bool {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	var codes []int
	for _, item := range items {
		code, err := strconv.Atoi(scalar(item))
		if err != nil || code < 100 || code > 599 {
			return false
		}
		codes = append(codes, code)
	}
	if len(codes) == 0 {
		return false
	}
	st.expect = status(codes)
	return true
}

// equal compares what a template stands for. A value that this very request
// captures is looked up where it is captured from: checks come before captures.
func (s *script) equal(st *step, left string, right any) bool {
	m := artilleryTemplate.FindStringSubmatch(left)
	if m == nil || m[0] != strings.TrimSpace(left) {
		return false
	}
	id, ok := s.aliases[strings.TrimSpace(m[1])]
	if !ok {
		return false
	}
	for _, c := range s.here {
		if c.name == id {
			return !strings.HasPrefix(c.values[0], "regex") && s.check(st, c.values[0]+" == "+s.operand(right))
		}
	}
	if !s.usable(id) {
		return false
	}
	return s.check(st, "{{ "+id+" }} == "+s.operand(right))
}

// match reads match: a place in the answer and the value there.
func (s *script) match(st *step, v any) {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		o, _ := item.(object)
		place := ""
		if path := scalar(o.get("json")); path != "" {
			place = jsonPath(path)
		} else if name := scalar(o.get("header")); name != "" {
			place = "header " + name
		}
		if place == "" || o.get("value") == nil || !s.check(st, place+" == "+s.operand(o.get("value"))) {
			st.notes = append(st.notes, "Left out: match "+shorten(compact(o)))
		}
	}
}

// operand writes the value of a check.
func (s *script) operand(v any) string {
	switch v := v.(type) {
	case string:
		return quoted(s.template("", v))
	default:
		return scalar(v)
	}
}

// quoted writes text in the quotes of a check. What stands in {{ }} stays.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for {
		before, rest, found := strings.Cut(text, "{{")
		b.WriteString(strings.ReplaceAll(before, "'", "''"))
		if !found {
			break
		}
		inner, after, _ := strings.Cut(rest, "}}")
		b.WriteString("{{" + inner + "}}")
		text = after
	}
	return b.String() + "'"
}

// check adds a check, if it is one and not there yet.
func (s *script) check(st *step, text string) bool {
	c, err := rule.ParseCheck(strings.ReplaceAll(text, "$${", "${"))
	if err != nil || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return false
	}
	for _, n := range c.Names() {
		if hasExact(s.here, n.Name) && !s.known[n.Name] {
			return false // captured only after the check
		}
	}
	if !slices.Contains(st.checks, text) {
		st.checks = append(st.checks, text)
	}
	return true
}
