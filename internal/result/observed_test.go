package result

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLevel(t *testing.T) {
	t.Parallel()
	if got := (&Observed{Limit: 4}).Level(3); got != 0.75 {
		t.Errorf("3 of 4 is %v, want 0.75", got)
	}
	if got := (&Observed{}).Level(3); got != 3 {
		t.Errorf("3 without a limit is %v, want 3", got)
	}
}

func TestMeasuredObserved(t *testing.T) {
	t.Parallel()
	second := func(n int) time.Duration { return time.Duration(n) * time.Second }
	readings := func(at ...time.Duration) (all []Reading) {
		for _, d := range at {
			all = append(all, Reading{At: d})
		}
		return all
	}
	single := &Run{
		Mode:   "single",
		Series: []Second{{At: 0}, {At: second(1), Measured: true}, {At: second(2), Measured: true, Length: 500 * time.Millisecond}, {At: second(3)}},
	}
	paired := &Run{
		Mode: "paired",
		Rounds: []Round{
			{Arm: "base", Start: second(2), Length: second(1)},
			{Arm: "head", Start: second(3), Length: second(1)},
		},
	}
	for _, tt := range []struct {
		name     string
		run      *Run
		arm      string
		at, want []time.Duration
	}{
		{"before the load, in the warm-up, in load that counts, after it", single, "", []time.Duration{-1, 0, second(1) - 1, second(1), second(2), second(2) + 499*time.Millisecond}, []time.Duration{second(1), second(2), second(2) + 499*time.Millisecond}},
		{"after the last second that counts has ended", single, "", []time.Duration{second(2) + 500*time.Millisecond, second(3), second(9)}, nil},
		{"no series", &Run{Mode: "single"}, "", []time.Duration{0, second(1)}, nil},
		{"paired, shared", paired, "", []time.Duration{second(1), second(2), second(3), second(4)}, []time.Duration{second(2), second(3)}},
		{"paired, of the head: whichever side has the load", paired, "head", []time.Duration{second(1), second(2), second(3), second(4)}, []time.Duration{second(2), second(3)}},
		{"paired, of the base: not judged", paired, "base", []time.Duration{second(2)}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			run := *tt.run
			run.Observed = []Observed{{Role: "cpu", Arm: tt.arm, Readings: readings(tt.at...)}}
			var got []time.Duration
			for _, o := range run.MeasuredObserved() {
				for _, r := range o.Readings {
					got = append(got, r.At)
				}
			}
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Errorf("counted (-got +want):\n%s", diff)
			}
			if len(run.Observed[0].Readings) != len(tt.at) {
				t.Error("the run itself has lost readings")
			}
		})
	}
}

func TestMergedObservedKeepsTheFullestOfEach(t *testing.T) {
	t.Parallel()
	one := &Run{Observed: []Observed{{Role: "cpu", Readings: []Reading{{Value: 1}}}, {Role: "memory", Missed: 3}}}
	two := &Run{Observed: []Observed{{Role: "cpu", Readings: []Reading{{Value: 2}, {Value: 3}}}, {Role: "memory", Missed: 4}, {Role: "queue"}}}
	want := []Observed{{Role: "cpu", Readings: []Reading{{Value: 2}, {Value: 3}}}, {Role: "memory", Missed: 3}, {Role: "queue"}}
	if diff := cmp.Diff(mergedObserved([]*Run{one, two}), want); diff != "" {
		t.Errorf("merged (-got +want):\n%s", diff)
	}
}
