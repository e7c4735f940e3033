package spec

import (
	"fmt"
	"strings"
)

// A variable is one ${NAME} or ${NAME:-default} in a text.
type variable struct {
	name    string
	def     string
	hasDef  bool
	at, end int    // in the text
	mistake string // why it is none; "" when it is one
	escaped bool   // $${: stands for ${
	whole   bool   // nothing stands beside it
}

// nextVariable finds the first ${ or $${ at or behind i.
func nextVariable(text string, i int) (variable, bool) {
	n := strings.Index(text[i:], "${")
	if n < 0 {
		return variable{}, false
	}
	v := variable{at: i + n}
	if v.at > i && text[v.at-1] == '$' {
		v.at--
		v.end, v.escaped = v.at+3, true
		return v, true
	}
	inner := text[v.at+2:]
	stop := strings.IndexByte(inner, '}')
	if stop < 0 {
		v.end, v.mistake = len(text), `"${" is not closed; write "${NAME}", or "$${" for the characters themselves`
		return v, true
	}
	inner = inner[:stop]
	v.end = v.at + 2 + stop + 1
	v.whole = v.at == 0 && v.end == len(text)
	v.name, v.def, v.hasDef = strings.Cut(inner, ":-")
	switch {
	case !variableName(v.name):
		v.mistake = fmt.Sprintf(`%s is not a variable; a name has letters, digits and "_", and a default comes after ":-": "${NAME:-default}"`, quote(text[v.at:v.end]))
	case strings.Contains(v.def, "${"):
		v.mistake = "the default of ${" + v.name + "} has a variable in it; a default is plain text"
	}
	return v, true
}

func variableName(s string) bool {
	for i, c := range []byte(s) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// secretName says whether a variable's value is to be masked in every output.
func secretName(name string) bool {
	name = strings.ToUpper(name)
	for _, word := range []string{"TOKEN", "SECRET", "PASS", "PWD", "KEY"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// expand fills the variables of a text in. When from is not nil it is called
// for each byte of the result with the offset in text that it comes from. ok is
// false, and missing has been called, when one has no value; a variable that is
// set but empty counts as not set, since that is what CI systems make of a
// secret that a fork may not see.
func expand(text string, env func(string) (string, bool), from func(int), missing func(variable)) (out string, ok bool) {
	if !strings.Contains(text, "${") && from == nil {
		return text, true
	}
	var b strings.Builder
	put := func(s string, at, step int) {
		b.WriteString(s)
		for i := range len(s) {
			if from != nil {
				from(at + i*step)
			}
		}
	}
	ok = true
	i := 0
	for {
		v, found := nextVariable(text, i)
		if !found {
			put(text[i:], i, 1)
			return b.String(), ok
		}
		put(text[i:v.at], i, 1)
		i = v.end
		switch value, set := env(v.name); {
		case v.escaped:
			put("${", v.at, 0)
		case v.mistake == "" && set && value != "":
			put(value, v.at, 0)
		case v.mistake == "" && v.hasDef:
			put(v.def, v.at, 0)
		default:
			ok = false
			missing(v)
		}
	}
}
