package load

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/loadline-ci/loadline/internal/result"
)

// A payloader writes histograms as HdrHistogram V2 compressed payloads, as
// hdr.Histogram.Encode does, from the pieces that are there and with one
// compressor for all. The module makes a new one each time, at the highest
// level: a megabyte and two milliseconds for each step of each round, which on a
// run of some seconds was a fiftieth of all its CPU.
type payloader struct {
	counts []byte // of the histogram, in ZigZag LEB128
	packed bytes.Buffer
	zip    *zlib.Writer
}

// The numbers that a V2 payload begins with, and their order, are those of
// HdrHistogram's own AbstractHistogram.encodeIntoByteBuffer (Java); 0x10 says
// that counts have a variable length.
const (
	v2Cookie           = 0x1c849303 | 0x10
	v2CompressedCookie = 0x1c849304 | 0x10
)

// encode returns the payload of h, in base64.
func (p *payloader) encode(h *histogram) ([]byte, error) {
	p.counts = h.appendCounts(p.counts[:0])
	p.packed.Reset()
	p.packed.Write(make([]byte, 8)) // filled in below
	if p.zip == nil {
		p.zip = zlib.NewWriter(&p.packed)
	} else {
		p.zip.Reset(&p.packed)
	}
	head := binary.BigEndian.AppendUint32(nil, v2Cookie)
	head = binary.BigEndian.AppendUint32(head, uint32(len(p.counts)))
	head = binary.BigEndian.AppendUint32(head, 0) // normalizing index offset
	head = binary.BigEndian.AppendUint32(head, result.Digits)
	head = binary.BigEndian.AppendUint64(head, result.MinMicros)
	head = binary.BigEndian.AppendUint64(head, result.MaxMicros)
	head = binary.BigEndian.AppendUint64(head, math.Float64bits(1)) // integer to double conversion ratio
	for _, part := range [][]byte{head, p.counts} {
		if _, err := p.zip.Write(part); err != nil {
			return nil, err
		}
	}
	if err := p.zip.Close(); err != nil {
		return nil, err
	}
	out := p.packed.Bytes()
	binary.BigEndian.PutUint32(out, v2CompressedCookie)
	binary.BigEndian.PutUint32(out[4:], uint32(len(out)-8))
	return base64.StdEncoding.AppendEncode(nil, out), nil
}

// appendCounts appends the counts up to the last that is not 0: each as it is,
// and so many zeros in a row as their negative number.
func (h *histogram) appendCounts(b []byte) []byte {
	zeros := int64(0)
	for _, piece := range h.pieces {
		if piece == nil {
			zeros += 1 << stepBits
			continue
		}
		for _, n := range piece {
			if n == 0 {
				zeros++
				continue
			}
			switch {
			case zeros == 1:
				b = append(b, 0) // the module writes a single one as the count it is
			case zeros > 1:
				b = appendZigZag(b, -zeros)
			}
			zeros = 0
			b = appendZigZag(b, int64(n))
		}
	}
	return b
}

// appendZigZag appends n in 7 bits a byte, lowest first, but for the ninth byte,
// which takes the last 8: HdrHistogram's variant of LEB128.
func appendZigZag(b []byte, n int64) []byte {
	v := uint64(n<<1) ^ uint64(n>>63)
	for range 8 {
		if v < 0x80 {
			return append(b, byte(v))
		}
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
