package load

import (
	"math/bits"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// A histogram counts values in the very buckets of an HdrHistogram with three
// digits, as result.NewHistogram makes it, but holds only the pieces in which
// something was counted: some ten kilobytes instead of 139, and as much less to
// merge and to clear every second.
//
// With three digits an HdrHistogram tells 1,024 steps apart within each power of
// two from 1,024 up, and single units below 2,048. So piece 0 counts the values
// below 1,024, and piece p those of p+10 bits.
type histogram struct {
	pieces [pieces]*[1 << stepBits]uint64
	total  int64
}

const (
	stepBits = 10
	pieces   = 27 // for values up to maxTrend, which has 36 bits
)

// add counts a value of at most maxTrend.
func (h *histogram) add(v uint64) {
	p := max(bits.Len64(v)-stepBits, 0)
	piece := h.pieces[p]
	if piece == nil {
		piece = new([1 << stepBits]uint64)
		h.pieces[p] = piece
	}
	piece[(v>>max(p-1, 0))&(1<<stepBits-1)]++
	h.total++
}

// merge adds what another histogram counted.
func (h *histogram) merge(from *histogram) {
	if from.total == 0 {
		return
	}
	for p, piece := range from.pieces {
		if piece == nil {
			continue
		}
		into := h.pieces[p]
		if into == nil {
			into = new([1 << stepBits]uint64)
			h.pieces[p] = into
		}
		for i, n := range piece {
			into[i] += n
		}
	}
	h.total += from.total
}

// reset empties the histogram and keeps its pieces.
func (h *histogram) reset() {
	if h.total == 0 {
		return
	}
	for _, piece := range h.pieces {
		if piece != nil {
			*piece = [1 << stepBits]uint64{}
		}
	}
	h.total = 0
}

// fill adds the counts to an HdrHistogram that covers the values in it.
func (h *histogram) fill(into *hdr.Histogram) *hdr.Histogram {
	if h.total == 0 {
		return into
	}
	for p, piece := range h.pieces {
		if piece == nil {
			continue
		}
		base, shift := 0, 0
		if p > 0 {
			base, shift = 1<<stepBits, p-1
		}
		for i, n := range piece {
			if n > 0 {
				// It fails beyond the limits only, within which values were cut.
				_ = into.RecordValues(int64(base+i)<<shift, int64(n))
			}
		}
	}
	return into
}

// full is the histogram as results hold it; nil when it is empty.
func (h *histogram) full() *hdr.Histogram {
	if h == nil || h.total == 0 {
		return nil
	}
	return h.fill(result.NewHistogram())
}

// coarse is full with the two digits that phases have.
func (h *histogram) coarse() *hdr.Histogram {
	if h.total == 0 {
		return nil
	}
	return h.fill(hdr.New(result.MinMicros, result.MaxMicros, result.PhaseDigits))
}

// maxTrend is the highest value of a custom trend in its histogram, which holds
// thousandths: see result.Value.
const maxTrend = 60_000_000_000

// trend is full for the values of a custom metric.
func (h *histogram) trend() *hdr.Histogram {
	if h.total == 0 {
		return nil
	}
	return h.fill(newTrend())
}

func newTrend() *hdr.Histogram { return hdr.New(result.MinMicros, maxTrend, result.Digits) }
