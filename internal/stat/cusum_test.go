package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestFindCreep(t *testing.T) {
	t.Parallel()
	flat := func(n int) []float64 { return make([]float64, n) }
	rising := func(from int) []float64 {
		ys := flat(60)
		for i := from; i < len(ys); i++ {
			ys[i] = 0.02 * float64(i-from+1)
		}
		return ys
	}
	falling := rising(30)
	for i := range falling {
		falling[i] = -falling[i]
	}
	holed := rising(30)
	holed[33], holed[35] = math.NaN(), math.Inf(1)
	oneSpike := flat(60)
	oneSpike[40] = 100
	for _, c := range []struct {
		name string
		ys   []float64
		want Creep
		ok   bool
	}{
		{"too short", flat(20), Creep{}, false},
		{"flat", flat(200), Creep{}, false},
		{"one spike", oneSpike, Creep{}, false},
		{"rising", rising(30), Creep{Up: true, Start: 30, At: 37}, true},
		{"falling", falling, Creep{Up: false, Start: 30, At: 37}, true},
		{"rising, with holes", holed, Creep{Up: true, Start: 30, At: 38}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := FindCreep(c.ys, 0.02)
			got.Start = max(got.Start, 0)
			if ok != c.ok || got.Up != c.want.Up || ok && (got.At < c.want.At-2 || got.At > c.want.At+2 || got.Start < c.want.Start || got.Start > c.want.Start+2) {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
	if _, ok := FindCreep(rising(25), 0); ok {
		t.Error("alarm without a standard deviation")
	}
}

// TestCreepRates: a whole project of ten flat series raises an alarm within 100
// merges in at most 2 of 100 histories, and 1 % a merge is seen before +15 %.
func TestCreepRates(t *testing.T) {
	t.Parallel()
	const histories, series, sd = 300, 10, 0.02
	rng := rand.New(rand.NewPCG(11, 12))
	alarms, seen := 0, 0
	for range histories {
		alarmed := false
		for s := range series {
			ys := make([]float64, 120)
			for i := range ys {
				ys[i] = sd * rng.NormFloat64()
			}
			if _, ok := FindCreep(ys, sd); ok {
				alarmed = true
			}
			if s > 0 {
				continue
			}
			for i := 20; i < len(ys); i++ {
				ys[i] += math.Log1p(0.01) * float64(min(i-19, 15))
			}
			if c, ok := FindCreep(ys, sd); ok && c.Up && c.At < 20+15 {
				seen++
			}
		}
		if alarmed {
			alarms++
		}
	}
	if share := float64(alarms) / histories; share > 0.03 {
		t.Errorf("%.1f%% of flat projects alarmed", 100*share)
	}
	if share := float64(seen) / histories; share < 0.95 {
		t.Errorf("creep seen before +15%% in %.1f%% of histories", 100*share)
	}
}
