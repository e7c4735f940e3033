package baseline

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/rule"
)

func TestAcceptedFile(t *testing.T) {
	t.Parallel()
	a := rule.Acceptance{Spec: "api", Route: "GET /orders", Metric: "p99", Bound: 45, By: "alice", Via: rule.ViaFile, Reason: "<every> order & more", Commit: "8a1e38d", Base: 212, Head: 289}
	b := rule.Acceptance{Spec: "api", Route: "GET /cart", Metric: "errors", Bound: 2, Via: rule.ViaFile, Reason: "x"}
	newer := a
	newer.Bound = 60
	data, err := EncodeAccepted([]rule.Acceptance{a, b, newer})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "schema": "loadline/acceptances/1",
 "acceptances": [
  {"spec":"api","route":"GET /cart","metric":"errors","bound_percent":2,"via":"file","reason":"x"},
  {"spec":"api","route":"GET /orders","metric":"p99","bound_percent":60,"by":"alice","via":"file","reason":"<every> order & more","commit":"8a1e38d","base":212,"head":289}
 ]
}
`
	if diff := cmp.Diff(string(data), want); diff != "" {
		t.Errorf("got - want +\n%s", diff)
	}
	got, err := DecodeAccepted(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, []rule.Acceptance{b, newer}); diff != "" {
		t.Errorf("read - written +\n%s", diff)
	}
}

func TestAcceptedFileRefused(t *testing.T) {
	t.Parallel()
	one := func(fields string) string {
		return `{"schema":"loadline/acceptances/1","acceptances":[{` + fields + `}]}`
	}
	for _, tc := range []struct{ name, data, says string }{
		{"cut off", `{"schema":`, "damaged"},
		{"another kind", `{"schema":"loadline/baseline/1"}`, "schema is"},
		{"a key that is not known", one(`"route":"GET /x","metric":"p99","bound_percent":5,"via":"file","reason":"x","forever":true`), "forever"},
		{"no bound", one(`"route":"GET /x","metric":"p99","via":"file","reason":"x"`), "cannot be accepted"},
		{"no reason", one(`"route":"GET /x","metric":"p99","bound_percent":5,"via":"file"`), "no reason"},
		{"without end", one(`"route":"GET /x","metric":"p99","bound_percent":1e300,"via":"file","reason":"x"`), "acceptances[0]"},
		{"a route with a metric in it", one(`"route":"GET /x p99 +1% because","metric":"p99","bound_percent":5,"via":"file","reason":"x"`), "acceptances[0]"},
		{"a base below nothing", one(`"route":"GET /x","metric":"p99","bound_percent":5,"via":"file","reason":"x","base":-1`), "below 0"},
		{"too many", `{"schema":"loadline/acceptances/1","acceptances":[` + strings.Repeat("{},", maxAccepted) + `{}]}`, "are the most"},
	} {
		if _, err := DecodeAccepted([]byte(tc.data)); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v, want an error with %q", tc.name, err, tc.says)
		}
	}
}

func FuzzDecodeAccepted(f *testing.F) {
	f.Add([]byte(`{"schema":"loadline/acceptances/1","acceptances":[{"route":"GET /x","metric":"p99","bound_percent":5,"via":"label","reason":"x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := DecodeAccepted(data)
		if err != nil {
			return
		}
		again, err := EncodeAccepted(all)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeAccepted(again); err != nil {
			t.Errorf("%s: reads, and what it writes does not: %v\n%s", data, err, again)
		}
	})
}
