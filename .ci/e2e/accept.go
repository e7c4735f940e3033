package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	acceptLabel = "perf-accepted"
	skipLabel   = "loadline:skip"
)

// acceptances is the story of pull request 11: its slow route is measured once, then
// people decide, and no load is sent for that.
func (s *stage) acceptances(ctx context.Context, main string) error {
	work := s.shop.work
	if _, err := s.shop.git(ctx, "-C", work, "checkout", "--quiet", main); err != nil {
		return err
	}
	commit, err := s.shop.commit(ctx, "signed", "signs every answer")
	if err != nil {
		return err
	}
	who := &s.emu.people
	who.levels = map[string]string{"alice": "write", "mallory": "read"}
	s.target.slower(slowPath, delay)
	pull := job{event: "pull_request", branch: "signed", commit: commit, before: main, pr: 11, token: writeToken, comment: "changes"}
	pull.vars = map[string]string{"ACCEPT": "label,trailer,comment", "CHECK_RUN": "true"}

	red := pull
	red.runID, red.action = 501, "synchronize"
	dir := ""
	err = s.scenario(ctx, "a regression opens a check run before the load, and ends it red", red, func(o *outcome, rep *report, w *wrongs) {
		dir = o.dir
		w.check(o.failed && o.outputs["verdict"] == "regression", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		checks := checksOf(rep, commit)
		w.check(len(checks) == 1 && checks[0].Name == "loadline / api (default)" && checks[0].Status == "completed" && checks[0].Conclusion == "failure" && len(checks[0].Annotations) > 0,
			"check runs %+v", checks)
		w.check(o.outputs["check-run-url"] != "", "no check-run-url")
		c := ourComment(rep, w)
		w.check(strings.Contains(c.Body, acceptLabel) && strings.Contains(c.Body, "Loadline-Accept:") && strings.Contains(c.Body, "/loadline accept"), "the comment does not say how to accept:\n%s", c.Body)
	})
	if err != nil {
		return err
	}
	if dir == "" {
		return fmt.Errorf("the regression left no result to decide on")
	}
	if err := who.upload(dir, red); err != nil {
		return err
	}

	run := 501
	// decide is a scenario that sends no load.
	decide := func(name string, j job, look func(*outcome, *report, *wrongs)) error {
		run++
		j.runID = run
		s.target.requests.Store(0)
		return s.scenario(ctx, name, j, func(o *outcome, rep *report, w *wrongs) {
			w.check(s.target.requests.Load() == 0, "%d requests were sent", s.target.requests.Load())
			look(o, rep, w)
		})
	}
	wantRed := func(says string) func(*outcome, *report, *wrongs) {
		return func(o *outcome, rep *report, w *wrongs) {
			w.check(o.failed && o.outputs["verdict"] == "regression" && o.outputs["exit-code"] == "1", "red %v, verdict %q", o.failed, o.outputs["verdict"])
			w.check(strings.Contains(ourComment(rep, w).Body, says), "the comment does not say %q:\n%s", says, ourComment(rep, w).Body)
		}
	}
	wantAccepted := func(by string) func(*outcome, *report, *wrongs) {
		return func(o *outcome, rep *report, w *wrongs) {
			w.check(!o.failed && o.outputs["verdict"] == "accepted" && o.outputs["exit-code"] == "0" && o.outputs["regressions"] == "0", "red %v, outputs %v", o.failed, o.outputs)
			c := ourComment(rep, w)
			w.check(strings.Contains(c.Body, "slower, as accepted") && strings.Contains(c.Body, by), "the comment does not name %s:\n%s", by, c.Body)
			w.check(strings.Contains(strings.Join(o.summaries, "\n"), by), "the summary does not name %s", by)
			checks := checksOf(rep, commit)
			w.check(len(checks) > 0 && checks[len(checks)-1].Conclusion == "success", "check runs %+v", checks)
		}
	}
	labelled := func(label string) job {
		j := pull
		j.action, j.label = "labeled", label
		return j
	}
	unlabelled := labelled(acceptLabel)
	unlabelled.action = "unlabeled"
	commented := pull
	commented.event = "issue_comment"
	commented.text = "/loadline accept " + slowStep + " " + commit + " because it signs **every** answer"

	who.label(acceptLabel, "mallory")
	if err := decide("a reader's label accepts nothing", labelled(acceptLabel), wantRed("mallory")); err != nil {
		return err
	}
	who.unlabel(acceptLabel, "alice")
	who.label(acceptLabel, "alice")
	if err := decide("a writer's label accepts, with no load", labelled(acceptLabel), wantAccepted("by alice (label)")); err != nil {
		return err
	}
	who.unlabel(acceptLabel, "alice")
	if err := decide("taken off, it is red again, with no load", unlabelled, wantRed("got slower than allowed")); err != nil {
		return err
	}
	who.describe("Signs answers.\n\nLoadline-Accept: " + slowStep + " p50 +99999% because it signs\nLoadline-Accept: " + slowStep + " p95 +99999% because it signs\n")
	if err := decide("trailers in the pull request accept, with no load", labelled("docs"), wantAccepted("(trailer)")); err != nil {
		return err
	}
	who.describe("Loadline-Accept: " + slowStep + " p50 +1% because it signs\n")
	if err := decide("a trailer whose bound is exceeded does not", labelled("docs"), wantRed("was accepted up to +1% by")); err != nil {
		return err
	}
	who.describe("")
	if err := s.emu.say(ctx, 11, "alice", commented.text); err != nil {
		return err
	}
	if err := decide("a writer's comment accepts, with no load", commented, wantAccepted("by alice (comment)")); err != nil {
		return err
	}

	// A later commit that is slower still: what was accepted does not cover it.
	if _, err := s.shop.git(ctx, "-C", work, "checkout", "--quiet", commit); err != nil {
		return err
	}
	slower, err := s.shop.commit(ctx, "signed", "signs twice")
	if err != nil {
		return err
	}
	s.target.slower(slowPath, 4*delay)
	worse := pull
	worse.runID, worse.commit, worse.action = run+1, slower, "synchronize"
	run++
	err = s.scenario(ctx, "a later commit beyond the bound is red again", worse, func(o *outcome, rep *report, w *wrongs) {
		wantRed("by alice (comment), and this is beyond it")(o, rep, w)
	})
	if err != nil {
		return err
	}
	who.label(skipLabel, "alice")
	skipped := labelled(skipLabel)
	skipped.commit = slower
	err = decide("the label loadline:skip skips, and the check says so", skipped, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && o.outputs["verdict"] == "skipped", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		checks := checksOf(rep, slower)
		w.check(len(checks) > 0 && checks[len(checks)-1].Conclusion == "neutral" && strings.Contains(checks[len(checks)-1].Title, skipLabel), "check runs %+v", checks)
		w.check(strings.Contains(strings.Join(o.summaries, "\n"), "skipped"), "the summary does not say so")
	})
	who.unlabel(skipLabel, "alice")
	s.target.slower("", 0*time.Second)
	return err
}

// ourComment is the one that loadline wrote; people write too.
func ourComment(rep *report, w *wrongs) emuComment {
	var found []emuComment
	for _, c := range rep.Repos["octo/shop"].Comments {
		if c.Issue == 11 && c.User == botLogin {
			found = append(found, c)
		}
	}
	if !w.check(len(found) == 1, "%d comments of ours on #11, want one", len(found)) {
		return emuComment{}
	}
	return found[0]
}

// checksOf are the check runs on a commit, oldest first.
func checksOf(rep *report, commit string) []emuCheck {
	var all []emuCheck
	for _, c := range rep.Repos["octo/shop"].Checks {
		if c.HeadSHA == commit {
			all = append(all, c)
		}
	}
	return all
}
