package spec

import (
	"bytes"
	"regexp"
	"strings"
)

// Lines that trip people up, and the TOML library's words about them.
var (
	yamlPair   = regexp.MustCompile(`^\s*([A-Za-z_][\w-]*)\s*:\s*(.*?)\s*$`)
	bareValue  = regexp.MustCompile(`^\s*([A-Za-z_][\w.-]*)\s*=\s*([^"'\[{#\s][^#]*?)\s*(?:#.*)?$`)
	inlineBare = regexp.MustCompile(`[{,]\s*([A-Za-z_][\w-]*)\s*=\s*([A-Za-z0-9./%]*[A-Za-z/%][\w./%]*)\s*[,}]`)
)

// syntaxHint puts a mistake of syntax into our words, where we know how it comes
// about, with what to do.
func syntaxHint(src *source, p Problem) (message, hint string) {
	message = strings.TrimSuffix(p.Message, ".")
	if rest, ok := strings.CutPrefix(message, "Key "); ok {
		message = "key " + rest
	}
	line := p.Source
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(src.text), []byte("{")):
		return message, "a spec is TOML, not JSON: a table is [target], a value url = \"...\""
	case strings.Contains(message, "to end table name"):
		return message, "is the header before it closed with \"]\"?"
	case strings.Contains(message, "already been defined") || strings.Contains(message, "was already created") || strings.Contains(message, "cannot be used as an array") || strings.Contains(message, "has already been"):
		return message, twiceHint(p)
	case strings.Contains(message, "escape"):
		return message, `regular expressions and Windows paths go in 'single quotes', where "\" is just "\"`
	case strings.Contains(message, "inline table") && strings.Contains(message, "newline"):
		return message, "write an inline table on one line"
	case strings.Contains(message, "control characters"):
		return message, "take it out, or write it as an escape, like \\u0000"
	case strings.Contains(message, "UTF-8") || strings.Contains(message, "UTF-16"):
		return message, "save the file as UTF-8"
	}
	if m := yamlPair.FindStringSubmatch(line); m != nil && !strings.Contains(strings.SplitN(line, ":", 2)[0], "=") {
		value := m[2]
		if value == "" {
			return message, "this is TOML: a table is [" + m[1] + "]"
		}
		return message, "this is TOML: " + m[1] + " = " + quoted(value)
	}
	if m := bareValue.FindStringSubmatch(line); m != nil && !plainValue(m[2]) {
		return message, "values with letters need quotes: " + m[1] + " = " + quoted(m[2])
	}
	if m := inlineBare.FindStringSubmatch(line); m != nil && !plainValue(m[2]) {
		return message, "values with letters need quotes: " + m[1] + " = " + quoted(m[2])
	}
	if strings.Contains(message, "newlines") || strings.Contains(message, "strings cannot contain") || strings.Contains(message, "EOF") || strings.Contains(message, "end of file") {
		return message, "is a quote or bracket not closed?"
	}
	return message, ""
}

// plainValue says whether TOML takes the value without quotes.
func plainValue(s string) bool {
	return s == "true" || s == "false" || strings.Trim(s, "0123456789+-._:TZ") == ""
}

func quoted(s string) string {
	s = strings.Trim(s, `"'`)
	if strings.Contains(s, `"`) {
		return "'" + s + "'"
	}
	return `"` + s + `"`
}

// twiceHint is for a key or table that is there already.
func twiceHint(p Problem) string {
	line := strings.TrimSpace(p.Source)
	header := strings.Trim(line, "[] \t")
	parts := strings.Split(header, ".")
	lists := map[string]bool{"scenario": true, "setup": true, "teardown": true, "observe": true, "step": true, "on_start": true, "on_stop": true, "parallel": true}
	last := strings.TrimSpace(parts[len(parts)-1])
	switch {
	case !strings.HasPrefix(line, "["):
		return "write it once"
	case last == "stages" || last == "thresholds" || last == "compare" || last == "checks":
		return "keep one spelling: an inline list, or [[" + header + "]]"
	case lists[last] && !strings.HasPrefix(line, "[["):
		return "write [[" + header + "]], with two brackets, for each of several"
	case lists[strings.TrimSpace(parts[0])]:
		return "write [[" + parts[0] + "]], with two brackets, and put it before its steps"
	default:
		return "write [" + header + "] once"
	}
}
