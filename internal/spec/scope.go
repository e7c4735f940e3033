package spec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// A scope is the names that templates at one place of the spec may use: its own
// and those of the scope around it.
type scope struct {
	names  map[string]*binding
	around *scope
	feeds  map[string]*Feed // nil value: could not be read, so its columns are not checked
	rows   bool             // feeds are within reach
	where  string           // when they are not: the place that has none
}

// A binding is one thing that {{ }} can be filled with.
type binding struct {
	what string // "variable", "secret", "capture", "item"
	node *node
	step string // that captures it
	used bool
}

func newScope(feeds map[string]*Feed) *scope {
	return &scope{names: map[string]*binding{}, feeds: feeds, rows: true}
}

// inner gives a scope that may be added to without changing this one.
func (s *scope) inner() *scope {
	c := *s
	c.names, c.around = map[string]*binding{}, s
	return &c
}

// outside is the scope of what is sent when there is no user who draws rows.
func (s *scope) outside(where string) *scope {
	c := s.inner()
	c.rows, c.where = false, where
	return c
}

func (s *scope) find(name string) *binding {
	for ; s != nil; s = s.around {
		if b := s.names[name]; b != nil {
			return b
		}
	}
	return nil
}

// adopt takes over what an inner scope came to know, but for one name.
func (s *scope) adopt(inner *scope, except string) {
	if s == inner {
		return
	}
	for name, known := range inner.names {
		if name != except {
			s.names[name] = known
		}
	}
}

// all gives every name within reach, sorted.
func (s *scope) all() []string {
	names := map[string]bool{}
	for ; s != nil; s = s.around {
		for name := range s.names {
			names[name] = true
		}
	}
	return sortedKeys(names)
}

// resolve checks that every name of a template will have a value. The template
// begins at offset at of the node's text.
func (r *reader) resolve(n *node, names []rule.Name, at int, sc *scope) {
	for _, use := range names {
		use.Offset += at
		r.resolveName(n, use, sc)
	}
}

func (r *reader) resolveName(n *node, use rule.Name, sc *scope) {
	if message, hint := r.unresolved(n, use.Name, sc); message != "" {
		r.report(n, r.place(n, use.Offset), hint, "%s", message)
	}
}

// unresolved says what is wrong with a name; "" when it will have a value.
func (r *reader) unresolved(n *node, wanted string, sc *scope) (message, hint string) {
	r.usedNames[wanted] = true
	if known := sc.find(wanted); known != nil {
		known.used = true
		return "", ""
	}
	feedName, column, dotted := strings.Cut(wanted, ".")
	feed, isFeed := sc.feeds[feedName]
	switch {
	case wanted == "user.id" || wanted == "iteration":
		return "", ""
	case !isFeed:
		return "{{ " + wanted + " }} is not defined here", r.unresolvedHint(n, wanted, sc)
	case dotted && !sc.rows:
		return "{{ " + wanted + " }} is not known here", "rows are drawn by users: there are none in " + sc.where
	case dotted && (feed == nil || slices.Contains(feed.Columns, column)):
		return "", ""
	case dotted:
		return "[data." + feedName + "] has no column " + quote(column), columnHint(feed, column)
	case feed != nil && len(feed.Columns) > 0:
		hint = ", {{ " + feedName + "." + feed.Columns[0] + " }}"
	}
	return "{{ " + wanted + " }} is a whole row of [data." + feedName + "]", "write a column of it" + hint
}

func columnHint(feed *Feed, column string) string {
	const most = 12
	near := rule.Nearest(column, feed.Columns)
	switch {
	case near != "":
		return didYouMean(feed.Name + "." + near)
	case len(feed.Columns) > most:
		return "it has " + strings.Join(feed.Columns[:most], ", ") + " and more"
	default:
		return "it has " + strings.Join(feed.Columns, ", ")
	}
}

// unresolvedHint says where the name is to be had, or which was meant.
func (r *reader) unresolvedHint(n *node, wanted string, sc *scope) string {
	if later := r.capturedElsewhere(n, wanted); later != "" {
		return later
	}
	candidates := sc.all()
	for _, feed := range sortedKeys(sc.feeds) {
		if f := sc.feeds[feed]; f != nil && sc.rows {
			for _, c := range f.Columns {
				candidates = append(candidates, feed+"."+c)
			}
		}
	}
	candidates = append(candidates, "user.id", "iteration")
	if near := rule.Nearest(wanted, candidates); near != "" {
		return strings.TrimSuffix(didYouMean(near), "?") + r.origin(sc.find(near)) + "?"
	}
	return "define it in [vars], or capture it in an earlier step"
}

func (r *reader) origin(known *binding) string {
	if known == nil || known.node == nil || known.what != "capture" {
		return ""
	}
	if known.node.flag != "" {
		return ""
	}
	return " (captured by " + quote(known.step) + ", line " + strconv.Itoa(r.src.pos(known.node.key.start).Line) + ")"
}

// capturedElsewhere says that a name is captured, but too late or by others.
func (r *reader) capturedElsewhere(n *node, wanted string) string {
	places := r.captures[wanted]
	if len(places) == 0 {
		return ""
	}
	mine := walkOf(n)
	for _, at := range places {
		if walkOf(at) == mine && at.key.start < n.key.start {
			return "it is captured at line " + strconv.Itoa(r.src.pos(at.key.start).Line) + ", in a step that is sent at the same time"
		}
		if walkOf(at) == mine {
			return "it is captured only later, at line " + strconv.Itoa(r.src.pos(at.key.start).Line)
		}
	}
	at := places[0]
	line := strconv.Itoa(r.src.pos(at.key.start).Line)
	if s := walkOf(at); s != nil && s.kid("name") != nil {
		return "it is captured at line " + line + ", in scenario " + quote(stringOf(s.kid("name"))) + ": captures stay within a scenario"
	}
	return "it is captured at line " + line + ", which this step does not come after"
}

// walkOf is the scenario that a node belongs to, or the table of a walk outside
// scenarios.
func walkOf(n *node) *node {
	for ; n != nil && n.parent != nil; n = n.parent {
		if p := n.parent; p.kind == listNode && p.name == "scenario" {
			return n
		}
		if p := n.parent; p.kind == listNode && (p.name == "setup" || p.name == "teardown" || (p.name == "on_start" || p.name == "on_stop") && p.parent.name == "user") {
			return p
		}
	}
	return nil
}

// findCaptures notes every name that some step captures, wherever it stands.
func (r *reader) findCaptures(root *node) {
	r.captures = map[string][]*node{}
	var find func(n *node)
	find = func(n *node) {
		for _, k := range n.kids {
			switch {
			case k.name == "capture" && k.kind == tableNode:
				for _, c := range k.kids {
					r.captures[c.name] = append(r.captures[c.name], c)
				}
			case k.name == "json" || k.name == "profile" && n.parent == nil:
			case k.kind != scalarNode:
				find(k)
			}
		}
	}
	find(root)
}
