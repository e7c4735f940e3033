package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// TestSchema holds that the schema lets every good spec pass and reports the
// kind of mistake that an editor should mark at once.
func TestSchema(t *testing.T) {
	t.Parallel()
	golden(t, "testdata/schema.json", Schema())
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	check := func(text string) []string {
		var data map[string]any
		if _, err := toml.Decode(text, &data); err != nil {
			t.Fatal(err)
		}
		return (&schemaChecker{root}).check(root, plainTOML(data), "")
	}
	for name, text := range examples(t) {
		for _, fault := range check(text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
	env := small("[load]\nusers = \"${USERS:-2}\"\nduration = \"${D:-1m}\"\n[http]\nversion = \"${V:-2}\"\nkeep_alive = \"${K:-true}\"\n[profile.x.http]\ntls = { insecure = true }\n[profile.x.target]\nallow_hosts = [\"a.example.com\"]\n")
	parse(t, env)
	for _, fault := range check(env) {
		t.Errorf("with variables: %s", fault)
	}
	for _, name := range []string{
		"unknown-top", "unknown-many", "case-sensitive", "duration-integer", "duration-word", "rate-bare", "size-unit", "percent-bare", "http-version-number", "http-redirects",
		"step-lower-case", "step-expect-range", "gate-per", "diagnose-id", "think-number", "stage-k6", "scenario-no-name", "scenario-single-bracket", "limit-string", "compare-not-within",
	} {
		text, err := os.ReadFile(filepath.Join("testdata/broken", name+".toml"))
		if err != nil {
			t.Fatal(err)
		}
		if len(check(string(text))) == 0 {
			t.Errorf("the schema finds nothing wrong with %s", name)
		}
	}
}

// plainTOML makes a decoded file what JSON would decode to.
func plainTOML(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainTOML(v[k])
		}
	case []map[string]any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainTOML(v[i])
		}
		return out
	case []any:
		for i := range v {
			v[i] = plainTOML(v[i])
		}
	case int64:
		return float64(v)
	}
	return v
}

// A schemaChecker knows as much of JSON schema draft 4 as Schema uses, and
// fails on anything else.
type schemaChecker struct{ root map[string]any }

func (c *schemaChecker) check(s map[string]any, v any, at string) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, at+": "+fmt.Sprintf(format, args...))
	}
	for word, want := range s {
		switch word {
		case "$schema", "title", "description", "definitions", "default", "properties":
		case "$ref":
			name := strings.TrimPrefix(want.(string), "#/definitions/")
			faults = append(faults, c.check(c.root["definitions"].(map[string]any)[name].(map[string]any), v, at)...)
		case "type":
			if !isType(want, v) {
				fault("%v is not a %v", v, want)
			}
		case "enum":
			ok := false
			for _, w := range want.([]any) {
				ok = ok || w == v
			}
			if !ok {
				fault("%v is not one of %v", v, want)
			}
		case "pattern":
			if text, isText := v.(string); isText && !regexp.MustCompile(want.(string)).MatchString(text) {
				fault("%q does not match %s", text, want)
			}
		case "minimum":
			if x, ok := v.(float64); ok && x < want.(float64) {
				fault("%v is less than %v", v, want)
			}
		case "maximum":
			if x, ok := v.(float64); ok && x > want.(float64) {
				fault("%v is more than %v", v, want)
			}
		case "required":
			if table, ok := v.(map[string]any); ok {
				for _, name := range want.([]any) {
					if _, there := table[name.(string)]; !there {
						fault("no %s", name)
					}
				}
			}
		case "items":
			if list, ok := v.([]any); ok {
				for i, item := range list {
					faults = append(faults, c.check(want.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
				}
			}
		case "additionalProperties":
			if table, ok := v.(map[string]any); ok {
				faults = append(faults, c.checkKeys(s, want, table, at)...)
			}
		case "allOf":
			for _, one := range want.([]any) {
				faults = append(faults, c.check(one.(map[string]any), v, at)...)
			}
		case "anyOf":
			var all []string
			for _, one := range want.([]any) {
				found := c.check(one.(map[string]any), v, at)
				if len(found) == 0 {
					all = nil
					break
				}
				all = append(all, found...)
			}
			faults = append(faults, all...)
		default:
			fault("the checker does not know %q", word)
		}
	}
	return faults
}

func (c *schemaChecker) checkKeys(s map[string]any, others any, table map[string]any, at string) (faults []string) {
	properties, _ := s["properties"].(map[string]any)
	for name, v := range table {
		switch p, known := properties[name].(map[string]any); {
		case known:
			faults = append(faults, c.check(p, v, at+"."+name)...)
		case others == false:
			faults = append(faults, at+"."+name+": unknown")
		default:
			faults = append(faults, c.check(others.(map[string]any), v, at+"."+name)...)
		}
	}
	return faults
}

func isType(want, v any) bool {
	if list, ok := want.([]any); ok {
		for _, w := range list {
			if isType(w, v) {
				return true
			}
		}
		return false
	}
	switch v := v.(type) {
	case string:
		return want == "string"
	case bool:
		return want == "boolean"
	case float64:
		return want == "number" || want == "integer" && v == math.Trunc(v)
	case map[string]any:
		return want == "object"
	case []any:
		return want == "array"
	default:
		return false
	}
}
