package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	gonum "gonum.org/v1/gonum/stat"
)

var close12 = cmp.Options{cmpopts.EquateApprox(1e-12, 1e-12), cmpopts.EquateNaNs()}

func TestLocate(t *testing.T) {
	t.Parallel()
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name string
		xs   []float64
		want Location
	}{
		{"empty", nil, Location{nan, nan, 0, 0}},
		{"nothing finite", []float64{nan, inf, -inf}, Location{nan, nan, 0, 0}},
		{"one", []float64{3}, Location{3, nan, 0, 1}},
		{"two", []float64{1, 3}, Location{2, 1, 1, 2}},
		{"all alike", []float64{7, 7, 7, 7, 7, 7}, Location{7, 0, 3, 6}},
		{"NaN left out", []float64{1, nan, 3}, Location{2, 1, 1, 2}},
		// g = 1: the mean of 2, 3, 4; winsorized 2 2 3 4 4 has variance 1.
		{"five", []float64{5, 1, 3, 2, 4}, Location{3, 1 / (0.6 * math.Sqrt(5)), 2, 5}},
		{"one wild value of five", []float64{1e9, 1, 3, 2, 4}, Location{3, 1 / (0.6 * math.Sqrt(5)), 2, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Locate(c.xs), close12); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLocateProperties: order does not matter, and shifting or scaling a sample
// shifts or scales the result.
func TestLocateProperties(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		xs := sample(rng, 2+rng.IntN(40))
		before := slices.Clone(xs)
		want := Locate(xs)
		if !slices.Equal(xs, before) {
			t.Fatal("Locate changed its argument")
		}
		rng.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		near := cmpopts.EquateApprox(1e-9, 1e-9)
		if diff := cmp.Diff(want, Locate(xs), near); diff != "" {
			t.Fatalf("shuffled: %s", diff)
		}
		for i := range xs {
			xs[i] = -3*xs[i] + 5
		}
		want.Y, want.SE = -3*want.Y+5, 3*want.SE
		if diff := cmp.Diff(want, Locate(xs), near); diff != "" {
			t.Fatalf("shifted and scaled: %s", diff)
		}
	}
}

// TestLocateCovers checks the standard error: a 95 % interval of twelve values
// holds the true middle about 95 times in 100 (93 for normal ones, where so few
// values leave the winsorized variance a little small), heavy tails or not.
func TestLocateCovers(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(*rand.Rand) float64{
		"normal": (*rand.Rand).NormFloat64,
		"heavy":  func(r *rand.Rand) float64 { return r.NormFloat64() / math.Sqrt((sq(r)+sq(r)+sq(r))/3) },
	} {
		rng := rand.New(rand.NewPCG(7, 7))
		const trials = 4000
		held := 0
		for range trials {
			xs := make([]float64, 12)
			for i := range xs {
				xs[i] = draw(rng)
			}
			l := Locate(xs)
			if math.Abs(l.Y) < T(l.DF, 0.975)*l.SE {
				held++
			}
		}
		if share := float64(held) / trials; share < 0.92 || share > 0.985 {
			t.Errorf("%s: the interval held %.3f of the time", name, share)
		}
	}
}

func sq(r *rand.Rand) float64 { x := r.NormFloat64(); return x * x }

func sample(rng *rand.Rand, n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = rng.NormFloat64()
	}
	return xs
}

func TestMeanAndMedianAgreeWithGonum(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		xs := sample(rng, 2+rng.IntN(30))
		near(t, "mean", Mean(xs), gonum.Mean(xs, nil))
		near(t, "sum of squares", SumSquares(xs), gonum.Variance(xs, nil)*float64(len(xs)-1))
		slices.Sort(xs)
		if len(xs)%2 == 1 {
			near(t, "median", Median(xs), gonum.Quantile(0.5, gonum.Empirical, xs, nil))
		}
	}
	near(t, "median of an even number", Median([]float64{4, 1, 3, 2}), 2.5)
	if low, high := Middle([]float64{4, 1, 3, 2}); low != 2 || high != 3 {
		t.Errorf("Middle = %g, %g; want 2, 3", low, high)
	}
	near(t, "mean of huge values", Mean([]float64{math.MaxFloat64, math.MaxFloat64}), math.MaxFloat64)
	near(t, "MAD", MAD([]float64{1, 1, 2, 2, 4, 6, 9}), 1.4826)
	for name, f := range map[string]func([]float64) float64{"Mean": Mean, "Median": Median, "MAD": MAD} {
		if got := f([]float64{math.NaN()}); !math.IsNaN(got) {
			t.Errorf("%s of nothing = %g, want NaN", name, got)
		}
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Max(1, math.Abs(want)) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

// TestQuantiles compares with printed tables (Abramowitz and Stegun, 26.10).
func TestQuantiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ df, p, want float64 }{
		{1, 0.975, 12.7062},
		{4, 0.995, 4.60409},
		{5, 0.99, 3.36493},
		{10, 0.975, 2.22814},
		{30, 0.9995, 3.64596},
		{10, 0.025, -2.22814},
		{3, 0.5, 0},
	} {
		if got := T(c.df, c.p); math.Abs(got-c.want) > 1e-4*math.Max(1, math.Abs(c.want)) {
			t.Errorf("T(%g, %g) = %g, want %g", c.df, c.p, got, c.want)
		}
	}
	for _, c := range []struct{ p, want float64 }{{0.975, 1.959964}, {0.5, 0}, {0.001, -3.090232}} {
		if got := Z(c.p); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("Z(%g) = %g, want %g", c.p, got, c.want)
		}
	}
	nan := math.NaN()
	for _, c := range []struct{ df, p float64 }{{0, 0.9}, {-1, 0.9}, {nan, 0.9}, {math.Inf(1), 0.9}, {3, 0}, {3, 1}, {3, nan}} {
		if got := T(c.df, c.p); !math.IsNaN(got) {
			t.Errorf("T(%g, %g) = %g, want NaN", c.df, c.p, got)
		}
	}
	if got := Z(1); !math.IsNaN(got) {
		t.Errorf("Z(1) = %g, want NaN", got)
	}
}
