package verdict_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// TestFitsTheSchema holds docs/result.schema.json to verdicts of each kind: of what a
// call rests on it describes every field.
func TestFitsTheSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/result.schema.json#/properties/verdict")
	if err != nil {
		t.Fatal(err)
	}
	src := sim.New(sim.Target{Class: sim.Shared}, 5)
	worse := []sim.Change{slow(2, 1.6), {Step: 1, Errors: 0.1}}
	stored := judge(strictRules(t), src.Runs(10), src.Run(worse...), src.Run(worse...))
	if stored.Together == nil || stored.Outcome != verdict.Regression {
		t.Fatalf("%s, together %v", stored.Outcome, stored.Together)
	}
	if stored.Trend = verdict.Trend(merges(src, 44, 0.03)); len(stored.Trend) == 0 {
		t.Fatal("no trend")
	}
	in := verdict.PairedInput{
		Run:  &result.Run{Mode: "paired", Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
		Gate: verdict.Gate{Compare: strictRules(t)}, Past: src.Past(10), Pairs: src.Duel(180, worse...).First(180),
	}
	alone := verdict.Paired(in).Verdict
	in.Redeploy, in.Second = true, src.Duel(60, worse...).First(60)
	restarted := verdict.Paired(in).Verdict
	for name, v := range map[string]verdict.Verdict{"stored runs": stored, "both sides": alone, "both sides, restarted": restarted} {
		seen := map[string]bool{}
		for _, f := range v.Findings {
			if f.Evidence == nil {
				continue
			}
			checkNoise(t, name, &f)
			if q := f.Evidence.Paired; q != nil {
				seen["paired"] = true
				seen["second"] = seen["second"] || q.Second != nil
			}
		}
		if want := name != "stored runs"; seen["paired"] != want || seen["second"] != (name == "both sides, restarted") {
			t.Errorf("%s: evidence has %v", name, seen)
		}
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// checkNoise does the arithmetic again that the evidence of a latency row is about:
// whoever has the file can.
func checkNoise(t *testing.T, name string, f *verdict.Finding) {
	t.Helper()
	if f.Metric == "errors" {
		return
	}
	ln := func(percent float64) float64 { return math.Log1p(percent / 100) }
	if f.Evidence.Paired == nil {
		noise := f.Evidence.NoiseTimes * ln(f.Evidence.SpreadPercent)
		if f.Metric == "throughput" {
			noise = -noise
		}
		if got := math.Abs(100 * math.Expm1(noise)); math.Abs(got-f.NoisePercent) > 0.01*f.NoisePercent+0.1 {
			t.Errorf("%s: %s %s: the evidence comes to a noise of %.2f%%, the finding says %.2f%%", name, f.Step, f.Metric, got, f.NoisePercent)
		}
		return
	}
	e, q := f.Evidence, f.Evidence.Paired
	noise := math.Hypot(q.SpreadTimes*ln(e.SpreadPercent), q.ApartTimes*ln(q.CountedPercent))
	if f.Metric == "throughput" { // where less is worse
		noise = -noise
	}
	if got := math.Abs(100 * math.Expm1(noise)); math.Abs(got-f.NoisePercent) > 0.1 {
		t.Errorf("%s: %s %s: the evidence comes to a noise of %.2f%%, the finding says %.2f%%", name, f.Step, f.Metric, got, f.NoisePercent)
	}
	if shares := float64(e.Rows) * q.RowPercent; shares < q.LookPercent*0.99 {
		t.Errorf("%s: %s %s: %d rows at %g%% are less than the look's %g%%", name, f.Step, f.Metric, e.Rows, q.RowPercent, q.LookPercent)
	}
}
