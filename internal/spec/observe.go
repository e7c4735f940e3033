package spec

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/unit"
)

// sources are the keys that say where an [[observe]] reads.
var sources = []string{"scrape", "prometheus", "command", "log"}

// observe reads every [[observe]].
func (b *builder) observe(top *table, sc *scope) {
	for _, n := range top.tables("observe") {
		t := b.open(n, "observe")
		o := Observe{Pos: b.src.pos(n.key.start), Every: t.duration("every"), Kind: t.oneOf(sources...)}
		if o.Kind == "" {
			b.badKey(n, `write scrape = "https://.../metrics", say`, "[[observe]] has none of scrape, prometheus, command and log")
		}
		for _, kind := range sources {
			if text, ok := t.text(kind); ok && kind == o.Kind {
				o.Source = text
			}
		}
		isURL := o.Kind == "scrape" || o.Kind == "prometheus"
		switch source := t.n.kid(o.Kind); {
		case source == nil || source.kind == tableNode:
		case isURL && o.Source != "":
			b.sourceURL(source, &o)
		case !isURL && strings.TrimSpace(stringOf(source)) == "":
			b.bad(source, "write one", "%s is empty", o.Kind)
		}
		o.Headers = b.headers(t, sc.outside("[[observe]]"))
		b.observePattern(t, &o, isURL)
		b.series(t, &o, isURL)
		b.spec.Observe = append(b.spec.Observe, o)
	}
}

// sourceURL checks where metrics are read: a URL, or for a page a path of the
// target's own host.
func (b *builder) sourceURL(n *node, o *Observe) {
	bare, _, _ := strings.Cut(o.Source, "?") // a query may be a key
	u, err := url.Parse(o.Source)
	if o.Kind == "scrape" && strings.HasPrefix(o.Source, "/") {
		if err != nil {
			b.bad(n, `write % as %25, and no control characters`, "scrape %s is not a path", quote(bare))
		}
		return
	}
	hint := `write "https://..."`
	if o.Kind == "scrape" {
		hint = `write "https://...", or "/metrics" for that of the target`
	}
	switch {
	case err != nil || !httpURL(o.Source) || u.Hostname() == "" || !validPort(u):
		b.bad(n, hint, "%s %s is not a URL", o.Kind, quote(bare))
	case u.User != nil:
		b.bad(n, "write them in headers, from the environment", "%s has credentials in it", o.Kind)
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
	if n.kind == tableNode && len(n.kids) > 1 && !isURL && o.Kind != "" {
		b.badKey(n.kids[1], "write another [[observe]] for it", "%s gives one number, and this is a second series", o.Kind)
	}
	b.eachKey(n, k, func(item *node) {
		if !identifier(item.name) {
			b.badKey(item, `use letters, digits and "_"`, "%s is not a name for a series", quote(item.name))
		}
		st := b.open(item, k.of)
		s := Series{Role: item.name}
		var limited unit.Base
		s.Limit, limited = st.quantity("limit")
		expr, ok := st.text("expr")
		switch {
		case ok && isURL && strings.TrimSpace(expr) == "":
			b.bad(item.kid("expr"), "write the name of a metric", "expr is empty")
		case ok && o.Kind == "scrape":
			b.expr(item.kid("expr"), expr, &s)
		case ok && !isURL && o.Kind != "":
			b.badKey(item.kid("expr"), "leave it out", "expr goes with scrape and prometheus")
		case !ok && isURL && st.n != nil && !st.has("expr"):
			b.badKey(item, `write expr = "..."`, "the series %s has no expr", item.name)
		case o.Kind == "prometheus":
			s.Query = expr
		case o.Kind == "log":
			s.Unit = unit.BaseRate
		}
		s.Unit = cmp.Or(limited, s.Unit)
		o.Series = append(o.Series, s)
	})
}

// expr reads what a series takes from a page.
func (b *builder) expr(n *node, text string, s *Series) {
	e, err := rule.ParseExpr(text)
	if err != nil {
		b.badRule(n, err, 0)
		return
	}
	s.Expr, s.Unit = e, e.Unit()
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
