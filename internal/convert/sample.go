package convert

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// How deep, and how large, a made-up document may get.
const (
	sampleDepth   = 5
	sampleMembers = 20
)

// mediaValue is a document for a body: an example, or one made of the schema.
func mediaValue(m *openapi3.MediaType) (v any, known bool) {
	if m.Example != nil {
		return ordered(m.Example, 0), true
	}
	for _, name := range sortedNames(m.Examples) {
		if ex := m.Examples[name]; ex != nil && ex.Value != nil && ex.Value.Value != nil {
			return ordered(ex.Value.Value, 0), true
		}
	}
	return sample(m.Schema, 0)
}

// sample makes a value of a schema: its example, default or first word, or one
// of its type, which is then not known to mean anything.
func sample(ref *openapi3.SchemaRef, depth int) (v any, known bool) {
	if ref == nil || ref.Value == nil || depth > sampleDepth {
		return "", false
	}
	s := ref.Value
	for _, candidate := range []any{s.Example, s.Default} {
		if candidate != nil {
			return ordered(candidate, 0), true
		}
	}
	if len(s.Enum) > 0 && s.Enum[0] != nil {
		return ordered(s.Enum[0], 0), true
	}
	switch {
	case s.Type.Is("boolean"):
		return true, true
	case s.Type.Is("integer"), s.Type.Is("number"):
		return number(s), false
	case s.Type.Is("array"):
		item, known := sample(s.Items, depth+1)
		return []any{item}, known
	case s.Type.Is("object") || len(s.Properties) > 0 || len(s.AllOf) > 0:
		return sampleObject(s, depth)
	}
	for _, several := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if len(several) > 0 {
			return sample(several[0], depth+1)
		}
	}
	return text(s), false
}

// sampleObject has the members that are required, or all when none is.
func sampleObject(s *openapi3.Schema, depth int) (v any, known bool) {
	out, known := object{}, true
	for _, part := range s.AllOf {
		if o, k := sample(part, depth+1); o != nil {
			if members, ok := o.(object); ok {
				out, known = append(out, members...), known && k
			}
		}
	}
	for _, name := range sortedNames(s.Properties) {
		p := s.Properties[name]
		if p == nil || p.Value == nil || p.Value.ReadOnly || len(out) >= sampleMembers || out.get(name) != nil ||
			len(s.Required) > 0 && !slices.Contains(s.Required, name) {
			continue
		}
		value, k := sample(p, depth+1)
		out, known = append(out, member{name, value}), known && k
	}
	return out, known
}

func number(s *openapi3.Schema) json.Number {
	n := 1.0
	if s.Min != nil && *s.Min > n {
		n = math.Ceil(*s.Min)
	}
	if s.Max != nil && *s.Max < n {
		n = math.Floor(*s.Max)
	}
	return json.Number(strconv.FormatFloat(n, 'f', -1, 64))
}

// text makes a string of a format (OpenAPI 3.1, section 4.4: those of JSON Schema).
func text(s *openapi3.Schema) string {
	switch s.Format {
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
	if s.MaxLength != nil && *s.MaxLength < uint64(len(out)) {
		out = out[:*s.MaxLength]
	}
	return out
}

// ordered gives a value that a decoder made our types: members in the order of
// their names, since their own is lost.
func ordered(v any, depth int) any {
	if depth > maxDepth {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(object, 0, len(v))
		for _, name := range sortedNames(v) {
			out = append(out, member{name, ordered(v[name], depth+1)})
		}
		return out
	case object:
		return v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = ordered(v[i], depth+1)
		}
		return out
	case string:
		return strings.ToValidUTF8(v, "\ufffd")
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return json.Number(strconv.FormatInt(int64(v), 10))
		}
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	case nil, bool, json.Number:
		return v
	default:
		return fmt.Sprint(v) // integers and times of YAML
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
		return fmt.Sprint(ordered(v, 0))
	}
}
