package load

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseSteal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, line string
		want       steal
	}{
		{"usual", "cpu  10 20 30 40 50 60 70 80 90 100\n", steal{stolen: 80, total: 360, known: true}},
		{"old kernel", "cpu  10 20 30 40\n", steal{}},
		{"one CPU", "cpu0 10 20 30 40 50 60 70 80 90 100\n", steal{}},
		{"not a number", "cpu  10 20 30 x 50 60 70 80 90 100\n", steal{}},
		{"nothing", "", steal{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := parseSteal(tt.line); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"150000 100000\n": 1.5, "max 100000\n": 0, "": 0, "-5 100000\n": 0, "100000 0\n": 0} {
		file := filepath.Join(t.TempDir(), "cpu.max")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok := quotaV2(file); got != want || ok != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", text, got, ok, want)
		}
	}
	dir := t.TempDir()
	if _, ok := quotaV1(dir); ok {
		t.Error("a folder without files has a quota")
	}
	for quota, want := range map[string]float64{"-1\n": 0, "50000\n": 0.5} {
		for name, text := range map[string]string{"cpu.cfs_quota_us": quota, "cpu.cfs_period_us": "100000\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, ok := quotaV1(dir); got != want || ok != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", quota, got, ok, want)
		}
	}
}

func TestCPUModel(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"x86", "processor\t: 0\nmodel\t\t: 85\nmodel name\t: Intel(R) Xeon(R)  CPU @ 2.20GHz\n\nprocessor\t: 1\nmodel name\t: other\n", "Intel(R) Xeon(R) CPU @ 2.20GHz"},
		{"arm", "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n", "ARM 0x41 0xd0c v0x3 r1"},
		{"unknown", "processor\t: 0\n", "unknown"},
		{"empty", "", "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := parseCPUInfo([]byte(tt.text)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
