package load

import (
	"bufio"
	"bytes"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
)

var systemNoPort []syscall.Errno

// readSteal reads the CPU times of the machine; man 5 proc_stat names the
// columns: user nice system idle iowait irq softirq steal guest guest_nice. The
// guests' time is part of user and nice already.
func readSteal() steal {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return steal{}
	}
	defer func() { _ = f.Close() }() // only read
	line, err := bufio.NewReaderSize(f, 512).ReadString('\n')
	if err != nil {
		return steal{}
	}
	return parseSteal(line)
}

func parseSteal(line string) steal {
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return steal{}
	}
	var s steal
	for i, f := range fields[1:9] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return steal{}
		}
		s.total += n
		if i == 7 {
			s.stolen = n
		}
	}
	s.known = true
	return s
}

// manyDescriptors is how many are worth counting one by one each second.
const manyDescriptors = 4096

// openDescriptors is how many descriptors this process has open. Since Linux
// 6.2 the size of the directory tells; before, it is counted, but no further
// than is cheap: -1 beyond.
func openDescriptors() int {
	info, err := os.Stat("/proc/self/fd")
	if err != nil {
		return -1
	}
	if info.Size() > 0 {
		return int(info.Size())
	}
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return -1
	}
	defer func() { _ = d.Close() }() // only read
	names, err := d.Readdirnames(manyDescriptors + 1)
	if err != nil || len(names) > manyDescriptors {
		return -1
	}
	return len(names) - 1 // without the directory itself
}

// cpuQuota is the CPU limit of this process's control group or the tightest of
// those above it, in CPUs.
func cpuQuota() (float64, bool) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	best, found := 0.0, false
	try := func(quota float64, ok bool) {
		if ok && (!found || quota < best) {
			best, found = quota, true
		}
	}
	for line := range bytes.Lines(groups) {
		// hierarchy:controllers:path; version 2 has no controllers.
		parts := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(parts) < 3 {
			continue
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			switch {
			case parts[1] == "":
				try(quotaV2(path.Join("/sys/fs/cgroup", dir, "cpu.max")))
			case hasField(parts[1], "cpu"):
				try(quotaV1(path.Join("/sys/fs/cgroup/cpu", dir)))
			}
			if dir == "/" {
				break
			}
		}
	}
	return best, found
}

func hasField(list, want string) bool {
	for f := range strings.SplitSeq(list, ",") {
		if f == want {
			return true
		}
	}
	return false
}

// quotaV2 reads "QUOTA PERIOD" in µs, or "max PERIOD" for no limit.
func quotaV2(file string) (float64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	quota, period, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return cpusOf(quota, period)
}

// quotaV1 reads the two files of version 1; -1 is no limit.
func quotaV1(dir string) (float64, bool) {
	quota, err := os.ReadFile(path.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0, false
	}
	period, err := os.ReadFile(path.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0, false
	}
	return cpusOf(strings.TrimSpace(string(quota)), strings.TrimSpace(string(period)))
}

func cpusOf(quota, period string) (float64, bool) {
	q, errQ := strconv.ParseFloat(quota, 64)
	p, errP := strconv.ParseFloat(period, 64)
	if errQ != nil || errP != nil || q <= 0 || p <= 0 {
		return 0, false
	}
	return q / p, true
}
