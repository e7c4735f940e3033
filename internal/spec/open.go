package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// A table is a table of the spec being read by its section of the key table.
// Its methods read one key each: they give the default when the key is absent
// or its value is wrong, which is then reported.
type table struct {
	*reader
	n   *node // nil when the spec does not have the table
	sec *section
}

// open begins to read a table, and reports the keys in it that are unknown. A
// table that is absent or none at all reads as one without keys.
func (r *reader) open(n *node, sectionName string) *table {
	t := &table{reader: r, sec: sectionOf(sectionName)}
	if n == nil {
		return t
	}
	if n.kind != tableNode {
		r.bad(n, "write "+header(n), "%s is %s: want a table", n.label(), n.written(stringOf(n)))
		return t
	}
	t.n = n
	for _, k := range n.kids {
		if t.sec.key(k.name) == nil {
			r.unknownKey(k, t.sec)
		}
	}
	return t
}

func stringOf(n *node) string { s, _ := n.value.(string); return s }

func (r *reader) unknownKey(k *node, sec *section) {
	where := "in " + sec.title(k.parent)
	if sec.name == "" {
		where = "at the top of the file"
	}
	r.badKey(k, unknownKey(k, sec), "unknown key %s %s", strconv.Quote(k.name), where)
}

// row finds the node and the row of a key. A key that the table lacks, or has
// with another kind than it is read as, is a mistake in loadline.
func (t *table) row(name string, kinds ...kind) (*node, *key) {
	k := t.sec.key(name)
	if k == nil {
		panic("spec: key " + t.sec.name + "." + name + " is not in the key table")
	}
	right := len(kinds) == 0
	for _, kind := range kinds {
		right = right || k.kind == kind
	}
	if !right {
		panic("spec: key " + t.sec.name + "." + name + " is read as another kind than the key table has")
	}
	if t.hadRead != nil {
		t.hadRead(t.sec.name, name)
	}
	return t.n.kid(name), k
}

// has says whether the spec has the key.
func (t *table) has(name string) bool { return t.n.kid(name) != nil }

// need reports required keys that are absent.
func (t *table) need(names ...string) bool {
	ok := true
	for _, name := range names {
		if t.n != nil && !t.has(name) {
			ok = false
			if !t.meant(name) {
				t.badKey(t.n, "add it: "+t.sec.key(name).want(), "%s has no %s", t.title(), name)
			}
		}
	}
	return ok
}

// meant says whether an unknown key of the table was most likely meant to be
// one of these, so that nobody needs to be told that it is missing.
func (t *table) meant(names ...string) bool {
	if t.n == nil {
		return false
	}
	for _, k := range t.n.kids {
		if t.sec.key(k.name) != nil {
			continue
		}
		hint := unknownKey(k, t.sec)
		for _, name := range names {
			if strings.Contains(hint, name) {
				return true
			}
		}
	}
	return false
}

// title names the table in a message: its header, or what it is an item of.
func (t *table) title() string { return t.sec.title(t.n) }

func (s *section) title(n *node) string {
	switch {
	case n == nil || n.parent == nil:
		return s.header
	case !strings.HasPrefix(s.header, "["):
		return "this " + s.name
	case n.parent.kind == listNode:
		return "[" + header(n) + "]"
	default:
		return header(n)
	}
}

// oneOf gives the one key that is there out of several that exclude each other,
// and reports more than one.
func (t *table) oneOf(names ...string) string {
	found := ""
	for _, name := range names {
		switch {
		case !t.has(name):
		case found == "":
			found = name
		default:
			t.badKey(t.n.kid(name), "choose one", "%s has %s and %s", t.title(), found, name)
			return found
		}
	}
	return found
}

func (t *table) duration(name string) time.Duration {
	n, k := t.row(name, durationKind)
	if n != nil {
		if d, ok := t.reader.duration(n, k); ok {
			return d
		}
	}
	if k.def == "" {
		return 0
	}
	return must(unit.ParseDuration(k.def))
}

func (t *table) integer(name string) int64 {
	n, k := t.row(name, integerKind)
	if n != nil {
		if v, ok := t.reader.integer(n, k); ok {
			return v
		}
	}
	if k.def == "" {
		return 0
	}
	return must(strconv.ParseInt(k.def, 10, 64))
}

func (t *table) number(name string) float64 {
	n, k := t.row(name, numberKind)
	if n != nil {
		if v, ok := t.reader.number(n, k); ok {
			return v
		}
	}
	return must(strconv.ParseFloat(k.def, 64))
}

func (t *table) boolean(name string) bool {
	n, k := t.row(name, booleanKind)
	if n != nil {
		if v, ok := t.reader.boolean(n, k); ok {
			return v
		}
	}
	return k.def == "true"
}

func (t *table) rate(name string) float64 {
	if n, k := t.row(name, rateKind); n != nil {
		v, _ := t.reader.rate(n, k)
		return v
	}
	return 0
}

func (t *table) size(name string) int64 {
	n, k := t.row(name, sizeKind)
	if n != nil {
		if v, ok := t.reader.size(n, k); ok {
			return v
		}
	}
	return must(unit.ParseSize(k.def))
}

func (t *table) percent(name string) float64 {
	n, k := t.row(name, percentKind)
	if n != nil {
		if v, ok := t.reader.percent(n, k); ok {
			return v
		}
	}
	return must(unit.ParsePercent(k.def))
}

func (t *table) quantity(name string) (float64, unit.Base) {
	if n, k := t.row(name, quantityKind); n != nil {
		return t.reader.quantity(n, k)
	}
	return 0, unit.BasePlain
}

func (t *table) word(name string) string {
	n, k := t.row(name, wordKind)
	if n != nil {
		if s, ok := t.reader.word(n, k); ok {
			return s
		}
	}
	return k.def
}

// text reads a string; ok is false when it is absent or wrong.
func (t *table) text(name string) (string, bool) {
	n, k := t.row(name, textKind, urlKind, fileKind, patternKind)
	if n != nil {
		if s, ok := t.string(n, k); ok {
			return s, true
		}
	}
	return k.def, false
}

// textOr reads a string, or gives what to use without it.
func (t *table) textOr(name, without string) string {
	if s, ok := t.text(name); ok {
		return s
	}
	return without
}

// template reads a string with {{ }}; nil when it is absent or wrong.
func (t *table) template(name string, sc *scope) *rule.Template {
	if n, k := t.row(name, templateKind); n != nil {
		return t.reader.template(n, k, sc)
	}
	return nil
}

func (r *reader) template(n *node, k *key, sc *scope) *rule.Template {
	s, ok := r.templateString(n, k)
	if !ok {
		return nil
	}
	return r.parseTemplate(n, s, 0, sc)
}

// parseTemplate compiles the part of a node's text that begins at offset at.
func (r *reader) parseTemplate(n *node, s string, at int, sc *scope) *rule.Template {
	t, err := rule.ParseTemplate(s)
	if err != nil {
		r.badRule(n, err, at)
		return nil
	}
	r.resolve(n, t.Names(), at, sc)
	return t
}

// texts reads a list of strings.
func (t *table) texts(name string) []string {
	n, k := t.row(name, textsKind, wordsKind)
	if n == nil {
		return nil
	}
	var out []string
	t.each(n, k, func(item *node) {
		if k.kind == wordsKind {
			if s, ok := t.reader.word(item, k); ok {
				out = append(out, s)
			}
			return
		}
		if s, ok := t.string(item, k); ok {
			out = append(out, s)
		}
	})
	return out
}

// each calls yield with each item of a list.
func (r *reader) each(n *node, k *key, yield func(item *node)) {
	if n.kind != listNode {
		r.wrongKind(n, k)
		return
	}
	for _, item := range n.kids {
		yield(item)
	}
}

// strings reads a table of strings.
func (t *table) strings(name string) map[string]string {
	n, k := t.row(name, tagsKind)
	if n == nil {
		return nil
	}
	read := t.reader.text
	if k.isShown() {
		read = t.shown
	}
	out := map[string]string{}
	t.eachKey(n, k, func(item *node) {
		if _, isText := item.value.(string); !isText {
			t.bad(item, "", "%s is %s: want a string", item.label(), item.written(""))
		} else if s, ok := read(item); ok {
			out[item.name] = s
		}
	})
	return out
}

// eachKey calls yield with each value of a table whose keys the user chose.
func (r *reader) eachKey(n *node, k *key, yield func(item *node)) {
	if n.kind != tableNode {
		r.wrongKind(n, k)
		return
	}
	for _, item := range n.kids {
		yield(item)
	}
}

// tables gives the items of a list of tables.
func (t *table) tables(name string) []*node {
	n, k := t.row(name, tablesKind, rowsKind)
	switch {
	case n == nil:
		return nil
	case n.kind != listNode:
		t.wrongKind(n, k)
		return nil
	}
	var out []*node
	for _, item := range n.kids {
		if item.kind != tableNode {
			t.bad(item, "", "%s has %s in it: want %s", n.label(), item.written(stringOf(item)), k.want())
			continue
		}
		out = append(out, item)
	}
	return out
}

// table opens the table behind a key; it reads as an empty one when absent.
func (t *table) table(name string) *table {
	n, k := t.row(name, tableKind)
	return t.open(n, k.of)
}

// pairs reads a table of templates, or of lists of templates.
func (t *table) pairs(name string, sc *scope) []Pair {
	n, k := t.row(name, pairsKind)
	if n == nil {
		return nil
	}
	var out []Pair
	t.eachKey(n, k, func(item *node) {
		values := []*node{item}
		if item.kind == listNode {
			values = item.kids
		}
		for _, v := range values {
			if tmpl := t.scalarTemplate(v, sc); tmpl != nil {
				out = append(out, Pair{Name: item.name, Value: tmpl})
			}
		}
	})
	return out
}

// scalarTemplate reads a string with {{ }}, or a number or boolean as its text.
func (r *reader) scalarTemplate(n *node, sc *scope) *rule.Template {
	switch v := n.value.(type) {
	case string:
		s, ok := r.templateText(n)
		if !ok {
			return nil
		}
		return r.parseTemplate(n, s, 0, sc)
	case int64, float64, bool:
		if !r.finite(n) {
			return nil
		}
		return r.parseTemplate(n, scalarText(v), 0, sc)
	default:
		r.bad(n, "", "%s is %s: want a string, a number, true or false", n.label(), n.written(""))
		return nil
	}
}

func scalarText(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// must is for the defaults of the key table, which a test reads all.
func must[T any](v T, err error) T {
	if err != nil {
		panic("spec: a default in the key table is wrong: " + err.Error())
	}
	return v
}
