package verdict_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/verdict"
	"github.com/loadline-ci/loadline/internal/verdict/sim"
)

// A spoiler puts odd numbers where its bytes say. Read in order, each byte is about
// one number: most leave it as it is.
type spoiler struct{ ops []byte }

func (s *spoiler) next() byte {
	if len(s.ops) == 0 {
		return 0
	}
	b := s.ops[0]
	s.ops = s.ops[1:]
	return b
}

var (
	oddFloats = []float64{0, math.NaN(), math.Inf(1), math.Inf(-1), -1e300, 1e300, 18, 24.9, 1e-9, -1}
	oddInts   = []int64{0, -1, 1, 1 << 20, math.MinInt32}
	oddInt64s = []int64{0, -1, 1, 99, math.MaxInt64, math.MinInt64}
)

// spoil goes through all of v that can be set.
func (s *spoiler) spoil(v reflect.Value) {
	if len(s.ops) == 0 || !v.CanSet() && v.Kind() != reflect.Pointer {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			s.spoil(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			s.spoil(field)
		}
	case reflect.Slice:
		if cut := int(s.next()); cut >= 240 {
			v.Set(v.Slice(0, min(cut-240, v.Len())))
		}
		for i := range v.Len() {
			s.spoil(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			s.spoil(v.Index(i))
		}
	case reflect.Float64:
		if b := int(s.next()); b >= 200 {
			v.SetFloat(oddFloats[b%len(oddFloats)])
		}
	case reflect.Int:
		if b := int(s.next()); b >= 200 {
			v.SetInt(oddInts[b%len(oddInts)])
		}
	case reflect.Int64: // counts and durations
		if b := int(s.next()); b >= 200 {
			v.SetInt(oddInt64s[b%len(oddInt64s)])
		}
	case reflect.Bool:
		if s.next() >= 200 {
			v.SetBool(!v.Bool())
		}
	default:
	}
}

// sound checks what holds of every verdict: it can be written down, and it does not
// pass with nothing judged.
func sound(t *testing.T, v verdict.Verdict) {
	t.Helper()
	if _, err := json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	judged := false
	for _, f := range v.Findings {
		judged = judged || f.Call != verdict.NotJudged
	}
	if v.Outcome == verdict.Pass && !judged {
		t.Fatalf("passed with nothing judged: %+v", v)
	}
}

// seeds are byte strings that spoil a little, a lot, and all.
func seeds(f *testing.F) {
	f.Helper()
	f.Add(uint8(3), []byte{})
	for _, odd := range []byte{200, 205, 211, 214, 241, 255} {
		some, all := make([]byte, 400), make([]byte, 400)
		for i := range some {
			all[i] = odd
			if i%7 == int(odd)%7 {
				some[i] = odd
			}
		}
		f.Add(odd, some)
		f.Add(odd, all)
	}
}

// FuzzJudge: no stored run and no run to judge, however odd, makes a panic, or a
// verdict that cannot be written down.
func FuzzJudge(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, n uint8, ops []byte) {
		src := sim.New(sim.Target{Class: sim.Noisy, Steps: 1 + int(n%4), Control: n%5 == 0}, 1)
		all := append(src.Runs(int(n%7)), src.Run())
		s := &spoiler{ops}
		for i := range all {
			s.spoil(reflect.ValueOf(all[len(all)-1-i])) // the head first
		}
		head := all[len(all)-1]
		run := sim.Of(&result.Summary{Fingerprint: head.Fingerprint, Rows: []result.Row{{Requests: 10}}})
		sound(t, verdict.Judge(verdict.Input{
			Run: run, Head: head, Base: all[:len(all)-1], Again: all[:n%2], Gate: verdict.Gate{Compare: strictRules(t)},
		}))
		verdict.Trend(all)
	})
}

// FuzzPaired is FuzzJudge for base and head in one run.
func FuzzPaired(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, n uint8, ops []byte) {
		src := sim.New(sim.Target{Class: sim.Shared, Steps: 1 + int(n%4)}, 1)
		first, second := src.Duel(60).First(60), src.Duel(60).First(60)
		past := src.Past(5)["p50"]
		s := &spoiler{ops}
		s.spoil(reflect.ValueOf(first))
		s.spoil(reflect.ValueOf(second))
		s.spoil(reflect.ValueOf(&past))
		in := verdict.PairedInput{
			Run:   &result.Run{Mode: "paired", Open: n%3 > 0, Cells: []result.Cell{{Key: result.Key{Status: 200}, Count: 10}}},
			Pairs: first, Past: map[string][]stat.Compared{"p50": past}, Look: int(n % 5), Redeploy: n%2 > 0,
			Gate: verdict.Gate{Compare: strictRules(t)},
		}
		out := verdict.Paired(in)
		if out.Next == verdict.Confirm {
			in.Second = second
			out = verdict.Paired(in)
		}
		if out.Next == verdict.Done {
			sound(t, out.Verdict)
		}
		verdict.Calibrate(in.Run, first, in.Gate, in.Past, 0.05)
	})
}
