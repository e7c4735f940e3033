package github

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sethvargo/go-githubactions"
)

const (
	// maxSummary keeps the step's summary under GitHub's 1 MiB, beyond which the
	// whole of it is dropped.
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
	maxSummary = 900 << 10
	// maxAnnotations is what a step shows of errors, and of warnings; the rest is
	// dropped without a word. https://github.com/actions/toolkit/issues/734
	maxAnnotations = 10
	// maxOutput is long enough for any path or sentence that is an output.
	maxOutput = 4 << 10
	// maxTitle and maxMessage are the check run's limits, kept here too.
	maxTitle   = 255
	maxMessage = 4 << 10
)

// Actions writes workflow commands, outputs and the summary of one step. They
// need no token, so they work on forks too.
type Actions struct {
	w   io.Writer
	env func(string) string
	a   *githubactions.Action
}

// NewActions writes commands to w, which must be the step's standard output or
// standard error, and finds the step's files through env.
func NewActions(w io.Writer, env func(string) string) *Actions {
	return &Actions{w, env, githubactions.New(githubactions.WithWriter(w), githubactions.WithGetenv(env))}
}

// guard turns the library's panics, its only way to report a failed write, into
// errors.
func guard(doing string, f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", doing, r)
		}
	}()
	f()
	return nil
}

// Input is the value of an input, "" when it is not set. Actions of several
// steps get it as INPUT_BASE_URL, by their own mapping; docker and node actions
// as INPUT_BASE-URL, by GitHub's.
func (a *Actions) Input(name string) string {
	return or(a.a.GetInput(strings.ReplaceAll(name, "-", "_")), a.a.GetInput(name))
}

// Summary appends Markdown to the job's summary page. A text too long for
// GitHub is refused: to cut it well is the renderer's affair.
func (a *Actions) Summary(markdown string) error {
	if a.env("GITHUB_STEP_SUMMARY") == "" {
		return errors.New("writing the job summary: GITHUB_STEP_SUMMARY is not set")
	}
	if len(markdown) > maxSummary {
		return fmt.Errorf("writing the job summary: %d bytes are more than the %d that are safe", len(markdown), maxSummary)
	}
	return guard("writing the job summary", func() { a.a.AddStepSummary(markdown) })
}

// Output sets an output of the step. Only a short single line may be one: the
// library separates values with a fixed delimiter, which a value of several
// lines could forge.
func (a *Actions) Output(name, value string) error {
	doing := "setting the output " + name
	switch {
	case a.env("GITHUB_OUTPUT") == "":
		return errors.New(doing + ": GITHUB_OUTPUT is not set")
	case len(value) > maxOutput:
		return fmt.Errorf("%s: %d bytes are more than %d", doing, len(value), maxOutput)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return errors.New(doing + ": the value is not a single line of text")
	case strings.Contains(value, "_GitHubActionsFileCommandDelimeter_"):
		return errors.New(doing + ": the value holds the delimiter of outputs")
	}
	return guard(doing, func() { a.a.SetOutput(name, value) })
}

// Mask has the runner replace a secret by *** in all that follows.
func (a *Actions) Mask(secret string) error {
	// The runner works line by line, so each line is a secret of its own. Masking
	// one of a letter or two would only make the log unreadable.
	for line := range strings.Lines(secret) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 3 {
			continue
		}
		if err := guard("masking a secret", func() { a.a.AddMask(line) }); err != nil {
			return err
		}
	}
	return nil
}

// Verbatim writes text that others wrote, with workflow commands switched off
// until its end.
func (a *Actions) Verbatim(text string) error {
	token := rand.Text()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	// A carriage return could make a viewer, or the runner, see another line.
	text = strings.ReplaceAll(text, "\r", "")
	_, err := fmt.Fprintf(a.w, "::stop-commands::%s\n%s::%s::\n", token, text, token)
	return err
}

// A Level is how an annotation is shown.
type Level string

// The levels of annotations.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNotice  Level = "notice"
)

// An Annotation is a remark on a line of a file.
type Annotation struct {
	Level   Level
	File    string // relative to the repository's root, with slashes; "": none
	Line    int    // from 1; 0: none
	Title   string
	Message string
}

// Annotate writes annotations, worst first as the caller sorted them. When there
// are more than GitHub shows, the worst nine are followed by one that says how
// many there are besides.
func (a *Actions) Annotate(list []Annotation) error {
	for _, x := range shown(list) {
		fields := map[string]string{}
		if x.Title != "" {
			fields["title"] = oneLine(x.Title, maxTitle)
		}
		if x.File != "" {
			fields["file"] = oneLine(x.File, maxMessage)
			if x.Line > 0 {
				fields["line"] = fmt.Sprint(x.Line)
			}
		}
		to := a.a.WithFieldsMap(fields)
		write := to.Noticef
		switch x.Level {
		case LevelError:
			write = to.Errorf
		case LevelWarning:
			write = to.Warningf
		case LevelNotice:
		}
		if err := guard("writing an annotation", func() { write("%s", oneLine(x.Message, maxMessage)) }); err != nil {
			return err
		}
	}
	return nil
}

func shown(list []Annotation) []Annotation {
	if len(list) <= maxAnnotations {
		return list
	}
	most := list[: maxAnnotations-1 : maxAnnotations-1]
	rest := len(list) - len(most)
	return append(most, Annotation{
		Level:   list[len(most)].Level,
		Title:   fmt.Sprintf("and %d more", rest),
		Message: fmt.Sprintf("%d more are in the job summary; GitHub shows at most %d a step.", rest, maxAnnotations),
	})
}

// RepoPath names a file as annotations must: from the root of the checkout, with
// slashes. A file outside of it, or a checkout unknown, gives "".
func (a *Actions) RepoPath(file string) string {
	root := a.env("GITHUB_WORKSPACE")
	if root == "" || file == "" || !filepath.IsAbs(file) {
		return ""
	}
	if rel, ok := within(root, file); ok {
		return rel
	}
	// macOS has /var as a link to /private/var: one of the two may be resolved.
	realRoot, err := filepath.EvalSymlinks(root)
	if err != nil {
		return ""
	}
	realFile, err := filepath.EvalSymlinks(file)
	if err != nil {
		return ""
	}
	rel, _ := within(realRoot, realFile)
	return rel
}

// within names a file from a folder, with slashes; false when it is outside.
func within(dir, file string) (string, bool) {
	rel, err := filepath.Rel(dir, file)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// oneLine drops control characters, escape sequences' first bytes among them,
// and cuts what is too long at a whole character.
func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	if len(s) <= most {
		return s
	}
	cut := most - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
