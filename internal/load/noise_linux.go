package load

import (
	"fmt"
	"os"
)

// localPorts is the size of the range that connections out of this machine take
// their ports from; man 7 ip.
func localPorts() int {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return -1
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil || high < low {
		return -1
	}
	return high - low + 1
}
