package spec

import (
	"fmt"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// Explain says what a key of a spec is for. It takes a path, "load.duration"
// or "scenario.step.expect"; the name of a table, "load" or "step"; a key by
// itself, in every table that has it; a built-in metric; or "" for the list of
// tables. The error says what was probably meant.
func Explain(what string) (string, error) {
	what = strings.Trim(strings.TrimSpace(what), "[]")
	var b strings.Builder
	switch sec, k := findKey(what); {
	case what == "":
		explainTables(&b)
	case k != nil:
		explainKey(&b, sec, k)
		if k.of != "" {
			b.WriteByte('\n')
			explainSection(&b, sectionOf(k.of))
		}
	case sections[what] != nil:
		explainSection(&b, sections[what])
	case !explainEverywhere(&b, what) && !explainMetric(&b, what):
		return "", &unknownWord{what}
	}
	return b.String(), nil
}

// An unknownWord is asked about and not in the table.
type unknownWord struct{ word string }

func (e *unknownWord) Error() string {
	var names []string
	for i := range keyTable {
		names = append(names, keyTable[i].names()...)
	}
	for _, m := range rule.Metrics {
		names = append(names, m.Name)
	}
	last := e.word[strings.LastIndexByte(e.word, '.')+1:]
	message := fmt.Sprintf("there is no key %q", e.word)
	if near := nearWord(last, names); near != "" {
		return message + "; " + didYouMean(near)
	}
	if hint := foreign[last]; hint != "" {
		return message + "; " + hint
	}
	return message + "; `loadline explain` lists the tables"
}

// findKey follows a path through the tables, [data.NAME] and indexes included.
func findKey(path string) (*section, *key) {
	parts := strings.Split(path, ".")
	sec := sectionOf("")
	for i := 0; i < len(parts); i++ {
		name, _, _ := strings.Cut(parts[i], "[")
		k := sec.key(name)
		switch {
		case k == nil:
			return nil, nil
		case i == len(parts)-1:
			return sec, k
		case k.of == "":
			return nil, nil
		}
		if k.kind == namedKind {
			if i++; i == len(parts)-1 {
				return sec, k
			}
		}
		sec = sectionOf(k.of)
	}
	return nil, nil
}

func explainTables(b *strings.Builder) {
	b.WriteString("A spec has these keys and tables; `loadline explain NAME` says more of each.\n\n")
	explainSection(b, sectionOf(""))
}

func explainSection(b *strings.Builder, sec *section) {
	fmt.Fprintf(b, "%s\n  %s\n\n", sec.header, plainText(sec.help))
	width := 0
	for _, k := range sec.keys {
		width = max(width, len(k.name))
	}
	for i := range sec.keys {
		k := &sec.keys[i]
		fmt.Fprintf(b, "  %-*s  %s\n", width, k.name, k.facts())
		if k.help != "" {
			fmt.Fprintf(b, "  %-*s    %s\n", width, "", plainText(k.help))
		}
	}
}

func explainKey(b *strings.Builder, sec *section, k *key) {
	where := sec.header
	if sec.name == "" {
		where = "top of the file"
	}
	fmt.Fprintf(b, "%s, in %s\n  %s\n", k.name, where, k.facts())
	if k.help != "" {
		fmt.Fprintf(b, "  %s\n", plainText(k.help))
	}
}

// facts are type, range and default in one line.
func (k *key) facts() string {
	out := plainText(k.typeName())
	if r := k.rangeText(); r != "" {
		out += r
	}
	switch {
	case k.need:
		out += "; required"
	case k.def != "":
		out += "; default " + k.def
	}
	return out
}

// plainText takes the marks of Markdown away.
func plainText(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "` `", ", "), "`", "")
}

// explainEverywhere explains a key in every table that has it.
func explainEverywhere(b *strings.Builder, name string) bool {
	found := false
	for i := range keyTable {
		sec := &keyTable[i]
		if k := sec.key(name); k != nil && sec.name != "profile" {
			if found {
				b.WriteByte('\n')
			}
			explainKey(b, sec, k)
			found = true
		}
	}
	return found
}

func explainMetric(b *strings.Builder, name string) bool {
	for _, m := range rule.Metrics {
		if m.Name != name {
			continue
		}
		fmt.Fprintf(b, "%s, a metric: %s, %s without another statistic\n  %s\n", m.Name, m.Kind, m.Stat, m.Help)
		if len(m.Tags) > 0 {
			fmt.Fprintf(b, "  by tag: %s\n", strings.Join(m.Tags, ", "))
		}
		return true
	}
	return false
}
