package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A shard is the part of a load that this process is to drive: --shard 2/5. Its
// zero value is all of it.
type shard struct{ index, of int } // index from 1

// maxShards is more machines than one load will want.
const maxShards = 1000

func parseShard(text string) (shard, error) {
	if text == "" {
		return shard{}, nil
	}
	i, n, ok := strings.Cut(text, "/")
	index, errI := strconv.Atoi(i)
	of, errN := strconv.Atoi(n)
	if !ok || errI != nil || errN != nil || of < 1 || of > maxShards || index < 1 || index > of {
		return shard{}, usagef("--shard %q: write I/N, I from 1 to N and N at most %d, such as 2/5", text, maxShards)
	}
	return shard{index, of}, nil
}

// cut leaves of the spec's load what is the shard's.
func (s shard) cut(sp *spec.Spec) {
	if s.of > 0 {
		sp.Load = sp.Load.Shard(s.index-1, s.of)
	}
}

// watched are the limits, or conditions of stop_when, that can be looked at
// while the load goes on. Most shards can be as well as the whole: what no shard
// breaks in a percentile or a share, all together do not. Numbers of things are
// not to be had from a part.
func (s shard) watched(all []verdict.Limit) []verdict.Limit {
	if s.of == 0 {
		return all
	}
	out := make([]verdict.Limit, len(all))
	for i, l := range all {
		if out[i] = l; ofTheWhole(l.Rule) {
			out[i].Abort, out[i].Window = false, 0
		}
	}
	return out
}

// stops is watched for stop_when, of which each is looked at.
func (s shard) stops(all []verdict.Limit) []verdict.Limit {
	if s.of == 0 {
		return all
	}
	var out []verdict.Limit
	for _, l := range all {
		if !ofTheWhole(l.Rule) {
			out = append(out, l)
		}
	}
	return out
}

// ofTheWhole says whether a limit is about how many things there were.
func ofTheWhole(l *rule.Limit) bool {
	s := &l.Selector
	return s.Stat == "rate" || s.Stat == "count" || s.Kind == rule.Counter || s.Metric == "users" || s.Metric == "in_flight"
}

// sign writes into a run which part it was, and has its limits judged with those
// of the others: merge does.
func (s shard) sign(in *verdict.Input) {
	if s.of == 0 {
		return
	}
	in.Run.Shard = result.Shard{Index: s.index, Of: s.of}
	for i, l := range in.Gate.Limits {
		noted := result.ShardLimit{Limit: l.Rule.Text, Warn: l.Warn, Line: l.Line, After: l.After, Window: l.Window}
		if b, broken := in.Watch.Breach(i); broken {
			noted.Broken, noted.At, noted.Value = true, b.At, b.Value
		}
		in.Run.Shard.Limits = append(in.Run.Shard.Limits, noted)
	}
	in.Gate.Limits, in.Gate.Compare = nil, nil
	in.NoBase = &verdict.Reason{Code: "shard", Message: "a shard is compared with nothing"}
	in.Notes = append(in.Notes, verdict.Reason{
		Code:    "shard",
		Message: fmt.Sprintf("this is shard %d of %d, and only a part of the load: its limits are not judged", s.index, s.of),
		Remedy:  "write each shard's result with --json, and join them with `loadline merge`",
	})
}
