package rule

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Acceptance takes a slowdown of one row on purpose, up to a bound. It is part
// of the result file, so its JSON names stay.
type Acceptance struct {
	Spec   string `json:"spec,omitempty"` // name of the spec; "": any
	Route  string `json:"route"`          // the step as pages name it: "GET /orders", "shop · GET /orders", "scenario shop"
	Metric string `json:"metric"`         // "p50", "p95", "p99", "errors", "throughput"
	// Bound is how much worse the row may be, in percent of the baseline; in
	// percentage points for errors, and below 0 for throughput.
	Bound  float64 `json:"bound_percent"`
	By     string  `json:"by,omitempty"` // who took it: a login, or an author
	Via    Via     `json:"via"`
	Reason string  `json:"reason,omitempty"` // on one line, at most MaxReason characters
	Commit string  `json:"commit,omitempty"` // whose measurement it was given for
	// Base and Head are the values that the row had then, in the units of a
	// finding; both 0 where nobody wrote them down. An acceptance that outlives
	// its pull request, in a file, is spent by them: see verdict.
	Base float64 `json:"base,omitempty"`
	Head float64 `json:"head,omitempty"`
}

// A Via is the way by which an acceptance came.
type Via string

// The ways.
const (
	ViaLabel   Via = "label"
	ViaTrailer Via = "trailer"
	ViaFile    Via = "file"
	ViaComment Via = "comment"
)

// Limits of what is read out of foreign texts.
const (
	// MaxReason is the longest reason that is kept, in characters.
	MaxReason = 300
	// maxRoute is the longest name of a row, in bytes: no page shows more.
	maxRoute = 1000
	// maxText is how much of a commit message, pull request or comment is searched,
	// in bytes. GitHub's own limit for the latter two is 65,536 characters.
	maxText = 256 << 10
	// maxFound is the most acceptances or commands that one text may hold.
	maxFound = 100
)

// AcceptForm is how an acceptance is written, for messages.
const AcceptForm = "ROUTE METRIC +N% because REASON, such as GET /orders p99 +45% because every order is signed now"

// The route may hold spaces, so it is what stands before the first metric that a
// bound follows.
var acceptForm = regexp.MustCompile(`^(.+?)\s+(p\d{1,2}(?:\.\d{1,3})?|errors|throughput)\s+([+\-−]?)(\d{1,9}(?:\.\d{1,9})?)\s*(%|pp)(?:\s+because\s+(.+))?$`)

// ParseAcceptance reads "GET /orders p99 +45% because every order is signed now":
// what stands behind "Loadline-Accept:" in a commit or a pull request. Its error is
// one sentence, which ends with what to write.
func ParseAcceptance(text string) (Acceptance, error) {
	text = tidy(text, len(text))
	m := acceptForm.FindStringSubmatch(text)
	if m == nil {
		return Acceptance{}, fmt.Errorf("%s is no acceptance: write %s", Quoted(text), AcceptForm)
	}
	a := Acceptance{Route: routeName(m[1]), Metric: m[2], Reason: tidy(m[6], MaxReason), Via: ViaTrailer}
	bound, err := strconv.ParseFloat(m[4], 64)
	if err != nil {
		return Acceptance{}, fmt.Errorf("%s: %s is no number: write %s", Quoted(text), m[4], AcceptForm)
	}
	if a.Bound = bound; m[3] == "-" || m[3] == "−" {
		a.Bound = -bound
	}
	wantUnit, example := "%", "+45%"
	switch a.Metric {
	case "errors":
		wantUnit, example = "pp", "+2pp"
	case "throughput":
		example = "-20%"
	}
	switch {
	case a.Route == "" || len(a.Route) > maxRoute:
		return Acceptance{}, fmt.Errorf("%s names no route: write %s", Quoted(text), AcceptForm)
	case m[5] != wantUnit, a.Bound == 0, (a.Bound < 0) != (a.Metric == "throughput"), math.Abs(a.Bound) > mostBound(a.Metric):
		return Acceptance{}, fmt.Errorf("%s: %s cannot be accepted up to %s%s%s: write a bound such as %s", Quoted(text), a.Metric, m[3], m[4], m[5], example)
	case a.Reason == "":
		return Acceptance{}, fmt.Errorf("%s gives no reason: add because and why", Quoted(text))
	}
	return a, nil
}

// mostBound is the largest bound that means anything: nothing fails more often
// than always, and no rate falls below nothing.
func mostBound(metric string) float64 {
	if metric == "errors" || metric == "throughput" {
		return 100
	}
	return 1e6
}

// String is the form that ParseAcceptance reads.
func (a Acceptance) String() string {
	s := a.Route + " " + a.Metric + " " + a.BoundText()
	if a.Reason != "" {
		s += " because " + a.Reason
	}
	return s
}

// BoundText is the bound with its sign and unit: "+45%", "+2pp".
func (a Acceptance) BoundText() string {
	unit := "%"
	if a.Metric == "errors" {
		unit = "pp"
	}
	sign := "+"
	if a.Bound < 0 {
		sign = ""
	}
	return sign + strconv.FormatFloat(a.Bound, 'f', -1, 64) + unit
}

// A Command is one that somebody gave in a comment.
type Command struct {
	Route  string
	SHA    string // whole, in lower case
	Reason string // "" when none is given
}

var commandForm = regexp.MustCompile(`(?i)^/loadline\s+accept\s+(.+?)\s+([0-9a-f]{40}|[0-9a-f]{64})(?:\s+because\s+(.+))?$`)

// CommandForm is how the command is written, for messages.
const CommandForm = "/loadline accept ROUTE SHA, with all 40 digits of the commit that was measured"

// Commands reads the lines "/loadline accept GET /orders 8a1e38dc…" of a comment.
// A line that begins so and cannot be read is a mistake, which is told.
func Commands(text string) (all []Command, mistakes []error) {
	for _, line := range visibleLines(text) {
		word, rest, _ := strings.Cut(line, " ")
		if !strings.EqualFold(word, "/loadline") || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(rest)), "accept") {
			continue
		}
		if len(all)+len(mistakes) >= maxFound {
			break
		}
		m := commandForm.FindStringSubmatch(line)
		if m == nil || routeName(m[1]) == "" || len(m[1]) > maxRoute {
			mistakes = append(mistakes, fmt.Errorf("%s cannot be read: write %s", Quoted(line), CommandForm))
			continue
		}
		all = append(all, Command{Route: routeName(m[1]), SHA: strings.ToLower(m[2]), Reason: tidy(m[3], MaxReason)})
	}
	return all, mistakes
}

const trailerKey = "loadline-accept:"

// Trailers reads the lines "Loadline-Accept: …" of a commit message or of the
// text of a pull request, wherever they stand. Lines that follow with a space
// before them belong to the line above, as in git's own trailers.
func Trailers(text string) (all []Acceptance, mistakes []error) {
	var found []string
	inside := false
	for _, line := range visibleLines(text) {
		if len(line) >= len(trailerKey) && strings.EqualFold(line[:len(trailerKey)], trailerKey) {
			if len(found) == maxFound {
				break
			}
			found, inside = append(found, line[len(trailerKey):]), true
			continue
		}
		if inside = inside && strings.HasPrefix(line, " ") && strings.TrimSpace(line) != ""; inside {
			found[len(found)-1] += line
		}
	}
	for _, f := range found {
		a, err := ParseAcceptance(f)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		all = append(all, a)
	}
	return all, mistakes
}

// visibleLines are the lines of a text that a reader of it sees as text: what
// stands in an HTML comment, as templates of pull requests have it, or in a fenced
// block is no more than an example. Tabs become spaces, and the end is trimmed.
func visibleLines(text string) []string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	var out []string
	fence := ""
	comment := false
	for line := range strings.Lines(text) {
		line = strings.TrimRightFunc(strings.ReplaceAll(line, "\t", " "), unicode.IsSpace)
		mark := strings.TrimLeft(line, " ")
		switch {
		case fence != "":
			if strings.HasPrefix(mark, fence) {
				fence = ""
			}
			continue
		case !comment && (strings.HasPrefix(mark, "```") || strings.HasPrefix(mark, "~~~")):
			fence = mark[:3]
			continue
		}
		line, comment = outsideComments(line, comment)
		out = append(out, line)
	}
	return out
}

// outsideComments takes HTML comments out of a line; inside says whether one is
// open before and after it.
func outsideComments(line string, inside bool) (string, bool) {
	var b strings.Builder
	for {
		mark := "<!--"
		if inside {
			mark = "-->"
		}
		before, after, found := strings.Cut(line, mark)
		if !inside {
			b.WriteString(before)
		}
		if !found {
			return b.String(), inside
		}
		line, inside = after, !inside
	}
}

// routeName takes off the marks that a copied name may have around it.
func routeName(s string) string { return strings.TrimSpace(strings.Trim(strings.TrimSpace(s), "`\"")) }

// tidy puts foreign text on one line of valid UTF-8 with nothing invisible in it,
// of at most so many characters.
func tidy(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	runes := []rune(s)
	return strings.TrimSpace(string(runes[:max(most-1, 0)])) + "…"
}

// Quoted is foreign text as a message may show it: the beginning of it, in quotes.
func Quoted(s string) string { return strconv.Quote(tidy(s, 80)) }
