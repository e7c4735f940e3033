package cli

import (
	"bytes"
	"errors"
	"io"

	"github.com/spf13/pflag"

	"github.com/loadline-ci/loadline/internal/report"
)

// dataFlags ask for a result in forms that other programs read.
type dataFlags struct{ csv, openMetrics, hlog string }

func (d *dataFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&d.csv, "csv", "", "write the series, one row a second, to `FILE`")
	fs.StringVar(&d.openMetrics, "openmetrics", "", "write the figures as OpenMetrics text to `FILE` (Prometheus, GitLab's metrics report)")
	fs.StringVar(&d.hlog, "hlog", "", "write the latencies as a HdrHistogram log to `FILE`")
}

func (d *dataFlags) outputs() []output {
	var all []output
	for _, o := range []output{{"--csv", d.csv}, {"--openmetrics", d.openMetrics}, {"--hlog", d.hlog}} {
		if o.file != "" {
			all = append(all, o)
		}
	}
	return all
}

// data reports whether a file is for programs. What looks like a secret in it is
// a number or a histogram: names that hold one are refused by the spec.
func (o output) data() bool {
	switch o.flag {
	case "--json", "--csv", "--openmetrics", "--hlog":
		return true
	}
	return false
}

// write writes every file that was asked for, of a run that nobody judged.
func (d *dataFlags) write(env *Env, page *report.Page) error {
	var errs []error
	for _, o := range d.outputs() {
		var b bytes.Buffer
		err := writeData(&b, o.flag, page)
		if err == nil {
			err = writeOutput(env, o, b.Bytes())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// writeData writes the form that a flag of dataFlags asks for.
func writeData(w io.Writer, flag string, page *report.Page) error {
	switch flag {
	case "--csv":
		return report.CSV(w, page.Run)
	case "--openmetrics":
		return page.OpenMetrics(w)
	default:
		return report.HLog(w, page.Run)
	}
}
