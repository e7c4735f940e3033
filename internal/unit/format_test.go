package unit

import (
	"math"
	"testing"
	"time"
)

func TestForReading(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"no time", Duration(0), "0 ms"},
		{"ns", Duration(850), "850 ns"},
		{"µs", Duration(8500), "8.5 µs"},
		{"ms", Duration(212 * time.Millisecond), "212 ms"},
		{"three digits", Duration(3_456_789), "3.46 ms"},
		{"s", Duration(1350 * time.Millisecond), "1.35 s"},
		{"rounds into the next unit", Duration(999_600 * time.Microsecond), "1 s"},
		{"just below a minute", Duration(59_960 * time.Millisecond), "1m"},
		{"whole seconds", Duration(30 * time.Second), "30 s"},
		{"minutes", Duration(125 * time.Second), "2m 5s"},
		{"whole minutes", Duration(2 * time.Minute), "2m"},
		{"hours", Duration(90 * time.Minute), "1h 30m"},
		{"almost an hour", Duration(time.Hour - time.Millisecond), "1h"},
		{"many hours", Duration(24 * time.Hour), "24h"},
		{"negative", Duration(-212 * time.Millisecond), "−212 ms"},
		{"the least", Duration(math.MinInt64), "−2,562,047h 47m"},
		{"whole µs", Micros(int64(212_345)), "212 ms"},
		{"part of a µs", Micros(0.25), "250 ns"},
		{"no µs", Micros(math.NaN()), "n/a"},

		{"count", Count(36_000), "36,000"},
		{"small count", Count(7), "7"},
		{"million", Count(1_234_567), "1,234,567"},
		{"negative count", Count(-1234), "−1,234"},
		{"least count", Count(math.MinInt64), "−9,223,372,036,854,775,808"},

		{"number", Number(0.123456), "0.123"},
		{"whole", Number(20), "20"},
		{"large number", Number(12345.6), "12,346"},
		{"too many digits to count", Number(1e15), "1.00e+15"},
		{"a time too long to count", Micros(-1e80), "−1.00e+74 s"},
		{"the largest number", Number(-math.MaxFloat64), "−1.80e+308"},
		{"a share of nearly nothing", Percent(1e300), "1.00e+302%"},
		{"rounds to a thousand", Number(999.7), "1,000"},
		{"negative number", Number(-2.5), "−2.5"},
		{"large negative", Number(-12345), "−12,345"},
		{"rounds to nothing", Number(-1e-9), "0"},
		{"infinite", Number(math.Inf(1)), "n/a"},

		{"rate", Rate(200), "200/s"},
		{"slow rate", Rate(0.5), "0.5/s"},
		{"fast rate", Rate(12_345), "12,345/s"},
		{"no rate", Rate(math.NaN()), "n/a"},

		{"percent", Percent(0.0123), "1.23%"},
		{"none", Percent(0), "0%"},
		{"all", Percent(1), "100%"},
		{"three digits of a percent", Percent(0.998765), "99.9%"},
		{"no percent", Percent(math.NaN()), "n/a"},

		{"share", Share(12, 2300), "0.522%"},
		{"no share", Share(0, 10), "0%"},
		{"whole share", Share(10, 10), "100%"},
		{"few of many", Share(1, 1_000_000), "<0.01%"},
		{"all but few", Share(999_999, 1_000_000), ">99.99%"},
		{"not quite all", Share(9996, 10_000), "99.96%"},
		{"of nothing", Share(0, 0), "n/a"},

		{"slower", Change(0.36), "+36%"},
		{"faster", Change(-0.032), "−3.2%"},
		{"same", Change(0), "0%"},
		{"almost the same", Change(-0.00001), "0%"},
		{"three digits of change", Change(0.12345), "+12.3%"},
		{"many times", Change(12.345), "+1,230%"},
		{"from nothing", Change(math.Inf(1)), "n/a"},
		{"points", Points(0.005), "+0.5pp"},
		{"points down", Points(-0.02), "−2pp"},
		{"no points", Points(math.NaN()), "n/a"},

		{"bytes", Size(12), "12 B"},
		{"KB", Size(1234), "1.23 KB"},
		{"MB", Size(1 << 20), "1.05 MB"},
		{"rounds up to a MB", Size(999_900), "1 MB"},
		{"negative size", Size(-1234), "−1.23 KB"},
		{"largest", Size(math.MaxInt64), "9,220,000 TB"},
		{"least size", Size(math.MinInt64), "−9,220,000 TB"},

		{"as written", FormatDuration(90 * time.Second), "1m30s"},
		{"minutes as written", FormatDuration(2 * time.Minute), "2m"},
		{"hours as written", FormatDuration(2 * time.Hour), "2h"},
		{"ms as written", FormatDuration(500 * time.Millisecond), "500ms"},
		{"nothing as written", FormatDuration(0), "0s"},
		{"30m as written", FormatDuration(30 * time.Minute), "30m"},
		{"10h as written", FormatDuration(10 * time.Hour), "10h"},
		{"rate as written", FormatRate(2.5), "2.5/s"},
		{"size as written", FormatSize(1 << 20), "1MiB"},
		{"decimal size as written", FormatSize(512_000), "512KB"},
		{"odd size as written", FormatSize(1025), "1025B"},
		{"no size as written", FormatSize(0), "0B"},
		{"percent as written", FormatPercent(0.01), "1%"},
		{"small percent as written", FormatPercent(0.0005), "0.05%"},
		{"more than all as written", FormatPercent(2), "200%"},
		{"part of a percent as written", FormatPercent(0.125), "12.5%"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
