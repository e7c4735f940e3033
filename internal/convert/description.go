package convert

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A description is an OpenAPI document while it is read. Only what a spec is made
// of is looked at, and it is not checked: a linter does that better. A module that
// knows all of OpenAPI is not used, as each compiles the schemas of JSON Schema
// whenever the program starts, `loadline run` included.
type description struct {
	root object
	err  error // the first reference that leads nowhere
}

// maxReferences is how many references in a row are followed.
const maxReferences = 32

// maxDescribed is how many values of a description are read. GitHub's own, in
// YAML, has 0.7 million.
const maxDescribed = 4_000_000

// parseDescription reads a document in JSON or YAML.
func parseDescription(text []byte) (*description, error) {
	var doc any
	var err error
	if strings.HasPrefix(strings.TrimSpace(string(text[:min(len(text), 1<<10)])), "{") {
		doc, err = parseJSON(string(text))
	}
	if doc == nil || err != nil { // a flow mapping of YAML begins like that, too
		doc, err = parseYAML(text, maxDescribed)
	}
	if err != nil {
		return nil, err
	}
	root, _ := doc.(object)
	return &description{root: root}, nil
}

func (d *description) top() node { return node{d, d.root} }

// A node is a value of a description. What is not there, or is of another type
// than asked for, is empty: a member of nothing is nothing.
type node struct {
	doc   *description
	value any // nil: nothing
}

func (n node) there() bool { return n.value != nil }

// get is a member; references are followed.
func (n node) get(name string) node {
	o, _ := n.value.(object)
	return n.doc.follow(o.get(name))
}

// names are those of the members, in order of the alphabet.
func (n node) names() []string {
	o, _ := n.value.(object)
	names := make([]string, len(o))
	for i, m := range o {
		names[i] = m.name
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// items are the values of a list; references are followed.
func (n node) items() []node {
	list, _ := n.value.([]any)
	var out []node
	for _, v := range list {
		out = append(out, n.doc.follow(v))
	}
	return out
}

func (n node) text() string {
	s, _ := n.value.(string)
	return s
}

func (n node) yes() bool { return n.value == true }

// texts are the items that are texts.
func (n node) texts() []string {
	var out []string
	for _, item := range n.items() {
		if s, ok := item.value.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// follow returns what a value refers to, or itself.
func (d *description) follow(v any) node {
	for range maxReferences {
		o, _ := v.(object)
		to, ok := o.get("$ref").(string)
		if !ok {
			return node{d, v}
		}
		v = d.find(to)
	}
	d.fail(badInput("check the description with a linter", "its references go round in a circle"))
	return node{d, nil}
}

// fail keeps the first error, for the end.
func (d *description) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// find is what a reference leads to (RFC 6901 in a URL's fragment); nil, and an
// error is kept, where it leads nowhere.
func (d *description) find(to string) any {
	path, own := strings.CutPrefix(to, "#")
	if !own {
		d.fail(badInput("bundle it into one file first, for example with `npx @redocly/cli bundle`", "it refers to other files"))
		return nil
	}
	var v any = d.root
	if path, err := url.PathUnescape(path); err == nil {
		for _, name := range strings.Split(path, "/")[1:] {
			v = inside(v, strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~"))
		}
	}
	if _, ok := v.(object); !ok || path != "" && path[0] != '/' {
		d.fail(badInput("check the description with a linter", "it refers to %s, which is not in it", shorten(to)))
		return nil
	}
	return v
}

// inside is a member of an object, or an item of a list by its number.
func inside(v any, name string) any {
	switch in := v.(type) {
	case object:
		return in.get(name)
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(in) {
			return in[i]
		}
	}
	return nil
}
