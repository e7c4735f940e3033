package report

import (
	"cmp"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
)

// csvColumns are those that every file has, in their order. Columns may be added
// after them in later versions, never between.
var csvColumns = []string{
	"t_s", "stage", "track", "measured", "users", "in_flight", "asked_per_s", "offered", "dropped", "completed", "failed",
	"p50_us", "p95_us", "p99_us", "cpu_percent", "lag_p50_us", "lag_p99_us", "steal_percent", "gc_pause_us", "open_files", "no_ports",
}

// CSV writes the series of a run, one row a second (a run of over two hours: one
// row for several), as RFC 4180 has it: a header, then rows. After csvColumns
// come status_N for each status that was answered and error_KIND for each way
// to fail, then target_ROLE for each metric of the target's own, so two runs may
// have different columns at the end. What is unknown is empty.
func CSV(w io.Writer, run *result.Run) error {
	statuses, errs := seriesKeys(run.Series)
	header := slices.Clone(csvColumns)
	for _, s := range statuses {
		header = append(header, "status_"+strconv.Itoa(s))
	}
	for _, e := range errs {
		header = append(header, "error_"+clean(e, 24))
	}
	target := run.Observed
	for i := range target {
		header = append(header, targetColumn(&target[i]))
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	for i := range run.Series {
		row := csvRow(run, &run.Series[i])
		for _, s := range statuses {
			row = append(row, strconv.FormatInt(run.Series[i].Status[s], 10))
		}
		for _, e := range errs {
			row = append(row, strconv.FormatInt(run.Series[i].Errors[e], 10))
		}
		for k := range target {
			row = append(row, readIn(&target[k], run.Series[i:]))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func csvRow(run *result.Run, s *result.Second) []string {
	var stage result.Stage
	if s.Stage >= 0 && s.Stage < len(run.Catalog.Stages) {
		stage = run.Catalog.Stages[s.Stage]
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	micros := func(d time.Duration) string { return whole(d.Microseconds()) }
	latency := func(us int64) string {
		if us == 0 {
			return "" // nothing was answered
		}
		return whole(us)
	}
	known := func(is bool, text string) string {
		if !is {
			return ""
		}
		return text
	}
	h := &s.Health
	return []string{
		plainFloat(s.At.Seconds()), csvText(clean(stage.Name, maxName)), csvText(clean(stage.Track, maxName)), strconv.FormatBool(s.Measured),
		strconv.Itoa(s.Users), strconv.Itoa(s.InFlight), plainFloat(s.Rate), whole(s.Offered), whole(s.Dropped), whole(s.Completed), whole(s.Failed),
		latency(s.P50), latency(s.P95), latency(s.P99),
		plainFloat(h.CPU * 100), micros(h.LagP50), micros(h.LagP99), known(h.Steal >= 0, plainFloat(h.Steal*100)),
		micros(h.GCPause), known(h.FDs >= 0, strconv.Itoa(h.FDs)), whole(h.NoPorts),
	}
}

// seriesKeys are the statuses and the kinds of error that occur, in order.
func seriesKeys(series []result.Second) (statuses []int, errs []string) {
	haveStatus, haveError := map[int]bool{}, map[string]bool{}
	for i := range series {
		for s := range series[i].Status {
			haveStatus[s] = true
		}
		for e := range series[i].Errors {
			haveError[e] = true
		}
	}
	for s := range haveStatus {
		statuses = append(statuses, s)
	}
	for e := range haveError {
		errs = append(errs, e)
	}
	slices.Sort(statuses)
	slices.Sort(errs)
	return statuses, errs
}

// csvText keeps a spreadsheet from taking a name for a formula (OWASP, CSV
// injection).
func csvText(s string) string {
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// targetColumn names the column of a metric of the target; each side of a paired
// run may have its own.
func targetColumn(o *result.Observed) string {
	name := "target_" + clean(o.Role, maxName)
	if o.Arm != "" {
		name += "_" + clean(o.Arm, 8)
	}
	return name
}

// readIn is the last reading since the first of some rows began, and before the
// next, in its base unit; "" where there is none: readings have moments of their
// own, every 5 s unless asked otherwise. Rows of a paired run have gaps, in which
// the other side had the load.
func readIn(o *result.Observed, rows []result.Second) string {
	end := rows[0].At + length(&rows[0])
	if len(rows) > 1 {
		end = rows[1].At
	}
	i, _ := slices.BinarySearchFunc(o.Readings, end, func(r result.Reading, at time.Duration) int { return cmp.Compare(r.At, at) })
	if i == 0 || o.Readings[i-1].At < rows[0].At {
		return ""
	}
	format := byte('f')
	if v := math.Abs(o.Readings[i-1].Value); v != 0 && v < 1e-9 || v >= 1e15 {
		format = 'e' // or it would be hundreds of digits
	}
	return strconv.FormatFloat(o.Readings[i-1].Value, format, -1, 64)
}

// plainFloat writes a number for a program, in thousandths at most. What people
// read is written by unit.
func plainFloat(x float64) string {
	return strconv.FormatFloat(math.Round(x*1000)/1000, 'f', -1, 64)
}
