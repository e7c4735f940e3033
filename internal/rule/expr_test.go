package rule

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/unit"
)

// page is what a service and its machine said at one moment.
func page(seconds int, cpu float64) *Page {
	conns := func(state string, n float64) Sample {
		return Sample{Name: "http_open_connections", Labels: map[string]string{"state": state, "job": "orders"}, Value: n}
	}
	return &Page{
		At: time.Unix(1000, 0).Add(time.Duration(seconds) * time.Second),
		Samples: []Sample{
			{Name: "process_cpu_seconds_total", Value: cpu},
			{Name: "process_resident_memory_bytes", Value: 256 << 20},
			{Name: "node_memory_MemAvailable_bytes", Value: 1 << 30},
			{Name: "node_memory_MemTotal_bytes", Value: 4 << 30},
			conns("active", 30), conns("idle", 12),
			{Name: "gc_total", Labels: map[string]string{"kind": "minor"}, Value: cpu * 10},
			{Name: "gc_total", Labels: map[string]string{"kind": "major"}, Value: cpu},
		},
	}
}

func TestExprEval(t *testing.T) {
	t.Parallel()
	before, now := page(0, 100), page(5, 110)
	for _, tt := range []struct {
		expr string
		want float64
		unit unit.Base
	}{
		{"process_resident_memory_bytes", 256 << 20, unit.BaseBytes},
		{"rate(process_cpu_seconds_total)", 2, unit.BasePlain},
		{"sum(rate(gc_total))", 22, unit.BaseRate},
		{`rate(gc_total{kind="major"})`, 2, unit.BaseRate},
		{"sum(http_open_connections)", 42, unit.BasePlain},
		{"avg(http_open_connections)", 21, unit.BasePlain},
		{"min(http_open_connections)", 12, unit.BasePlain},
		{"max(http_open_connections)", 30, unit.BasePlain},
		{"count(http_open_connections)", 2, unit.BasePlain},
		{"http_open_connections{state='active'}", 30, unit.BasePlain},
		{`http_open_connections{state!="active"}`, 12, unit.BasePlain},
		{`http_open_connections{state=~"act.*", job="orders",}`, 30, unit.BasePlain},
		{`http_open_connections{state!~"act|idle"}`, 30, unit.BasePlain}, // of the whole value: act is not active
		{`http_open_connections{state!~"act.*", zone=""}`, 12, unit.BasePlain},
		{"1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", 0.75, unit.BaseShare},
		{"node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", 3 << 30, unit.BaseBytes},
		{"process_resident_memory_bytes / 1048576", 256, unit.BasePlain},
		{"2 * (3 + 4) - 10 / 5 / 2", 13, unit.BasePlain},
		{"sum(http_open_connections)/max(http_open_connections)", 1.4, unit.BasePlain},
		{"rate(process_resident_memory_bytes)", 0, unit.BaseByteRate},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			t.Parallel()
			e, err := ParseExpr(tt.expr)
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Eval(now, before)
			if err != nil || got != tt.want {
				t.Errorf("it is %v (%v), want %v", got, err, tt.want)
			}
			if e.Unit() != tt.unit {
				t.Errorf("it is in %q, want %q", e.Unit(), tt.unit)
			}
		})
	}
}

func TestExprEvalSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expr, want string }{
		{"http_open_connections", `http_open_connections stands for 2 series: choose one by its labels, or write sum(http_open_connections)`},
		{"rate(gc_total)", `rate(gc_total) stands for 2 series: choose one by its labels, or write sum(rate(gc_total))`},
		{"http_open_conections", "no http_open_conections there; did you mean http_open_connections?"},
		{"sum(pg_stat_activity_count)", "no pg_stat_activity_count there"},
		{`http_open_connections{state="gone"}`, `no series of http_open_connections has the labels of http_open_connections{state="gone"}`},
		{"gc_total{kind='major'} / 0", `gc_total{kind="major"} / 0 is no number just now`},
		{"1 + nothing_here", "no nothing_here there"},
		{"nothing_here + 1", "no nothing_here there"},
	} {
		e, err := ParseExpr(tt.expr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Eval(page(5, 110), page(0, 100)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.expr, err, tt.want)
		}
	}
}

// A rate needs two pages, and a counter that begins anew is no negative rate.
func TestExprRates(t *testing.T) {
	t.Parallel()
	e, err := ParseExpr("rate(process_cpu_seconds_total)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Eval(page(0, 100), nil); !errors.Is(err, ErrFirstPage) {
		t.Errorf("on the first page: %v, want ErrFirstPage", err)
	}
	if _, err := e.Eval(page(5, 100), &Page{At: page(0, 0).At}); !errors.Is(err, ErrFirstPage) {
		t.Errorf("after a page without it: %v, want ErrFirstPage", err)
	}
	if got, err := e.Eval(page(5, 10), page(0, 100)); err != nil || got != 2 {
		t.Errorf("after a restart: %v (%v), want 10 in 5 s", got, err)
	}
	if _, err := e.Eval(page(0, 100), page(0, 90)); !errors.Is(err, ErrFirstPage) {
		t.Errorf("two pages of one moment: %v, want ErrFirstPage", err)
	}
}

func TestParseExprErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text      string
		offset    int
		msg, hint string
	}{
		{"", 0, "no metric here", `write a metric's name, as in "process_resident_memory_bytes"`},
		{"a +", 3, "no metric here", `write a metric's name, as in "process_resident_memory_bytes"`},
		{"rate(cpu_total[1m])", 14, "a page of metrics has no past: a rate is that since the reading before", "leave the [...] out"},
		{"rate(sum(cpu_total))", 0, "rate needs the name of a metric, and sum(cpu_total) is none", "write sum(rate(metric)), say: rates are of what was counted"},
		{"sum(1 + a)", 0, "1 + a is one number already", "leave sum out"},
		{"irate(a)", 0, `a page of metrics knows no function "irate"`, `did you mean "rate"?`},
		{"histogram_quantile(0.9, b)", 0, `a page of metrics knows no function "histogram_quantile"`, "use one of avg, count, max, min, rate or sum"},
		{"sum by (state) (a)", 4, `"by" makes several numbers`, "leave it out: a series of [[observe]] is one number"},
		{"sum(a) by (state)", 7, `"by" makes several numbers`, "leave it out: a series of [[observe]] is one number"},
		{"a % b", 2, `unexpected "%"`, "arithmetic is + - * / and brackets"},
		{"a b", 2, `unexpected "b"`, "arithmetic is + - * / and brackets"},
		{"(a + b", 0, "the bracket does not end", "end it with )"},
		{"sum(a", 3, "the bracket does not end", "end it with )"},
		{"a{b}", 3, "no comparison after the label b", "write = != =~ or !~"},
		{"a{b=c}", 4, "the value of a label is text", "put it in quotes"},
		{`a{b="c}`, 4, "the text does not end", `end it with "`},
		{`a{b="c"`, 1, "the labels do not end", "end the labels with }, and separate them with commas"},
		{`a{="c"}`, 2, "no label here", `write state="active", say`},
		{`a{b=~"("}`, 5, `"(" is no regular expression`, "the syntax is RE2, https://github.com/google/re2/wiki/Syntax"},
		{"1.2.3", 0, `"1.2.3" is not a number`, `write digits, as in "0.5"`},
	} {
		_, err := ParseExpr(tt.text)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%q: %v, want an *Error", tt.text, err)
			continue
		}
		if got := (Error{Offset: tt.offset, Msg: tt.msg, Hint: tt.hint}); e.Offset != got.Offset || e.Msg != got.Msg || e.Hint != got.Hint {
			t.Errorf("%q: at %d: %s; %s\nwant at %d: %s; %s", tt.text, e.Offset, e.Msg, e.Hint, tt.offset, tt.msg, tt.hint)
		}
	}
}

// A page may say when its samples were measured, which is less often than it is
// read: cAdvisor does. Between two that are the same nothing is at rest, and from one to the
// next it is as long as they say.
func TestRateOfSamplesWithMoments(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	type sample struct {
		at    int // seconds; less than 0: the page does not say
		value float64
	}
	for _, tt := range []struct {
		name  string
		every int // how often the page is read, in seconds
		a, b  []sample
		want  []float64 // of sum(rate(n)); -1: not yet
	}{
		{"measured as read", 5, []sample{{1, 0}, {6, 10}, {11, 30}}, []sample{{1, 0}, {6, 0}, {11, 0}}, []float64{-1, 2, 4}},
		{
			"measured every third time", 5,
			[]sample{{0, 0}, {0, 0}, {0, 0}, {15, 30}, {15, 30}, {15, 30}, {30, 90}},
			nil,
			[]float64{-1, -1, -1, 2, 2, 2, 4},
		},
		{
			"two of them by turns", 5,
			[]sample{{0, 0}, {10, 20}, {10, 20}, {20, 60}, {20, 60}},
			[]sample{{5, 0}, {5, 0}, {15, 10}, {15, 10}, {25, 30}},
			[]float64{-1, 2, 3, 5, 6},
		},
		{"restarted", 5, []sample{{0, 100}, {0, 100}, {10, 50}}, nil, []float64{-1, -1, 5}},
		{"begins to say", 5, []sample{{-1, 0}, {6, 12}, {6, 12}, {12, 18}}, nil, []float64{-1, 2, 2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, err := ParseExpr("sum(rate(n))")
			if err != nil {
				t.Fatal(err)
			}
			var last, before *Page
			for i, want := range tt.want {
				page := &Page{At: start.Add(time.Duration(i*tt.every) * time.Second)}
				for label, all := range map[string][]sample{"a": tt.a, "b": tt.b} {
					if i < len(all) {
						s := Sample{Name: "n", Labels: map[string]string{"of": label}, Value: all[i].value}
						if all[i].at >= 0 {
							s.At = start.Add(time.Duration(all[i].at) * time.Second)
						}
						page.Samples = append(page.Samples, s)
					}
				}
				before = Earlier(page, last, before)
				last = page
				switch got, err := e.Eval(page, before); {
				case want < 0 && !errors.Is(err, ErrFirstPage):
					t.Errorf("reading %d is %v (%v), want none", i, got, err)
				case want >= 0 && (err != nil || got != want):
					t.Errorf("reading %d is %v (%v), want %v", i, got, err, want)
				}
			}
		})
	}
}

// Per second over per second is no longer per second: the mean that everybody
// asks for first was shown without its unit.
func TestUnitOfRatesOverRates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]unit.Base{
		"rate(h_seconds_sum) / rate(h_seconds_count)":           unit.BaseSeconds,
		"sum(rate(h_seconds_sum)) / sum(rate(h_seconds_count))": unit.BaseSeconds,
		"rate(sent_bytes_total) / rate(answers_total)":          unit.BaseBytes,
		"rate(errors_total) / rate(answers_total)":              unit.BaseShare,
		"rate(cpu_seconds_total) / rate(wall_seconds_total)":    unit.BaseShare,
		"rate(sent_bytes_total) / rate(h_seconds_sum)":          unit.BasePlain,
		"rate(answers_total) / count(rate(answers_total))":      unit.BasePlain,
	} {
		e, err := ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Unit(); got != want {
			t.Errorf("%s is in %q, want %q", text, got, want)
		}
	}
}

func FuzzParseExpr(f *testing.F) {
	for _, s := range []string{
		"process_resident_memory_bytes", `sum(rate(http:requests_total{code=~"5..", path!='/a"b\\'}))`, "1 - a / (b - c) * 2.5", "count(up) / 3", "a{b='\\n'}", "((a))", "a - (b - c)",
	} {
		f.Add(s)
	}
	same := cmp.Options{
		cmp.AllowUnexported(Expr{}, seriesSelector{}, labelMatcher{}), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b *regexp.Regexp) bool {
			return (a == nil) == (b == nil) && (a == nil || a.String() == b.String())
		}),
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpr(text)
		if err != nil {
			goodError(t, text, err)
			return
		}
		again, err := ParseExpr(e.String())
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, e, err)
		}
		if diff := cmp.Diff(again, e, same); diff != "" {
			t.Fatalf("%q prints as %q, which is another expression:\n%s", text, e, diff)
		}
		_, _ = e.Eval(page(5, 1), page(0, 0))
		_ = e.Unit()
	})
}
