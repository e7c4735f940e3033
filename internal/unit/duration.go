package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

var durationUnits = map[string]float64{
	"ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
}

// durationWords are units that people write and the notation does not have.
var durationWords = map[string]string{
	"sec": "s", "secs": "s", "second": "s", "seconds": "s", "S": "s",
	"min": "m", "mins": "m", "minute": "m", "minutes": "m", "M": "m",
	"hr": "h", "hrs": "h", "hour": "h", "hours": "h", "H": "h",
	"msec": "ms", "millis": "ms", "milliseconds": "ms", "MS": "ms",
}

// ParseDuration reads a duration as a spec writes it: one or more decimal
// numbers, each with its unit out of ns us ms s m h, as in "500ms" or "1m30s".
// There is no sign and no bare number; zero is "0s". Errors are *Error.
func ParseDuration(text string) (time.Duration, error) {
	if number, rest := scanNumber(text); number != "" && rest == "" {
		return 0, errorf(`write it with a unit, "`+text+`s"`, "duration %q has no unit", text)
	}
	const example = `write a number with a unit, "500ms", "30s", "1m30s" or "2h"`
	var total float64
	for rest := text; ; {
		number, after := scanNumber(rest)
		if number == "" {
			if s := strings.ReplaceAll(text, " ", ""); s != text && s != "" {
				if _, err := ParseDuration(s); err == nil {
					return 0, errorf(`write "`+s+`"`, "duration %q has a space in it", text)
				}
			}
			if strings.HasPrefix(text, "-") {
				return 0, errorf(example, "duration %q is negative", text)
			}
			return 0, errorf(example, "%q is not a duration", text)
		}
		name := after[:unitEnd(after)]
		size, ok := durationUnits[name]
		if !ok {
			return 0, durationUnitError(text, number, name, example)
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, errorf(example, "%q is not a duration", text)
		}
		total += value * size
		if total >= math.MaxInt64 {
			return 0, errorf("durations go up to 24h", "duration %q is too long", text)
		}
		if rest = after[len(name):]; rest == "" {
			return time.Duration(math.Round(total)), nil
		}
	}
}

func unitEnd(text string) int {
	if i := strings.IndexAny(text, "0123456789. "); i >= 0 {
		return i
	}
	return len(text)
}

func durationUnitError(text, number, name, example string) *Error {
	if word, ok := durationWords[name]; ok {
		return errorf(`did you mean "`+number+word+`"?`, "unknown duration unit %q in %q", name, text)
	}
	if name == "d" || name == "day" || name == "days" {
		return errorf(`write hours, "24h"`, "unknown duration unit %q in %q", name, text)
	}
	if s := strings.ReplaceAll(text, " ", ""); name == "" && s != text {
		if _, err := ParseDuration(s); err == nil {
			return errorf(`write "`+s+`"`, "duration %q has a space in it", text)
		}
	}
	if name == "" {
		return errorf(example, "%q is not a duration", text)
	}
	return errorf(example, "unknown duration unit %q in %q", name, text)
}

// FormatDuration writes d as a spec would: "1m30s", "500ms", "2h".
// ParseDuration reads it back exactly for durations up to about 24 h.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Duration writes d for reading, with three significant digits below a minute:
// "212 ms", "1.35 s", "2m 5s", "1h 30m".
func Duration(d time.Duration) string { return nanos(float64(d)) }

// Micros writes a number of microseconds, as histograms hold them, like Duration.
func Micros[N int64 | float64](us N) string { return nanos(float64(us) * 1e3) }

func nanos(ns float64) string {
	switch {
	case math.IsNaN(ns) || math.IsInf(ns, 0):
		return none
	case ns < 0:
		return minus + nanos(-ns)
	case ns < 0.5:
		return "0 ms"
	}
	// Rounded first: 999.6 ms is "1 s", not "1000 ms".
	switch r := round3(ns); {
	case r < 1e3:
		return digits3(r, 0) + " ns"
	case r < 1e6:
		return digits3(r/1e3, 2) + " µs"
	case r < 1e9:
		return digits3(r/1e6, 2) + " ms"
	case r < 60e9:
		return digits3(r/1e9, 2) + " s"
	case r >= uncounted*1e9:
		return digits3(r/1e9, 0) + " s"
	}
	seconds := int64(math.Round(ns / 1e9))
	if seconds < 3600 {
		return parts(seconds/60, "m", seconds%60, "s")
	}
	minutes := (seconds + 30) / 60
	return parts(minutes/60, "h", minutes%60, "m")
}

func parts(big int64, bigUnit string, small int64, smallUnit string) string {
	s := Count(big) + bigUnit
	if small > 0 {
		s += " " + strconv.FormatInt(small, 10) + smallUnit
	}
	return s
}
