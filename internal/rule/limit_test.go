package rule

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var own = Own{
	Metrics: map[string]Kind{"basket_value": Trend, "coupons": Counter, "stock_left": Gauge, "sold_out": Rate},
	Tags:    []string{"team", "kind"},
}

func TestParseLimit(t *testing.T) {
	t.Parallel()
	sel := func(metric string, kind Kind, stat string, unit Unit, tags ...Tag) Selector {
		return Selector{Metric: metric, Kind: kind, Stat: stat, Unit: unit, Tags: tags}
	}
	tests := []struct {
		text string
		want Selector
		op   string
		v    float64
		as   string // "": as written
	}{
		{"latency.p95 < 500ms", sel("latency", Trend, "p95", Micros), "<", 500_000, ""},
		{"latency<1s", sel("latency", Trend, "p95", Micros), "<", 1e6, "latency < 1s"},
		{"response.p99.9 <= 1m30s", sel("latency", Trend, "p99.9", Micros), "<=", 90e6, "latency.p99.9 <= 1m30s"},
		{"latency.count >= 100", sel("latency", Trend, "count", Plain), ">=", 100, ""},
		{"service.max < 0.5ms", sel("service", Trend, "max", Micros), "<", 500, ""},
		{
			"latency{ status = 200 | 5xx , step='add item', team=orders }.p99 < 1s",
			sel("latency", Trend, "p99", Micros, Tag{"status", []string{"200", "5xx"}}, Tag{"step", []string{"add item"}}, Tag{"team", []string{"orders"}}),
			"<", 1e6, "latency{status=200|5xx, step='add item', team=orders}.p99 < 1s",
		},
		{"latency{step='GET /orders/{{ order_id }}'} < 1s", sel("latency", Trend, "p95", Micros, Tag{"step", []string{"GET /orders/{{ order_id }}"}}), "<", 1e6, ""},
		{"latency{step='it''s'} < 1s", sel("latency", Trend, "p95", Micros, Tag{"step", []string{"it's"}}), "<", 1e6, ""},
		{"failed < 1%", sel("failed", Rate, "share", Ratio), "<", 0.01, ""},
		{"errors < 0.01", sel("errors", Rate, "share", Ratio), "<", 0.01, ""},
		{"errors == 0%", sel("errors", Rate, "share", Ratio), "==", 0, ""},
		{"failed.count != 0", sel("failed", Rate, "count", Plain), "!=", 0, ""},
		{"checks{check='has a total'} > 99%", sel("checks", Rate, "share", Ratio, Tag{"check", []string{"has a total"}}), ">", 0.99, ""},
		{"requests{status=5xx}.count == 0", sel("requests", Counter, "count", Plain, Tag{"status", []string{"5xx"}}), "==", 0, ""},
		{"requests.rate > 300/m", sel("requests", Counter, "rate", Plain), ">", 5, ""},
		{"bytes_in.rate < 10MB/s", sel("bytes_in", Counter, "rate", Bytes), "<", 1e7, ""},
		{"bytes_out < 1GiB", sel("bytes_out", Counter, "count", Bytes), "<", 1 << 30, ""},
		{"dropped < 0.1%", sel("dropped", Counter, "share", Ratio), "<", 0.001, ""},
		{"dropped.share < 0.1%", sel("dropped", Counter, "share", Ratio), "<", 0.001, ""},
		{"dropped == 0", sel("dropped", Counter, "count", Plain), "==", 0, ""},
		{"users.max <= 50", sel("users", Gauge, "max", Plain), "<=", 50, ""},
		{"target.cpu.max < 90%", sel("target.cpu", Gauge, "max", Plain), "<", 0.9, ""},
		{"target.memory < 2GiB", sel("target.memory", Gauge, "last", Plain), "<", 2 << 30, ""},
		{"target.gc.avg < 5ms", sel("target.gc", Gauge, "avg", Plain), "<", 0.005, ""},
		{"target.queue < 100", sel("target.queue", Gauge, "last", Plain), "<", 100, ""},
		{"basket_value.avg > -10.5", sel("basket_value", Trend, "avg", Plain), ">", -10.5, ""},
		{"sold_out < 5%", sel("sold_out", Rate, "share", Ratio), "<", 0.05, ""},
		{"coupons.rate < 2/s", sel("coupons", Counter, "rate", Plain), "<", 2, ""},
		{"stock_left >= 1", sel("stock_left", Gauge, "last", Plain), ">=", 1, ""},
	}
	for _, tt := range tests {
		l, err := ParseLimit(tt.text, own)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if tt.as == "" {
			tt.as = tt.text
		}
		want := &Limit{Text: tt.as, Selector: tt.want, Op: tt.op, Value: tt.v}
		if diff := cmp.Diff(l, want, cmpopts.IgnoreUnexported(Selector{})); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.text, diff)
		}
	}
}

func TestParseCompare(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text    string
		stat    string
		falling bool
		want    []Tolerance
	}{
		{"latency.p95 within 10% or 5ms", "p95", false, []Tolerance{{true, 0.1}, {false, 5000}}},
		{"latency within 5ms or 10%", "p95", false, []Tolerance{{false, 5000}, {true, 0.1}}},
		{"errors within 0.5pp", "share", false, []Tolerance{{false, 0.005}}},
		{"errors within 50% or 0.1pp", "share", false, []Tolerance{{true, 0.5}, {false, 0.001}}},
		{"requests.rate within 5%", "rate", true, []Tolerance{{true, 0.05}}},
		{"requests.rate within 10/s", "rate", true, []Tolerance{{false, 10}}},
		{"checks within 0pp", "share", true, []Tolerance{{false, 0}}},
		{"basket_value.avg within 200%", "avg", false, []Tolerance{{true, 2}}},
	}
	for _, tt := range tests {
		c, err := ParseCompare(tt.text, own)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if c.Text != tt.text || c.Selector.Stat != tt.stat || c.Falling != tt.falling {
			t.Errorf("%s: %+v", tt.text, c)
		}
		if diff := cmp.Diff(c.Tolerances, tt.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", tt.text, diff)
		}
	}
}

func TestLimitHolds(t *testing.T) {
	t.Parallel()
	for op, want := range map[string][3]bool{ // of 99, 100, 101 against 100
		"<": {true, false, false}, "<=": {true, true, false}, ">": {false, false, true}, ">=": {false, true, true}, "==": {false, true, false}, "!=": {true, false, true},
	} {
		l, err := ParseLimit("requests "+op+" 100", Own{})
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]bool{l.Holds(99), l.Holds(100), l.Holds(101)}; got != want {
			t.Errorf("%s: %v, want %v", l.Text, got, want)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	tags := map[string]string{"step": "add item", "status": "503", "team": "orders"}
	get := func(tag string) (string, bool) {
		v, ok := tags[tag]
		return v, ok
	}
	for text, want := range map[string]bool{
		"latency":                              true,
		"latency{status=503}":                  true,
		"latency{status=5xx}":                  true,
		"latency{status=4xx|5xx}":              true,
		"latency{status=200|404}":              false,
		"latency{step='add item', team=x}":     false,
		"latency{step='add item'|b, kind=x}":   false,
		"latency{step='add item',team=orders}": true,
	} {
		l, err := ParseLimit(text+" < 1s", own)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Selector.Matches(get); got != want {
			t.Errorf("%s matches %v: %v, want %v", text, tags, got, want)
		}
	}
	l, _ := ParseLimit("latency{status=5xx|0} < 1s", own)
	if v, ok := l.Selector.Tag("status"); !ok || len(v) != 2 {
		t.Errorf("Tag(status): %v, %v", v, ok)
	}
	if _, ok := l.Selector.Tag("stage"); ok {
		t.Error("Tag(stage) is there")
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	for stat, want := range map[string]float64{"p50": 50, "p99.9": 99.9, "p0": 0, "p100": 100, "p99.999": 99.999} {
		if got, ok := Percentile(stat); !ok || got != want {
			t.Errorf("Percentile(%s) = %v, %v; want %v", stat, got, ok, want)
		}
	}
	for _, stat := range []string{"", "p", "p101", "p-1", "p9.", "p.9", "p9e1", "p1.2.3", "avg", "P95"} {
		if got, ok := Percentile(stat); ok {
			t.Errorf("Percentile(%s) = %v", stat, got)
		}
	}
}

// TestMetricTable: every metric has the statistic that it defaults to, and words
// of other tools lead to what there is.
func TestMetricTable(t *testing.T) {
	t.Parallel()
	for _, m := range Metrics {
		if !m.has(m.Stat) || m.Help == "" {
			t.Errorf("%s: default statistic %q, help %q", m.Name, m.Stat, m.Help)
		}
		for _, stat := range m.stats() {
			if !m.has(stat) {
				t.Errorf("%s lists %s and does not have it", m.Name, stat)
			}
		}
	}
	for word, ours := range foreignMetrics {
		if _, ok := (Own{}).Find(word); ok {
			t.Errorf("%s is a metric of ours", word)
		}
		p := &parser{text: ours}
		if _, _, err := p.selector(Own{}); err != nil {
			t.Errorf("%s leads to %s: %v", word, ours, err)
		}
	}
}

func FuzzParseLimit(f *testing.F) {
	for _, s := range []string{
		"latency.p95 < 500ms", "latency{status=200|5xx, step='a''b'}.p99.9 <= 1m", "dropped < 0.1%", "target.cpu.max < 90%", "requests.rate > 50/s", "p(95)<500", "basket_value > 1e3",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLimit(text, own)
		if err != nil {
			goodError(t, text, err)
			return
		}
		again, err := ParseLimit(l.Text, own)
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, l.Text, err)
		}
		if diff := cmp.Diff(again, l, cmp.AllowUnexported(Selector{})); diff != "" {
			t.Fatalf("%q prints as %q, which is another limit:\n%s", text, l.Text, diff)
		}
	})
}

func FuzzParseCompare(f *testing.F) {
	for _, s := range []string{"latency.p95 within 10% or 5ms", "errors within 0.5pp", "requests.rate within 5%", "bytes_in within 1MB or 5%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCompare(text, own)
		if err != nil {
			goodError(t, text, err)
			return
		}
		again, err := ParseCompare(c.Text, own)
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", text, c.Text, err)
		}
		if diff := cmp.Diff(again, c, cmp.AllowUnexported(Selector{})); diff != "" {
			t.Fatalf("%q prints as %q, which is another rule:\n%s", text, c.Text, diff)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"latency", "requests", "queue", "tls"}
	for word, want := range map[string]string{
		"latncy": "latency", "latecny": "latency", "Latency": "latency", "request": "requests", "tsl": "tls", "tlss": "tls",
		"latitude": "", "x": "", "": "", "quueue": "queue", "lat": "", "requestssss": "requests",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Nearest(strings.Repeat("a", 30), []string{strings.Repeat("b", 30)}); got != "" {
		t.Errorf("Nearest of another word: %q", got)
	}
}
