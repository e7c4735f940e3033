package spec

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// identifier is what a name that stands in {{ }} may look like.
func identifier(s string) bool { return variableName(s) }

// check reads a single check; nil when it is absent or wrong.
func (b *builder) check(t *table, name string, sc *scope) *rule.Check {
	n, k := t.row(name, checkKind)
	if n == nil {
		return nil
	}
	return b.checkText(n, k, sc)
}

func (b *builder) checkText(n *node, k *key, sc *scope) *rule.Check {
	text, ok := b.templateString(n, k)
	if !ok {
		b.notSure("check")
		return nil
	}
	c, err := rule.ParseCheck(text)
	if err != nil {
		b.notSure("check")
		b.badRule(n, err, 0)
		return nil
	}
	b.resolve(n, c.Names(), 0, sc)
	return c
}

// checks reads a list of checks, or a table name = check. Without a catalog
// (setup, teardown, ready) they have no index.
func (b *builder) checks(t *table, sc *scope, unnamed bool) []Check {
	n, k := t.row("checks", checksKind)
	if n == nil {
		return nil
	}
	var out []Check
	seen := map[string]bool{}
	add := func(at *node, name string, c *rule.Check) {
		switch {
		case seen[name]:
			b.bad(at, "give one of them a name of its own", "the check %s is there already", quote(name))
			return
		case strings.TrimSpace(name) == "" || strings.ContainsFunc(name, isControl):
			b.bad(at, "name it in one line", "%s is not a name for a check", quote(name))
			return
		}
		seen[name] = true
		check := Check{Index: -1, Name: name, Rule: c}
		if !unnamed {
			check.Index = b.nextCheck
			b.nextCheck++
		}
		out = append(out, check)
	}
	text := &key{kind: checkKind}
	switch n.kind {
	case tableNode:
		for _, item := range n.kids {
			if c := b.checkText(item, text, sc); c != nil {
				add(item, item.name, c)
			}
		}
	case listNode:
		for _, item := range n.kids {
			if item.kind == tableNode {
				named := b.open(item, k.of)
				named.need("name", "check")
				name, hasName := named.text("name")
				if c := b.check(named, "check", sc); c != nil && hasName {
					add(item, name, c)
				}
				continue
			}
			if c := b.checkText(item, text, sc); c != nil {
				add(item, strings.TrimSpace(stringOf(item)), c)
			}
		}
	default:
		b.wrongKind(n, k)
	}
	return out
}

// captures reads what a step keeps of the answer, and makes it known to what
// comes after.
func (b *builder) captures(t *table, s *Step, sc *scope) []Capture {
	n, k := t.row("capture", capturesKind)
	if n == nil {
		return nil
	}
	var out []Capture
	b.eachKey(n, k, func(item *node) {
		b.variableName(item)
		known := &binding{what: "capture", node: item, step: s.Name}
		sc.names[item.name] = known
		b.captured = append(b.captured, known)
		if _, isText := item.value.(string); !isText {
			b.bad(item, `write a source, like "$.id"`, "%s is %s: want a string", item.label(), item.written(""))
			return
		}
		text, ok := b.text(item)
		if !ok {
			return
		}
		source, err := rule.ParseSource(text)
		if err != nil {
			b.badRule(item, err, 0)
			return
		}
		out = append(out, Capture{Name: item.name, Source: source})
	})
	return out
}

// variableName checks a name that templates are to use.
func (b *builder) variableName(n *node) {
	switch {
	case !identifier(n.name):
		b.badKey(n, `use letters, digits and "_"`, "%s cannot stand in {{ }}", quote(n.name))
	case n.name == "iteration":
		b.badKey(n, "choose another name", "{{ iteration }} is built in")
	}
}

// records reads what a step adds to custom metrics.
func (b *builder) records(t *table) []Record {
	n, k := t.row("record", recordsKind)
	if n == nil {
		return nil
	}
	var out []Record
	b.eachKey(n, k, func(item *node) {
		index, kind := b.metric(item.name)
		if index < 0 {
			hint := "add it to [metrics]: " + item.name + ` = "trend"`
			if near := rule.Nearest(item.name, b.metricNames()); near != "" {
				hint = didYouMean(near)
			}
			b.badKey(item, hint, "unknown metric %q", item.name)
		}
		r, ok := b.record(item, kind)
		if r.Metric = index; ok && index >= 0 {
			out = append(out, r)
		}
	})
	return out
}

func (b *builder) record(n *node, kind string) (Record, bool) {
	if v, ok := float(n.value); ok {
		return Record{Number: &v}, b.finite(n)
	}
	if _, isText := n.value.(string); !isText {
		b.bad(n, "", "%s is %s: want a source like \"$.total\", a number, or a check", n.label(), n.written(""))
		return Record{}, false
	}
	text, ok := b.text(n)
	if !ok {
		return Record{}, false
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && wholeVariable(n) && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return Record{Number: &v}, true
	}
	source, sourceErr := rule.ParseSource(text)
	if sourceErr == nil {
		return Record{Source: source}, true
	}
	check, checkErr := rule.ParseCheck(text)
	switch takesCheck := kind == "rate" || kind == "counter" || kind == ""; {
	case checkErr == nil && len(check.Names()) > 0:
		b.bad(n, "compare with a plain value", "{{ }} is not filled in here")
	case checkErr == nil && takesCheck:
		return Record{Check: check}, true
	case checkErr == nil:
		b.bad(n, `write a source of a number, like "$.total"`, "%s is a %s, which takes a number and not a check", n.name, kind)
	case takesCheck:
		b.badRule(n, checkErr, 0)
	default:
		b.badRule(n, sourceErr, 0)
	}
	return Record{}, false
}

// metrics reads [metrics].
func (b *builder) metrics(top *table) {
	n, k := top.row("metrics", typesKind)
	if n == nil {
		return
	}
	b.eachKey(n, k, func(item *node) {
		kind, ok := b.word(item, k)
		builtIn := false
		for _, m := range rule.Metrics {
			builtIn = builtIn || m.Name == item.name
		}
		switch {
		case builtIn || item.name == "response":
			b.badKey(item, "choose another name", "%q is built in", item.name)
		case !identifier(item.name):
			b.badKey(item, `use letters, digits and "_"`, "%s is not a name for a metric", quote(item.name))
		case ok:
			b.spec.Metrics = append(b.spec.Metrics, result.Metric{Name: item.name, Kind: kind})
			b.own.Metrics[item.name] = rule.Kind(kind)
		}
		if !ok { // known all the same, so that its uses are not reported too
			b.own.Metrics[item.name] = rule.Trend
		}
	})
}

// metric finds a custom metric. One whose kind was wrong has kind "" and a
// place at which nobody looks, since there is no spec then.
func (b *builder) metric(name string) (index int, kind string) {
	for i, m := range b.spec.Metrics {
		if m.Name == name {
			return i, m.Kind
		}
	}
	if _, ok := b.own.Metrics[name]; ok {
		return 0, ""
	}
	return -1, ""
}

func (b *builder) metricNames() []string { return sortedKeys(b.own.Metrics) }

var forEachForm = regexp.MustCompile(`^\s*([A-Za-z_]\w*)\s+in\s+([A-Za-z_]\w*)\s*$`)

// forEach reads for_each = "x in list" and gives x.
func (b *builder) forEach(t *table, s *Step, sc *scope) string {
	n, k := t.row("for_each", forEachKind)
	if n == nil {
		return ""
	}
	text, ok := b.string(n, k)
	if !ok {
		return ""
	}
	m := forEachForm.FindStringSubmatchIndex(text)
	if m == nil {
		b.bad(n, `write "item in list", where list was captured`, "for_each is %s", quote(text))
		return ""
	}
	item, list := text[m[2]:m[3]], text[m[4]:m[5]]
	b.resolveName(n, rule.Name{Name: list, Offset: m[4]}, sc)
	if item == "iteration" || item == list {
		b.bad(n, "choose another name", "for_each needs a new name for the item, not %q", item)
		return ""
	}
	s.ForEach = &ForEach{Var: item, List: list}
	return item
}

// tags reads tags of one's own.
func (b *builder) tags(t *table) map[string]string {
	out := t.strings("tags")
	if n := t.n.kid("tags"); n != nil && n.kind == tableNode {
		for _, item := range n.kids {
			for _, builtIn := range rule.BuiltinTags {
				if item.name == builtIn {
					b.badKey(item, "choose another name", "the tag %q is built in", item.name)
				}
			}
			if strings.Contains(out[item.name], "{{") {
				b.bad(item, "write a constant: each value is counted by itself", "{{ }} is not filled in in tags")
			}
			if !tagName(item.name) {
				b.badKey(item, `use letters, digits, "_" and "-"`, "%s is not a name for a tag", quote(item.name))
			}
			b.ownTag(item.name, out[item.name])
		}
	}
	return out
}

func tagName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}
