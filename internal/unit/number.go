package unit

import (
	"math"
	"strconv"
	"strings"
)

const (
	minus = "\u2212" // the true minus sign: as wide as a plus, and never a line break
	none  = "n/a"    // what is written for a number there is not
)

// Count writes a whole number with commas: "36,000".
func Count(n int64) string {
	if n < 0 {
		return minus + group(strings.TrimPrefix(strconv.FormatInt(n, 10), "-"))
	}
	return group(strconv.FormatInt(n, 10))
}

// Number writes any number for reading: three significant digits below 1,000,
// whole above, and as a power of ten where nobody counts the digits any more. It
// is for values whose unit loadline does not know.
func Number(x float64) string {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return none
	case math.Abs(x) >= 999.5 && math.Abs(x) < uncounted:
		s := group(strconv.FormatFloat(math.Abs(x), 'f', 0, 64))
		if x < 0 {
			return minus + s
		}
		return s
	default:
		return signed(x, 6)
	}
}

// uncounted is from where on digits are too many to be counted: 16 of them.
const uncounted = 1e15

// signed is x in three significant digits and at most so many decimals, with a
// true minus sign; what rounds to nothing is "0".
func signed(x float64, decimals int) string {
	s := digits3(math.Abs(x), decimals)
	if x < 0 && s != "0" {
		return minus + s
	}
	return s
}

// digits3 writes x >= 0 with three significant digits, at most so many
// decimals, commas, and no zeros at the end of a fraction; from uncounted on as a
// power of ten, "1.80e+308".
func digits3(x float64, decimals int) string {
	r := round3(x)
	if r >= uncounted {
		return strconv.FormatFloat(x, 'e', 2, 64)
	}
	if r > 0 {
		decimals = min(decimals, max(0, 2-int(math.Floor(math.Log10(r)+1e-12))))
	}
	s := strconv.FormatFloat(r, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	whole, fraction, ok := strings.Cut(s, ".")
	if ok {
		return group(whole) + "." + fraction
	}
	return group(whole)
}

// round3 is x in three significant digits. Going through text rounds as a
// reader would: 1.005 is 1.00 whatever binary makes of it.
func round3(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 2, 64), 64)
	return r
}

// group puts a comma before each group of three digits.
func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
