package load_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/load/loadtest"
	"github.com/loadline-ci/loadline/internal/plan"
	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/wire"
)

// byNumber is a target whose answer to an iteration depends on its number alone,
// so that it is the same in whichever shard the iteration is.
func byNumber() *loadtest.Users {
	return &loadtest.Users{Target: func(_ time.Time, it load.Iteration) loadtest.Answer {
		random := rand.New(rand.NewPCG(5, uint64(it.Number)))
		a := loadtest.Answer{Took: time.Duration(random.ExpFloat64() * float64(30*time.Millisecond)), Status: 200}
		switch random.IntN(20) {
		case 0:
			a.Status = 503
		case 1:
			a.Status, a.Kind = 0, wire.Reset
		}
		return a
	}}
}

// written is a run as it comes back from its file.
func written(t *testing.T, r *result.Run) *result.Run {
	t.Helper()
	var b bytes.Buffer
	if err := result.Write(&b, &result.File{Run: r}); err != nil {
		t.Fatal(err)
	}
	f, err := result.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return f.Run
}

// bars are the counts of a histogram, with the values that they are of.
func bars(h *hdr.Histogram) (all []string) {
	if h == nil {
		return nil
	}
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			all = append(all, fmt.Sprintf("%d-%d:%d", b.From, b.To, b.Count))
		}
	}
	return all
}

// counts is what of a run must be the same whether one process drove the load or
// several: histograms bucket by bucket.
func counts(t *testing.T, r *result.Run) map[string]any {
	t.Helper()
	out := map[string]any{"flows": r.Flows, "tallies": r.Tallies, "iteration": bars(r.Iteration)}
	for _, c := range r.Cells {
		out[fmt.Sprintf("cell %+v", c.Key)] = []any{c.Count, c.In, c.Out, bars(c.Latency), bars(c.Service)}
	}
	for i, p := range r.Phases {
		out[fmt.Sprintf("phases %d", i)] = [][]string{bars(p.TTFB), bars(p.Body), bars(p.Queue)}
	}
	return out
}

// overTime is the same for what depends on when things happened.
func overTime(t *testing.T, r *result.Run) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, s := range r.Series {
		out[fmt.Sprintf("row at %v", s.At)] = []any{s.Stage, s.Measured, s.Offered, s.Dropped, s.Completed, s.Failed, s.Status, s.Errors, s.Rate}
	}
	for _, round := range r.Rounds {
		key := fmt.Sprintf("round %d at %v", round.Index, round.Start)
		out[key] = []any{round.Length, round.Offered, round.Dropped, round.Excluded}
		for _, s := range round.Steps {
			h, err := hdr.Decode(s.Latency)
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%s, step %d", key, s.Step)] = []any{s.Requests, s.Failed, s.Errored, s.Status, s.Errors, bars(h)}
		}
	}
	return out
}

// TestMergedShards: shards that are merged from their files are what one process
// measures that drives the whole load.
func TestMergedShards(t *testing.T) {
	t.Parallel()
	warm := plan.Stage{Name: "warm", From: 20, To: 20, Duration: 2 * time.Second}
	for name, p := range map[string]plan.Plan{
		"even":    one(plan.Track{Open: true, Stages: []plan.Stage{warm, hold(80, 8*time.Second)}}),
		"ramp":    one(plan.Track{Open: true, Stages: []plan.Stage{ramp(5, 150, 9*time.Second)}}),
		"poisson": one(plan.Track{Open: true, Poisson: true, Stages: []plan.Stage{hold(60, 5*time.Second), ramp(60, 10, 3*time.Second)}}),
		"counted": one(plan.Track{Iterations: 500, Stages: []plan.Stage{hold(12, time.Minute)}}),
	} {
		for _, parts := range []int{2, 3, 5} {
			t.Run(fmt.Sprintf("%s in %d", name, parts), func(t *testing.T) {
				t.Parallel()
				whole := written(t, in(t, p, byNumber(), load.Options{}))
				var shards []*result.Run
				var names []string
				for i := range parts {
					r := in(t, p.Shard(i, parts), byNumber(), load.Options{})
					r.Shard = result.Shard{Index: i + 1, Of: parts}
					shards, names = append(shards, written(t, r)), append(names, fmt.Sprintf("%d.json", i+1))
				}
				rand.Shuffle(parts, func(i, j int) { shards[i], shards[j] = shards[j], shards[i] })
				merged, err := result.Merge(shards, names)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(counts(t, whole), counts(t, merged)); d != "" {
					t.Fatalf("counts (-whole +merged):\n%s", d)
				}
				if name != "poisson" {
					return // what happens in the very moment in which a row ends may be in either; with users, when depends on how many
				}
				if d := cmp.Diff(overTime(t, whole), overTime(t, merged), cmpopts.EquateApprox(1e-9, 0), cmpopts.EquateEmpty()); d != "" {
					t.Errorf("over time (-whole +merged):\n%s", d)
				}
				if merged.Duration != whole.Duration || merged.Measured != whole.Measured {
					t.Errorf("merged %v, measured %v; whole %v, %v", merged.Duration, merged.Measured, whole.Duration, whole.Measured)
				}
			})
		}
	}
}
