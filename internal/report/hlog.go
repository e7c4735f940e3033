package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	hdr "github.com/HdrHistogram/hdrhistogram-go"

	"github.com/loadline-ci/loadline/internal/result"
)

// HLog writes the latencies of a run as a HdrHistogram interval log, version 1.3
// (HdrHistogram.org), which the HistogramLogAnalyzer, hdr-plot and the readers of
// every HdrHistogram library take.
//
// A line is one step in one round of the run, a quarter of a second to five
// seconds of measured load, tagged with the step (and in a paired run with the
// side before it). Values are µs from when a request was due (open model) or
// sent, of answers as the spec expects them; Interval_Max is in ms, as these logs
// have it. The histograms are those of the result file, byte for byte: to keep
// them costs the run nothing.
func HLog(w io.Writer, run *result.Run) error {
	out := bufio.NewWriter(w)
	start := float64(run.Started.UnixMilli()) / 1000
	fmt.Fprintf(out, "#[Logged with loadline %s: latency in µs, a line for each step and round]\n", clean(run.Tool, maxName))
	fmt.Fprint(out, "#[Histogram log format version 1.3]\n")
	// The date is for people; readers take the number.
	fmt.Fprintf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n", start, run.Started.UTC().Format(time.RFC3339))
	fmt.Fprint(out, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n")
	tags := stepTags(run.Catalog.Steps)
	for i := range run.Rounds {
		if err := hlogRound(out, &run.Rounds[i], tags); err != nil {
			return fmt.Errorf("round %d: %w", i, err)
		}
	}
	return out.Flush()
}

func hlogRound(w io.Writer, round *result.Round, tags []string) error {
	for _, s := range round.Steps {
		if s.Latency == nil || s.Step < 0 || s.Step >= len(tags) {
			continue
		}
		h, err := hdr.Decode(s.Latency)
		if err != nil {
			return err
		}
		tag := tags[s.Step]
		if round.Arm != "" {
			tag = round.Arm + ":" + tag
		}
		fmt.Fprintf(w, "Tag=%s,%.3f,%.3f,%.3f,%s\n", tag, round.Start.Seconds(), round.Length.Seconds(), float64(h.Max())/1000, s.Latency)
	}
	return nil
}

// stepTags are the names of the steps as tags, which hold no space and no comma;
// no two are the same.
func stepTags(steps []result.Step) []string {
	names := uniqueNames(steps)
	for i, name := range names {
		names[i] = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || r == ',' {
				return '_'
			}
			return r
		}, name)
	}
	return names
}

// uniqueNames are the names of the steps for programs: clean, with the scenario
// where the name alone is ambiguous, and numbered where that is still not enough.
func uniqueNames(steps []result.Step) []string {
	count := map[string]int{}
	for _, s := range steps {
		count[clean(s.Name, maxName)]++
	}
	names, taken := make([]string, len(steps)), map[string]bool{}
	for i, s := range steps {
		name := clean(s.Name, maxName)
		if s.Scenario != "" && count[name] > 1 {
			name = clean(s.Scenario, maxName) + "/" + name
		}
		if name == "" {
			name = "step"
		}
		own := name
		for n := 2; taken[own]; n++ {
			own = name + "#" + strconv.Itoa(n)
		}
		taken[own] = true
		names[i] = own
	}
	return names
}
