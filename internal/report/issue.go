package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/loadline-ci/loadline/internal/unit"
)

// An Alarm is one line of a tracking issue.
type Alarm struct {
	What  string // "GET /orders p95", or a limit as written; foreign
	Came  string // what it came to: "+12 %", "231 ms"
	Since string // commit at which it likely began; "" unknown
}

// A TrackingIssue is the one issue about a spec on the main branch.
type TrackingIssue struct {
	Spec, Environment, Profile string
	Branch                     string // "main"
	Alarms                     []Alarm
	More                       int  // alarms that are left out
	Known                      bool // a person closed the issue on all of them
	HeadSHA, RunURL            string
	Reproduce                  string // command line
	HelpURL                    string
}

// Title is one line. It stays the same while the issue lives.
func (t *TrackingIssue) Title() string {
	return "loadline: " + clean(t.name(), maxName) + " got worse on " + clean(t.Branch, maxName)
}

func (t *TrackingIssue) name() string {
	name := t.Spec
	if t.Profile != "" {
		name += " " + t.Profile
	}
	if t.Environment != "" && t.Environment != "default" {
		name += " (" + t.Environment + ")"
	}
	return name
}

// Markdown is the text of the issue. Without alarms it says that all is well.
func (t *TrackingIssue) Markdown() string {
	var b strings.Builder
	if len(t.Alarms) == 0 {
		fmt.Fprintf(&b, "Nothing of what this issue told of holds any more, as of %s. loadline closed it, and opens it again when something else gets worse.\n", t.seen())
		return b.String()
	}
	known := "nobody said that it may"
	if t.Known {
		known = "somebody closed this issue, so it is known"
	}
	fmt.Fprintf(&b, "%s got worse on %s, and %s.\n\n", markCode(clean(t.name(), maxName), false), markCode(clean(t.Branch, maxName), false), known)
	b.WriteString("| What | Came to | Since about |\n|---|--:|---|\n")
	for _, a := range t.Alarms {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", markCode(clean(a.What, maxName), true), markText(clean(a.Came, maxName)), sinceCommit(a.Since))
	}
	if t.More > 0 {
		fmt.Fprintf(&b, "\nand %s.\n", plural(t.More, unit.Count(int64(t.More)), "more row"))
	}
	fmt.Fprintf(&b, "\nLast looked at: %s.\n", t.seen())
	b.WriteString("\n**What next:** look at the commits since then; the change may be in several of them.")
	if t.Reproduce != "" {
		fmt.Fprintf(&b, " Measure it yourself: %s.", markCode(t.Reproduce, false))
	}
	fmt.Fprintf(&b, " If it is meant, close this issue: it is opened again only when something else gets worse. Once nothing of this holds, loadline closes it by itself. [How this is decided](%s)\n", t.HelpURL)
	return b.String()
}

// sinceCommit is a commit as GitHub links it.
func sinceCommit(sha string) string { return cmp.Or(short(sha), "not known") }

func (t *TrackingIssue) seen() string {
	commit := sinceCommit(t.HeadSHA)
	if t.RunURL == "" {
		return commit
	}
	return commit + " in " + link("this run", t.RunURL)
}
