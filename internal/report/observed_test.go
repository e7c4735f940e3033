package report

import (
	"testing"

	"github.com/loadline-ci/loadline/internal/unit"
)

func TestTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in              unit.Base
		capacity, value float64
		want            string
	}{
		{unit.BasePlain, 0, 3.25, "3.25"},
		{unit.BasePlain, 4, 3.25, "81.2%"},
		{unit.BaseBytes, 0, 1 << 30, "1.07 GB"},
		{unit.BaseBytes, 2 << 30, 1 << 30, "50%"},
	} {
		if got := told(tt.in, tt.capacity, tt.value); got != tt.want {
			t.Errorf("told(%q, %v, %v) = %q, want %q", tt.in, tt.capacity, tt.value, got, tt.want)
		}
	}
}
