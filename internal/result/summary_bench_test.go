package result

import "testing"

// BenchmarkSummarize sums up a run of 100 steps in 12 rounds.
func BenchmarkSummarize(b *testing.B) {
	r := measured(b, 100, 12, 100)
	for b.Loop() {
		if _, err := Summarize(r); err != nil {
			b.Fatal(err)
		}
	}
}
