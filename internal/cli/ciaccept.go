package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/rule"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// An acceptor collects what was accepted for the runs of one CI run. What a spec or
// a pull request says of who may accept is never asked: that stands in the workflow.
type acceptor struct {
	*ciRun
	all    []*measurement
	pull   *github.Pull
	talk   *github.Conversation // nil: not read
	before []remembered         // as the comment hid them
	list   []rule.Acceptance    // what holds
	record []remembered         // of those, what the comment is to keep
	may    map[string]bool      // whether a login may write
	told   []string             // what does not count, and why
}

// A remembered acceptance is one that the comment keeps for the commits to come.
type remembered struct {
	rule.Acceptance
	// Label is when the label was put on: once it is taken off, what it accepted is
	// not accepted any more, not even by the next label.
	Label time.Time `json:"label,omitzero"`
}

// accept decides again with what people have accepted. Where nothing is worse
// nothing is asked.
func (c *ciRun) accept(ctx context.Context, all []*measurement) {
	worse := slices.ContainsFunc(all, func(m *measurement) bool { return len(m.verdict.Worse()) > 0 })
	if !worse || len(c.in.accept) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	a := &acceptor{ciRun: c, all: all, may: map[string]bool{}}
	a.fromFile()
	a.fromEnvironment()
	if c.client != nil {
		if err := a.fromPull(ctx); err != nil {
			a.tell("what was accepted on GitHub could not be read, so it does not count: %v", err)
		}
	}
	if a.talk != nil {
		c.talk, c.hidden = a.talk, a.encode()
	}
	for _, m := range all {
		var list []rule.Acceptance
		for _, x := range a.list {
			if x.Spec == "" || x.Spec == m.spec.Name {
				list = append(list, x)
			}
		}
		m.verdict.Accept(list, a.told...)
	}
}

// fromPull reads labels, comments and trailers of the pull request: of the one
// under test, or of the one that a commit of the default branch came from.
func (a *acceptor) fromPull(ctx context.Context) error {
	if err := a.findPull(ctx); err != nil || a.pull == nil {
		return err
	}
	if a.in.accept[rule.ViaTrailer] {
		if err := a.fromTrailers(ctx); err != nil {
			return err
		}
	}
	labelled := a.in.accept[rule.ViaLabel] && slices.Contains(a.pull.Labels, a.in.acceptLabel)
	if !labelled && !a.in.accept[rule.ViaComment] {
		return nil
	}
	talk, err := a.client.Conversation(ctx, a.pull.Number, a.key(a.all))
	if err != nil {
		return err
	}
	a.talk, a.before = talk, decodeRecord(talk.Hidden)
	if labelled {
		if err := a.fromLabel(ctx); err != nil {
			return err
		}
	}
	if a.in.accept[rule.ViaComment] {
		return a.fromComments(ctx)
	}
	return nil
}

func (a *acceptor) findPull(ctx context.Context) (err error) {
	switch {
	case a.ciRun.pull != nil:
		a.pull = a.ciRun.pull
	case a.event.PR > 0:
		a.pull, err = a.client.PullNumber(ctx, a.event.PR)
	case a.event.OnDefaultBranch():
		a.pull, err = a.client.PullMerged(ctx, a.commit())
	}
	return err
}

// fromTrailers reads "Loadline-Accept:" in the text of the pull request and in its
// commits. Whoever approves the pull request approves them.
func (a *acceptor) fromTrailers(ctx context.Context) error {
	a.trailers("the pull request", a.pull.Author, "", a.pull.Body)
	commits, err := a.client.PullCommits(ctx, a.pull.Number)
	if err != nil {
		return err
	}
	for _, x := range commits {
		a.trailers("commit "+shortSHA(x.SHA), x.Author, x.SHA, x.Message)
	}
	return nil
}

// trailers adds what one text accepts, and says what it cannot read.
func (a *acceptor) trailers(where, author, commit, text string) {
	found, mistakes := rule.Trailers(text)
	for _, x := range found {
		x.By, x.Commit = author, commit
		a.list = append(a.list, x)
	}
	for _, err := range mistakes[:min(len(mistakes), 3)] {
		a.tell("Loadline-Accept in %s: %v", where, err)
	}
}

// messageVariables hold commit messages and descriptions of merge requests in other
// CIs: our own, GitLab, Buildkite.
var messageVariables = []string{"LOADLINE_COMMIT_MESSAGE", "CI_COMMIT_MESSAGE", "CI_MERGE_REQUEST_DESCRIPTION", "BUILDKITE_MESSAGE"}

// fromEnvironment reads the trailers that other CIs hand over.
func (a *acceptor) fromEnvironment() {
	if !a.in.accept[rule.ViaTrailer] || a.github {
		return
	}
	for _, name := range messageVariables {
		a.trailers(name, "", a.commit(), a.env.get(name))
	}
}

// fromFile reads the acceptances that stand in the repository, where the diff of
// the pull request shows them.
func (a *acceptor) fromFile() {
	if !a.in.accept[rule.ViaFile] {
		return
	}
	list, err := readAcceptances(a.env, a.in.dir)
	if err != nil {
		a.tell("%v", err)
		return
	}
	a.list = append(a.list, list...)
}

// fromLabel takes every row that is worse, if who put the label on may write and
// knew the commit; and what the label took before, as long as it is on.
func (a *acceptor) fromLabel(ctx context.Context) error {
	by, ok, err := a.client.Labeled(ctx, a.pull.Number, a.in.acceptLabel)
	if err != nil {
		return err
	}
	if !ok {
		a.tell("it is not known who put the label `%s` on, so it does not count: take it off and put it on again", a.in.acceptLabel)
		return nil
	}
	if ok, err = a.mayWrite(ctx, by.By); err != nil {
		return err
	}
	if !ok {
		a.tell("the label `%s` does not count: %s put it on, and may not write to this repository", a.in.acceptLabel, by.By)
		return nil
	}
	a.keep(func(x remembered) bool { return x.Via == rule.ViaLabel && x.Label.Equal(by.At) })
	late := false
	for _, m := range a.all {
		existed := a.existed(ctx, m, by.At)
		for _, f := range m.verdict.Worse() {
			switch {
			case existed:
				a.take(m, f, remembered{rule.Acceptance{Via: rule.ViaLabel, By: by.By, Commit: m.run.Commit}, by.At})
			case !a.covered(m, f):
				late = true
			}
		}
	}
	if late {
		a.tell("the label `%s` was put on before this commit was there, so it covers only what was red then: to accept what is red now, take it off and put it on again", a.in.acceptLabel)
	}
	return nil
}

// existed reports whether the commit of a run is known to have been on GitHub at a
// time: one that came after the label is not what was accepted.
func (a *acceptor) existed(ctx context.Context, m *measurement, at time.Time) bool {
	switch {
	case m.run.Commit == "" || m.run.Commit != a.pull.HeadSHA:
		return false // of main, or of a commit that is no longer the head
	case !m.run.Started.After(at):
		return true
	case a.event.Relabeled():
		// The event of the label itself names the commit that it was put on.
		return a.event.Action == "labeled" && a.event.Label == a.in.acceptLabel && a.event.HeadSHA == m.run.Commit
	case a.event.Name != github.EventPullRequest || a.event.RunID == 0:
		return false
	}
	// The commit was there when the run was created, a time that a re-run keeps.
	created, err := a.client.RunCreated(ctx, a.event.RunID)
	if err != nil {
		a.log.Info("when this run was created is not known", "reason", err)
	}
	return err == nil && !created.After(at)
}

// fromComments takes what "/loadline accept ROUTE SHA" names, if who wrote it may
// write. A command for an earlier commit keeps what it took then, while it stands.
func (a *acceptor) fromComments(ctx context.Context) error {
	for _, r := range a.talk.Remarks {
		commands, mistakes := rule.Commands(r.Body)
		if len(commands)+len(mistakes) == 0 {
			continue
		}
		ok, err := a.mayWrite(ctx, r.By)
		if err != nil {
			return err
		}
		if !ok {
			a.tell("a command to accept does not count: %s wrote it, and may not write to this repository", r.By)
			continue
		}
		for _, err := range mistakes[:min(len(mistakes), 3)] {
			a.tell("a comment of %s: %v", r.By, err)
		}
		for _, cmd := range commands {
			a.command(r.By, cmd)
		}
	}
	return nil
}

func (a *acceptor) command(by string, cmd rule.Command) {
	found := false
	for _, m := range a.all {
		if cmd.SHA != m.run.Commit {
			found = true // for another commit: it says nothing of this one's rows
			a.keep(func(x remembered) bool {
				return x.Via == rule.ViaComment && x.By == by && x.Commit == cmd.SHA && x.Spec == m.spec.Name &&
					(x.Route == cmd.Route || strings.HasSuffix(cmd.Route, " · "+x.Route))
			})
			continue
		}
		for _, f := range m.verdict.Worse() {
			if m.verdict.Named(f, cmd.Route) {
				found = true
				a.take(m, f, remembered{Acceptance: rule.Acceptance{Via: rule.ViaComment, By: by, Commit: cmd.SHA, Reason: cmd.Reason}})
			}
		}
	}
	if !found {
		a.tell("a command of %s accepts %s, but no row of that name is worse; the table has the names", by, rule.Quoted(cmd.Route))
	}
}

// take accepts a finding as it was measured, by whom and how like says.
func (a *acceptor) take(m *measurement, f *verdict.Finding, like remembered) {
	x := m.verdict.Acceptance(f)
	x.Spec, x.Via, x.By, x.Commit, x.Reason = m.spec.Name, like.Via, like.By, like.Commit, like.Reason
	x.Base, x.Head = 0, 0 // it ends with the pull request
	like.Acceptance = x
	a.list, a.record = append(a.list, x), append(a.record, like)
}

// keep goes on with remembered acceptances.
func (a *acceptor) keep(which func(remembered) bool) {
	for _, x := range a.before {
		if which(x) && !slices.Contains(a.record, x) {
			a.list, a.record = append(a.list, x.Acceptance), append(a.record, x)
		}
	}
}

// covered reports whether the row of f is among what was accepted, within bounds
// or not: then the verdict says why it is red again.
func (a *acceptor) covered(m *measurement, f *verdict.Finding) bool {
	return slices.ContainsFunc(a.list, func(x rule.Acceptance) bool {
		return (x.Spec == "" || x.Spec == m.spec.Name) && x.Metric == f.Metric && m.verdict.Named(f, x.Route)
	})
}

// tell says, on the page and in the log, what does not count.
func (a *acceptor) tell(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	a.told = append(a.told, text)
	fmt.Fprintf(a.env.Stderr, "loadline: %s\n", text)
}

func (a *acceptor) mayWrite(ctx context.Context, login string) (bool, error) {
	if ok, known := a.may[login]; known {
		return ok, nil
	}
	ok, err := a.client.MayWrite(ctx, login)
	if err == nil {
		a.may[login] = ok
	}
	return ok, err
}

// encode writes what the comment is to keep for the commits to come: of several
// for one row the last. What does not fit is left out, and said.
func (a *acceptor) encode() []byte {
	var keep []remembered
	for _, x := range slices.Backward(a.record) {
		if !slices.ContainsFunc(keep, func(y remembered) bool {
			return y.Spec == x.Spec && y.Route == x.Route && y.Metric == x.Metric && y.Via == x.Via
		}) {
			keep = append(keep, x)
		}
	}
	slices.Reverse(keep)
	data := []byte{}
	for i := range keep {
		line, err := json.Marshal(keep[i])
		if err != nil || len(data)+len(line)+1 > github.MaxHidden {
			a.tell("%s cannot be remembered for later commits; accept them in the file, with `loadline accept`", plural(len(keep)-i, "accepted row"))
			break
		}
		data = append(append(data, line...), '\n')
	}
	return data
}

// decodeRecord reads what encode wrote. What cannot be read is passed over: then
// the row is red again, which is the safe side.
func decodeRecord(data []byte) []remembered {
	var all []remembered
	for line := range bytes.Lines(data) {
		var x remembered
		if json.Unmarshal(line, &x) == nil && (x.Via == rule.ViaLabel || x.Via == rule.ViaComment) && strings.TrimSpace(x.Route) != "" {
			all = append(all, x)
		}
	}
	return all
}

// howToAccept says how what is red now can be accepted, one way a line.
func (c *ciRun) howToAccept(m *measurement) []string {
	worse := slices.DeleteFunc(m.verdict.Worse(), func(f *verdict.Finding) bool { return f.Accepted != nil })
	if len(worse) == 0 || c.github && !c.event.ForPull() {
		return nil
	}
	a := m.verdict.Acceptance(worse[0])
	a.Reason = "…"
	var ways []string
	add := func(via rule.Via, text string) {
		if c.in.accept[via] {
			ways = append(ways, text)
		}
	}
	add(rule.ViaLabel, fmt.Sprintf("Somebody who may write puts the label `%s` on; it covers the rows above up to what was measured, in this pull request only", c.in.acceptLabel))
	add(rule.ViaTrailer, fmt.Sprintf("A line `Loadline-Accept: %s` in a commit message or in the text of the pull request", a))
	add(rule.ViaComment, fmt.Sprintf("A comment `/loadline accept %s %s` of somebody who may write", a.Route, c.commit()))
	add(rule.ViaFile, "`"+strings.Join([]string{"loadline", "accept", "--from", outDir + "/result.json", "--step", shellQuote(a.Route), "--because", "'…'"}, " ")+"`, committed with the change")
	return ways
}
