package unit

import (
	"math"
	"testing"
)

func TestIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		base Base
		n    float64
		want string
	}{
		{BasePlain, 3.25, "3.25"},
		{BaseBytes, 1.5e9, "1.5 GB"},
		{BaseBytes, -1e300, "−1.00e+300 B"},
		{BaseByteRate, math.NaN(), "n/a B/s"},
		{BaseSeconds, 0.0125, "12.5 ms"},
		{BaseShare, 0.875, "87.5%"},
		{BaseRate, 42, "42/s"},
		{BaseByteRate, 2e6, "2 MB/s"},
		{"furlongs", 2, "2"}, // of a later version's file
	} {
		if got := In(tt.base, tt.n); got != tt.want {
			t.Errorf("In(%q, %v) = %q, want %q", tt.base, tt.n, got, tt.want)
		}
	}
}
