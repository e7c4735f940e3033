package github

import (
	"io"
	"strings"
	"sync"
	"unicode"
)

// LogWriter makes what is written to w mean nothing to the runner: no line of it
// is a workflow command, in either form ("::name::" at a line's start, "##[name]"
// anywhere), and no control character moves the cursor or hides a part. For a
// stream whose lines quote what others wrote. Verbatim is for a whole text on the
// stream that commands go to; of two streams the runner may mix the lines, so
// neither can speak for the other.
// https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
func LogWriter(w io.Writer) io.Writer { return &logWriter{w: w, blank: true} }

type logWriter struct {
	mu    sync.Mutex
	w     io.Writer
	blank bool // only blanks stand on the line so far
}

// Write never says that it wrote less than all of p without an error.
func (l *logWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for line := range strings.Lines(strings.ToValidUTF8(string(p), "\uFFFD")) {
		text, newline := strings.CutSuffix(line, "\n")
		text = strings.Map(func(r rune) rune {
			if r != '\t' && unicode.IsControl(r) {
				return -1
			}
			return r
		}, text)
		text = strings.ReplaceAll(text, "##[", "# #[")
		if rest := strings.TrimLeftFunc(text, unicode.IsSpace); l.blank && strings.HasPrefix(rest, "::") {
			text = text[:len(text)-len(rest)] + ": :" + rest[2:]
		}
		l.blank = newline || l.blank && strings.TrimSpace(text) == ""
		b.WriteString(text)
		if newline {
			b.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(l.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}
