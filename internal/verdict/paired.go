package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// The figures of paired mode, found by simulation (docs/verdict.md).
var (
	// Levels of the planned looks: the chance to call an unchanged pull request
	// is their sum. A call that is confirmed by a second, redeployed series may be
	// made more easily.
	looksAlone     = []float64{0.001, 0.003, 0.006}
	looksConfirmed = []float64{0.005, 0.015, 0.03}
)

const (
	// Lasting difference of two deployments before comparisons tell, for p50. On
	// real servers that of p95 and p99 was larger.
	tauUnknown    = 0.03
	tauCalibrated = 0.015 // the same after base was once compared with itself
	fewestBlocks  = 10
	armDisturbs   = 0.20 // more late rounds of one arm than of the other, as a share
	baseFails     = 0.05 // share of the base's requests that may fail
	gatedTail     = 50   // requests beyond a percentile that the planned run must reach
	calmBody      = 0.10 // for a pass: at most this much slower, p50
	calmTail      = 0.15 // the same for p95
)

// Next is what a paired run should do after a look at it.
type Next string

// What may come after a look.
const (
	Done     Next = ""         // the verdict stands
	Continue Next = "continue" // drive the next third, then look again
	Confirm  Next = "confirm"  // restart both sides, drive a second series, hand it in as Second
)

// PairedInput is a paired run, so far.
type PairedInput struct {
	Run *result.Run
	// Pairs are the rounds of Run, lined up; made from Run when nil.
	Pairs *result.Pairing
	// Second is the series after both sides were restarted, when Confirm was asked for.
	Second *result.Pairing
	// Look counts the planned looks from 1 to Looks; 0 stands for the last. All
	// looks together keep the promise, so what lies between them is not looked at.
	Look int
	// Redeploy says that the caller can restart both sides.
	Redeploy bool
	// Calibrated says that base was once compared with itself in this environment.
	Calibrated bool
	// Past holds earlier comparisons by metric, the last 60 of them.
	Past  map[string][]stat.Compared
	Gate  Gate
	Watch *Watch
	Notes []Reason
	// HeadEnded says how the head's program ended by itself while it was measured,
	// with the base's still there: "exit status 2"; "" when it did not.
	HeadEnded string
}

// Looks is the number of planned looks at a paired run.
const Looks = 3

// PairedResult is what a look came to.
type PairedResult struct {
	Verdict
	Next Next
	// Compared are the steps' differences by metric, for Past of later runs.
	Compared map[string][]stat.Compared
}

// Paired decides on base and head that were driven in one run, in short rounds by
// turns. What slows the machine slows both sides, so nothing but the difference
// is left, and the lasting difference that two deployments of one program have.
func Paired(in PairedInput) PairedResult {
	out := PairedResult{Verdict: Verdict{Reasons: []Reason{}, Findings: []Finding{}, Warnings: slices.Clone(in.Notes)}}
	v := &out.Verdict
	if in.Pairs == nil {
		made, err := result.Pair(in.Run)
		if err != nil {
			v.invalid(Reason{Code: "damaged", Message: "the result is damaged: " + err.Error(), Remedy: "measure again"})
			return out
		}
		in.Pairs = made
	}
	if in.Look <= 0 || in.Look > Looks {
		in.Look = Looks
	}
	single := Input{Run: in.Run, Gate: in.Gate, Watch: in.Watch}
	limits, invalid := judgeLimits(single)
	v.Limits = limits
	if in.HeadEnded != "" && !in.Run.Interrupted {
		v.Reasons = append(v.Reasons, Reason{
			Code: "head-ended", Message: fmt.Sprintf("the head's program ended (%s) while it was measured, and the base's did not", in.HeadEnded),
			Remedy: "see the end of its output",
		})
		v.Outcome = v.outcome()
		return out
	}
	faults := in.notByOneSide(validity(single))
	if len(faults) == 0 {
		faults = stopped(single)
	}
	invalid = append(faults, invalid...)
	if len(invalid) > 0 {
		v.invalid(invalid...)
		return out
	}
	v.reportLimits()
	if single.aborted() && len(v.Reasons) == 0 {
		v.Reasons = append(v.Reasons, Reason{Code: "limit", Message: in.Run.Stopped})
	}
	if p := newPairing(in); len(in.Gate.Compare) > 0 && !single.aborted() {
		out.Next = p.look()
		v.report(p)
		out.Compared = p.compared()
	}
	v.Outcome = v.outcome()
	return out
}

// A pairing judges the rows of a paired run.
type pairing struct {
	in       PairedInput
	level    float64 // of all tests of this look together
	students students
	rows     []*candidate
	tests    []*candidate
	controls []*candidate
	asked    int      // of both, by a rule of the spec
	drops    []Reason // that one side could not keep up; findings stand beside it
	reasons  []Reason // that end the look, whatever was found
	warnings []Reason
}

func newPairing(in PairedInput) *pairing {
	levels := looksAlone
	if in.Redeploy {
		levels = looksConfirmed
	}
	return &pairing{in: in, level: levels[in.Look-1], students: students{}}
}

// look judges what there is, and says what is to be done next.
func (p *pairing) look() Next {
	last := p.in.Look == Looks
	if p.disturbed() {
		return Done
	}
	if p.in.Pairs.Sound < fewestBlocks {
		if last {
			p.tooFew(p.in.Pairs.Sound, "make the run longer, or the generator's machine quieter")
			return Done
		}
		return Continue
	}
	for _, r := range p.in.Gate.Compare {
		p.apply(r)
	}
	p.throughput()
	p.judge()
	p.turnedAway()
	switch {
	case p.controlMoved():
		return Done
	case p.called() && p.in.Redeploy && p.in.Second == nil:
		return Confirm
	case p.called() && p.in.Second != nil:
		p.confirm()
		return Done
	case p.called():
		return Done
	case !last && (p.in.Pairs.Blocks < fewestBlocks || len(p.drops) > 0):
		return Continue
	case p.in.Pairs.Blocks < fewestBlocks:
		p.tooFew(p.in.Pairs.Blocks, "lower the rate, or raise max_users")
		return Done
	case p.calm(last):
		return Done
	case !last:
		return Continue
	}
	p.unclear()
	return Done
}

func (p *pairing) row(k result.RowKey) *result.PairRow {
	for i := range p.in.Pairs.Rows {
		if p.in.Pairs.Rows[i].RowKey == k {
			return &p.in.Pairs.Rows[i]
		}
	}
	return nil
}

// apply makes a candidate of each row that a rule is about.
func (p *pairing) apply(r Compare) {
	m, why := measureOf(r.Rule, p.in.Run.Open, "paired rounds")
	if why != "" {
		p.rows = append(p.rows, &candidate{Finding: Finding{
			Metric: r.Rule.Selector.String(), Rule: r.Rule.Text, Call: NotJudged, Why: why, Warn: r.Warn, Line: r.Line,
		}})
		return
	}
	for i := range p.in.Pairs.Rows {
		row := &p.in.Pairs.Rows[i]
		if row.Scope != p.in.Gate.per(r) || !r.Rule.Selector.Matches(tagsOf(row.RowKey)) {
			continue
		}
		if row.Base.Requests+row.Head.Requests == 0 {
			continue // a step that only users who start in the warm-up take
		}
		cand := &candidate{key: row.RowKey, q: m.q, Finding: Finding{
			Scenario: row.Scenario, Step: row.Step, Metric: m.metric, Rule: r.Rule.Text, Warn: r.Warn, Line: row.Line, Call: Unchanged,
		}}
		cand.test, cand.Why = p.test(row, m, allowance{sign: 1, tolerances: r.Rule.Tolerances})
		p.add(cand, row.Control && m.q > 0)
		if cand.test != nil {
			p.asked++
		}
	}
}

func (p *pairing) add(cand *candidate, control bool) {
	p.rows = append(p.rows, cand)
	switch {
	case cand.test == nil && cand.Why == noNumber:
		cand.Call, cand.Remedy = NotSure, measureAgain
	case cand.test == nil:
		cand.Call = NotJudged
	case control:
		p.controls = append(p.controls, cand)
	default:
		p.tests = append(p.tests, cand)
	}
}

// test lays out the test of one row, or says why it cannot be judged.
func (p *pairing) test(row *result.PairRow, m measure, a allowance) (test, string) {
	return pairTest{
		pairs: p.in.Pairs, gate: p.in.Gate, students: p.students,
		tau: p.tau(m.metric), alone: p.alone(m.metric), planned: float64(Looks) / float64(p.in.Look), open: p.in.Run.Open,
	}.of(row, m, a)
}

// alone is tau as the limits count with it where neither side can be restarted: as
// learned, but no less than is assumed of sides that were compared before.
func (p *pairing) alone(metric string) float64 {
	if p.in.Redeploy {
		return 0
	}
	return math.Max(p.tau(metric), tauCalibrated*timesP50(metric))
}

// tau is the lasting difference of two deployments, as far as it is known.
func (p *pairing) tau(metric string) float64 {
	return stat.Tau(p.in.Past[metric], p.assumed(metric))
}

// assumed is tau before comparisons tell.
func (p *pairing) assumed(metric string) float64 {
	if p.in.Calibrated {
		return tauCalibrated * timesP50(metric)
	}
	return tauUnknown * timesP50(metric)
}

// timesP50 is how many times as far as p50 another metric of two deployments differs.
func timesP50(metric string) float64 {
	switch metric {
	case "p50", metricThroughput:
		return 1
	case "p99":
		return 2
	default:
		return 1.3
	}
}

// throughput is judged where arrivals are scheduled, as with stored runs.
func (p *pairing) throughput() {
	row := p.row(result.RowKey{Scope: result.ScopeTotal})
	if !p.in.Run.Open || row == nil || slices.ContainsFunc(p.rows, func(c *candidate) bool { return c.Metric == metricThroughput }) {
		return
	}
	cand := &candidate{key: row.RowKey, Finding: Finding{Metric: metricThroughput, Call: Unchanged}}
	cand.test, _ = p.test(row, measure{metric: metricThroughput}, allowance{sign: -1, least: math.Log1p(leastCompleted)})
	if cand.test != nil {
		p.add(cand, false)
	}
}

func (p *pairing) judge() {
	for _, worse := range []bool{false, true} {
		called, levels := stat.StepDown(len(p.tests), p.level, func(i int, a float64) bool {
			return p.tests[i].test.beyond(worse, a)
		})
		for i, cand := range p.tests {
			cand.level = levels[i]
			switch {
			case called[i] && worse:
				cand.Call = Slower
			case called[i]:
				cand.Call = Faster
			}
		}
	}
	for _, cand := range p.controls {
		cand.level = p.level / float64(len(p.tests)+1)
	}
	for _, cand := range slices.Concat(p.tests, p.controls) {
		cand.suspected = cand.test.suspicious()
		cand.test.describe(&cand.Finding, cand.level)
		p.evidence(cand)
		cand.doubtCeiling()
	}
}

func (p *pairing) called() bool {
	return slices.ContainsFunc(p.tests, func(c *candidate) bool { return c.Call == Slower && !c.Warn })
}

// controlMoved takes all calls back when a step moved that no change should move.
func (p *pairing) controlMoved() bool {
	at := slices.IndexFunc(p.controls, func(c *candidate) bool {
		return c.test.beyond(true, c.level) || c.test.beyond(false, c.level)
	})
	if at < 0 {
		return false
	}
	c := p.controls[at]
	for _, cand := range p.tests {
		if _, ok := cand.test.(*apart); ok && (cand.Call == Slower || cand.Call == Faster) {
			cand.Call, cand.Why = NotSure, "the control steps moved too"
		}
	}
	p.reasons = append(p.reasons, Reason{
		Code: "control-moved",
		Message: fmt.Sprintf("the control step %s, which no change should move, differs by %s: the two sides do not run under the same conditions",
			c.where(), unit.Change(c.ChangePercent/100)),
		Remedy: "run both sides on one machine, with the same settings",
	})
	return true
}

// calm reports whether nothing looks worse, and every p50 and p95 is sure to be
// within what may pass.
func (p *pairing) calm(last bool) bool {
	if !last && slices.ContainsFunc(p.rows, func(c *candidate) bool { return c.Why == notYet }) {
		return false
	}
	for _, cand := range p.tests {
		t, ok := cand.test.(*apart)
		if cand.suspected && !last || ok && !cand.Warn && t.doubtful(cand.level) {
			return false
		}
		if ok && t.calm > 0 && t.upper() >= t.bound() {
			return false
		}
	}
	return true
}

// doubtful marks the rows that are worse than ordinary noise, where only a restart
// could tell a slower deployment from slower code.
func (p *pairing) doubtful() (found bool) {
	for _, cand := range p.tests {
		t, ok := cand.test.(*apart)
		if !ok || cand.Warn || !t.doubtful(cand.level) {
			continue
		}
		found = true
		cand.Call = NotSure
		cand.Why = fmt.Sprintf("%s is more than the rule and ordinary noise allow, but now and then a deployment of the same code is as far off (up to %s); a restart would tell",
			unit.Change(cand.ChangePercent/100), unit.Change(math.Expm1(t.sign*t.noise(cand.level))))
		cand.Remedy = "give the commands that start both sides (ab: --base-start and --head-start; the Action: start and compare-start), so that they can be restarted to confirm"
	}
	return found
}

// unclear says why the last look came to nothing.
func (p *pairing) unclear() {
	if p.doubtful() {
		return
	}
	var worst *candidate
	excess := math.Inf(-1)
	for _, cand := range p.tests {
		if t, ok := cand.test.(*apart); ok && t.calm > 0 && t.upper()-t.bound() > excess {
			worst, excess = cand, t.upper()-t.bound()
		}
	}
	if worst == nil {
		return
	}
	t := worst.test.(*apart)
	worst.Call = NotSure
	worst.Why = fmt.Sprintf("this run could only see changes above %s here, and a pass asks for at most %s",
		unit.Change(worst.LimitPercent/100), unit.Change(math.Expm1(t.bound())))
	load := p.in.Pairs.Load
	more, ok := t.blocksFor()
	worst.Remedy = "no longer run helps: two deployments of the same code differ as much here; run both sides on one machine"
	if ok {
		worst.Remedy = fmt.Sprintf("rounds are noisy: %s of load instead of %s would do", unit.Duration(time.Duration(more*float64(load)).Round(10*time.Second)), unit.Duration(load.Round(time.Second)))
	}
}

// compared lists the differences of the steps by metric. A step that is slower
// after a restart too says nothing of how far deployments of the same code
// differ; one that is called without may, but no more than that it was beyond
// its limit: else the first real slowdown would blind the next runs.
func (p *pairing) compared() map[string][]stat.Compared {
	all := map[string][]stat.Compared{}
	for _, cand := range slices.Concat(p.tests, p.controls) {
		t, ok := cand.test.(*apart)
		if !ok || cand.key.Scope != result.ScopeStep || cand.Call == Slower && p.in.Second != nil {
			continue
		}
		y := t.at.Y
		if cand.Call == Slower || cand.Call == Faster {
			y = math.Copysign(math.Min(math.Abs(y), t.limit(cand.Call == Slower, cand.level)), y)
		}
		all[cand.Metric] = append(all[cand.Metric], stat.Compared{Y: y, SE: t.at.SE})
	}
	return all
}

// report writes the pairing into the verdict.
func (v *Verdict) report(p *pairing) {
	v.Reasons = slices.Concat(v.Reasons, p.drops, p.reasons)
	v.Warnings = append(v.Warnings, p.warnings...)
	b := &Base{Runs: 1, Started: p.in.Run.Started.UTC().Format(time.RFC3339), FalseAlarmPercent: falseAlarms}
	n := float64(max(1, len(p.tests)))
	var seen vision
	for _, cand := range p.rows {
		if cand.Evidence != nil {
			cand.Evidence.Rows = len(p.tests)
		}
		v.Findings = append(v.Findings, cand.Finding)
		if t, ok := cand.test.(*apart); ok && t.calm > 0 {
			seen.add(t.base, t.at.Y+p.students.t(t.at.DF, 1-0.05/n)*t.sd(), cand.LimitPercent)
		}
	}
	seen.write(b)
	v.Base = b
	if len(p.reasons) == 0 {
		v.reportFindings(p.asked)
	}
}
