package unit

import (
	"math"
	"strconv"
	"strings"
)

// sizeUnits go from small to large, decimal ones first.
var sizeUnits = []struct {
	name  string
	bytes float64
}{
	{"B", 1},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
}

// ParseSize reads a size in bytes: "512KB" (KB = 1000), "1MiB" (KiB = 1024).
// Errors are *Error.
func ParseSize(text string) (int64, error) {
	const example = `write a number with a unit, "512KB" (KB is 1000 bytes) or "1MiB" (KiB is 1024)`
	number, name := scanNumber(text)
	if number == "" {
		return 0, errorf(example, "%q is not a size", text)
	}
	if name == "" {
		return 0, errorf(`write it with a unit, "`+number+`B" or "`+number+`KB"`, "size %q has no unit", text)
	}
	for _, u := range sizeUnits {
		if u.name != name {
			continue
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil || value*u.bytes >= math.MaxInt64 {
			return 0, errorf("sizes go up to 1TiB", "size %q is too large", text)
		}
		return int64(math.Round(value * u.bytes)), nil
	}
	name = strings.TrimSpace(name)
	for _, u := range sizeUnits {
		switch {
		case name == u.name:
			return 0, errorf(`write "`+number+name+`"`, "size %q has a space in it", text)
		case strings.EqualFold(name, u.name), strings.EqualFold(name+"B", u.name):
			return 0, errorf(`did you mean "`+u.name+`"?`, "unknown size unit %q", name)
		}
	}
	return 0, errorf(example, "unknown size unit %q", name)
}

// FormatSize writes a number of bytes as a spec would, in the largest unit that
// says it exactly: "1MiB", "512KB", "1025B".
func FormatSize(bytes int64) string {
	best := strconv.FormatInt(bytes, 10) + "B"
	for _, u := range sizeUnits {
		n := int64(u.bytes)
		if s := strconv.FormatInt(bytes/n, 10) + u.name; bytes > 0 && bytes%n == 0 && len(s) < len(best) {
			best = s
		}
	}
	return best
}

// Size writes a number of bytes for reading, in decimal units: "1.05 MB".
func Size(bytes int64) string {
	if bytes < 0 {
		return minus + Size(-max(bytes, -math.MaxInt64))
	}
	r := round3(float64(bytes))
	for i := 4; i > 0; i-- {
		if u := sizeUnits[i]; r >= u.bytes {
			return digits3(r/u.bytes, 2) + " " + u.name
		}
	}
	return digits3(r, 0) + " B"
}
