package result

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shardsOf cuts fullRun in n, as far as Merge looks at it.
func shardsOf(t *testing.T, n int) []*Run {
	t.Helper()
	var all []*Run
	for i := range n {
		r := fullRun(t)
		r.Stopped, r.Interrupted, r.NotReady, r.Changes = "", false, "", nil
		r.Shard.Index, r.Shard.Of = i+1, n
		all = append(all, r)
	}
	return all
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		spoil  func(all []*Run) []*Run
		reason string
	}{
		{"nothing", func([]*Run) []*Run { return nil }, "no results to merge: name those of all shards"},
		{"a whole run", func(all []*Run) []*Run { all[1].Shard = Shard{}; return all }, "b.json is of a whole run, not of a shard: merge takes what `loadline run --shard I/N --json FILE` wrote"},
		{"merged before", func(all []*Run) []*Run { all[0].Shard.Index = 0; return all }, "a.json is merged already: merge takes the results of the shards themselves"},
		{"of another cut", func(all []*Run) []*Run { all[2].Shard.Of = 4; return all }, "a.json is one of 3 shards and c.json one of 4: merge the shards of one run"},
		{"another load", func(all []*Run) []*Run {
			all[1].Fingerprint, all[1].Parts = "other", map[string]string{"load": "2"}
			return all
		}, "a.json and b.json are of different loads (they differ in load): measure all shards with one spec, profile and flags"},
		{"another spec", func(all []*Run) []*Run { all[1].Spec = "carts"; return all }, `a.json and b.json are of different loads (the specs "orders" and "carts"): measure all shards with one spec, profile and flags`},
		{"another profile", func(all []*Run) []*Run { all[1].Profile = ""; return all }, `a.json and b.json are of different loads (the profiles "smoke" and ""): measure all shards with one spec, profile and flags`},
		{"another seed", func(all []*Run) []*Run { all[2].Seed = 8; return all }, "a.json was drawn with seed 7 and c.json with seed 8: measure all shards with one seed"},
		{"another commit", func(all []*Run) []*Run { all[2].Commit = ""; return all }, "a.json measured commit 8a1e38d and c.json commit unknown: measure all shards of one commit"},
		{"twice", func(all []*Run) []*Run { all[2].Shard.Index = 1; return all }, "a.json and c.json are both shard 1 of 3: name each shard once"},
		{"other steps", func(all []*Run) []*Run { all[1].Catalog.Steps[0].Name = "other"; return all }, "a.json and b.json count different steps or checks: measure all shards with one version of loadline"},
		{"missing", func(all []*Run) []*Run { return all[1:2] }, "of 3 shards the results of 1, 3 are missing: name all, as the others are only a part of the load"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Merge(tt.spoil(shardsOf(t, 3)), []string{"a.json", "b.json", "c.json"})
			if err == nil || err.Error() != tt.reason {
				t.Errorf("got  %v\nwant %s", err, tt.reason)
			}
		})
	}
}

// TestMergeKeepsTheWorst: what cannot be added is that of the worst shard, and
// what one of them was stopped by is said.
func TestMergeKeepsTheWorst(t *testing.T) {
	t.Parallel()
	all := shardsOf(t, 2)
	b := all[1]
	b.Target, b.Environment.CPU, b.Environment.Cores = "http://127.0.0.2:8080/v1", "Other", 1
	b.Generator = Generator{CPU: 0.9, CPUMax: 0.95, LagP99: time.Second, Steal: 0.1, NoPorts: 4, BusySeconds: 5, Seconds: 10}
	b.Stopped, b.Duration = LimitBroke+"errors < 1% was broken", 12*time.Second
	b.Started = b.Started.Add(-time.Minute)
	b.Shard.Limits[0].At = 3 * time.Second
	for i := range b.Series {
		b.Series[i].P99, b.Series[i].Health.CPU = 9_000_000, 1
	}
	m, err := Merge(all, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	wantGenerator := Generator{
		CPU: 0.9, CPUMax: 0.95, LagP50: 20 * time.Microsecond, LagP99: time.Second, LagMax: time.Millisecond, Steal: 0.1,
		GCPauseMax: 80 * time.Microsecond, NoPorts: 5, BusySeconds: 10, LateSeconds: 3, Seconds: 20,
	}
	if d := cmp.Diff(wantGenerator, m.Generator); d != "" {
		t.Errorf("generator (-want +got):\n%s", d)
	}
	if m.Stopped != b.Stopped+" (shard 2 of 2)" || m.Duration != 25*time.Second || !m.Started.Equal(b.Started) {
		t.Errorf("got stopped %q, duration %v, started %v", m.Stopped, m.Duration, m.Started)
	}
	if m.Target != "http://127.0.0.1:8080/v1, http://127.0.0.2:8080/v1" || m.Environment.CPU != "mixed" || m.Environment.OS != "linux" || m.Environment.Cores != 1 {
		t.Errorf("got target %q, environment %+v", m.Target, m.Environment)
	}
	if m.Shard.Index != 0 || m.Shard.Of != 2 || m.Shard.Limits[0].At != 3*time.Second {
		t.Errorf("got shard %+v", m.Shard)
	}
	for i, row := range m.Series {
		if row.P99 != 9_000_000 || row.Health.CPU != 1 || row.Completed != 2*all[0].Series[i].Completed {
			t.Errorf("row %d: p99 %d, CPU %v, %d completed", i, row.P99, row.Health.CPU, row.Completed)
		}
	}
	if got, want := m.Total().Requests, 2*all[0].Total().Requests; got != want {
		t.Errorf("%d requests, want %d", got, want)
	}
}

// TestMergeRowsOfDifferentLength: a shard whose rows and rounds cover two of the
// others' each.
func TestMergeRowsOfDifferentLength(t *testing.T) {
	t.Parallel()
	all := shardsOf(t, 2)
	fine, coarse := all[0], all[1]
	fine.Series, coarse.Series, fine.Rounds, coarse.Rounds = nil, nil, nil, nil
	for i := range 6 {
		at := time.Duration(i) * time.Second
		fine.Series = append(fine.Series, Second{At: at, Users: 4, Rate: 10, Completed: 5, Status: map[int]int64{200: 5}})
		fine.Rounds = append(fine.Rounds, Round{Index: i, Start: at, Length: time.Second, Offered: 7, Steps: []RoundStep{{Requests: 2, Latency: roundPayload(t, 10, 20)}}})
	}
	for i := range 3 {
		at := 2 * time.Duration(i) * time.Second
		coarse.Series = append(coarse.Series, Second{At: at, Users: 3, Rate: 20, Completed: 9, Status: map[int]int64{200: 9}})
		coarse.Rounds = append(coarse.Rounds, Round{Index: i, Start: at, Length: 2 * time.Second, Offered: 1, Steps: []RoundStep{{Requests: 1, Latency: roundPayload(t, 30)}}})
	}
	m, err := Merge(all, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Series) != 3 || len(m.Rounds) != 3 {
		t.Fatalf("%d rows and %d rounds, want 3 and 3", len(m.Series), len(m.Rounds))
	}
	for i, row := range m.Series {
		if row.Users != 7 || row.Rate != 30 || row.Completed != 19 || row.Status[200] != 19 {
			t.Errorf("row %d: %+v", i, row)
		}
		r := m.Rounds[i]
		h, err := DecodeHistogram(r.Steps[0].Latency)
		if err != nil || h.TotalCount() != 5 || r.Length != 2*time.Second || r.Offered != 15 || r.Steps[0].Requests != 5 {
			t.Errorf("round %d: %+v, %v", i, r, err)
		}
	}
}
