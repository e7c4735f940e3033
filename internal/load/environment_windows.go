package load

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// cpuModel is what Windows tells every process of its CPU; the name a person
// would know is in the registry only.
func cpuModel() string {
	if id := os.Getenv("PROCESSOR_IDENTIFIER"); id != "" {
		return id
	}
	return unknownCPU
}

func kernel() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
