package result

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		values []float64
		want   Reads
	}{
		{"none", nil, Reads{}},
		{"one, less than nothing", []float64{-3}, Reads{1, -3, -3, -3, -3}},
		{"several", []float64{2, 8, 5}, Reads{3, 2, 8, 5, 5}},
		{"the largest there is, twice", []float64{math.MaxFloat64, math.MaxFloat64}, Reads{2, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64, math.MaxFloat64}},
	} {
		o := Observed{}
		for _, v := range c.values {
			o.Readings = append(o.Readings, Reading{Value: v})
		}
		if diff := cmp.Diff(c.want, o.Reads()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
