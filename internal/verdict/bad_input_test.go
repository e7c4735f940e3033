package verdict_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// What is odd about the input has one clear outcome, and one sentence that names it;
// never a panic, and never a pass that nobody meant. Each table goes through the
// same list, for stored runs and for base and head in one run.

// said is all that a verdict says: the codes of its reasons and warnings, its calls,
// and why rows were not judged.
func said(v verdict.Verdict) []string {
	all := slices.Concat(codes(v.Reasons), codes(v.Warnings), calls(v))
	for _, f := range v.Findings {
		if f.Why != "" {
			all = append(all, f.Step+" "+f.Metric+": "+f.Why)
		}
	}
	return all
}

func says(v verdict.Verdict, want string) bool {
	return want == "" || slices.ContainsFunc(said(v), func(s string) bool { return strings.Contains(s, want) })
}

// figures calls change with each latency figure of a step.
func figures(s *result.Summary, step int, change func(*result.Quantile)) {
	row := s.Row(result.RowKey{Scope: result.ScopeStep, Step: sim.StepName(step)})
	for i := range row.Latency {
		change(&row.Latency[i])
	}
}

// summarized is the stored form of the base's rounds of a run made by pairedRun.
func summarized(t *testing.T, r *result.Run) *result.Summary {
	t.Helper()
	single := *r
	single.Mode, single.Rounds = "single", nil
	for _, round := range r.Rounds {
		if round.Arm == "head" {
			round.Arm = ""
			single.Rounds = append(single.Rounds, round)
		}
	}
	s, err := result.Summarize(&single)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// copied is a run whose rounds can be changed without those of the other.
func copied(r *result.Run) *result.Run {
	c := *r
	c.Rounds = slices.Clone(r.Rounds)
	for i := range c.Rounds {
		c.Rounds[i].Steps = slices.Clone(c.Rounds[i].Steps)
	}
	return &c
}

// constant is a run like r in which every request of a side takes as long.
func constant(t *testing.T, r *result.Run, base, head int64) *result.Run {
	t.Helper()
	payload := func(micros int64) []byte {
		h := result.NewHistogram()
		if err := h.RecordValues(micros, 50); err != nil {
			t.Fatal(err)
		}
		data, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	r = copied(r)
	sides := map[string][]byte{"base": payload(base), "head": payload(head)}
	for _, round := range r.Rounds {
		for j := range round.Steps {
			round.Steps[j].Latency = sides[round.Arm]
		}
	}
	return r
}

func TestBadInputStored(t *testing.T) {
	t.Parallel()
	type ring struct {
		src  *sim.Source
		base []*result.Summary // newest first
		head *result.Summary
		in   verdict.Input
	}
	const most = result.MaxMicros
	plain := pairedRun(t, 20, 50, 1, 1, 1)
	for _, c := range []struct {
		name   string
		change func(*testing.T, *ring)
		want   verdict.Outcome
		says   string
	}{
		{"nothing odd", func(*testing.T, *ring) {}, verdict.Pass, ""},

		{"NaN in the head", func(_ *testing.T, r *ring) {
			figures(r.head, 2, func(q *result.Quantile) { q.Y = math.NaN() })
		}, verdict.Inconclusive, "GET /2 p50: its figure is no number"},
		{"infinity in the head", func(_ *testing.T, r *ring) {
			figures(r.head, 2, func(q *result.Quantile) { q.Y = math.Inf(-1) })
		}, verdict.Inconclusive, "GET /2 p50: its figure is no number"},
		{"NaN in one stored run", func(_ *testing.T, r *ring) {
			figures(r.base[3], 2, func(q *result.Quantile) { q.Y, q.SE = math.NaN(), math.NaN() })
		}, verdict.Pass, ""},
		{"NaN in one stored run, head slower", func(_ *testing.T, r *ring) {
			figures(r.base[3], 2, func(q *result.Quantile) { q.Y = math.NaN() })
			r.head = r.src.Run(slow(2, 1.5))
		}, verdict.Regression, "GET /2 p50 slower"},
		{"NaN in all stored runs", func(_ *testing.T, r *ring) {
			for _, s := range r.base {
				figures(s, 2, func(q *result.Quantile) { q.Y = math.NaN() })
			}
		}, verdict.Pass, "GET /2 p50: new: no stored run has it"},

		{"the head has no requests", func(_ *testing.T, r *ring) {
			for i := range r.head.Rows {
				r.head.Rows[i] = result.Row{Scope: r.head.Rows[i].Scope, Step: r.head.Rows[i].Step}
			}
		}, verdict.Invalid, "no-requests"},
		{"the rounds of one step are empty", func(_ *testing.T, r *ring) {
			row := r.head.Row(result.RowKey{Scope: result.ScopeStep, Step: sim.StepName(2)})
			*row = result.Row{Scope: row.Scope, Step: row.Step}
		}, verdict.Inconclusive, "GET /2 p50: too few requests"},
		{"one request a step", func(_ *testing.T, r *ring) {
			for i := range r.head.Rows {
				r.head.Rows[i].Requests, r.head.Rows[i].Rounds, r.head.Rows[i].Latency = 1, 1, nil
			}
		}, verdict.Inconclusive, "GET /0 p50: no request succeeded (of 1)"},
		{"one request a step, and stored runs alike", func(_ *testing.T, r *ring) {
			for _, s := range append(r.base, r.head) {
				for i := range s.Rows {
					s.Rows[i].Requests, s.Rows[i].Rounds, s.Rows[i].Latency = 1, 1, nil
				}
			}
		}, verdict.Inconclusive, "too-few-requests"},

		{"all values identical", func(t *testing.T, r *ring) {
			r.head = summarized(t, constant(t, plain, 10_000, 10_000))
			for i := range r.base {
				r.base[i] = r.head
			}
		}, verdict.Pass, ""},
		{"all values identical, and all twice as long", func(t *testing.T, r *ring) {
			stored := summarized(t, constant(t, plain, 10_000, 10_000))
			for i := range r.base {
				r.base[i] = stored
			}
			r.head = summarized(t, constant(t, plain, 20_000, 20_000))
		}, verdict.Regression, "GET /0 p50 slower"},
		{"the head is at the ceiling of the histogram", func(_ *testing.T, r *ring) {
			figures(r.head, 2, func(q *result.Quantile) { q.Y, q.Micros = math.Log(most), most })
		}, verdict.Regression, "GET /2 p50 slower"},
		{"all runs are at the ceiling of the histogram", func(_ *testing.T, r *ring) {
			for _, s := range append(r.base, r.head) {
				figures(s, 2, func(q *result.Quantile) { q.Y, q.Micros = math.Log(most), most })
			}
		}, verdict.Inconclusive, "GET /2 p50: it took 1m or more, which is the most that is recorded"},

		{"the clock stepped back a year during the run", func(_ *testing.T, r *ring) {
			r.head.Measured = -365 * 24 * time.Hour
		}, verdict.Pass, ""},
		{"stored runs of next year and of 1970", func(_ *testing.T, r *ring) {
			r.base[0].Started = r.base[0].Started.AddDate(1, 0, 0)
			r.base[1].Started = time.Unix(0, 0)
			r.base[2].Started = time.Time{}
		}, verdict.Pass, ""},

		{"all stored runs are of another machine", func(_ *testing.T, r *ring) {
			for _, s := range r.base {
				s.Environment.CPU = "another"
			}
		}, verdict.NoBaseline, "no-baseline"},
		{"some stored runs are of another machine", func(_ *testing.T, r *ring) {
			for i, s := range r.base[:4] {
				*s = *r.src.Run(slow(-1, 3))
				s.Environment.Cores = 64 + i
			}
		}, verdict.Pass, "stored-run-left-out"},
		{"all stored runs are of another spec", func(_ *testing.T, r *ring) {
			for _, s := range r.base {
				s.Fingerprint = "another"
			}
		}, verdict.NoBaseline, "no-baseline"},
		{"some stored runs are of another spec", func(_ *testing.T, r *ring) {
			for _, s := range r.base[:4] {
				*s = *r.src.Run(slow(-1, 3))
				s.Fingerprint = "another"
			}
		}, verdict.Pass, "stored-run-left-out"},
		{"some stored runs are of another version of loadline", func(_ *testing.T, r *ring) {
			for _, s := range r.base[:4] {
				s.Tool = "v0.0.1"
			}
		}, verdict.Pass, ""},
		{"the stored runs are of a format to come", func(_ *testing.T, r *ring) {
			r.base = nil // the store leaves out what it cannot read
			r.in.NoBase = &verdict.Reason{Code: "unreadable", Message: "a newer loadline wrote them"}
		}, verdict.NoBaseline, "unreadable"},
		{"a stored run that never was fit", func(_ *testing.T, r *ring) {
			*r.base[0] = *r.src.Run(slow(-1, 3))
			r.base[0].Unfit = "it was interrupted"
		}, verdict.Pass, "stored-run-left-out"},

		{"a poisoned run in the ring", func(_ *testing.T, r *ring) { *r.base[2] = *r.src.Run(slow(-1, 10)) }, verdict.Pass, "stored-run-off"},
		{"a poisoned run in the ring, head slower", func(_ *testing.T, r *ring) {
			*r.base[2] = *r.src.Run(slow(-1, 10))
			r.head = r.src.Run(slow(2, 1.5))
		}, verdict.Regression, "GET /2 p50 slower"},
		{"a poisoned step in the newest run", func(_ *testing.T, r *ring) { *r.base[0] = *r.src.Run(slow(2, 10)) }, verdict.Pass, "stored-run-off"},
		{"a ring with a hole", func(_ *testing.T, r *ring) { r.base[3] = nil }, verdict.Pass, ""},
		{"a ring with a hole, head slower", func(_ *testing.T, r *ring) {
			r.base[3] = nil
			r.head = r.src.Run(slow(2, 1.5))
		}, verdict.Regression, "GET /2 p50 slower"},
		{"a ring of holes", func(_ *testing.T, r *ring) { clear(r.base) }, verdict.NoBaseline, "no-baseline"},
		{"a stored run without the step", func(_ *testing.T, r *ring) {
			r.base[1].Rows = slices.Delete(r.base[1].Rows, 3, 4)
			r.head = r.src.Run(slow(2, 1.5))
		}, verdict.Regression, "GET /2 p50 slower"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := &ring{src: sim.New(sim.Target{Class: sim.Quiet}, 3)}
			r.base, r.head = r.src.Runs(10), r.src.Run()
			c.change(t, r)
			r.in.Run, r.in.Head, r.in.Base = sim.Of(r.head), r.head, r.base
			r.in.Gate = verdict.Gate{Compare: strictRules(t)}
			v := verdict.Judge(r.in)
			outcome(t, v, c.want, c.says)
		})
	}
}

// outcome checks what a verdict came to and says, and that it can be written down.
func outcome(t *testing.T, v verdict.Verdict, want verdict.Outcome, text string) {
	t.Helper()
	switch {
	case v.Outcome != want || !says(v, text):
		t.Errorf("%s, said %q; want %s, %q", v.Outcome, said(v), want, text)
	case text == "" && len(said(v)) > 0:
		t.Errorf("said %q", said(v))
	}
	if _, err := json.Marshal(v); err != nil {
		t.Error(err)
	}
}

func TestBadInputPaired(t *testing.T) {
	t.Parallel()
	row := func(p *result.Pairing, step int) *result.PairRow {
		for i := range p.Rows {
			if p.Rows[i].Step == sim.StepName(step) {
				return &p.Rows[i]
			}
		}
		return nil
	}
	// lined lets change have the pairing of the run.
	lined := func(change func(*result.Pairing)) func(*testing.T, *verdict.PairedInput) {
		return func(t *testing.T, in *verdict.PairedInput) {
			t.Helper()
			made, err := result.Pair(in.Run)
			if err != nil {
				t.Fatal(err)
			}
			change(made)
			in.Pairs = made
		}
	}
	all := func(t *testing.T, in *verdict.PairedInput, change func(*result.Round)) {
		t.Helper()
		for i := range in.Run.Rounds {
			change(&in.Run.Rounds[i])
		}
	}
	differ := func(by float64) func(*result.Pairing) {
		return func(p *result.Pairing) {
			for q := range row(p, 1).Latency {
				for i := range row(p, 1).Latency[q].Differences {
					row(p, 1).Latency[q].Differences[i] = by
				}
			}
		}
	}
	past := func(n int, odd stat.Compared, every int) map[string][]stat.Compared {
		var p50 []stat.Compared
		for i := range n {
			c := stat.Compared{Y: 0.01 * math.Sin(float64(i)), SE: 0.005}
			if i%every == 0 {
				c = odd
			}
			p50 = append(p50, c)
		}
		return map[string][]stat.Compared{"p50": p50}
	}
	const most = result.MaxMicros
	plain, slower := pairedRun(t, 20, 50, 1, 1, 1), pairedRun(t, 20, 50, 1, 1.4, 1)
	for _, c := range []struct {
		name   string
		change func(*testing.T, *verdict.PairedInput)
		want   verdict.Outcome
		says   string
	}{
		{"nothing odd", func(*testing.T, *verdict.PairedInput) {}, verdict.Pass, ""},

		{"NaN in all differences", lined(differ(math.NaN())), verdict.Inconclusive, "GET /1 p50: its figure is no number"},
		{"infinite differences", lined(differ(math.Inf(1))), verdict.Inconclusive, "GET /1 p50: its figure is no number"},
		{"differences beyond reason", lined(differ(1e300)), verdict.Inconclusive, "GET /1 p50: its figure is no number"},
		{"NaN in one difference", lined(func(p *result.Pairing) { row(p, 1).Latency[0].Differences[4] = math.NaN() }), verdict.Pass, ""},
		{"NaN as the base's level", lined(func(p *result.Pairing) { row(p, 1).Latency[0].Base = math.NaN() }), verdict.Inconclusive, "GET /1 p50: its figure is no number"},

		{"a round without any step", func(_ *testing.T, in *verdict.PairedInput) { in.Run.Rounds[4].Steps = nil }, verdict.Pass, ""},
		{"all rounds are empty", func(t *testing.T, in *verdict.PairedInput) {
			all(t, in, func(r *result.Round) { r.Steps = nil })
		}, verdict.Inconclusive, "too-few-requests"},
		{"all rounds of the head are empty", func(_ *testing.T, in *verdict.PairedInput) {
			arm(in.Run, "head", func(r *result.Round) { r.Steps = nil })
		}, verdict.Regression, " throughput slower"},
		{"no round at all", func(_ *testing.T, in *verdict.PairedInput) { in.Run.Rounds = nil }, verdict.Inconclusive, "too-few-requests"},
		{"one request a round", func(t *testing.T, in *verdict.PairedInput) { in.Run = pairedRun(t, 20, 1, 1, 1, 1) }, verdict.Inconclusive, "too few requests: p50 needs 100"},

		{"all values identical", func(t *testing.T, in *verdict.PairedInput) { in.Run = constant(t, in.Run, 10_000, 10_000) }, verdict.Pass, ""},
		{"all values identical, and the head's twice as long", func(t *testing.T, in *verdict.PairedInput) {
			in.Run = constant(t, in.Run, 10_000, 20_000)
		}, verdict.Regression, "GET /0 p50 slower"},
		{"the head is at the ceiling of the histogram", func(t *testing.T, in *verdict.PairedInput) { in.Run = constant(t, in.Run, 10_000, most) }, verdict.Regression, "GET /0 p50 slower"},
		{"both sides are at the ceiling of the histogram", func(t *testing.T, in *verdict.PairedInput) {
			in.Run = constant(t, in.Run, most, most)
		}, verdict.Inconclusive, "GET /0 p50: it took 1m or more, which is the most that is recorded"},

		{"the clock stood still or stepped back", func(t *testing.T, in *verdict.PairedInput) {
			all(t, in, func(r *result.Round) { r.Length = time.Duration(r.Index%3-1) * time.Hour })
			in.Run.Measured = -time.Hour
		}, verdict.Pass, ""},
		{"blocks in no order", func(_ *testing.T, in *verdict.PairedInput) { slices.Reverse(in.Run.Rounds) }, verdict.Pass, ""},
		{"all rounds say they are of one block", func(t *testing.T, in *verdict.PairedInput) {
			all(t, in, func(r *result.Round) { r.Block = 0 })
		}, verdict.Inconclusive, "too-few-requests"},

		{"a fifth of the earlier comparisons are poisoned", func(_ *testing.T, in *verdict.PairedInput) {
			in.Past = past(60, stat.Compared{Y: math.Log(10), SE: 0.01}, 5)
			in.Run = copied(slower)
		}, verdict.Regression, "GET /1 p50 slower"},
		{"earlier comparisons are NaN", func(_ *testing.T, in *verdict.PairedInput) {
			in.Past = past(60, stat.Compared{Y: math.NaN(), SE: math.Inf(1)}, 2)
		}, verdict.Pass, ""},
		{"earlier comparisons lack a metric", func(_ *testing.T, in *verdict.PairedInput) {
			in.Past = map[string][]stat.Compared{"p99": {{Y: 3, SE: 1}}, "": nil}
		}, verdict.Pass, ""},
		{"a second series without a round", func(t *testing.T, in *verdict.PairedInput) {
			in.Run = copied(slower)
			in.Redeploy, in.Second = true, &result.Pairing{}
		}, verdict.Inconclusive, "GET /1 p50: the second series, after a restart, could not be judged"},
		{"a step that only the second series lacks", func(t *testing.T, in *verdict.PairedInput) {
			in.Run = copied(slower)
			second, err := result.Pair(slower)
			if err != nil {
				t.Fatal(err)
			}
			second.Rows = slices.DeleteFunc(second.Rows, func(r result.PairRow) bool { return r.Step == sim.StepName(1) })
			in.Redeploy, in.Second = true, second
		}, verdict.Inconclusive, "could not be judged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := verdict.PairedInput{
				Run: copied(plain), Calibrated: true,
				Gate: verdict.Gate{Compare: rules(t, "latency.p50 within 5%", "errors within 0.5pp")},
			}
			c.change(t, &in)
			outcome(t, verdict.Paired(in).Verdict, c.want, c.says)
		})
	}
}
