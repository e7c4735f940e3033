package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/loadline-ci/loadline/internal/spec"
)

// Problems writes the problems of a spec with the lines they stand in.
func Problems(w io.Writer, problems []spec.Problem) error {
	for i, p := range problems {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := p.WriteExcerpt(w); err != nil {
			return err
		}
	}
	return nil
}

// ProblemsGitHub writes each problem as a workflow command, which puts it on its
// line of the pull request. level is that of all of them.
func ProblemsGitHub(w io.Writer, level Level, problems []spec.Problem) error {
	for _, p := range problems {
		place := "file=" + property(p.File)
		if p.Pos.Line > 0 {
			place += fmt.Sprintf(",line=%d,col=%d", p.Pos.Line, max(p.Pos.Column, 1))
		}
		if _, err := fmt.Fprintf(w, "::%s %s::%s\n", level, place, commandText.Replace(p.Text())); err != nil {
			return err
		}
	}
	return nil
}

// A command ends at the end of its line, and its properties at a colon or comma
// (actions/toolkit, packages/core/src/command.ts).
var (
	commandText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	commandProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func property(s string) string { return commandProperty.Replace(s) }

// A problemDoc is one problem for an editor. Lines and columns count from 1; a
// problem without a place has neither.
type problemDoc struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Width   int    `json:"width,omitempty"`
	Level   Level  `json:"level"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// ProblemsJSON writes the problems of a file and then its warnings as one JSON
// array, which is empty when there are none.
func ProblemsJSON(w io.Writer, problems, warnings []spec.Problem) error {
	docs := []problemDoc{}
	add := func(level Level, list []spec.Problem) {
		for _, p := range list {
			docs = append(docs, problemDoc{
				File: p.File, Line: p.Pos.Line, Column: p.Pos.Column, Width: p.Width,
				Level: level, Message: p.Message, Hint: p.Hint,
			})
		}
	}
	add(LevelError, problems)
	add(LevelWarning, warnings)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(docs)
}
