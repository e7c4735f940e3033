package verdict_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// pairedRun is a run of so many blocks of three steps, with real histograms. head
// multiplies the latency of each step of the head.
func pairedRun(t testing.TB, blocks, per int, head ...float64) *result.Run {
	t.Helper()
	rng := rand.New(rand.NewPCG(4, 5))
	r := &result.Run{
		Mode: "paired", Open: true, Measured: time.Duration(2*blocks) * time.Second,
		Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1000}},
	}
	for s := range head {
		r.Catalog.Steps = append(r.Catalog.Steps, result.Step{Name: sim.StepName(s)})
	}
	for b := range blocks {
		for _, arm := range []string{"base", "head"} {
			round := result.Round{Index: len(r.Rounds), Arm: arm, Block: b, Length: time.Second, Offered: int64(per)}
			for s, by := range head {
				if arm == "base" {
					by = 1
				}
				h := result.NewHistogram()
				for range per {
					if err := h.RecordValue(int64(10_000 * by * math.Exp(0.3*rng.NormFloat64()))); err != nil {
						t.Fatal(err)
					}
				}
				payload, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
				if err != nil {
					t.Fatal(err)
				}
				round.Steps = append(round.Steps, result.RoundStep{Step: s, Requests: int64(per), Latency: payload})
			}
			r.Rounds = append(r.Rounds, round)
		}
	}
	return r
}

// arm calls change with each round of one arm.
func arm(r *result.Run, name string, change func(*result.Round)) {
	for i := range r.Rounds {
		if r.Rounds[i].Arm == name {
			change(&r.Rounds[i])
		}
	}
}

// drop turns so many arrivals of an arm away, in each every-th block.
func drop(r *result.Run, name string, every int, n int64) {
	flow := result.Flow{}
	arm(r, name, func(round *result.Round) {
		flow.Offered += round.Offered
		if round.Block%every != 0 {
			return
		}
		round.Dropped = n
		flow.Dropped += n
		for i := range round.Steps {
			round.Steps[i].Requests -= n
		}
	})
	if name == "head" {
		r.Flows = append(r.Flows, flow)
	}
}

func paired(t testing.TB, r *result.Run) verdict.PairedResult {
	t.Helper()
	return verdict.Paired(verdict.PairedInput{
		Run: r, Calibrated: true, Gate: verdict.Gate{Compare: rules(t, "latency.p50 within 5%", "errors within 0.5pp")},
	})
}

func TestPairedFromRounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*result.Run)
		want   verdict.Outcome
		says   string // the code of a reason or warning, or what is called
	}{
		{"the same", nil, verdict.Pass, ""},
		{"slower", func(r *result.Run) { *r = *pairedRun(t, 20, 50, 1, 1.3, 1) }, verdict.Regression, "GET /1 p50 slower"},
		{"faster", func(r *result.Run) { *r = *pairedRun(t, 20, 50, 1, 0.7, 1) }, verdict.Pass, "GET /1 p50 faster"},
		{"head fails", func(r *result.Run) {
			arm(r, "head", func(round *result.Round) { round.Steps[2].Failed, round.Steps[2].Errored = 3, 3 })
		}, verdict.Regression, "GET /2 errors slower"},
		{"base fails", func(r *result.Run) {
			arm(r, "base", func(round *result.Round) { round.Steps[2].Failed = 30 })
		}, verdict.Inconclusive, "base-fails"},
		{"head completes less", func(r *result.Run) {
			arm(r, "head", func(round *result.Round) {
				for i := range round.Steps {
					round.Steps[i].Requests -= 10
				}
			})
		}, verdict.Regression, " throughput slower"},
		{"head disturbs the generator", func(r *result.Run) {
			arm(r, "head", func(round *result.Round) {
				if round.Block%3 == 0 {
					round.Health.LagP99 = time.Second
				}
			})
		}, verdict.Inconclusive, "arm-disturbs"},
		{"head makes the generator late in every round", func(r *result.Run) {
			arm(r, "head", func(round *result.Round) { round.Health.LagP99 = 80 * time.Millisecond })
		}, verdict.Inconclusive, "arm-disturbs"},
		{"head late in a few rounds, as it happens", func(r *result.Run) {
			arm(r, "head", func(round *result.Round) {
				if round.Block%5 == 0 {
					round.Health.LagP99 = time.Second
				}
			})
		}, verdict.Pass, ""},
		{"late alike on both sides", func(r *result.Run) {
			for i := range r.Rounds {
				if r.Rounds[i].Block%3 == 0 {
					r.Rounds[i].Health.LagP99 = 80 * time.Millisecond
				}
			}
		}, verdict.Invalid, "generator-late"},
		{"head turns arrivals away", func(r *result.Run) { drop(r, "head", 1, 20) }, verdict.Regression, " throughput slower"},
		{"head turns arrivals away now and then", func(r *result.Run) { drop(r, "head", 6, 20) }, verdict.Inconclusive, "head-drops"},
		{"base turns arrivals away now and then", func(r *result.Run) { drop(r, "base", 6, 20) }, verdict.Pass, ""},
		{"both turn arrivals away", func(r *result.Run) {
			drop(r, "head", 1, 20)
			drop(r, "base", 1, 20)
		}, verdict.Invalid, "dropped"},
		{"both sides disturbed alike", func(r *result.Run) {
			for i := range r.Rounds {
				if r.Rounds[i].Block%5 == 0 {
					r.Rounds[i].Dropped = 1
				}
			}
		}, verdict.Pass, ""},
		{"too short", func(r *result.Run) { r.Rounds = r.Rounds[:12] }, verdict.Inconclusive, "too-few-requests"},
		{"half a block at the end", func(r *result.Run) { r.Rounds = r.Rounds[:len(r.Rounds)-1] }, verdict.Pass, ""},
		{"only one side", func(r *result.Run) { arm(r, "head", func(round *result.Round) { round.Arm = "base" }) }, verdict.Inconclusive, "too-few-requests"},
		{"interrupted", func(r *result.Run) { r.Interrupted = true }, verdict.Invalid, "interrupted"},
		{"a damaged histogram", func(r *result.Run) { r.Rounds[7].Steps[0].Latency = []byte("?") }, verdict.Invalid, "damaged"},
		{"a control step moved", func(r *result.Run) {
			*r = *pairedRun(t, 20, 50, 1.4, 1.4, 1)
			r.Catalog.Steps[0].Control = true
		}, verdict.Inconclusive, "control-moved"},
		{"a control step stayed", func(r *result.Run) {
			*r = *pairedRun(t, 20, 50, 1, 1.4, 1)
			r.Catalog.Steps[0].Control = true
		}, verdict.Regression, "GET /1 p50 slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := pairedRun(t, 20, 50, 1, 1, 1)
			if c.change != nil {
				c.change(r)
			}
			got := paired(t, r)
			said := slices.Concat(codes(got.Reasons), codes(got.Warnings), calls(got.Verdict))
			if got.Outcome != c.want || c.says != "" && !slices.Contains(said, c.says) {
				t.Errorf("%s, said %v; want %s, %s", got.Outcome, said, c.want, c.says)
			}
			if c.says == "" && len(said) > 0 {
				t.Errorf("said %v", said)
			}
			if _, err := json.Marshal(got.Verdict); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPairedSwap: swapping the sides turns every sign, and no call appears or
// vanishes.
func TestPairedSwap(t *testing.T) {
	t.Parallel()
	opposite := map[verdict.Call]verdict.Call{verdict.Slower: verdict.Faster, verdict.Faster: verdict.Slower}
	for seed := range uint64(some(100)) {
		rng := rand.New(rand.NewPCG(seed, 1))
		there := sim.New(sim.Target{Class: sim.Shared}, seed).Duel(120, slow(2, math.Exp(0.2*rng.NormFloat64())), sim.Change{Step: 1, Errors: 0.04 * rng.Float64()}).First(120)
		back := *there
		back.Rows = slices.Clone(there.Rows)
		for i := range back.Rows {
			r := &back.Rows[i]
			r.Base, r.Head = r.Head, r.Base
			r.Errored, r.Latency = slices.Clone(r.Errored), slices.Clone(r.Latency)
			for b := range r.Errored {
				r.Errored[b][0], r.Errored[b][1] = r.Errored[b][1], r.Errored[b][0]
			}
			for q := range r.Latency {
				l := &r.Latency[q]
				l.Base, l.Head = l.Head, l.Base
				l.Differences = slices.Clone(l.Differences)
				for d := range l.Differences {
					l.Differences[d] = -l.Differences[d]
				}
			}
		}
		judge := func(p *result.Pairing) verdict.PairedResult {
			return verdict.Paired(verdict.PairedInput{
				Run:   &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
				Pairs: p, Gate: verdict.Gate{Compare: strictRules(t)},
			})
		}
		a, b := judge(there), judge(&back)
		for i, f := range a.Findings {
			want, ok := opposite[f.Call]
			if !ok {
				want = f.Call
			}
			if g := b.Findings[i]; g.Call != want && f.Call != verdict.NotSure && g.Call != verdict.NotSure {
				t.Errorf("seed %d: %s %s is %s one way, %s the other", seed, f.Step, f.Metric, f.Call, g.Call)
			}
			there, back := math.Log1p(f.ChangePercent/100), math.Log1p(b.Findings[i].ChangePercent/100)
			if f.Metric == "errors" { // in points
				there, back = f.ChangePercent, b.Findings[i].ChangePercent
			}
			if math.Abs(there+back) > 0.011 { // percents have two digits
				t.Errorf("seed %d: %s %s moved by %+.2f%% one way, %+.2f%% the other", seed, f.Step, f.Metric, f.ChangePercent, b.Findings[i].ChangePercent)
			}
		}
	}
}

// TestPairedPermuted: the order of the steps changes nothing but the order of the
// findings.
func TestPairedPermuted(t *testing.T) {
	t.Parallel()
	byName := cmpopts.SortSlices(func(a, b verdict.Finding) bool { return a.Step+a.Metric < b.Step+b.Metric })
	for seed := range uint64(some(50)) {
		rng := rand.New(rand.NewPCG(seed, 2))
		there := sim.New(sim.Target{Class: sim.Shared}, seed).Duel(120, slow(2, 1.12), sim.Change{Step: 1, Errors: 0.02}).First(120)
		other := *there
		other.Rows = slices.Clone(there.Rows)
		rng.Shuffle(len(other.Rows), func(i, j int) { other.Rows[i], other.Rows[j] = other.Rows[j], other.Rows[i] })
		judge := func(p *result.Pairing) verdict.PairedResult {
			return verdict.Paired(verdict.PairedInput{
				Run:   &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
				Pairs: p, Calibrated: true, Gate: verdict.Gate{Compare: strictRules(t)},
			})
		}
		want, got := judge(there), judge(&other)
		if diff := cmp.Diff(want.Findings, got.Findings, byName); diff != "" || got.Outcome != want.Outcome || got.Next != want.Next {
			t.Fatalf("seed %d: %s, next %q; shuffled %s, next %q\n%s", seed, want.Outcome, want.Next, got.Outcome, got.Next, diff)
		}
	}
}

// TestPairedSelf: a run against itself passes at the first look.
func TestPairedSelf(t *testing.T) {
	t.Parallel()
	p := sim.New(sim.Target{Class: sim.Noisy}, 1).Duel(60).First(60)
	for i := range p.Rows {
		for q := range p.Rows[i].Latency {
			clear(p.Rows[i].Latency[q].Differences)
		}
	}
	got := verdict.Paired(verdict.PairedInput{
		Run:   &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
		Pairs: p, Look: 1, Calibrated: true, Gate: verdict.Gate{Compare: strictRules(t)},
	})
	if got.Outcome != verdict.Pass || got.Next != verdict.Done || len(calls(got.Verdict)) > 0 {
		t.Errorf("%s, next %q, %v", got.Outcome, got.Next, calls(got.Verdict))
	}
}

// TestPairedLooks walks the way of a paired run: on while nothing is sure, a
// restart when something is called, and an answer at the end.
func TestPairedLooks(t *testing.T) {
	t.Parallel()
	src := sim.New(sim.Target{Class: sim.Quiet}, 7)
	in := verdict.PairedInput{
		Run:  &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
		Gate: verdict.Gate{Compare: strictRules(t)}, Calibrated: true, Redeploy: true, Look: 1,
	}
	slower := src.Duel(180, slow(2, 1.3))
	in.Pairs = slower.First(60)
	got := verdict.Paired(in)
	if got.Next != verdict.Confirm {
		t.Fatalf("+30%%: next %q", got.Next)
	}
	if len(got.Compared["p50"]) != 5 || got.Compared["p50"][0].SE <= 0 {
		t.Errorf("compared %v", got.Compared)
	}
	in.Second = src.Duel(60, slow(2, 1.3)).First(60)
	if got = verdict.Paired(in); got.Outcome != verdict.Regression || got.Next != verdict.Done {
		t.Errorf("slower again after a restart: %s, next %q", got.Outcome, got.Next)
	}
	in.Second = src.Duel(60).First(60)
	if got = verdict.Paired(in); got.Outcome == verdict.Regression || got.Next != verdict.Done {
		t.Errorf("not slower after a restart: %s, next %q", got.Outcome, got.Next)
	}
	if f := got.Findings[slices.IndexFunc(got.Findings, func(f verdict.Finding) bool { return f.Call == verdict.NotSure })]; !strings.Contains(f.Why, "not confirmed: +") || f.Remedy == "" {
		t.Errorf("%+v", f)
	}
	in.Redeploy, in.Second = false, nil
	if got = verdict.Paired(in); got.Outcome != verdict.Regression || got.Next != verdict.Done {
		t.Errorf("where nothing can be restarted: %s, next %q", got.Outcome, got.Next)
	}
}

// TestPairedUnclear: noise of which neither a pass nor a call comes is driven to
// the last look, and then says what would have helped.
func TestPairedUnclear(t *testing.T) {
	t.Parallel()
	helps, never := 0, 0
	for seed := range uint64(60) {
		duel := sim.New(sim.Target{Class: sim.Noisy, Rate: 60}, seed).Duel(180, slow(2, 1.07))
		in := verdict.PairedInput{
			Run:  &result.Run{Open: true, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 1}}},
			Gate: verdict.Gate{Compare: strictRules(t)}, Calibrated: seed%2 == 0,
		}
		var got verdict.PairedResult
		for in.Look = 1; in.Look <= verdict.Looks; in.Look++ {
			in.Pairs = duel.First(60 * in.Look)
			if got = verdict.Paired(in); got.Next != verdict.Continue {
				break
			}
		}
		if got.Outcome != verdict.Inconclusive {
			continue
		}
		if in.Look != verdict.Looks {
			t.Errorf("seed %d: inconclusive at look %d", seed, in.Look)
		}
		r := got.Reasons[0]
		if r.Code != "not-sure" || !strings.Contains(r.Message, "could only see changes above +") {
			t.Errorf("seed %d: %+v", seed, r)
		}
		switch {
		case strings.Contains(r.Remedy, "of load instead of 3m would do"):
			helps++
		case strings.Contains(r.Remedy, "no longer run helps"):
			never++
		default:
			t.Errorf("seed %d: remedy %q", seed, r.Remedy)
		}
	}
	if helps == 0 || never == 0 {
		t.Errorf("more load would help in %d, nothing in %d", helps, never)
	}
}

// TestCalibrateLoad: what is smaller than the smallest change that was seen needs
// more load than there was, what is larger less; and what no length shows is said.
func TestCalibrateLoad(t *testing.T) {
	t.Parallel()
	for _, class := range []sim.Class{sim.Quiet, sim.Shared, sim.Noisy} {
		for seed := range uint64(10) {
			src := sim.New(sim.Target{Class: class}, seed)
			pairs, past := src.Duel(120).First(120), src.Past(60)
			gate := verdict.Gate{Compare: rules(t, "latency.p50 within 1%", "latency.p95 within 1%")}
			run := &result.Run{Mode: "paired", Open: true}
			for i, v := range verdict.Calibrate(run, pairs, gate, past, 0.1) {
				for _, by := range []float64{0.7, 0.99, 1.01, 3} {
					again := verdict.Calibrate(run, pairs, gate, past, by*v.Percent/100)[i]
					switch {
					case again.Never != "":
						if by > 1 || again.LoadS != 0 {
							t.Errorf("%s: %.1f%% is seen at 120 s, and %.1f%% never: %s, %g s", class.Name, v.Percent, by*v.Percent, again.Never, again.LoadS)
						}
					case (again.LoadS < 120) != (by > 1):
						t.Errorf("%s: %.1f%% is seen at 120 s, and %.1f%% at %.0f s", class.Name, v.Percent, by*v.Percent, again.LoadS)
					}
				}
			}
		}
	}
	src := sim.New(sim.Target{Class: sim.Quiet}, 1)
	for _, c := range []struct {
		rule string
		see  float64
		want verdict.Never
	}{
		{"latency.p50 within 5%", 0.05, verdict.NeverAllowed},
		{"latency.p50 within 1%", 0.02, verdict.NeverApart},
		{"latency.p50 within 1%", 0.5, ""},
	} {
		got := verdict.Calibrate(&result.Run{Open: true}, src.Duel(120).First(120), verdict.Gate{Compare: rules(t, c.rule)}, nil, c.see)
		if len(got) == 0 || got[0].Never != c.want {
			t.Errorf("%s, to see %g: %+v, want %q", c.rule, c.see, got, c.want)
		}
	}
}

// TestPairedHeadEnded: a head whose program went away is to blame, whatever else
// was measured; one that was interrupted is not.
func TestPairedHeadEnded(t *testing.T) {
	t.Parallel()
	r := pairedRun(t, 3, 20, 1, 1)
	r.Stopped = "the head's program ended (exit status 2) while it was measured"
	in := verdict.PairedInput{Run: r, Redeploy: true, HeadEnded: "exit status 2", Gate: verdict.Gate{Compare: rules(t, "latency.p50 within 5%")}}
	got := verdict.Paired(in)
	if got.Outcome != verdict.Regression || got.Next != verdict.Done || !slices.Equal(codes(got.Reasons), []string{"head-ended"}) {
		t.Errorf("%s, next %q, %v", got.Outcome, got.Next, got.Reasons)
	}
	r.Interrupted = true
	if got := verdict.Paired(in); got.Outcome != verdict.Invalid {
		t.Errorf("interrupted: %s", got.Outcome)
	}
	r.Interrupted, in.HeadEnded = false, ""
	arm(r, "base", func(round *result.Round) { round.Health.LagP99 = time.Second }) // on one side only: no fault by itself
	if got := verdict.Paired(in); got.Outcome != verdict.Invalid {
		t.Errorf("the base's program ended: %s", got.Outcome)
	}
}

// TestPairedWithoutRules: with nothing to compare, only limits count.
func TestPairedWithoutRules(t *testing.T) {
	t.Parallel()
	r := pairedRun(t, 12, 20, 1, 3, 1)
	if got := verdict.Paired(verdict.PairedInput{Run: r}); got.Outcome != verdict.Pass || got.Next != verdict.Done {
		t.Errorf("%s, next %q", got.Outcome, got.Next)
	}
	if got := verdict.Paired(verdict.PairedInput{Run: r, Gate: verdict.Gate{Limits: limits(t, "requests < 1")}}); got.Outcome != verdict.Threshold {
		t.Errorf("%s", got.Outcome)
	}
}

// TestTauMatters: where deployments are known to differ much, the limit is wide.
func TestTauMatters(t *testing.T) {
	t.Parallel()
	r := pairedRun(t, 20, 50, 1, 1.1, 1)
	in := verdict.PairedInput{Run: r, Calibrated: true, Gate: verdict.Gate{Compare: rules(t, "latency.p50 within 5%")}}
	if got := verdict.Paired(in); got.Outcome != verdict.Regression {
		t.Errorf("calibrated: %s", got.Outcome)
	}
	in.Past = map[string][]stat.Compared{}
	for i := range 60 {
		in.Past["p50"] = append(in.Past["p50"], stat.Compared{Y: 0.1 * float64(i%2*2-1), SE: 0.01})
	}
	if got := verdict.Paired(in); got.Outcome != verdict.Inconclusive || !strings.Contains(fmt.Sprint(got.Reasons), "no longer run helps") {
		t.Errorf("deployments differ by 10%% as a rule: %s %+v", got.Outcome, got.Reasons)
	}
}
