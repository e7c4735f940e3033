package load

import (
	"bytes"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// cpuModel is the model name in /proc/cpuinfo. ARM has none there; implementer,
// part, variant and revision name the core as well.
func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return unknownCPU
	}
	return parseCPUInfo(text)
}

func parseCPUInfo(text []byte) string {
	fields := map[string]string{}
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		key = strings.TrimSpace(key)
		if _, seen := fields[key]; !seen {
			fields[key] = strings.Join(strings.Fields(value), " ")
		}
	}
	for _, key := range []string{"model name", "Model Name", "uarch", "cpu"} {
		if fields[key] != "" {
			return fields[key]
		}
	}
	if fields["CPU part"] == "" {
		return unknownCPU
	}
	return strings.Join([]string{
		"ARM", fields["CPU implementer"], fields["CPU part"],
		"v" + fields["CPU variant"], "r" + fields["CPU revision"],
	}, " ")
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
