package unit

import (
	"math"
	"strconv"
	"strings"
)

// ParsePercent reads "1%" as the share 0.01. Errors are *Error.
func ParsePercent(text string) (float64, error) {
	number, rest := scanNumber(text)
	if number == "" {
		return 0, errorf(`write a number and a percent sign, "95%"`, "%q is not a percentage", text)
	}
	if rest != "%" {
		return 0, errorf(`write "`+number+`%"`, "percentage %q has no percent sign", text)
	}
	// Shifting the point in the text keeps "0.1%" the same number as 0.001,
	// which dividing by 100 would not.
	share, err := strconv.ParseFloat(number+"e-2", 64)
	if err != nil {
		return 0, errorf("percentages go from 0% to 100%", "percentage %q is too large", text)
	}
	return share, nil
}

// FormatPercent writes a share of 0 or more as a spec would: 0.01 is "1%". ParsePercent
// reads it back exactly.
func FormatPercent(share float64) string {
	// The other way round from ParsePercent: move the point two places right.
	mantissa, exponent, ok := strings.Cut(strconv.FormatFloat(share, 'e', -1, 64), "e")
	if !ok {
		return none
	}
	e, _ := strconv.Atoi(exponent)
	digits := strings.Replace(mantissa, ".", "", 1)
	switch point := e + 3; {
	case share == 0:
		return "0%"
	case point <= 0:
		return "0." + strings.Repeat("0", -point) + digits + "%"
	case point >= len(digits):
		return digits + strings.Repeat("0", point-len(digits)) + "%"
	default:
		return digits[:point] + "." + digits[point:] + "%"
	}
}

// Percent writes a share for reading: 0.0123 is "1.23%".
func Percent(share float64) string {
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return none
	}
	return signed(share*100, 3) + "%"
}

// Share writes part of whole for reading, and never rounds some to none or to
// all: 1 of 1,000,000 is "<0.01%", 999,999 of 1,000,000 is ">99.99%".
func Share(part, whole int64) string {
	switch share := float64(part) / float64(whole); {
	case whole <= 0:
		return none
	case part > 0 && share < 0.0001:
		return "<0.01%"
	case part < whole && share > 0.9999:
		return ">99.99%"
	case part < whole && share > 0.99: // three digits would round 99.96 % to 100 %
		return strconv.FormatFloat(math.Floor(share*1e4)/100, 'f', -1, 64) + "%"
	default:
		return Percent(share)
	}
}

// Change writes a relative change with its sign, in three digits at most:
// 0.36 is "+36%", -0.032 is "−3.2%".
func Change(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return none
	}
	return plus(signed(ratio*100, 2)) + "%"
}

// Points writes a difference of two shares in percentage points: 0.005 is "+0.5pp".
func Points(difference float64) string {
	if math.IsNaN(difference) || math.IsInf(difference, 0) {
		return none
	}
	return plus(signed(difference*100, 2)) + "pp"
}

func plus(s string) string {
	if s == "0" || strings.HasPrefix(s, minus) {
		return s
	}
	return "+" + s
}
