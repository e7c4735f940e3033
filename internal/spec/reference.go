package spec

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// manual is the prose of the reference; tables are put in where it says so.
//
//go:embed manual.md
var manual string

var placeholder = regexp.MustCompile(`<!-- (keys|metrics|compare)(?: (\S+))? -->\n`)

// Reference is docs/spec.md: the manual of specs with the tables of all keys.
func Reference() []byte {
	out := placeholder.ReplaceAllStringFunc(manual, func(mark string) string {
		m := placeholder.FindStringSubmatch(mark)
		switch m[1] {
		case "metrics":
			return metricsTable()
		case "compare":
			var b strings.Builder
			for _, r := range DefaultCompare {
				fmt.Fprintf(&b, "    %s\n", r)
			}
			return b.String()
		}
		name := m[2]
		if name == "top" {
			name = ""
		}
		return sectionOf(name).reference()
	})
	return []byte(out)
}

// reference is the table of a section's keys.
func (s *section) reference() string {
	var b strings.Builder
	if s.help != "" {
		fmt.Fprintf(&b, "%s\n\n", s.help)
	}
	b.WriteString("| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n")
	for i := range s.keys {
		k := &s.keys[i]
		def := "-"
		switch {
		case k.need:
			def = "required"
		case k.def != "":
			def = "`" + k.written() + "`"
		}
		kind := k.typeName()
		if r := k.rangeText(); r != "" && k.kind != wordKind {
			kind += r
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.name, cell(kind), cell(def), cell(k.help))
	}
	return b.String()
}

// written is the default as TOML.
func (k *key) written() string {
	switch k.kind {
	case integerKind, numberKind, booleanKind:
		return k.def
	default:
		return `"` + strings.Trim(k.def, `"`) + `"`
	}
}

// cell keeps text within a cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func metricsTable() string {
	var b strings.Builder
	b.WriteString("| Metric | Kind | Without a statistic | By tag | |\n| --- | --- | --- | --- | --- |\n")
	for _, m := range rule.Metrics {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s | %s |\n", m.Name, m.Kind, m.Stat, cell(strings.Join(m.Tags, " ")), cell(m.Help))
	}
	return b.String()
}
