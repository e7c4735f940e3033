package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loadline-ci/loadline/internal/unit"
	"github.com/loadline-ci/loadline/internal/verdict"
)

// A Terminal says what the reader's screen can show.
type Terminal struct {
	Width   int  // columns; 0 means 80, less than 40 is taken as 40
	Colour  bool // ANSI colours; the caller knows NO_COLOR and whether it is a terminal
	Unicode bool // arrows, ticks and other letters than ASCII's
	Rows    int  // most steps in the table; 0 means as many as fit, 20 where Height is unknown
	Height  int  // lines; 0: unknown
}

// Text writes the page for a terminal, in one screen where its height is known:
// the verdict first, what changed, the steps, what failed, and what to do next.
// What does not fit is folded, steps with nothing to say first, and it is said
// how much that is.
func (p *Page) Text(w io.Writer, t Terminal) error {
	if t.Width == 0 {
		t.Width = 80
	}
	t.Width = max(t.Width, 40)
	if t.Rows <= 0 {
		t.Rows = max(20, t.Height)
	}
	s := &screen{Page: p, Terminal: t, most: most{steps: t.Rows, changed: 10, limits: 8, target: 8, notes: 1}}
	s.write()
	read, _ := p.target()
	all := most{len(p.listed()), len(p.changed), len(p.Verdict.Limits), len(read), 1}
	for folds := 0; t.Height > 0 && folds < 3*len(foldable); folds++ {
		over := strings.Count(s.b.String(), "\n") - (t.Height - 1) // a line for the prompt
		if over <= 0 || !s.most.fold(over, all) {
			break
		}
		s.b.Reset()
		s.write()
	}
	_, err := io.WriteString(w, inert(s.b.String()))
	return err
}

// command is what a CI system's runner takes for a command to itself where a line
// begins with it.
var command = regexp.MustCompile(`(?m)^([ \t]*)::`)

// inert makes text no command to a CI system's runner, whose log it may be part of:
// it quotes what others wrote, and breaks their lines at any word.
func inert(text string) string {
	return strings.ReplaceAll(command.ReplaceAllString(text, "$1: :"), "##[", "# #[")
}

// screen writes one page.
type screen struct {
	*Page
	Terminal
	most most
	b    strings.Builder
}

// most is how much of each list a screen shows.
type most struct{ steps, changed, limits, target, notes int }

// foldable are the lists in the order in which they are shortened, and how much
// of each is left at least.
var foldable = []struct {
	of    func(*most) *int
	least int
}{
	{func(m *most) *int { return &m.steps }, 3},
	{func(m *most) *int { return &m.limits }, 2},
	{func(m *most) *int { return &m.target }, 2},
	{func(m *most) *int { return &m.notes }, 0},
	{func(m *most) *int { return &m.changed }, 2},
	{func(m *most) *int { return &m.steps }, 1},
	{func(m *most) *int { return &m.limits }, 0}, // those that hold: see limitFacts
	{func(m *most) *int { return &m.target }, 1},
}

// fold shortens the first list that can be by some lines; there is so much of
// each. It is false when nothing is left to fold.
func (m *most) fold(lines int, all most) bool {
	for _, f := range foldable {
		n, have := f.of(m), *f.of(&all)
		*n = min(*n, have)
		if *n <= f.least {
			continue
		}
		if *n == have {
			lines++ // the one that says how much is not shown
		}
		*n = max(*n-lines, f.least)
		return true
	}
	return false
}

func (s *screen) line(parts ...string) {
	text := strings.TrimRight(strings.Join(parts, ""), " ")
	if !s.Unicode {
		text = ascii(text)
	}
	s.b.WriteString(text + "\n")
}

// wrap breaks text as the terminal will have it: some signs are wider in ASCII.
func (s *screen) wrap(text string, width int) []string {
	if !s.Unicode {
		text = ascii(text)
	}
	return wrap(text, width)
}

// asciiSigns stand in for the signs that loadline itself writes.
var asciiSigns = strings.NewReplacer(
	"→", "->", "−", "-", "±", "+/-", "–", "-", "·", "|", "…", "~", "×", "x", "µ", "u", "\u00a0", " ",
)

// ascii is text for a terminal that shows nothing else: other people's letters
// become question marks, as many columns wide.
func ascii(text string) string {
	text = asciiSigns.Replace(text)
	var b strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		b.WriteString(strings.Repeat("?", runeColumns(r)))
	}
	return b.String()
}

// paint colours text by tone; the words say the same without it.
func (s *screen) paint(t tone, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	colour := map[tone]string{toneGood: "32", toneBad: "31", toneDoubt: "33", toneNeutral: "36"}[t]
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s *screen) bold(text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

func (s *screen) dim(text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[2m" + text + "\x1b[0m"
}

func (s *screen) icon(m mood) string {
	if s.Unicode {
		return m.mark
	}
	return m.ascii
}

func (s *screen) write() {
	mood := outcomeMood(s.Verdict.Outcome)
	s.line(s.paint(mood.tone, s.icon(mood)+" "+s.bold(mood.word)), s.dim("  "+cut(s.where(), s.Width-columns(mood.word)-6)))
	s.line()
	s.paragraph("", s.lead(false))
	for _, r := range first(s.extraReasons(), 6) {
		s.paragraph("", prose{}.sentence(upperFirst(r.Message)))
	}
	s.changedRows()
	s.stepTable()
	s.facts()
	s.whatNext()
}

// where names what was tested and between which commits.
func (s *screen) where() string {
	var parts []string
	add := func(text string) {
		if text = clean(text, maxName); text != "" {
			parts = append(parts, text)
		}
	}
	if s.Run != nil {
		add(s.Run.Spec)
	}
	if s.Context.Environment != "default" {
		add(s.Context.Environment)
	}
	add(s.Context.Profile)
	base, head := short(s.baseSHA()), short(s.headSHA())
	if base != "" && head != "" {
		add(base + " → " + head)
	} else {
		add(head)
	}
	return strings.Join(parts, " · ")
}

// paragraph writes prose, wrapped; all lines but the first stand under the
// first one's text.
func (s *screen) paragraph(intro string, p prose) {
	var text strings.Builder
	for _, sp := range p {
		t := sp.text
		if sp.kind == foreign {
			t = strings.ReplaceAll(t, "`", "")
		}
		text.WriteString(t)
	}
	indent := columns(intro)
	for i, l := range s.wrap(text.String(), s.Width-indent) {
		if i > 0 {
			intro = strings.Repeat(" ", indent)
		}
		s.line(intro, l)
	}
}

func first[T any](all []T, n int) []T { return all[:min(len(all), n)] }

// changedRows shows what moved, one finding a line, or two where the screen is
// narrow.
func (s *screen) changedRows() {
	rows := s.changed
	if len(rows) == 0 {
		return
	}
	s.line()
	s.line(s.dim(s.tally()))
	shown := first(rows, s.most.changed)
	t := table{columns: []column{{}, {}, {}, {right: true}, {right: true}, {}, {}}, shrink: 1, indent: 2, ascii: !s.Unicode}
	for i := range shown {
		f := &shown[i]
		mood := callMood(f)
		limit := allowed(f)
		if limit != "" {
			limit = "limit " + limit
		}
		t.add(
			cell{s.icon(mood) + " " + mood.word, func(x string) string { return s.paint(mood.tone, x) }},
			cell{text: s.labelOf(f)}, cell{text: metricName(f.Metric)},
			cell{text: value(f.Metric, f.Base) + " → " + value(f.Metric, f.Head)},
			cell{change(f.Metric, f.ChangePercent), func(x string) string { return s.paint(mood.tone, x) }},
			cell{text: parenthesis(spread(f))}, cell{limit, s.dim},
		)
	}
	t.optional = []int{6, 5}
	for _, l := range t.layout(s.Width) {
		s.line(l)
	}
	if s.most.notes > 0 && slices.ContainsFunc(shown, func(f verdict.Finding) bool { return beyondOthers(&f) }) {
		s.paragraph("  ", say(changeNote))
	}
	if more := len(rows) - len(shown); more > 0 {
		s.line("  ", plural(more, unit.Count(int64(more)), "changed row"), " not shown.")
	}
}

func parenthesis(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func (s *screen) stepTable() {
	if s.Run == nil || len(s.listed()) == 0 {
		return
	}
	s.line()
	t := table{columns: []column{{}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}, {right: true}}, indent: 2, ascii: !s.Unicode}
	t.optional = []int{2, 3} // rate, then p50
	t.add(cell{"step", s.dim}, cell{"requests", s.dim}, cell{"rate", s.dim}, cell{"p50", s.dim}, cell{"p95", s.dim}, cell{"p99", s.dim}, cell{"failed", s.dim})
	shown := s.pick()
	for _, row := range shown {
		s.figures(&t, row.label, row)
	}
	if len(s.listed()) > 1 {
		s.figures(&t, "all", &stepRow{Figures: s.total})
	}
	for _, l := range t.layout(s.Width) {
		s.line(l)
	}
	if more := len(s.listed()) - len(shown); more > 0 {
		s.line("  ", plural(more, unit.Count(int64(more)), "step"), " not shown; --html and --json hold them all.")
	}
}

// pick chooses the steps that fit the screen: those with something to say, then
// from the top, in the order of the spec.
func (s *screen) pick() []*stepRow {
	chosen := map[int]bool{}
	for _, wanted := range []func(*stepRow) bool{
		func(r *stepRow) bool { return severity(r.call) >= severity(verdict.Faster) },
		func(r *stepRow) bool { return r.Failed > 0 },
		func(*stepRow) bool { return true },
	} {
		for i := range s.listed() {
			if len(chosen) < s.most.steps && wanted(&s.steps[i]) {
				chosen[i] = true
			}
		}
	}
	var rows []*stepRow
	for i := range s.listed() {
		if chosen[i] {
			rows = append(rows, &s.steps[i])
		}
	}
	return rows
}

func (s *screen) figures(t *table, name string, r *stepRow) {
	failed := cell{text: failedShare(r)}
	if r.Failed > 0 {
		failed.paint = func(x string) string { return s.paint(toneBad, x) }
	}
	t.add(cell{text: name}, cell{text: unit.Count(r.Requests)}, cell{text: unit.Rate(r.PerSecond)},
		cell{text: latency(r.Latency.P50, r)}, cell{text: latency(r.Latency.P95, r)}, cell{text: latency(r.Latency.P99, r)}, failed)
}

func latency(us int64, r *stepRow) string {
	if r.Latency.Count == 0 {
		return "–"
	}
	return unit.Micros(us)
}

// facts are the short lists below the table.
func (s *screen) facts() {
	var t facts
	if len(s.total.Status) > 0 {
		t.add("status", s.counts(statuses(&s.total)))
	}
	if len(s.total.Errors) > 0 {
		t.add("errors", s.counts(failures(&s.total)))
	}
	for _, c := range first(s.failedChecks(), 5) {
		t.add("checks", s.paint(toneBad, s.sign("✗", "x"))+" "+cut(c.step+": "+c.name, s.Width-40)+": "+unit.Count(c.failed)+" of "+unit.Count(c.passed+c.failed)+" failed")
	}
	if more := len(s.failedChecks()) - 5; more > 0 {
		t.add("checks", plural(more, unit.Count(int64(more)), "more check")+" failed")
	}
	s.limitFacts(&t)
	s.targetFacts(&t)
	for _, text := range s.trouble() {
		t.add("generator", text)
	}
	if len(t) == 0 {
		return
	}
	s.line()
	last := ""
	for _, f := range t {
		name := f.name
		if name == last {
			name = ""
		}
		last = f.name
		lines := s.wrap(f.text, s.Width-factIndent)
		for i, l := range lines {
			if i > 0 {
				name = ""
			}
			s.line("  ", s.dim(fmt.Sprintf("%-9s", name)), "  ", l)
		}
	}
}

// factIndent is how far in the text of a fact begins.
const factIndent = 13

type facts []struct{ name, text string }

func (f *facts) add(name, text string) { *f = append(*f, struct{ name, text string }{name, text}) }

// sign picks a sign that the terminal can show.
func (s *screen) sign(unicode, ascii string) string {
	if s.Unicode {
		return unicode
	}
	return ascii
}

func (s *screen) counts(all []count) string {
	parts := make([]string, 0, len(all))
	for _, c := range first(all, 12) {
		parts = append(parts, c.name+" × "+unit.Count(c.n))
	}
	return strings.Join(parts, " · ")
}

func (p *Page) failedChecks() []checkRow {
	var failed []checkRow
	for _, c := range p.checks {
		if c.failed > 0 {
			failed = append(failed, c)
		}
	}
	return failed
}

// limitFacts shows broken limits before the others. On a full screen those that
// hold are only counted.
func (s *screen) limitFacts(t *facts) {
	var broken, held []verdict.LimitResult
	for _, l := range s.Verdict.Limits {
		if l.OK {
			held = append(held, l)
		} else {
			broken = append(broken, l)
		}
	}
	all := append(broken, held...)
	shown := max(s.most.limits, min(len(broken), 2))
	if len(all) == 1 {
		shown = 1 // to count it takes a line as well
	}
	for _, l := range first(all, shown) {
		mood := s.limitMood(l)
		word := ""
		if !l.OK {
			word = ", " + mood.word
		}
		t.add("limits", s.paint(mood.tone, s.icon(mood))+" "+clean(l.Limit, maxName)+": "+clean(l.Shown, maxName)+word)
	}
	if more := len(all) - shown; more > 0 {
		what := "more limit"
		if shown == 0 {
			what = "limit"
		}
		text := plural(more, unit.Count(int64(more)), what)
		switch hidden := len(broken) - shown; {
		case hidden > 0:
			text += ", " + unit.Count(int64(hidden)) + " of them broken"
		case s.Verdict.Outcome == verdict.Invalid:
			text += ", not judged"
		case more == 1:
			text += ", which holds"
		default:
			text += ", which hold"
		}
		t.add("limits", text)
	}
}

func (s *screen) whatNext() {
	steps := s.next()
	if s.Context.Reproduce != "" && s.Verdict.Outcome != verdict.Pass && s.Verdict.Outcome != verdict.NoBaseline {
		steps = append(steps, "Measure again: "+clean(s.Context.Reproduce, maxMessage))
	}
	if len(steps) == 0 {
		return
	}
	s.line()
	for i, text := range steps {
		intro := "next  "
		if i > 0 {
			intro = "      "
		}
		s.paragraph(intro, prose{}.quote(text))
	}
}
