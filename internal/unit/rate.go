package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ratePeriods are the words for one of a unit; any duration may stand there too.
var ratePeriods = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "ms": time.Millisecond}

var rateWords = map[string]string{
	"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "hr": "h",
}

// ParseRate reads a rate, "50/s", "300/m" or "50/10s", as a number per second.
// Errors are *Error.
func ParseRate(text string) (float64, error) {
	number, rest := scanNumber(text)
	if number == "" {
		return 0, errorf(`write a number and a time, "50/s", "300/m" or "50/10s"`, "%q is not a rate", text)
	}
	period, slash := strings.CutPrefix(rest, "/")
	if !slash {
		if tidy := strings.ReplaceAll(text, " ", ""); tidy != text {
			if _, err := ParseRate(tidy); err == nil {
				return 0, errorf(`write "`+tidy+`"`, "rate %q has a space in it", text)
			}
		}
		return 0, errorf(`write "`+number+`/s"`, "rate %q: per what?", text)
	}
	per, ok := ratePeriods[period]
	if !ok {
		if word, known := rateWords[period]; known {
			return 0, errorf(`did you mean "`+number+"/"+word+`"?`, "unknown time %q in rate %q", period, text)
		}
		var err error
		if per, err = ParseDuration(period); err != nil || per == 0 {
			return 0, errorf(`write "`+number+`/s", "`+number+`/m" or "`+number+`/10s"`, "rate %q: per what?", text)
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	rate := value / per.Seconds()
	if err != nil || math.IsInf(rate, 0) {
		return 0, errorf("rates go up to 1000000/s", "rate %q is too high", text)
	}
	return rate, nil
}

// FormatRate writes a rate as a spec would: "50/s". ParseRate reads it back exactly.
func FormatRate(perSecond float64) string { return plain(perSecond) + "/s" }

// Rate writes a rate for reading: "200/s", "0.5/s", "12,345/s".
func Rate(perSecond float64) string {
	if s := Number(perSecond); s != none {
		return s + "/s"
	}
	return none
}
