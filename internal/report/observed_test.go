package report

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/result"
)

func TestTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in           string
		limit, value float64
		want         string
	}{
		{result.UnitPlain, 0, 3.25, "3.25"},
		{result.UnitPlain, 4, 3.25, "81.2%"},
		{result.UnitBytes, 0, 1 << 30, "1.07 GB"},
		{result.UnitBytes, 2 << 30, 1 << 30, "50%"},
		{result.UnitSeconds, 0, 0.0125, "12.5 ms"},
		{result.UnitShare, 0, 0.875, "87.5%"},
	} {
		if got := told(tt.in, tt.limit, tt.value); got != tt.want {
			t.Errorf("told(%q, %v, %v) = %q, want %q", tt.in, tt.limit, tt.value, got, tt.want)
		}
	}
}
