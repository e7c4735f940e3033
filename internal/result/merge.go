package result

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// A Shard says which part of a load a run was, where several processes shared
// it: see plan.Plan.Shard.
type Shard struct {
	Index int // 1 to Of; 0: the run is whole, or was merged from Of shards
	Of    int // 0: nothing was cut
	// Limits are those of the spec. A shard judges none of them: most are about
	// all of the load.
	Limits []ShardLimit
}

// A ShardLimit is a limit as far as a shard knows it.
type ShardLimit struct {
	Limit         string // as the spec has it
	Warn          bool
	Line          int // in the spec
	After, Window time.Duration
	// Broken says that a stretch of this shard broke the limit while it ran, at
	// the moment At of its measured load, with Value.
	Broken bool
	At     time.Duration
	Value  float64
}

// Merge makes one run of all shards of a load, in any order. Counts, bytes and
// histograms add up exactly: they are those of one process that had done it
// all. Of what cannot be added (percentiles of a second, the state of the
// generators) the worst is kept. Runs that are no complete set of shards of one
// load are refused; the error calls them by their names, of which there are as
// many.
func Merge(runs []*Run, names []string) (*Run, error) {
	if err := oneLoad(runs, names); err != nil {
		return nil, err
	}
	runs = slices.SortedFunc(slices.Values(runs), func(a, b *Run) int { return cmp.Compare(a.Shard.Index, b.Shard.Index) })
	first := runs[0]
	m := *first
	m.Shard = Shard{Of: first.Shard.Of, Limits: mergedLimits(runs)}
	m.Target = joined(runs, ", ", func(r *Run) string { return r.Target })
	m.Stopped, m.NotReady = reasons(runs, func(r *Run) string { return r.Stopped }), reasons(runs, func(r *Run) string { return r.NotReady })
	m.Environment = mergedEnvironment(runs)
	m.Generator = worstGenerator(runs)
	m.Changes = nil
	for _, r := range runs {
		if r.Started.Before(m.Started) {
			m.Started = r.Started
		}
		m.Duration, m.Measured = max(m.Duration, r.Duration), max(m.Measured, r.Measured)
		m.Open, m.Interrupted = m.Open || r.Open, m.Interrupted || r.Interrupted
		m.Changes = append(m.Changes, r.Changes...)
	}
	m.Cells = mergedCells(runs)
	m.Phases = mergedPhases(runs)
	m.Tallies, m.Flows, m.Values = mergedTallies(runs), mergedFlows(runs), mergedValues(runs)
	m.Iteration = sumHistograms(runs, func(r *Run) *hdr.Histogram { return r.Iteration })
	m.Series = mergedSeries(runs)
	m.Observed = mergedObserved(runs)
	var err error
	m.Rounds, err = mergedRounds(runs)
	return &m, err
}

// oneLoad says what keeps runs from being merged.
func oneLoad(runs []*Run, names []string) error {
	if len(runs) == 0 {
		return errors.New("no results to merge: name those of all shards")
	}
	seen := map[int]string{}
	for i, r := range runs {
		s, first := r.Shard, runs[0]
		switch {
		case s.Of == 0:
			return fmt.Errorf("%s is of a whole run, not of a shard: merge takes what `loadline run --shard I/N --json FILE` wrote", names[i])
		case s.Index == 0:
			return fmt.Errorf("%s is merged already: merge takes the results of the shards themselves", names[i])
		case s.Of != first.Shard.Of:
			return fmt.Errorf("%s is one of %d shards and %s one of %d: merge the shards of one run", names[0], first.Shard.Of, names[i], s.Of)
		case r.Spec != first.Spec || r.Fingerprint != first.Fingerprint || r.Profile != first.Profile:
			return fmt.Errorf("%s and %s are of different loads (%s): measure all shards with one spec, profile and flags", names[0], names[i], differing(first, r))
		case r.Seed != first.Seed:
			return fmt.Errorf("%s was drawn with seed %d and %s with seed %d: measure all shards with one seed", names[0], first.Seed, names[i], r.Seed)
		case r.Commit != first.Commit:
			return fmt.Errorf("%s measured commit %s and %s commit %s: measure all shards of one commit", names[0], orUnknown(first.Commit), names[i], orUnknown(r.Commit))
		case seen[s.Index] != "":
			return fmt.Errorf("%s and %s are both shard %d of %d: name each shard once", seen[s.Index], names[i], s.Index, s.Of)
		case !reflect.DeepEqual(r.Catalog, first.Catalog):
			return fmt.Errorf("%s and %s count different steps or checks: measure all shards with one version of loadline", names[0], names[i])
		}
		seen[s.Index] = names[i]
	}
	var missing []string
	for i := 1; i <= runs[0].Shard.Of; i++ {
		if seen[i] == "" {
			missing = append(missing, fmt.Sprint(i))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("of %d shards the results of %s are missing: name all, as the others are only a part of the load", runs[0].Shard.Of, strings.Join(missing, ", "))
	}
	return nil
}

func orUnknown(commit string) string { return cmp.Or(commit, "unknown") }

// differing names what two loads differ in.
func differing(a, b *Run) string {
	switch {
	case a.Spec != b.Spec:
		return fmt.Sprintf("the specs %q and %q", a.Spec, b.Spec)
	case a.Profile != b.Profile:
		return fmt.Sprintf("the profiles %q and %q", a.Profile, b.Profile)
	}
	var parts []string
	for _, part := range slices.Sorted(maps.Keys(a.Parts)) {
		if a.Parts[part] != b.Parts[part] {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "their fingerprints differ"
	}
	return "they differ in " + strings.Join(parts, ", ")
}

// joined is what all runs have, or all that they have.
func joined(runs []*Run, sep string, of func(*Run) string) string {
	var all []string
	for _, r := range runs {
		if s := of(r); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, sep)
}

// reasons are the first that a shard has, and whose it is. What it begins with
// stays, as the verdict goes by it.
func reasons(runs []*Run, of func(*Run) string) string {
	for _, r := range runs {
		if s := of(r); s != "" {
			return fmt.Sprintf("%s (shard %d of %d)", s, r.Shard.Index, r.Shard.Of)
		}
	}
	return ""
}

// mergedLimits are the limits of the spec, each with the worst that a shard saw.
func mergedLimits(runs []*Run) []ShardLimit {
	all := slices.Clone(runs[0].Shard.Limits)
	for _, r := range runs[1:] {
		for i, l := range r.Shard.Limits {
			if i < len(all) && l.Broken && (!all[i].Broken || l.At < all[i].At) {
				all[i].Broken, all[i].At, all[i].Value = true, l.At, l.Value
			}
		}
	}
	return all
}

// mergedEnvironment is that of the first shard; what is another elsewhere is
// said to be mixed, so that such a run is compared with its like alone.
func mergedEnvironment(runs []*Run) Environment {
	e := runs[0].Environment
	for _, r := range runs[1:] {
		for _, f := range []struct{ into, from *string }{
			{&e.OS, &r.Environment.OS},
			{&e.Arch, &r.Environment.Arch},
			{&e.CPU, &r.Environment.CPU},
			{&e.Label, &r.Environment.Label},
			{&e.Image, &r.Environment.Image},
			{&e.Kernel, &r.Environment.Kernel},
		} {
			if *f.into != *f.from {
				*f.into = "mixed"
			}
		}
		e.Cores = min(e.Cores, r.Environment.Cores)
	}
	return e
}

// worstGenerator is the worst that any of the generators was; failed connects
// add up. A run is as good as its worst shard.
func worstGenerator(runs []*Run) Generator {
	g := Generator{Steal: -1}
	busy, late := 0.0, 0.0 // as shares of a shard's seconds
	for _, r := range runs {
		o := r.Generator
		g.CPU, g.CPUMax, g.Steal = max(g.CPU, o.CPU), max(g.CPUMax, o.CPUMax), max(g.Steal, o.Steal)
		g.LagP50, g.LagP99, g.LagMax = max(g.LagP50, o.LagP50), max(g.LagP99, o.LagP99), max(g.LagMax, o.LagMax)
		g.GCPauseMax = max(g.GCPauseMax, o.GCPauseMax)
		g.NoPorts += o.NoPorts
		g.Seconds = max(g.Seconds, o.Seconds)
		if o.Seconds > 0 {
			busy = max(busy, float64(o.BusySeconds)/float64(o.Seconds))
			late = max(late, float64(o.LateSeconds)/float64(o.Seconds))
		}
	}
	g.BusySeconds = int(math.Round(busy * float64(g.Seconds)))
	g.LateSeconds = int(math.Round(late * float64(g.Seconds)))
	return g
}

// worstHealth is Health of generators side by side.
func worstHealth(a, b Health) Health {
	return Health{
		CPU: max(a.CPU, b.CPU), LagP50: max(a.LagP50, b.LagP50), LagP99: max(a.LagP99, b.LagP99),
		Steal: max(a.Steal, b.Steal), GCPause: max(a.GCPause, b.GCPause), FDs: max(a.FDs, b.FDs), NoPorts: a.NoPorts + b.NoPorts,
	}
}
