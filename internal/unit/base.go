package unit

import "math"

// A Base is what a bare number counts, in the base units of Prometheus
// (prometheus.io/docs/practices/naming). Result files have them as text.
type Base string

// The base units.
const (
	BasePlain    Base = ""
	BaseBytes    Base = "bytes"
	BaseSeconds  Base = "seconds"
	BaseShare    Base = "share" // 0 to 1
	BaseRate     Base = "per_second"
	BaseByteRate Base = "bytes_per_second"
)

// In writes a number that counts base units.
func In(base Base, n float64) string {
	switch base {
	case BaseBytes:
		return bytes(n)
	case BaseSeconds:
		return Micros(n * 1e6)
	case BaseShare:
		return Percent(n)
	case BaseRate:
		return Rate(n)
	case BaseByteRate:
		return bytes(n) + "/s"
	default:
		return Number(n)
	}
}

// bytes is Size for any number: a file that loadline did not write may have more
// than there are.
func bytes(n float64) string {
	if math.IsNaN(n) || math.Abs(n) >= math.MaxInt64 {
		return Number(n) + " B"
	}
	return Size(int64(n))
}
