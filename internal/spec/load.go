package spec

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Bounds of max_users where the spec does not say it: ten iterations in flight
// for each arrival per second lets a request take ten seconds.
const (
	leastMaxUsers   = 100
	mostMaxUsers    = 20_000
	usersPerArrival = 10
)

// countedCap is how long a load of a number of iterations may take unless the
// spec says more.
const countedCap = 10 * time.Minute

// maxStairs bounds the stages that a staircase makes.
const maxStairs = 1000

// load reads [load] and the scenarios' own loads as the plan.
func (b *builder) load(top *table) {
	t := top.table("load")
	p := &b.spec.Load
	p.Seed = t.integer("seed")
	var shares []plan.Share
	own := 0
	for _, w := range b.walks {
		switch {
		case w.own:
			own++
		case w.off == "":
			shares = append(shares, plan.Share{Scenario: b.indexOf(w.scenario), Weight: w.weight, Users: int(w.users)})
		}
	}
	common := b.track(t)
	form := t.first("users", "rate", "stages", "staircase", "iterations", "iterations_per_user", "duration")
	switch {
	case len(shares) > 0:
		common.Shares = shares
		p.Tracks = append(p.Tracks, common)
		b.checkShares(common)
		b.checkPace(common)
	case form != "" && len(b.walks) > 0 && own == len(b.walks):
		b.badKey(t.n.kid(form), "leave it out, or take one scenario's [scenario.load] away", "every scenario has a load of its own, so none uses [load]")
	}
	for _, w := range b.walks {
		if w.own {
			b.ownLoad(w)
		}
	}
	b.planUnique()
}

func (b *builder) indexOf(s *Scenario) int { return slices.Index(b.spec.Scenarios, s) }

// ownLoad reads a [scenario.load].
func (b *builder) ownLoad(w *walk) {
	t := w.table.table("load")
	for _, name := range []string{"seed", "stop_when"} {
		if n := t.n.kid(name); n != nil {
			b.badKey(n, "write it in [load]", "%s is of the whole run", name)
		}
	}
	track := b.track(t)
	track.Name = w.scenario.Name
	track.Start = w.table.duration("start")
	if w.scenario.Pace != nil && track.Open && *w.scenario.Pace > 0 {
		b.badPace(w.table.n.kid("pace"))
	}
	if w.off != "" {
		for _, s := range track.Stages {
			b.offStages = append(b.offStages, s.Name)
			b.offStagesWhy = w.off
		}
	} else {
		track.Shares = []plan.Share{{Scenario: b.indexOf(w.scenario), Weight: 1}}
		b.spec.Load.Tracks = append(b.spec.Load.Tracks, track)
	}
}

// first gives the first of the keys that is there.
func (t *table) first(names ...string) string {
	for _, name := range names {
		if t.has(name) {
			return name
		}
	}
	return ""
}

// track reads one load, whatever its form.
func (b *builder) track(t *table) plan.Track {
	track := plan.Track{
		GracefulStop: t.duration("graceful_stop"),
		Poisson:      t.word("arrivals") == "poisson",
		MaxUsers:     int(t.integer("max_users")),
		SpawnRate:    t.rate("spawn_rate"),
	}
	switch form := b.form(t); form {
	case "users":
		b.closed(t, &track)
	case "rate":
		b.openLoad(t, &track)
	case "stages":
		b.stages(t, &track)
	case "staircase":
		b.staircase(t, &track)
	default:
		// One user, one iteration: also what is used after a mistake.
		track.Iterations = 1
		track.Stages = []plan.Stage{{Name: "main", Duration: countedCap, From: 1, To: 1, Measure: true}}
	}
	b.warmup(t, &track)
	b.onlyFor(t, &track)
	if track.Open && track.MaxUsers == 0 {
		track.MaxUsers = int(min(max(math.Ceil(track.Peak()*usersPerArrival), leastMaxUsers), mostMaxUsers))
	}
	if d := track.Duration(); d > 24*time.Hour {
		b.badKey(t.n, "loads go up to 24h", "the load takes %s", unit.FormatDuration(d))
	}
	return track
}

// form finds out which of the forms the load has.
func (b *builder) form(t *table) string {
	if t.has("users") && t.has("rate") {
		b.badKey(t.n.kid("rate"), "choose one", "%s has users and rate: users keeps N at work (closed), rate starts N per second (open)", t.title())
		return "users"
	}
	form := t.oneOf(forms...)
	if form == "" {
		for _, name := range []string{"iterations", "iterations_per_user", "duration", "warmup", "spawn_rate", "max_users"} {
			if n := t.n.kid(name); n != nil {
				b.badKey(n, `write users = 10 or rate = "50/s"`, "%s has %s, but neither users nor rate", t.title(), name)
				break
			}
		}
	}
	return form
}

// forms are the keys of which a load has exactly one.
var forms = []string{"users", "rate", "stages", "staircase"}

// severalForms says whether the load has more than one form, which is reported
// and makes it pointless to ask for what goes with the first.
func severalForms(t *table) bool {
	n := 0
	for _, name := range forms {
		if t.has(name) {
			n++
		}
	}
	return n > 1
}

// closed reads users with a duration, or with a number of iterations.
func (b *builder) closed(t *table, track *plan.Track) {
	users := float64(t.integer("users"))
	track.Iterations = t.integer("iterations")
	track.IterationsPerUser = t.integer("iterations_per_user")
	counted := t.oneOf("iterations", "iterations_per_user")
	d := t.duration("duration")
	if !t.has("duration") {
		if d = countedCap; counted == "" && !severalForms(t) {
			b.badKey(t.n.kid("users"), `write duration = "2m", or iterations = 100`, "%s has users, but neither duration nor iterations", t.title())
		}
	}
	track.Stages = []plan.Stage{{Name: "main", Duration: d, From: users, To: users, Measure: true}}
}

// openLoad reads a rate with a duration.
func (b *builder) openLoad(t *table, track *plan.Track) {
	track.Open = true
	rate := t.rate("rate")
	n := t.n.kid("rate")
	if !t.has("duration") && !severalForms(t) {
		b.badKey(n, `write duration = "2m"`, "%s has rate, but no duration", t.title())
	}
	if s, ok := b.quiet(n); ok && rate == 0 && strings.HasPrefix(s, "0") {
		b.bad(n, `write a rate above 0, "50/s"`, "rate is %s: nothing would be sent", quote(s))
	}
	track.Stages = []plan.Stage{{Name: "main", Duration: t.duration("duration"), From: rate, To: rate, Measure: true}}
}

// quiet is the node's text; ok is false when it has a problem of its own.
func (b *builder) quiet(n *node) (string, bool) {
	s, ok := n.value.(string)
	if !ok {
		return "", false
	}
	return expand(s, b.env, nil, func(variable) {})
}

// A level is users or arrivals per second.
type level struct {
	value float64
	open  bool
	ok    bool
}

// level reads users, 10, or a rate, "50/s".
func (b *builder) level(t *table, name string) level {
	n, k := t.row(name, levelKind, integerKind, rateKind)
	if n == nil {
		return level{}
	}
	_, isInt := n.value.(int64)
	if s, ok := b.quiet(n); ok && wholeVariable(n) {
		_, err := strconv.Atoi(s)
		isInt = err == nil
	}
	if k.kind == integerKind || k.kind == levelKind && isInt {
		users := *k
		users.kind, users.to = integerKind, maxUsers
		v, ok := b.integer(n, &users)
		return level{value: float64(v), ok: ok}
	}
	v, ok := b.rate(n, k)
	return level{value: v, open: true, ok: ok}
}

// stages reads stages, all of users or all of rates.
func (b *builder) stages(t *table, track *plan.Track) {
	nodes := t.tables("stages")
	n := t.n.kid("stages")
	if len(nodes) == 0 {
		if n.kind == listNode && len(n.kids) == 0 {
			b.bad(n, `write stages = [{ users = 10, duration = "1m" }]`, "stages is empty")
		}
		track.Stages = []plan.Stage{{Name: "main", Measure: true}}
		return
	}
	names := map[string]int{}
	first, from := -1, 0.0
	peak, sound := 0.0, true
	for i, sn := range nodes {
		st := b.open(sn, "stage")
		st.need("duration")
		s := plan.Stage{Name: st.textOr("name", "stage-"+strconv.Itoa(i+1)), Duration: st.duration("duration"), Measure: st.boolean("measure")}
		b.stageName(st, s.Name, names, i)
		form := st.oneOf("users", "rate", "ramp_to")
		if form == "" {
			if !st.meant("users", "rate", "ramp_to") {
				b.badKey(sn, `write users = 10, rate = "50/s" or ramp_to`, "stage %d has no level", i+1)
			}
			sound = false
			b.notSure("stage")
			continue
		}
		l := b.level(st, form)
		if !l.ok {
			sound = false
			b.notSure("stage")
			continue
		}
		if first < 0 {
			first, track.Open = i, l.open
		} else if l.open != track.Open {
			b.mixedStages(nodes, i, first)
			b.notSure("stage")
			sound = false
			continue
		}
		s.From, s.To = l.value, l.value
		if form == "ramp_to" {
			s.From = from
		}
		from, peak = l.value, max(peak, l.value)
		track.Stages = append(track.Stages, s)
	}
	if sound && peak == 0 {
		b.badKey(n, "raise one", "no stage has a level above 0")
	}
	if len(track.Stages) == 0 {
		track.Stages = []plan.Stage{{Name: "main", Measure: true}}
	}
	for _, k := range []string{"duration", "iterations", "iterations_per_user", "spawn_rate"} {
		if kn := t.n.kid(k); kn != nil {
			b.badKey(kn, "each stage says how long and how many", "%s does not go with stages", k)
		}
	}
}

func (b *builder) stageName(t *table, name string, names map[string]int, i int) {
	n := t.n.kid("name")
	if n == nil {
		n = t.n
	}
	switch first, twice := names[name]; {
	case twice:
		b.badKey(n, "give one of them another name", "stages %d and %d are both named %s", first+1, i+1, quote(name))
	case strings.TrimSpace(name) == "" || len(name) > 80 || strings.ContainsFunc(name, isControl):
		b.bad(n, "", "name is %s: want 1 to 80 characters in one line", quote(name))
	default:
		names[name] = i
	}
}

func (b *builder) mixedStages(nodes []*node, i, first int) {
	show := func(n *node) string {
		for _, form := range []string{"users", "rate", "ramp_to"} {
			if k := n.kid(form); k != nil {
				return k.written(b.textOf(k))
			}
		}
		return "nothing"
	}
	b.badKey(nodes[i], "write two scenarios with loads of their own, or one kind of level", "stages mix users and rates: stage %d has %s, stage %d has %s", i+1, show(nodes[i]), first+1, show(nodes[first]))
}

// staircase reads levels that rise, and makes a stage of each.
func (b *builder) staircase(t *table, track *plan.Track) {
	track.Stages = []plan.Stage{{Name: "main", Measure: true}}
	failed := len(b.problems)
	defer func() {
		if len(b.problems) > failed {
			b.notSure("stage")
		}
	}()
	st := t.table("staircase")
	if st.n == nil || !st.need("from", "to", "by", "every") {
		return
	}
	for _, k := range []string{"duration", "iterations", "iterations_per_user", "spawn_rate"} {
		if kn := t.n.kid(k); kn != nil {
			b.badKey(kn, "its length is that of its steps", "%s does not go with staircase", k)
		}
	}
	from, to, by, every := b.level(st, "from"), b.level(st, "to"), b.level(st, "by"), st.duration("every")
	if !from.ok || !to.ok || !by.ok || every == 0 {
		return
	}
	track.Open = from.open
	switch {
	case from.open != to.open || from.open != by.open:
		b.badKey(st.n, "write all three as users or all three as rates", "staircase mixes users and rates")
		return
	case by.value <= 0:
		b.bad(st.n.kid("by"), "write the height of a step", "by is 0: the staircase would never rise")
		return
	case to.value < from.value || to.value == 0:
		b.bad(st.n.kid("to"), "write stages for a load that falls", "to is not above from")
		return
	case (to.value-from.value)/by.value >= maxStairs:
		b.bad(st.n.kid("by"), "make them higher", "the staircase has more than %d steps", maxStairs)
		return
	}
	track.Stages = nil
	// The epsilon keeps 0.1/s steps from missing the last level by a rounding error.
	steps := int((to.value-from.value)/by.value + 1e-9)
	for i := 0; i <= steps; i++ {
		track.Stages = append(track.Stages, stair(from.value+float64(i)*by.value, from.open, every))
	}
	if last := from.value + float64(steps)*by.value; to.value-last > by.value*1e-6 {
		track.Stages = append(track.Stages, stair(to.value, from.open, every))
	}
}

func stair(at float64, open bool, every time.Duration) plan.Stage {
	at = math.Round(at*1e9) / 1e9
	name := unit.FormatRate(at)
	if !open {
		name = strconv.FormatFloat(at, 'f', -1, 64) + " users"
	}
	return plan.Stage{Name: name, Duration: every, From: at, To: at, Measure: true}
}

// warmup puts an unmeasured stage before the others.
func (b *builder) warmup(t *table, track *plan.Track) {
	d := t.duration("warmup")
	if d == 0 {
		return
	}
	n := t.n.kid("warmup")
	first := track.Stages[0]
	switch {
	case track.Iterations > 0 || track.IterationsPerUser > 0:
		b.badKey(n, "leave it out, or write a duration instead of iterations", "warmup does not go with a number of iterations, which it would use up")
	case slices.ContainsFunc(track.Stages, func(s plan.Stage) bool { return !s.Measure }):
		b.badKey(n, "choose one", "%s has warmup and stages with measure = false", t.title())
	case first.From != first.To:
		b.badKey(n, "give that stage measure = false instead", "warmup holds the first level, and the first stage moves")
	case slices.ContainsFunc(track.Stages, func(s plan.Stage) bool { return s.Name == "warmup" }):
		b.badKey(n, "give the stage another name", "%s has warmup and a stage of that name", t.title())
	default:
		lead := plan.Stage{Name: "warmup", Duration: d, From: first.From, To: first.To}
		track.Stages = append([]plan.Stage{lead}, track.Stages...)
	}
}

// onlyFor reports keys that go with the other kind of load.
func (b *builder) onlyFor(t *table, track *plan.Track) {
	names, kind := []string{"max_users", "arrivals"}, "a rate"
	if track.Open {
		names, kind = []string{"spawn_rate", "iterations", "iterations_per_user"}, "users"
	}
	if severalForms(t) {
		return
	}
	if t.first("stages", "staircase") != "" {
		names = names[:min(len(names), 2)]
		if track.Open {
			return // reported with the stages
		}
	}
	for _, name := range names {
		if n := t.n.kid(name); n != nil {
			b.badKey(n, "leave it out", "%s goes with %s", name, kind)
		}
	}
}

// checkShares checks the scenarios that ask for a number of users.
func (b *builder) checkShares(track plan.Track) {
	total, weighted := 0, false
	for _, w := range b.walks {
		if w.own || w.off != "" {
			continue
		}
		if w.users == 0 {
			weighted = true
			continue
		}
		n := w.table.n.kid("users")
		if w.table.has("weight") {
			b.badKey(n, "choose one", "the scenario has weight and users")
		}
		if track.Open {
			b.badKey(n, "write a weight, or a [scenario.load]", "users goes with a closed load, and this one is open")
			return
		}
		total += int(w.users)
		if peak := int(track.Peak()); total > peak {
			b.bad(n, "raise users in [load], or ask for fewer", "the scenarios ask for %s, and the load has %d", plural(total, "user"), peak)
			return
		}
	}
	if peak := int(track.Peak()); !weighted && total > 0 && total < peak {
		n := b.root.kid("load")
		b.badKey(n, "give one scenario a weight instead of users", "the load has %s, and the scenarios use %d", plural(peak, "user"), total)
	}
}

// checkPace reports pace where arrivals keep the time.
func (b *builder) checkPace(track plan.Track) {
	if !track.Open {
		return
	}
	if b.spec.User.Pace > 0 {
		b.badPace(b.userTable.n.kid("pace"))
	}
	for _, w := range b.walks {
		if n := w.table.n.kid("pace"); n != nil && !w.own && *w.scenario.Pace > 0 {
			b.badPace(n)
		}
	}
}

func (b *builder) badPace(n *node) {
	b.badKey(n, "leave it out, or write users instead of a rate", "pace goes with users: in an open load the rate keeps the time")
}
