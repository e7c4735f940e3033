package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/loadline-ci/loadline/internal/github"
	"github.com/loadline-ci/loadline/internal/report"
	"github.com/loadline-ci/loadline/internal/spec"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// publish writes files, comment, summary, annotations and outputs, and returns
// the status of the worst verdict. Each is tried whatever became of the others.
func (c *ciRun) publish(ctx context.Context, all []*measurement) Exit {
	c.watchTrend(ctx, all)
	pages := make([]*report.Page, len(all))
	for i, m := range all {
		pages[i] = report.New(&m.verdict, m.run, c.context(m), trends(m.base))
	}
	hide := c.masks(all)
	// The files first: a runner that is being cancelled does not wait long.
	for i, m := range all {
		if err := c.writeFiles(m, pages[i]); err != nil {
			c.note("%v", err)
		}
		c.showText(m, pages[i], hide)
	}
	c.completeChecks(ctx, all, pages, hide)
	posted := c.comment(ctx, all, pages, hide)
	tracked := c.track(ctx, all, hide)
	c.keep(ctx, all)
	head := worst(all, c.in.failOn)
	code := exitOf(head.verdict.Outcome, c.in.failOn)
	for _, m := range all {
		if m.run.Interrupted && !m.saved {
			code = ExitInterrupted
		}
	}
	err := c.actionsOnly(func() error {
		return errors.Join(c.summary(all, pages, hide), c.annotate(pages, hide), c.outputs(head, all, code, [2]string{"comment-url", posted.URL}, [2]string{"tracking-issue-url", tracked}))
	})
	if err != nil {
		c.note("%s", hide(err.Error()))
	}
	return code
}

// maskSecrets has the runner hide the specs' secrets in all that it logs, from
// before the first request on.
func (c *ciRun) maskSecrets() error {
	for _, s := range c.specs {
		for _, secret := range s.SecretValues() {
			if len(secret) < minSecret {
				continue
			}
			if err := c.actionsOnly(func() error { return c.actions.Mask(secret) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// masks hides the secrets of all specs in what is published.
func (c *ciRun) masks(all []*measurement) func(string) string {
	return func(s string) string {
		for _, m := range all {
			s = m.mask.String(s)
		}
		return s
	}
}

func (c *ciRun) context(m *measurement) report.Context {
	ctx := report.Context{
		PullRequest: c.event.PR, HeadSHA: c.commit(), RunURL: c.event.RunURL(),
		SpecPath: m.spec.File, Environment: m.run.Environment.Label, Profile: m.run.Profile, Version: version(),
		Reproduce: cmp.Or(m.again, reproduce(m.spec.File, &measureFlags{target: m.run.Target, profile: m.run.Profile, allowExec: c.in.exec})),
		Accept:    c.howToAccept(m), AcceptURL: docsURL + "accepting.md", HelpURL: docsURL + "verdict.md",
	}
	if b := c.store.build; !c.github {
		ctx.PullRequest, ctx.RunURL, ctx.Repo = b.PR, b.URL, b.Repo
	}
	if c.event.Repo != "" {
		ctx.Repo = c.event.Owner + "/" + c.event.Repo
	}
	if m.verdict.Base != nil {
		ctx.BaseSHA = m.verdict.Base.Commit
	}
	return ctx
}

// docsURL is where people read on.
const docsURL = "https://github.com/loadline-ci/loadline/blob/main/docs/"

// writeFiles leaves the result in every form in the folder that a workflow
// uploads.
func (c *ciRun) writeFiles(m *measurement, page *report.Page) error {
	dir := c.folder(m)
	if err := os.MkdirAll(c.env.path(dir), 0o755); err != nil {
		return fmt.Errorf("%s: %w", dir, cause(err))
	}
	f := &measureFlags{
		json: filepath.Join(dir, "result.json"), html: filepath.Join(dir, "report.html"),
		junit: filepath.Join(dir, "junit.xml"), mdown: filepath.Join(dir, "report.md"),
		data: dataFlags{openMetrics: filepath.Join(dir, "metrics.txt")},
	}
	return f.write(c.env, m, page)
}

// showText writes the verdict to the log. Names in it are foreign, and must not
// speak to the runner.
func (c *ciRun) showText(m *measurement, page *report.Page, hide func(string) string) {
	var b strings.Builder
	err := page.Text(&b, report.Terminal{Width: 100, Unicode: true})
	if err == nil && c.github {
		err = c.actions.Verbatim(hide(b.String()))
	} else if err == nil {
		_, err = fmt.Fprint(c.env.Stdout, hide(b.String()))
	}
	if err != nil {
		c.note("%s: %v", m.spec.Name, err)
	}
}

// comment posts or edits the one comment of these specs on the pull request.
func (c *ciRun) comment(ctx context.Context, all []*measurement, pages []*report.Page, hide func(string) string) github.Posted {
	if c.client == nil || !c.event.ForPull() || c.in.comment == "never" {
		return github.Posted{}
	}
	ctx, cancel := context.WithTimeout(ctx, publishTime)
	defer cancel()
	var b strings.Builder
	// Room for the marker and the record that PostComment puts before it.
	var posted github.Posted
	err := report.Markdown(&b, report.Comment{Budget: report.CommentBudget - 1000 - github.HiddenLine}, pages...)
	if err == nil {
		posted, err = c.client.PostComment(ctx, github.Comment{
			PR: c.event.PR, Key: c.key(all), Run: c.event.RunID, Attempt: c.event.RunAttempt, SHA: c.event.HeadSHA,
			Body: hide(b.String()), OnlyEdit: c.in.comment == "changes" && !moved(all),
			Hidden: c.hidden, Known: c.talk,
		})
		if err == nil {
			if posted.Action == github.PostedSuperseded {
				c.note("A newer run has written the comment; this one left it as it is.")
			}
			return posted
		}
	}
	c.note("%s", hide(err.Error()))
	if posted.URL != "" { // it stands, and only looking after it failed
		return posted
	}
	if c.event.ReadOnly() {
		c.note("Pull requests from forks get a read-only token: the verdict is this job's status, and the report stands in the job summary.")
	}
	return github.Posted{}
}

// key tells this comment from those of other specs and environments.
func (c *ciRun) key(all []*measurement) string {
	each := func(part func(*measurement) string) string {
		var parts []string
		for _, m := range all {
			if p := part(m); p != "" && !slices.Contains(parts, p) {
				parts = append(parts, p)
			}
		}
		return strings.Join(parts, "+")
	}
	key := each(func(m *measurement) string { return m.spec.Name }) + "/" + each(func(m *measurement) string { return m.run.Environment.Label })
	if profiles := each(func(m *measurement) string { return m.run.Profile }); profiles != "" {
		key += "/" + profiles
	}
	return key
}

// moved says whether there is something to tell: a pass in which nothing got
// faster, or a first run, is not worth a mail.
func moved(all []*measurement) bool {
	for _, m := range all {
		if m.verdict.Outcome != verdict.Pass && m.verdict.Outcome != verdict.NoBaseline {
			return true
		}
		for _, f := range m.verdict.Findings {
			if f.Call == verdict.Faster || f.Call == verdict.Slower {
				return true
			}
		}
	}
	return false
}

func (c *ciRun) summary(all []*measurement, pages []*report.Page, hide func(string) string) error {
	if c.in.summary == "never" || c.in.summary == "changes" && !moved(all) {
		return nil
	}
	var b strings.Builder
	if err := report.Markdown(&b, report.Comment{Budget: report.SummaryBudget - 64<<10}, pages...); err != nil {
		return err
	}
	for _, n := range c.notes {
		b.WriteString("\n> " + report.Escape(n) + "\n")
	}
	return c.actions.Summary(hide(b.String()))
}

// annotate puts remarks on the lines of the specs.
func (c *ciRun) annotate(pages []*report.Page, hide func(string) string) error {
	if !c.in.annotations || len(c.checks) > 0 { // a check run has them already, and all of them
		return nil
	}
	var all []github.Annotation
	for _, p := range pages {
		all = append(all, c.remarks(p, hide)...)
	}
	return c.actions.Annotate(all)
}

// remarks are the annotations of a page, with file names as GitHub wants them.
func (c *ciRun) remarks(p *report.Page, hide func(string) string) []github.Annotation {
	if !c.in.annotations {
		return nil
	}
	var all []github.Annotation
	for _, a := range p.Annotations() {
		all = append(all, github.Annotation{
			Level: github.Level(a.Level), File: c.actions.RepoPath(c.absolute(a.File)), Line: a.Line,
			Title: hide(a.Title), Message: hide(a.Message),
		})
	}
	return all
}

func (c *ciRun) absolute(file string) string {
	if file == "" {
		return ""
	}
	return c.env.path(file)
}

// annotateProblems puts the mistakes of a spec on its lines.
func (c *ciRun) annotateProblems(err error) {
	var p problemsError
	if !c.github || !c.in.annotations || !errors.As(err, &p) {
		return
	}
	located := make([]spec.Problem, len(p.problems))
	for i, one := range p.problems {
		if name := c.actions.RepoPath(c.absolute(one.File)); name != "" {
			one.File = name
		}
		located[i] = one
	}
	_ = report.ProblemsGitHub(c.env.Stdout, report.LevelError, located)
}

// outputs sets the outputs of the step, for the steps after it.
func (c *ciRun) outputs(head *measurement, all []*measurement, code Exit, more ...[2]string) error {
	regressions, worstRow := 0, (*verdict.Finding)(nil)
	for _, m := range all {
		for i, f := range m.verdict.Findings {
			if f.Call != verdict.Slower || f.Warn || f.Accepted != nil {
				continue
			}
			regressions++
			if worstRow == nil || f.ChangePercent > worstRow.ChangePercent {
				worstRow = &m.verdict.Findings[i]
			}
		}
	}
	dir := c.folder(head)
	values := [][2]string{
		{"verdict", string(head.verdict.Outcome)},
		{"exit-code", strconv.Itoa(int(code))},
		{"regressions", strconv.Itoa(regressions)},
		{"report-json", filepath.ToSlash(filepath.Join(dir, "result.json"))},
		{"report-md", filepath.ToSlash(filepath.Join(dir, "report.md"))},
		{"junit", filepath.ToSlash(filepath.Join(dir, "junit.xml"))},
		{"report-dir", c.out},
		{"check-run-url", c.checkURL(head)},
	}
	values = append(values, more...)
	if worstRow != nil {
		values = append(values, [2]string{"worst-route", worstRow.Step},
			[2]string{"worst-change", strconv.FormatFloat(worstRow.ChangePercent, 'f', 1, 64)})
	}
	if head.verdict.Base != nil {
		values = append(values, [2]string{"baseline-sha", head.verdict.Base.Commit})
	}
	var errs []error
	for _, v := range values {
		errs = append(errs, c.actions.Output(v[0], v[1]))
	}
	return errors.Join(errs...)
}
