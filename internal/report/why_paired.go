package report

import (
	"fmt"
	"math"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// pairedReasoning is reasoning for a row of a paired run. Whoever asks for it wants
// every quantity, so that the arithmetic can be done again.
func pairedReasoning(f *verdict.Finding, e *verdict.Evidence, q *verdict.PairedEvidence) []string {
	steps := []string{whyByTurns(f, e, q)}
	if f.Metric == metricErrors {
		steps = append(steps, whyBursts(q))
	} else {
		steps = append(steps, whyTrimmed(f, e, q))
		if e.ApartPercent > 0 {
			steps = append(steps, whyApart(e, q))
		}
	}
	steps = append(steps, whyLook(f, e, q), whyAllowed(f, e))
	if f.LowPercent != 0 || f.HighPercent != 0 {
		steps = append(steps, whyRange(f))
	}
	if q.Second != nil {
		steps = append(steps, whySecond(f, q.Second))
	}
	return append(steps, whyDecided(f))
}

// whyByTurns says what was measured, and how rounds became stretches.
func whyByTurns(f *verdict.Finding, e *verdict.Evidence, q *verdict.PairedEvidence) string {
	out := fmt.Sprintf("Measured: %s %s on base and %s on head, by turns in the same run, in %s of rounds", metricName(f.Metric),
		value(f.Metric, f.Base), value(f.Metric, f.Head), plural(q.Blocks, unit.Count(int64(q.Blocks)), "pair"))
	switch {
	case f.Metric == metricErrors || f.Metric == metricThroughput:
		return out + "."
	case e.Chunks >= q.Blocks:
		return out + ". Each pair has requests enough for a figure of its own."
	}
	return out + fmt.Sprintf(". About %s of them are joined at a time, so that both sides have requests enough for %s: %d stretches.",
		unit.Number(math.Round(10*float64(q.Blocks)/float64(max(e.Chunks, 1)))/10), metricName(f.Metric), e.Chunks)
}

func whyTrimmed(f *verdict.Finding, e *verdict.Evidence, q *verdict.PairedEvidence) string {
	out := fmt.Sprintf("Averaged: of the %d differences the lowest %d and the highest %d are set aside; the mean of the rest (the trimmed mean) is %s",
		e.Chunks, e.Chunks/5, e.Chunks/5, change(f.Metric, f.ChangePercent))
	return out + fmt.Sprintf(", with a standard error of %s (%s degrees of freedom).", plusMinus(unit.Change(e.SpreadPercent/100)), unit.Number(q.DF))
}

// whyApart says how far two deployments differ, and how that is known.
func whyApart(e *verdict.Evidence, q *verdict.PairedEvidence) string {
	out := fmt.Sprintf("Deployments: two of the same code differ by about %s (tau)", plusMinus(unit.Change(e.ApartPercent/100)))
	assumed := plusMinus(unit.Change(q.AssumedPercent / 100))
	if q.Past == 0 {
		out += ", which is assumed: there is no earlier comparison to learn from"
	} else {
		out += fmt.Sprintf(", learned from %s of a step and the %s assumed before there were any",
			plural(q.Past, unit.Count(int64(q.Past)), "earlier comparison"), assumed)
	}
	if !q.Restart {
		out += fmt.Sprintf(". The two sides cannot be restarted to draw that anew, so the limit counts with %s, and with deployments that are now and then far off",
			plusMinus(unit.Change(q.CountedPercent/100)))
	}
	return out + "."
}

func whyBursts(q *verdict.PairedEvidence) string {
	if q.ErrorsChance == 0 {
		return "Counted: every round had as many on one side as on the other."
	}
	more := "more"
	if q.ErrorsMore < 0 {
		more = "fewer"
	}
	return fmt.Sprintf("Counted: errors come in bursts, so of one round two count at most. That is %s %s on the head.",
		unit.Count(int64(math.Abs(q.ErrorsMore))), more)
}

// whyLook says which look decided, its share of the chance to be wrong, and the noise
// that follows from it.
func whyLook(f *verdict.Finding, e *verdict.Evidence, q *verdict.PairedEvidence) string {
	out := fmt.Sprintf("Noise: this is look %d of %d. It may blame %s of unchanged pull requests", q.Look, q.Looks, unit.Percent(q.LookPercent/100))
	if q.Restart {
		out = fmt.Sprintf("Noise: this is look %d of %d. It may suspect %s of unchanged pull requests, which a restart then clears", q.Look, q.Looks, unit.Percent(q.LookPercent/100))
	}
	if q.RowPercent > 0 {
		out += fmt.Sprintf("; %s share that, which is 1 in %s for this one", plural(e.Rows, unit.Count(int64(e.Rows)), "row"), oneIn(q.RowPercent))
	}
	switch {
	case f.Metric == metricErrors && q.ErrorsChance == 0:
		return out + "."
	case f.Metric == metricErrors:
		return out + fmt.Sprintf(". So rarely do more than %s happen by chance.", unit.Number(q.ErrorsChance))
	}
	out += fmt.Sprintf(". So rarely is the error above %s times %s", unit.Number(q.SpreadTimes), plusMinus(unit.Change(e.SpreadPercent/100)))
	if e.ApartPercent > 0 {
		out += fmt.Sprintf(", or the difference of deployments above %s times %s; together (root of the sum of squares)",
			unit.Number(q.ApartTimes), plusMinus(unit.Change(q.CountedPercent/100)))
	}
	return out + ": noise alone may reach " + noise(f) + "."
}

func whySecond(f *verdict.Finding, s *verdict.SecondEvidence) string {
	out := fmt.Sprintf("Again: after both sides were restarted it was %s (between %s and %s", change(f.Metric, s.ChangePercent),
		change(f.Metric, s.LowPercent), change(f.Metric, s.HighPercent))
	if f.Metric != metricErrors {
		out += fmt.Sprintf("; %d stretches, standard error %s, %s degrees of freedom", s.Chunks, plusMinus(unit.Change(s.SpreadPercent/100)), unit.Number(s.DF))
	}
	needed := s.NeededPercent
	if f.Metric == metricThroughput {
		needed = -needed
	}
	out += "). Beyond " + change(f.Metric, needed)
	if s.Again {
		return out + " it counts as seen again, and it was."
	}
	return out + " it counts as seen again, and it was not; a call stands when any row of its step is."
}

// oneIn is a chance as "1,070": one in so many, to three digits.
func oneIn(percent float64) string {
	n := 100 / percent
	step := math.Pow10(max(0, int(math.Log10(n))-2))
	return unit.Count(int64(math.Round(n/step) * step))
}
