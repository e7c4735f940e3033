package spec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
)

// flagNode is a value that the command line gives.
func flagNode(flag, name string, value any) *node {
	return &node{name: name, flag: flag, value: value}
}

// override lays the flags over the spec. Parts of the file that this run does
// not use take only what says where and with what, not how much.
func (b *builder) override(root *node) {
	o := b.in.Overrides
	if o.Target != "" {
		b.section(root, "target", "--target").set(flagNode("--target", "url", literal(o.Target)))
	}
	b.overrideVars(root)
	if b.aside {
		return
	}
	b.overrideLoad(root)
	if o.Seed != "" {
		seed, err := strconv.ParseInt(o.Seed, 10, 64)
		if err != nil {
			b.flagProblem("--seed", `write a whole number, "--seed 7"`, "seed is %s", quote(o.Seed))
			return
		}
		b.section(root, "load", "--seed").set(flagNode("--seed", "seed", seed))
	}
}

// literal keeps ${ of the command line, where the shell has filled in already.
func literal(s string) string { return strings.ReplaceAll(s, "${", "$${") }

// section finds a table of the root, or makes it.
func (b *builder) section(root *node, name, flag string) *node {
	n := root.kid(name)
	if n == nil || n.kind != tableNode {
		n = &node{name: name, kind: tableNode, flag: flag}
		root.set(n)
	}
	return n
}

func (b *builder) flagProblem(flag, hint, format string, args ...any) {
	b.report(&node{flag: flag}, span{}, hint, format, args...)
}

// overrideVars sets [vars]. A variable that the file has keeps its type there.
func (b *builder) overrideVars(root *node) {
	for _, name := range sortedKeys(b.in.Vars) {
		text := b.in.Vars[name]
		if root.kid("secrets").kid(name) != nil {
			b.secrets[text] = true
			root.kid("secrets").set(flagNode("--var "+name, name, literal(text)))
			continue
		}
		if secretKey(name) {
			b.secrets[text] = true
		}
		vars := b.section(root, "vars", "--var "+name)
		old := vars.kid(name)
		if old == nil {
			b.newVars = append(b.newVars, name)
			vars.set(flagNode("--var "+name, name, literal(text)))
			continue
		}
		value, want := typed(text, old.value)
		if want != "" {
			b.flagProblem("--var "+name, "write one", "%s is %s in the file, and %s is none", name, want, quote(text))
			continue
		}
		vars.set(flagNode("--var "+name, name, value))
	}
}

// typed reads text as the type of an old value; want names that type when the
// text does not suit it.
func typed(text string, old any) (value any, want string) {
	switch old.(type) {
	case int64:
		if v, err := strconv.ParseInt(text, 10, 64); err == nil {
			return v, ""
		}
		return nil, "an integer"
	case float64:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v, ""
		}
		return nil, "a number"
	case bool:
		if text == "true" || text == "false" {
			return text == "true", ""
		}
		return nil, "a boolean"
	default:
		return literal(text), ""
	}
}

// flagged reports variables of the command line that nothing uses: a slip in
// the name would change nothing, silently.
func (b *builder) flagged() {
	if b.aside {
		return
	}
	for _, name := range b.newVars {
		if b.usedNames[name] {
			continue
		}
		hint := "no template uses it"
		var names []string
		for known := range b.spec.Vars {
			if !slices.Contains(b.newVars, known) {
				names = append(names, known)
			}
		}
		slices.Sort(names)
		if near := rule.Nearest(name, names); near != "" {
			hint = didYouMean(near)
		}
		b.flagProblem("--var "+name, hint, "the file has no variable %q", name)
	}
}

// overrideLoad sets users, rate and duration. A level of the other kind, or
// stages, give way to it.
func (b *builder) overrideLoad(root *node) {
	o := b.in.Overrides
	if o.Users != "" && o.Rate != "" {
		b.flagProblem("--rate", "choose one", "--users keeps N at work, --rate starts N per second")
		return
	}
	if o.Users == "" && o.Rate == "" && o.Duration == "" {
		return
	}
	flag := "--duration"
	switch {
	case o.Users != "":
		flag = "--users"
	case o.Rate != "":
		flag = "--rate"
	}
	load := b.section(root, "load", flag)
	shaped := load.kid("stages") != nil || load.kid("staircase") != nil
	timed := load.kid("duration") != nil || load.kid("iterations") != nil || load.kid("iterations_per_user") != nil
	if o.Duration == "" && (shaped || !timed) {
		b.flagProblem(flag, `write "`+flag+" "+o.Users+o.Rate+` --duration 1m"`, "it does not say for how long")
		return
	}
	switch {
	case o.Users != "":
		b.setUsers(load, o.Users)
	case o.Rate != "":
		load.remove("users", "stages", "staircase", "spawn_rate", "iterations", "iterations_per_user")
		load.set(flagNode("--rate", "rate", literal(o.Rate)))
	case shaped:
		b.flagProblem("--duration", "give --users or --rate too, or choose a profile", "the load has stages, which say how long they take")
		return
	}
	if o.Duration != "" {
		load.set(flagNode("--duration", "duration", literal(o.Duration)))
	}
}

func (b *builder) setUsers(load *node, text string) {
	users, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		b.flagProblem("--users", `write a whole number, "--users 10"`, "users is %s", quote(text))
		return
	}
	load.remove("rate", "stages", "staircase", "max_users", "arrivals")
	load.set(flagNode("--users", "users", users))
}
