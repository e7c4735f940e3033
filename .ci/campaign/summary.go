package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// summarize writes summary.md, and prints it.
func (c *campaign) summarize() error {
	if len(c.log.all) == 0 {
		return nil
	}
	text := c.summary(c.log.all)
	_, said := io.WriteString(os.Stdout, text)
	return errors.Join(said, os.WriteFile(filepath.Join(c.dir, "summary.md"), []byte(text), 0o644))
}

func (c *campaign) summary(all []record) string {
	var b strings.Builder
	var same, changed []record
	for _, r := range all {
		if r.Keep {
			continue
		}
		if r.Percent == 0 {
			same = append(same, r)
		} else {
			changed = append(changed, r)
		}
	}
	first, last := all[0].Started, all[len(all)-1].Started
	how := "`loadline ab`, %s to %s UTC, on %s. Each started both sides anew, drove them for at most %s (and a third of it more after a restart)"
	if c.stored > 0 {
		how = fmt.Sprintf("`loadline run`, %d of them of each target stored first, ", c.stored) + "%s to %s UTC, on %s. Each started its target anew, drove it for %s (and once more where something was called)"
	}
	fmt.Fprintf(&b, "%d real runs of "+how+" at %s through the four routes of its target, and took %.1f s on average, %.1f s at most. The rules allow 5 %%.\n\n",
		len(all), first.Format("2006-01-02 15:04"), last.Format("15:04"), machine(), c.load, c.rate,
		mean(all, func(r record) float64 { return r.WallS }), most(all, func(r record) float64 { return r.WallS }))
	clean(&b, same)
	power(&b, changed)
	wrong(&b, all)
	causes(&b, all)
	noise(&b, same)
	fmt.Fprintf(&b, "The machine itself: others used %.1f %% of the CPU just before the runs (at most %.0f %%), the hypervisor took %.2f %% during them (at most %.2f %%), and of the send lags of a run the p99 was %s in the median, %s in the worst run.\n",
		mean(all, func(r record) float64 { return r.Others }), most(all, func(r record) float64 { return r.Others }),
		mean(all, func(r record) float64 { return r.Steal }), most(all, func(r record) float64 { return r.Steal }),
		micros(median(all, func(r record) float64 { return r.LagP99 })), micros(most(all, func(r record) float64 { return r.LagP99 })))
	return b.String()
}

// clean tells of the runs in which nothing differed.
func clean(b *strings.Builder, same []record) {
	if len(same) == 0 {
		return
	}
	fmt.Fprintf(b, "**Nothing differed** (%d runs):\n\n| target | runs | pass | called slower | cannot tell | invalid | mean load, both sides |\n|---|--:|--:|--:|--:|--:|--:|\n", len(same))
	for _, group := range append(by(same, func(r record) string { return r.Target }), named{"all", same}) {
		n := outcomes(group.runs)
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %.1f s |\n", group.name, len(group.runs), n["pass"], n["regression"], n["inconclusive"], n["invalid"],
			mean(group.runs, func(r record) float64 { return r.LoadS }))
	}
	k := outcomes(same)["regression"]
	fmt.Fprintf(b, "\nFalse alarms: %d of %d, %.1f %%; the truth is at most %.1f %% (95 %%, one-sided, exact).\n\n", k, len(same), 100*float64(k)/float64(len(same)), 100*atMost(k, len(same)))
}

// power tells of the runs with a slower route.
func power(b *strings.Builder, changed []record) {
	if len(changed) == 0 {
		return
	}
	fmt.Fprintf(b, "**One route of the head slower** (%d runs). *Planted* is what was added as a share of the base's p50 at the client; *estimated* is what loadline said, on average and where the truth lay within its range.\n\n", len(changed))
	b.WriteString("| route | more work | runs | called | passed | cannot tell | invalid | planted | estimated (p50) | range holds it | mean load |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	groups := by(changed, func(r record) string { return fmt.Sprintf("%s %s | +%g %%", r.Target, r.Route, r.Percent) })
	sizes := by(changed, func(r record) string { return fmt.Sprintf("all | +%g %%", r.Percent) })
	for _, g := range append(groups, sizes...) {
		called := 0
		var planted, estimated []float64
		covered := 0
		for _, r := range g.runs {
			if r.called() {
				called++
			}
			if f, ok := r.of("p50"); ok {
				truth := 100 * r.Percent / 100 * r.OwnMS * 1000 / f.Base
				planted, estimated = append(planted, truth), append(estimated, f.Change)
				if f.Low <= truth && truth <= f.High {
					covered++
				}
			}
		}
		n := outcomes(g.runs)
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d | %s | %s | %d of %d | %.1f s |\n", g.name, len(g.runs), called, n["pass"], n["inconclusive"], n["invalid"],
			change(planted), change(estimated), covered, len(planted), mean(g.runs, func(r record) float64 { return r.LoadS }))
	}
	b.WriteString("\n")
}

// called says whether the route that is slower was called so.
func (r record) called() bool {
	return slices.ContainsFunc(r.Findings, func(f finding) bool { return f.Call == "slower" && r.planted(f) })
}

func (r record) planted(f finding) bool { return r.Percent > 0 && f.Step == "GET "+r.Route }

// of is what was found of the planted route.
func (r record) of(metric string) (finding, bool) {
	for _, f := range r.Findings {
		if r.planted(f) && f.Metric == metric && f.Base > 0 && f.Call != "not-judged" {
			return f, true
		}
	}
	return finding{}, false
}

// wrong lists every call of a route that was not slower.
func wrong(b *strings.Builder, all []record) {
	var lines []string
	for _, r := range all {
		for _, f := range r.Findings {
			if f.Call == "slower" && !r.planted(f) {
				lines = append(lines, fmt.Sprintf("- run %d (%s): %s %s %+.1f %% (%+.1f to %+.1f, limit %.1f)", r.Run, r.what, f.Step, f.Metric, f.Change, f.Low, f.High, f.Limit))
			}
		}
	}
	if len(lines) == 0 {
		b.WriteString("No route was called that was not slower.\n\n")
		return
	}
	fmt.Fprintf(b, "Called although not slower:\n\n%s\n\n", strings.Join(lines, "\n"))
}

// causes says why runs could not tell.
func causes(b *strings.Builder, all []record) {
	var lines []string
	for _, r := range all {
		if r.Outcome != "inconclusive" && r.Outcome != "invalid" {
			continue
		}
		for _, why := range r.Reasons {
			lines = append(lines, fmt.Sprintf("- run %d (%s), %s, %s: %s", r.Run, r.what, r.Outcome, why.Code, why.Message))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "Why runs could not tell:\n\n%s\n\n", strings.Join(lines, "\n"))
	}
}

// noise says by how much the same code differs from run to run, and by how much
// from its base.
func noise(b *strings.Builder, same []record) {
	between, within := map[string][]float64{}, map[string][]float64{}
	for _, r := range same {
		for _, f := range r.Findings {
			if (f.Metric == "p50" || f.Metric == "p95") && f.Base > 0 && f.Head > 0 && f.Call != "not-judged" {
				key := r.Target + " " + strings.TrimPrefix(f.Step, "GET ") + " " + f.Metric
				between[key] = append(between[key], math.Log(f.Head))
				within[key] = append(within[key], math.Log1p(f.Change/100))
			}
		}
	}
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(between)) {
		if len(between[key]) > 2 {
			lines = append(lines, fmt.Sprintf("| %s | %.1f %% | %.1f %% |", key, 100*stat.StdDev(between[key], nil), 100*rms(within[key])))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "**Noise**, where nothing differed: how far a figure wanders from run to run, and how far it lies from the base that it is judged by.\n\n| | from run to run | from the base |\n|---|--:|--:|\n%s\n\n", strings.Join(lines, "\n"))
	}
}

// atMost is the upper end of the one-sided 95 % interval of a share of which k of
// n were seen (Clopper and Pearson 1934).
func atMost(k, n int) float64 {
	if k >= n {
		return 1
	}
	return distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.95)
}

// A named is some of the runs.
type named struct {
	name string
	runs []record
}

// by groups runs, in the order of their names.
func by(all []record, name func(record) string) []named {
	groups := map[string][]record{}
	for _, r := range all {
		groups[name(r)] = append(groups[name(r)], r)
	}
	var out []named
	for n, runs := range groups {
		out = append(out, named{n, runs})
	}
	slices.SortFunc(out, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.runs[0].Target+a.runs[0].Route, b.runs[0].Target+b.runs[0].Route), cmp.Compare(a.runs[0].Percent, b.runs[0].Percent))
	})
	return out
}

func outcomes(all []record) map[string]int {
	n := map[string]int{}
	for _, r := range all {
		n[r.Outcome]++
	}
	return n
}

func values(all []record, of func(record) float64) []float64 {
	var out []float64
	for _, r := range all {
		out = append(out, of(r))
	}
	return out
}

func mean(all []record, of func(record) float64) float64 { return stat.Mean(values(all, of), nil) }
func most(all []record, of func(record) float64) float64 { return slices.Max(values(all, of)) }

func median(all []record, of func(record) float64) float64 {
	sorted := slices.Sorted(slices.Values(values(all, of)))
	return stat.Quantile(0.5, stat.LinInterp, sorted, nil)
}

// rms is the spread around no difference at all, which is the truth.
func rms(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x * x
	}
	return math.Sqrt(sum / float64(len(xs)))
}

func change(percents []float64) string {
	if len(percents) == 0 {
		return "–"
	}
	return fmt.Sprintf("%+.1f %%", stat.Mean(percents, nil))
}

func micros(us float64) string { return time.Duration(us * 1000).Round(10 * time.Microsecond).String() }
