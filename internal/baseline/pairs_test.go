package baseline_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
)

var pairsQuery = baseline.Query{Spec: "shop", Profile: "ci", Environment: result.Environment{OS: "linux", Arch: "amd64", CPU: "x", Cores: 2}}

func TestPairsAreRemembered(t *testing.T) {
	t.Parallel()
	dir := baseline.Dir(t.TempDir())
	p, err := dir.Pairs(pairsQuery)
	if err != nil || p.Past != nil || p.Calibrated {
		t.Fatalf("an empty store: %+v, %v", p, err)
	}
	p.Calibrated = true
	for i := range baseline.PairsKept + 5 {
		p.Add(map[string][]stat.Compared{"p50": {{Y: float64(i) / 100, SE: 0.01}}, "p95": {{Y: math.NaN(), SE: 1}}})
	}
	if err := dir.PutPairs(pairsQuery, p); err != nil {
		t.Fatal(err)
	}
	got, err := dir.Pairs(pairsQuery)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Past["p50"]); n != baseline.PairsKept || got.Past["p50"][0].Y != 0.05 || !got.Calibrated {
		t.Errorf("%d comparisons, the first %+v, calibrated %v; want the last 60", n, got.Past["p50"][0], got.Calibrated)
	}
	if n := len(got.Past["p95"]); n != 0 {
		t.Errorf("%d comparisons that are no numbers", n)
	}
	other := pairsQuery
	other.Environment.Cores = 4
	if p, err := dir.Pairs(other); err != nil || p.Past != nil {
		t.Errorf("another machine: %+v, %v", p, err)
	}
	if entries, err := baseline.List(dir.FS()); err != nil || len(entries) != 0 {
		t.Errorf("past comparisons are listed as runs: %v, %v", entries, err)
	}
}

// One comparison of many steps does not push out all that others taught, and over
// many comparisons each step has its turn.
func TestPairsOfManySteps(t *testing.T) {
	t.Parallel()
	var p baseline.Pairs
	const steps = 70
	seen := map[int]bool{}
	for run := range 200 {
		var found []stat.Compared
		for step := range steps {
			found = append(found, stat.Compared{Y: float64(run)/1000 + float64(step)/1e6, SE: float64(step) / 1000})
		}
		p.Add(map[string][]stat.Compared{"p50": found})
		var now []float64
		for _, c := range p.Past["p50"][max(0, len(p.Past["p50"])-3):] {
			now = append(now, c.SE)
			seen[int(math.Round(c.SE*1000))] = true
		}
		if len(now) != 3 || now[0] == now[1] || now[1] == now[2] || now[0] == now[2] {
			t.Fatalf("run %d: remembered the steps %v", run, now)
		}
	}
	if n := len(p.Past["p50"]); n != baseline.PairsKept || math.Abs(p.Past["p50"][0].Y-0.180) > 1e-3 {
		t.Errorf("%d values, the first %+v; want those of the last 20 comparisons", n, p.Past["p50"][0])
	}
	if len(seen) < steps*3/4 {
		t.Errorf("only %d of %d steps had a turn", len(seen), steps)
	}
	p.Add(map[string][]stat.Compared{"p50": {{Y: math.NaN()}}, "p95": nil})
	if n := len(p.Past["p50"]); n != baseline.PairsKept {
		t.Errorf("%d values after one that is none", n)
	}
}

func TestPairsThatAreDamaged(t *testing.T) {
	t.Parallel()
	name, good, err := baseline.EncodePairs(pairsQuery, baseline.Pairs{Past: map[string][]stat.Compared{"p50": {{Y: 0.1, SE: 0.01}}}})
	if err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct{ text, want string }{
		"whole":       {string(good), ""},
		"cut":         {string(good[:len(good)/2]), "unexpected end"},
		"empty":       {"", "unexpected end"},
		"a later one": {strings.Replace(string(good), "pairs/1", "pairs/2", 1), `its schema is "loadline/pairs/2"`},
		"moved":       {strings.Replace(string(good), `"shop"`, `"other"`, 1), "another spec or machine"},
		"huge":        {strings.Repeat(" ", 2<<20), "bytes"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := baseline.Dir(dir).Pairs(pairsQuery)
			if tt.want == "" {
				if diff := cmp.Diff(map[string][]stat.Compared{"p50": {{Y: 0.1, SE: 0.01}}}, p.Past); diff != "" || err != nil {
					t.Errorf("error %v, past (-want +got):\n%s", err, diff)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || p.Past != nil {
				t.Errorf("got %+v, error %v; want none, and %q", p, err, tt.want)
			}
		})
	}
}

func FuzzPairs(f *testing.F) {
	name, good, err := baseline.EncodePairs(pairsQuery, baseline.Pairs{Past: map[string][]stat.Compared{"p50": {{Y: 0.1, SE: 0.01}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema":"loadline/pairs/1","past":{"p50":[{"y":1e300,"se":-1}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := baseline.Dir(dir).Pairs(pairsQuery)
		if err != nil {
			return
		}
		if err := baseline.Dir(dir).PutPairs(pairsQuery, p); err != nil {
			t.Fatal(err)
		}
		again, err := baseline.Dir(dir).Pairs(pairsQuery)
		if err != nil || p.Calibrated != again.Calibrated {
			t.Errorf("read again: %v, %+v, was %+v", err, again, p)
		}
		for metric, past := range p.Past {
			if len(past) > baseline.PairsKept || cmp.Diff(past, again.Past[metric]) != "" && len(past) > 0 {
				t.Errorf("%s: %v, read again %v", metric, past, again.Past[metric])
			}
		}
	})
}
