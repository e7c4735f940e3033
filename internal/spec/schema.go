package spec

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Schema is a JSON schema of the spec for editors, made from the key table. It
// is of draft 4, the newest that taplo takes. It knows keys, types, ranges and
// words; that a load has one form, that names exist and that expressions parse
// is for Parse to say.
func Schema() []byte {
	defs := object{}
	for i := range keyTable {
		if sec := &keyTable[i]; sec.name != "" {
			defs[sec.name] = sec.schema(false)
			defs[sec.name+"-part"] = sec.schema(true)
		}
	}
	root := sectionOf("").schema(false)
	root["$schema"] = "http://json-schema.org/draft-04/schema#"
	root["title"] = "loadline load spec"
	root["definitions"] = defs
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("spec: cannot write the schema: " + err.Error()) // only plain values are in it
	}
	return append(out, '\n')
}

type object = map[string]any

// schema describes a table. In a part, which a profile lays over a whole, no key
// is required.
func (s *section) schema(part bool) object {
	properties := object{}
	var required []string
	for i := range s.keys {
		k := &s.keys[i]
		p := k.schema(part || s.name == "profile")
		if k.help != "" {
			if _, isRef := p["$ref"]; isRef { // what stands beside $ref is ignored in draft 4
				p = object{"allOf": []any{p}}
			}
			p["description"] = k.help
		}
		properties[k.name] = p
		// The URL of the target may come from --target.
		if k.need && !part && s.name != "target" {
			required = append(required, k.name)
		}
	}
	out := object{"type": "object", "properties": properties, "additionalProperties": false, "description": s.help}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// variablePattern is a string with a ${} in it, whose value only a run knows.
const variablePattern = `\$\{`

func textMatching(pattern string) object {
	return object{"type": "string", "pattern": variablePattern + "|" + pattern}
}

// orVariable lets a string of one ${} stand for another type.
func orVariable(s object) object {
	return object{"anyOf": []any{s, object{"type": "string", "pattern": `^\$\{[^}]*\}$`}}}
}

const (
	durationForm = `([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+`
	rateForm     = `[0-9]+(\.[0-9]+)?/(ms|s|m|h|` + durationForm + `)`
	sizeForm     = `[0-9]+(\.[0-9]+)?([KMGT]i?)?B`
	percentForm  = `[0-9]+(\.[0-9]+)?%`
	limitForm    = `(<|>|==|!=)`
	ruleForm     = ` within `
)

func listOf(item object) object { return object{"type": "array", "items": item} }

func tableOf(value object) object {
	return object{"type": "object", "additionalProperties": value}
}

func (k *key) schema(part bool) object {
	text := object{"type": "string"}
	scalar := object{"type": []any{"string", "number", "boolean"}}
	ref := func(name string, part bool) object {
		if part {
			name += "-part"
		}
		return object{"$ref": "#/definitions/" + name}
	}
	switch k.kind {
	case integerKind:
		return orVariable(k.bounded(object{"type": "integer"}))
	case numberKind:
		return orVariable(k.bounded(object{"type": "number"}))
	case booleanKind:
		return orVariable(object{"type": "boolean"})
	case durationKind:
		return textMatching("^" + durationForm + "$")
	case rateKind:
		return textMatching("^" + rateForm + "$")
	case levelKind:
		return object{"anyOf": []any{object{"type": "integer", "minimum": 0}, textMatching("^" + rateForm + "$")}}
	case sizeKind:
		return textMatching("^" + sizeForm + "$")
	case percentKind:
		return textMatching("^" + percentForm + "$")
	case quantityKind:
		return object{"anyOf": []any{object{"type": "number"}, textMatching("^(" + sizeForm + "|" + percentForm + ")$")}}
	case wordKind:
		return object{"anyOf": []any{object{"enum": k.words}, object{"type": "string", "pattern": variablePattern}}}
	case textsKind:
		return listOf(text)
	case wordsKind:
		return listOf(object{"enum": k.words})
	case typesKind:
		return tableOf(object{"enum": k.words})
	case tableKind:
		return ref(k.of, part)
	case tablesKind:
		return listOf(ref(k.of, false))
	case namedKind:
		return tableOf(ref(k.of, part))
	case pairsKind:
		return tableOf(object{"anyOf": []any{scalar, listOf(scalar)}})
	case tagsKind:
		return tableOf(text)
	case scalarsKind:
		return tableOf(scalar)
	case requestKind:
		return textMatching(`^[A-Z-]+ +(/|https?://|\{\{)`)
	case expectKind:
		one := object{"anyOf": []any{object{"type": "integer", "minimum": 100, "maximum": 599}, textMatching("^[1-5]xx$")}}
		return object{"anyOf": []any{one, listOf(one)}}
	case thinkKind:
		return object{"anyOf": []any{textMatching("^" + durationForm + `(\.\.` + durationForm + ")?$"), ref(k.of, part)}}
	case checksKind:
		return object{"anyOf": []any{listOf(object{"anyOf": []any{text, ref(k.of, false)}}), tableOf(text)}}
	case capturesKind:
		return tableOf(text)
	case recordsKind:
		return tableOf(object{"type": []any{"string", "number"}})
	case limitKind:
		return textMatching(limitForm)
	case limitsKind:
		return listOf(textMatching(limitForm))
	case thresholdsKind:
		return listOf(object{"anyOf": []any{textMatching(limitForm), ref(k.of, false)}})
	case ruleKind:
		return textMatching(ruleForm)
	case comparesKind:
		return listOf(object{"anyOf": []any{textMatching(ruleForm), ref(k.of, false)}})
	case forEachKind:
		return textMatching(`^\s*[A-Za-z_]\w*\s+in\s+[A-Za-z_]\w*\s*$`)
	case jsonKind:
		return object{}
	case partsKind:
		return tableOf(object{"anyOf": []any{scalar, ref(k.of, false)}})
	case rowsKind:
		return listOf(object{"type": "object"})
	default:
		return text
	}
}

// bounded adds the key's range.
func (k *key) bounded(s object) object {
	if k.to == 0 {
		return s
	}
	s["minimum"] = jsonNumber(k.from)
	if !math.IsInf(k.to, 1) {
		s["maximum"] = jsonNumber(k.to)
	}
	if k.def != "" && !strings.HasPrefix(k.def, `"`) {
		s["default"] = json.Number(k.def)
	}
	return s
}

// jsonNumber keeps a large whole number from being written with an exponent.
func jsonNumber(x float64) json.Number {
	return json.Number(strconv.FormatFloat(x, 'f', -1, 64))
}
