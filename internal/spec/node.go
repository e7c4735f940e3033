package spec

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A node is one value of the spec with its place: the library's values and our
// marks in one tree, in which a profile can be laid over the file and flags
// over both.
type node struct {
	name   string // "" for the root and for items of a list
	parent *node
	key    span   // of the key; of the item itself in a list
	val    span   // of the value
	flag   string // "--rate" when the command line says it; there is no place then

	value any    // string, int64, float64, bool, time.Time; nil for tables and lists
	date  string // a time as it was written
	kind  nodeKind
	kids  []*node // in file order
}

type nodeKind int

const (
	scalarNode nodeKind = iota
	tableNode
	listNode
)

// newNode joins a decoded value with the marks of its places.
func newNode(name string, parent *node, value any, m *mark, text []byte) *node {
	n := &node{name: name, parent: parent, key: m.key, val: m.val}
	switch v := value.(type) {
	case map[string]any:
		n.kind = tableNode
		for _, name := range m.order {
			if sub, ok := v[name]; ok {
				n.kids = append(n.kids, newNode(name, n, sub, m.kids[name], text))
			}
		}
		// The marks are of the same text, so nothing is left over. If they ever
		// disagreed, a value without its own place is better than one overlooked.
		for _, name := range sortedKeys(v) {
			if m.kids[name] == nil {
				n.kids = append(n.kids, newNode(name, n, v[name], &mark{key: m.key, val: m.val}, text))
			}
		}
	case []map[string]any:
		n.kind = listNode
		for i, sub := range v {
			n.kids = append(n.kids, newNode("", n, sub, m.item(i), text))
		}
	case []any:
		n.kind = listNode
		for i, sub := range v {
			n.kids = append(n.kids, newNode("", n, sub, m.item(i), text))
		}
	case time.Time:
		n.value = v
		n.date = string(text[m.val.start:m.val.end])
	default:
		n.value = value
	}
	return n
}

func (m *mark) item(i int) *mark {
	if i < len(m.items) {
		return m.items[i]
	}
	return &mark{key: m.key, val: m.val}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// kid is the value of a key, or nil.
func (n *node) kid(name string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// set puts a value under its name, in place of the one there is.
func (n *node) set(k *node) {
	k.parent = n
	for i, old := range n.kids {
		if old.name == k.name {
			n.kids[i] = k
			return
		}
	}
	n.kids = append(n.kids, k)
}

func (n *node) remove(names ...string) {
	n.kids = slices.DeleteFunc(n.kids, func(k *node) bool { return slices.Contains(names, k.name) })
}

// only is the table with no other keys than these.
func (n *node) only(names []string) *node {
	c := *n
	c.kids = slices.DeleteFunc(slices.Clone(n.kids), func(k *node) bool { return !slices.Contains(names, k.name) })
	return &c
}

// clone copies the tree, so that laying a profile over it leaves the file's alone.
func (n *node) clone(parent *node) *node {
	c := *n
	c.parent = parent
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = k.clone(&c)
	}
	return &c
}

// overlay lays a profile over n, which it changes: tables are merged key by
// key, everything else is replaced, and so are the keys in whole.
func (n *node) overlay(profile *node, whole ...string) {
	for _, p := range profile.kids {
		old := n.kid(p.name)
		if old == nil || old.kind != tableNode || p.kind != tableNode || slices.Contains(whole, p.name) {
			n.set(p.clone(n))
			continue
		}
		old.overlay(p, whole...)
	}
}

// label is what messages call the value: its key, or that of its list.
func (n *node) label() string {
	for ; n.parent != nil; n = n.parent {
		if n.name != "" {
			return n.name
		}
	}
	return "the file"
}

// written shows the value in a message.
func (n *node) written(s string) string {
	switch v := n.value.(type) {
	case string:
		return quote(s)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return "a date"
	}
	switch n.kind {
	case tableNode:
		return "a table"
	default:
		return "a list"
	}
}

// quote shows text in a message: at most 60 characters of it.
func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		return strconv.Quote(string(r[:57]) + "...")
	}
	if strings.ContainsAny(s, "\"\\") && !strings.Contains(s, "'") && !strings.ContainsFunc(s, isControl) {
		return "'" + s + "'"
	}
	return strconv.Quote(s)
}

// plain is the value as JSON would hold it. Dates become text, since JSON has none.
func (n *node) plain(text func(*node) string) any {
	switch n.kind {
	case tableNode:
		m := make(map[string]any, len(n.kids))
		for _, k := range n.kids {
			m[k.name] = k.plain(text)
		}
		return m
	case listNode:
		l := make([]any, len(n.kids))
		for i, k := range n.kids {
			l[i] = k.plain(text)
		}
		return l
	default:
	}
	switch n.value.(type) {
	case string:
		return text(n)
	case time.Time:
		return n.date
	default:
		return n.value
	}
}
