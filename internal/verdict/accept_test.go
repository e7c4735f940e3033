package verdict

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
)

// red is a verdict with two rows that are worse, one of which exists in two
// scenarios, and one that is only warned of.
func red() Verdict {
	v := Verdict{
		Outcome: Regression,
		Reasons: []Reason{{Code: "slower", Message: "GET /orders got slower", Line: 31}, {Code: "slower", Message: "GET /cart got slower"}},
		Findings: []Finding{
			{Scenario: "shop", Step: "GET /orders", Metric: "p99", Base: 200, Head: 272, ChangePercent: 36, LowPercent: 28.2, HighPercent: 44.6, Call: Slower, Line: 31},
			{Scenario: "shop", Step: "GET /cart", Metric: "p95", Base: 100, Head: 120, ChangePercent: 20, LowPercent: 12, HighPercent: 27.5, Call: Slower},
			{Scenario: "app", Step: "GET /cart", Metric: "p95", Base: 100, Head: 101, ChangePercent: 1, LowPercent: -1, HighPercent: 3, Call: Unchanged},
			{Scenario: "app", Step: "GET /home", Metric: "p95", Base: 100, Head: 150, ChangePercent: 50, LowPercent: 40, HighPercent: 60, Call: Slower, Warn: true},
		},
		Head: &result.Summary{Rows: []result.Row{{Scope: result.ScopeStep, Scenario: "shop", Step: "GET /orders"}}},
	}
	return v
}

func accept(route, metric string, bound float64) rule.Acceptance {
	return rule.Acceptance{Route: route, Metric: metric, Bound: bound, By: "alice", Via: rule.ViaLabel, Reason: "signed now"}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	orders, cart := accept("GET /orders", "p99", 45), accept("shop · GET /cart", "p95", 28)
	spent := orders
	spent.Base, spent.Head = 140, 199 // what main was, and where it is now
	fresh := orders
	fresh.Base, fresh.Head = 199, 271
	for _, tc := range []struct {
		name  string
		list  []rule.Acceptance
		want  Outcome
		codes []string // besides the two of being slower
		rows  int      // accepted
	}{
		{"nothing", nil, Regression, nil, 0},
		{"one of two", []rule.Acceptance{orders}, Regression, []string{codeAccepted}, 1},
		{"both", []rule.Acceptance{orders, cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
		{"another metric", []rule.Acceptance{accept("GET /orders", "p95", 45), cart}, Regression, []string{codeAccepted}, 1},
		{"another route", []rule.Acceptance{accept("GET /order", "p99", 45), cart}, Regression, []string{codeAccepted}, 1},
		{"a name that two steps have", []rule.Acceptance{orders, accept("GET /cart", "p95", 28)}, Regression, []string{codeAccepted}, 1},
		{"the long name of a single one", []rule.Acceptance{accept("shop · GET /orders", "p99", 45), cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
		{"beyond the bound", []rule.Acceptance{accept("GET /orders", "p99", 35.9), cart}, Regression, []string{codeExceeded, codeAccepted}, 1},
		{"at the bound", []rule.Acceptance{accept("GET /orders", "p99", 36), cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
		{"the range passes the bound, its middle does not", []rule.Acceptance{accept("GET /orders", "p99", 37), cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
		{"one of several is wide enough", []rule.Acceptance{accept("GET /orders", "p99", 5), orders, cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
		{"the baseline has reached what was accepted", []rule.Acceptance{spent, cart}, Regression, []string{codeSpent, codeAccepted}, 1},
		{"the baseline has not", []rule.Acceptance{fresh, cart}, Accepted, []string{codeAccepted, codeAccepted}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := red()
			v.Accept(tc.list)
			rows := 0
			for _, f := range v.Findings {
				if f.Accepted != nil {
					rows++
				}
			}
			var codes []string
			for _, r := range v.Reasons[2:] {
				codes = append(codes, r.Code)
			}
			if v.Outcome != tc.want || rows != tc.rows || cmp.Diff(codes, tc.codes) != "" {
				t.Errorf("got %s, %d rows accepted, reasons %v; want %s, %d, %v", v.Outcome, rows, codes, tc.want, tc.rows, tc.codes)
			}
		})
	}
}

// Deciding again, without the label, gives what was there before: nothing is lost
// by having been accepted once, not even through the file.
func TestAcceptIsTakenBack(t *testing.T) {
	t.Parallel()
	v := red()
	v.Accept([]rule.Acceptance{accept("GET /orders", "p99", 45), accept("shop · GET /cart", "p95", 28)})
	if row := v.Head.Rows[0]; v.Outcome != Accepted || !row.Restart || row.Accepted != "signed now" {
		t.Fatalf("got %s, stored row %+v", v.Outcome, row)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var saved Verdict
	if err := json.Unmarshal(data, &saved); err != nil {
		t.Fatal(err)
	}
	saved.Head = v.Head
	saved.Accept(nil)
	want := red()
	want.Head.Rows[0].Restart = true // the level is a new one, accepted or not
	if diff := cmp.Diff(saved, want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}

func TestAcceptLeavesOtherDoubts(t *testing.T) {
	t.Parallel()
	all := []rule.Acceptance{accept("GET /orders", "p99", 45), accept("shop · GET /cart", "p95", 28)}
	for _, tc := range []struct {
		name   string
		change func(*Verdict)
		want   Outcome
	}{
		{"a broken limit", func(v *Verdict) { v.Limits = []LimitResult{{Limit: "errors < 1%"}} }, Threshold},
		{"a row that is not sure", func(v *Verdict) { v.Findings[2].Call = NotSure }, Inconclusive},
		{"a control that moved", func(v *Verdict) { v.Reasons = append(v.Reasons, Reason{Code: "control-moved"}) }, Inconclusive},
		{"all steps slower, each accepted", func(v *Verdict) { v.Reasons = append(v.Reasons, Reason{Code: "all-slower"}) }, Accepted},
		{"an invalid run stays invalid", func(v *Verdict) { v.Outcome = Invalid }, Invalid},
		{"a pass stays a pass", func(v *Verdict) { v.Outcome = Pass }, Pass},
	} {
		v := red()
		tc.change(&v)
		v.Accept(all)
		if v.Outcome != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, v.Outcome, tc.want)
		}
	}
}

// What a finding would be accepted by accepts it, whatever its metric, and does so
// with a bound that can be written.
func TestAcceptance(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		finding Finding
		want    string
	}{
		{Finding{Step: "GET /a", Metric: "p95", ChangePercent: 36, LowPercent: 28, HighPercent: 44.2, Call: Slower}, "GET /a p95 +45%"},
		{Finding{Step: "GET /a", Metric: "errors", ChangePercent: 2.1, LowPercent: 1, HighPercent: 3.14, Call: Slower}, "GET /a errors +3.2pp"},
		{Finding{Step: "GET /a", Metric: "throughput", ChangePercent: -20, LowPercent: -25.5, HighPercent: -14, Call: Slower}, "GET /a throughput -26%"},
		{Finding{Scenario: "shop", Metric: "p50", ChangePercent: 10, HighPercent: 12, Call: Slower}, "scenario shop p50 +12%"},
		{Finding{Metric: "p50", ChangePercent: 10.5, Call: Slower}, "all requests p50 +11%"},
	} {
		v := Verdict{Outcome: Regression, Findings: []Finding{tc.finding}}
		a := v.Acceptance(&v.Findings[0])
		if got := a.String(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
		written, err := rule.ParseAcceptance(a.String() + " because of it")
		if err != nil {
			t.Fatal(err)
		}
		v.Accept([]rule.Acceptance{written})
		if v.Outcome != Accepted {
			t.Errorf("%s: got %s", a, v.Outcome)
		}
	}
}

// A saved verdict can be drawn: the rows that were called have what came before,
// oldest first, with the reasons of steps that were accepted.
func TestHistories(t *testing.T) {
	t.Parallel()
	var base []*result.Summary
	for i := range 30 { // newest first
		row := result.Row{Scope: result.ScopeStep, Scenario: "shop", Step: "GET /orders", Latency: []result.Quantile{{Q: 0.99, Micros: int64(1000 - i)}}}
		if i == 1 {
			row.Accepted = "signed"
		}
		base = append(base, &result.Summary{Commit: string(rune('a' + i)), Rows: []result.Row{row}})
	}
	got := histories(red().Findings, base)
	if len(got) != 1 || len(got[0].Points) != maxHistory {
		t.Fatalf("got %+v", got)
	}
	last := got[0].Points[maxHistory-2:]
	want := []HistoryPoint{{Value: 999, Commit: "b", Accepted: "signed"}, {Value: 1000, Commit: "a"}}
	if diff := cmp.Diff(last, want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
}
