package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestFindCreep(t *testing.T) {
	t.Parallel()
	flat := func(n int) []float64 { return make([]float64, n) }
	rising := func(n, from int) []float64 {
		ys := flat(n)
		for i := from; i < len(ys); i++ {
			ys[i] = 0.02 * float64(i-from+1)
		}
		return ys
	}
	falling := rising(42, 30)
	for i := range falling {
		falling[i] = -falling[i]
	}
	holed := rising(42, 30)
	holed[3], holed[33], holed[35] = math.NaN(), math.NaN(), math.Inf(1)
	spike := flat(60)
	spike[59] = 100
	stepped := flat(60)
	for i := 45; i < 60; i++ {
		stepped[i] = 0.04
	}
	for _, c := range []struct {
		name string
		ys   []float64
		want Creep
		ok   bool
	}{
		{"empty", nil, Creep{}, false},
		{"too short", rising(CreepFewest-1, 20), Creep{}, false},
		{"just enough", rising(CreepFewest, 20), Creep{Up: true, Start: 20}, true},
		{"flat", flat(200), Creep{}, false},
		{"a spike", spike, Creep{}, false},
		{"rising", rising(42, 30), Creep{Up: true, Start: 30}, true},
		{"rising for two runs", rising(32, 30), Creep{}, false},
		{"falling", falling, Creep{Up: false, Start: 30}, true},
		{"rising, with holes", holed, Creep{Up: true, Start: 30}, true},
		{"risen, and level since", stepped, Creep{Up: true, Start: 43}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := FindCreep(c.ys, 0.02, 1)
			if ok != c.ok || got.Up != c.want.Up || got.Start < c.want.Start-2 || got.Start > c.want.Start+2 {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
	for _, sd := range []float64{0, -1, math.NaN()} {
		if _, ok := FindCreep(rising(60, 25), sd, 1); ok {
			t.Errorf("alarm with a standard deviation of %g", sd)
		}
	}
	if _, ok := FindCreep(rising(36, 30), 0.02, 1_000_000); ok {
		t.Error("what one series shows is not rare among a million")
	}
}

// TestJitter: the spread about a level that creeps is that of the runs, not of the
// creep, and a wild run changes it little.
func TestJitter(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(21, 22))
	const sd = 0.02
	for _, wild := range []float64{0, 3} {
		var sum, df float64
		for range 200 {
			ys := make([]float64, 60)
			for i := range ys {
				ys[i] = sd*rng.NormFloat64() + 0.005*float64(i)
			}
			ys[30] += wild
			s := Jitter(ys)
			sum += s.SS
			df += float64(s.DF)
		}
		if got := math.Sqrt(sum / df); math.Abs(got/sd-1) > 0.2 {
			t.Errorf("one run off by %g: %.4f, want about %g", wild, got, sd)
		}
	}
	for _, ys := range [][]float64{nil, {1}, {math.NaN(), 1}, {2, 2, 2}} {
		if s := Jitter(ys); s.SS != 0 {
			t.Errorf("%v: %+v", ys, s)
		}
	}
}

// TestCreepRates: of ten flat series of one project, looked at after each of a
// hundred merges, one raises an alarm in at most 2 of 100 projects; 1 % a merge is
// seen before +15 %.
func TestCreepRates(t *testing.T) {
	t.Parallel()
	const histories, series, sd, window = 200, 10, 0.02, 60
	rng := rand.New(rand.NewPCG(11, 12))
	alarms, seen := 0, 0
	for range histories {
		alarmed := false
		for range series {
			ys := make([]float64, window+100)
			for i := range ys {
				ys[i] = sd * rng.NormFloat64()
			}
			for end := window; end <= len(ys); end++ {
				_, ok := FindCreep(ys[end-window:end], sd, series)
				alarmed = alarmed || ok
			}
		}
		if alarmed {
			alarms++
		}
		ys := make([]float64, 25+14)
		for i := range ys {
			ys[i] = sd*rng.NormFloat64() + math.Log1p(0.01)*float64(max(i-24, 0))
		}
		if c, ok := FindCreep(ys, sd, series); ok && c.Up {
			seen++
		}
	}
	if share := float64(alarms) / histories; share > 0.02 {
		t.Errorf("%.1f%% of flat projects alarmed", 100*share)
	}
	if share := float64(seen) / histories; share < 0.95 {
		t.Errorf("creep seen before +15%% in %.1f%% of histories", 100*share)
	}
}
