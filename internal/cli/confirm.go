package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loadline-ci/loadline/internal/result"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// judge judges the run, together with earlier attempts at the same commit, and
// measures again: as often as the spec's gate.rounds says in any case, and while
// something is called, or would be but for a doubt, as often as its gate.confirm
// says. What passes within minutes so drops out; a slow
// machine or a bad start of the target stays, so these runs count as one with the
// first (docs/decisions/0055-measuring-again.md).
func (m *measurement) judge(ctx context.Context, env *Env, j job, in verdict.Input) {
	var earlier []*result.Summary
	if j.pool != nil && len(in.Gate.Compare) > 0 {
		var notes []verdict.Reason
		earlier, notes = j.pool(context.WithoutCancel(ctx), m)
		in.Notes = append(in.Notes, notes...)
	}
	var own []*result.Summary
	for tries := 0; ; tries++ {
		m.further = slices.Concat(own, earlier)
		in.Again = m.further
		m.verdict = verdict.Judge(in)
		why := m.wantsMore(tries, in.Gate)
		if why == "" {
			return
		}
		fmt.Fprintf(env.Stderr, "loadline: %s\n", why)
		more, why := m.measureAgain(ctx, env, j)
		if why == "" {
			own = append(own, more)
			continue
		}
		in.Notes = append(in.Notes, verdict.Reason{Code: "not-measured-again", Message: "a run that the job made again cannot be used: " + why})
	}
}

// wantsMore says why this job should measure once more, having done so made times;
// "" when it need not.
func (m *measurement) wantsMore(made int, gate verdict.Gate) string {
	doubt := m.verdict.Confirm && (m.verdict.Outcome == verdict.Regression || m.verdict.Outcome == verdict.Inconclusive)
	switch rounds := m.spec.Gate.Rounds; {
	case made >= gate.Confirm: // rounds - 1 and confirm
		return ""
	case m.verdict.Outcome == verdict.Invalid || m.run.Interrupted || m.run.Stopped != "":
		return ""
	case made < rounds-1:
		return fmt.Sprintf("round %d of %d", made+2, rounds)
	case doubt:
		return fmt.Sprintf("something looks worse: measuring again (%d more at most)", gate.Confirm-made)
	}
	return ""
}

// measureAgain drives the load once more, or says why there is nothing to show
// for it.
func (m *measurement) measureAgain(ctx context.Context, env *Env, j job) (more *result.Summary, why string) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < m.run.Duration+teardownTime {
		return nil, "too little of max-duration is left"
	}
	run, _, err := m.once(ctx, env, j, shard{})
	if err != nil {
		return nil, err.Error()
	}
	more, err = result.Summarize(run)
	switch {
	case err != nil:
		return nil, err.Error()
	case more.Unfit != "":
		return nil, more.Unfit
	}
	more.Again = true
	return more, ""
}
