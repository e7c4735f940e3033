package observe

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// BenchmarkPage is what one reading of a page costs the machine that also makes
// the load: one of 1,500 series, as those of a machine and its processes have.
func BenchmarkPage(b *testing.B) {
	var text strings.Builder
	for i := range 300 {
		_, _ = fmt.Fprintf(&text, "# HELP node_metric_%d_total What it counts.\n# TYPE node_metric_%d_total counter\n", i, i)
		for cpu := range 5 {
			_, _ = fmt.Fprintf(&text, "node_metric_%d_total{cpu=\"%d\",mode=\"idle\"} %d.25\n", i, cpu, 1000*i+cpu)
		}
	}
	page := []byte(text.String())
	for name, wanted := range map[string][]string{"all there": {"node_metric_7_total", "node_metric_200_total"}, "one missing": {"node_metric_300_total"}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parsePage(page, wanted, time.Unix(1, 0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
