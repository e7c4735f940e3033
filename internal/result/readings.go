package result

// Reads are the figures of the readings of one metric, in its unit: what a
// limit judges and what pages show.
type Reads struct {
	Count                int
	Min, Max, Mean, Last float64 // 0 where Count is
}

// Reads sums up the readings that o has.
func (o *Observed) Reads() Reads {
	r := Reads{Count: len(o.Readings)}
	for i, x := range o.Readings {
		if i == 0 {
			r.Min, r.Max = x.Value, x.Value
		}
		r.Min, r.Max, r.Last = min(r.Min, x.Value), max(r.Max, x.Value), x.Value
		// Step by step, as the sum of readings near the largest float is none.
		r.Mean += (x.Value - r.Mean) / float64(i+1)
	}
	return r
}
