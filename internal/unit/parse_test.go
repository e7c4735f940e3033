package unit

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want time.Duration
		err  string
	}{
		{in: "0s"},
		{in: "500ms", want: 500 * time.Millisecond},
		{in: "30s", want: 30 * time.Second},
		{in: "1m30s", want: 90 * time.Second},
		{in: "2h", want: 2 * time.Hour},
		{in: "1.5s", want: 1500 * time.Millisecond},
		{in: "10us", want: 10 * time.Microsecond},
		{in: "10µs", want: 10 * time.Microsecond},
		{in: "7ns", want: 7},
		{in: "30", err: `duration "30" has no unit; write it with a unit, "30s"`},
		{in: "", err: `"" is not a duration; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "soon", err: `"soon" is not a duration; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "-5s", err: `duration "-5s" is negative; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "30 s", err: `duration "30 s" has a space in it; write "30s"`},
		{in: "1m 30s", err: `duration "1m 30s" has a space in it; write "1m30s"`},
		{in: "2min", err: `unknown duration unit "min" in "2min"; did you mean "2m"?`},
		{in: "90sec", err: `unknown duration unit "sec" in "90sec"; did you mean "90s"?`},
		{in: "1d", err: `unknown duration unit "d" in "1d"; write hours, "24h"`},
		{in: "5parsecs", err: `unknown duration unit "parsecs" in "5parsecs"; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "1m30", err: `"1m30" is not a duration; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "1..5s", err: `"1..5s" is not a duration; write a number with a unit, "500ms", "30s", "1m30s" or "2h"`},
		{in: "9999999999h", err: `duration "9999999999h" is too long; durations go up to 24h`},
	} {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseDuration(tt.in)
			check(t, got, tt.want, err, tt.err)
		})
	}
}

func TestParseRate(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
		err  string
	}{
		{in: "50/s", want: 50},
		{in: "300/m", want: 5},
		{in: "50/10s", want: 5},
		{in: "3600/h", want: 1},
		{in: "0.5/s", want: 0.5},
		{in: "5/100ms", want: 50},
		{in: "0/s"},
		{in: "50", err: `rate "50": per what? write "50/s"`},
		{in: "50rps", err: `rate "50rps": per what? write "50/s"`},
		{in: "50 / s", err: `rate "50 / s" has a space in it; write "50/s"`},
		{in: "50/sec", err: `unknown time "sec" in rate "50/sec"; did you mean "50/s"?`},
		{in: "50/0s", err: `rate "50/0s": per what? write "50/s", "50/m" or "50/10s"`},
		{in: "50/x", err: `rate "50/x": per what? write "50/s", "50/m" or "50/10s"`},
		{in: "fast", err: `"fast" is not a rate; write a number and a time, "50/s", "300/m" or "50/10s"`},
		{in: "-1/s", err: `"-1/s" is not a rate; write a number and a time, "50/s", "300/m" or "50/10s"`},
	} {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseRate(tt.in)
			check(t, got, tt.want, err, tt.err)
		})
	}
}

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int64
		err  string
	}{
		{in: "0B"},
		{in: "12B", want: 12},
		{in: "512KB", want: 512_000},
		{in: "1MiB", want: 1 << 20},
		{in: "1.5KiB", want: 1536},
		{in: "2GiB", want: 2 << 30},
		{in: "512", err: `size "512" has no unit; write it with a unit, "512B" or "512KB"`},
		{in: "1mb", err: `unknown size unit "mb"; did you mean "MB"?`},
		{in: "1kib", err: `unknown size unit "kib"; did you mean "KiB"?`},
		{in: "1k", err: `unknown size unit "k"; did you mean "KB"?`},
		{in: "1 MB", err: `size "1 MB" has a space in it; write "1MB"`},
		{in: "1foo", err: `unknown size unit "foo"; write a number with a unit, "512KB" (KB is 1000 bytes) or "1MiB" (KiB is 1024)`},
		{in: "big", err: `"big" is not a size; write a number with a unit, "512KB" (KB is 1000 bytes) or "1MiB" (KiB is 1024)`},
		{in: "99999999999TiB", err: `size "99999999999TiB" is too large; sizes go up to 1TiB`},
	} {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseSize(tt.in)
			check(t, got, tt.want, err, tt.err)
		})
	}
}

func TestParsePercent(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
		err  string
	}{
		{in: "0%"},
		{in: "1%", want: 0.01},
		{in: "0.1%", want: 0.001},
		{in: "99.9%", want: 0.999},
		{in: "100%", want: 1},
		{in: "5", err: `percentage "5" has no percent sign; write "5%"`},
		{in: "5 %", err: `percentage "5 %" has no percent sign; write "5%"`},
		{in: "half", err: `"half" is not a percentage; write a number and a percent sign, "95%"`},
	} {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParsePercent(tt.in)
			check(t, got, tt.want, err, tt.err)
		})
	}
}

func check[T comparable](t *testing.T, got, want T, err error, wantErr string) {
	t.Helper()
	if wantErr == "" {
		if err != nil || got != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		return
	}
	if err == nil || err.Error() != wantErr {
		t.Fatalf("got %v, error %v\nwant error %s", got, err, wantErr)
	}
	if e := new(Error); !errors.As(err, &e) || e.Msg == "" || e.Hint == "" {
		t.Fatalf("error %#v has no message or no hint", err)
	}
}

// What parses prints, and parses back alike.

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0s", "500ms", "1m30s", "2h", "1.5h", "9h59m59.999s", "30", "1m 2s", "1d", "µs"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		if d < 0 {
			t.Fatalf("ParseDuration(%q) = %v: negative", s, d)
		}
		Duration(d)
		if d > 24*time.Hour { // beyond what a spec may say, a float no longer holds each nanosecond
			return
		}
		if back, err := ParseDuration(FormatDuration(d)); err != nil || back != d {
			t.Fatalf("%q is %v, which prints as %q and parses back as %v, %v", s, d, FormatDuration(d), back, err)
		}
	})
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"50/s", "300/m", "50/10s", "1/3s", "0.1/s", "50", "x/s", "1/0s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		if math.IsNaN(r) || math.IsInf(r, 0) || r < 0 {
			t.Fatalf("ParseRate(%q) = %v", s, r)
		}
		Rate(r)
		if back, err := ParseRate(FormatRate(r)); err != nil || back != r {
			t.Fatalf("%q is %v, which prints as %q and parses back as %v, %v", s, r, FormatRate(r), back, err)
		}
	})
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"0B", "512KB", "1MiB", "1.5KiB", "1mb", "7TiB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err != nil {
			return
		}
		Size(n)
		if n < 0 {
			t.Fatalf("ParseSize(%q) = %d: negative", s, n)
		}
		if back, err := ParseSize(FormatSize(n)); n < 1<<53 && (err != nil || back != n) {
			t.Fatalf("%q is %v, which prints as %q and parses back as %v, %v", s, n, FormatSize(n), back, err)
		}
	})
}

func FuzzParsePercent(f *testing.F) {
	for _, s := range []string{"0%", "1%", "0.1%", "99.9%", "33.333%", "5", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := ParsePercent(s)
		if err != nil {
			return
		}
		Percent(x)
		if back, err := ParsePercent(FormatPercent(x)); len(s) < 300 && (err != nil || back != x) {
			t.Fatalf("%q is %v, which prints as %q and parses back as %v, %v", s, x, FormatPercent(x), back, err)
		}
	})
}

func TestErrorSentence(t *testing.T) {
	// Hints are for a second line; alone they must still read as an order.
	for _, s := range []string{"", "30", "1h 2", "2min"} {
		_, err := ParseDuration(s)
		if err == nil || strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseDuration(%q): %v", s, err)
		}
	}
}
