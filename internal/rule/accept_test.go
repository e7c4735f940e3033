package rule

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseAcceptance(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       Acceptance
		fails      string // part of the error
	}{
		{name: "latency", text: " GET /orders p99 +45% because every order is signed now ", want: Acceptance{Route: "GET /orders", Metric: "p99", Bound: 45, Reason: "every order is signed now"}},
		{name: "no sign", text: "GET /orders p95 12.5% because x", want: Acceptance{Route: "GET /orders", Metric: "p95", Bound: 12.5, Reason: "x"}},
		{name: "errors", text: "POST /cart errors +2pp because the partner is down", want: Acceptance{Route: "POST /cart", Metric: "errors", Bound: 2, Reason: "the partner is down"}},
		{name: "throughput", text: "GET /x throughput −20% because of a lock", want: Acceptance{Route: "GET /x", Metric: "throughput", Bound: -20, Reason: "of a lock"}},
		{name: "a metric within the route", text: "GET /p99 p95 report p99 +5% because y", want: Acceptance{Route: "GET /p99 p95 report", Metric: "p99", Bound: 5, Reason: "y"}},
		{name: "a route in code", text: "`GET /orders` p50 +3% because z", want: Acceptance{Route: "GET /orders", Metric: "p50", Bound: 3, Reason: "z"}},
		{name: "a reason with a because in it", text: "GET /a p50 +3% because it is slow because it is new", want: Acceptance{Route: "GET /a", Metric: "p50", Bound: 3, Reason: "it is slow because it is new"}},
		{name: "a reason of Markdown", text: "GET /a p50 +3% because **bold** <img src=x> @everyone [a](b)", want: Acceptance{Route: "GET /a", Metric: "p50", Bound: 3, Reason: "**bold** <img src=x> @everyone [a](b)"}},
		{name: "what is hidden goes", text: "GET /a p50 +3% because a\u202eb\u200bc\x1b[31m\x00d", want: Acceptance{Route: "GET /a", Metric: "p50", Bound: 3, Reason: "abc[31md"}},
		{name: "no reason", text: "GET /orders p99 +45%", fails: "no reason"},
		{name: "blanket", text: "everything is fine", fails: "is no acceptance"},
		{name: "no bound", text: "GET /orders p99 because I say so", fails: "is no acceptance"},
		{name: "no route", text: "p99 +45% because x", fails: "is no acceptance"},
		{name: "faster is not accepted", text: "GET /orders p99 -5% because x", fails: "cannot be accepted"},
		{name: "nothing", text: "GET /orders p99 +0% because x", fails: "cannot be accepted"},
		{name: "without end", text: "GET /orders p99 +999999999% because x", fails: "cannot be accepted"},
		{name: "errors in percent", text: "GET /orders errors +5% because x", fails: "+2pp"},
		{name: "errors beyond all", text: "GET /orders errors +101pp because x", fails: "cannot be accepted"},
		{name: "more throughput", text: "GET /orders throughput +5% because x", fails: "-20%"},
		{name: "not a number", text: "GET /orders p99 +NaN% because x", fails: "is no acceptance"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseAcceptance(tc.text)
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Fatalf("got %+v, %v; want an error with %q", got, err, tc.fails)
				}
				return
			}
			if tc.want.Via = ViaTrailer; err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got - want +\n%s", diff)
			}
		})
	}
}

func TestLongReasonIsCut(t *testing.T) {
	t.Parallel()
	a, err := ParseAcceptance("GET /a p50 +3% because " + strings.Repeat("é", 10_000))
	if err != nil || utf8.RuneCountInString(a.Reason) != MaxReason || !strings.HasSuffix(a.Reason, "…") {
		t.Errorf("got %d characters, %v", utf8.RuneCountInString(a.Reason), err)
	}
}

func TestTrailers(t *testing.T) {
	t.Parallel()
	text := "Sign orders\n\n" +
		"<!-- Loadline-Accept: GET /template p99 +9% because of the template -->\n" +
		"<!--\nLoadline-Accept: GET /template p95 +9% because of the template\n-->\n" +
		"```\nLoadline-Accept: GET /fenced p99 +9% because it is an example\n```\n" +
		"> Loadline-Accept: GET /quoted p99 +9% because somebody else said so\n" +
		"loadline-accept: GET /orders p99 +45% because every order\r\n  is signed now\r\n" +
		"Loadline-Accept: everything\n" +
		"Loadline-Accept: POST /cart p50 +5% because\tof it\n\n  not part of it\n"
	all, mistakes := Trailers(text)
	want := []Acceptance{
		{Route: "GET /orders", Metric: "p99", Bound: 45, Reason: "every order is signed now", Via: ViaTrailer},
		{Route: "POST /cart", Metric: "p50", Bound: 5, Reason: "of it", Via: ViaTrailer},
	}
	if diff := cmp.Diff(all, want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if len(mistakes) != 1 || !strings.Contains(mistakes[0].Error(), `"everything"`) {
		t.Errorf("mistakes: %v", mistakes)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	sha := strings.Repeat("8a1e38dc97", 4)
	all, mistakes := Commands("fine\n/loadline accept GET /orders " + strings.ToUpper(sha) + "\n" +
		"/loadline accept `POST /cart` " + sha + " because of the *new* rules\n/loadline accept GET /orders 8a1e38d\n> /loadline accept GET /quoted " + sha + "\nsee /loadline accept GET /x " + sha)
	want := []Command{{Route: "GET /orders", SHA: sha}, {Route: "POST /cart", SHA: sha, Reason: "of the *new* rules"}}
	if diff := cmp.Diff(all, want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	if len(mistakes) != 1 || !strings.Contains(mistakes[0].Error(), "40 digits") {
		t.Errorf("mistakes: %v", mistakes)
	}
}

// What a text may hold is bounded, whoever wrote it.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	one := "Loadline-Accept: GET /a p50 +3% because x\n"
	all, mistakes := Trailers(strings.Repeat(one, 5000) + strings.Repeat("Loadline-Accept: no\n", 5000))
	if len(all)+len(mistakes) > maxFound {
		t.Errorf("%d acceptances and %d mistakes", len(all), len(mistakes))
	}
	_, mistakes = Trailers("Loadline-Accept: " + strings.Repeat("A", 10_000))
	if len(mistakes) != 1 || len(mistakes[0].Error()) > 500 {
		t.Errorf("mistakes: %.600v", mistakes)
	}
	all, _ = Trailers("Loadline-Accept: " + strings.Repeat("R", 5000) + " p50 +3% because x")
	if len(all) != 0 {
		t.Error("a route of 5,000 characters was taken")
	}
}

func FuzzParseAcceptance(f *testing.F) {
	f.Add("GET /orders p99 +45% because every order is signed now")
	f.Add("`x` errors 2 pp because \x00\u202e")
	f.Add("a b c throughput −20% because p99 +3% because q")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAcceptance(text)
		if err != nil {
			return
		}
		again, err := ParseAcceptance(a.String())
		if err != nil {
			t.Fatalf("%q parses, and what it prints, %q, does not: %v", text, a.String(), err)
		}
		if diff := cmp.Diff(again, a); diff != "" {
			t.Errorf("%q: again - once +\n%s", text, diff)
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add("a\n\nLoadline-Accept: GET /a p50 +3% because x\n y\n<!-- -->```\n/loadline accept a 8a1e38dc978a1e38dc978a1e38dc978a1e38dc97")
	f.Fuzz(func(t *testing.T, text string) {
		all, mistakes := Trailers(text)
		for _, a := range all {
			if a.Route == "" || a.Reason == "" || a.Bound == 0 || strings.ContainsAny(a.Reason, "\r\n") || utf8.RuneCountInString(a.Reason) > MaxReason {
				t.Errorf("took %+v", a)
			}
		}
		commands, wrong := Commands(text)
		for _, c := range commands {
			if c.Route == "" || len(c.SHA) < 40 || strings.ToLower(c.SHA) != c.SHA {
				t.Errorf("took %+v", c)
			}
		}
		for _, err := range append(mistakes, wrong...) {
			if strings.ContainsAny(err.Error(), "\r\n\x1b") || len(err.Error()) > 1000 {
				t.Errorf("message %q", err)
			}
		}
	})
}
