package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/loadline-ci/loadline/internal/baseline"
	"github.com/loadline-ci/loadline/internal/load"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// baselines looks at what a run of this spec would be compared with, and whether
// one could be stored. The error is a mistake in the flags.
func (d *doctor) baselines(ctx context.Context, env *Env, s *spec.Spec) error {
	store, where, err := d.stores.open(env)
	if err != nil {
		return err
	}
	files, err := store.Open(ctx)
	if err != nil {
		d.bad("baselines", "", "%v", err)
		return nil
	}
	machine := load.Environment()
	machine.Label = d.flags.env
	found, err := baseline.Find(files, baseline.Query{
		Spec: s.Name, Profile: s.Profile, Fingerprint: s.Fingerprint, Parts: s.Parts, Environment: machine,
	})
	if err != nil {
		d.bad("baselines", "", "%v", err)
		return nil
	}
	for _, x := range found.Skipped {
		d.warn("baselines", "remove the file", "%s is left out: %s", x.File, x.Reason)
	}
	switch {
	case found.Miss != nil:
		d.warn("baselines", found.Miss.Remedy, "%s: %s", where, found.Miss.Message)
	case len(found.Records) < 4:
		d.warn("baselines", "let the main branch store four or five, so that the target's own noise is known", "%s has %s to compare with", where, plural(len(found.Records), "run"))
	default:
		d.ok("baselines", "%s has %s to compare with, the newest of commit %s", where, plural(len(found.Records), "run"), dash(shortSHA(found.Records[0].Commit)))
	}
	d.sight(found, s)
	d.writable(ctx, store, where)
	return nil
}

// sight says which rules are narrower than what the stored runs differ by
// themselves: there the noise decides what is called, not the rule.
func (d *doctor) sight(found *baseline.Found, s *spec.Spec) {
	type width struct {
		rows, narrow int
		worst        verdict.Finding
	}
	rules := map[string]*width{}
	var order []string
	for _, f := range verdict.Sight(found.Summaries(), gate(s)) {
		w := rules[f.Rule]
		if w == nil {
			w = &width{}
			rules[f.Rule], order = w, append(order, f.Rule)
		}
		w.rows++
		if f.NoisePercent >= f.LimitPercent*0.999 {
			w.narrow++
			if f.NoisePercent > w.worst.NoisePercent {
				w.worst = f
			}
		}
	}
	for _, text := range order {
		w := rules[text]
		if w.narrow == 0 || text == "" {
			continue
		}
		d.warn("baselines", "store more runs, drive longer, or use loadline ab; a wider rule changes nothing",
			"%s is narrower than the noise of this set-up for %s of %s, worst %s, where only changes beyond %s%% are called",
			text, unit.Count(int64(w.narrow)), plural(w.rows, "row"), rowName(w.worst), unit.Number(w.worst.LimitPercent))
	}
}

func rowName(f verdict.Finding) string {
	switch {
	case f.Step != "":
		return f.Step
	case f.Scenario != "":
		return f.Scenario
	}
	return "the whole run"
}

// writable tries whether a run could be stored, and leaves nothing behind.
func (d *doctor) writable(ctx context.Context, store baseline.Store, where string) {
	switch store := store.(type) {
	case baseline.Dir:
		dir := string(store)
		for !isDir(dir) && filepath.Dir(dir) != dir {
			dir = filepath.Dir(dir) // it would be made
		}
		f, err := os.CreateTemp(dir, ".loadline-*")
		if err == nil {
			err = f.Close()
			_ = os.Remove(f.Name())
		}
		if err != nil {
			d.warn("baselines", "give this user the right to write there, or name another folder with --baseline", "%s cannot be written to: %v", where, cause(err))
			return
		}
	case *baseline.Git:
		if err := store.CanWrite(ctx); err != nil {
			d.warn("baselines", "runs can be compared, and not stored: see docs/baselines.md for credentials", "%v", err)
			return
		}
	default:
		return // a branch on GitHub: the token's rights say it
	}
	d.ok("baselines", "%s can be written to", where)
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
