package load

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"

	"github.com/loadline-ci/loadline/internal/result"
)

// inflated is a payload without its compression.
func inflated(t *testing.T, payload []byte) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(string(payload))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(packed[8:]))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestPayload: what is written is, compression apart, byte for byte what the
// module itself writes, and it reads it back.
func TestPayload(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var p payloader
	for i := range 200 {
		var h histogram
		full := result.NewHistogram()
		for range 1 + random.IntN(300) {
			v := min(uint64(math.Exp(random.Float64()*math.Log(result.MaxMicros)))+1, result.MaxMicros)
			for range 1 + random.IntN(1<<random.IntN(10)) {
				h.add(v)
			}
		}
		h.fill(full)
		payload, err := p.encode(&h)
		if err != nil {
			t.Fatal(err)
		}
		want, err := full.Encode(hdr.V2CompressedEncodingCookieBase)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(inflated(t, want), inflated(t, payload)); diff != "" {
			t.Fatalf("histogram %d differs from the module's own:\n%s", i, diff)
		}
		back, err := hdr.Decode(payload)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Equals(full) {
			t.Fatalf("histogram %d came back as another", i)
		}
	}
}

// TestZigZag: counts of every length, as large as they get.
func TestZigZag(t *testing.T) {
	t.Parallel()
	for bits := range 63 {
		h := histogram{}
		h.pieces[0] = new([1 << stepBits]uint64)
		h.pieces[0][1] = 1 << bits
		h.total = 1 << bits
		payload, err := new(payloader).encode(&h)
		if err != nil {
			t.Fatal(err)
		}
		back, err := hdr.Decode(payload)
		if err != nil || back.TotalCount() != 1<<bits {
			t.Errorf("a count of 2^%d came back as %v, %v", bits, back.TotalCount(), err)
		}
	}
}

func BenchmarkPayload(b *testing.B) {
	var h histogram
	for i := range 1000 {
		for range i {
			h.add(uint64(500 + i + i*i/50))
		}
	}
	var p payloader
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, err := p.encode(&h)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(out)), "bytes")
		}
	})
	b.Run("module", func(b *testing.B) {
		b.ReportAllocs()
		scratch := result.NewHistogram()
		for b.Loop() {
			scratch.Reset()
			out, err := h.fill(scratch).Encode(hdr.V2CompressedEncodingCookieBase)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(len(out)), "bytes")
		}
	})
}
