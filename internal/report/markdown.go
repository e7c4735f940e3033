package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// Most bytes of a Markdown page. GitHub takes 65,536 characters in a comment,
// and drops a job summary of more than 1 MiB whole
// (docs.github.com, workflow commands); both leave room for what others add.
const (
	CommentBudget = 60_000
	SummaryBudget = 900 << 10
)

// maxRows is the most changed rows a page shows before it folds the rest away.
const maxRows = 20

// A Comment says how a Markdown page is to be written.
type Comment struct {
	// Marker is the first line as the caller wants it, to find the comment again;
	// "" for none. It goes first so that nothing can cut it off.
	Marker string
	// Budget is the most bytes; 0 means CommentBudget.
	Budget int
}

// Markdown writes one page, a section for each spec, in GitHub-flavoured
// Markdown. What does not fit the budget is dropped in this order: charts, rows
// of the table of all steps, the explanations, the limits that hold, changed
// rows, and at last whole sections; the page says what it does not show.
func Markdown(w io.Writer, c Comment, pages ...*Page) error {
	budget := c.Budget
	if budget <= 0 {
		budget = CommentBudget
	}
	var text string
	for _, f := range fits {
		if text = markdownPages(c, pages, f); len(text) <= budget {
			_, err := io.WriteString(w, text)
			return err
		}
	}
	for n := len(pages) - 1; n > 0 && len(text) > budget; n-- {
		text = markdownPages(c, pages[:n], fits[len(fits)-1])
		more := len(pages) - n
		text += "\n" + plural(more, unit.Count(int64(more)), "more spec") + " not shown: the page would be too long.\n"
	}
	if len(text) > budget {
		return fmt.Errorf("a Markdown page of at most %d bytes cannot hold one verdict", budget)
	}
	_, err := io.WriteString(w, text)
	return err
}

// A fit is how much of a page is shown. Smaller fits come later.
type fit struct {
	chart   bool
	table   int // rows of the table of all steps
	explain bool
	limits  bool // also those that hold, checks, and what the target told
	rows    int  // changed rows
}

var fits = []fit{
	{chart: true, table: 5000, explain: true, limits: true, rows: maxRows},
	{table: 5000, explain: true, limits: true, rows: maxRows},
	{table: 200, explain: true, limits: true, rows: maxRows},
	{table: 50, explain: true, limits: true, rows: maxRows},
	{explain: true, limits: true, rows: maxRows},
	{limits: true, rows: maxRows},
	{rows: maxRows},
	{rows: 10},
	{rows: 3},
	{},
}

func markdownPages(c Comment, pages []*Page, f fit) string {
	var b strings.Builder
	if c.Marker != "" {
		b.WriteString(strings.Join(strings.Fields(c.Marker), " ") + "\n")
	}
	for i, p := range pages {
		if i > 0 {
			b.WriteString("\n---\n\n")
		}
		m := &markdown{Page: p, fit: f, b: &b}
		m.write()
	}
	return b.String()
}

// markdown writes one section.
type markdown struct {
	*Page
	fit
	b *strings.Builder
}

func (m *markdown) line(parts ...string) {
	for _, s := range parts {
		m.b.WriteString(s)
	}
	m.b.WriteByte('\n')
}

func (m *markdown) write() {
	mood := outcomeMood(m.Verdict.Outcome)
	quiet := m.Verdict.Outcome == verdict.Pass && len(m.changed) == 0 && len(m.extraReasons()) == 0
	if quiet {
		m.line(mood.icon, " **loadline**", m.where(), ": ", markProse(m.lead(false), false))
	} else {
		m.line("### ", mood.icon, " loadline: ", m.title(), m.where())
		m.line(markProse(m.lead(true), false))
		m.reasons()
	}
	m.changedTable()
	m.brokenLimits()
	m.line()
	if quiet {
		m.fold("Details: "+m.scope(), m.details)
	} else {
		m.details()
	}
	if !quiet {
		m.whatNext()
	}
	m.footer()
}

// where names what was tested: spec, environment, profile.
func (m *markdown) where() string {
	var parts []string
	if m.Run != nil && m.Run.Spec != "" {
		parts = append(parts, markCode(clean(m.Run.Spec, maxName), false))
	}
	for _, s := range []string{m.Context.Environment, m.Context.Profile} {
		if s = clean(s, maxName); s != "" && s != "default" {
			parts = append(parts, markText(s))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// scope says how much was measured.
func (m *markdown) scope() string {
	n := len(m.listed())
	if m.Run == nil {
		return plural(n, unit.Count(int64(n)), "step")
	}
	return plural(n, unit.Count(int64(n)), "step") + ", " + unit.Count(m.total.Requests) + " requests in " + unit.Duration(m.Run.Measured)
}

func (m *markdown) reasons() {
	extra := m.extraReasons()
	if len(extra) == 0 {
		return
	}
	const most = 8
	m.line()
	for _, r := range extra[:min(len(extra), most)] {
		m.line("- ", markProse(prose{}.sentence(upperFirst(r.Message)), false))
	}
	if more := len(extra) - most; more > 0 {
		m.line("- ", plural(more, unit.Count(int64(more)), "more remark"), " not shown.")
	}
}

func (m *markdown) changedTable() {
	rows := m.changed
	if len(rows) == 0 {
		return
	}
	m.line()
	m.line(m.tally(), m.commits())
	shown := rows[:min(len(rows), m.rows)]
	if len(shown) > 0 {
		m.line()
		m.line("| | Step | Base | Head | Change (95%) | Noise | Limit |")
		m.line("|:--|:--|--:|--:|--:|--:|--:|")
	}
	for i := range shown {
		m.changedRow(&shown[i])
	}
	if slices.ContainsFunc(shown, func(f verdict.Finding) bool { return beyondOthers(&f) }) {
		m.line()
		m.line("<sub>", changeNote, "</sub>")
	}
	if more := len(rows) - len(shown); more > 0 {
		m.line()
		m.line(plural(more, unit.Count(int64(more)), "changed row"), " not shown.")
	}
	m.acceptedRows()
}

// acceptedRows says who took each row that the lead does not speak of, and why.
func (m *markdown) acceptedRows() {
	rows := m.accepted()
	if m.Verdict.Outcome == verdict.Accepted && len(rows) > 0 {
		rows = rows[1:]
	}
	if len(rows) == 0 || m.rows == 0 {
		return
	}
	m.line()
	for i := range rows[:min(len(rows), m.rows)] {
		f := &rows[i]
		m.line("- ☑️ ", markCode(m.labelOf(f), false), " ", metricName(f.Metric), ": ", lowerFirst(markProse(m.acceptance(f), false)))
	}
	if more := len(rows) - m.rows; more > 0 {
		m.line()
		m.line(plural(more, unit.Count(int64(more)), "accepted row"), " not shown.")
	}
}

// changeNote explains why a change need not be that from base to head.
const changeNote = "Change is beyond what the other steps of the same run did: that much is not the machine."

func (m *markdown) changedRow(f *verdict.Finding) {
	mood := callMood(f)
	head, moved := solid(value(f.Metric, f.Head)), solid(change(f.Metric, f.ChangePercent))
	if f.Call == verdict.Slower {
		head, moved = "**"+head+"**", "**"+moved+"**"
	}
	if s := spread(f); s != "" {
		moved += "\u00a0(" + narrow(s) + ")" // or some rows take two lines, and others one
	}
	m.line("| ", mood.icon, "\u00a0", solid(mood.word), " | ", markCode(m.labelOf(f), true), "\u00a0", metricName(f.Metric), " | ",
		solid(value(f.Metric, f.Base)), " | ", head, " | ", moved, " | ", noise(f), " | ", allowed(f), " |")
}

// narrow writes a range as "+28…+45%", its unit once, never broken at its middle.
func narrow(spread string) string {
	low, high, _ := strings.Cut(spread, " to ")
	return strings.TrimRight(low, "%p") + "&#8288;…&#8288;" + high
}

// solid keeps a number and its unit on one line.
func solid(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

// commits is " · base `4c1d9e2`, head `8a1e38d`", as far as they are known.
func (m *markdown) commits() string {
	var parts []string
	for _, c := range []struct{ word, commit string }{{"base", short(m.baseSHA())}, {"head", short(m.headSHA())}} {
		if c.commit != "" {
			parts = append(parts, c.word+" `"+c.commit+"`")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " · " + strings.Join(parts, ", ")
}

func (p *Page) baseSHA() string {
	if p.Context.BaseSHA == "" && p.Verdict.Base != nil {
		return p.Verdict.Base.Commit
	}
	return p.Context.BaseSHA
}

func (p *Page) headSHA() string {
	if p.Context.HeadSHA == "" && p.Run != nil {
		return p.Run.Commit
	}
	return p.Context.HeadSHA
}

func (m *markdown) brokenLimits() {
	broken := m.broken()
	if len(broken) == 0 || m.rows == 0 {
		return
	}
	m.line()
	m.line("| | Limit | Came to |")
	m.line("|:--|:--|--:|")
	for _, l := range broken[:min(len(broken), m.rows)] {
		m.limitRow(l)
	}
	if more := len(broken) - m.rows; more > 0 {
		m.line()
		m.line(plural(more, unit.Count(int64(more)), "broken limit"), " not shown.")
	}
}

func (m *markdown) limitRow(l verdict.LimitResult) {
	mood := m.limitMood(l)
	m.line("| ", mood.icon, "\u00a0", solid(mood.word), " | ", markCode(clean(l.Limit, maxName), true), " | ", solid(markText(clean(l.Shown, maxName))), " |")
}

// limitMood is how a limit is shown. What held in a run that does not count is no
// reason for a green mark.
func (p *Page) limitMood(l verdict.LimitResult) mood {
	switch {
	case l.OK && p.Verdict.Outcome == verdict.Invalid:
		return mood{"⚪", "·", "-", "does not count", toneNeutral}
	case l.OK:
		return mood{"✅", "✓", "ok", "holds", toneGood}
	case l.Warn:
		return mood{"⚠️", "!", "!", "broken, only warned of", toneDoubt}
	default:
		return mood{"❌", "✗", "x", "broken", toneBad}
	}
}

// fold writes a section that a reader opens.
func (m *markdown) fold(summary string, body func()) {
	m.line("<details><summary>", summary, "</summary>")
	m.line()
	body()
	m.line()
	m.line("</details>")
	m.line()
}

func (m *markdown) whatNext() {
	var lines []string
	for _, s := range m.next() {
		lines = append(lines, "**Next** "+markProse(prose{}.sentence(s), false))
	}
	if s := clean(m.Context.Reproduce, maxMessage); s != "" && m.Verdict.Outcome != verdict.NoBaseline {
		lines = append(lines, "**Reproduce** "+markCode(s, false))
	}
	lines = append(lines, m.intended()...)
	if len(lines) > 0 {
		// Two spaces would break the lines too, but editors eat them.
		m.line(strings.Join(lines, "<br>\n"))
		m.line()
	}
}

// intended says how to accept what is slower, where anything is.
func (m *markdown) intended() []string {
	if len(m.slower()) == 0 {
		return nil
	}
	var lines []string
	for i, s := range m.Context.Accept {
		intro := "**Intended?** "
		if i > 0 {
			intro = "Or: "
		}
		lines = append(lines, intro+markProse(prose{}.sentence(upperFirst(s)), false))
	}
	if len(lines) > 0 && m.Context.AcceptURL != "" {
		lines[len(lines)-1] += " " + link("How to accept", m.Context.AcceptURL)
	}
	return lines
}

func (m *markdown) footer() {
	var parts []string
	add := func(s string) {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if m.Context.RunURL != "" {
		add(link("run", m.Context.RunURL))
	}
	if m.Context.ReportURL != "" {
		add(link("full report", m.Context.ReportURL))
	}
	if path := clean(m.Context.SpecPath, maxName); path != "" {
		if slower := m.slower(); len(slower) > 0 && slower[0].Line > 0 {
			path += fmt.Sprintf(":%d", slower[0].Line)
		}
		add("spec " + markCode(path, false))
	}
	if v := clean(m.Context.Version, 40); v != "" {
		add("loadline " + markText(v))
	}
	if m.Context.HelpURL != "" && m.Verdict.Outcome != verdict.Pass {
		add(link("what does this mean?", m.Context.HelpURL))
	}
	if len(parts) > 0 {
		m.line("<sub>", strings.Join(parts, " · "), "</sub>")
	}
}
