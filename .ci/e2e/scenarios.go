package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const dataRef = "refs/heads/loadline-data"

// pushes is how many runs of main are stored before the first pull request.
const pushes = 4

// delay is what the slow pull request adds to one route: many times what it
// takes, so that a noisy machine cannot hide it, nor explain it.
const delay = 40 * time.Millisecond

// actScenarios tell one story: main is pushed, pull requests follow.
func (r *runner) actScenarios(ctx context.Context) error {
	s := &stage{r: r}
	var err error
	if s.act, err = tool(ctx, actModule); err != nil {
		return err
	}
	if s.target, err = r.startTarget(ctx); err != nil {
		return err
	}
	if s.shop, err = newShop(ctx, filepath.Join(r.scratch, "octo")); err != nil {
		return err
	}
	s.action = filepath.Join(r.scratch, "action")
	if err := copyTree(ctx, r.repo, s.action); err != nil {
		return err
	}
	// The action builds it too; a failure here says so once, not ten times.
	if err := build(ctx, s.action, "./cmd/loadline", filepath.Join(r.scratch, "loadline")); err != nil {
		return err
	}
	if s.emu, err = r.startEmulator(ctx, "github", s.shop.root, []map[string]any{
		{"repo": "octo/shop", "number": 7, "title": "faster", "author": "alice", "head": "faster", "base": "main"},
		{"repo": "octo/shop", "number": 8, "title": "from a fork", "author": "mallory", "head": "patch", "head_repo": "mallory/shop", "base": "main"},
		{"repo": "octo/shop", "number": 11, "title": "signed", "author": "carol", "head": "signed", "base": "main"},
		{"repo": "octo/shop", "number": 9, "title": "base and head by turns", "author": "alice", "head": "pair", "base": "main"},
		{"repo": "octo/shop", "number": 10, "title": "base and head, from a fork", "author": "mallory", "head": "fork-pair", "head_repo": "mallory/shop", "base": "main"},
	}); err != nil {
		return err
	}
	if err := r.inFront(s.emu); err != nil {
		return err
	}
	main, err := s.pushMain(ctx)
	if err != nil {
		return err
	}
	if err := s.pushWithoutRight(ctx, main); err != nil {
		return err
	}
	if err := s.pullRequests(ctx, main); err != nil {
		return err
	}
	if err := s.acceptances(ctx, main[len(main)-1]); err != nil {
		return err
	}
	return s.pairedPulls(ctx, main[len(main)-1])
}

// scenario runs one job and looks at what came of it.
func (s *stage) scenario(ctx context.Context, name string, j job, look func(*outcome, *report, *wrongs)) error {
	var broken error
	s.r.scenario(name, func() []string {
		var w wrongs
		out, err := s.run(ctx, j)
		if err != nil {
			broken = err
			return []string{err.Error()}
		}
		rep, err := s.emu.report(ctx)
		if err != nil {
			broken = err
			return []string{err.Error()}
		}
		look(out, rep, &w)
		w.check(len(rep.RequestViolations) == 0, "calls that break GitHub's own description:\n%s", strings.Join(rep.RequestViolations, "\n"))
		if calls := s.emu.calls.Load(); !w.check(calls <= 25, "%d API calls in one run, more than 25", calls) {
			w = append(w, callList(rep))
		}
		if len(w) > 0 {
			w = append(w, "the log ends:\n"+out.tail())
		}
		return w
	})
	return errors.Join(broken, ctx.Err(), s.emu.mark(ctx))
}

// pushMain pushes main a few times; each run adds one baseline. It returns
// main's commits, oldest first.
func (s *stage) pushMain(ctx context.Context) ([]string, error) {
	var before, commit string
	var all []string
	for i := 1; i <= pushes; i++ {
		before = commit
		if err := s.shop.checkout(ctx, "main"); err != nil {
			return nil, err
		}
		var err error
		if commit, err = s.shop.commit(ctx, "main", "change "+strconv.Itoa(i)); err != nil {
			return nil, err
		}
		all = append(all, commit)
		j := job{event: "push", branch: "main", commit: commit, before: before, token: writeToken, runID: 100 + i, comment: "changes"}
		err = s.scenario(ctx, fmt.Sprintf("push %d to main stores a baseline", i), j, func(o *outcome, rep *report, w *wrongs) {
			w.check(!o.failed, "the job is red")
			want := "pass"
			if i == 1 {
				want = "no-baseline"
			}
			w.check(o.outputs["verdict"] == want, "verdict is %q, want %s", o.outputs["verdict"], want)
			w.check(o.outputs["exit-code"] == "0", "exit-code is %q", o.outputs["exit-code"])
			w.check(len(o.summaries) > 0, "no job summary")
			data := rep.Repos["octo/shop"].Refs[dataRef]
			w.check(data.Commits == strconv.Itoa(i), "%s has %q commits, want %d", dataRef, data.Commits, i)
			w.check(len(data.Roots) == 1 && !slices.Contains(data.Files, "README.md"), "%s is not an orphan: roots %v, files %v", dataRef, data.Roots, data.Files)
			w.check(len(data.Files) >= i, "%s has the files %v after %d runs", dataRef, data.Files, i)
			w.check(len(rep.Repos["octo/shop"].Comments) == 0, "a push left a comment")
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// pushWithoutRight runs main's last commit again, in a job that may not write.
func (s *stage) pushWithoutRight(ctx context.Context, pushed []string) error {
	j := job{event: "push", branch: "main", commit: pushed[len(pushed)-1], before: pushed[len(pushed)-2], token: readToken, runID: 150, comment: "changes"}
	return s.scenario(ctx, "a push that may not write: judged, and told that nothing was stored", j, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && o.outputs["verdict"] == "pass", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		data := rep.Repos["octo/shop"].Refs[dataRef]
		w.check(data.Commits == strconv.Itoa(pushes), "%s has %q commits, want %d", dataRef, data.Commits, pushes)
		w.check(strings.Contains(o.log, "LL30") && strings.Contains(o.log, "contents: write"), "the log does not name the right that is missing")
	})
}

// pullRequests branch off from main's last commit but one: what main did since
// is not theirs.
func (s *stage) pullRequests(ctx context.Context, pushed []string) error {
	main, left := pushed[len(pushed)-1], pushed[len(pushed)-2]
	if _, err := s.shop.git(ctx, "-C", s.shop.work, "checkout", "--quiet", "-b", "faster", left); err != nil {
		return err
	}
	commit, err := s.shop.commit(ctx, "faster", "nothing that matters")
	if err != nil {
		return err
	}
	stored, err := s.emu.report(ctx)
	if err != nil {
		return err
	}
	kept := stored.Repos["octo/shop"].Refs[dataRef].Commits
	pull := job{event: "pull_request", branch: "faster", commit: commit, before: main, pr: 7, token: writeToken, comment: "changes"}

	same := pull
	same.runID = 201
	err = s.scenario(ctx, "pull request that changes nothing passes, with no comment", same, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed, "the job is red")
		w.check(o.outputs["verdict"] == "pass", "verdict is %q, want pass", o.outputs["verdict"])
		w.check(o.outputs["regressions"] == "0", "regressions is %q, want 0", o.outputs["regressions"])
		w.check(o.outputs["baseline-sha"] == left, "baseline-sha is %q, want %s, where the branch left main", o.outputs["baseline-sha"], left)
		w.check(o.result.Schema == "loadline/result/1", "the result file has schema %q", o.result.Schema)
		o.told(w, "")
		w.check(strings.Contains(strings.Join(o.summaries, "\n"), "<code>throughput</code>"), "the job summary does not say what the target told of itself")
		w.check(len(rep.Repos["octo/shop"].Comments) == 0, "there is a comment, though nothing moved and comment is `changes`")
		w.check(rep.Repos["octo/shop"].Refs[dataRef].Commits == kept, "a pull request stored a baseline")
	})
	if err != nil {
		return err
	}

	slow := pull
	slow.runID = 202
	s.target.slower(slowPath, delay)
	var first emuComment
	err = s.scenario(ctx, "pull request that slows one route is a regression on that route alone", slow, func(o *outcome, rep *report, w *wrongs) {
		wantRegression(o, w)
		if first = onlyComment(rep, 7, w); first.ID != 0 {
			w.check(first.User == botLogin && strings.HasPrefix(first.Body, "<!-- loadline v1 ") && strings.Contains(first.Body, slowStep), "the comment reads\n%s", first.Body)
			wantRun(first, slow, o, w)
			w.check(strings.HasSuffix(o.outputs["comment-url"], fmt.Sprintf("#issuecomment-%d", first.ID)), "comment-url is %q, and the comment has id %d", o.outputs["comment-url"], first.ID)
		}
		w.check(rep.Repos["octo/shop"].Untouched == 120, "%d of 120 comments of others are untouched", rep.Repos["octo/shop"].Untouched)
	})
	if err != nil {
		return err
	}

	again := pull
	again.runID = 203
	err = s.scenario(ctx, "run again: the comment is edited in place", again, func(o *outcome, rep *report, w *wrongs) {
		wantRegression(o, w)
		c := onlyComment(rep, 7, w)
		w.check(c.ID == first.ID && c.Edits > first.Edits, "comment %d with %d edits, want %d with more than %d", c.ID, c.Edits, first.ID, first.Edits)
		wantRun(c, again, o, w)
	})
	if err != nil {
		return err
	}

	s.target.slower("", 0)
	older := pull
	older.runID = 202 // as if run 202 were run again after 203
	err = s.scenario(ctx, "a run that began earlier passes, and leaves the newer comment alone", older, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && o.outputs["verdict"] == "pass", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		c := onlyComment(rep, 7, w)
		w.check(strings.Contains(c.Body, "run=203."), "the comment was overwritten by an older run:\n%s", c.Body)
	})
	if err != nil {
		return err
	}

	fixed := pull
	fixed.runID = 204
	err = s.scenario(ctx, "fixed: it passes, and the comment says so", fixed, func(o *outcome, rep *report, w *wrongs) {
		w.check(!o.failed && o.outputs["verdict"] == "pass", "red %v, verdict %q", o.failed, o.outputs["verdict"])
		c := onlyComment(rep, 7, w)
		w.check(c.ID == first.ID, "comment %d, want %d", c.ID, first.ID)
		wantRun(c, fixed, o, w)
	})
	if err != nil {
		return err
	}

	s.target.slower(slowPath, delay)
	fork := pull
	fork.pr, fork.branch, fork.fork, fork.token, fork.runID = 8, "patch", true, readToken, 301
	err = s.scenario(ctx, "a fork's read-only token: still judged, and told what was not posted", fork, func(o *outcome, rep *report, w *wrongs) {
		wantRegression(o, w)
		for _, c := range rep.Repos["octo/shop"].Comments {
			w.check(c.Issue != 8, "a comment was posted with a read-only token")
		}
		w.check(strings.Contains(o.log, "LL30"), "the log does not say that the comment could not be posted (LL30)")
		w.check(len(o.summaries) > 0 && strings.Contains(strings.Join(o.summaries, "\n"), slowStep), "the job summary does not name %s", slowStep)
		w.check(rep.Repos["octo/shop"].Refs[dataRef].Commits == kept, "a fork's run stored a baseline")
	})
	return err
}

// wantRegression looks at everything that a regression of the slow route, and
// of nothing else, must show.
func wantRegression(o *outcome, w *wrongs) {
	w.check(o.failed, "the job is green")
	w.check(o.outputs["verdict"] == "regression", "verdict is %q, want regression", o.outputs["verdict"])
	w.check(o.outputs["exit-code"] == "1", "exit-code is %q, want 1", o.outputs["exit-code"])
	w.check(strings.Contains(o.outputs["worst-route"], slowStep), "worst-route is %q, want %s", o.outputs["worst-route"], slowStep)
	worst, err := strconv.ParseFloat(o.outputs["worst-change"], 64)
	w.check(err == nil && worst > 100, "worst-change is %q, want a number over 100", o.outputs["worst-change"])
	n, err := strconv.Atoi(o.outputs["regressions"])
	w.check(err == nil && n >= 1, "regressions is %q", o.outputs["regressions"])
	if got := o.result.slower(); !slices.Equal(got, []string{slowStep}) {
		w.check(false, "the result calls %v slower, want %s alone", got, slowStep)
	}
	request := 1 + strings.Count(spec[:strings.Index(spec, `request = "`+slowStep+`"`)], "\n")
	header := strconv.Itoa(request - 1) // [[scenario.step]] stands a line above
	notes := o.annotations(specPath)
	w.check(len(notes) > 0, "no annotation on %s", specPath)
	for _, a := range notes {
		w.check(a.Command == "error" && a.Pairs["line"] == header, "%s annotation on line %s of the spec, want an error on line %s: %s", a.Command, a.Pairs["line"], header, a.Arg)
	}
	w.check(len(o.summaries) > 0, "no job summary")
	w.check(!strings.Contains(o.log, writeToken) && !strings.Contains(o.log, readToken), "the token shows in the log")
}

// wantRun looks whether a comment is of this run.
func wantRun(c emuComment, j job, o *outcome, w *wrongs) {
	want := fmt.Sprintf("run=%d.%d ", j.runID, o.attempt)
	w.check(strings.Contains(c.Body, want), "the comment's marker does not say %s:\n%s", want, c.Body)
}

func onlyComment(rep *report, pr int, w *wrongs) emuComment {
	var found []emuComment
	for _, c := range rep.Repos["octo/shop"].Comments {
		if c.Issue == pr {
			found = append(found, c)
		}
	}
	if !w.check(len(found) == 1, "%d comments on #%d, want one", len(found), pr) {
		return emuComment{}
	}
	return found[0]
}

// callList lists the calls since the last mark, but for those that inFront
// answers.
func callList(rep *report) string {
	var out []string
	for _, q := range rep.Requests {
		if q.Method == "MARK" {
			out = nil
			continue
		}
		out = append(out, fmt.Sprintf("%s %s -> %d", q.Method, q.Path, q.Status))
	}
	return strings.Join(out, "\n")
}
