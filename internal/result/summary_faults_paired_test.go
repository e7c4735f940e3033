package result

import "testing"

// A head that never works is invalid only where the base does not work either:
// else it is the change that broke it.
func TestPairedHeadThatNeverWorks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		baseFailed int64
		want       int
	}{"base works": {3, 0}, "base fails too": {60, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Run{
				Mode:   "paired",
				Cells:  []Cell{{Key: Key{Error: "timeout", Failed: true}, Count: 100}},
				Series: []Second{{Measured: true, Completed: 100, Failed: 100}},
				Rounds: []Round{
					{Arm: "base", Steps: []RoundStep{{Requests: 100, Failed: tt.baseFailed}}},
					{Arm: "head", Steps: []RoundStep{{Requests: 100, Failed: 100}}},
				},
			}
			faults := r.Faults()
			if len(faults) != tt.want || len(faults) > 0 && faults[0].Code != "wrong-from-start" {
				t.Errorf("faults %+v, want %d", faults, tt.want)
			}
		})
	}
}
