package spec

import (
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/unit"
)

// user reads [user] but for its steps, which lifeSteps reads in their turn.
func (b *builder) user(t *table) {
	u := &b.spec.User
	u.Think = b.think(t, Think{})
	u.Pace = t.duration("pace")
	u.PerIteration = t.word("lifetime") == "iteration"
	b.userTable = t
}

// think reads a pause: "1s", "1s..3s" or a distribution.
func (b *builder) think(t *table, without Think) Think {
	n, k := t.row("think", thinkKind)
	if n == nil {
		return without
	}
	switch v := n.value.(type) {
	case string:
		text, ok := b.text(n)
		if !ok {
			return without
		}
		return b.thinkText(n, k, text)
	case int64, float64:
		f, _ := float(v)
		text := strconv.FormatFloat(f, 'f', -1, 64)
		b.bad(n, `write it as a string with a unit, "`+text+`s"`, "think is %s:", text)
		return without
	}
	if n.kind != tableNode {
		b.wrongKind(n, k)
		return without
	}
	dist := b.open(n, k.of)
	dist.need("mean")
	out := Think{Dist: dist.word("dist"), Mean: dist.duration("mean"), SD: dist.duration("sd")}
	switch {
	case out.Dist == "" && dist.has("sd"):
		out.Dist = "normal"
	case out.Dist == "":
		out.Dist = "exponential"
	case out.Dist == "exponential" && dist.has("sd"):
		b.badKey(n.kid("sd"), "leave it out", "an exponential pause has no sd: it is as large as the mean")
	case out.Dist == "normal" && !dist.has("sd"):
		b.bad(n, `write sd = "500ms"`, "a normal pause needs sd")
	}
	return out
}

func (b *builder) thinkText(n *node, k *key, text string) Think {
	from, to, isRange := strings.Cut(text, "..")
	least, ok := b.thinkTime(n, k, from)
	if !ok || !isRange {
		return Think{Min: least, Max: least}
	}
	most, ok := b.thinkTime(n, k, to)
	if ok && most < least {
		b.bad(n, `write "`+to+".."+from+`"`, "think is %s: the second is the larger", quote(text))
	}
	if least == most {
		return Think{Min: least, Max: most}
	}
	return Think{Dist: "uniform", Min: least, Max: most}
}

func (b *builder) thinkTime(n *node, k *key, text string) (time.Duration, bool) {
	d, err := unit.ParseDuration(text)
	if err != nil {
		b.badUnit(n, err)
		return 0, false
	}
	if !k.inRange(d.Seconds()) {
		b.bad(n, "", "think is %s: want a duration%s", quote(text), k.rangeText())
		return 0, false
	}
	return d, true
}

// A walk is a scenario as read, whether or not this run uses it.
type walk struct {
	table    *table
	scenario *Scenario
	weight   float64
	users    int64
	own      bool   // has a load of its own
	off      string // why this run leaves it out; "" when it does not
}

// lifeSteps reads all steps outside scenarios, in the order in which they see
// each other's captures.
func (b *builder) lifeSteps(top *table, sc *scope) {
	outside := sc.outside("[[setup]]")
	b.spec.Setup = b.steps(top.tables("setup"), stepPlace{list: "setup", scope: outside, unnamed: true})
	inside := sc.inner()
	inside.adopt(outside, "")
	teardown := outside.inner()
	teardown.where = "[[teardown]]"
	b.spec.Teardown = b.steps(top.tables("teardown"), stepPlace{list: "teardown", scope: teardown, unnamed: true})

	names := map[string]*node{}
	b.spec.User.OnStart = b.steps(b.userTable.tables("on_start"), stepPlace{list: "on_start", scope: inside, names: names})
	b.spec.User.OnStop = b.steps(b.userTable.tables("on_stop"), stepPlace{list: "on_stop", scope: inside.inner(), names: names})
	b.inside = inside
}

// scenarios reads every [[scenario]].
func (b *builder) scenarios(top *table) {
	nodes := top.tables("scenario")
	if len(nodes) == 0 {
		n := top.n.kid("scenario")
		if n == nil {
			b.problems = append(b.problems, b.ofFile("write one:\n[[scenario]]\nname = \"list\"\n[[scenario.step]]\nrequest = \"GET /\"", "no [[scenario]]"))
		} else if n.kind == listNode && len(n.kids) == 0 {
			b.bad(n, "write [[scenario]]", "scenario is an empty list")
		}
		return
	}
	seen := map[string]*node{}
	for _, n := range nodes {
		b.walks = append(b.walks, b.scenario(b.open(n, "scenario"), seen))
	}
	b.chooseScenarios(nodes)
}

func (b *builder) scenario(t *table, seen map[string]*node) *walk {
	w := &walk{table: t, weight: t.number("weight"), users: t.integer("users"), own: t.has("load")}
	s := &Scenario{Pos: b.src.pos(t.n.key.start)}
	w.scenario = s
	name, ok := t.text("name")
	n := t.n.kid("name")
	switch {
	case n == nil:
		b.notSure("scenario")
		b.badKey(t.n, `write name = "list"`, "this scenario has no name")
	case !ok:
		b.notSure("scenario")
	case strings.TrimSpace(name) == "" || len(name) > 200 || strings.ContainsFunc(name, isControl):
		b.bad(n, "", "name is %s: want 1 to 200 characters in one line", quote(name))
	case seen[name] != nil:
		b.bad(n, "give one of them another name", "the scenario %s is there already, at line %d", quote(name), b.src.pos(seen[name].key.start).Line)
	default:
		seen[name] = t.n
	}
	s.Name = name
	if t.has("think") {
		think := b.think(t, Think{})
		s.Think = &think
	}
	if t.has("pace") {
		pace := t.duration("pace")
		s.Pace = &pace
	}
	s.Tags = b.tags(t)
	b.ownLoadKeys(t, w)

	// Left out, its steps have no place among the indexes.
	step, check := b.nextStep, b.nextCheck
	names := map[string]*node{}
	sc := b.inside.inner()
	s.OnStart = b.steps(t.tables("on_start"), stepPlace{list: "on_start", scope: sc, names: names})
	steps := t.tables("step")
	if len(steps) == 0 && (!t.has("step") || t.n.kid("step").kind == listNode && len(t.n.kid("step").kids) == 0) {
		b.badKey(t.n, "write [[scenario.step]] with request = \"GET /path\"", "the scenario %s has no step", quote(name))
	}
	s.Steps = b.steps(steps, stepPlace{list: "step", scope: sc, names: names})
	switch only := b.only(); {
	case only != "" && name != only:
		w.off = "--scenario " + only
	case only != "": // asked for by name: all of the load is its own
		w.weight, w.users = 1, 0
	case w.weight == 0 && t.has("weight") && !w.own:
		w.off = "weight = 0"
	}
	if w.off != "" {
		b.nextStep, b.nextCheck = step, check
	}
	return w
}

// only is the one scenario that the command line asks for; "" for all. It does
// not count in the parts of the file that this run does not use.
func (b *builder) only() string {
	if b.aside {
		return ""
	}
	return b.in.Scenario
}

// ownLoadKeys checks what goes with a load of its own, and what does not.
func (b *builder) ownLoadKeys(t *table, w *walk) {
	start, _ := t.row("start", durationKind)
	if !w.own {
		if start != nil {
			b.badKey(start, "write [scenario.load], or leave start out", "start goes with a load of the scenario's own")
		}
		return
	}
	for _, name := range []string{"weight", "users"} {
		if n := t.n.kid(name); n != nil {
			b.badKey(n, "choose one", "the scenario has a load of its own and %s, which is a share of the common load", name)
		}
	}
}

// chooseScenarios keeps the scenarios that this run uses.
func (b *builder) chooseScenarios(nodes []*node) {
	var names []string
	for _, w := range b.walks {
		names = append(names, w.scenario.Name)
		if w.off == "" {
			b.spec.Scenarios = append(b.spec.Scenarios, w.scenario)
		}
	}
	if len(b.spec.Scenarios) > 0 {
		return
	}
	if b.only() == "" {
		b.badKey(nodes[0], "give one a weight above 0", "all scenarios are switched off")
		return
	}
	p := Problem{File: "--scenario", Message: "the file has no scenario " + quote(b.in.Scenario), Hint: "it has " + strings.Join(names, ", ")}
	if near := nearWord(b.in.Scenario, names); near != "" {
		p.Hint = didYouMean(near)
	}
	b.problems = append(b.problems, p)
}
