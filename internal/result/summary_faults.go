package result

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/stat"
	"github.com/loadline-ci/loadline/internal/unit"
)

// When a run says nothing about the target (docs/verdict.md): the generator was
// the limit in more than a tenth of the seconds, or arrivals were lost.
const (
	badSeconds = 0.10
	// MostDropped is the share of arrivals that may be dropped before a run is
	// invalid, unless the spec sets a limit on dropped itself.
	MostDropped = 0.001
	// A round is lost to the generator when one send in a hundred was later than
	// roundLag; a run, when more than badRounds of its rounds were, or when the
	// send in the middle was later than middleLag. Rounds and not seconds: at a low
	// rate the p99 of a second is its one latest send.
	roundLag  = 50 * time.Millisecond
	middleLag = 10 * time.Millisecond
	badRounds = 0.20
	// NotableLag is the lateness, p99 over the run, from which on a slow request
	// may be the generator's own doing: what it explains must not be blamed on the
	// target.
	NotableLag = 10 * time.Millisecond
	// startSeconds is how long a target may take to show that nothing works.
	startSeconds = 5
)

// A Fault is a reason why a run says nothing about the target.
type Fault struct {
	Code    string // stable, for scripts
	Message string // one sentence with the numbers, without a final stop
	Remedy  string // what to do next
}

// Faults says why the run cannot be judged; none when it can. Dropped arrivals
// are not among them, because a spec may allow them: see DroppedFault.
func (r *Run) Faults() []Fault {
	if r.NotReady != "" {
		return []Fault{{
			"not-ready", "the run could not begin: " + r.NotReady,
			"start the target, or correct target.url and [target.ready]",
		}}
	}
	var all []Fault
	add := func(f Fault, ok bool) {
		if ok {
			all = append(all, f)
		}
	}
	add(Fault{
		"interrupted", "the run was interrupted after " + unit.Duration(r.Duration) + ": it is incomplete",
		"run it again to its end",
	}, r.Interrupted)
	if r.counts(anyCell).Requests == 0 {
		add(Fault{
			"no-requests", "no request ended in the measured part of the run",
			"make the run longer than its warm-up and than one iteration",
		}, true)
		return all
	}
	for _, f := range r.generatorFaults() {
		add(f, true)
	}
	add(r.wrongFromStart())
	return all
}

// AdHocFaults are the faults of a load without a spec. That a closed loop keeps
// its generator busy is none of them: as much as it can send is what was asked
// for.
func (r *Run) AdHocFaults() []Fault {
	return slices.DeleteFunc(r.Faults(), func(f Fault) bool { return f.Code == "generator-busy" && !r.Open })
}

func (r *Run) generatorFaults() []Fault {
	var all []Fault
	g := r.Generator
	if g.NoPorts > 0 {
		all = append(all, Fault{
			"no-ports",
			fmt.Sprintf("the generator ran out of local ports or file descriptors: %s connections could not be opened", unit.Count(g.NoPorts)),
			"reuse connections (http.keep_alive), use fewer users, or raise the limit on open files",
		})
	}
	if tooMany(g.BusySeconds, g.Seconds) {
		all = append(all, Fault{
			"generator-busy",
			fmt.Sprintf("the generator used more than 80%% of its CPU in %d of %d seconds (peak %s): it measured itself", g.BusySeconds, g.Seconds, unit.Percent(g.CPUMax)),
			"lower the rate or the number of users, or give the generator a bigger machine of its own",
		})
	}
	if late, of := r.lateRounds(); float64(late) > badRounds*float64(of) || g.LagP50 > middleLag {
		all = append(all, Fault{
			"generator-late",
			fmt.Sprintf("the generator sent too late: by %s in the middle and %s at p99, and in %d of %d rounds by over %s%s: its delay would count as the target's",
				unit.Duration(g.LagP50), unit.Duration(g.LagP99), late, of, unit.Duration(roundLag), g.lateBecause()),
			"lower the rate, or give the generator a machine that nothing else uses",
		})
	}
	return all
}

// What of the generator's state is worth naming as a cause of its delay.
const (
	notableSteal = 0.02
	notablePause = 10 * time.Millisecond
)

// lateBecause names what is known to have kept the generator; "" when nothing is.
func (g *Generator) lateBecause() string {
	var all []string
	if g.Steal >= notableSteal {
		all = append(all, "the host took "+unit.Percent(g.Steal)+" of this machine's CPU")
	}
	if g.CPUMax > 0.8 {
		all = append(all, "it used up to "+unit.Percent(g.CPUMax)+" of its CPU")
	}
	if g.GCPauseMax >= notablePause {
		all = append(all, "its own memory management paused it for "+unit.Duration(g.GCPauseMax))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", and ") + ")"
}

func (r *Run) lateRounds() (late, of int) {
	for i := range r.Rounds {
		of++
		if r.Rounds[i].Health.LagP99 > roundLag {
			late++
		}
	}
	return late, of
}

// LagAt is how late the generator sent at a quantile of the sends, as far as the
// run says: between p50 and p99 on the scale on which delays spread.
func (g *Generator) LagAt(q float64) time.Duration {
	if g.LagP99 <= 0 {
		return 0
	}
	const z99 = 2.326
	z := min(max(stat.Z(min(max(q, 0.5), 0.99))/z99, 0), 1)
	low, high := math.Log(float64(max(g.LagP50, time.Microsecond))), math.Log(float64(g.LagP99))
	return time.Duration(math.Exp(low + z*(high-low)))
}

func tooMany(seconds, of int) bool {
	return of > 0 && float64(seconds) > badSeconds*float64(of)
}

// DroppedFault is the fault of too many dropped arrivals, if there were.
func (r *Run) DroppedFault() (Fault, bool) {
	var offered, dropped int64
	for _, f := range r.Flows {
		if r.StageMeasured(f.Stage) {
			offered += f.Offered
			dropped += f.Dropped
		}
	}
	if offered == 0 || float64(dropped) <= MostDropped*float64(offered) {
		return Fault{}, false
	}
	return Fault{
		"dropped",
		fmt.Sprintf("%s of %s arrivals (%s) were dropped because max_users were already at work: the target did not get the load it was to be measured under",
			unit.Count(dropped), unit.Count(offered), unit.Share(dropped, offered)),
		"lower the rate, raise max_users, or state a limit such as dropped < 5% in gate.thresholds",
	}, true
}

// wrongFromStart tells a target that never worked from one that got worse: at
// least half of all requests failed, and of those of each of the first seconds.
// In a paired run a base that works shows that the spec and the way to the target
// are right: then it is the head that got worse.
func (r *Run) wrongFromStart() (Fault, bool) {
	total := r.counts(anyCell)
	if total.Failed*2 < total.Requests || total.Failed == 0 || r.baseWorks() {
		return Fault{}, false
	}
	seen := 0
	for i := range r.Series {
		s := &r.Series[i]
		if s.Completed == 0 {
			continue
		}
		if s.Failed*2 < s.Completed {
			return Fault{}, false
		}
		if seen++; seen == startSeconds {
			break
		}
	}
	what, remedy := r.mostFailures()
	return Fault{
		"wrong-from-start",
		fmt.Sprintf("%s of %s requests failed, and from the first second on: %s", unit.Count(total.Failed), unit.Count(total.Requests), what),
		remedy,
	}, true
}

// baseWorks says that less than half of the base's requests failed; false in a
// run without a base.
func (r *Run) baseWorks() bool {
	var requests, failed int64
	for i := range r.Rounds {
		if r.Rounds[i].Arm != "base" {
			continue
		}
		for _, s := range r.Rounds[i].Steps {
			requests += s.Requests
			failed += s.Failed
		}
	}
	return failed*2 < requests
}

// mostFailures names the most frequent way to fail, and what it usually means.
func (r *Run) mostFailures() (what, remedy string) {
	type way struct {
		status int
		kind   string
	}
	ways := map[way]int64{}
	for i := range r.Cells {
		k := &r.Cells[i].Key
		if k.Failed && r.StageMeasured(k.Stage) {
			w := way{k.Status, ""}
			if k.Status == 0 {
				w.kind = k.Error
			}
			ways[w] += r.Cells[i].Count
		}
	}
	keys := slices.SortedFunc(maps.Keys(ways), func(a, b way) int {
		return cmp.Or(cmp.Compare(ways[b], ways[a]), cmp.Compare(a.status, b.status), cmp.Compare(a.kind, b.kind))
	})
	if len(keys) == 0 {
		return "no status is known", "look at the target's log"
	}
	w, n := keys[0], unit.Count(ways[keys[0]])
	if w.status == 0 {
		return fmt.Sprintf("%s with the error %q", n, cmp.Or(w.kind, "no response")),
			"see that the target runs and can be reached from here"
	}
	what = fmt.Sprintf("%s answered %d", n, w.status)
	switch {
	case w.status == 401 || w.status == 403:
		return what, "give credentials in [http.auth] or [http.headers]; a fork's pull request has no secrets"
	case w.status/100 == 3:
		return what + ", a redirect, often to a login page",
			"give credentials, or set http.redirects if it should be followed"
	case w.status == 404:
		return what, "correct target.url and the paths of the steps"
	case w.status == 429:
		return what + ", a rate limit", "lower the load, or exempt the test client from the limit"
	case w.status >= 500:
		return what, "the target itself fails: look at its log"
	default:
		return what, "correct the requests, or list the status in expect: expect = " + strconv.Itoa(w.status)
	}
}
