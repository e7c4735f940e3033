package rule

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// A kind is the type of a run-time value.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindText
	kindArray
	kindObject
)

// A val is a Value that need not live on the heap. Text, arrays and objects
// that come out of a response stay bytes of its body: no copy is made to look
// at them.
type val struct {
	kind kind
	n    int64   // int; bool: 1 is true
	f    float64 // float
	s    string  // text, when raw is nil
	raw  []byte  // text (without quotes), array, object (as JSON)
	any  Value   // array, object, when raw is nil
}

func textVal(s string) val { return val{kind: kindText, s: s} }
func intVal(n int64) val   { return val{kind: kindInt, n: n} }

func boolVal(b bool) val {
	if b {
		return val{kind: kindBool, n: 1}
	}
	return val{kind: kindBool}
}

// toVal takes a Value apart.
func toVal(v Value) val {
	switch v := v.(type) {
	case nil:
		return val{}
	case bool:
		return boolVal(v)
	case int:
		return intVal(int64(v))
	case int64:
		return intVal(v)
	case float64:
		return val{kind: kindFloat, f: v}
	case string:
		return textVal(v)
	case []any:
		return val{kind: kindArray, any: v}
	case map[string]any:
		return val{kind: kindObject, any: v}
	default: // not a Value: show what it is rather than lose it
		text, _ := json.Marshal(v)
		return textVal(string(text))
	}
}

// value puts v together again; ok is false when it is not whole JSON.
func (v *val) value() (Value, bool) {
	switch v.kind {
	case kindBool:
		return v.n != 0, true
	case kindInt:
		return v.n, true
	case kindFloat:
		return v.f, true
	case kindText:
		return v.text(), true
	case kindArray, kindObject:
		if v.raw != nil {
			return decode(v.raw)
		}
		return v.any, true
	default:
		return nil, true
	}
}

// text is a copy of v's text.
func (v *val) text() string {
	if v.raw != nil {
		return string(v.raw)
	}
	return v.s
}

// number is v as a number; ok is false when it is none. Text is a number when
// it is written like one, as header fields are.
func (v *val) number() (f float64, ok bool) {
	switch v.kind {
	case kindInt:
		return float64(v.n), true
	case kindFloat:
		return v.f, true
	case kindText:
		if v.raw != nil {
			return parseFloat(string(v.raw))
		}
		return parseFloat(v.s)
	default:
		return 0, false
	}
}

func parseFloat(s string) (float64, bool) {
	if !isNumber(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// isNumber keeps out what ParseFloat takes and a person would not call a
// number: "inf", "0x1p-2", "1_000".
func isNumber(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isDigit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return false
		}
	}
	return true
}

// append writes v as a template shows it: text as it is, all else as JSON.
func (v *val) append(dst []byte) []byte {
	if v.kind == kindText {
		return v.appendText(dst)
	}
	return v.appendJSON(dst)
}

func (v *val) appendText(dst []byte) []byte {
	if v.raw != nil {
		return append(dst, v.raw...)
	}
	return append(dst, v.s...)
}

func (v *val) appendJSON(dst []byte) []byte {
	switch v.kind {
	case kindNull:
		return append(dst, "null"...)
	case kindBool:
		return strconv.AppendBool(dst, v.n != 0)
	case kindInt:
		return strconv.AppendInt(dst, v.n, 10)
	case kindFloat:
		return appendFloat(dst, v.f)
	case kindText:
		start := len(dst)
		return escapeJSON(v.appendText(dst), start)
	default:
		if v.raw != nil {
			return append(dst, v.raw...)
		}
		return appendAny(dst, v.any)
	}
}

// appendFloat writes f in the shortest form that reads back, in JSON's notation;
// what JSON has no number for is null.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, 64)
}

// equalText, containsText and so on spare the copy that text() would make.

func (v *val) equalText(s string) bool {
	if v.raw != nil {
		return string(v.raw) == s
	}
	return v.s == s
}

func (v *val) containsText(s string) bool {
	if v.raw == nil {
		return strings.Contains(v.s, s)
	}
	n := len(s)
	if n == 0 {
		return true
	}
	for b := v.raw; ; {
		i := bytes.IndexByte(b, s[0])
		if i < 0 || len(b)-i < n {
			return false
		}
		if string(b[i:i+n]) == s {
			return true
		}
		b = b[i+1:]
	}
}

func (v *val) compareText(s string) int {
	if v.raw == nil {
		return strings.Compare(v.s, s)
	}
	switch b := v.raw; {
	case string(b) == s:
		return 0
	case string(b) < s:
		return -1
	default:
		return 1
	}
}
