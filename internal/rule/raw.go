package rule

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// rawVal is the JSON value in raw; ok is false when it is none.
func rawVal(raw []byte) (v val, ok bool) {
	switch raw[0] {
	case '"':
		inner := raw[1 : len(raw)-1]
		if bytes.IndexByte(inner, '\\') < 0 {
			return val{kind: kindText, raw: inner}, true
		}
		s, ok := unescape(inner)
		return textVal(s), ok
	case '{':
		return val{kind: kindObject, raw: raw}, true
	case '[':
		return val{kind: kindArray, raw: raw}, true
	case 't':
		return boolVal(true), string(raw) == "true"
	case 'f':
		return boolVal(false), string(raw) == "false"
	case 'n':
		return val{}, string(raw) == "null"
	default:
		return numberVal(string(raw))
	}
}

// kindAt is the type of the value at i, by how it begins; ok is false when that is
// no JSON.
func (d *doc) kindAt(i int) (k kind, ok bool) {
	switch d.b[i] {
	case '"':
		return kindText, true
	case '{':
		return kindObject, true
	case '[':
		return kindArray, true
	}
	end := skipScalar(d.b, i)
	if end < 0 {
		return kindNull, false
	}
	v, ok := rawVal(d.b[i:end])
	return v.kind, ok
}

// numberVal is a JSON number: an int where it is written as one and fits, else
// a float.
func numberVal(s string) (val, bool) {
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return intVal(n), true
		}
	}
	f, ok := parseFloat(s)
	return val{kind: kindFloat, f: f + 0}, ok // -0 becomes 0
}

func unescape(inner []byte) (string, bool) {
	quoted := make([]byte, 0, len(inner)+2)
	quoted = append(append(append(quoted, '"'), inner...), '"')
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err == nil
}

// decode makes a Value of JSON; ok is false when it is broken.
func decode(raw []byte) (Value, bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	return numbers(v), true
}

// numbers turns each json.Number below v into int64 or float64.
func numbers(v any) any {
	switch t := v.(type) {
	case json.Number:
		n, _ := numberVal(t.String())
		out, _ := n.value()
		return out
	case []any:
		for i := range t {
			t[i] = numbers(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = numbers(t[k])
		}
	}
	return v
}
