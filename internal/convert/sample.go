package convert

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// How deep, and how large, a made-up document may get.
const (
	sampleDepth   = 5
	sampleMembers = 20
)

// mediaValue is a document for a body: an example, or one made of the schema.
func mediaValue(m node) (v any, known bool) {
	if v, ok := example(m); ok {
		return v, true
	}
	return sample(m.get("schema"), 0)
}

// example is the example of a parameter or body, or the first of its examples.
func example(n node) (v any, ok bool) {
	o, _ := n.value.(object)
	if v := o.get("example"); v != nil {
		return ordered(v), true
	}
	examples := n.get("examples")
	for _, name := range examples.names() {
		one, _ := examples.get(name).value.(object)
		if v := one.get("value"); v != nil {
			return ordered(v), true
		}
	}
	return nil, false
}

// sample makes a value of a schema: its example, default or first word, or one
// of its type, which is then not known to mean anything.
func sample(s node, depth int) (v any, known bool) {
	o, ok := s.value.(object)
	if !ok || depth > sampleDepth {
		return "", false
	}
	candidates := []any{o.get("example"), o.get("default")}
	for _, list := range []string{"examples", "enum"} { // "examples" is what OpenAPI 3.1 has
		if values, _ := o.get(list).([]any); len(values) > 0 {
			candidates = append(candidates, values[0])
		}
	}
	for _, candidate := range append(candidates, o.get("const")) {
		if candidate != nil {
			return ordered(candidate), true
		}
	}
	switch kind := typeOf(s); {
	case kind == "boolean":
		return true, true
	case kind == "integer" || kind == "number":
		return number(s), false
	case kind == "array":
		item, known := sample(s.get("items"), depth+1)
		return []any{item}, known
	case kind == "object" || s.get("properties").there() || s.get("allOf").there():
		return sampleObject(s, depth)
	}
	for _, several := range []string{"oneOf", "anyOf"} {
		if one := s.get(several).items(); len(one) > 0 {
			return sample(one[0], depth+1)
		}
	}
	return text(s), false
}

// typeOf is the type of a schema; "" when it has none, or several beside null
// (OpenAPI 3.1 writes ["string", "null"] for what may be null).
func typeOf(s node) string {
	t := s.get("type")
	if kind := t.text(); kind != "" {
		return kind
	}
	kinds := slices.DeleteFunc(t.texts(), func(kind string) bool { return kind == "null" })
	if len(kinds) != 1 {
		return ""
	}
	return kinds[0]
}

// sampleObject has the members that are required, or all when none is.
func sampleObject(s node, depth int) (v any, known bool) {
	out, known := object{}, true
	for _, part := range s.get("allOf").items() {
		if o, k := sample(part, depth+1); o != nil {
			if members, ok := o.(object); ok {
				out, known = append(out, members...), known && k
			}
		}
	}
	required, properties := s.get("required").texts(), s.get("properties")
	for _, name := range properties.names() {
		p := properties.get(name)
		if !p.there() || p.get("readOnly").yes() || len(out) >= sampleMembers || out.get(name) != nil ||
			len(required) > 0 && !slices.Contains(required, name) {
			continue
		}
		value, k := sample(p, depth+1)
		out, known = append(out, member{name, value}), known && k
	}
	return out, known
}

func number(s node) json.Number {
	n := 1.0
	if least, ok := s.number("minimum"); ok && least > n {
		n = math.Ceil(least)
	}
	if most, ok := s.number("maximum"); ok && most < n {
		n = math.Floor(most)
	}
	return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
}

// number is a member that is one.
func (n node) number(name string) (float64, bool) {
	v, ok := n.get(name).value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := v.Float64()
	return f, err == nil
}

// text makes a string of a format (OpenAPI 3.1, section 4.4: those of JSON Schema).
func text(s node) string {
	switch s.get("format").text() {
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	case "date":
		return "2024-01-31"
	case "date-time":
		return "2024-01-31T12:00:00Z"
	case "email":
		return "user@example.com"
	case "uri", "url":
		return "https://example.com/"
	}
	out := "string"
	if most, ok := s.number("maxLength"); ok && most >= 0 && most < float64(len(out)) {
		out = out[:int(most)]
	}
	return out
}

// ordered gives a value with its members in the order of their names, and
// numbers that JSON cannot hold left out.
func ordered(v any) any {
	switch v := v.(type) {
	case object:
		out := slices.Clone(v)
		slices.SortStableFunc(out, func(a, b member) int { return strings.Compare(a.name, b.name) })
		for i := range out {
			out[i].value = ordered(out[i].value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = ordered(v[i])
		}
		return out
	default:
		return v
	}
}

// scalar is a value as the text of a parameter; lists are joined by commas.
func scalar(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return string(v)
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = scalar(v[i])
		}
		return strings.Join(items, ",")
	case object:
		return compact(v)
	default:
		return fmt.Sprint(v)
	}
}
