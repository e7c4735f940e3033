package result

import (
	"fmt"
	"math"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/stat"
)

// What a quantile needs to be read from a few requests (docs/verdict.md).
const (
	chunkTail  = 2  // requests beyond the quantile that a chunk should hold
	wantChunks = 10 // below this many, chunks shrink to half of chunkTail
	fewChunks  = 5  // below this many, rounds say too little about their own spread
)

// A bar is n requests that took as long, in µs.
type bar struct{ micros, n int64 }

// bars decodes the latency of a step in a round; none when it had no success.
// A histogram has 17,000 counters, of which a round fills a few hundred: they
// stay packed.
func (s *RoundStep) bars() ([]bar, error) {
	if len(s.Latency) == 0 {
		return nil, nil
	}
	h, err := hdr.DecodePacked(s.Latency)
	if err != nil {
		return nil, fmt.Errorf("histogram: %w", err)
	}
	all := make([]bar, 0, h.Populated())
	for micros, n := range h.ForEachBucket {
		all = append(all, bar{max(1, micros), n})
	}
	return all, nil
}

// merged adds up the bars of several histograms, each in order: by halves, so
// that a bar is looked at as often as the number of parts has binary digits.
func merged(parts [][]bar) []bar {
	switch n := len(parts); n {
	case 0:
		return nil
	case 1:
		return parts[0]
	case 2:
		return merge(parts[0], parts[1])
	default:
		return merge(merged(parts[:n/2]), merged(parts[n/2:]))
	}
}

// merge adds up the bars of two.
func merge(a, b []bar) []bar {
	all := make([]bar, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].micros < b[0].micros:
			all, a = append(all, a[0]), a[1:]
		case a[0].micros > b[0].micros:
			all, b = append(all, b[0]), b[1:]
		default:
			all = append(all, bar{a[0].micros, a[0].n + b[0].n})
			a, b = a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}

func count(bars []bar) int64 {
	var n int64
	for _, b := range bars {
		n += b.n
	}
	return n
}

// quantile reads the quantile q (as ln µs) of n requests in order of their
// time. It interpolates at (n + 1/3) q + 1/3, which has the true quantile as
// its median whatever the distribution and however small n (Hyndman and Fan,
// The American Statistician 1996, definition 8): runs with chunks of different
// size stay comparable.
func quantile(bars []bar, n int64, q float64) float64 {
	at := min(max((float64(n)+1.0/3)*q+1.0/3, 1), float64(n))
	low := int64(math.Floor(at))
	a, b := atRank(bars, low), atRank(bars, min(low+1, n))
	return a + (b-a)*(at-float64(low))
}

// atRank is ln µs of the request at the given rank, counted from 1.
func atRank(bars []bar, rank int64) float64 {
	for _, b := range bars {
		if rank -= b.n; rank <= 0 {
			return math.Log(float64(b.micros))
		}
	}
	return math.Log(float64(bars[len(bars)-1].micros))
}

// quantiles finds the location of each quantile over chunks of adjacent rounds,
// as far as the requests go.
func quantiles(rounds [][]bar) []Quantile {
	all := merged(rounds)
	n := count(all)
	var found []Quantile
	for _, q := range SummaryQuantiles {
		if got, ok := locate(rounds, all, n, q); ok {
			found = append(found, got)
		}
	}
	return found
}

// locate finds the location of the quantile q of n requests, all of them or by
// round; false when they are too few to read it at all.
func locate(rounds [][]bar, all []bar, n int64, q float64) (Quantile, bool) {
	if float64(n) < chunkTail/(1-q)-1e-9 {
		return Quantile{}, false
	}
	values := chunkValues(rounds, n, q)
	whole := quantile(all, n, q)
	found := Quantile{Q: q, N: n, Micros: int64(math.Round(math.Exp(whole)))}
	if len(values) >= fewChunks {
		found.Figure = figure(values)
		return found, true
	}
	// Too few chunks to see their spread: the whole run at once, with the error
	// that its order statistics leave.
	found.Figure = Figure{Y: rounded(whole), SE: rounded(rankError(all, n, q)), K: len(values)}
	return found, true
}

// chunkValues reads the quantile of each chunk: adjacent rounds, merged until
// they hold enough requests. What is left at the end joins the last chunk.
func chunkValues(rounds [][]bar, n int64, q float64) []float64 {
	enough := chunkTail / (1 - q)
	if float64(n) < wantChunks*enough {
		enough = max(enough/2, float64(n)/wantChunks)
	}
	var chunks [][]bar
	var open [][]bar
	var have int64
	for _, r := range rounds {
		open = append(open, r)
		have += count(r)
		if float64(have) >= enough-1e-9 {
			chunks = append(chunks, merged(open))
			open, have = nil, 0
		}
	}
	if have > 0 && len(chunks) > 0 {
		last := len(chunks) - 1
		chunks[last] = merged(append(open, chunks[last]))
	}
	values := make([]float64, 0, len(chunks))
	for _, c := range chunks {
		values = append(values, quantile(c, count(c), q))
	}
	return values
}

// rankError is the standard error of ln quantile that follows from the ranks
// one standard deviation to each side, if requests were independent.
func rankError(bars []bar, n int64, q float64) float64 {
	at, sd := float64(n)*q, math.Sqrt(float64(n)*q*(1-q))
	rank := func(x float64) float64 { return atRank(bars, int64(min(max(math.Round(x), 1), float64(n)))) }
	mid := rank(at)
	return max(mid-rank(at-sd), rank(at+sd)-mid)
}

func figure(xs []float64) Figure {
	l := stat.Locate(xs)
	if l.K == 0 {
		return Figure{}
	}
	f := Figure{Y: rounded(l.Y), K: l.K}
	if l.K > 1 {
		f.SE = rounded(l.SE)
	}
	return f
}

// rounded keeps five decimals: a thousandth of a percent, and short files.
func rounded(x float64) float64 { return math.Round(x*1e5) / 1e5 }
