package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/unit"
)

// Which side of a paired run was in the way of the measurement. What the base
// could do on the same machine in the same minute, the generator can: when only
// the head's rounds went wrong, that is the head's doing, and never a pass.

// notByOneSide leaves out the faults of a generator that had them on one side
// only, and arrivals that only one side turned away: the look says whose they are.
func (in *PairedInput) notByOneSide(faults []Reason) []Reason {
	if len(in.Gate.Compare) == 0 {
		return faults
	}
	_, oneLate := lateSide(in.Pairs)
	return slices.DeleteFunc(faults, func(r Reason) bool {
		switch r.Code {
		case "generator-late", "generator-busy":
			return oneLate
		case "dropped":
			return in.headDrops()
		default:
			return false
		}
	})
}

// headDrops says that the head turned arrivals away, more often than the base.
func (in *PairedInput) headDrops() bool {
	base, head := in.Pairs.BaseArrivals.Share(), in.Pairs.HeadArrivals.Share()
	return head > result.MostDropped && head > 2*base
}

// A troubled side is one in whose rounds the generator was late.
type troubled struct {
	name        string
	late, other int // rounds of it, and of the other side
}

// lateSide is the side in whose rounds the generator was late clearly more often
// than in the other's; false when there is none.
func lateSide(pairs *result.Pairing) (troubled, bool) {
	t := troubled{"head", pairs.LateHead, pairs.LateBase}
	if t.late < t.other {
		t = troubled{"base", pairs.LateBase, pairs.LateHead}
	}
	// On a machine that is late by chance, now and then, each late round is as
	// likely to be of one side as of the other: 6 to 0 is beyond that, 4 to 0 is not.
	more := float64(t.late - t.other)
	return t, more >= armDisturbs*math.Max(float64(pairs.All), 1) && more*more >= 6*float64(t.late+t.other)
}

// disturbed ends the look when the generator was disturbed on one side only, or
// the base itself does not work.
func (p *pairing) disturbed() bool {
	if p.in.Pairs.All < fewestBlocks {
		return false // a round or two say nothing
	}
	if t, ok := lateSide(p.in.Pairs); ok {
		p.reasons = append(p.reasons, Reason{
			Code: "arm-disturbs",
			Message: fmt.Sprintf("the %s disturbs the generator: it sent late in %d of %d rounds of the %s and in %d of the other side's",
				t.name, t.late, p.in.Pairs.All, t.name, t.other),
			Remedy: fmt.Sprintf("see how much CPU the %s takes; lower the rate, or give the generator a machine of its own", t.name),
		})
		return true
	}
	total := p.row(result.RowKey{Scope: result.ScopeTotal})
	if total != nil && float64(total.Base.Failed) > baseFails*float64(total.Base.Requests) {
		p.reasons = append(p.reasons, Reason{
			Code:    "base-fails",
			Message: fmt.Sprintf("the base itself fails: %s of its requests did", unit.Share(total.Base.Failed, total.Base.Requests)),
			Remedy:  "see that the base was started as it should be, and what its log says",
		})
		return true
	}
	return false
}

// turnedAway says that the head did not take all arrivals, where the base did.
// When it is often, the throughput is called; else nobody can tell, but a pass
// it is not: those who were turned away have no latency. A spec that limits what
// may be dropped has said how much is too much.
func (p *pairing) turnedAway() {
	if !p.in.headDrops() || limitsDropped(p.in.Gate.Limits) && !p.called() {
		return
	}
	base, head := p.in.Pairs.BaseArrivals, p.in.Pairs.HeadArrivals
	p.drops = append(p.drops, Reason{
		Code: "head-drops",
		Message: fmt.Sprintf("the head cannot keep up: %s of its %s arrivals, in %d of %d rounds, found all users still waiting for answers, of the base's %s",
			unit.Count(head.Dropped), unit.Count(head.Offered), head.Rounds, p.in.Pairs.Sound, none(base.Dropped)),
		Remedy: "see why the head stalls; where such waits are meant to be, raise max_users",
	})
}

func none(n int64) string {
	if n == 0 {
		return "none"
	}
	return unit.Count(n)
}

func (p *pairing) tooFew(blocks int, remedy string) {
	p.reasons = append(p.reasons, Reason{
		Code:    "too-few-requests",
		Message: fmt.Sprintf("only %d of %d blocks could be used; %d are needed", blocks, p.in.Pairs.All, fewestBlocks),
		Remedy:  remedy,
	})
}
