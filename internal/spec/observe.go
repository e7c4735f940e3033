package spec

import (
	"net/url"
	"strings"
)

// observe reads every [[observe]].
func (b *builder) observe(top *table, sc *scope) {
	for _, n := range top.tables("observe") {
		t := b.open(n, "observe")
		o := Observe{Pos: b.src.pos(n.key.start), Every: t.duration("every")}
		o.Kind = t.oneOf("scrape", "prometheus", "command", "log")
		if o.Kind == "" {
			b.badKey(n, `write scrape = "https://.../metrics", say`, "[[observe]] has none of scrape, prometheus, command and log")
		}
		for _, kind := range []string{"scrape", "prometheus", "command", "log"} {
			if text, ok := t.text(kind); ok && kind == o.Kind {
				o.Source = text
			}
		}
		isURL := o.Kind == "scrape" || o.Kind == "prometheus"
		if u, err := url.Parse(o.Source); isURL && o.Source != "" && (err != nil || !httpURL(o.Source) || u.Host == "") {
			b.bad(t.n.kid(o.Kind), `write "https://..."`, "%s %s is not a URL", o.Kind, quote(o.Source))
		}
		if !isURL && o.Kind != "" && t.has(o.Kind) && strings.TrimSpace(stringOf(t.n.kid(o.Kind))) == "" {
			b.bad(t.n.kid(o.Kind), "write one", "%s is empty", o.Kind)
		}
		o.Headers = b.headers(t, sc.outside("[[observe]]"))
		b.observePattern(t, &o, isURL)
		b.series(t, &o, isURL)
		b.spec.Observe = append(b.spec.Observe, o)
	}
}

func (b *builder) observePattern(t *table, o *Observe, isURL bool) {
	n, k := t.row("pattern", patternKind)
	if n != nil {
		o.Pattern, _ = b.regexp(n, k)
	}
	switch {
	case isURL && n != nil:
		b.badKey(n, "leave it out", "pattern goes with command and log")
	case o.Kind == "log" && n == nil:
		b.badKey(t.n, "write pattern = ' 50[0-9] '", "log needs a pattern: which lines count")
	}
	if h := t.n.kid("headers"); h != nil && o.Kind != "" && !isURL {
		b.badKey(h, "leave it out", "headers goes with scrape and prometheus")
	}
}

func (b *builder) series(t *table, o *Observe, isURL bool) {
	n, k := t.row("series", namedKind)
	if n == nil {
		b.badKey(t.n, `write series = { cpu = { expr = "..." } }`, "[[observe]] has no series")
		return
	}
	if n.kind == tableNode && len(n.kids) == 0 {
		b.bad(n, `write cpu = { expr = "..." }`, "series is empty")
	}
	b.eachKey(n, k, func(item *node) {
		if !identifier(item.name) {
			b.badKey(item, `use letters, digits and "_"`, "%s is not a name for a series", quote(item.name))
		}
		st := b.open(item, k.of)
		s := Series{Role: item.name, Limit: st.quantity("limit")}
		expr, ok := st.text("expr")
		switch {
		case ok && isURL && strings.TrimSpace(expr) == "":
			b.bad(item.kid("expr"), "write the name of a metric", "expr is empty")
		case ok && !isURL && o.Kind != "":
			b.badKey(item.kid("expr"), "leave it out", "expr goes with scrape and prometheus")
		case !ok && isURL && st.n != nil && !st.has("expr"):
			b.badKey(item, `write expr = "..."`, "the series %s has no expr", item.name)
		}
		s.Expr = expr
		o.Series = append(o.Series, s)
	})
}

// diagnose reads [diagnose].
func (b *builder) diagnose(t *table) {
	b.spec.Diagnose = Diagnose{
		Disable: t.texts("disable"),
		FailOn:  t.texts("fail_on"),
		CPUHigh: t.percent("cpu_high"),
		CPULow:  t.percent("cpu_low"),
	}
	d := b.spec.Diagnose
	for _, id := range d.Disable {
		for _, other := range d.FailOn {
			if id == other {
				b.badKey(t.n.kid("fail_on"), "choose one", "%s is disabled, so it cannot fail the gate", id)
			}
		}
	}
	if d.CPULow >= d.CPUHigh && t.n != nil {
		n := t.n.kid("cpu_low")
		if n == nil {
			n = t.n.kid("cpu_high")
		}
		b.bad(n, "write a lower one", "cpu_low is not below cpu_high")
	}
}
